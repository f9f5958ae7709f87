/* Products on bfloat16 pairs over blocks of rows. The including file has, for its instructions,
 *
 *     ROWS                              rows of a tile
 *     rows_sums(rows, groups, ...)      up to ROWS rows by 16 * groups columns, sums in float
 *     convert(from, n, out)             n values rounded */
/* Rounds one row, chunk after chunk, and fills it up with a zero to an even length. */
static void convert_row(const a1_gemm_call *call, size_t row, uint16_t *out)
{
    for (size_t i = 0; i < call->chunk_count; i++) {
        convert(call->chunks[i].a + row * call->lda, call->chunks[i].k, out);
        out += call->chunks[i].k;
    }
    if (call->weights->k % 2)
        *out = 0;
}

/* The taps of a convolution see the same values again and again. Where they do, each value is
 * rounded once: the rows of a block, and chunks that reach into each other, share one stretch of
 * memory. */
#define MOST_CHUNKS 9
#define STRETCH_ALIGNMENT 32

typedef struct stretches {
    size_t count;
    const float *from[MOST_CHUNKS];
    size_t length[MOST_CHUNKS], at[MOST_CHUNKS]; /* elements; at: in the scratch memory */
    size_t chunk_at[MOST_CHUNKS];                /* where a chunk's first row begins */
} stretches;

/* False where there is too little to share. */
static int find_stretches(const a1_gemm_call *call, size_t first, size_t rows, size_t room,
                          stretches *found)
{
    size_t end = 0;
    found->count = 0;
    if (call->chunk_count > MOST_CHUNKS)
        return 0;
    for (size_t i = 0; i < call->chunk_count; i++) {
        const float *from = call->chunks[i].a + first * call->lda;
        const size_t length = (rows - 1) * call->lda + call->chunks[i].k;
        /* Pairs may not reach over a chunk's end, and rows must touch. */
        if (call->chunks[i].k % 2 || call->chunks[i].k < call->lda)
            return 0;
        size_t last = found->count - 1, ahead = SIZE_MAX;
        if (i > 0) /* as numbers: the chunks may lie in different objects */
            ahead = ((uintptr_t)from - (uintptr_t)found->from[last]) / sizeof(float);
        if (i == 0 || ahead > found->length[last]) {
            last = found->count++;
            ahead = 0;
            found->from[last] = from;
            found->length[last] = length;
            found->at[last] = (end + STRETCH_ALIGNMENT - 1) / STRETCH_ALIGNMENT * STRETCH_ALIGNMENT;
        } else if (ahead + length > found->length[last]) {
            found->length[last] = ahead + length;
        }
        found->chunk_at[i] = found->at[last] + ahead;
        end = found->at[last] + found->length[last];
    }
    return end <= room && 4 * end < 3 * rows * call->weights->k;
}

A1_INLINE void panel_sums(const a1_gemm_call *call, const stretches *shared, size_t row,
                          size_t rows, const size_t groups, const uint16_t *a, const uint16_t *b,
                          float *tile)
{
    for (size_t i = 0; i < call->chunk_count; i++) {
        const size_t pairs = call->chunks[i].k / 2;
        const uint16_t *from = a + shared->chunk_at[i] + row * call->lda;
        if (i == 0)
            rows_sums(rows, groups, from, call->lda, pairs, b, tile, A1_GEMM_PANEL, 0);
        else
            rows_sums(rows, groups, from, call->lda, pairs, b, tile, A1_GEMM_PANEL, 1);
        b += pairs * 2 * A1_GEMM_PANEL;
    }
}

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
        stretches shared;
        const int shares = find_stretches(call, block0, block1 - block0, block * lda, &shared);
        if (shares)
            for (size_t i = 0; i < shared.count; i++)
                convert(shared.from[i], shared.length[i], a + shared.at[i]);
        else
            for (size_t row = block0; row < block1; row++)
                convert_row(call, row, a + (row - block0) * lda);
        for (size_t panel = 0; panel < weights->panels; panel++) {
            const uint16_t *b = (const uint16_t *)weights->data + panel * pairs * 2 * A1_GEMM_PANEL;
            const int half = !weights->glu && weights->groups[2 * panel + 1].valid == 0;
            for (size_t row = block0; row < block1; row += ROWS) {
                const size_t rows = block1 - row < ROWS ? block1 - row : ROWS;
                const uint16_t *from = a + (row - block0) * lda;
                foresee_panel(call, panel, row, rows);
                if (shares && half)
                    panel_sums(call, &shared, row - block0, rows, 1, a, b, tile);
                else if (shares)
                    panel_sums(call, &shared, row - block0, rows, 2, a, b, tile);
                else if (half)
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
