/* Reading timings: which records belong together, and what becomes of lines that are none. */
#include "support/files.h"
#include "support/golden.h"
#include "support/sandbox.h"
#include "support/timing_lines.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static allin1_timing_facts facts_of(allin1_timing_records *t)
{
    allin1_timing_facts facts;
    assert_int_equal(allin1_timing_records_describe(t, &facts, NULL), ALLIN1_OK);
    return facts;
}

static json_t *table_of(allin1_timing_records *t)
{
    char *text;
    assert_int_equal(allin1_timing_records_report(t, ALLIN1_REPORT_JSON, &text, NULL), ALLIN1_OK);
    json_t *root = json_loads(text, 0, NULL);
    assert_non_null(root);
    allin1_string_free(text);
    return root;
}

static const json_t *stage_of(const json_t *table, const char *name)
{
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(table, "stages"), i,
                       row) if (strcmp(json_string_value(json_object_get(row, "stage")), name) ==
                                0) return row;
    fail_msg("there is no stage %s", name);
    return NULL;
}

static double number(const json_t *row, const char *key)
{
    assert_true(json_is_number(json_object_get(row, key)));
    return json_number_value(json_object_get(row, key));
}

static void expect_number(const json_t *row, const char *key, double value)
{
    if (!(fabs(number(row, key) - value) < 1e-6))
        fail_msg("%s is %g, not %g", key, number(row, key), value);
}

/* Cost and share are counted once, whether the file names the parents or not. */
static void stages_inside_others(void **state)
{
    (void)state;
    for (int named = 0; named < 2; named++) {
        allin1_timing_records *t = new_timings("t");
        const char *const lines[] = {
            "\"stage\": \"nn\", \"start\": 0, \"end\": 6, \"track\": \"a\"%s",
            "\"stage\": \"metrical_dbn\", \"start\": 6, \"end\": 8, \"track\": \"a\"%s",
            "\"stage\": \"functional_probs\", \"start\": 8, \"end\": 9, \"track\": \"a\"%s",
            "\"stage\": \"postprocess\", \"start\": 6, \"end\": 10, \"track\": \"a\"%s",
        };
        const char *const ids[] = {", \"run\": \"r\", \"id\": 1, \"parent\": null",
                                   ", \"run\": \"r\", \"id\": 3, \"parent\": 2",
                                   ", \"run\": \"r\", \"id\": 4, \"parent\": 2",
                                   ", \"run\": \"r\", \"id\": 2, \"parent\": null"};
        for (size_t i = 0; i < 4; i++) {
            char line[256];
            snprintf(line, sizeof line, lines[i], named ? ids[i] : "");
            feed_line(t, "{%s}", line);
        }
        json_t *table = table_of(t);
        expect_number(table, "total", 10);
        expect_number(table, "covered", 1);
        expect_number(stage_of(table, "nn"), "share", 0.6);
        expect_number(stage_of(table, "postprocess"), "share", 0.4);
        expect_number(stage_of(table, "postprocess"), "own", 1);
        expect_number(stage_of(table, "metrical_dbn"), "share", 0.2);
        expect_number(stage_of(table, "metrical_dbn"), "depth", 1);
        json_decref(table);
        allin1_timing_records_free(&t);
    }
}

/* Two songs analysed three times: by one process that names its runs, by several that do not. */
static void runs_and_passes(void **state)
{
    (void)state;
    for (int named = 0; named < 2; named++) {
        allin1_timing_records *t = new_timings("t");
        double clock = 100;
        for (int pass = 0; pass < 3; pass++) {
            static const char *const stages[] = {"demix_init", "demix", "nn", "save", "save"};
            for (int track = 0; track < 2; track++) {
                for (size_t i = track ? 1 : 0; i < 5; i++) {
                    const char *name = i == 0 ? NULL : track ? "/b.wav" : "/a.wav";
                    if (named)
                        feed_line(
                            t,
                            "{\"stage\": \"%s\", \"start\": %g, \"end\": %g, \"run\": \"r%d\", "
                            "\"track\": %s%s%s}",
                            stages[i], clock, clock + 1 + pass, pass / 2, name ? "\"" : "",
                            name ? name : "null", name ? "\"" : "");
                    else
                        feed_stage(t, stages[i], clock, 1 + pass, name);
                    clock += 1 + pass;
                }
            }
        }
        const allin1_timing_facts facts = facts_of(t);
        assert_int_equal(facts.spans, 27);
        assert_int_equal(facts.tracks, 2);
        assert_int_equal(facts.runs, named ? 2 : 3);
        json_t *table = table_of(t);
        /* One measurement for each song and pass: 1, 1, 2, 2, 3, 3; two savings in each. */
        expect_number(stage_of(table, "nn"), "count", 6);
        expect_number(stage_of(table, "nn"), "passes", 6);
        expect_number(stage_of(table, "nn"), "median", 2);
        expect_number(stage_of(table, "save"), "count", 12);
        expect_number(stage_of(table, "save"), "passes", 6);
        expect_number(stage_of(table, "save"), "median", 4);
        expect_number(stage_of(table, "demix_init"), "passes", named ? 2 : 3);
        json_decref(table);
        allin1_timing_records_free(&t);
    }
}

/* A span around the whole analysis: each is a pass. */
static void a_span_around_all(void **state)
{
    (void)state;
    allin1_timing_records *t = new_timings("t");
    for (int pass = 0; pass < 4; pass++) {
        feed_line(t,
                  "{\"stage\": \"nn\", \"start\": %d, \"end\": %d, \"run\": \"r\", \"id\": %d, "
                  "\"parent\": %d, \"track\": \"a\"}",
                  10 * pass, 10 * pass + 4, 2 * pass + 2, 2 * pass + 1);
        feed_line(t,
                  "{\"stage\": \"analysis\", \"start\": %d, \"end\": %d, \"run\": \"r\", \"id\": "
                  "%d, \"parent\": null, \"track\": \"a\"}",
                  10 * pass, 10 * pass + 5, 2 * pass + 1);
    }
    json_t *table = table_of(t);
    expect_number(stage_of(table, "nn"), "passes", 4);
    expect_number(stage_of(table, "nn"), "median", 4);
    expect_number(stage_of(table, "analysis"), "passes", 4);
    expect_number(stage_of(table, "analysis"), "own", 4);
    expect_number(table, "total", 20);
    json_decref(table);
    allin1_timing_records_free(&t);
}

static void names_of_the_reference(void **state)
{
    (void)state;
    allin1_timing_records *t = read_test_timings("timings_after.jsonl");
    json_t *table = table_of(t);
    const json_t *demix = stage_of(table, "demix");
    assert_string_equal(json_string_value(json_object_get(demix, "mode")), "demucs-mlx");
    assert_string_equal(json_string_value(json_object_get(demix, "device")), "mlx");
    assert_true(fabs(facts_of(t).resolution - 1e-4) < 1e-12);
    json_decref(table);
    allin1_timing_records_free(&t);
}

/* Records rounded to 10 ms: a difference of one step says nothing. */
static void rounded_records(void **state)
{
    (void)state;
    allin1_timing_records *before = new_timings("before"), *after = new_timings("after");
    for (int side = 0; side < 2; side++)
        for (int i = 0; i < 8; i++)
            feed_stage(side ? after : before, "nn", i, side ? 0.02 : 0.03, "a");
    assert_true(fabs(facts_of(before).resolution - 0.01) < 1e-12);
    allin1_timing_comparison *c = compare_timings(before, after, NULL);
    assert_int_equal(row_of(c, "nn")->status, ALLIN1_TIMING_NO_CHANGE);
    allin1_timing_comparison_free(&c);
    allin1_timing_records_free(&before);
    allin1_timing_records_free(&after);
}

#define GOOD "{\"stage\":\"nn\",\"start\":1,\"end\":2,\"duration\":1}"

static void lines_that_are_no_records(void **state)
{
    (void)state;
    static const struct {
        const char *line, *reason;
    } cases[] = {
        {"hello", "not JSON"},
        {"{\"stage\":\"nn\",\"start\":1,\"en", "the line is cut off"},
        {"[1]", "not a JSON object"},
        {"{\"a\":1}", "no \"stage\""},
        {"{\"stage\":3,\"duration\":1}", "no \"stage\""},
        {"{\"stage\":\"\",\"duration\":1}", "no \"stage\""},
        {"{\"stage\":\"nn\"}", "neither a duration nor a start and an end"},
        {"{\"stage\":\"nn\",\"duration\":NaN}", "not JSON"},
        {"{\"stage\":\"nn\",\"duration\":Infinity}", "not JSON"},
        {"{\"stage\":\"nn\",\"duration\":1e300}", "out of range"},
        {"{\"stage\":\"nn\",\"duration\":\"1\"}", "neither a duration"},
        {"{\"stage\":\"nn\",\"duration\":-0.5}", "the duration is negative: -0.5 s"},
        {"{\"stage\":\"nn\",\"start\":3,\"end\":2}", "the clock went backwards"},
        {"{\"stage\":\"nn\",\"start\":3,\"end\":9,\"duration\":1}",
         "is not the end less the start"},
        {"\x01\x02\xff", "not JSON"},
        {"{\"traceEvents\":[]}", "no \"stage\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        allin1_timing_records *t = new_timings("file");
        feed_line(t, "%s", GOOD);
        feed_line(t, "%s", cases[i].line);
        feed_line(t, "%s", GOOD);
        const allin1_timing_facts facts = facts_of(t);
        assert_int_equal(facts.lines, 3);
        assert_int_equal(facts.spans, 2);
        assert_int_equal(facts.bad_lines, 1);
        assert_int_equal(facts.problem_count, 1);
        expect_text(facts.problems[0], "file:2: ");
        expect_text(facts.problems[0], cases[i].reason);
        expect_text(facts.problems[0], "; skipped");
        allin1_timing_records_free(&t);
    }
}

/* What the reference rounds may disagree by its rounding. */
static void rounding_is_no_mistake(void **state)
{
    (void)state;
    allin1_timing_records *t = new_timings("file");
    feed_line(t, "{\"stage\":\"nn\",\"start\":1.01,\"end\":2.0,\"duration\":1.0}");
    feed_line(t, "\xef\xbb\xbf");
    feed_line(t, "%s", " \t\r");
    assert_int_equal(facts_of(t).spans, 1);
    allin1_timing_records_free(&t);
    t = new_timings("file");
    feed_line(t, "\xef\xbb\xbf%s\r", GOOD); /* marked as UTF-8, with the line ends of Windows */
    assert_int_equal(facts_of(t).spans, 1);
    assert_int_equal(facts_of(t).bad_lines, 0);
    allin1_timing_records_free(&t);
}

static void clocks_and_repetitions(void **state)
{
    (void)state;
    allin1_timing_records *t = new_timings("file");
    const char *line = "{\"stage\":\"%s\",\"start\":%d,\"end\":%d,\"run\":\"r\",\"id\":%d}";
    for (int i = 0; i < 2; i++)
        feed_line(t, line, "nn", 5, 9, 1);
    feed_line(t, line, "save", 1, 2, 2);
    const allin1_timing_facts facts = facts_of(t);
    assert_int_equal(facts.spans, 2);
    assert_int_equal(facts.bad_lines, 1);
    assert_int_equal(facts.problem_count, 2);
    expect_text(facts.problems[0], "file:2: the same span as in line 1; skipped");
    expect_text(facts.problems[1], "file:3: ends 7.000 s earlier than the line before it");
    expect_text(facts.problems[1], "the clock went backwards");
    allin1_timing_records_free(&t);
}

/* Parents that are missing, or lie in each other. */
static void impossible_parents(void **state)
{
    (void)state;
    static const int parents[][4] = {{2, 1, 4, 3}, {1, 2, 3, 4}, {2, 3, 4, 1}, {9, 9, 9, 9}};
    for (size_t i = 0; i < 4; i++) {
        allin1_timing_records *t = new_timings("file");
        static const char *const stages[] = {"postprocess", "functional_probs", "metrical_dbn",
                                             "functional_boundaries"};
        for (int k = 0; k < 4; k++)
            feed_line(t,
                      "{\"stage\":\"%s\",\"start\":%d,\"end\":%d,\"run\":\"r\",\"id\":%d,"
                      "\"parent\":%d}",
                      stages[k], k, k + 1, k + 1, parents[i][k]);
        /* By name inside a stage that lies in itself. */
        feed_line(t,
                  "{\"stage\":\"functional_probs\",\"start\":9,\"end\":10,\"run\":\"r\",\"id\":5}");
        feed_line(t, "{\"stage\":\"postprocess\",\"start\":9,\"end\":11,\"run\":\"r\",\"id\":6,"
                     "\"parent\":5}");
        json_t *table = table_of(t);
        assert_true(json_array_size(json_object_get(table, "stages")) > 0);
        json_decref(table);
        allin1_timing_records_free(&t);
    }
}

/* The text may come in pieces of any size, and end without a newline. */
static void pieces_of_any_size(void **state)
{
    (void)state;
    const char *text = GOOD "\nwrong\n" GOOD "\n" GOOD;
    const size_t size = strlen(text);
    for (size_t piece = 1; piece <= size; piece++) {
        allin1_timing_records *t = new_timings("file");
        for (size_t at = 0; at < size; at += piece)
            assert_int_equal(allin1_timing_records_feed(
                                 t, text + at, piece < size - at ? piece : size - at, NULL),
                             ALLIN1_OK);
        const allin1_timing_facts facts = facts_of(t);
        assert_int_equal(facts.spans, 3);
        assert_int_equal(facts.bad_lines, 1);
        expect_text(facts.problems[0], "file:2: ");
        allin1_timing_records_free(&t);
    }
}

static void very_long_lines(void **state)
{
    (void)state;
    const size_t size = 300000;
    char *text = malloc(size);
    assert_non_null(text);
    memset(text, 'x', size);
    text[size - 1] = '\n';
    allin1_timing_records *t = new_timings("file");
    for (int i = 0; i < 2; i++) {
        assert_int_equal(allin1_timing_records_feed(t, text, size, NULL), ALLIN1_OK);
        feed_line(t, "%s", GOOD);
    }
    assert_int_equal(allin1_timing_records_feed(t, text, size - 1, NULL), ALLIN1_OK);
    const allin1_timing_facts facts = facts_of(t);
    assert_int_equal(facts.spans, 2);
    assert_int_equal(facts.bad_lines, 3);
    expect_text(facts.problems[0], "file:1: longer than 65536 bytes");
    free(text);
    allin1_timing_records_free(&t);
}

/* Thousands of tracks, every stage name that one may invent, names that steer a terminal. The time
 * is not tested; a quadratic reader would need minutes. */
static void large_and_strange_files(void **state)
{
    (void)state;
    allin1_timing_records *t = new_timings("file");
    char track[32];
    for (int i = 0; i < 20000; i++) {
        snprintf(track, sizeof track, "/t%d.wav", i);
        feed_stage(t, "nn", i, 0.5, track);
        feed_stage(t, "postprocess", i, 0.25, track);
        feed_stage(t, "metrical_dbn", i, 0.125, track);
    }
    assert_int_equal(facts_of(t).tracks, 20000);
    allin1_timing_comparison *c = compare_timings(t, t, "nn=1");
    assert_true(fabs(row_of(c, "nn")->after - 10000) < 1e-6);
    assert_int_equal(c->missed, 0);
    allin1_timing_comparison_free(&c);
    for (int i = 0; i < 1000; i++) {
        snprintf(track, sizeof track, "stage%d", i);
        feed_stage(t, track, i, 0.5, NULL);
    }
    assert_true(facts_of(t).bad_lines > 0); /* more names than a pipeline has */
    allin1_timing_records_free(&t);

    t = new_timings("file");
    feed_line(t, "{\"stage\":\"\\u001b[31mx\\u202ey\\u0085z<b>|\",\"duration\":1}");
    for (allin1_report_format f = ALLIN1_REPORT_TEXT; f <= ALLIN1_REPORT_HTML; f++) {
        char *text;
        assert_int_equal(allin1_timing_records_report(t, f, &text, NULL), ALLIN1_OK);
        expect_no_text(text, "\033");
        expect_no_text(text, "\xe2\x80\xae");
        expect_text(text, f == ALLIN1_REPORT_HTML       ? "?[31mx?y?z&lt;b&gt;|"
                          : f == ALLIN1_REPORT_MARKDOWN ? "?\\[31mx?y?z\\<b>\\|"
                                                        : "?[31mx?y?z<b>|");
        allin1_string_free(text);
    }
    allin1_timing_records_free(&t);
}

static void files_that_cannot_be_read(void **state)
{
    (void)state;
    sandbox_make();
    sandbox_write("empty", "", 0);
    sandbox_write("other", "a\nb\n", 4);
    static const struct {
        const char *name, *reason;
        allin1_status status;
    } cases[] = {
        {"none", "none: No such file", ALLIN1_ERROR_IO},
        {".", "is a folder", ALLIN1_ERROR_IO},
        {"empty", "is empty", ALLIN1_ERROR_FORMAT},
        {"other", "none of its 2 lines is a record of timings; the first: ", ALLIN1_ERROR_FORMAT},
    };
    allin1_timing_records *t;
    allin1_error error;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(allin1_timing_records_read(&t, sandbox_path("%s", cases[i].name), &error),
                         cases[i].status);
        expect_text(error.message, cases[i].reason);
        assert_null(t);
    }
    assert_int_equal(allin1_timing_records_read(&t, "/dev/zero", &error), ALLIN1_ERROR_IO);
    assert_int_equal(allin1_timing_records_read(&t, NULL, &error), ALLIN1_ERROR_ARGUMENT);
    assert_int_equal(allin1_timing_records_read(NULL, "x", NULL), ALLIN1_ERROR_ARGUMENT);
    assert_int_equal(allin1_timing_records_feed(NULL, "x", 1, NULL), ALLIN1_ERROR_ARGUMENT);
    t = new_timings("nothing");
    allin1_timing_comparison *c;
    assert_int_equal(facts_of(t).spans, 0);
    assert_int_equal(allin1_timing_compare(t, t, NULL, &c, &error), ALLIN1_ERROR_ARGUMENT);
    expect_text(error.message, "nothing: there are no records");
    char *text;
    assert_int_equal(allin1_timing_records_report(t, ALLIN1_REPORT_TEXT, &text, NULL), ALLIN1_OK);
    allin1_string_free(text);
    assert_int_equal(allin1_timing_records_report(t, (allin1_report_format)9, &text, NULL),
                     ALLIN1_ERROR_ARGUMENT);
    allin1_timing_records_free(&t);
    allin1_timing_records_free(&t);
    allin1_timing_records_free(NULL);
    allin1_timing_comparison_free(NULL);
}

/* A file cut at any place, or with any byte changed, gives records or an error, nothing else. */
static void damaged_at_every_place(void **state)
{
    (void)state;
    size_t size;
    char *text = (char *)test_read_bytes(test_data("timings_after.jsonl"), &size);
    assert_true(size > 1000);
    for (size_t at = 0; at < size; at++) {
        static const char changes[] = {'"', '9', '-', '[', '}', '\0', '\xff', '\n'};
        for (int cut = 0; cut < 2; cut++) {
            const char old = text[at];
            text[at] = changes[at % sizeof changes];
            allin1_timing_records *t = new_timings("file");
            assert_int_equal(allin1_timing_records_feed(t, text, cut ? at : size, NULL), ALLIN1_OK);
            const allin1_timing_facts facts = facts_of(t);
            assert_int_equal(facts.spans + facts.bad_lines, facts.lines);
            text[at] = old;
            allin1_timing_records_free(&t);
        }
    }
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stages_inside_others),
        cmocka_unit_test(runs_and_passes),
        cmocka_unit_test(a_span_around_all),
        cmocka_unit_test(names_of_the_reference),
        cmocka_unit_test(rounded_records),
        cmocka_unit_test(lines_that_are_no_records),
        cmocka_unit_test(rounding_is_no_mistake),
        cmocka_unit_test(clocks_and_repetitions),
        cmocka_unit_test(impossible_parents),
        cmocka_unit_test(pieces_of_any_size),
        cmocka_unit_test(very_long_lines),
        cmocka_unit_test(large_and_strange_files),
        cmocka_unit_test_teardown(files_that_cannot_be_read, sandbox_clean_up),
        cmocka_unit_test(damaged_at_every_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
