/* Measures of agreement, each a pure function of its input. Times are seconds, ascending. */
#ifndef A1_EVALUATION_SCORES_H
#define A1_EVALUATION_SCORES_H

#include <stdbool.h>
#include <stddef.h>

#include <allin1/evaluation.h>

#include "base/error.h"

typedef struct a1_times {
    const double *at;
    size_t count;
} a1_times;

/* The largest number of pairs of one of each, each used once, that are at most `window` apart. */
size_t a1_match_count(a1_times reference, a1_times estimate, double window);

/* Harmonic mean; 0 when both are. */
double a1_f_measure(double precision, double recall);

/* The seven of beats (or downbeats), in the order of ALLIN1_BEAT_F on. */
#define A1_BEAT_MEASURES 7
allin1_status a1_score_beats(a1_times reference, a1_times estimate, double *values, a1_error *err);

/* Share of the estimated beats that go with the reference, as mir_eval.beat.continuity. */
typedef struct a1_continuity {
    double longest, total; /* of one stretch; of all */
} a1_continuity;
allin1_status a1_continuity_score(a1_times reference, a1_times estimate, a1_continuity *score,
                                  a1_error *err);

double a1_goto_score(a1_times reference, a1_times estimate, double *room);
double a1_information_gain(a1_times reference, a1_times estimate);

/* A section of an annotation that covers the whole song. */
typedef struct a1_section {
    double start, end;
    const char *label;
} a1_section;

/* Sections from 0 to `end` (NAN: as far as they go) without what lies outside and with what is missing
 * at either side added, as mir_eval.util.adjust_intervals does it. `out` has room for count + 2.
 * Returns how many there are. */
size_t a1_adjust_sections(const allin1_segment *sections, size_t count, double end,
                          a1_section *out);

/* Both annotations are adjusted and end together. The values are those from ALLIN1_BOUNDARY_P05 and
 * from ALLIN1_LABEL_PAIRWISE_P on. */
#define A1_BOUNDARY_MEASURES 12
allin1_status a1_score_boundaries(const a1_section *reference, size_t reference_count,
                                  const a1_section *estimate, size_t estimate_count,
                                  double *values, a1_error *err);
#define A1_LABEL_MEASURES 10
allin1_status a1_score_labels(const a1_section *reference, size_t reference_count,
                              const a1_section *estimate, size_t estimate_count, double *values,
                              a1_error *err);

#endif
