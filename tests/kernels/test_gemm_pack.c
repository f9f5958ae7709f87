/* Packed weights against their layout as gemm.h defines it, number by number. */
#include "support/golden.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/gemm.h"
#include "tensor/half.h"

#define PANELS 2
#define COLUMNS 40
#define SLOTS (PANELS * A1_GEMM_PANEL)

typedef struct matrix {
    size_t k;
    float *floats; /* what `source` holds, each exact in half precision */
    uint16_t *halves;
    size_t *rows, *columns;
    float bias[COLUMNS];
    int32_t slots[SLOTS];
    a1_gemm_group groups[PANELS * 2];
} matrix;

/* `step` is the distance of neighbouring rows in memory: 1 for a linear layer, the taps of a
 * convolution otherwise. */
static matrix make_matrix(size_t k, size_t step)
{
    matrix m = {.k = k};
    const size_t count = k * step * COLUMNS;
    uint64_t random = 17 * k + step;
    m.floats = calloc(count, sizeof *m.floats);
    m.halves = calloc(count, sizeof *m.halves);
    m.rows = calloc(k, sizeof *m.rows);
    m.columns = calloc(COLUMNS, sizeof *m.columns);
    assert_true(m.floats && m.halves && m.rows && m.columns);
    for (size_t i = 0; i < count; i++) {
        m.halves[i] = a1_f32_to_half(test_random(&random) * (i % 7 ? 1.0f : 1e-5f));
        m.floats[i] = a1_half_to_f32(m.halves[i]);
    }
    for (size_t row = 0; row < k; row++)
        m.rows[row] = row * step;
    for (size_t c = 0; c < COLUMNS; c++) {
        m.columns[c] = (COLUMNS - 1 - c) * k * step;
        m.bias[c] = test_random(&random);
    }
    for (size_t s = 0; s < SLOTS; s++)
        m.slots[s] = s % 3 == 2 || s / 3 * 2 + s % 3 >= COLUMNS ? -1 : (int32_t)(s / 3 * 2 + s % 3);
    /* One column of zeros: it has no scale. */
    for (size_t row = 0; row < k; row++)
        m.floats[m.columns[5] + m.rows[row]] = 0, m.halves[m.columns[5] + m.rows[row]] = 0;
    for (size_t g = 0; g < PANELS * 2; g++)
        m.groups[g] = (a1_gemm_group){g * 16, 16};
    return m;
}

static void free_matrix(matrix *m)
{
    free(m->floats);
    free(m->halves);
    free(m->rows);
    free(m->columns);
}

static float value_at(const matrix *m, const a1_gemm_source *source, size_t row, size_t slot)
{
    const int32_t column = m->slots[slot];
    if (row >= m->k || column < 0)
        return 0;
    const float value = m->floats[m->columns[column] + m->rows[row]];
    return (size_t)column < source->scaled ? value * source->scale : value;
}

/* To bfloat16, ties to even, by arithmetic: all values here are far from the largest. */
static uint16_t nearest_bf16(float value)
{
    int exponent;
    const double fraction = frexp((double)value, &exponent);
    const float rounded = (float)ldexp(nearbyint(ldexp(fraction, 8)), exponent - 8);
    return (uint16_t)(a1_f32_bits(rounded) >> 16);
}

static void check_fp32(const matrix *m, const a1_gemm_source *source, const a1_gemm_weights *w)
{
    const float *data = w->data;
    for (size_t slot = 0; slot < SLOTS; slot++)
        for (size_t row = 0; row < m->k; row++)
            assert_int_equal(a1_f32_bits(data[(slot / 32 * m->k + row) * 32 + slot % 32]),
                             a1_f32_bits(value_at(m, source, row, slot)));
}

static void check_bf16(const matrix *m, const a1_gemm_source *source, const a1_gemm_weights *w)
{
    const uint16_t *data = w->data;
    const size_t pairs = (m->k + 1) / 2;
    for (size_t slot = 0; slot < SLOTS; slot++)
        for (size_t row = 0; row < 2 * pairs; row++)
            assert_int_equal(data[((slot / 32 * pairs + row / 2) * 32 + slot % 32) * 2 + row % 2],
                             nearest_bf16(value_at(m, source, row, slot)));
}

static void check_int8(const matrix *m, const a1_gemm_source *source, const a1_gemm_weights *w)
{
    const int8_t *data = w->data;
    const size_t quads = (m->k + 3) / 4;
    for (size_t slot = 0; slot < SLOTS; slot++) {
        float largest = 0;
        int32_t sum = 0;
        for (size_t row = 0; row < m->k; row++)
            largest = fmaxf(largest, fabsf(value_at(m, source, row, slot)));
        const float factor = largest > 0 ? 127 / largest : 0;
        for (size_t row = 0; row < 4 * quads; row++) {
            const long expected = lrintf(value_at(m, source, row, slot) * factor);
            assert_int_equal(data[((slot / 32 * quads + row / 4) * 32 + slot % 32) * 4 + row % 4],
                             expected);
            sum += (int32_t)expected;
        }
        assert_int_equal(a1_f32_bits(w->scales[slot]), a1_f32_bits(largest / 127));
        assert_int_equal(w->sums[slot], 128 * sum);
    }
}

static void check(size_t k, size_t step, int half, size_t scaled)
{
    static void (*const checks[])(const matrix *, const a1_gemm_source *,
                                  const a1_gemm_weights *) = {check_fp32, check_bf16, check_int8};
    matrix m = make_matrix(k, step);
    const a1_gemm_source source = {.values = half ? (const void *)m.halves : m.floats,
                                   .half = half,
                                   .row_offset = m.rows,
                                   .k = k,
                                   .column_offset = m.columns,
                                   .columns = COLUMNS,
                                   .bias = m.bias,
                                   .scaled = scaled,
                                   .scale = 0.3f};
    for (a1_gemm_precision p = A1_GEMM_FP32; p <= A1_GEMM_INT8; p++) {
        a1_gemm_weights weights;
        assert_int_equal(
            a1_gemm_weights_pack(&weights, &source, PANELS, m.slots, m.groups, 0, p, NULL),
            ALLIN1_OK);
        checks[p](&m, &source, &weights);
        for (size_t slot = 0; slot < SLOTS; slot++)
            assert_true(weights.bias[slot] == (m.slots[slot] < 0 ? 0.0f : m.bias[m.slots[slot]]));
        a1_gemm_weights_free(&weights);
    }
    free_matrix(&m);
}

/* Around the four rows of a load and of a byte panel, and around the rows that are gathered at
 * once. */
static void every_depth(void **state)
{
    (void)state;
    const size_t depths[] = {1, 2, 3, 4, 5, 7, 8, 63, 64, 65, 255, 256, 257, 258, 259, 512, 1025};
    for (size_t i = 0; i < sizeof depths / sizeof *depths; i++)
        for (size_t step = 1; step <= 9; step += 8)
            for (int half = 0; half < 2; half++)
                check(depths[i], step, half, 0);
}

static void the_first_columns_are_scaled(void **state)
{
    (void)state;
    for (int half = 0; half < 2; half++) {
        check(300, 1, half, 11);
        check(300, 3, half, COLUMNS);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_depth),
        cmocka_unit_test(the_first_columns_are_scaled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
