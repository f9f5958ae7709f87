/* Products on 8-bit integers with NEON's SDOT: four k at a time, sums in 32-bit integers. Both factors
 * are signed, so that weights->sums is not needed. */
#include "kernels/gemm_finish.h"

#define ROWS A1_GEMM_TILE_ROWS
#define TILE 6 /* rows by 4 vectors: 24 sums of 32 registers */

/* rows x 16 sums, scaled; `rows` is a constant in every call. */
A1_INLINE void group_sums(const size_t rows, const int8_t *a, size_t lda, size_t quads,
                          const int8_t *b, const float *row_scales, const float *scales,
                          float *tile)
{
    int32x4_t sums[TILE][4];
    UNROLL for (size_t r = 0; r < rows; r++) {
        UNROLL for (size_t v = 0; v < 4; v++)
            sums[r][v] = vdupq_n_s32(0);
    }
    for (; quads > 0; quads--) {
        int8x16_t column[4];
        UNROLL for (size_t v = 0; v < 4; v++)
            column[v] = vld1q_s8(b + v * 16);
        UNROLL for (size_t r = 0; r < rows; r++) {
            int32_t quad;
            memcpy(&quad, a + r * lda, sizeof quad);
            const int8x16_t value = vreinterpretq_s8_s32(vdupq_n_s32(quad));
            UNROLL for (size_t v = 0; v < 4; v++)
                sums[r][v] = vdotq_s32(sums[r][v], value, column[v]);
        }
        a += 4;
        b += 4 * A1_GEMM_PANEL;
    }
    UNROLL for (size_t v = 0; v < 4; v++) {
        const vf scale = vf_load(scales + v * 4);
        UNROLL for (size_t r = 0; r < rows; r++)
            vf_store(tile + r * A1_GEMM_PANEL + v * 4,
                     vcvtq_f32_s32(sums[r][v]) * (scale * vf_set1(row_scales[r])));
    }
}

A1_INLINE void tile_sums(const size_t rows, const uint8_t *bytes, size_t lda, size_t quads,
                         const int8_t *b, const float *row_scales, const float *scales,
                         const int32_t *offsets, float *tile)
{
    const int8_t *a = (const int8_t *)bytes;
    (void)offsets;
    for (size_t g = 0; g < 2; g++, b += 4 * A1_GEMM_GROUP, scales += A1_GEMM_GROUP,
                tile += A1_GEMM_GROUP) {
        size_t row = 0;
        for (; row + TILE <= rows; row += TILE)
            group_sums(TILE, a + row * lda, lda, quads, b, row_scales + row, scales,
                       tile + row * A1_GEMM_PANEL);
        for (; row < rows; row++)
            group_sums(1, a + row * lda, lda, quads, b, row_scales + row, scales,
                       tile + row * A1_GEMM_PANEL);
    }
}

/* Rounds one row and returns its scale. The bytes up to a multiple of four are zero. */
static float convert_row(const a1_gemm_call *call, size_t row, uint8_t *out)
{
    vf top = vf_zero();
    for (size_t i = 0; i < call->chunk_count; i++) {
        const float *a = call->chunks[i].a + row * call->lda;
        const size_t k = call->chunks[i].k;
        for (size_t at = 0; at < k; at += VW)
            top = vf_max(top, vf_abs(vf_load_n(a + at, k - at < VW ? k - at : VW)));
    }
    const float largest = vf_max_lane(top);
    const float scale = largest / 127.0f;
    const vf factor = vf_set1(largest > 0.0f ? 127.0f / largest : 0.0f);
    for (size_t i = 0; i < call->chunk_count; i++) {
        const float *a = call->chunks[i].a + row * call->lda;
        const size_t k = call->chunks[i].k;
        for (size_t at = 0; at < k; at += VW) {
            const size_t left = k - at < VW ? k - at : VW;
            const int32x4_t rounded = vcvtnq_s32_f32(vf_load_n(a + at, left) * factor);
            const int16x4_t half = vmovn_s32(rounded);
            int8_t bytes[8];
            vst1_s8(bytes, vmovn_s16(vcombine_s16(half, half)));
            memcpy(out + at, bytes, left);
        }
        out += k;
    }
    for (size_t k = call->weights->k; k % 4; k++)
        *out++ = 0;
    return scale;
}

#include "kernels/gemm_int8_body.h"

const a1_gemm_kernels a1_gemm_neondot = {.run = {NULL, NULL, run}};
