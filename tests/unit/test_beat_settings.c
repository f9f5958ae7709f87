/* What musicians ask for, and what the beat decoder makes of it. */
#include "support/golden.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "beat_settings.h"
#include "tempo/tempo.h"

static a1_metrical_settings resolve(const allin1_settings *settings)
{
    a1_metrical_settings beats;
    a1_error err = {0};
    if (a1_beat_settings(settings, &beats, &err) != ALLIN1_OK)
        fail_msg("%s", err.message);
    return beats;
}

static void nothing_asked_is_the_reference(void **state)
{
    (void)state;
    allin1_settings settings;
    a1_metrical_settings expected;
    allin1_settings_default(&settings);
    a1_metrical_settings_default(&expected);
    const a1_metrical_settings found = resolve(&settings);
    assert_memory_equal(&found, &expected, sizeof found);
}

static void equal_wishes_are_equal(void **state)
{
    (void)state;
    allin1_settings one, two;
    allin1_settings_default(&one);
    two = one;
    one.metres[0] = (allin1_metre){7, 0.5};
    one.metres[1] = (allin1_metre){3, 1};
    one.metres[2] = (allin1_metre){4, 2};
    two.metres[0] = (allin1_metre){3, 2};
    two.metres[1] = (allin1_metre){4, 4};
    two.metres[2] = (allin1_metre){7, 1};
    one.metre_count = two.metre_count = 3;
    const a1_metrical_settings a = resolve(&one), b = resolve(&two);
    assert_memory_equal(&a, &b, sizeof a);
    assert_int_equal(a.metre_count, 3);
    assert_int_equal(a.beats_per_bar[2], 7);
    assert_true(a.weights[0] == 0.5 && a.weights[1] == 1 && a.weights[2] == 0.25);
}

static void ranges(void **state)
{
    (void)state;
    allin1_settings settings;
    allin1_settings_default(&settings);
    settings.tempo_hint = 140;
    a1_metrical_settings beats = resolve(&settings);
    assert_true(fabs(beats.min_bpm - 98.995) < 0.001 && fabs(beats.max_bpm - 197.990) < 0.001);
    settings.max_bpm = 150;
    beats = resolve(&settings);
    assert_true(fabs(beats.min_bpm - 98.995) < 0.001 && beats.max_bpm == 150);
    settings.tempo_hint = 0;
    beats = resolve(&settings);
    assert_true(beats.min_bpm == 55 && beats.max_bpm == 150);
    assert_true(isnan(settings.transition_lambda) && beats.transition_lambda == 100);
    settings.min_bpm = 10;
    settings.max_bpm = 600;
    settings.transition_lambda = 0;
    beats = resolve(&settings);
    assert_true(beats.min_bpm == 10 && beats.max_bpm == 600 && beats.transition_lambda == 0);
    settings.tempo_hint = 12; /* the bounds hold */
    beats = resolve(&settings);
    assert_true(beats.min_bpm == 10 && beats.max_bpm == 600);
}

static void refused(const allin1_settings *settings, const char *reason)
{
    a1_metrical_settings beats;
    a1_error err = {0};
    assert_int_equal(a1_beat_settings(settings, &beats, &err), ALLIN1_ERROR_ARGUMENT);
    if (!strstr(err.message, reason))
        fail_msg("\"%s\" is missing in: %s", reason, err.message);
}

static void what_cannot_be(void **state)
{
    (void)state;
    allin1_settings good, bad;
    allin1_settings_default(&good);
#define REFUSED(assignment, reason)                                                                \
    do {                                                                                           \
        bad = good;                                                                                \
        bad.assignment;                                                                            \
        refused(&bad, reason);                                                                     \
    } while (0)
    REFUSED(min_bpm = 9.9, "slowest tempo");
    REFUSED(min_bpm = NAN, "slowest tempo");
    REFUSED(min_bpm = -1, "slowest tempo");
    REFUSED(max_bpm = 601, "fastest tempo");
    REFUSED(tempo_hint = 1000, "hinted tempo");
    REFUSED(min_bpm = 215, "if none is given");
    REFUSED(max_bpm = 55, "if none is given");
    REFUSED(transition_lambda = -1, "transition lambda");
    REFUSED(transition_lambda = INFINITY, "transition lambda");
    REFUSED(metre_count = 12, "12 metres");
    good.min_bpm = 100;
    good.max_bpm = 200;
    REFUSED(min_bpm = 200, "not below");
    REFUSED(tempo_hint = 90, "between 100 and 200");
    good.min_bpm = 110.2;
    REFUSED(max_bpm = 110.9, "whole number of frames"); /* 54.10 to 54.45 frames */
    allin1_settings_default(&good);
    good.metre_count = 2;
    good.metres[0] = (allin1_metre){3, 1};
    good.metres[1] = (allin1_metre){4, 1};
    REFUSED(metres[0].beats = 1, "1 beats a bar");
    REFUSED(metres[1].beats = 13, "13 beats a bar");
    REFUSED(metres[1].beats = 3, "twice");
    REFUSED(metres[0].weight = 0, "weight of 3");
    REFUSED(metres[0].weight = NAN, "weight of 3");
    REFUSED(metres[1].weight = 1e9, "weight of 4");
#undef REFUSED
}

/* A song at 140 a minute whose every second beat is weak comes out at 70; asked for about 140, at 140;
 * and asked for about 70, at 70. */
static void a_hint_chooses_the_octave(void **state)
{
    (void)state;
    enum { FRAMES = 6000 };
    static float activations[2 * FRAMES];
    const double interval = 60.0 * 100 / 140;
    for (size_t t = 0; t < FRAMES; t++) {
        const double index = rint((double)t / interval), off = (double)t - index * interval;
        const double strength = fmod(index, 2) != 0 ? 0.18 : 0.9, peak = strength * exp(-off * off / 3);
        const bool downbeat = fmod(index, 8) == 0;
        activations[2 * t] = (float)(downbeat ? 0.01 : peak) + 0.001f;
        activations[2 * t + 1] = (float)(downbeat ? peak : 0.01) + 0.001f;
    }
    static const struct {
        double hint, expected;
    } cases[] = {{0, 70}, {140, 140}, {150, 140}, {70, 70}, {65, 70}};
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        allin1_settings settings;
        allin1_settings_default(&settings);
        settings.tempo_hint = cases[c].hint;
        const a1_metrical_settings beats = resolve(&settings);
        a1_metrical *model;
        a1_beats found;
        assert_int_equal(a1_metrical_create(&model, &beats, NULL, NULL), ALLIN1_OK);
        assert_int_equal(a1_metrical_decode(model, NULL, activations, FRAMES, &found, NULL),
                         ALLIN1_OK);
        const double tempo = a1_tempo_precise(found.times, found.count);
        if (!(fabs(tempo - cases[c].expected) < 0.2))
            fail_msg("hint %g: %g a minute instead of %g", cases[c].hint, tempo,
                     cases[c].expected);
        a1_beats_free(&found);
        a1_metrical_destroy(&model);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_asked_is_the_reference),
        cmocka_unit_test(equal_wishes_are_equal),
        cmocka_unit_test(ranges),
        cmocka_unit_test(what_cannot_be),
        cmocka_unit_test(a_hint_chooses_the_octave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
