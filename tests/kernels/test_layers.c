/* The row-wise kernels of every level against double precision. Tolerances come from running error
 * analysis (support/bounded.h); all arrays end where memory ends. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "kernels/layers.h"
#include "support/bounded.h"
#include "support/guarded.h"
#include "support/kernel_levels.h"

static uint64_t seed = 3;

static void fill(float *values, size_t count, float centre, float size)
{
    for (size_t i = 0; i < count; i++)
        values[i] = centre + size * kernel_random(&seed);
}

static float *new_filled(size_t count, float centre, float size)
{
    float *values = guarded_floats(count);
    fill(values, count, centre, size);
    return values;
}

static float *copy_of(const float *values, size_t count)
{
    float *copy = guarded_floats(count);
    memcpy(copy, values, count * sizeof *copy);
    return copy;
}

static bounded exact(float value)
{
    return bounded_exact((double)value);
}

static void check(const a1_cpu *cpu, const char *what, size_t row, size_t column, float actual,
                  bounded expected)
{
    const double error = fabs((double)actual - expected.value);
    if (!(error <= expected.error))
        fail_msg("%s at level %s: row %zu, column %zu is %.9g, exactly %.17g: off by %.3g, allowed "
                 "%.3g",
                 what, allin1_cpu_level_string(cpu->level), row, column, (double)actual,
                 expected.value, error, expected.error);
}

static size_t lanes_of(const a1_cpu *cpu)
{
    switch (cpu->level) {
    case ALLIN1_CPU_AVX512:
        return 16;
    case ALLIN1_CPU_AVX2:
        return 8;
    case ALLIN1_CPU_NEON:
        return 4;
    default:
        return 1;
    }
}

/* (x - mean) * mul + add */
static bounded normed(float x, float mean, float mul, float add)
{
    return bounded_fma(bounded_add(exact(x), exact(-mean)), exact(mul), exact(add));
}

/* ---- statistics and norms ----------------------------------------------------------------------
 */

static void check_moments(const a1_cpu *cpu, size_t rows, size_t width, size_t stride, float centre)
{
    const a1_layer_kernels *kernels = a1_layer_kernels_get(cpu);
    const size_t count = rows ? (rows - 1) * stride + width : 0;
    float *x = new_filled(count, centre, 1);
    /* Adds to what is there. */
    a1_moments moments = {3.0, 5.0};
    kernels->moments(x, rows, width, stride, &moments);
    double sum = 0, squares = 0, size = 0;
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < width; c++) {
            const double v = (double)x[r * stride + c];
            sum += v;
            size += fabs(v);
            squares += v * v;
        }
    /* At most 32 additions in float, a square rounded once, the rest in double. */
    const double sum_room = 32 * ROUNDING * size + 1e-14 * (size + 3);
    const double square_room = 33 * ROUNDING * squares + 1e-14 * (squares + 5);
    if (!(fabs(moments.sum - 3 - sum) <= sum_room &&
          fabs(moments.square_sum - 5 - squares) <= square_room))
        fail_msg("moments at level %s of %zu rows of %zu, %zu apart: %.17g and %.17g, exactly "
                 "%.17g and %.17g",
                 allin1_cpu_level_string(cpu->level), rows, width, stride, moments.sum - 3,
                 moments.square_sum - 5, sum, squares);
    guarded_free(x, count);
}

static void test_moments(void **state)
{
    (void)state;
    a1_cpu levels[MAX_KERNEL_LEVELS];
    const size_t count = kernel_levels(levels);
    for (size_t l = 0; l < count; l++) {
        for (size_t width = 1; width <= 70; width++) {
            check_moments(&levels[l], 1, width, width, 0);
            check_moments(&levels[l], 7, width, width, 0);
            check_moments(&levels[l], 7, width, width + 5, 0);
        }
        check_moments(&levels[l], 0, 8, 8, 0);
        check_moments(&levels[l], 1024, 48, 48, 0);
        check_moments(&levels[l], 257, 96, 128, 0);
        /* A mean that float alone could not carry: the deviation lies 60,000 times below it. */
        check_moments(&levels[l], 1000, 333, 333, 60000);
    }
}

static void test_norm_gelu(void **state)
{
    (void)state;
    a1_cpu levels[MAX_KERNEL_LEVELS];
    const size_t count = kernel_levels(levels);
    for (size_t width = 16; width <= 64; width += 16) {
        const size_t rows = 5, stride = width + (width == 32 ? 0 : 7);
        const size_t floats = (rows - 1) * stride + width;
        const float mean = 0.25f;
        float *x = new_filled(floats, 0, 4), *mul = new_filled(width, 0, 3);
        float *add = new_filled(width, 0, 2);
        for (size_t l = 0; l < count; l++) {
            float *y = copy_of(x, floats);
            a1_layer_kernels_get(&levels[l])->norm_gelu(y, rows, width, stride, mean, mul, add);
            for (size_t i = 0; i < floats; i++) {
                const size_t c = i % stride;
                if (c >= width)
                    assert_true(y[i] == x[i]);
                else
                    check(&levels[l], "norm_gelu", i / stride, c, y[i],
                          bounded_gelu(normed(x[i], mean, mul[c], add[c])));
            }
            guarded_free(y, floats);
        }
        guarded_free(x, floats);
        guarded_free(mul, width);
        guarded_free(add, width);
    }
}

static void test_norm_glu_add(void **state)
{
    (void)state;
    a1_cpu levels[MAX_KERNEL_LEVELS];
    const size_t count = kernel_levels(levels);
    for (size_t width = 1; width <= 52; width++) {
        const size_t rows = 3, panels = (width + 15) / 16, stride = panels * 32 + width % 3;
        const size_t y_stride = width + width % 5, floats = (rows - 1) * stride + panels * 32;
        const size_t y_floats = (rows - 1) * y_stride + width;
        const float mean = -0.5f;
        float *x = new_filled(floats, 0, 3), *mul = new_filled(panels * 32, 0, 2);
        float *add = new_filled(panels * 32, 0, 2), *scale = new_filled(panels * 16, 0, 1);
        float *before = new_filled(y_floats, 0, 1);
        for (size_t l = 0; l < count; l++) {
            float *y = copy_of(before, y_floats);
            a1_layer_kernels_get(&levels[l])
                ->norm_glu_add(x, rows, panels, stride, mean, mul, add, scale, y, width, y_stride);
            for (size_t i = 0; i < y_floats; i++) {
                const size_t r = i / y_stride, c = i % y_stride;
                if (c >= width) {
                    assert_true(y[i] == before[i]);
                    continue;
                }
                const size_t v = c / 16 * 32 + c % 16, g = v + 16;
                const float *row = x + r * stride;
                const bounded gate = bounded_sigmoid(normed(row[g], mean, mul[g], add[g]));
                const bounded change = bounded_multiply(normed(row[v], mean, mul[v], add[v]), gate);
                check(&levels[l], "norm_glu_add", r, c, y[i],
                      bounded_fma(change, exact(scale[c]), exact(before[i])));
            }
            guarded_free(y, y_floats);
        }
        guarded_free(x, floats);
        guarded_free(mul, panels * 32);
        guarded_free(add, panels * 32);
        guarded_free(scale, panels * 16);
        guarded_free(before, y_floats);
    }
}

static void test_norm(void **state)
{
    (void)state;
    a1_cpu levels[MAX_KERNEL_LEVELS];
    const size_t count = kernel_levels(levels);
    for (size_t width = 1; width <= 40; width++) {
        const size_t rows = 4, floats = rows * width;
        float *x = new_filled(floats, 10, 3), *mul = new_filled(width, 0, 2);
        float *add = new_filled(width, 0, 2);
        for (size_t l = 0; l < count; l++) {
            const a1_layer_kernels *kernels = a1_layer_kernels_get(&levels[l]);
            float *out = guarded_floats(floats), *in_place = copy_of(x, floats);
            kernels->norm(x, rows, width, 10.0f, mul, add, out);
            for (size_t i = 0; i < floats; i++)
                check(&levels[l], "norm", i / width, i % width, out[i],
                      normed(x[i], 10.0f, mul[i % width], add[i % width]));
            kernels->norm(in_place, rows, width, 10.0f, mul, add, in_place);
            assert_memory_equal(in_place, out, floats * sizeof *out);
            guarded_free(out, floats);
            guarded_free(in_place, floats);
        }
        guarded_free(x, floats);
        guarded_free(mul, width);
        guarded_free(add, width);
    }
}

/* Compares with the norm in double. `centre` and `size` shape the rows. */
static void check_layer_norm(const a1_cpu *cpu, size_t rows, size_t width, float centre, float size,
                             int with_position)
{
    const a1_layer_kernels *kernels = a1_layer_kernels_get(cpu);
    const size_t floats = rows * width;
    float *x = new_filled(floats, centre, size), *mul = new_filled(width, 1, 0.5f);
    float *add = new_filled(width, 0, 1), *position = new_filled(floats, 0, 1);
    float *out = guarded_floats(floats), *in_place = copy_of(x, floats);
    kernels->layer_norm(x, rows, width, mul, add, with_position ? position : NULL, out);
    for (size_t r = 0; r < rows; r++) {
        const float *row = x + r * width;
        double mean = 0, variance = 0, largest = 0;
        for (size_t c = 0; c < width; c++) {
            mean += (double)row[c] / (double)width;
            largest = fmax(largest, fabs((double)row[c]));
        }
        for (size_t c = 0; c < width; c++)
            variance += ((double)row[c] - mean) * ((double)row[c] - mean) / (double)width;
        /* The mean is summed in float over at most 32 values a lane and rounded to float; what it
         * is off adds its square to the variance. The variance sums width / lanes squares in float.
         */
        const double mean_error = 33 * ROUNDING * largest;
        const double chain = (double)(width / lanes_of(cpu)) + 8;
        const double variance_error = chain * ROUNDING * (variance + mean_error * mean_error) +
                                      mean_error * mean_error + 4 * mean_error * ROUNDING * largest;
        const double factor = 1 / sqrt(variance + 1e-5);
        const bounded rstd = bounded_rounded(
            factor, factor * 0.5 * variance_error / (variance + 1e-5 - fmin(variance_error, 9e-6)));
        for (size_t c = 0; c < width; c++) {
            const bounded centred =
                bounded_add(exact(row[c]), (bounded){-mean, mean_error + ROUNDING * fabs(mean)});
            bounded v = bounded_fma(bounded_multiply(centred, rstd), exact(mul[c]), exact(add[c]));
            if (with_position)
                v = bounded_add(v, exact(position[r * width + c]));
            check(cpu, "layer_norm", r, c, out[r * width + c], v);
        }
    }
    kernels->layer_norm(in_place, rows, width, mul, add, with_position ? position : NULL, in_place);
    assert_memory_equal(in_place, out, floats * sizeof *out);
    guarded_free(x, floats);
    guarded_free(mul, width);
    guarded_free(add, width);
    guarded_free(position, floats);
    guarded_free(out, floats);
    guarded_free(in_place, floats);
}

static void test_layer_norm(void **state)
{
    (void)state;
    a1_cpu levels[MAX_KERNEL_LEVELS];
    const size_t count = kernel_levels(levels);
    for (size_t l = 0; l < count; l++) {
        for (size_t width = 1; width <= 40; width++)
            check_layer_norm(&levels[l], 3, width, 0, 1, width % 2 == 0);
        check_layer_norm(&levels[l], 5, 512, 0, 1, 1);
        check_layer_norm(&levels[l], 5, 512, 0, 1e-4f, 0); /* the epsilon decides */
        check_layer_norm(&levels[l], 5, 512, 3, 0, 0);     /* a constant: nothing but `add` */
        check_layer_norm(&levels[l], 5, 333, 100, 1, 1);
        check_layer_norm(&levels[l], 5, 512, 0, 1e15f, 0);
    }
}

static void test_standardise_and_restore(void **state)
{
    (void)state;
    a1_cpu levels[MAX_KERNEL_LEVELS];
    const size_t count = kernel_levels(levels);
    for (size_t floats = 1; floats <= 70; floats++) {
        const float mean = 0.125f * kernel_random(&seed), factor = 0.3f;
        float *x = new_filled(floats, 0, 1);
        for (size_t l = 0; l < count; l++) {
            const a1_layer_kernels *kernels = a1_layer_kernels_get(&levels[l]);
            float *out = guarded_floats(floats);
            kernels->standardise(x, floats, mean, factor, out);
            for (size_t i = 0; i < floats; i++) {
                const bounded centred = bounded_add(exact(x[i]), exact(-mean));
                check(&levels[l], "standardise", 0, i, out[i],
                      bounded_rounded(centred.value / (double)factor,
                                      centred.error / (double)factor));
            }
            kernels->restore(x, floats, mean, factor, out);
            for (size_t i = 0; i < floats; i++)
                check(&levels[l], "restore", 0, i, out[i],
                      bounded_fma(exact(x[i]), exact(factor), exact(mean)));
            guarded_free(out, floats);
        }
        guarded_free(x, floats);
    }
    /* Silence stays exact zeros, whatever the track's deviation. */
    for (size_t l = 0; l < count; l++) {
        const a1_layer_kernels *kernels = a1_layer_kernels_get(&levels[l]);
        float zeros[37] = {0}, out[37];
        kernels->standardise(zeros, 37, 0.0f, 1e-8f, out);
        for (size_t i = 0; i < 37; i++)
            assert_true(out[i] == 0.0f);
        kernels->restore(zeros, 37, 0.0f, 0.0f, out);
        for (size_t i = 0; i < 37; i++)
            assert_true(out[i] == 0.0f);
    }
}

/* ---- soft-max ----------------------------------------------------------------------------------
 */

#define ROWS 5
#define VALUES 32

typedef enum kind { SPREAD, EQUAL, VERY_NEGATIVE, DOMINATED, RISING, FALLING, KINDS } kind;
static const char *const kind_names[] = {"spread",    "equal",  "very negative",
                                         "dominated", "rising", "falling"};

static float pick_score(kind which, size_t key, size_t keys)
{
    const float noise = kernel_random(&seed);
    switch (which) {
    case EQUAL:
        return 2.5f;
    case VERY_NEGATIVE:
        return -1e30f * (1 + 0.5f * noise);
    case DOMINATED:
        return key == keys / 2 ? 500.0f : noise;
    case RISING: /* each block has a new maximum, and the values so far shrink */
        return 0.1f * (float)key + noise;
    case FALLING:
        return -0.5f * (float)key + noise;
    default:
        return 20 * noise;
    }
}

/* Scores in blocks of 96 keys and the rest, `values` weighed between the calls as attention does.
 */
static void check_softmax(const a1_cpu *cpu, kind which, size_t keys)
{
    enum { BLOCK = 96, STRIDE = 96 };
    const a1_layer_kernels *kernels = a1_layer_kernels_get(cpu);
    const size_t lanes = lanes_of(cpu);
    float *all = guarded_floats(ROWS * keys), *weights = new_filled(keys * VALUES, 0, 1);
    float *scores = guarded_floats((ROWS - 1) * STRIDE + BLOCK);
    float *values = guarded_floats(ROWS * VALUES);
    float maximum[ROWS];
    double sum[ROWS] = {0}, value_error[ROWS] = {0}, sum_error[ROWS] = {0};
    for (size_t i = 0; i < ROWS * keys; i++)
        all[i] = pick_score(which, i % keys, keys);
    for (size_t r = 0; r < ROWS; r++)
        maximum[r] = -INFINITY;
    for (size_t first = 0; first < keys; first += BLOCK) {
        const size_t block = keys - first < BLOCK ? keys - first : BLOCK;
        float before_maximum[ROWS], before_values[ROWS * VALUES];
        double before_sum[ROWS];
        memcpy(before_maximum, maximum, sizeof maximum);
        memcpy(before_sum, sum, sizeof sum);
        memcpy(before_values, values, sizeof before_values);
        for (size_t r = 0; r < ROWS; r++) {
            memcpy(scores + r * STRIDE, all + r * keys + first, block * sizeof *scores);
            for (size_t k = block; k < BLOCK; k++)
                scores[r * STRIDE + k] = 1e30f; /* no part of the block */
        }
        kernels->softmax_block(scores, ROWS, block, STRIDE, maximum, sum, values, VALUES);
        for (size_t r = 0; r < ROWS; r++) {
            const float *row = all + r * keys + first;
            float top = before_maximum[r];
            for (size_t k = 0; k < block; k++)
                top = row[k] > top ? row[k] : top;
            assert_true(maximum[r] == top);
            double added = 0;
            for (size_t k = 0; k < block; k++) {
                const float power = scores[r * STRIDE + k];
                check(cpu, kind_names[which], r, first + k, power,
                      bounded_exp(bounded_add(exact(row[k]), exact(-top))));
                added += (double)power;
            }
            for (size_t k = block; k < BLOCK; k++)
                assert_true(scores[r * STRIDE + k] == 1e30f);
            /* The old maximum's factor is a float from the C library, good to one unit; sums run in
             * float over block / lanes values. */
            const double shrink = first ? exp((double)before_maximum[r] - (double)top) : 1.0;
            const double away = first ? (double)top - (double)before_maximum[r] : 0;
            const double shrink_error = first ? shrink * ROUNDING * (2 + away) + UNDERFLOW : 0;
            const double sum_room =
                before_sum[r] * shrink_error + added * ROUNDING * ((double)(block / lanes) + 8);
            if (!(fabs(sum[r] - before_sum[r] * shrink - added) <= sum_room))
                fail_msg("soft-max (%s) at level %s, %zu keys from %zu: sum %.17g, should be %.17g",
                         kind_names[which], allin1_cpu_level_string(cpu->level), block, first,
                         sum[r], before_sum[r] * shrink + added);
            for (size_t c = 0; c < VALUES; c++)
                check(cpu, "values brought to the new maximum", r, c, values[r * VALUES + c],
                      bounded_multiply(exact(before_values[r * VALUES + c]),
                                       (bounded){shrink, shrink_error}));
            for (size_t c = 0; c < VALUES; c++) {
                double value = (double)values[r * VALUES + c];
                for (size_t k = 0; k < block; k++)
                    value +=
                        (double)scores[r * STRIDE + k] * (double)weights[(first + k) * VALUES + c];
                values[r * VALUES + c] = (float)value;
            }
            /* How far sum and values may now be from the truth at this maximum: what they had, the
             * factor, and the powers' own errors, which are relative to each power. */
            double powers = 0;
            for (size_t k = 0; k < block; k++)
                powers += bounded_exp(bounded_add(exact(row[k]), exact(-top))).error;
            sum_error[r] = sum_error[r] * shrink + sum_room + powers;
            value_error[r] = value_error[r] * shrink + before_sum[r] * shrink_error + powers +
                             2 * ROUNDING * sum[r];
        }
    }
    const size_t width = VALUES - 7, out_stride = width + 2;
    float *out = guarded_floats((ROWS - 1) * out_stride + width);
    for (size_t r = 0; r + 1 < ROWS; r++)
        out[r * out_stride + width] = out[r * out_stride + width + 1] = 77.0f;
    kernels->softmax_finish(values, ROWS, VALUES, width, sum, out, out_stride);
    for (size_t r = 0; r < ROWS; r++) {
        double exact_sum = 0;
        for (size_t k = 0; k < keys; k++)
            exact_sum += exp((double)all[r * keys + k] - (double)maximum[r]);
        for (size_t c = 0; c < width; c++) {
            double exact_value = 0;
            for (size_t k = 0; k < keys; k++)
                exact_value += exp((double)all[r * keys + k] - (double)maximum[r]) *
                               (double)weights[k * VALUES + c];
            exact_value /= exact_sum;
            const double error =
                (value_error[r] + fabs(exact_value) * sum_error[r]) / (exact_sum - sum_error[r]);
            check(cpu, "soft-max", r, c, out[r * out_stride + c],
                  bounded_rounded(exact_value, error + 2 * ROUNDING * fabs(exact_value)));
            assert_true(error < 2e-5); /* so that the bound itself means something */
        }
        if (r + 1 < ROWS)
            assert_true(out[r * out_stride + width] == 77.0f &&
                        out[r * out_stride + width + 1] == 77.0f);
    }
    guarded_free(all, ROWS * keys);
    guarded_free(weights, keys * VALUES);
    guarded_free(scores, (ROWS - 1) * STRIDE + BLOCK);
    guarded_free(values, ROWS * VALUES);
    guarded_free(out, (ROWS - 1) * out_stride + width);
}

static void test_softmax(void **state)
{
    (void)state;
    a1_cpu levels[MAX_KERNEL_LEVELS];
    const size_t count = kernel_levels(levels);
    for (size_t l = 0; l < count; l++)
        for (kind which = SPREAD; which < KINDS; which++)
            for (size_t keys = 32; keys <= 416; keys += 32)
                check_softmax(&levels[l], which, keys);
}

/* ---- packing -----------------------------------------------------------------------------------
 */

static void test_packing(void **state)
{
    (void)state;
    a1_cpu levels[MAX_KERNEL_LEVELS];
    const size_t count = kernel_levels(levels);
    for (size_t width = 1; width <= 70; width += width < 40 ? 1 : 9) {
        for (size_t tokens = 32; tokens <= 96; tokens += 32) {
            const size_t stride = width + width % 4, panels = (width + 31) / 32;
            const size_t floats = (tokens - 1) * stride + width;
            float *in = new_filled(floats, 0, 1);
            float *keys = guarded_floats(tokens * width);
            float *values = guarded_floats(panels * tokens * 32);
            for (size_t l = 0; l < count; l++) {
                const a1_layer_kernels *kernels = a1_layer_kernels_get(&levels[l]);
                fill(values, panels * tokens * 32, 5, 1);
                kernels->pack_keys(in, stride, tokens, width, keys);
                kernels->pack_values(in, stride, tokens, width, values);
                for (size_t t = 0; t < tokens; t++)
                    for (size_t c = 0; c < panels * 32; c++) {
                        const float value = c < width ? in[t * stride + c] : 0.0f;
                        assert_true(values[(c / 32 * tokens + t) * 32 + c % 32] == value);
                        if (c < width)
                            assert_true(keys[(t / 32 * width + c) * 32 + t % 32] == value);
                    }
            }
            guarded_free(in, floats);
            guarded_free(keys, tokens * width);
            guarded_free(values, panels * tokens * 32);
        }
    }
}

/* ---- bfloat16 ----------------------------------------------------------------------------------
 */

static uint16_t to_bf16(float value)
{
    int exponent;
    const double part = frexp((double)value, &exponent);
    const float rounded = (float)ldexp(rint(ldexp(part, 8)), exponent - 8);
    uint32_t bits;
    memcpy(&bits, &rounded, sizeof bits);
    return (uint16_t)(bits >> 16);
}

static const a1_layer16_kernels *need_kernels16(a1_cpu *cpu)
{
    a1_cpu levels[MAX_KERNEL_LEVELS];
    *cpu = levels[kernel_levels(levels) - 1];
    const a1_layer16_kernels *kernels = a1_layer16_kernels_get(cpu);
    if (!kernels) {
        print_message("[ NOTE     ] skipped: this machine has no bfloat16 products\n");
        skip();
    }
    return kernels;
}

static void test_rounding16(void **state)
{
    (void)state;
    a1_cpu cpu;
    const a1_layer16_kernels *kernels = need_kernels16(&cpu);
    for (size_t width = 16; width <= 80; width += 16) {
        const size_t rows = 64, stride = width + 5, panels = (width + 31) / 32;
        const size_t floats = (rows - 1) * stride + width;
        float *in = new_filled(floats, 0, 4);
        uint16_t *out = malloc(rows * width * sizeof *out);
        uint16_t *keys = malloc(rows * width * sizeof *keys);
        uint16_t *values = malloc(panels * rows * 32 * sizeof *values);
        assert_true(out && keys && values);
        in[0] = 1.00390625f; /* half-way between two, to the even one */
        in[1] = 1.01171875f;
        kernels->round_rows(in, rows, width, stride, out);
        kernels->pack_keys(in, stride, rows, width, keys);
        kernels->pack_values(in, stride, rows, width, values);
        for (size_t r = 0; r < rows; r++)
            for (size_t c = 0; c < panels * 32; c++) {
                const uint16_t wanted = c < width ? to_bf16(in[r * stride + c]) : 0;
                assert_int_equal(values[((c / 32 * rows + r / 2 * 2) * 32 + c % 32 * 2) + r % 2],
                                 wanted);
                if (c >= width)
                    continue;
                assert_int_equal(out[r * width + c], wanted);
                assert_int_equal(keys[(r / 32 * width + c / 2 * 2) * 32 + r % 32 * 2 + c % 2],
                                 wanted);
            }
        guarded_free(in, floats);
        free(out);
        free(keys);
        free(values);
    }
}

/* The same maxima, sums and values as softmax_block of this level; powers rounded once more. */
static void test_softmax16(void **state)
{
    (void)state;
    a1_cpu cpu;
    const a1_layer16_kernels *kernels = need_kernels16(&cpu);
    enum { KEYS = 96 };
    for (kind which = SPREAD; which < KINDS; which++) {
        float *scores = guarded_floats(ROWS * KEYS), *values = new_filled(ROWS * VALUES, 0, 1);
        float *plain_values = copy_of(values, ROWS * VALUES);
        float maximum[ROWS], plain_maximum[ROWS];
        double sum[ROWS] = {0}, plain_sum[ROWS] = {0};
        uint16_t powers[ROWS * KEYS];
        for (size_t r = 0; r < ROWS; r++)
            maximum[r] = plain_maximum[r] = -INFINITY;
        for (size_t keys = KEYS; keys >= 32; keys -= 32) {
            for (size_t i = 0; i < ROWS * KEYS; i++)
                scores[i] = pick_score(which, i % KEYS + (KEYS - keys) * 3, 3 * KEYS);
            float *plain = copy_of(scores, ROWS * KEYS);
            memset(powers, 0x5a, sizeof powers);
            kernels->softmax_block(scores, ROWS, keys, KEYS, powers, maximum, sum, values, VALUES);
            a1_layer_kernels_get(&cpu)->softmax_block(plain, ROWS, keys, KEYS, plain_maximum,
                                                      plain_sum, plain_values, VALUES);
            for (size_t i = 0; i < ROWS * KEYS; i++)
                assert_int_equal(powers[i], i % KEYS < keys ? to_bf16(plain[i]) : 0x5a5a);
            assert_memory_equal(maximum, plain_maximum, sizeof maximum);
            assert_memory_equal(sum, plain_sum, sizeof sum);
            assert_memory_equal(values, plain_values, ROWS * VALUES * sizeof *values);
            guarded_free(plain, ROWS * KEYS);
        }
        guarded_free(scores, ROWS * KEYS);
        guarded_free(values, ROWS * VALUES);
        guarded_free(plain_values, ROWS * VALUES);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_moments),      cmocka_unit_test(test_norm_gelu),
        cmocka_unit_test(test_norm_glu_add), cmocka_unit_test(test_norm),
        cmocka_unit_test(test_layer_norm),   cmocka_unit_test(test_standardise_and_restore),
        cmocka_unit_test(test_softmax),      cmocka_unit_test(test_packing),
        cmocka_unit_test(test_rounding16),   cmocka_unit_test(test_softmax16),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
