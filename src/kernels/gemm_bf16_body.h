/* Products on bfloat16 pairs over blocks of rows. The including file has, for its instructions,
 *
 *     ROWS                              rows of a tile
 *     rows_sums(rows, groups, ...)      up to ROWS rows by 16 * groups columns, sums in float
 *     convert_row(call, row, out)       a row of A rounded, with a zero up to an even length */
static void run(const a1_gemm_call *call)
{
    _Alignas(64) float tile[ROWS * A1_GEMM_PANEL];
    const a1_gemm_weights *weights = call->weights;
    const size_t block = a1_gemm_block_rows(weights->k, sizeof(uint16_t));
    const size_t pairs = (weights->k + 1) / 2;
    const size_t lda = a1_gemm_scratch_stride(weights) / sizeof(uint16_t);
    uint16_t *a = call->scratch;
    for (size_t block0 = 0; block0 < call->rows; block0 += block) {
        const size_t block1 = block0 + block < call->rows ? block0 + block : call->rows;
        for (size_t row = block0; row < block1; row++)
            convert_row(call, row, a + (row - block0) * lda);
        for (size_t panel = 0; panel < weights->panels; panel++) {
            const uint16_t *b =
                (const uint16_t *)weights->data + panel * pairs * 2 * A1_GEMM_PANEL;
            const int half = !weights->glu && weights->groups[2 * panel + 1].valid == 0;
            for (size_t row = block0; row < block1; row += ROWS) {
                const size_t rows = block1 - row < ROWS ? block1 - row : ROWS;
                const uint16_t *from = a + (row - block0) * lda;
                if (half)
                    rows_sums(rows, 1, from, lda, pairs, b, tile, A1_GEMM_PANEL, 0);
                else
                    rows_sums(rows, 2, from, lda, pairs, b, tile, A1_GEMM_PANEL, 0);
                finish_panel(call, panel, row, rows, tile);
            }
        }
    }
}

static void run_plain16(const a1_gemm_plain16_call *call)
{
    for (size_t panel = 0; panel < call->panels; panel++) {
        const uint16_t *b = call->b + panel * call->b_panel_stride;
        for (size_t row = 0; row < call->rows; row += ROWS) {
            const size_t rows = call->rows - row < ROWS ? call->rows - row : ROWS;
            const uint16_t *a = call->a + row * call->lda;
            float *c = call->c + row * call->ldc + panel * A1_GEMM_PANEL;
            if (call->accumulate)
                rows_sums(rows, 2, a, call->lda, call->k / 2, b, c, call->ldc, 1);
            else
                rows_sums(rows, 2, a, call->lda, call->k / 2, b, c, call->ldc, 0);
        }
    }
}
