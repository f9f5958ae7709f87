/* The network against numbers made with the reference implementation. */
#include "support/golden.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "network/fold_weights.h"
#include "network/network.h"
#include "network/plain_network.h"
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
    static const char *const known[] = {"embed",         "block0_time", "block0",
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
        /* The residual stream grows to +-530, where one float32 step is 6e-5: the goldens are float32
         * themselves, so it is held to 2e-6 of its peak (17 steps after 22 layers). */
        double peak = 0;
        for (size_t t = 0; t < count; t++)
            peak = fabs(expected[t]) > peak ? fabs(expected[t]) : peak;
        compare_doubles(name, picked, expected, count, fmax(TOLERANCE, 2e-6 * peak));
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

static void plain_fold_case(const char *name, size_t frames, int with_states)
{
    char relative[64];
    snprintf(relative, sizeof relative, "golden/unit/%s.npz", name);
    a1_tensor_set *golden = test_npz(relative), *set = test_fold(0);
    a1_fold_weights *weights = malloc(sizeof *weights);
    double *logits = malloc(13 * frames * sizeof *logits);
    float *rounded = malloc(13 * frames * sizeof *rounded);
    assert_true(weights && logits && rounded);
    a1_error err = {0};
    if (a1_fold_weights_load(weights, set, &err) != ALLIN1_OK)
        fail_msg("%s", err.message);
    const a1_tensor *input = a1_tensor_set_find(golden, "input");
    assert_true(input && a1_tensor_count(input) == 4 * frames * 81 && input->dtype == A1_F32);
    observed seen = {golden, 0};
    assert_int_equal(plain_network_fold(weights, input->data, frames, logits,
                                        with_states ? observe : NULL, &seen),
                     0);
    assert_int_equal(seen.seen, with_states ? 6 : 0);
    for (size_t i = 0; i < 13 * frames; i++)
        rounded[i] = (float)logits[i];
    compare_logits(name, golden, rounded, frames);
    a1_tensor_set_destroy(&golden);
    free(rounded);
    free(logits);
    free(weights);
    a1_tensor_set_destroy(&set);
}

static void test_plain_folds(void **state)
{
    (void)state;
    plain_fold_case("fold0_T1", 1, 0);
    plain_fold_case("fold0_T7", 7, 0);
    plain_fold_case("fold0_T30", 30, 0);
    plain_fold_case("fold0_T700", 700, 1);
    plain_fold_case("fold0_T3000", 3000, 1);
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
    song_case("victory", "logits", ALLIN1_CPU_AUTO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain_attention_1d),
        cmocka_unit_test(test_plain_attention_2d),
        cmocka_unit_test(test_plain_folds),
        cmocka_unit_test(test_songs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
