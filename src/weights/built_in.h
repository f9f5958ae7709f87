/* Weights that are part of the program. */
#ifndef A1_WEIGHTS_BUILT_IN_H
#define A1_WEIGHTS_BUILT_IN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/threads.h"
#include "tensor/tensor.h"
#include "weights/digest.h"

#define A1_BUILT_IN_PATH "built in" /* where files have their path */

/* src/student/student.a1w and docs/STUDENT.md, put into the library by cmake/embed.cmake. */
extern const unsigned char a1_file_student_a1w[], a1_file_STUDENT_md[];
extern const size_t a1_size_student_a1w, a1_size_STUDENT_md;

/* Reads the bytes of a .a1w file (aligned to 64, of static storage) that must hold a model of the family
 * `name`; 0 bytes: this build has none, which is an ALLIN1_ERROR_WEIGHTS_MISSING. `deep` recomputes the
 * digest. `pool` may be NULL. The caller destroys *set. */
allin1_status a1_built_in_read(const char *name, const void *bytes, size_t size, bool deep,
                               a1_pool *pool, a1_tensor_set **set, char digest[A1_SHA256_HEX],
                               a1_error *err);

#endif
