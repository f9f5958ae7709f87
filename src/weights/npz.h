/* NumPy arrays: single .npy files and .npz archives of them. */
#ifndef A1_WEIGHTS_NPZ_H
#define A1_WEIGHTS_NPZ_H

#include <stddef.h>

#include "base/error.h"
#include "tensor/tensor.h"

/* Adds the array in a .npy file's bytes to `set` under `name`. The values are copied. Little-endian
 * float16/32/64, signed 8 to 64 bit, unsigned 8 bit and bool (as uint8); versions 1 to 3 of the
 * format; Fortran order is turned into C order. `what` names the file in errors. The bytes after
 * the header must be exactly the array's. Source: NEP 1 of NumPy. */
allin1_status a1_npy_parse(const void *bytes, size_t size, const char *what, const char *name,
                           a1_tensor_set *set, a1_error *err);

/* Adds every array of an .npz archive, named after its member without ".npy". Other members are an
 * error. */
allin1_status a1_npz_parse(const void *bytes, size_t size, const char *what, a1_tensor_set *set,
                           a1_error *err);

#endif
