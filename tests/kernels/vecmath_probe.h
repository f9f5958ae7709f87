/* The vector functions of src/kernels as plain loops over arrays, compiled once for each
 * instruction set as the kernels are (see tests/CMakeLists.txt). */
#ifndef TEST_KERNELS_VECMATH_PROBE_H
#define TEST_KERNELS_VECMATH_PROBE_H

#include <stddef.h>

/* `count` may be any number: the last vector is loaded and stored in part. */
typedef void (*probe_unary)(const float *in, size_t count, float *out);
typedef void (*probe_binary)(const float *a, const float *b, size_t count, float *out);

typedef struct vecmath_probe {
    size_t lanes;
    probe_unary exp, sigmoid, erf, gelu, elu, log10_1p;
    probe_unary absolute, root, round, copy;
    probe_binary add, subtract, multiply, divide, maximum, minimum, scale2;
    /* out = a > b ? a - 1 : b + 1 */
    probe_binary select_gt;
    /* out = a b + out and out - a b; the kernels may round twice in plain C only */
    probe_binary fma, fnma;
    /* of `lanes` floats */
    float (*sum)(const float *in);
    float (*max_lane)(const float *in);
} vecmath_probe;

extern const vecmath_probe vecmath_probe_scalar, vecmath_probe_avx2, vecmath_probe_avx512,
    vecmath_probe_neon;

#endif
