/* Products on bfloat16 with AVX-512 BF16: pairs of k at a time, sums in float. */
#include "kernels/gemm_finish.h"

#define ROWS A1_GEMM_TILE_ROWS

/* rows x (16 * vectors) sums; `rows` and `vectors` are constants in every call. lda in elements. */
A1_INLINE void tile_sums(const size_t rows, const size_t vectors, const uint16_t *a, size_t lda,
                         size_t pairs, const uint16_t *b, float *tile, size_t stride,
                         const int accumulate)
{
    __m512 sums[ROWS][2];
    UNROLL for (size_t r = 0; r < rows; r++) {
        UNROLL for (size_t v = 0; v < vectors; v++)
            sums[r][v] = accumulate ? _mm512_loadu_ps(tile + r * stride + v * 16)
                                    : _mm512_setzero_ps();
    }
    for (; pairs > 0; pairs--) {
        __m512bh column[2];
        UNROLL for (size_t v = 0; v < vectors; v++)
            column[v] = (__m512bh)_mm512_loadu_si512(b + v * 32);
        UNROLL for (size_t r = 0; r < rows; r++) {
            int pair;
            memcpy(&pair, a + r * lda, sizeof pair);
            const __m512bh value = (__m512bh)_mm512_set1_epi32(pair);
            UNROLL for (size_t v = 0; v < vectors; v++)
                sums[r][v] = _mm512_dpbf16_ps(sums[r][v], value, column[v]);
        }
        a += 2;
        b += 2 * A1_GEMM_PANEL;
    }
    UNROLL for (size_t r = 0; r < rows; r++) {
        UNROLL for (size_t v = 0; v < vectors; v++)
            _mm512_storeu_ps(tile + r * stride + v * 16, sums[r][v]);
    }
}

A1_INLINE void rows_sums(size_t rows, const size_t groups, const uint16_t *a, size_t lda,
                         size_t pairs, const uint16_t *b, float *tile, size_t stride,
                         const int accumulate)
{
    size_t row = 0;
    for (; row + ROWS <= rows; row += ROWS)
        tile_sums(ROWS, groups, a + row * lda, lda, pairs, b, tile + row * stride, stride,
                  accumulate);
    for (; row + 4 <= rows; row += 4)
        tile_sums(4, groups, a + row * lda, lda, pairs, b, tile + row * stride, stride, accumulate);
    for (; row < rows; row++)
        tile_sums(1, groups, a + row * lda, lda, pairs, b, tile + row * stride, stride, accumulate);
}

static void convert(const float *from, size_t n, uint16_t *out)
{
    size_t at = 0;
    for (; at + 32 <= n; at += 32)
        _mm512_storeu_si512(out + at,
                            (__m512i)_mm512_cvtne2ps_pbh(_mm512_loadu_ps(from + at + 16),
                                                         _mm512_loadu_ps(from + at)));
    for (; at < n; at += 16) {
        const size_t left = n - at < 16 ? n - at : 16;
        _mm256_mask_storeu_epi16(out + at, vf_mask_(left),
                                 (__m256i)_mm512_cvtneps_pbh(vf_load_n(from + at, left)));
    }
}

#include "kernels/gemm_bf16_body.h"

const a1_gemm_kernels a1_gemm_avx512bf16 = {.run = {NULL, run, NULL}, .run_plain16 = run_plain16};
