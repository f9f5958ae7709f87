/* Row-wise kernels between matrix products: statistics, norms, gates and soft-max.
 *
 * Rows are channels-last: `width` contiguous floats, `stride` floats from row to row. Sums run in
 * float over at most 32 values a lane and in double above that. */
#ifndef A1_KERNELS_LAYERS_H
#define A1_KERNELS_LAYERS_H

#include <stddef.h>
#include <stdint.h>

#include "base/cpu.h"

typedef struct a1_moments {
    double sum, square_sum;
} a1_moments;

typedef struct a1_layer_kernels {
    /* Adds all values of the rows to *moments. */
    void (*moments)(const float *x, size_t rows, size_t width, size_t stride, a1_moments *moments);
    /* x = gelu((x - mean) * mul[c] + add[c]); width is a multiple of 16. */
    void (*norm_gelu)(float *x, size_t rows, size_t width, size_t stride, float mean,
                      const float *mul, const float *add);
    /* Rows of `panels` panels, 16 values then 16 gates each: v = (x - mean) * mul[slot] + add[slot];
     * y[c] += scale[c] * value * sigmoid(gate) for c below `width`. */
    void (*norm_glu_add)(const float *x, size_t rows, size_t panels, size_t stride, float mean,
                         const float *mul, const float *add, const float *scale, float *y,
                         size_t width, size_t y_stride);
    /* out = (x - mean) * mul[c] + add[c]; out may be x. */
    void (*norm)(const float *x, size_t rows, size_t width, float mean, const float *mul,
                 const float *add, float *out);
    /* Layer norm of each row (biased variance, epsilon 1e-5 inside the root), contiguous rows;
     * `position` ([rows][width]) is added when it is not NULL. out may be x. */
    void (*layer_norm)(const float *x, size_t rows, size_t width, const float *mul,
                       const float *add, const float *position, float *out);
    /* out = (x - mean) / divisor over `count` values. */
    void (*standardise)(const float *x, size_t count, float mean, float divisor, float *out);
    /* out = x * std + mean over `count` values. */
    void (*restore)(const float *x, size_t count, float mean, float std, float *out);
    /* One block of keys of an online soft-max: scores[row][keys] become exp(score - maximum); the row's
     * maximum and sum and its `values` ([row][values_width], summed so far) are brought to the new
     * maximum. The first block of a row has maximum -INFINITY and values 0. */
    void (*softmax_block)(float *scores, size_t rows, size_t keys, size_t stride, float *maximum,
                          double *sum, float *values, size_t values_width);
    /* out[row][c] = values[row][c] / sum[row]. */
    void (*softmax_finish)(const float *values, size_t rows, size_t values_stride, size_t width,
                           const double *sum, float *out, size_t out_stride);
    /* k[tokens][width] as panels [tokens / 32][width][32]; tokens a multiple of 32. */
    void (*pack_keys)(const float *k, size_t stride, size_t tokens, size_t width, float *out);
    /* v[tokens][width] as panels [ceil(width / 32)][tokens][32], zeros beyond width. */
    void (*pack_values)(const float *v, size_t stride, size_t tokens, size_t width, float *out);
} a1_layer_kernels;

/* The steps of attention on bfloat16. */
typedef struct a1_layer16_kernels {
    /* x[rows][width] rounded to out[rows][width]; width a multiple of 16. */
    void (*round_rows)(const float *x, size_t rows, size_t width, size_t stride, uint16_t *out);
    /* As softmax_block; the powers are left in `powers` ([rows][stride]), rounded. */
    void (*softmax_block)(const float *scores, size_t rows, size_t keys, size_t stride,
                          uint16_t *powers, float *maximum, double *sum, float *values,
                          size_t values_width);
    /* As panels [tokens / 32][width / 2][32][2]; tokens a multiple of 32, width of 16. */
    void (*pack_keys)(const float *k, size_t stride, size_t tokens, size_t width, uint16_t *out);
    /* As panels [ceil(width / 32)][tokens / 2][32][2]. */
    void (*pack_values)(const float *v, size_t stride, size_t tokens, size_t width, uint16_t *out);
} a1_layer16_kernels;

extern const a1_layer16_kernels a1_layers_avx512bf16, a1_layers_neonbf16;

/* NULL where the machine or its chosen level has none. */
const a1_layer16_kernels *a1_layer16_kernels_get(const a1_cpu *cpu);

extern const a1_layer_kernels a1_layers_scalar, a1_layers_avx2, a1_layers_avx512, a1_layers_neon;

const a1_layer_kernels *a1_layer_kernels_get(const a1_cpu *cpu);

#endif
