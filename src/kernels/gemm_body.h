/* The body of the matrix kernels, compiled once per instruction set (see gemm.h, simd.h). */
#include "kernels/gemm_finish.h"

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

/* rows x (vectors * VW) sums over all chunks, into tile[row][32]. `rows` and `vectors` are constants in
 * every call. */
A1_INLINE void tile_sums(const size_t rows, const size_t vectors, const a1_gemm_chunk *chunks,
                         size_t chunk_count, size_t first, size_t lda, const float *b, float *tile,
                         size_t tile_stride, const int accumulate)
{
    vf sums[ROWS][VECTORS];
    UNROLL for (size_t r = 0; r < rows; r++) {
        UNROLL for (size_t v = 0; v < vectors; v++)
            sums[r][v] = accumulate ? vf_load(tile + r * tile_stride + v * VW) : vf_zero();
    }
    for (size_t i = 0; i < chunk_count; i++) {
        const float *a = chunks[i].a + first;
        for (size_t k = chunks[i].k; k > 0; k--) {
            vf column[VECTORS];
            UNROLL for (size_t v = 0; v < vectors; v++)
                column[v] = vf_load(b + v * VW);
            UNROLL for (size_t r = 0; r < rows; r++) {
                const vf value = vf_set1(a[r * lda]);
                UNROLL for (size_t v = 0; v < vectors; v++)
                    sums[r][v] = vf_fma(value, column[v], sums[r][v]);
            }
            a++;
            b += A1_GEMM_PANEL;
        }
    }
    UNROLL for (size_t r = 0; r < rows; r++) {
        UNROLL for (size_t v = 0; v < vectors; v++)
            vf_store(tile + r * tile_stride + v * VW, sums[r][v]);
    }
}

A1_INLINE void rows_sums(size_t rows, const size_t vectors, const a1_gemm_chunk *chunks,
                         size_t chunk_count, size_t first, size_t lda, const float *b, float *tile,
                         size_t stride, const int accumulate)
{
    size_t row = 0;
    for (; row + ROWS <= rows; row += ROWS)
        tile_sums(ROWS, vectors, chunks, chunk_count, first + row * lda, lda, b,
                  tile + row * stride, stride, accumulate);
#if ROWS > 4
    for (; row + 4 <= rows; row += 4)
        tile_sums(4, vectors, chunks, chunk_count, first + row * lda, lda, b, tile + row * stride,
                  stride, accumulate);
#endif
    for (; row < rows; row++)
        tile_sums(1, vectors, chunks, chunk_count, first + row * lda, lda, b, tile + row * stride,
                  stride, accumulate);
}

/* Up to 12 rows of the first `columns` columns of a panel. The order of every sum is the order of k,
 * whatever the split, so a row's bits do not depend on its neighbours. */
A1_INLINE void panel_sums(size_t rows, size_t columns, const a1_gemm_chunk *chunks,
                          size_t chunk_count, size_t first, size_t lda, const float *b, float *tile,
                          size_t stride, const int accumulate)
{
    size_t column = 0;
    for (; column + WIDTH <= columns; column += WIDTH)
        rows_sums(rows, VECTORS, chunks, chunk_count, first, lda, b + column, tile + column, stride,
                  accumulate);
#if WIDTH > A1_GEMM_GROUP
    if (column < columns)
        rows_sums(rows, VECTORS / 2, chunks, chunk_count, first, lda, b + column, tile + column,
                  stride, accumulate);
#endif
}

static void run(const a1_gemm_call *call)
{
    _Alignas(64) float tile[A1_GEMM_TILE_ROWS * A1_GEMM_PANEL];
    const a1_gemm_weights *weights = call->weights;
    const size_t block = a1_gemm_block_rows(weights->k, sizeof(float));
    for (size_t block0 = 0; block0 < call->rows; block0 += block) {
        const size_t block1 = block0 + block < call->rows ? block0 + block : call->rows;
        for (size_t panel = 0; panel < weights->panels; panel++) {
            const float *b = (const float *)weights->data + panel * weights->k * A1_GEMM_PANEL;
            /* A last group without columns is not worth computing. */
            const int half = !weights->glu && weights->groups[2 * panel + 1].valid == 0;
            const size_t columns = half ? A1_GEMM_GROUP : A1_GEMM_PANEL;
            for (size_t row = block0; row < block1; row += A1_GEMM_TILE_ROWS) {
                const size_t left = block1 - row;
                const size_t rows = left < A1_GEMM_TILE_ROWS ? left : A1_GEMM_TILE_ROWS;
                foresee_panel(call, panel, row, rows);
                panel_sums(rows, columns, call->chunks, call->chunk_count, row * call->lda, call->lda, b,
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
                panel_sums(rows, A1_GEMM_PANEL, &chunk, 1, row * call->lda, call->lda, b, c, call->ldc, 1);
            else
                panel_sums(rows, A1_GEMM_PANEL, &chunk, 1, row * call->lda, call->lda, b, c, call->ldc, 0);
        }
    }
}
