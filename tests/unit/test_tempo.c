#include "support/golden.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "tempo/tempo.h"

#define MAX_BEATS 4096

/* Equal counts: histograms of beats a minute and what numpy 1.24.2 makes of them (argsort, last
 * first). It is neither the first nor the last of the equal ones. */
static void test_ties(void **state)
{
    (void)state;
    static const struct {
        struct {
            int bpm, count;
        } bins[9];
        int expected;
    } cases[] = {
        {{{72, 1}, {73, 1}, {77, 1}}, 77},
        {{{76, 2}, {87, 3}, {104, 2}, {143, 3}, {186, 2}, {190, 3}, {212, 2}, {213, 3}}, 213},
        {{{150, 3}, {184, 1}, {194, 3}, {197, 2}}, 194},
        {{{57, 1}, {68, 1}, {99, 3}, {103, 3}, {124, 1}, {199, 1}, {211, 2}}, 103},
        {{{60, 3}, {83, 2}, {87, 2}, {89, 3}, {110, 2}, {126, 3}, {153, 3}, {215, 2}}, 60},
        {{{55, 3}, {57, 3}, {69, 1}, {80, 2}, {104, 1}, {129, 1}, {186, 3}, {215, 1}}, 55},
        {{{56, 3}, {75, 1}, {86, 1}, {123, 2}, {130, 3}, {158, 3}, {174, 3}, {213, 1}}, 174},
        {{{69, 3}, {85, 1}, {140, 2}, {164, 1}, {184, 3}}, 184},
        {{{89, 1}, {94, 2}, {101, 1}, {134, 2}, {160, 3}, {192, 2}, {207, 3}}, 207},
        {{{105, 3}, {109, 3}, {125, 1}, {179, 1}, {205, 1}, {215, 2}}, 105},
        {{{101, 1}, {102, 3}, {112, 2}, {115, 2}, {173, 3}, {204, 2}}, 102},
        {{{56, 3}, {65, 2}, {82, 1}, {199, 3}, {206, 2}}, 56},
        {{{120, 3}, {125, 3}, {129, 1}, {139, 3}, {155, 1}, {170, 1}, {173, 2}}, 125},
        {{{69, 1}, {85, 3}, {107, 3}, {171, 2}}, 85},
        {{{114, 2}, {116, 3}, {117, 2}, {153, 2}, {191, 3}, {199, 3}, {205, 1}}, 191},
        {{{64, 1}, {68, 1}, {100, 3}, {139, 3}, {158, 3}, {177, 2}}, 139},
        {{{86, 3}, {97, 3}, {125, 2}, {161, 1}, {178, 3}, {196, 2}, {201, 2}}, 97},
        {{{58, 3}, {65, 1}, {72, 3}, {87, 2}, {113, 3}, {175, 1}, {206, 2}}, 72},
        /* The next three depend on the length from which the sort divides. */
        {{{83, 3}, {92, 3}, {97, 1}, {100, 2}, {125, 2}, {199, 2}, {211, 2}}, 92},
        {{{65, 3}, {96, 1}, {106, 2}, {115, 3}, {129, 1}, {172, 3}, {193, 2}, {210, 2}}, 65},
        {{{59, 1}, {94, 2}, {100, 1}, {156, 3}, {164, 3}, {172, 1}, {213, 1}}, 164},
        {{{59, 2}, {79, 3}, {123, 3}, {154, 2}, {166, 3}, {186, 3}, {201, 1}}, 123},
    };
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        double beats[64] = {0};
        size_t count = 1;
        for (size_t b = 0; b < 9 && cases[c].bins[b].count; b++)
            for (int k = 0; k < cases[c].bins[b].count; k++, count++)
                beats[count] = beats[count - 1] + 60.0 / cases[c].bins[b].bpm;
        const int found = a1_tempo_bpm(beats, count);
        if (found != cases[c].expected)
            fail_msg("case %zu: %d where %d was expected", c, found, cases[c].expected);
    }
}

static void test_histogram_edges(void **state)
{
    (void)state;
    const double one[] = {1.0}, pair[] = {0.5, 1.0}, slow[] = {0, 60.0, 120.5};
    assert_int_equal(a1_tempo_bpm(NULL, 0), 0);
    assert_int_equal(a1_tempo_bpm(one, 1), 0);
    assert_int_equal(a1_tempo_bpm(pair, 2), 120);
    assert_int_equal(a1_tempo_bpm(slow, 3), 1);
    /* Halves go to the even neighbour: 60 / 0.96 is 62.5, 60 / 0.32 is 187.5. */
    const double even[] = {0, 0.96}, odd[] = {0, 0.32};
    assert_int_equal(a1_tempo_bpm(even, 2), 62);
    assert_int_equal(a1_tempo_bpm(odd, 2), 188);
    /* Beats that stand still or go back have no tempo, nor do not-a-numbers. */
    const double still[] = {1, 1, 1}, back[] = {2, 1, 1.5, 2}, wild[] = {0, NAN, 1, INFINITY};
    assert_int_equal(a1_tempo_bpm(still, 3), 0);
    assert_int_equal(a1_tempo_bpm(back, 4), 120);
    assert_int_equal(a1_tempo_bpm(wild, 4), 0);
    assert_true(a1_tempo_precise(wild, 4) == 0);
    assert_true(a1_tempo_precise(still, 3) == 0);
    const double instant[] = {0, 1e-9, 2e-9};
    assert_int_equal(a1_tempo_bpm(instant, 3), 0);
}

/* A click of `bpm` on a grid of 10 ms; returns the number of beats. */
static size_t click(double *beats, double bpm, double start, double duration)
{
    size_t count = 0;
    for (double k = 0; k * 60 / bpm <= duration && count < MAX_BEATS; k++)
        beats[count++] = rint((start + k * 60 / bpm) * 100) / 100;
    return count;
}

static void test_grid(void **state)
{
    (void)state;
    static double beats[MAX_BEATS];
    double worst = 0;
    size_t wrong = 0;
    for (int bpm = 55; bpm <= 215; bpm++) {
        wrong += a1_tempo_bpm(beats, click(beats, bpm, 0, 30)) != bpm;
        for (int phase = 0; phase < 10; phase++) {
            for (int length = 0; length < 3; length++) {
                const double durations[] = {30, 61, 240};
                const size_t count = click(beats, bpm, 0.0123 + 0.0011 * phase, durations[length]);
                const double off = fabs(a1_tempo_precise(beats, count) - bpm);
                worst = off > worst ? off : worst;
                if (!(off <= 0.05))
                    fail_msg("%d bpm over %g s: off by %g", bpm, durations[length], off);
            }
        }
    }
    print_message("[ NOTE     ] clicks of 55 to 215 bpm: off by %.4f at most; the integer is wrong "
                  "for %zu\n",
                  worst, wrong);
    /* The reason for the second figure: the integer cannot be right on the grid. */
    assert_true(wrong > 50);
}

static void assert_tempo(const char *what, const double *beats, size_t count, double expected,
                         double tolerance)
{
    const double found = a1_tempo_precise(beats, count);
    if (!(fabs(found - expected) <= tolerance))
        fail_msg("%s: %.4f where %.4f was expected, %g allowed", what, found, expected, tolerance);
}

static void test_precise_few_beats(void **state)
{
    (void)state;
    const double none[] = {3.0}, two[] = {1.0, 1.5}, three[] = {0, 0.5, 1.01};
    assert_true(a1_tempo_precise(NULL, 0) == 0);
    assert_true(a1_tempo_precise(none, 1) == 0);
    assert_tempo("two beats", two, 2, 120, 1e-9);
    assert_tempo("three beats", three, 3, 60 / 0.505, 1e-9);
}

/* Every kind of trouble at all tempi: the fit must not be drawn away. */
static void test_precise_faults(void **state)
{
    (void)state;
    static double clean[MAX_BEATS], beats[MAX_BEATS];
    uint64_t random = 5;
    for (int bpm = 57; bpm <= 213; bpm += 6) {
        const size_t count = click(clean, bpm, 0.3, 90);
        size_t n = 0;
        for (size_t i = 0; i < count; i++)
            if (test_random(&random) < 0.8f) /* one in ten is missing */
                beats[n++] = clean[i];
        assert_tempo("missing beats", beats, n, bpm, 0.05);

        n = 0;
        for (size_t i = 0; i < count; i++) {
            beats[n++] = clean[i];
            if (i + 1 < count && test_random(&random) > 0.8f) /* one in ten is doubled */
                beats[n++] = clean[i] + 0.4 * (clean[i + 1] - clean[i]);
        }
        assert_tempo("doubled beats", beats, n, bpm, 0.05);

        /* Jitter of up to 15 ms: the slope's error is below 3 sigma of 9 ms over sqrt(n^3 / 12). */
        for (size_t i = 0; i < count; i++)
            beats[i] = clean[i] + 0.015 * (double)test_random(&random);
        const double sigma = 0.009 * sqrt(12 / pow((double)count, 3)) * bpm * bpm / 60;
        assert_tempo("jitter", beats, count, bpm, 0.05 + 3 * sigma);

        /* A pause of 7.77 s in the middle: the beat goes on elsewhere in time. */
        for (size_t i = 0; i < count; i++)
            beats[i] = clean[i] + (i > count / 2 ? 7.77 : 0);
        assert_tempo("pause", beats, count, bpm, 0.05);
    }
}

static void test_precise_tempo_change(void **state)
{
    (void)state;
    static double beats[MAX_BEATS];
    /* 60 s at 120, then 30 s at another tempo, which never has as many beats: the first decides. */
    for (int other = 60; other <= 210; other += 10) {
        if (other > 112 && other < 128)
            continue; /* within the tolerance of a beat: a drift, not another tempo */
        size_t count = click(beats, 120, 0, 60);
        const double end = beats[count - 1];
        static double rest[MAX_BEATS];
        const size_t more = click(rest, other, 0, 30);
        for (size_t i = 1; i < more; i++)
            beats[count++] = end + rest[i];
        assert_tempo("tempo change", beats, count, 120, 0.05);
    }
    /* A slow drift from 100 to 104: near the mean. */
    double time = 0;
    size_t count = 0;
    while (time < 120) {
        beats[count++] = rint(time * 100) / 100;
        time += 60 / (100 + 4 * time / 120);
    }
    assert_tempo("drift", beats, count, 102, 1.0);
}

/* A steady click on the grid of frames, from 40 to 215 a minute at several phases: flat within 0.1. */
static void test_flat_curve(void **state)
{
    (void)state;
    static double beats[MAX_BEATS], curve[MAX_BEATS];
    for (double bpm = 40; bpm <= 215; bpm += 0.37) {
        for (int phase = 0; phase < 4; phase++) {
            const size_t count = (size_t)(2 * bpm);
            for (size_t i = 0; i < count; i++)
                beats[i] = rint((0.3 + phase * 0.0023 + (double)i * 60 / bpm) * 100) / 100;
            a1_tempo_curve(beats, count, curve);
            for (size_t i = 0; i < count; i++)
                if (!(fabs(curve[i] - bpm) < 0.1))
                    fail_msg("%g a minute: %g at beat %zu", bpm, curve[i], i);
        }
    }
}

/* 100 a minute, then 130 from 60 s on: up to two beats before the change and from two beats after it
 * the curve knows nothing of the other tempo (1 %: windows that hold a beat of the other side). */
static void test_curve_jumps(void **state)
{
    (void)state;
    double beats[256], curve[256], time = 0.2;
    size_t count = 0, change;
    for (; time < 60; time += 0.6)
        beats[count++] = rint(time * 100) / 100;
    change = count;
    for (; time < 120; time += 60.0 / 130)
        beats[count++] = rint(time * 100) / 100;
    a1_tempo_curve(beats, count, curve);
    for (size_t i = 0; i < count; i++) {
        if (i + 1 >= change && i <= change + 1)
            continue;
        const double expected = i < change ? 100 : 130;
        if (!(fabs(curve[i] - expected) < 0.01 * expected))
            fail_msg("%g at beat %zu of %zu", curve[i], i, count);
    }
}

/* An even acceleration is followed; where it begins and ends, windows round the corner off, by as much
 * as moves beats by DEVIATION (3 % of the tempo here). */
static void test_curve_follows(void **state)
{
    (void)state;
    double beats[256], tempo[256], curve[256], time = 0;
    size_t count = 0;
    while (time < 50) {
        tempo[count] = time < 10 ? 100 : time < 40 ? 100 + (time - 10) / 30 * 40 : 140;
        beats[count] = rint(time * 100) / 100;
        time += 60 / tempo[count++];
    }
    a1_tempo_curve(beats, count, curve);
    for (size_t i = 0; i < count; i++)
        if (!(fabs(curve[i] - tempo[i]) < 0.03 * tempo[i]))
            fail_msg("%g instead of %g at %g s", curve[i], tempo[i], beats[i]);
}

/* A beat 60 ms too late and one that is missing do not bend a steady line by more than 0.2. */
static void test_curve_is_robust(void **state)
{
    (void)state;
    double beats[256], curve[256];
    size_t count = 0;
    for (int i = 0; i < 200; i++)
        if (i != 90)
            beats[count++] = rint((i * 0.5 + (i == 50 ? 0.06 : 0)) * 100) / 100;
    a1_tempo_curve(beats, count, curve);
    for (size_t i = 0; i < count; i++)
        if (!(fabs(curve[i] - 120) < 0.2))
            fail_msg("%g at beat %zu", curve[i], i);
    const double lone[] = {3}, pair[] = {1, 1.5}, together[] = {1, 1, 1};
    a1_tempo_curve(lone, 1, curve);
    assert_true(curve[0] == 0);
    a1_tempo_curve(pair, 2, curve);
    assert_true(curve[0] == 120 && curve[1] == 120);
    a1_tempo_curve(together, 3, curve);
    assert_true(curve[0] == 0 && curve[1] == 0 && curve[2] == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ties),           cmocka_unit_test(test_histogram_edges),
        cmocka_unit_test(test_grid),           cmocka_unit_test(test_precise_few_beats),
        cmocka_unit_test(test_precise_faults), cmocka_unit_test(test_precise_tempo_change),
        cmocka_unit_test(test_flat_curve),
        cmocka_unit_test(test_curve_jumps),
        cmocka_unit_test(test_curve_follows),
        cmocka_unit_test(test_curve_is_robust),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
