/* numpy's array files: .npy and uncompressed .npz, float32. The same values give the same bytes. */
#ifndef A1_OUTPUT_NUMPY_H
#define A1_OUTPUT_NUMPY_H

#include <stddef.h>

#include "base/error.h"

#define A1_NPY_MAX_RANK 4

/* A C-ordered array to write. */
typedef struct a1_npy {
    const char *name; /* in an .npz; unused for .npy */
    unsigned rank;
    size_t shape[A1_NPY_MAX_RANK];
    const float *values;
} a1_npy;

/* Both as a1_output_open and a1_output_commit do it. */
allin1_status a1_npy_write(const char *path, const a1_npy *array, a1_error *err);
allin1_status a1_npz_write(const char *path, const a1_npy *arrays, size_t count, a1_error *err);

#endif
