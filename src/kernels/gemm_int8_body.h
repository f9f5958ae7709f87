/* Products on 8-bit integers over blocks of rows. The including file has, for its instructions,
 *
 *     ROWS                              rows of a tile
 *     tile_sums(rows, ...)              ROWS rows or one by a panel's columns, scaled
 *     convert_row(call, row, out)       a row of A as bytes up to a multiple of four, and its scale */
static void run(const a1_gemm_call *call)
{
    _Alignas(64) float tile[ROWS * A1_GEMM_PANEL];
    const a1_gemm_weights *weights = call->weights;
    const size_t block = a1_gemm_block_rows(weights->k, sizeof(uint8_t));
    const size_t quads = (weights->k + 3) / 4, lda = a1_gemm_scratch_stride(weights);
    uint8_t *a = call->scratch;
    float *row_scales = (float *)(void *)(a + block * lda);
    for (size_t block0 = 0; block0 < call->rows; block0 += block) {
        const size_t count = call->rows - block0 < block ? call->rows - block0 : block;
        for (size_t row = 0; row < count; row++)
            row_scales[row] = convert_row(call, block0 + row, a + row * lda);
        for (size_t panel = 0; panel < weights->panels; panel++) {
            const int8_t *b = (const int8_t *)weights->data + panel * quads * 4 * A1_GEMM_PANEL;
            const float *scales = weights->scales + panel * A1_GEMM_PANEL;
            const int32_t *offsets = weights->sums + panel * A1_GEMM_PANEL;
            size_t row = 0;
            for (; row + ROWS <= count; row += ROWS) {
                foresee_panel(call, panel, block0 + row, ROWS);
                tile_sums(ROWS, a + row * lda, lda, quads, b, row_scales + row, scales, offsets,
                          tile);
                finish_panel(call, panel, block0 + row, ROWS, tile);
            }
            for (; row < count; row++) {
                tile_sums(1, a + row * lda, lda, quads, b, row_scales + row, scales, offsets, tile);
                finish_panel(call, panel, block0 + row, 1, tile);
            }
        }
    }
}
