/* allin1: results in the formats of other programs.
 *
 * The conventions are those of allin1.h. A format writes what it can hold of a result: its sections,
 * its beats, or both (docs/FORMATS.md). The same result gives the same bytes. */
#ifndef ALLIN1_FORMATS_H
#define ALLIN1_FORMATS_H

#include <stddef.h>

#include <allin1/allin1.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct allin1_format {
    const char *name;        /* "midi" */
    const char *suffix;      /* of the file's name, ".mid"; no two formats share one */
    const char *description; /* a few English words */
    int binary;              /* not 0: not text */
} allin1_format;

/* All formats, "json" first. Static storage. `count` may be NULL. */
const allin1_format *allin1_formats(size_t *count);

/* The format of that name, or NULL. */
const allin1_format *allin1_format_find(const char *name);

/* The whole file in memory, with a zero byte after it that does not count in `size`. The caller frees
 * it with allin1_string_free. A format whose name is not known is an ALLIN1_ERROR_ARGUMENT. `size` may
 * be NULL. */
allin1_status allin1_result_format(const allin1_result *result, const char *format, char **content,
                                   size_t *size, allin1_error *error);

/* The same as a file, written as allin1_save_json writes one. `context` may be NULL. */
allin1_status allin1_save_format(allin1_context *context, const allin1_result *result,
                                 const char *format, const char *path, allin1_error *error);

#ifdef __cplusplus
}
#endif

#endif
