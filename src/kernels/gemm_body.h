/* The body of the matrix kernels, compiled once per instruction set (see gemm.h, simd.h). */
#include "kernels/gemm.h"
#include "kernels/vecmath.h"

#include "base/arena.h"

#if defined(__clang__)
#define UNROLL _Pragma("unroll")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

/* Registers: 12 x 2 accumulators of 32 with AVX-512 and NEON, 6 x 2 of 16 with AVX2. Plain C keeps a
 * panel's row in an array. */
#if VW == 16
#define ROWS 12
#define VECTORS 2
#elif VW == 8
#define ROWS 6
#define VECTORS 2
#elif VW == 4
#define ROWS 6
#define VECTORS 4
#else
#define ROWS 2
#define VECTORS 16
#endif
#define WIDTH (VECTORS * VW)

/* rows x WIDTH sums over all chunks, into tile[row][32]. `rows` is a constant in every call. */
A1_INLINE void tile_sums(const size_t rows, const a1_gemm_chunk *chunks, size_t chunk_count,
                         size_t first, size_t lda, const float *b, float *tile, size_t tile_stride,
                         const int accumulate)
{
    vf sums[ROWS][VECTORS];
    UNROLL for (size_t r = 0; r < rows; r++) {
        UNROLL for (size_t v = 0; v < VECTORS; v++)
            sums[r][v] = accumulate ? vf_load(tile + r * tile_stride + v * VW) : vf_zero();
    }
    for (size_t i = 0; i < chunk_count; i++) {
        const float *a = chunks[i].a + first;
        for (size_t k = chunks[i].k; k > 0; k--) {
            vf column[VECTORS];
            UNROLL for (size_t v = 0; v < VECTORS; v++)
                column[v] = vf_load(b + v * VW);
            UNROLL for (size_t r = 0; r < rows; r++) {
                const vf value = vf_set1(a[r * lda]);
                UNROLL for (size_t v = 0; v < VECTORS; v++)
                    sums[r][v] = vf_fma(value, column[v], sums[r][v]);
            }
            a++;
            b += A1_GEMM_PANEL;
        }
    }
    UNROLL for (size_t r = 0; r < rows; r++) {
        UNROLL for (size_t v = 0; v < VECTORS; v++)
            vf_store(tile + r * tile_stride + v * VW, sums[r][v]);
    }
}

/* Up to 12 rows of one panel. The order of every sum is the order of k, whatever the split, so a row's
 * bits do not depend on its neighbours. */
A1_INLINE void panel_sums(size_t rows, const a1_gemm_chunk *chunks, size_t chunk_count, size_t first,
                          size_t lda, const float *b, float *tile, size_t stride,
                          const int accumulate)
{
    for (size_t column = 0; column < A1_GEMM_PANEL; column += WIDTH) {
        size_t row = 0;
        for (; row + ROWS <= rows; row += ROWS)
            tile_sums(ROWS, chunks, chunk_count, first + row * lda, lda, b + column,
                      tile + row * stride + column, stride, accumulate);
#if ROWS > 4
        for (; row + 4 <= rows; row += 4)
            tile_sums(4, chunks, chunk_count, first + row * lda, lda, b + column,
                      tile + row * stride + column, stride, accumulate);
#endif
        for (; row < rows; row++)
            tile_sums(1, chunks, chunk_count, first + row * lda, lda, b + column,
                      tile + row * stride + column, stride, accumulate);
    }
}

A1_INLINE void finish_vector(const a1_gemm_call *call, vf value, size_t slot, size_t offset,
                             size_t row, size_t count)
{
    if (call->scale)
        value = value * vf_load(call->scale + slot);
    if (call->post)
        value = value + vf_load(call->post + slot);
    if (call->residual)
        value = value + vf_load_n(call->residual + row * call->ldr + offset, count);
    float *c = call->c + row * call->ldc + offset;
    if (count == VW)
        vf_store(c, value);
    else
        vf_store_n(c, value, count);
}

A1_INLINE void finish_panel(const a1_gemm_call *call, size_t panel, size_t row0, size_t rows,
                            const float *tile)
{
    const a1_gemm_group *groups = call->weights->groups + 2 * panel;
    const float *bias = call->weights->bias + panel * A1_GEMM_PANEL;
    const size_t halves = call->weights->glu ? 1 : 2;
    for (size_t half = 0; half < halves; half++) {
        const size_t base = half * A1_GEMM_GROUP;
        for (size_t at = 0; at < groups[half].valid; at += VW) {
            const size_t left = groups[half].valid - at;
            const size_t count = left < VW ? left : VW;
            const size_t offset = groups[half].offset + at;
            const vf add = vf_load(bias + base + at);
            if (call->weights->glu) {
                const vf add_gate = vf_load(bias + A1_GEMM_GROUP + at);
                for (size_t r = 0; r < rows; r++) {
                    const vf value = vf_load(tile + r * A1_GEMM_PANEL + at) + add;
                    const vf gate =
                        vf_load(tile + r * A1_GEMM_PANEL + A1_GEMM_GROUP + at) + add_gate;
                    finish_vector(call, value * vf_sigmoid(gate), panel * A1_GEMM_GROUP + at,
                                  offset, row0 + r, count);
                }
            } else if (call->activation == A1_ACT_GELU) {
                for (size_t r = 0; r < rows; r++)
                    finish_vector(call, vf_gelu(vf_load(tile + r * A1_GEMM_PANEL + base + at) + add),
                                  panel * A1_GEMM_PANEL + base + at, offset, row0 + r, count);
            } else {
                for (size_t r = 0; r < rows; r++)
                    finish_vector(call, vf_load(tile + r * A1_GEMM_PANEL + base + at) + add,
                                  panel * A1_GEMM_PANEL + base + at, offset, row0 + r, count);
            }
        }
    }
}

/* Rows whose part of A stays in the second-level cache while all panels pass over it. */
A1_INLINE size_t rows_in_cache(size_t k)
{
    const size_t fit = ((size_t)96 << 10) / (k ? k : 1) / A1_GEMM_TILE_ROWS * A1_GEMM_TILE_ROWS;
    return fit < 48 ? 48 : fit > 480 ? 480 : fit;
}

static void run(const a1_gemm_call *call)
{
    _Alignas(64) float tile[A1_GEMM_TILE_ROWS * A1_GEMM_PANEL];
    const a1_gemm_weights *weights = call->weights;
    const size_t block = rows_in_cache(weights->k);
    for (size_t block0 = 0; block0 < call->rows; block0 += block) {
        const size_t block1 = block0 + block < call->rows ? block0 + block : call->rows;
        for (size_t panel = 0; panel < weights->panels; panel++) {
            const float *b = weights->data + panel * weights->k * A1_GEMM_PANEL;
            for (size_t row = block0; row < block1; row += A1_GEMM_TILE_ROWS) {
                const size_t left = block1 - row;
                const size_t rows = left < A1_GEMM_TILE_ROWS ? left : A1_GEMM_TILE_ROWS;
                panel_sums(rows, call->chunks, call->chunk_count, row * call->lda, call->lda, b,
                           tile, A1_GEMM_PANEL, 0);
                finish_panel(call, panel, row, rows, tile);
            }
        }
    }
}

static void run_plain(const a1_gemm_plain_call *call)
{
    const a1_gemm_chunk chunk = {call->a, call->k};
    for (size_t panel = 0; panel < call->panels; panel++) {
        const float *b = call->b + panel * call->b_panel_stride;
        for (size_t row = 0; row < call->rows; row += A1_GEMM_TILE_ROWS) {
            const size_t left = call->rows - row;
            const size_t rows = left < A1_GEMM_TILE_ROWS ? left : A1_GEMM_TILE_ROWS;
            float *c = call->c + row * call->ldc + panel * A1_GEMM_PANEL;
            if (call->accumulate)
                panel_sums(rows, &chunk, 1, row * call->lda, call->lda, b, c, call->ldc, 1);
            else
                panel_sums(rows, &chunk, 1, row * call->lda, call->lda, b, c, call->ldc, 0);
        }
    }
}
