/* Matrices to panels of 32 columns, rounded to a precision. */
#include "kernels/gemm.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "tensor/half.h"

/* Rows that are gathered at once, so that what is written column by column stays in the first-level
 * cache. A multiple of 4, the rows that lie side by side in an int8 panel. */
#define BLOCK 256

/* The loops over the 32 columns of a row have that constant length, which compilers turn into
 * vectors. */
#define COLUMNS A1_GEMM_PANEL

static void gather_floats(const float *column, const size_t *row_offset, size_t rows, float *out)
{
    for (size_t row = 0; row < rows; row++)
        out[row * COLUMNS] = column[row_offset[row]];
}

static void gather_halves(const uint16_t *column, const size_t *row_offset, size_t rows,
                          uint16_t *out)
{
    for (size_t row = 0; row < rows; row++)
        out[row * COLUMNS] = column[row_offset[row]];
}

/* The same of rows that touch in the source, four in one load. */
static void gather_touching_halves(const uint16_t *column, size_t rows, uint16_t *out)
{
    size_t row = 0;
    for (; row + 4 <= rows; row += 4, out += 4 * COLUMNS) {
        uint64_t four;
        memcpy(&four, column + row, sizeof four);
        out[0] = (uint16_t)four;
        out[COLUMNS] = (uint16_t)(four >> 16);
        out[2 * COLUMNS] = (uint16_t)(four >> 32);
        out[3 * COLUMNS] = (uint16_t)(four >> 48);
    }
    for (; row < rows; row++, out += COLUMNS)
        *out = column[row];
}

static int rows_touch(const size_t *row_offset, size_t rows)
{
    size_t row = 1;
    while (row < rows && row_offset[row] == row_offset[0] + row)
        row++;
    return row == rows;
}

/* `rows` rows of a panel, from `first` on: out[row][32], zero where a slot holds no column. */
static void gather(const a1_gemm_source *source, const int32_t *slots, size_t first, size_t rows,
                   float *out)
{
    uint16_t halves[BLOCK * COLUMNS];
    float factor[COLUMNS];
    const size_t *row_offset = source->row_offset + first;
    const int touch = rows_touch(row_offset, rows);
    if (source->half)
        memset(halves, 0, rows * COLUMNS * sizeof *halves);
    else
        memset(out, 0, rows * COLUMNS * sizeof *out);
    for (size_t s = 0; s < COLUMNS; s++) {
        if (slots[s] < 0)
            continue;
        const size_t at = source->column_offset[slots[s]];
        if (!source->half)
            gather_floats((const float *)source->values + at, row_offset, rows, out + s);
        else if (touch)
            gather_touching_halves((const uint16_t *)source->values + at + row_offset[0], rows,
                                   halves + s);
        else
            gather_halves((const uint16_t *)source->values + at, row_offset, rows, halves + s);
    }
    for (size_t row = 0; source->half && row < rows; row++)
        for (size_t s = 0; s < COLUMNS; s++)
            out[row * COLUMNS + s] = a1_half_to_f32(halves[row * COLUMNS + s]);
    if (source->scaled == 0)
        return;
    for (size_t s = 0; s < COLUMNS; s++)
        factor[s] = slots[s] >= 0 && (size_t)slots[s] < source->scaled ? source->scale : 1.0f;
    for (size_t row = 0; row < rows; row++)
        for (size_t s = 0; s < COLUMNS; s++)
            out[row * COLUMNS + s] *= factor[s];
}

static uint32_t to_bf16(float value)
{
    const uint32_t bits = a1_f32_bits(value);
    return (bits + 0x7fffu + (bits >> 16 & 1u)) >> 16;
}

/* Two rows side by side as pairs of bfloat16. */
static void round_pair(const float *even, const float *odd, uint32_t *pairs)
{
    for (size_t s = 0; s < COLUMNS; s++)
        pairs[s] = to_bf16(even[s]) | to_bf16(odd[s]) << 16;
}

static void pack_bf16(const a1_gemm_source *source, const int32_t *slots, uint32_t *out)
{
    float block[BLOCK * COLUMNS];
    static const float zeros[COLUMNS];
    for (size_t first = 0; first < source->k; first += BLOCK) {
        const size_t rows = source->k - first < BLOCK ? source->k - first : BLOCK;
        gather(source, slots, first, rows, block);
        for (size_t row = 0; row < rows; row += 2, out += COLUMNS)
            round_pair(block + row * COLUMNS, row + 1 < rows ? block + (row + 1) * COLUMNS : zeros,
                       out);
    }
}

/* To the nearest integer, ties to even, of values up to 127: the sum has no room for a fraction. */
static int32_t to_byte(float value)
{
    return (int8_t)(uint8_t)a1_f32_bits(value + 0x1.8p23f);
}

/* Four rows side by side, each column times its factor, as bytes. */
static void round_quad(const float *const rows[4], const float *factor, uint32_t *quads,
                       int32_t *sums)
{
    for (size_t s = 0; s < COLUMNS; s++) {
        const int32_t a = to_byte(rows[0][s] * factor[s]);
        const int32_t b = to_byte(rows[1][s] * factor[s]);
        const int32_t c = to_byte(rows[2][s] * factor[s]);
        const int32_t d = to_byte(rows[3][s] * factor[s]);
        quads[s] = ((uint32_t)a & 255) | ((uint32_t)b & 255) << 8 | ((uint32_t)c & 255) << 16 |
                   (uint32_t)d << 24;
        sums[s] += 128 * (a + b + c + d);
    }
}

/* Each column has its own scale, so that the whole panel is seen before it is rounded. */
static void pack_int8(const a1_gemm_source *source, const int32_t *slots, float *panel,
                      uint32_t *out, float *scales, int32_t *sums)
{
    static const float zeros[COLUMNS];
    float factor[COLUMNS], largest[COLUMNS] = {0};
    for (size_t first = 0; first < source->k; first += BLOCK) {
        const size_t rows = source->k - first < BLOCK ? source->k - first : BLOCK;
        float *block = panel + first * COLUMNS;
        gather(source, slots, first, rows, block);
        for (size_t row = 0; row < rows; row++)
            for (size_t s = 0; s < COLUMNS; s++) {
                const float value = block[row * COLUMNS + s];
                const float magnitude = value < 0.0f ? -value : value;
                largest[s] = magnitude > largest[s] ? magnitude : largest[s];
            }
    }
    for (size_t s = 0; s < COLUMNS; s++) {
        scales[s] = largest[s] / 127.0f;
        factor[s] = largest[s] > 0.0f ? 127.0f / largest[s] : 0.0f;
        sums[s] = 0;
    }
    for (size_t row = 0; row < source->k; row += 4, out += COLUMNS) {
        const float *rows[4];
        for (size_t i = 0; i < 4; i++)
            rows[i] = row + i < source->k ? panel + (row + i) * COLUMNS : zeros;
        round_quad(rows, factor, out, sums);
    }
}

static void pack_floats(const a1_gemm_source *source, const int32_t *slots, float *out)
{
    for (size_t first = 0; first < source->k; first += BLOCK) {
        const size_t rows = source->k - first < BLOCK ? source->k - first : BLOCK;
        gather(source, slots, first, rows, out + first * COLUMNS);
    }
}

size_t a1_gemm_panel_bytes(const a1_gemm_weights *weights)
{
    const size_t k = weights->k;
    const size_t column_bytes = weights->precision == A1_GEMM_INT8   ? (k + 3) / 4 * 4
                                : weights->precision == A1_GEMM_BF16 ? (k + 1) / 2 * 2 * 2
                                                                     : k * sizeof(float);
    return A1_GEMM_PANEL * column_bytes;
}

static allin1_status borrow_panels(a1_gemm_weights *weights, const a1_gemm_panels *panels,
                                   a1_error *err)
{
    const size_t bytes = weights->panels * a1_gemm_panel_bytes(weights);
    const size_t columns = weights->precision == A1_GEMM_INT8 ? weights->panels * A1_GEMM_PANEL : 0;
    if (panels->bytes != bytes || panels->columns != columns)
        return a1_fail(err, ALLIN1_ERROR_FORMAT,
                       "packed weights of %zu bytes and %zu scales stand where %zu and %zu belong",
                       panels->bytes, panels->columns, bytes, columns);
    weights->borrowed = 1;
    weights->data = (void *)(uintptr_t)panels->data;
    weights->scales = columns ? (float *)(uintptr_t)panels->scales : NULL;
    weights->sums = columns ? (int32_t *)(uintptr_t)panels->sums : NULL;
    return ALLIN1_OK;
}

static allin1_status make_panels(a1_gemm_weights *weights, const a1_gemm_source *source,
                                 const int32_t *slot_column, a1_error *err)
{
    const size_t columns = weights->panels * A1_GEMM_PANEL, bytes = a1_gemm_panel_bytes(weights);
    const int int8 = weights->precision == A1_GEMM_INT8;
    float *panel = int8 ? a1_aligned_alloc(source->k * A1_GEMM_PANEL * sizeof *panel) : NULL;
    weights->data = a1_aligned_alloc(weights->panels * bytes);
    weights->scales = int8 ? a1_aligned_alloc(columns * sizeof(float)) : NULL;
    weights->sums = int8 ? a1_aligned_alloc(columns * sizeof(int32_t)) : NULL;
    if (!weights->data || (int8 && (!panel || !weights->scales || !weights->sums))) {
        a1_aligned_free(panel);
        return a1_fail_memory(err, "packed weights");
    }
    for (size_t p = 0; p < weights->panels; p++) {
        const int32_t *slots = slot_column + p * A1_GEMM_PANEL;
        void *out = (unsigned char *)weights->data + p * bytes;
        if (weights->precision == A1_GEMM_BF16)
            pack_bf16(source, slots, out);
        else if (int8)
            pack_int8(source, slots, panel, out, weights->scales + p * A1_GEMM_PANEL,
                      weights->sums + p * A1_GEMM_PANEL);
        else
            pack_floats(source, slots, out);
    }
    a1_aligned_free(panel);
    return ALLIN1_OK;
}

allin1_status a1_gemm_weights_pack(a1_gemm_weights *weights, const a1_gemm_source *source,
                                   size_t panels, const int32_t *slot_column,
                                   const a1_gemm_group *groups, int glu,
                                   a1_gemm_precision precision, a1_error *err)
{
    *weights =
        (a1_gemm_weights){.k = source->k, .panels = panels, .glu = glu, .precision = precision};
    const size_t columns = panels * A1_GEMM_PANEL;
    weights->bias = a1_aligned_alloc(columns * sizeof(float));
    weights->groups = malloc(panels * 2 * sizeof *weights->groups);
    const allin1_status status = !weights->bias || !weights->groups
                                     ? a1_fail_memory(err, "packed weights")
                                 : source->panels ? borrow_panels(weights, source->panels, err)
                                                  : make_panels(weights, source, slot_column, err);
    if (status != ALLIN1_OK) {
        a1_gemm_weights_free(weights);
        return status;
    }
    memcpy(weights->groups, groups, panels * 2 * sizeof *groups);
    for (size_t s = 0; s < columns; s++)
        weights->bias[s] =
            source->bias && slot_column[s] >= 0 ? source->bias[slot_column[s]] : 0.0f;
    return ALLIN1_OK;
}

allin1_status a1_gemm_weights_pack_simple(a1_gemm_weights *weights, const a1_gemm_source *source,
                                          int glu, a1_gemm_precision precision, a1_error *err)
{
    const size_t outputs = glu ? source->columns / 2 : source->columns;
    const size_t per_panel = glu ? A1_GEMM_GROUP : A1_GEMM_PANEL;
    const size_t panels = (outputs + per_panel - 1) / per_panel;
    int32_t *slots = malloc(panels * A1_GEMM_PANEL * sizeof *slots);
    a1_gemm_group *groups = malloc(panels * 2 * sizeof *groups);
    allin1_status status = ALLIN1_ERROR_MEMORY;
    if (!slots || !groups) {
        a1_fail_memory(err, "packed weights");
        goto done;
    }
    for (size_t g = 0; g < panels * 2; g++) {
        const size_t first = (glu ? g / 2 : g) * A1_GEMM_GROUP;
        const size_t valid = first >= outputs                  ? 0
                             : outputs - first < A1_GEMM_GROUP ? outputs - first
                                                               : A1_GEMM_GROUP;
        groups[g] = (a1_gemm_group){first, valid};
        for (size_t s = 0; s < A1_GEMM_GROUP; s++) {
            const size_t column = first + s + (glu && g % 2 ? outputs : 0);
            slots[g * A1_GEMM_GROUP + s] = s < valid ? (int32_t)column : -1;
        }
    }
    status = a1_gemm_weights_pack(weights, source, panels, slots, groups, glu, precision, err);
done:
    free(slots);
    free(groups);
    return status;
}

allin1_status a1_gemm_weights_pack_matrix(a1_gemm_weights *weights, const float *matrix, size_t k,
                                          size_t columns, const float *bias, int glu,
                                          a1_gemm_precision precision, a1_error *err)
{
    size_t *offsets = malloc((k + columns) * sizeof *offsets);
    if (!offsets)
        return a1_fail_memory(err, "packed weights");
    for (size_t row = 0; row < k; row++)
        offsets[row] = row * columns;
    for (size_t column = 0; column < columns; column++)
        offsets[k + column] = column;
    const a1_gemm_source source = {.values = matrix,
                                   .row_offset = offsets,
                                   .k = k,
                                   .column_offset = offsets + k,
                                   .columns = columns,
                                   .bias = bias};
    const allin1_status status = a1_gemm_weights_pack_simple(weights, &source, glu, precision, err);
    free(offsets);
    return status;
}
