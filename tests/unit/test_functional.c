#include "support/golden.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "functional/functional.h"
#include "functional/pairwise_sum.h"
#include "functional/sliding_maximum.h"
#include "nn/logistic.h"

#define LABELS 10

static float *random_values(size_t count, uint64_t *random, float step)
{
    float *values = malloc((count + 1) * sizeof *values);
    assert_non_null(values);
    for (size_t i = 0; i < count; i++) {
        const float value = test_random(random);
        values[i] = step > 0 ? step * rintf(value / step) : value;
    }
    return values;
}

static void test_pairwise_known(void **state)
{
    (void)state;
    /* 2^24 + 1 + ... shows the order: a 1 added to 2^24 alone is lost, two of them added first are
     * not. Eight interleaved sums: 16 values, the large one in the first. */
    float values[16] = {16777216.0f};
    values[8] = 1;
    assert_true(a1_pairwise_sum(values, 16) == 16777216.0f);
    values[8] = 0;
    values[2] = values[3] = 1;
    assert_true(a1_pairwise_sum(values, 16) == 16777218.0f);
    values[2] = values[3] = 0;
    values[1] = 1;
    values[2] = 1;
    assert_true(a1_pairwise_sum(values, 16) == 16777216.0f);
    assert_true(a1_pairwise_sum(values, 0) == 0.0f);
    assert_true(a1_pairwise_sum(values, 3) == 16777216.0f); /* short: one after the other */
}

static void test_sliding_sums(void **state)
{
    (void)state;
    const size_t windows[] = {1,    2,    7,    8,    9,    15,   16,   17,  31,  64,
                              127,  128,  129,  130,  136,  144,  255,  256, 300, 600,
                              1000, 1023, 1025, 1200, 1999, 2400, 2999, 3000};
    const size_t count = 3000;
    uint64_t random = 9;
    float *values = random_values(count, &random, 0);
    float *sums = malloc(count * sizeof *sums);
    assert_non_null(sums);
    for (size_t w = 0; w < sizeof windows / sizeof *windows; w++) {
        const size_t window = windows[w];
        assert_int_equal(a1_sliding_pairwise_sums(values, count, window, sums, NULL), ALLIN1_OK);
        for (size_t s = 0; s + window <= count; s++) {
            const float direct = a1_pairwise_sum(values + s, window);
            if (memcmp(&direct, &sums[s], sizeof direct) != 0)
                fail_msg("window %zu at %zu: %.9g where %.9g was expected", window, s,
                         (double)sums[s], (double)direct);
        }
    }
    free(sums);
    free(values);
}

static void test_sliding_maximum(void **state)
{
    (void)state;
    uint64_t random = 2;
    for (int run = 0; run < 300; run++) {
        const size_t count = (size_t)run % 70;
        const size_t past = (size_t)run * 7 % 31, future = (size_t)run * 5 % 23;
        float *values = random_values(count, &random, run % 3 ? 0.25f : 0);
        bool found[70];
        assert_int_equal(a1_sliding_maximum(values, count, past, future, found, NULL), ALLIN1_OK);
        for (size_t t = 0; t < count; t++) {
            bool expected = true;
            for (size_t i = t > past ? t - past : 0; i < count && i <= t + future; i++)
                expected = expected && values[i] <= values[t];
            assert_true(found[t] == expected);
        }
        free(values);
    }
}

static void test_local_maxima(void **state)
{
    (void)state;
    uint64_t random = 4;
    a1_error err;
    float out[300];
    assert_int_equal(a1_local_maxima(NULL, 0, 97, out, &err), ALLIN1_OK);
    float *logits = random_values(300, &random, 0.125f);
    assert_int_equal(a1_local_maxima(logits, 300, 96, out, &err), ALLIN1_ERROR_ARGUMENT);
    assert_non_null(strstr(err.message, "odd"));
    const size_t windows[] = {1, 3, 97, 599, 601, 100001};
    for (size_t w = 0; w < 6; w++) {
        const size_t half = windows[w] / 2;
        assert_int_equal(a1_local_maxima(logits, 300, windows[w], out, &err), ALLIN1_OK);
        for (size_t t = 0; t < 300; t++) {
            bool kept = true;
            for (size_t i = 0; i < 300; i++)
                if ((i > t ? i - t : t - i) <= half && logits[i] > logits[t])
                    kept = false;
            assert_true(out[t] == (kept ? a1_logistic_f32(logits[t]) : 0.0f));
        }
    }
    logits[17] = NAN;
    assert_int_equal(a1_local_maxima(logits, 300, 97, out, &err), ALLIN1_ERROR_ARGUMENT);
    assert_non_null(strstr(err.message, "17"));
    free(logits);
}

/* The definition, frame by frame. */
static float strength_at(const float *values, size_t count, size_t t, size_t past, size_t future)
{
    float *window = calloc(past + future, sizeof *window);
    assert_non_null(window);
    bool peak = values[t] > 0;
    for (size_t k = 1; k <= past; k++)
        window[past - k] = t >= k ? values[t - k] : 0;
    for (size_t k = 1; k <= future; k++)
        window[past + k - 1] = t + k < count ? values[t + k] : 0;
    for (size_t i = 0; i < past + future; i++)
        peak = peak && window[i] <= values[t];
    const float before = a1_pairwise_sum(window, past) / (float)past;
    const float after = a1_pairwise_sum(window + past, future) / (float)future;
    free(window);
    return peak ? values[t] - (before + after) / 2 : 0;
}

static void test_peak_strength(void **state)
{
    (void)state;
    const size_t sides[][2] = {{1, 1}, {12, 6}, {6, 12}, {50, 50}, {300, 170}, {1200, 1200}};
    uint64_t random = 6;
    a1_error err;
    for (size_t s = 0; s < sizeof sides / sizeof *sides; s++) {
        for (size_t count = 1; count < 700; count = 2 * count + 1) {
            float *values = random_values(count, &random, 0.25f), out[700];
            assert_int_equal(a1_peak_strength(values, count, sides[s][0], sides[s][1], out, &err),
                             ALLIN1_OK);
            for (size_t t = 0; t < count; t++) {
                const float expected = strength_at(values, count, t, sides[s][0], sides[s][1]);
                if (out[t] != expected)
                    fail_msg("%zu and %zu frames around %zu of %zu: %.9g, expected %.9g",
                             sides[s][0], sides[s][1], t, count, (double)out[t], (double)expected);
            }
            free(values);
        }
    }
    float value = 1, out;
    assert_int_equal(a1_peak_strength(&value, 0, 5, 5, &out, &err), ALLIN1_OK);
    assert_int_equal(a1_peak_strength(&value, 1, 0, 5, &out, &err), ALLIN1_ERROR_ARGUMENT);
    assert_int_equal(a1_peak_strength(&value, 1, 5, 0, &out, &err), ALLIN1_ERROR_ARGUMENT);
    assert_int_equal(a1_peak_strength(&value, SIZE_MAX, 5, 5, &out, &err), ALLIN1_ERROR_MEMORY);
}

static void test_segments(void **state)
{
    (void)state;
    enum { FRAMES = 3500 }; /* no frame is 12 s away from all of the peaks below */
    a1_segments segments;
    a1_error err;
    assert_int_equal(a1_functional_segments(NULL, NULL, 0, &segments, &err), ALLIN1_OK);
    assert_int_equal(segments.count, 0);
    assert_null(segments.items);

    float *section = malloc(FRAMES * sizeof *section);
    float *function = calloc(LABELS * FRAMES, sizeof *function);
    assert_non_null(section);
    assert_non_null(function);
    for (size_t t = 0; t < FRAMES; t++)
        section[t] = -6;
    section[0] = section[1100] = section[2300] = 3;
    for (size_t t = 0; t < FRAMES; t++) {
        const size_t label = t < 1100 ? 2 : t < 2300 ? 8 : 9;
        function[label * FRAMES + t] = 4;
    }
    assert_int_equal(a1_functional_segments(section, function, FRAMES, &segments, &err), ALLIN1_OK);
    assert_int_equal(segments.count, 3);
    const double starts[] = {0, 11, 23, 35};
    const unsigned labels[] = {2, 8, 9};
    const double probability = exp(4) / (exp(4) + 9);
    for (size_t i = 0; i < 3; i++) {
        assert_true(segments.items[i].start == starts[i]);
        assert_true(segments.items[i].end == starts[i + 1]);
        assert_int_equal(segments.items[i].label, labels[i]);
        /* A mean of 1,200 equal floats, summed pairwise. */
        assert_true(fabs(segments.items[i].label_probability - probability) < 1e-6);
    }
    a1_segments_free(&segments);
    assert_null(segments.items);
    a1_segments_free(&segments);

    /* Without a boundary at frame 0 the first segment begins there all the same. */
    section[0] = -6;
    assert_int_equal(a1_functional_segments(section, function, FRAMES, &segments, &err), ALLIN1_OK);
    assert_int_equal(segments.count, 3);
    assert_true(segments.items[0].start == 0 && segments.items[0].end == 11);
    a1_segments_free(&segments);

    /* Sections that are impossible everywhere: one segment, the first of the labels in a tie. */
    for (size_t t = 0; t < FRAMES; t++)
        section[t] = -300;
    memset(function, 0, LABELS * FRAMES * sizeof *function);
    assert_int_equal(a1_functional_segments(section, function, FRAMES, &segments, &err), ALLIN1_OK);
    assert_int_equal(segments.count, 1);
    assert_int_equal(segments.items[0].label, 0);
    assert_true(segments.items[0].start == 0 && segments.items[0].end == 35);
    assert_true(fabs(segments.items[0].label_probability - 0.1) < 1e-6);
    a1_segments_free(&segments);

    function[3 * FRAMES + 5] = NAN;
    assert_int_equal(a1_functional_segments(section, function, FRAMES, &segments, &err),
                     ALLIN1_ERROR_ARGUMENT);
    assert_non_null(strstr(err.message, "frame 5"));
    assert_null(segments.items);
    function[3 * FRAMES + 5] = INFINITY;
    assert_int_equal(a1_functional_segments(section, function, FRAMES, &segments, &err),
                     ALLIN1_ERROR_ARGUMENT);
    assert_int_equal(a1_functional_segments(section, function, SIZE_MAX, &segments, &err),
                     ALLIN1_ERROR_MEMORY);
    free(section);
    free(function);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pairwise_known),  cmocka_unit_test(test_sliding_sums),
        cmocka_unit_test(test_sliding_maximum), cmocka_unit_test(test_local_maxima),
        cmocka_unit_test(test_peak_strength),   cmocka_unit_test(test_segments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
