/* The network against numbers made with the reference implementation. */
#include "support/golden.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "network/fold_weights.h"
#include "network/network.h"
#include "network/stages.h"
#include "nn/neighborhood.h"
#include "support/plain_network.h"
#include "support/network_data.h"

/* Float32 against float64 of the same network differs by up to 5.4e-6 in a logit of one fold, and
 * another order of summation by as much again; a wrong window or index is off by 1e-2 and more. */
#define TOLERANCE 1e-4
/* The attention goldens are float64 results stored as float32; values are below 4. */
#define ATTENTION_TOLERANCE 2e-6

static void compare_doubles(const char *what, const double *actual, const double *expected,
                            size_t count, double tolerance)
{
    float *rounded = malloc(count * sizeof *rounded);
    assert_non_null(rounded);
    for (size_t i = 0; i < count; i++)
        rounded[i] = (float)actual[i];
    test_close(what, rounded, expected, count, tolerance);
    free(rounded);
}

static void plain_attention_1d_case(const char *name, size_t dilation)
{
    char relative[64];
    snprintf(relative, sizeof relative, "golden/unit/%s.npz", name);
    const char *path = test_golden(relative);
    test_array q = test_read_array(path, "q"), k = test_read_array(path, "k"),
               v = test_read_array(path, "v"), rpb = test_read_array(path, "rpb"),
               out = test_read_array(path, "out"), index = test_read_array(path, "neighbor_index"),
               bias = test_read_array(path, "rpb_index");
    const size_t length = q.shape[2], size = length * 12;
    for (size_t t = 0; t < length; t++) {
        const long shift = plain_window_shift(t, length, dilation);
        for (long j = 0; j < 5; j++) {
            assert_int_equal((long)t + (shift + j) * (long)dilation,
                             (long)index.values[t * 5 + (size_t)j]);
            assert_int_equal(shift + j + 4, (long)bias.values[t * 5 + (size_t)j]);
        }
    }
    double *result = malloc(q.count * sizeof *result);
    assert_non_null(result);
    for (size_t i = 0; i < 4; i++) {
        float position[9];
        for (size_t j = 0; j < 9; j++)
            position[j] = (float)rpb.values[i % 2 * 9 + j];
        plain_attention_1d(q.values + i * size, k.values + i * size, v.values + i * size, 12,
                           length, dilation, position, result + i * size);
    }
    compare_doubles(name, result, out.values, out.count, ATTENTION_TOLERANCE);
    free(result);
    test_array_free(&q);
    test_array_free(&k);
    test_array_free(&v);
    test_array_free(&rpb);
    test_array_free(&out);
    test_array_free(&index);
    test_array_free(&bias);
}

static void test_plain_attention_1d(void **state)
{
    (void)state;
    plain_attention_1d_case("na1d_T37_d1", 1);
    plain_attention_1d_case("na1d_T97_d16", 16);
    plain_attention_1d_case("na1d_T103_d20", 20);
    plain_attention_1d_case("na1d_T643_d128", 128);
}

static void test_plain_attention_2d(void **state)
{
    (void)state;
    const char *path = test_golden("golden/unit/na2d_H5_W41_d1.npz");
    test_array q = test_read_array(path, "q"), k = test_read_array(path, "k"),
               v = test_read_array(path, "v"), rpb = test_read_array(path, "rpb"),
               out = test_read_array(path, "out");
    const size_t length = q.shape[3], size = 5 * length * 12;
    double *result = malloc(q.count * sizeof *result);
    assert_non_null(result);
    for (size_t i = 0; i < 2; i++) {
        float position[81];
        for (size_t j = 0; j < 81; j++)
            position[j] = (float)rpb.values[i * 81 + j];
        plain_attention_2d(q.values + i * size, k.values + i * size, v.values + i * size, 12,
                           length * 12, length, position, result + i * size);
    }
    compare_doubles("na2d_H5_W41_d1", result, out.values, out.count, ATTENTION_TOLERANCE);
    free(result);
    test_array_free(&q);
    test_array_free(&k);
    test_array_free(&v);
    test_array_free(&rpb);
    test_array_free(&out);
}

typedef struct observed {
    const a1_tensor_set *golden;
    unsigned seen;
} observed;

/* Compares the states that the file has; the longest case keeps every tenth frame. */
static void observe(void *user, const char *name, const double *state, size_t frames)
{
    static const char *const known[] = {"embed",        "block0_time", "block0",
                                        "block10_time", "block10",     "final_norm"};
    observed *seen = user;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(name, known[i]) != 0)
            continue;
        size_t count;
        double *expected = test_tensor(seen->golden, name, &count);
        const size_t kept = count / (4 * 24), step = frames / kept;
        double *picked = malloc(count * sizeof *picked);
        assert_non_null(picked);
        for (size_t s = 0; s < 4; s++)
            for (size_t t = 0; t < kept; t++)
                memcpy(picked + (s * kept + t) * 24, state + (s * frames + t * step) * 24,
                       24 * sizeof *picked);
        /* The residual stream grows to +-530 and the goldens are float32 themselves: even the
         * definition in double is 2.4e-4 away. 22 layers with three roundings of 2^-24 of the peak
         * each make 4e-6 of the peak. A wrong neighbour is off by more than 1. */
        double peak = 0;
        for (size_t t = 0; t < count; t++)
            peak = fabs(expected[t]) > peak ? fabs(expected[t]) : peak;
        compare_doubles(name, picked, expected, count, fmax(TOLERANCE, 4e-6 * peak));
        free(picked);
        free(expected);
        seen->seen++;
    }
}

static void compare_logits(const char *what, const a1_tensor_set *set, const float *logits,
                           size_t frames)
{
    static const char *const members[] = {"logits_beat", "logits_downbeat", "logits_section",
                                          "logits_function"};
    for (size_t i = 0; i < 4; i++) {
        char name[128];
        size_t count;
        double *expected = test_tensor(set, members[i], &count);
        assert_int_equal(count, i < 3 ? frames : 10 * frames);
        snprintf(name, sizeof name, "%s %s", what, members[i]);
        test_close(name, logits + i * frames, expected, count, TOLERANCE);
        free(expected);
    }
}

typedef struct fold_case {
    const char *name;
    size_t frames;
    int with_states;
} fold_case;

static const fold_case fold_cases[] = {{"fold0_T1", 1, 0},
                                       {"fold0_T7", 7, 0},
                                       {"fold0_T30", 30, 0},
                                       {"fold0_T700", 700, 1},
                                       {"fold0_T3000", 3000, 1}};
#define FOLD_CASES (sizeof fold_cases / sizeof *fold_cases)

static a1_tensor_set *load_case(const fold_case *c, const float **input)
{
    char relative[64];
    snprintf(relative, sizeof relative, "golden/unit/%s.npz", c->name);
    a1_tensor_set *golden = test_npz(relative);
    const a1_tensor *tensor = a1_tensor_set_find(golden, "input");
    assert_true(tensor && a1_tensor_count(tensor) == 4 * c->frames * 81 && tensor->dtype == A1_F32);
    *input = tensor->data;
    return golden;
}

static a1_fold_weights *load_weights(void)
{
    a1_error err = {0};
    a1_tensor_set *set = test_fold(0);
    a1_fold_weights *weights = malloc(sizeof *weights);
    assert_non_null(weights);
    if (a1_fold_weights_load(weights, set, &err) != ALLIN1_OK)
        fail_msg("%s", err.message);
    a1_tensor_set_destroy(&set);
    return weights;
}

static void test_plain_folds(void **state)
{
    (void)state;
    a1_fold_weights *weights = load_weights();
    for (size_t i = 0; i < FOLD_CASES; i++) {
        const fold_case *c = &fold_cases[i];
        const float *input;
        a1_tensor_set *golden = load_case(c, &input);
        double *logits = malloc(13 * c->frames * sizeof *logits);
        float *rounded = malloc(13 * c->frames * sizeof *rounded);
        assert_true(logits && rounded);
        observed seen = {golden, 0};
        assert_int_equal(plain_network_fold(weights, input, c->frames, logits,
                                            c->with_states ? observe : NULL, &seen),
                         0);
        assert_int_equal(seen.seen, c->with_states ? 6 : 0);
        for (size_t j = 0; j < 13 * c->frames; j++)
            rounded[j] = (float)logits[j];
        compare_logits(c->name, golden, rounded, c->frames);
        free(rounded);
        free(logits);
        a1_tensor_set_destroy(&golden);
    }
    free(weights);
}

/* The hidden state of a job as the observer wants it. */
static void observe_job(observed *seen, const char *name, const a1_network_job *job)
{
    double *state = malloc(4 * job->frames * 24 * sizeof *state);
    assert_non_null(state);
    for (size_t s = 0; s < 4; s++)
        for (size_t t = 0; t < job->frames; t++)
            for (size_t c = 0; c < 24; c++)
                state[(s * job->frames + t) * 24 + c] = (double)a1_state_block(
                    job->state, job, s, t / A1_LANES)[c * A1_LANES + t % A1_LANES];
    observe(seen, name, state, job->frames);
    free(state);
}

static void stages_case(const fold_case *c, const a1_fold_weights *weights, allin1_cpu_level level)
{
    const float *input;
    a1_tensor_set *golden = load_case(c, &input);
    a1_error err = {0};
    a1_cpu cpu;
    a1_fold_model model;
    a1_network_job job;
    a1_arena arena;
    assert_int_equal(a1_cpu_select(&cpu, level, &err), ALLIN1_OK);
    assert_int_equal(a1_fold_model_create(&model, weights, &err), ALLIN1_OK);
    assert_int_equal(a1_network_job_create(&job, &arena, a1_lane_kernels_get(&cpu), NULL, input,
                                           c->frames, &err),
                     ALLIN1_OK);
    float *logits = malloc(13 * c->frames * sizeof *logits);
    float *norm = malloc(4 * c->frames * 24 * sizeof *norm);
    double *final = malloc(4 * c->frames * 24 * sizeof *final);
    assert_true(logits && norm && final);
    const a1_network_output output = {.beat = logits,
                                      .downbeat = logits + c->frames,
                                      .section = logits + 2 * c->frames,
                                      .function = logits + 3 * c->frames,
                                      .embeddings = norm};
    observed seen = {golden, 0};
    a1_embedding_run(&job, &model);
    if (c->with_states)
        observe_job(&seen, "embed", &job);
    for (unsigned block = 0; block < A1_NET_BLOCKS; block++) {
        char name[32];
        a1_time_layer_run(&job, &model.time[block], (size_t)1 << block);
        snprintf(name, sizeof name, "block%u_time", block);
        if (c->with_states)
            observe_job(&seen, name, &job);
        a1_instrument_layer_run(&job, &model.instrument[block]);
        snprintf(name, sizeof name, "block%u", block);
        if (c->with_states)
            observe_job(&seen, name, &job);
    }
    a1_heads_run(&job, &model, 0, 1, &output);
    for (size_t i = 0; i < 4 * c->frames * 24; i++)
        final[i] = (double)norm[i];
    if (c->with_states)
        observe(&seen, "final_norm", final, c->frames);
    assert_int_equal(seen.seen, c->with_states ? 6 : 0);
    compare_logits(c->name, golden, logits, c->frames);
    free(logits);
    free(norm);
    free(final);
    a1_arena_destroy(&arena);
    a1_fold_model_destroy(&model);
    a1_tensor_set_destroy(&golden);
}

static void test_folds(void **state)
{
    (void)state;
    a1_fold_weights *weights = load_weights();
    allin1_cpu_level levels[4];
    const size_t count = a1_cpu_levels(levels);
    for (size_t level = 0; level < count; level++) {
        print_message("[ NOTE     ] level %s\n", allin1_cpu_level_string(levels[level]));
        for (size_t i = 0; i < FOLD_CASES; i++)
            stages_case(&fold_cases[i], weights, levels[level]);
    }
    free(weights);
}

/* Attention of two heads through the kernels, as the time layer lays frames out: blocks that are
 * dilation / 32 apart side by side where the dilation is a multiple of 32, else in order. */
static void attention_1d_case(const char *name, size_t dilation, allin1_cpu_level level)
{
    char relative[64];
    snprintf(relative, sizeof relative, "golden/unit/%s.npz", name);
    a1_tensor_set *set = test_npz(relative);
    size_t count, rpb_count;
    double *q = test_tensor(set, "q", &count), *k = test_tensor(set, "k", &count),
           *v = test_tensor(set, "v", &count), *rpb = test_tensor(set, "rpb", &rpb_count),
           *expected = test_tensor(set, "out", &count);
    const size_t length = count / (2 * 2 * 12), blocks = (length + A1_LANES - 1) / A1_LANES;
    const size_t step = dilation % A1_LANES == 0 ? dilation / A1_LANES : 1, local = dilation / step;
    const size_t rows = (blocks + step - 1) / step, margin = 4 * local;
    const size_t stride = 2 * margin + rows * A1_LANES;
    a1_cpu cpu;
    assert_int_equal(a1_cpu_select(&cpu, level, NULL), ALLIN1_OK);
    float *keys = calloc(48 * stride, sizeof *keys), *values = keys + 24 * stride;
    float *result = malloc(count * sizeof *result), position[18], keep[A1_LANES];
    float queries[24 * A1_LANES], out[24 * A1_LANES];
    assert_true(keys && result && rpb_count == 18);
    for (size_t i = 0; i < 18; i++)
        position[i] = (float)rpb[i];
    for (size_t batch = 0; batch < 2; batch++) {
        const size_t from = batch * 24 * length;
        for (size_t strip = 0; strip < step && strip < blocks; strip++) {
            for (size_t row = 0; strip + row * step < blocks; row++) {
                for (size_t c = 0; c < 24 * A1_LANES; c++) {
                    const size_t channel = c / A1_LANES, lane = c % A1_LANES;
                    const size_t t = (strip + row * step) * A1_LANES + lane;
                    const size_t at = from + (channel / 12 * length + t) * 12 + channel % 12;
                    const size_t to = channel * stride + margin + row * A1_LANES + lane;
                    keys[to] = t < length ? (float)k[at] : 0.0f;
                    values[to] = t < length ? (float)v[at] : 0.0f;
                }
            }
            for (size_t row = 0; strip + row * step < blocks; row++) {
                const size_t start = (strip + row * step) * A1_LANES;
                const a1_block_shifts shifts =
                    a1_block_shifts_find(start, length, length, dilation);
                for (size_t c = 0; c < 24 * A1_LANES; c++) {
                    const size_t channel = c / A1_LANES, t = start + c % A1_LANES;
                    queries[c] =
                        t < length
                            ? (float)q[from + (channel / 12 * length + t) * 12 + channel % 12]
                            : 0.0f;
                }
                for (size_t head = 0; head < 2; head++) {
                    const size_t at = head * 12 * stride + margin + row * A1_LANES;
                    a1_lane_attention a = {.q = queries + head * 12 * A1_LANES,
                                           .k = keys + at,
                                           .v = values + at,
                                           .kv_stride = stride,
                                           .dilation = (ptrdiff_t)local,
                                           .position = position + head * 9,
                                           .keep = shifts.uniform ? NULL : keep,
                                           .out = out + head * 12 * A1_LANES};
                    for (a.shift = shifts.lowest; a.shift <= shifts.highest; a.shift++)
                        if (shifts.uniform || a1_block_shifts_select(&shifts, a.shift, keep))
                            a1_lane_kernels_get(&cpu)->attend(&a);
                }
                for (size_t c = 0; c < 24 * A1_LANES; c++) {
                    const size_t channel = c / A1_LANES, t = start + c % A1_LANES;
                    if (t < length)
                        result[from + (channel / 12 * length + t) * 12 + channel % 12] = out[c];
                }
            }
        }
    }
    test_close(name, result, expected, count, ATTENTION_TOLERANCE);
    free(keys);
    free(result);
    free(q);
    free(k);
    free(v);
    free(rpb);
    free(expected);
    a1_tensor_set_destroy(&set);
}

static void test_attention_1d(void **state)
{
    (void)state;
    allin1_cpu_level levels[4];
    const size_t count = a1_cpu_levels(levels);
    for (size_t level = 0; level < count; level++) {
        attention_1d_case("na1d_T37_d1", 1, levels[level]);
        attention_1d_case("na1d_T97_d16", 16, levels[level]);
        attention_1d_case("na1d_T103_d20", 20, levels[level]);
        attention_1d_case("na1d_T643_d128", 128, levels[level]);
    }
}

/* The kernel takes the fifth row as constant, which the recorded case's is not. So its first four
 * rows are compared with the definition, with the fifth row made constant in both. */
static void test_attention_2d(void **state)
{
    (void)state;
    const char *path = test_golden("golden/unit/na2d_H5_W41_d1.npz");
    test_array q = test_read_array(path, "q"), k = test_read_array(path, "k"),
               v = test_read_array(path, "v"), rpb = test_read_array(path, "rpb");
    enum { LENGTH = 41, BLOCKS = 2, MARGIN = 4, STRIDE = BLOCKS * A1_LANES + 2 * MARGIN };
    enum { STEM = 48 * STRIDE, HEAD = 5 * LENGTH * 12, ROW = LENGTH * 12 };
    assert_int_equal(q.count, 2 * HEAD);
    float *kv = calloc(4 * STEM, sizeof *kv), *result = calloc(2 * HEAD, sizeof *result);
    double *expected = calloc(2 * HEAD, sizeof *expected);
    float position[2][81], pad[48], keep[A1_LANES];
    float *queries = calloc(4 * 24 * A1_LANES, sizeof *queries);
    float *out = calloc(4 * 24 * A1_LANES, sizeof *out);
    assert_true(kv && result && expected && queries && out);
    for (size_t head = 0; head < 2; head++) {
        for (size_t i = 0; i < 81; i++)
            position[head][i] = (float)rpb.values[head * 81 + i];
        for (size_t c = 0; c < 12; c++) {
            const size_t at = head * HEAD + 4 * ROW + c;
            pad[head * 12 + c] = (float)k.values[at];
            pad[24 + head * 12 + c] = (float)v.values[at];
            for (size_t t = 1; t < LENGTH; t++) {
                k.values[at + t * 12] = k.values[at];
                v.values[at + t * 12] = v.values[at];
            }
        }
        plain_attention_2d(q.values + head * HEAD, k.values + head * HEAD, v.values + head * HEAD,
                           12, ROW, LENGTH, position[head], expected + head * HEAD);
        memset(expected + head * HEAD + 4 * ROW, 0, ROW * sizeof *expected);
        for (size_t i = 0; i < 4 * 12 * LENGTH; i++) {
            const size_t stem = i / ROW, t = i / 12 % LENGTH, c = i % 12;
            const size_t to = stem * STEM + (head * 12 + c) * STRIDE + MARGIN + t;
            kv[to] = (float)k.values[head * HEAD + i];
            kv[to + 24 * STRIDE] = (float)v.values[head * HEAD + i];
        }
    }
    allin1_cpu_level levels[4];
    const size_t count = a1_cpu_levels(levels);
    for (size_t level = 0; level < count; level++) {
        a1_cpu cpu;
        assert_int_equal(a1_cpu_select(&cpu, levels[level], NULL), ALLIN1_OK);
        for (size_t block = 0; block < BLOCKS; block++) {
            const a1_block_shifts shifts =
                a1_block_shifts_find(block * A1_LANES, LENGTH, LENGTH, 1);
            a1_lane_grid g = {.q = queries,
                              .k = kv + MARGIN + block * A1_LANES,
                              .v = kv + 24 * STRIDE + MARGIN + block * A1_LANES,
                              .stem_stride = STEM,
                              .kv_stride = STRIDE,
                              .pad_k = pad,
                              .pad_v = pad + 24,
                              .position = position[0],
                              .keep = shifts.uniform ? NULL : keep,
                              .out = out};
            for (int write = 0; write < 2; write++) {
                for (size_t i = 0; i < 4 * 24 * A1_LANES; i++) {
                    const size_t stem = i / (24 * A1_LANES), channel = i / A1_LANES % 24;
                    const size_t t = block * A1_LANES + i % A1_LANES;
                    const size_t at = channel / 12 * HEAD + stem * ROW + t * 12 + channel % 12;
                    if (t < LENGTH && write)
                        result[at] = out[i];
                    else if (t < LENGTH)
                        queries[i] = (float)q.values[at];
                }
                for (g.shift = shifts.lowest; g.shift <= shifts.highest && !write; g.shift++)
                    if (shifts.uniform || a1_block_shifts_select(&shifts, g.shift, keep))
                        a1_lane_kernels_get(&cpu)->attend_grid(&g);
            }
        }
        test_close("na2d_H5_W41_d1 with a constant row", result, expected, 2 * HEAD,
                   ATTENTION_TOLERANCE);
    }
    free(kv);
    free(result);
    free(expected);
    free(queries);
    free(out);
    test_array_free(&q);
    test_array_free(&k);
    test_array_free(&v);
    test_array_free(&rpb);
}

static void song_case(const char *name, const char *member, allin1_cpu_level level)
{
    char relative[128];
    snprintf(relative, sizeof relative, "golden/songs/%s/spec.npz", name);
    a1_error err = {0};
    a1_tensor_set *set = test_npz(relative);
    const a1_tensor *spec = a1_tensor_set_find(set, "spec");
    assert_true(spec && spec->rank == 3);
    const size_t frames = spec->shape[1];
    float *input = malloc(4 * frames * 81 * sizeof *input);
    float *logits = malloc(13 * frames * sizeof *logits);
    assert_true(input && logits && a1_tensor_count(spec) == 4 * frames * 81);
    assert_int_equal(a1_tensor_to_f32(spec, input, &err), ALLIN1_OK);
    a1_tensor_set_destroy(&set);
    a1_network *network = test_network(TEST_FOLDS, level);
    const a1_network_output output = {.beat = logits,
                                      .downbeat = logits + frames,
                                      .section = logits + 2 * frames,
                                      .function = logits + 3 * frames};
    a1_pool *pool;
    assert_int_equal(a1_pool_create(&pool, 0, &err), ALLIN1_OK);
    if (a1_network_run(network, pool, input, frames, &output, NULL, NULL, &err) != ALLIN1_OK)
        fail_msg("%s", err.message);
    snprintf(relative, sizeof relative, "golden/songs/%s/%s.npz", name, member);
    set = test_npz(relative);
    compare_logits(name, set, logits, frames);
    a1_tensor_set_destroy(&set);
    a1_pool_destroy(&pool);
    a1_network_destroy(&network);
    free(input);
    free(logits);
}

static void test_songs(void **state)
{
    (void)state;
    song_case("love_theme", "logits", ALLIN1_CPU_AUTO);
    song_case("apex_aleph", "logits_from_stored_spec", ALLIN1_CPU_AUTO);
    song_case("digital_pursuit", "logits_from_stored_spec", ALLIN1_CPU_AUTO);
    song_case("elveszett_lelkek", "logits_from_stored_spec", ALLIN1_CPU_AUTO);
}

static void test_song_levels(void **state)
{
    (void)state;
    allin1_cpu_level levels[4];
    const size_t count = a1_cpu_levels(levels);
    for (size_t level = 0; level < count; level++)
        song_case("victory", "logits", levels[level]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain_attention_1d),
        cmocka_unit_test(test_plain_attention_2d),
        cmocka_unit_test(test_plain_folds),
        cmocka_unit_test(test_attention_1d),
        cmocka_unit_test(test_attention_2d),
        cmocka_unit_test(test_folds),
        cmocka_unit_test(test_songs),
        cmocka_unit_test(test_song_levels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
