/* Products on 8-bit integers with AVX-512 VNNI: four k at a time, sums in 32-bit integers.
 *
 * A row of A gets one scale, largest magnitude / 127, and its values are stored with 128 added, as the
 * instruction wants its first factor unsigned; 128 times the column's sum is taken off again. */
#include "kernels/gemm_finish.h"

#define ROWS A1_GEMM_TILE_ROWS

/* As an intrinsic the accumulator is copied on every use by gcc 12, which then runs out of registers. */
A1_INLINE __m512i dot4(__m512i sum, __m512i a, __m512i b)
{
    __asm__("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b));
    return sum;
}

/* The sums of `rows` rows and one panel, scaled: tile[row][32]. `rows` is a constant in every call. */
A1_INLINE void tile_sums(const size_t rows, const uint8_t *a, size_t lda, size_t quads,
                         const int8_t *b, const float *row_scales, const float *scales,
                         const int32_t *offsets, float *tile)
{
    __m512i sums[ROWS][2];
    UNROLL for (size_t r = 0; r < rows; r++) {
        sums[r][0] = _mm512_setzero_si512();
        sums[r][1] = _mm512_setzero_si512();
    }
    for (; quads > 0; quads--) {
        const __m512i column0 = _mm512_loadu_si512(b), column1 = _mm512_loadu_si512(b + 64);
        UNROLL for (size_t r = 0; r < rows; r++) {
            int quad;
            memcpy(&quad, a + r * lda, sizeof quad);
            const __m512i value = _mm512_set1_epi32(quad);
            sums[r][0] = dot4(sums[r][0], value, column0);
            sums[r][1] = dot4(sums[r][1], value, column1);
        }
        a += 4;
        b += 4 * A1_GEMM_PANEL;
    }
    UNROLL for (size_t v = 0; v < 2; v++) {
        const __m512i offset = _mm512_loadu_si512(offsets + v * 16);
        const vf scale = vf_load(scales + v * 16);
        UNROLL for (size_t r = 0; r < rows; r++) {
            const vf sum = _mm512_cvtepi32_ps(_mm512_sub_epi32(sums[r][v], offset));
            vf_store(tile + r * A1_GEMM_PANEL + v * 16, sum * (scale * vf_set1(row_scales[r])));
        }
    }
}

/* Rounds one row and returns its scale. The bytes up to a multiple of four are zero times any weight. */
static float convert_row(const a1_gemm_call *call, size_t row, uint8_t *out)
{
    vf top = vf_zero();
    for (size_t i = 0; i < call->chunk_count; i++) {
        const float *a = call->chunks[i].a + row * call->lda;
        const size_t k = call->chunks[i].k;
        for (size_t at = 0; at < k; at += 16)
            top = vf_max(top, vf_abs(vf_load_n(a + at, k - at < 16 ? k - at : 16)));
    }
    const float largest = vf_max_lane(top);
    const float scale = largest / 127.0f;
    const vf factor = vf_set1(largest > 0.0f ? 127.0f / largest : 0.0f);
    for (size_t i = 0; i < call->chunk_count; i++) {
        const float *a = call->chunks[i].a + row * call->lda;
        const size_t k = call->chunks[i].k;
        for (size_t at = 0; at < k; at += 16) {
            const size_t left = k - at < 16 ? k - at : 16;
            const __m512i rounded = _mm512_cvtps_epi32(vf_load_n(a + at, left) * factor);
            const __m128i bytes = _mm512_cvtepi32_epi8(rounded);
            _mm_mask_storeu_epi8(out + at, vf_mask_(left),
                                 _mm_xor_si128(bytes, _mm_set1_epi8((char)-128)));
        }
        out += k;
    }
    for (size_t k = call->weights->k; k % 4; k++)
        *out++ = 128;
    return scale;
}

#include "kernels/gemm_int8_body.h"

const a1_gemm_kernels a1_gemm_avx512vnni = {.run = {NULL, NULL, run}};
