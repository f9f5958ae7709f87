/* A result and the memory behind it. */
#ifndef A1_OUTPUT_RESULT_H
#define A1_OUTPUT_RESULT_H

#include <allin1/allin1.h>

#include "base/error.h"

/* The public struct and what it points to. `shown` is first, so that the pointers are the same. */
typedef struct a1_result {
    allin1_result shown;
    allin1_activations activations;
    allin1_embeddings embeddings;
    allin1_waveform waveform;
    allin1_student student;
    allin1_run run;
    struct a1_block *blocks;
} a1_result;

/* An empty, valid result: strings "", numbers 0, tempo NAN. */
allin1_status a1_result_create(a1_result **result, a1_error *err);
void a1_result_destroy(a1_result **result);

/* Zeroed memory that lives as long as the result; NULL when there is none left. */
void *a1_result_alloc(a1_result *result, size_t size);

/* A copy; "" for NULL. NULL when memory ran out. */
const char *a1_result_string(a1_result *result, const char *text);

/* Passes the error on to the caller of a public function; returns its status. */
allin1_status a1_public_error(allin1_error *error, const a1_error *err, allin1_status status);

#define A1_ARRAY_RATE 100.0 /* frames a second of activations and embeddings */

/* The document of allin1_result_json. */
char *a1_result_json(const allin1_result *result, const allin1_arrays *arrays);

#endif
