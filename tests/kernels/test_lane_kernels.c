/* The kernels of lane.h at every level of this machine against their definitions in double. */
#include "support/golden.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/lane.h"

#define GUARD 12345.0f

static size_t level_count;
static const a1_lane_kernels *levels[4];
static const char *level_names[4];

static void find_levels(void)
{
    allin1_cpu_level found[4];
    level_count = a1_cpu_levels(found);
    for (size_t i = 0; i < level_count; i++) {
        a1_cpu cpu;
        assert_int_equal(a1_cpu_select(&cpu, found[i], NULL), ALLIN1_OK);
        levels[i] = a1_lane_kernels_get(&cpu);
        level_names[i] = allin1_cpu_level_string(found[i]);
    }
}

static float *random_floats(size_t count, uint64_t seed)
{
    float *values = malloc(count * sizeof *values);
    assert_non_null(values);
    for (size_t i = 0; i < count; i++)
        values[i] = test_random(&seed);
    return values;
}

static double gelu(double x)
{
    return 0.5 * x * erfc(-x * sqrt(0.5));
}

static double elu(double x)
{
    return x > 0 ? x : expm1(x);
}

/* Fails with the kernel, level and place when |actual - expected| > bound. */
static void check(const char *kernel, size_t level, size_t row, size_t lane, float actual,
                  double expected, double bound)
{
    if (!(fabs((double)actual - expected) <= bound))
        fail_msg("%s, %s: row %zu lane %zu is %.9g and should be %.9g: off by %.3g, allowed %.3g",
                 kernel, level_names[level], row, lane, (double)actual, expected,
                 fabs((double)actual - expected), bound);
}

/* The bound that lane.h states, whatever the formula: the error function is right to 4e-7, which
 * half of x multiplies. */
static double gelu_bound(double x)
{
    return fmax(1e-6, 2.5e-7 * fabs(x));
}

static void dense_case(size_t outputs, size_t groups, size_t inputs, size_t x_stride,
                       size_t group_stride, size_t out_stride)
{
    const size_t all = groups * inputs, padded = (outputs + 11) / 12 * 12;
    float *w = random_floats(outputs * all, 1), *bias = random_floats(outputs, 2);
    float *x = random_floats(groups * group_stride + inputs * x_stride + 64, 3);
    float *residual = random_floats(padded * A1_LANES, 4);
    float *out = malloc((padded * out_stride + 64) * sizeof *out);
    float *packed = malloc(a1_lane_matrix_floats(outputs, groups, inputs) * sizeof *packed);
    assert_true(out && packed);
    const a1_lane_matrix matrix = a1_lane_matrix_pack(w, bias, outputs, groups, inputs, packed);
    assert_int_equal(matrix.outputs, padded);
    const a1_lane_input in = {x, x_stride, group_stride};
    for (size_t level = 0; level < level_count; level++) {
        for (int kind = 0; kind < 3; kind++) {
            for (size_t i = 0; i < padded * out_stride + 64; i++)
                out[i] = GUARD;
            if (kind == 0)
                levels[level]->dense(&matrix, &in, out, out_stride);
            else if (kind == 1)
                levels[level]->dense_add(&matrix, &in, residual, out, out_stride);
            else
                levels[level]->dense_gelu(&matrix, &in, out, out_stride);
            for (size_t o = 0; o < padded; o++) {
                for (size_t lane = 0; lane < A1_LANES; lane++) {
                    const double added = kind == 1 ? (double)residual[o * A1_LANES + lane] : 0;
                    double sum = (o < outputs ? (double)bias[o] : 0) + added;
                    double size = fabs(sum) + fabs(added);
                    for (size_t i = 0; i < all && o < outputs; i++) {
                        const double term =
                            (double)w[o * all + i] *
                            (double)x[i / inputs * group_stride + i % inputs * x_stride + lane];
                        sum += term;
                        size += fabs(term);
                    }
                    /* Each of the additions rounds a sum that is at most the sum of sizes. */
                    double bound = (double)(all + 2) * 6e-8 * size;
                    if (kind == 2) {
                        /* The slope of GELU stays below 1.13. */
                        bound = 1.13 * bound + gelu_bound(sum);
                        sum = gelu(sum);
                    }
                    static const char *const names[] = {"dense", "dense_add", "dense_gelu"};
                    check(names[kind], level, o, lane, out[o * out_stride + lane], sum, bound);
                }
                for (size_t i = A1_LANES; i < out_stride; i++)
                    assert_true(out[o * out_stride + i] == GUARD);
            }
            for (size_t i = 0; i < 64; i++)
                assert_true(out[padded * out_stride + i] == GUARD);
        }
    }
    free(w);
    free(bias);
    free(x);
    free(residual);
    free(out);
    free(packed);
}

static void test_dense(void **state)
{
    (void)state;
    dense_case(12, 1, 1, 32, 0, 32);
    dense_case(24, 1, 24, 32, 0, 32);
    dense_case(96, 1, 24, 32, 0, 1552);
    dense_case(13, 1, 96, 32, 0, 32);
    dense_case(192, 1, 48, 32, 0, 32);
    dense_case(24, 1, 192, 33, 0, 37);
    dense_case(24, 3, 72, 64, 1, 32);
    dense_case(24, 2, 5, 40, 200, 48);
}

static void test_gelu(void **state)
{
    (void)state;
    float weight[12], bias[12] = {0}, packed[24], x[A1_LANES], out[12 * A1_LANES];
    for (size_t i = 0; i < 12; i++)
        weight[i] = 1.0f;
    const a1_lane_matrix matrix = a1_lane_matrix_pack(weight, bias, 12, 1, 1, packed);
    const a1_lane_input in = {x, A1_LANES, 0};
    for (size_t level = 0; level < level_count; level++) {
        double worst = 0;
        for (long i = -120000; i < 120000; i += A1_LANES) {
            for (long lane = 0; lane < A1_LANES; lane++)
                x[lane] = (float)(i + lane) * 1e-4f;
            levels[level]->dense_gelu(&matrix, &in, out, A1_LANES);
            for (size_t lane = 0; lane < A1_LANES; lane++) {
                const double expected = gelu((double)x[lane]);
                check("gelu", level, 0, lane, out[11 * A1_LANES + lane], expected,
                      gelu_bound((double)x[lane]));
                worst = fmax(worst, fabs((double)out[lane] - expected));
            }
        }
        print_message("[ NOTE     ] gelu, %s: largest error %.3g\n", level_names[level], worst);
        static const float far[] = {-FLT_MAX, -1e30f, -100.0f, 0.0f, 100.0f, 1e30f, FLT_MAX};
        for (size_t i = 0; i < sizeof far / sizeof *far; i++) {
            for (size_t lane = 0; lane < A1_LANES; lane++)
                x[lane] = far[i];
            levels[level]->dense_gelu(&matrix, &in, out, A1_LANES);
            check("gelu", level, i, 0, out[0], far[i] > 0 ? (double)far[i] : 0.0,
                  gelu_bound((double)far[i]));
        }
    }
}

static void test_layer_norm(void **state)
{
    (void)state;
    for (size_t channels = 24; channels <= 48; channels += 24) {
        float *x = random_floats(channels * A1_LANES, 5), *weight = random_floats(channels, 6);
        float *bias = random_floats(channels, 7), *out = malloc(channels * A1_LANES * sizeof *out);
        assert_non_null(out);
        for (size_t c = 0; c < channels; c++) {
            x[c * A1_LANES + 3] = 7.5f;    /* no variance: only the bias is left */
            x[c * A1_LANES + 4] *= 500.0f; /* the size of the residual stream */
            x[c * A1_LANES + 5] *= 1e-3f;  /* variance near the epsilon */
        }
        for (size_t level = 0; level < level_count; level++) {
            for (int in_place = 0; in_place < 2; in_place++) {
                if (in_place)
                    memcpy(out, x, channels * A1_LANES * sizeof *out);
                levels[level]->layer_norm(in_place ? out : x, channels, weight, bias, out);
                for (size_t lane = 0; lane < A1_LANES; lane++) {
                    double mean = 0, variance = 0;
                    for (size_t c = 0; c < channels; c++)
                        mean += (double)x[c * A1_LANES + lane] / (double)channels;
                    for (size_t c = 0; c < channels; c++)
                        variance +=
                            pow((double)x[c * A1_LANES + lane] - mean, 2) / (double)channels;
                    for (size_t c = 0; c < channels; c++) {
                        const double normed =
                            ((double)x[c * A1_LANES + lane] - mean) / sqrt(variance + 1e-5);
                        /* The mean of `channels` roundings, the root, three products. */
                        check("layer_norm", level, c, lane, out[c * A1_LANES + lane],
                              normed * (double)weight[c] + (double)bias[c],
                              4e-6 * (fabs(normed) + 1));
                    }
                }
            }
        }
        free(x);
        free(weight);
        free(bias);
        free(out);
    }
}

static void test_mean(void **state)
{
    (void)state;
    float *a = random_floats(24 * A1_LANES, 8), *b = random_floats(24 * A1_LANES, 9);
    float out[24 * A1_LANES];
    for (size_t level = 0; level < level_count; level++) {
        levels[level]->mean(a, b, 24, out);
        for (size_t i = 0; i < 24 * A1_LANES; i++)
            check("mean", level, i / A1_LANES, i % A1_LANES, out[i],
                  ((double)a[i] + (double)b[i]) / 2, 6e-8);
    }
    free(a);
    free(b);
}

static void test_transpose(void **state)
{
    (void)state;
    enum { STRIDE = 37 };
    for (size_t bands = 1; bands < 90; bands += bands < 20 ? 1 : 15) {
        float *frames = random_floats(A1_LANES * bands, bands), *out = malloc(bands * STRIDE * 4);
        assert_non_null(out);
        for (size_t level = 0; level < level_count; level++) {
            for (size_t i = 0; i < bands * STRIDE; i++)
                out[i] = GUARD;
            levels[level]->transpose(frames, bands, out, STRIDE);
            for (size_t i = 0; i < bands * STRIDE; i++) {
                const size_t band = i / STRIDE, lane = i % STRIDE;
                assert_true(out[i] == (lane < A1_LANES ? frames[lane * bands + band] : GUARD));
            }
        }
        free(frames);
        free(out);
    }
}

static void test_conv_bands(void **state)
{
    (void)state;
    enum { STRIDE = 48, POOLED = 26, BANDS = 81 };
    float *w = random_floats(12 * 9, 10), *bias = random_floats(12, 11);
    float *bands = random_floats(BANDS * STRIDE, 12), packed[3][10][4];
    float *out = malloc(POOLED * 12 * A1_LANES * sizeof *out);
    assert_non_null(out);
    for (size_t o = 0; o < 12; o++) {
        packed[o / 4][0][o % 4] = bias[o];
        for (size_t i = 0; i < 9; i++)
            packed[o / 4][1 + i][o % 4] = w[o * 9 + i];
    }
    for (size_t level = 0; level < level_count; level++) {
        levels[level]->conv_bands(packed[0][0], bands, STRIDE, POOLED, out);
        for (size_t f = 0; f < POOLED; f++) {
            for (size_t o = 0; o < 12; o++) {
                for (size_t lane = 0; lane < A1_LANES; lane++) {
                    double largest = -INFINITY;
                    for (size_t pool = 0; pool < 3; pool++) {
                        double sum = (double)bias[o];
                        for (size_t i = 0; i < 9; i++)
                            sum += (double)w[o * 9 + i] *
                                   (double)bands[(3 * f + pool + i % 3) * STRIDE + lane + i / 3];
                        largest = fmax(largest, sum);
                    }
                    /* Ten roundings of sums below 10; e^x adds 2e-7. */
                    check("conv_bands", level, f * 12 + o, lane,
                          out[(f * 12 + o) * A1_LANES + lane], elu(largest), 5e-6);
                }
            }
        }
    }
    free(w);
    free(bias);
    free(bands);
    free(out);
}

static void test_pool_elu(void **state)
{
    (void)state;
    enum { STRIDE = 40 };
    float *x = random_floats(3 * 24 * A1_LANES, 13), out[24 * STRIDE];
    for (size_t i = 0; i < 3 * 24 * A1_LANES; i++)
        x[i] *= 20.0f;
    for (size_t level = 0; level < level_count; level++) {
        for (size_t i = 0; i < 24 * STRIDE; i++)
            out[i] = GUARD;
        levels[level]->pool_elu(x, 24, out, STRIDE);
        for (size_t c = 0; c < 24; c++) {
            for (size_t lane = 0; lane < A1_LANES; lane++) {
                const float *at = x + c * A1_LANES + lane;
                const float largest = fmaxf(fmaxf(at[0], at[24 * A1_LANES]), at[48 * A1_LANES]);
                check("pool_elu", level, c, lane, out[c * STRIDE + lane], elu((double)largest),
                      3e-7);
            }
            for (size_t i = A1_LANES; i < STRIDE; i++)
                assert_true(out[c * STRIDE + i] == GUARD);
        }
    }
    free(x);
}

static void soften(double *scores, size_t count)
{
    double largest = scores[0], sum = 0;
    for (size_t i = 1; i < count; i++)
        largest = fmax(largest, scores[i]);
    for (size_t i = 0; i < count; i++)
        sum += scores[i] = exp(scores[i] - largest);
    for (size_t i = 0; i < count; i++)
        scores[i] /= sum;
}

/* Scores of 12 products and a soft-max: an error of 2e-6 in a score moves a share by as much, and
 * the values are below 1. */
#define ATTENTION_BOUND 5e-6

static void attend_case(ptrdiff_t dilation, ptrdiff_t shift, int with_keep)
{
    enum { BEFORE = 300, STRIDE = 2 * BEFORE + 48 };
    float *q = random_floats(24 * A1_LANES, 14), *kv = random_floats(48 * STRIDE, 15);
    float *position = random_floats(18, 16), keep[A1_LANES], out[24 * A1_LANES];
    for (size_t lane = 0; lane < A1_LANES; lane++)
        keep[lane] = lane % 3 ? 1.0f : 0.0f;
    for (size_t i = 0; i < 24 * A1_LANES; i++)
        q[i] *= 3.0f;
    for (size_t level = 0; level < level_count; level++) {
        for (size_t i = 0; i < 24 * A1_LANES; i++)
            out[i] = GUARD;
        const float *k = kv + BEFORE, *v = kv + 24 * STRIDE + BEFORE;
        for (size_t head = 0; head < 2; head++)
            levels[level]->attend(&(a1_lane_attention){.q = q + head * 12 * A1_LANES,
                                                       .k = k + head * 12 * STRIDE,
                                                       .v = v + head * 12 * STRIDE,
                                                       .kv_stride = STRIDE,
                                                       .dilation = dilation,
                                                       .shift = shift,
                                                       .position = position + head * 9,
                                                       .keep = with_keep ? keep : NULL,
                                                       .out = out + head * 12 * A1_LANES});
        for (size_t i = 0; i < 24 * A1_LANES; i++) {
            const size_t row = i / A1_LANES, lane = i % A1_LANES, head = row / 12;
            if (with_keep && keep[lane] == 0.0f) {
                assert_true(out[i] == GUARD);
                continue;
            }
            double scores[5], sum = 0;
            for (ptrdiff_t j = 0; j < 5; j++) {
                scores[j] = (double)position[(ptrdiff_t)head * 9 + shift + j + 4];
                for (size_t c = head * 12; c < head * 12 + 12; c++)
                    scores[j] += (double)q[c * A1_LANES + lane] *
                                 (double)k[(ptrdiff_t)(c * STRIDE + lane) + (shift + j) * dilation];
            }
            soften(scores, 5);
            for (ptrdiff_t j = 0; j < 5; j++)
                sum += scores[j] *
                       (double)v[(ptrdiff_t)(row * STRIDE + lane) + (shift + j) * dilation];
            check("attend", level, row, lane, out[i], sum, ATTENTION_BOUND);
        }
    }
    free(q);
    free(kv);
    free(position);
}

static void test_attend(void **state)
{
    (void)state;
    static const ptrdiff_t dilations[] = {1, 2, 4, 16, 20, 32, 64};
    for (size_t i = 0; i < sizeof dilations / sizeof *dilations; i++)
        for (ptrdiff_t shift = -4; shift <= 0; shift++)
            attend_case(dilations[i], shift, shift & 1);
}

static void attend_grid_case(ptrdiff_t shift, int with_keep)
{
    enum { BEFORE = 8, STRIDE = 2 * BEFORE + 48, STEM = 48 * STRIDE };
    float *q = random_floats(4 * 24 * A1_LANES, 17), *kv = random_floats(4 * STEM, 18);
    float *pad = random_floats(48, 19), *position = random_floats(2 * 81, 20), keep[A1_LANES];
    float *out = malloc(4 * 24 * A1_LANES * sizeof *out);
    assert_non_null(out);
    for (size_t lane = 0; lane < A1_LANES; lane++)
        keep[lane] = lane % 5 ? 0.0f : 1.0f;
    for (size_t level = 0; level < level_count; level++) {
        for (size_t i = 0; i < 4 * 24 * A1_LANES; i++)
            out[i] = GUARD;
        const float *k = kv + BEFORE, *v = k + 24 * STRIDE;
        levels[level]->attend_grid(&(a1_lane_grid){.q = q,
                                                   .k = k,
                                                   .v = v,
                                                   .stem_stride = STEM,
                                                   .kv_stride = STRIDE,
                                                   .pad_k = pad,
                                                   .pad_v = pad + 24,
                                                   .shift = shift,
                                                   .position = position,
                                                   .keep = with_keep ? keep : NULL,
                                                   .out = out});
        for (size_t i = 0; i < 4 * 24 * A1_LANES; i++) {
            const size_t stem = i / (24 * A1_LANES), row = i / A1_LANES % 24, lane = i % A1_LANES;
            const size_t head = row / 12;
            if (with_keep && keep[lane] == 0.0f) {
                assert_true(out[i] == GUARD);
                continue;
            }
            double scores[25], sum = 0;
            for (size_t j = 0; j < 25; j++) {
                const size_t other = j / 5;
                const ptrdiff_t offset = shift + (ptrdiff_t)(j % 5);
                const ptrdiff_t at = (ptrdiff_t)(other * STEM + lane) + offset;
                scores[j] =
                    (double)position[(ptrdiff_t)(head * 81 + (other + 4 - stem) * 9) + offset + 4];
                for (size_t c = head * 12; c < head * 12 + 12; c++)
                    scores[j] += (double)q[(stem * 24 + c) * A1_LANES + lane] *
                                 (double)(other < 4 ? k[at + (ptrdiff_t)(c * STRIDE)] : pad[c]);
            }
            soften(scores, 25);
            for (size_t j = 0; j < 25; j++) {
                const ptrdiff_t at =
                    (ptrdiff_t)(j / 5 * STEM + row * STRIDE + lane) + shift + (ptrdiff_t)(j % 5);
                sum += scores[j] * (double)(j / 5 < 4 ? v[at] : pad[24 + row]);
            }
            check("attend_grid", level, stem * 24 + row, lane, out[i], sum, ATTENTION_BOUND);
        }
    }
    free(q);
    free(kv);
    free(pad);
    free(position);
    free(out);
}

static void test_attend_grid(void **state)
{
    (void)state;
    for (ptrdiff_t shift = -4; shift <= 0; shift++) {
        attend_grid_case(shift, 0);
        attend_grid_case(shift, 1);
    }
}

/* What is not a number stays in its lane, and stops nothing. */
static void test_bad_lanes(void **state)
{
    (void)state;
    static const float bad[] = {NAN, INFINITY, -INFINITY, FLT_MAX, -FLT_MAX, 1e-42f};
    float *w = random_floats(24 * 24, 21), *bias = random_floats(24, 22), *packed;
    float *x = random_floats(24 * A1_LANES, 23), clean[24 * A1_LANES], out[24 * A1_LANES];
    packed = malloc(a1_lane_matrix_floats(24, 1, 24) * sizeof *packed);
    assert_non_null(packed);
    const a1_lane_matrix matrix = a1_lane_matrix_pack(w, bias, 24, 1, 24, packed);
    const a1_lane_input in = {x, A1_LANES, 0};
    for (size_t level = 0; level < level_count; level++) {
        for (int kind = 0; kind < 2; kind++) {
            for (size_t i = 0; i < 1 + sizeof bad / sizeof *bad; i++) {
                const float good = x[7 * A1_LANES + 9];
                if (i > 0)
                    x[7 * A1_LANES + 9] = bad[i - 1];
                float *to = i == 0 ? clean : out;
                if (kind == 0)
                    levels[level]->dense_gelu(&matrix, &in, to, A1_LANES);
                else
                    levels[level]->layer_norm(x, 24, bias, bias, to);
                x[7 * A1_LANES + 9] = good;
                for (size_t j = 0; i > 0 && j < 24 * A1_LANES; j++)
                    if (j % A1_LANES != 9)
                        assert_memory_equal(&out[j], &clean[j], sizeof *out);
            }
        }
    }
    free(w);
    free(bias);
    free(x);
    free(packed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dense),       cmocka_unit_test(test_gelu),
        cmocka_unit_test(test_layer_norm),  cmocka_unit_test(test_mean),
        cmocka_unit_test(test_transpose),   cmocka_unit_test(test_conv_bands),
        cmocka_unit_test(test_pool_elu),    cmocka_unit_test(test_attend),
        cmocka_unit_test(test_attend_grid), cmocka_unit_test(test_bad_lanes),
    };
    find_levels();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
