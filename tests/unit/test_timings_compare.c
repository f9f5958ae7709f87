/* Comparing timings: noise, the status of each stage, and the causes that records show. */
#include "support/golden.h"
#include "support/sandbox.h"
#include "support/timing_lines.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "timings/timing_statistics.h"

/* Passes over one track, each a stage `name` of so many seconds. */
static allin1_timing_records *passes(const char *name, const double *seconds, size_t count)
{
    allin1_timing_records *t = new_timings("t");
    for (size_t i = 0; i < count; i++)
        feed_stage(t, name, (double)(10 * i), seconds[i], "/a.wav");
    return t;
}

#define PASSES(...)                                                                                \
    passes("nn", (const double[]){__VA_ARGS__},                                                    \
           sizeof((const double[]){__VA_ARGS__}) / sizeof(double))

/* Frees both timings. */
static allin1_timing_comparison *versus(allin1_timing_records *before, allin1_timing_records *after,
                                        const char *expected)
{
    allin1_timing_comparison *c = compare_timings(before, after, expected);
    allin1_timing_records_free(&before);
    allin1_timing_records_free(&after);
    return c;
}

/* Tables of Student's t; 1.5 % is what the function promises. */
static void points_of_student(void **state)
{
    (void)state;
    static const double table[][2] = {{1, 12.7062}, {1.5, 6.0167}, {2, 4.3027},   {2.5, 3.5747},
                                      {3, 3.1824},  {4, 2.7764},   {4.5, 2.6589}, {5, 2.5706},
                                      {10, 2.2281}, {30, 2.0423},  {1e9, 1.95996}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const double point = a1_student_point(table[i][0]);
        if (!(fabs(point / table[i][1] - 1) < 0.015))
            fail_msg("%g degrees of freedom: %g, not %g", table[i][0], point, table[i][1]);
    }
}

static void medians_and_their_errors(void **state)
{
    (void)state;
    double values[] = {5, 1, 2, 4, 3};
    assert_true(a1_median(values, 5) == 3);
    assert_true(a1_median(values, 4) == 2.5);
    assert_true(isnan(a1_median(values, 0)));
    assert_true(isnan(a1_estimate_median(values, 1).variance));
    double two[] = {1, 3}; /* variance 2, of the mean 1 */
    assert_true(fabs(a1_estimate_median(two, 2).variance - 1) < 1e-12);
    /* One disturbed measurement of five does not count. */
    double calm[] = {1.00, 1.01, 1.02, 1.03, 1.04}, disturbed[] = {1.00, 1.01, 1.02, 1.03, 99};
    const a1_estimate x = a1_estimate_median(calm, 5), y = a1_estimate_median(disturbed, 5);
    assert_true(x.value == y.value && fabs(x.variance - y.variance) < 1e-15);
    assert_true(x.freedom == 2);
}

static double uniform(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (double)(*seed >> 11) / 9007199254740992.0;
}

/* A sum of twelve uniforms: normal enough. */
static double normal(uint64_t *seed)
{
    double sum = -6;
    for (int i = 0; i < 12; i++)
        sum += uniform(seed);
    return sum;
}

/* The interval covers the true speed-up at least as often as it says, for few and for many passes.
 * The bound: 95 %, less three standard errors of the count of 2,000 trials, 0.95 - 3 sqrt(0.95 *
 * 0.05 / 2000). */
static void intervals_hold_what_they_say(void **state)
{
    (void)state;
    uint64_t seed = 7;
    static const size_t counts[] = {2, 3, 5, 10, 25};
    for (size_t k = 0; k < sizeof counts / sizeof *counts; k++) {
        int covered = 0;
        const int trials = 2000;
        for (int trial = 0; trial < trials; trial++) {
            double a[25], b[25];
            for (size_t i = 0; i < counts[k]; i++) {
                a[i] = 2 * (1 + 0.03 * normal(&seed));
                b[i] = 1 * (1 + 0.05 * normal(&seed));
            }
            const a1_estimate x = a1_estimate_median(a, counts[k]);
            const a1_estimate y = a1_estimate_median(b, counts[k]);
            covered += fabs(log(x.value / y.value) - log(2)) <= a1_log_ratio_margin(x, y);
        }
        if (covered < trials * (0.95 - 3 * sqrt(0.95 * 0.05 / trials)))
            fail_msg("%zu passes: %d of %d intervals hold the speed-up", counts[k], covered,
                     trials);
    }
}

static void noise_is_no_change(void **state)
{
    (void)state;
    allin1_timing_comparison *c =
        versus(PASSES(1.00, 1.10, 0.95, 1.05, 1.02), PASSES(0.97, 1.08, 1.01, 0.93, 1.04), NULL);
    const allin1_timing_row *row = row_of(c, "nn");
    assert_int_equal(row->status, ALLIN1_TIMING_NO_CHANGE);
    assert_true(row->speed_up_low < 1 && row->speed_up_high > 1);
    assert_int_equal(row->before_runs, 5);
    char *text;
    assert_int_equal(allin1_timing_comparison_report(c, ALLIN1_REPORT_TEXT, &text, NULL),
                     ALLIN1_OK);
    expect_text(text, "no change beyond the noise");
    expect_text(text, "95 %");
    allin1_string_free(text);
    allin1_timing_comparison_free(&c);

    /* The same difference without the scatter. */
    c = versus(PASSES(1.020, 1.021, 1.019, 1.020, 1.022), PASSES(0.93, 0.931, 0.929, 0.93, 0.932),
               NULL);
    row = row_of(c, "nn");
    assert_int_equal(row->status, ALLIN1_TIMING_OK);
    assert_true(row->speed_up_low > 1.08 && row->speed_up_high < 1.12);
    allin1_timing_comparison_free(&c);

    /* However sure, half a percent is nothing to speak of. */
    c = versus(PASSES(1.00000, 1.00001, 1.00002), PASSES(0.99500, 0.99501, 0.99502), NULL);
    assert_int_equal(row_of(c, "nn")->status, ALLIN1_TIMING_NO_CHANGE);
    allin1_timing_comparison_free(&c);
}

/* Many songs, each once: the songs are the repetitions, whatever their lengths. */
static void songs_serve_as_repetitions(void **state)
{
    (void)state;
    allin1_timing_records *before = new_timings("b"), *after = new_timings("a");
    for (int i = 0; i < 8; i++) {
        char name[16];
        snprintf(name, sizeof name, "/%d.wav", i);
        feed_stage(before, "nn", 0, 1 + i, name);
        feed_stage(after, "nn", 0, (1 + i) * (i % 2 ? 0.50 : 0.51), name);
    }
    allin1_timing_comparison *c = versus(before, after, NULL);
    const allin1_timing_row *row = row_of(c, "nn");
    assert_true(row->speed_up_low > 1.9 && row->speed_up_high < 2.1);
    assert_true(fabs(row->before - 36) < 1e-9);
    allin1_timing_comparison_free(&c);
}

/* The status of a stage that took 1 s and now takes `after`. */
static void each_status(void **state)
{
    (void)state;
    static const struct {
        double after;
        const char *expected;
        allin1_timing_status status;
        int missed;
    } cases[] = {
        {1.00, NULL, ALLIN1_TIMING_NO_CHANGE, 0},
        {0.98, NULL, ALLIN1_TIMING_NO_CHANGE, 0}, /* below 3 % of one run */
        {0.95, NULL, ALLIN1_TIMING_OK, 0},
        {0.50, NULL, ALLIN1_TIMING_EXCELLENT, 0},
        {1.05, NULL, ALLIN1_TIMING_SLOWER, 0},
        {0.40, "nn=2-3", ALLIN1_TIMING_OK, 0},
        {0.50, "nn=2-3", ALLIN1_TIMING_OK, 0},
        {0.33, "nn=2-3", ALLIN1_TIMING_EXCELLENT, 0},
        {0.10, "nn=2", ALLIN1_TIMING_OK, 0},        /* no upper bound to exceed */
        {0.51, "nn=2-3", ALLIN1_TIMING_PARTIAL, 1}, /* 0.49 of 0.5 s */
        {0.83, "nn=2-3", ALLIN1_TIMING_PARTIAL, 1}, /* 0.17 s: just over a third */
        {0.84, "nn=2-3", ALLIN1_TIMING_ISSUE, 1},
        {1.00, "nn=2-3", ALLIN1_TIMING_ISSUE, 1},
        {1.50, "nn=2-3", ALLIN1_TIMING_ISSUE, 1},
        {0.98, "nn=1.05", ALLIN1_TIMING_ISSUE, 1}, /* within the noise: not shown */
        {1.00, "nn=1", ALLIN1_TIMING_OK, 0},
        {1.02, "nn=1", ALLIN1_TIMING_NO_CHANGE, 0}, /* no slower than noise */
        {1.05, "nn=1", ALLIN1_TIMING_SLOWER, 1},
        {1.05, "nn=0.9", ALLIN1_TIMING_OK, 0},
        {1.05, "total=1", ALLIN1_TIMING_SLOWER, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *expected = cases[i].expected;
        allin1_timing_comparison *c = versus(PASSES(1.0), PASSES(cases[i].after), expected);
        const bool total = expected && strncmp(expected, "total", 5) == 0;
        const allin1_timing_row *row = row_of(c, total ? "total" : "nn");
        if (row->status != cases[i].status || row->missed != cases[i].missed ||
            c->missed != (size_t)cases[i].missed)
            fail_msg("%g s, expected %s: %s, missed %d", cases[i].after, expected,
                     allin1_timing_status_string(row->status), row->missed);
        assert_int_equal(finding_of(c, ALLIN1_FINDING_MISSED, NULL) != NULL, cases[i].missed);
        allin1_timing_comparison_free(&c);
    }
}

static void alternatives_and_backends(void **state)
{
    (void)state;
    const char *line =
        "{\"stage\": \"nn\", \"duration\": %g, \"track\": \"a\", \"backend\": \"%s\"}";
    for (int ran = 0; ran < 2; ran++) {
        allin1_timing_records *before = new_timings("b"), *after = new_timings("a");
        feed_line(before, line, 1.0, "slow");
        feed_line(after, line, 0.45, ran ? "fast" : "slow");
        allin1_timing_comparison *c = versus(before, after, "nn=5@faster,nn=2-3@fast,nn=4@other");
        const allin1_timing_row *row = row_of(c, "nn");
        /* Only the promise of the backend that ran counts; else all of them. */
        assert_true(row->expected_low == 2);
        assert_true(row->expected_high == (ran ? 3 : 5));
        assert_int_equal(row->missed, 0);
        allin1_timing_comparison_free(&c);
    }
}

static void wrong_expectations(void **state)
{
    (void)state;
    static const char *const wrong[] = {"nn",     "nn=",    "=2",      "nn=x",   "nn=2-",
                                        "nn=2-1", "nn=0",   "nn=-2",   "nn=2@",  "nn=2,",
                                        "nn=2 ",  "nn=nan", "nn=1e99", "nn=inf", ",nn=2"};
    allin1_timing_records *t = PASSES(1.0);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        allin1_timing_comparison *c;
        allin1_error error;
        if (allin1_timing_compare(t, t, wrong[i], &c, &error) != ALLIN1_ERROR_ARGUMENT)
            fail_msg("\"%s\" was taken", wrong[i]);
        expect_text(error.message, "STAGE=LOW-HIGH");
        assert_null(c);
    }
    /* A stage that nobody recorded cannot keep its promise. */
    allin1_timing_comparison *c = compare_timings(t, t, "spectogram=2x-3x");
    assert_int_equal(c->missed, 1);
    expect_text(finding_of(c, ALLIN1_FINDING_MISSED, "spectogram")->title,
                "neither file has such a stage");
    allin1_timing_comparison_free(&c);
    allin1_timing_records_free(&t);
}

/* One record of this program with the facts that a cause is read from. */
static void feed_facts(allin1_timing_records *t, double start, double seconds, const char *facts)
{
    feed_line(t,
              "{\"stage\": \"demix\", \"start\": %g, \"end\": %.6f, \"track\": \"/a.wav\", "
              "\"run\": \"%p\", \"version\": \"1\", %s}",
              start, start + seconds, (void *)t, facts);
}

static void causes_that_records_show(void **state)
{
    (void)state;
    static const struct {
        const char *before, *after, *cause, *command;
    } cases[] = {
        {"\"threads\": 8", "\"threads\": 2", "The number of threads differs: 8 before, 2 after",
         "--threads 8"},
        {"\"cpu_level\": \"avx512\"", "\"cpu_level\": \"scalar\"",
         "The level of the processor differs: avx512 before, scalar after", "--cpu-level avx512"},
        {"\"processor\": \"A\"", "\"processor\": \"B\"", "The processor differs: A before, B after",
         NULL},
        {"\"precision\": \"bf16\"", "\"precision\": \"fp32\"",
         "The precision differs: bf16 before, fp32 after", "--precision bf16"},
        {"\"precision\": \"fp32\"", "\"precision_requested\": \"bf16\", \"precision\": \"fp32\"",
         "asked for was bf16, and fp32 ran", "--precision bf16"},
        {"\"audio_seconds\": 100", "\"audio_seconds\": 190",
         "The audio is not as long: 100.0 s before, 190.0 s after. For each second of audio the "
         "speed-up is 2.00x",
         NULL},
        {"\"threads\": 2, \"cpu_seconds\": 1.9", "\"threads\": 2, \"cpu_seconds\": 0.7",
         "it had 95 % of its threads' time before and 37 % after", "allin1 bench /a.wav"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        allin1_timing_records *before = new_timings("b"), *after = new_timings("a");
        feed_facts(before, 0, 1.0, cases[i].before);
        feed_facts(after, 0, 0.95, cases[i].after);
        allin1_timing_comparison *c = versus(before, after, "demix=2-3");
        const allin1_finding *finding = finding_of(c, ALLIN1_FINDING_MISSED, "demix");
        expect_cause(finding, cases[i].cause);
        if (cases[i].command)
            expect_text(finding->command, cases[i].command);
        else
            assert_string_equal(finding->command, "");
        assert_false(has_cause(finding, "do not show why"));
        allin1_timing_comparison_free(&c);
    }
    /* Nothing differs: no cause is invented. */
    allin1_timing_comparison *c = versus(PASSES(1.0), PASSES(0.95), "nn=2");
    expect_cause(finding_of(c, ALLIN1_FINDING_MISSED, "nn"), "The records do not show why.");
    allin1_timing_comparison_free(&c);
}

static void a_cold_first_pass(void **state)
{
    (void)state;
    allin1_timing_comparison *c = versus(PASSES(1, 1, 1, 1), PASSES(3, 0.9, 0.9, 0.9), "nn=1.5");
    expect_cause(finding_of(c, ALLIN1_FINDING_MISSED, "nn"),
                 "The first pass was cold: 3000.0 ms, 3.3 times as much as the later ones");
    allin1_timing_comparison_free(&c);
    c = versus(PASSES(1, 1, 1, 1), PASSES(0.9, 0.9, 0.9, 3), "nn=1.5");
    assert_false(has_cause(finding_of(c, ALLIN1_FINDING_MISSED, "nn"), "cold"));
    allin1_timing_comparison_free(&c);
}

static void time_that_moved(void **state)
{
    (void)state;
    allin1_timing_records *before = new_timings("b"), *after = new_timings("a");
    feed_stage(before, "spectrogram", 0, 0.40, "a");
    feed_stage(after, "spectrogram", 0, 0.10, "a");
    feed_stage(before, "nn", 1, 0.20, "a");
    feed_stage(after, "nn", 1, 0.48, "a");
    allin1_timing_comparison *c = versus(before, after, "spectrogram=2-5");
    const allin1_finding *finding = finding_of(c, ALLIN1_FINDING_CHANGE, "nn");
    assert_non_null(finding);
    expect_text(finding->title, "nn became slower: 200.0 ms -> 480.0 ms");
    expect_cause(finding, "spectrogram saved 300.0 ms, and nn costs 280.0 ms more");
    allin1_timing_comparison_free(&c);

    /* A kept spectrogram is loaded instead of computed. */
    before = new_timings("b");
    after = new_timings("a");
    feed_stage(before, "spectrogram", 0, 0.40, "a");
    feed_stage(after, "spec_load", 0, 0.01, "a");
    c = versus(before, after, "spectrogram=2");
    assert_int_equal(row_of(c, "spectrogram")->status, ALLIN1_TIMING_GONE);
    assert_int_equal(row_of(c, "spec_load")->status, ALLIN1_TIMING_NEW);
    assert_int_equal(c->missed, 1);
    expect_cause(finding_of(c, ALLIN1_FINDING_MISSED, "spectrogram"),
                 "a kept by-product may have been used again");
    allin1_timing_comparison_free(&c);
}

static void files_that_were_measured_differently(void **state)
{
    (void)state;
    allin1_timing_records *before = new_timings("b"), *after = new_timings("a");
    feed_facts(before, 0, 1, "\"threads\": 4, \"host\": \"x\"");
    feed_facts(after, 0, 1, "\"threads\": 2, \"host\": \"y\"");
    feed_stage(after, "demix", 5, 3, "/other.wav");
    allin1_timing_comparison *c = versus(before, after, NULL);
    bool threads = false, host = false, tracks = false;
    for (size_t i = 0; i < c->finding_count; i++) {
        if (c->findings[i].kind != ALLIN1_FINDING_DIFFERENCE)
            continue;
        threads |= strstr(c->findings[i].title,
                          "The number of threads differs: 4 before, 2 after") != NULL;
        host |= strstr(c->findings[i].title, "The machine differs: x before, y after") != NULL;
        tracks |= strstr(c->findings[i].title, "1 of the tracks are in both files") != NULL;
    }
    assert_true(threads && host && tracks);
    assert_true(row_of(c, "demix")->after == 1); /* the other song is left out */
    allin1_timing_comparison_free(&c);
}

/* The same song in another folder is the same song; songs of other names are not compared one by
 * one. */
static void tracks_of_other_names(void **state)
{
    (void)state;
    allin1_timing_records *before = new_timings("b"), *after = new_timings("a");
    feed_stage(before, "nn", 0, 2, "/old/a.wav");
    feed_stage(before, "nn", 5, 4, "/old/b.wav");
    feed_stage(after, "nn", 0, 1, "/new/a.wav");
    feed_stage(after, "nn", 5, 9, "/new/c.wav");
    allin1_timing_comparison *c = versus(before, after, NULL);
    assert_true(row_of(c, "nn")->before == 2 && row_of(c, "nn")->after == 1);
    allin1_timing_comparison_free(&c);

    before = new_timings("b");
    after = new_timings("a");
    for (int i = 0; i < 3; i++) {
        char name[16];
        snprintf(name, sizeof name, "/b%d.wav", i);
        feed_stage(before, "nn", 0, 2 + i, name);
        name[1] = 'a';
        feed_stage(after, "nn", 0, 2 + i, name);
    }
    c = versus(before, after, NULL);
    assert_int_equal(row_of(c, "nn")->status, ALLIN1_TIMING_NO_CHANGE);
    expect_text(finding_of(c, ALLIN1_FINDING_DIFFERENCE, NULL)->title, "no track in common");
    allin1_timing_comparison_free(&c);
}

/* Parts that are missing count once in what the whole would be. */
static void what_the_total_would_be(void **state)
{
    (void)state;
    allin1_timing_records *before = new_timings("b"), *after = new_timings("a");
    for (int side = 0; side < 2; side++) {
        allin1_timing_records *t = side ? after : before;
        feed_stage(t, "nn", 0, 1, "a");
        feed_stage(t, "postprocess", 1, 2, "a");
        feed_stage(t, "metrical_dbn", 1, 1.5, "a");
    }
    allin1_timing_comparison *c = versus(before, after, "postprocess=2,metrical_dbn=3,nn=2-4");
    /* postprocess lacks 1 s, which covers the decoder's 1 s; nn 0.5 to 0.75 s. */
    assert_int_equal(c->missed, 3);
    assert_true(fabs(c->would_be_high - 1.5) < 1e-9);
    assert_true(fabs(c->would_be_low - 1.25) < 1e-9);
    allin1_timing_comparison_free(&c);
}

static void reports_of_all_formats(void **state)
{
    (void)state;
    allin1_timing_comparison *c =
        versus(PASSES(1.0, 1.01, 0.99), PASSES(0.9, 0.91, 0.89), "nn=2-3");
    for (allin1_report_format f = ALLIN1_REPORT_TEXT; f <= ALLIN1_REPORT_HTML; f++) {
        char *text, *again;
        assert_int_equal(allin1_timing_comparison_report(c, f, &text, NULL), ALLIN1_OK);
        assert_int_equal(allin1_timing_comparison_report(c, f, &again, NULL), ALLIN1_OK);
        assert_string_equal(text, again);
        expect_text(text, "nn is the issue: 1.11x");
        if (f == ALLIN1_REPORT_TEXT)
            for (const char *line = text; *line; line += strcspn(line, "\n") + 1)
                assert_true(strcspn(line, "\n") <= 100);
        if (f == ALLIN1_REPORT_MARKDOWN)
            expect_text(text, "| **issue** |");
        if (f == ALLIN1_REPORT_HTML) {
            expect_text(text, "<html lang=\"en\">");
            expect_text(text, "prefers-color-scheme:dark");
            expect_text(text, "</html>");
            expect_no_text(text, "<script");
            expect_no_text(text, "http");
        }
        if (f == ALLIN1_REPORT_JSON) {
            json_t *root = json_loads(text, 0, NULL);
            assert_non_null(root);
            const json_t *row = json_array_get(json_object_get(root, "stages"), 0);
            assert_string_equal(json_string_value(json_object_get(row, "status")), "issue");
            assert_true(json_is_true(json_object_get(row, "missed")));
            assert_true(json_integer_value(json_object_get(root, "missed")) == 1);
            json_decref(root);
        }
        allin1_string_free(text);
        allin1_string_free(again);
    }
    allin1_timing_comparison_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(points_of_student),
        cmocka_unit_test(medians_and_their_errors),
        cmocka_unit_test(intervals_hold_what_they_say),
        cmocka_unit_test(noise_is_no_change),
        cmocka_unit_test(songs_serve_as_repetitions),
        cmocka_unit_test(each_status),
        cmocka_unit_test(alternatives_and_backends),
        cmocka_unit_test(wrong_expectations),
        cmocka_unit_test(causes_that_records_show),
        cmocka_unit_test(a_cold_first_pass),
        cmocka_unit_test(time_that_moved),
        cmocka_unit_test(files_that_were_measured_differently),
        cmocka_unit_test(tracks_of_other_names),
        cmocka_unit_test(what_the_total_would_be),
        cmocka_unit_test(reports_of_all_formats),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
