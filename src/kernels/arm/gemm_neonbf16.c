/* Products on bfloat16 with NEON's BFDOT: pairs of k at a time, sums in float. The instruction rounds
 * each of its two additions to odd and takes subnormals for zero. */
#include "kernels/gemm_finish.h"

#define ROWS A1_GEMM_TILE_ROWS
#define TILE 6 /* rows by 4 vectors: 24 sums of 32 registers */

/* rows x 16 sums; `rows` is a constant in every call. lda in elements. */
A1_INLINE void tile_sums(const size_t rows, const uint16_t *a, size_t lda, size_t pairs,
                         const uint16_t *b, float *tile, size_t stride, const int accumulate)
{
    float32x4_t sums[TILE][4];
    UNROLL for (size_t r = 0; r < rows; r++) {
        UNROLL for (size_t v = 0; v < 4; v++)
            sums[r][v] = accumulate ? vld1q_f32(tile + r * stride + v * 4) : vdupq_n_f32(0);
    }
    for (; pairs > 0; pairs--) {
        bfloat16x8_t column[4];
        UNROLL for (size_t v = 0; v < 4; v++)
            column[v] = vreinterpretq_bf16_u16(vld1q_u16(b + v * 8));
        UNROLL for (size_t r = 0; r < rows; r++) {
            uint32_t pair;
            memcpy(&pair, a + r * lda, sizeof pair);
            const bfloat16x8_t value = vreinterpretq_bf16_u32(vdupq_n_u32(pair));
            UNROLL for (size_t v = 0; v < 4; v++)
                sums[r][v] = vbfdotq_f32(sums[r][v], value, column[v]);
        }
        a += 2;
        b += 2 * A1_GEMM_PANEL;
    }
    UNROLL for (size_t r = 0; r < rows; r++) {
        UNROLL for (size_t v = 0; v < 4; v++)
            vst1q_f32(tile + r * stride + v * 4, sums[r][v]);
    }
}

A1_INLINE void rows_sums(size_t rows, const size_t groups, const uint16_t *a, size_t lda,
                         size_t pairs, const uint16_t *b, float *tile, size_t stride,
                         const int accumulate)
{
    for (size_t g = 0; g < groups; g++, b += 2 * A1_GEMM_GROUP, tile += A1_GEMM_GROUP) {
        size_t row = 0;
        for (; row + TILE <= rows; row += TILE)
            tile_sums(TILE, a + row * lda, lda, pairs, b, tile + row * stride, stride, accumulate);
        for (; row < rows; row++)
            tile_sums(1, a + row * lda, lda, pairs, b, tile + row * stride, stride, accumulate);
    }
}

static void convert(const float *from, size_t n, uint16_t *out)
{
    size_t at = 0;
    for (; at + 4 <= n; at += 4)
        vst1_u16(out + at, vreinterpret_u16_bf16(vcvt_bf16_f32(vld1q_f32(from + at))));
    if (at < n) {
        uint16_t last[4];
        vst1_u16(last, vreinterpret_u16_bf16(vcvt_bf16_f32(vf_load_n(from + at, n - at))));
        memcpy(out + at, last, (n - at) * sizeof *last);
    }
}

#include "kernels/gemm_bf16_body.h"

const a1_gemm_kernels a1_gemm_neonbf16 = {.run = {NULL, run, NULL}, .run_plain16 = run_plain16};
