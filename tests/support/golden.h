/* Finding and reading reference data in tests. */
#ifndef TEST_SUPPORT_GOLDEN_H
#define TEST_SUPPORT_GOLDEN_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "tensor/tensor.h"

/* $ALLIN1_SHARED, else ../shared beside the source folder. Static storage. */
const char *test_shared_dir(void);

/* "<shared>/<relative>" in static storage that four further calls leave alone; skips the running test
 * with a message when the file does not exist. */
const char *test_golden(const char *relative);

/* An array of a .npy file or of a member of an .npz file (member NULL for .npy), converted to double.
 * Fails the test when it cannot be read. The caller frees `values`. Understands f2, f4, f8, i1, i2, i4, i8, u1 and b1. */
typedef struct test_array {
    unsigned rank;
    size_t shape[A1_MAX_RANK];
    size_t count;
    double *values;
} test_array;
test_array test_read_array(const char *path, const char *member);
float *test_read_floats(const char *path, const char *member, size_t expected_count);
void test_array_free(test_array *array);

/* Fails the test, with the place and the size of the largest difference, when any |a - b| exceeds
 * `tolerance` or is not a number. `what` names the comparison. */
void test_close(const char *what, const float *actual, const double *expected, size_t count,
                double tolerance);

/* A small deterministic generator for tests: uniform in [-1, 1). */
float test_random(uint64_t *state);

#endif
