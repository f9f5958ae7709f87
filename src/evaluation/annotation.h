/* An annotation and the memory behind it. */
#ifndef A1_EVALUATION_ANNOTATION_H
#define A1_EVALUATION_ANNOTATION_H

#include <jansson.h>

#include <allin1/evaluation.h>

#include "output/result.h"

/* `shown` is first, so that the pointers are the same. */
typedef struct a1_annotation {
    allin1_annotation shown;
    a1_result *memory; /* owns the lists; of a result's document, the result itself */
} a1_annotation;

/* A document in memory with a zero byte after it. `path` is its name in errors; one that ends in .lab
 * holds sections. The caller gives it back with a1_annotation_destroy. */
allin1_status a1_annotation_parse(const char *path, const char *text, size_t size,
                                  a1_annotation **out, a1_error *err);
void a1_annotation_destroy(a1_annotation **annotation);

/* The parts of that. All fill `annotation`, whose memory is there. */
allin1_status a1_annotation_read_text(const char *path, const char *text, size_t size,
                                      a1_annotation *annotation, a1_error *err);
allin1_status a1_annotation_read_jams(const char *path, const json_t *root,
                                      a1_annotation *annotation, a1_error *err);

/* Beats become known: the list is copied; downbeats are those whose position is 1, when `positions` is
 * not NULL. Without a tempo that one is 60 / the median interval. */
allin1_status a1_annotation_set_beats(a1_annotation *annotation, const double *beats,
                                      const double *positions, size_t count, a1_error *err);

#endif
