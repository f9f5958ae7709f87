/* What a student's result tells of itself. */
#include "support/golden.h"
#include "support/sandbox.h"

#include <math.h>
#include <string.h>

#include "evidence.h"

#define FRAMES 1000

static void names(void **state)
{
    (void)state;
    for (size_t i = 0; i < ALLIN1_EVIDENCE; i++)
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(allin1_evidence_name(i), allin1_evidence_name(k));
    assert_null(allin1_evidence_name(ALLIN1_EVIDENCE));
}

static void calibrations(void **state)
{
    (void)state;
    a1_calibration c;
    double evidence[ALLIN1_EVIDENCE] = {0.5, 0.25};
    assert_int_equal(a1_calibration_read(&c, NULL, "x", NULL), ALLIN1_OK);
    assert_true(isnan(a1_calibration_apply(&c, evidence)));
    assert_int_equal(a1_calibration_read(&c, "between=-2  constant=-1.5 beat=4", "x", NULL),
                     ALLIN1_OK);
    assert_true(a1_calibration_apply(&c, evidence) == 0.5); /* -1.5 + 4 / 2 - 2 / 4 is 0 */
    evidence[0] = 0.75;
    assert_true(a1_calibration_apply(&c, evidence) == 0.7311);
    static const char *const wrong[] = {"beat", "beat=", "beat=x", "mood=1", "=1", "beat=1.2.3",
                                        "beat=--1", "beat=1,between=2", "beat=1e5",
                                        "constant=1234567890123456789012345"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        a1_error err = {0};
        assert_int_equal(a1_calibration_read(&c, wrong[i], "file.a1w", &err), ALLIN1_ERROR_FORMAT);
        expect_text(err.message, "file.a1w: the text value confidence holds");
    }
}

static double logit(double p)
{
    return log(p / (1 - p));
}

/* A beat every half second from 1 s to 5 s, of probability 0.8, every fourth a downbeat of 0.6; 0.1
 * half-way; else 0.001. */
static void evidence_of_a_steady_song(void **state)
{
    (void)state;
    static float beat[FRAMES], downbeat[FRAMES];
    double times[9], sure[9], evidence[ALLIN1_EVIDENCE];
    unsigned positions[9];
    for (size_t t = 0; t < FRAMES; t++)
        beat[t] = downbeat[t] = (float)logit(0.001);
    for (size_t i = 0; i < 9; i++) {
        const size_t at = 100 + 50 * i;
        times[i] = (double)at / 100;
        positions[i] = (unsigned)(i % 4 + 1);
        sure[i] = i % 4 ? 0.5 : 0.9;
        beat[at + 1] = (float)logit(0.8); /* a frame beside it counts as well */
        beat[at + 25] = (float)logit(0.1);
        if (positions[i] == 1)
            downbeat[at] = (float)logit(0.6);
    }
    const a1_beats beats = {.count = 9, .times = times, .positions = positions};
    const a1_confidences confidences = {.beats = sure, .downbeats = sure, .tempo = 0.75};
    a1_evidence_measure(beat, downbeat, FRAMES, 100, &beats, &confidences, evidence);
    const double expected[ALLIN1_EVIDENCE] = {
        0.8, 0.1, 0.6, (3 * 0.9 + 6 * 0.5) / 9, 0.9, 0.75, 1, 0.45};
    for (size_t i = 0; i < ALLIN1_EVIDENCE; i++)
        if (!(fabs(evidence[i] - expected[i]) < 1e-6)) /* probabilities are float32 */
            fail_msg("%s is %g, not %g", allin1_evidence_name(i), evidence[i], expected[i]);

    /* One late beat of nine. */
    times[4] += 0.1;
    a1_evidence_measure(beat, downbeat, FRAMES, 100, &beats, &confidences, evidence);
    const double uneven = (log(0.6 / 0.5) + log(0.6 / 0.4) + log(0.5 / 0.4)) / 7;
    assert_true(fabs(evidence[6] - exp(-10 * uneven)) < 1e-9);
    assert_true(evidence[0] < 0.8);
}

static void evidence_of_nothing(void **state)
{
    (void)state;
    static const float none[FRAMES];
    double one = 1, evidence[ALLIN1_EVIDENCE];
    unsigned position = 1;
    const a1_confidences confidences = {.beats = &one, .downbeats = &one, .tempo = NAN};
    for (size_t count = 0; count < 2; count++) {
        const a1_beats beats = {.count = count, .times = &one, .positions = &position};
        a1_evidence_measure(none, none, FRAMES, 100, &beats, &confidences, evidence);
        for (size_t i = 0; i < ALLIN1_EVIDENCE; i++)
            assert_true(evidence[i] == 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),
        cmocka_unit_test(calibrations),
        cmocka_unit_test(evidence_of_a_steady_song),
        cmocka_unit_test(evidence_of_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
