/* Kernels with time as the vector lane: what the All-In-One network runs on.
 *
 * A block is [channels][32] floats, 32 neighbouring frames (or frames that a dilation makes
 * neighbours) contiguous for each channel. Every weight is then one broadcast, every dilated
 * neighbour one load, and no kernel shuffles lanes: lanes never mix, so a lane's result depends on
 * nothing but its own inputs.
 *
 * Pointers need no alignment beyond that of a float; 64 bytes are faster. */
#ifndef A1_KERNELS_LANE_H
#define A1_KERNELS_LANE_H

#include <stddef.h>

#include "base/cpu.h"

#define A1_LANES 32       /* frames in a block */
#define A1_LANE_TILE 12   /* outputs of a packed matrix that lie together */
#define A1_LANE_HEAD 12   /* channels of one attention head */
#define A1_LANE_DIM 24    /* channels of two heads */
#define A1_LANE_WINDOW 5  /* neighbours along time */
#define A1_LANE_STEMS 4   /* rows of the two-dimensional attention; a fifth is constant */
#define A1_LANE_OFFSETS 9 /* relative positions */

/* A matrix [outputs][groups][inputs] with its bias, packed in tiles of A1_LANE_TILE outputs:
 * bias[12], then w[group][input][12]. Input i of group g is row g * group_stride + i * x_stride. */
typedef struct a1_lane_matrix {
    size_t outputs; /* a multiple of A1_LANE_TILE */
    size_t groups;
    size_t inputs;
    const float *data; /* outputs * (1 + groups * inputs) floats */
} a1_lane_matrix;

typedef struct a1_lane_input {
    const float *x;
    size_t stride;       /* floats from input to input */
    size_t group_stride; /* floats from group to group */
} a1_lane_input;

/* Weights of the first convolution, [time 3][frequency 3] for 12 outputs in three tiles of four:
 * bias[4], then w[time][frequency][4]. */
#define A1_LANE_CONV_TILE 4
#define A1_LANE_CONV_TILE_FLOATS (A1_LANE_CONV_TILE * 10)

/* One-dimensional attention of one block and one head of 12 channels, five neighbours each. */
typedef struct a1_lane_attention {
    const float *q; /* [12][32], scaled */
    const float *k; /* the block's first frame; rows of `kv_stride` floats */
    const float *v;
    size_t kv_stride;
    ptrdiff_t dilation;    /* frames between neighbours */
    ptrdiff_t shift;       /* neighbour j is shift + j dilations away, shift in -4..0 */
    const float *position; /* [9] biases by shift + j + 4 */
    const float *keep;     /* NULL, or [32]: only lanes where it is above 0.5 are written */
    float *out;            /* [12][32] */
} a1_lane_attention;

/* Two-dimensional attention of one block of four stems, window 5 x 5, dilation 1: all stems, and a
 * fifth whose keys and values are constant. */
typedef struct a1_lane_grid {
    const float *q; /* [4][24][32], scaled */
    const float *k; /* the block's first frame: stems `stem_stride` apart, rows `kv_stride` */
    const float *v;
    size_t stem_stride;
    size_t kv_stride;
    const float *pad_k; /* [24] */
    const float *pad_v; /* [24] */
    ptrdiff_t shift;
    const float *position; /* [2][9][9]: head, stem offset + 4, time offset + 4 */
    const float *keep;
    float *out; /* [4][24][32] */
} a1_lane_grid;

typedef struct a1_lane_kernels {
    /* out[o] = bias[o] + sum w[o][g][i] x[g][i], rows of 32. */
    void (*dense)(const a1_lane_matrix *matrix, const a1_lane_input *in, float *out,
                  size_t out_stride);
    /* The same plus `residual`, rows of 32; out may be residual where their strides agree. */
    void (*dense_add)(const a1_lane_matrix *matrix, const a1_lane_input *in, const float *residual,
                      float *out, size_t out_stride);
    /* gelu of the same; its error is below 1e-6, or 2.5e-7 |x| where that is more. */
    void (*dense_gelu)(const a1_lane_matrix *matrix, const a1_lane_input *in, float *out,
                       size_t out_stride);
    /* Layer norm over `channels` rows of 32, epsilon 1e-5. out may be x. */
    void (*layer_norm)(const float *x, size_t channels, const float *weight, const float *bias,
                       float *out);
    /* out = (a + b) / 2 over `rows` rows of 32. */
    void (*mean)(const float *a, const float *b, size_t rows, float *out);
    /* out[band * stride + t] = frames[t][band] for 32 frames. */
    void (*transpose)(const float *frames, size_t bands, float *out, size_t stride);
    /* 3 x 3 convolution of the bands, maximum over three frequencies, ELU. bands: rows of `stride`
     * floats that begin one frame before the block and hold 34 frames, 3 * pooled + 2 of them;
     * out: [pooled][12][32]. */
    void (*conv_bands)(const float *weights, const float *bands, size_t stride, size_t pooled,
                       float *out);
    /* out[c] = elu(max(x[0][c], x[1][c], x[2][c])), x: [3][channels][32]. */
    void (*pool_elu)(const float *x, size_t channels, float *out, size_t out_stride);
    void (*attend)(const a1_lane_attention *attention);
    void (*attend_grid)(const a1_lane_grid *grid);
} a1_lane_kernels;

extern const a1_lane_kernels a1_lane_scalar, a1_lane_avx2, a1_lane_avx512, a1_lane_neon;

const a1_lane_kernels *a1_lane_kernels_get(const a1_cpu *cpu);

/* Packs [outputs][groups][inputs] (any number of outputs; the last tile is filled with zeros) as
 * a1_lane_matrix wants it; `out` holds a1_lane_matrix_floats(...) floats. */
size_t a1_lane_matrix_floats(size_t outputs, size_t groups, size_t inputs);
a1_lane_matrix a1_lane_matrix_pack(const float *weights, const float *bias, size_t outputs,
                                   size_t groups, size_t inputs, float *out);

#endif
