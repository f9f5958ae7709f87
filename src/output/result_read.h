/* Reading a result in steps, for those who get documents of other kinds too. `path` only names the
 * document in errors, except in the first. */
#ifndef A1_OUTPUT_RESULT_READ_H
#define A1_OUTPUT_RESULT_READ_H

#include <jansson.h>
#include <stddef.h>

#include "output/result.h"

/* A whole regular file of up to 256 MB; the caller frees it. */
allin1_status a1_read_document(const char *path, char **out, size_t *size, a1_error *err);

/* The caller gives `root` up with json_decref. */
allin1_status a1_parse_document(const char *path, const char *text, size_t size, json_t **root,
                                a1_error *err);

/* `arrays` as for allin1_load_json. The result does not need the document any more. */
allin1_status a1_result_of_document(const char *path, const json_t *root, allin1_arrays *arrays,
                                    a1_result **out, a1_error *err);

#endif
