/* What the program tells about its own timings. */
#include "support/golden.h"
#include "support/small_program.h"
#include "support/trace_rules.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* The spans of a file of lines, as an array; the caller drops it. */
static json_t *read_lines(const char *name)
{
    char *text = sandbox_read(name, NULL);
    json_t *list = json_array();
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        json_error_t reason;
        json_t *span = json_loads(line, JSON_REJECT_DUPLICATES, &reason);
        if (!span)
            fail_msg("%s: %s", reason.text, line);
        json_array_append_new(list, span);
    }
    free(text);
    return list;
}

static const char *text_of(const json_t *span, const char *key)
{
    const char *text = json_string_value(json_object_get(span, key));
    return text ? text : "";
}

static double number_of(const json_t *span, const char *key)
{
    const json_t *value = json_object_get(span, key);
    if (!json_is_number(value))
        fail_msg("%s of %s is no number", key, text_of(span, "stage"));
    return json_number_value(value);
}

static void run_once(void)
{
    program_outcome said = RUN(SMALL, "--overwrite", "--timings", "t.jsonl", "-e", "a.wav", "b.wav");
    program_expect(&said, 0);
    program_free(&said);
}

/* The spans at the top neither overlap nor leave gaps worth speaking of. What no stage accounts for by
 * construction is missing every time; what a busy machine takes away between two stages is not, so
 * that one run of a few must do. */
static void nearly_all_is_accounted_for(void **state)
{
    (void)state;
    make_sound("a.wav", MUSIC, 20);
    make_sound("b.wav", MUSIC, 9);
    double best = 0;
    for (int attempt = 0; attempt < 5 && best < 0.99; attempt++) {
        remove(sandbox_path("t.jsonl"));
        run_once();
        json_t *spans = read_lines("t.jsonl");
        const size_t count = json_array_size(spans);
        const json_t *run = json_array_get(spans, count - 1);
        assert_string_equal(text_of(run, "stage"), "run");
        assert_int_equal(number_of(run, "count"), 2);
        double sum = 0, end = number_of(run, "start");
        for (size_t i = 0; i + 1 < count; i++) {
            const json_t *span = json_array_get(spans, i);
            assert_string_equal(text_of(span, "run"), text_of(run, "run"));
            if (!json_is_null(json_object_get(span, "parent")))
                continue;
            assert_true(number_of(span, "start") >= end - 2e-6); /* two roundings */
            end = number_of(span, "end");
            sum += number_of(span, "duration");
        }
        assert_true(number_of(run, "end") >= end - 2e-6);
        const double wall = number_of(run, "duration");
        assert_true(sum > number_of(run, "accounted") - 1e-4 &&
                    sum < number_of(run, "accounted") + 1e-4); /* roundings of some fifty spans */
        assert_true(number_of(run, "unaccounted") >= wall - sum - 1e-4);
        best = sum / wall > best ? sum / wall : best;
        json_decref(spans);
    }
    if (best < 0.99)
        fail_msg("the spans account for %.2f %% of the run at best", 100 * best);
}

/* What was done, with what, in the keys' order. */
static void lines_have_all_keys(void **state)
{
    (void)state;
    static const char *const keys[] = {
        "stage", "start", "end", "duration", "device", "model", "track", "count", "mode", "run", "id",
        "parent", "own", "wall_start", "host", "processor", "version", "cpu_level_requested",
        "cpu_level", "threads_requested", "threads", "model_requested", "backend_requested", "backend",
        "precision_requested", "precision", "audio_seconds", "real_time_factor", "cpu_seconds",
        "peak_memory", "instructions", "gflop", "gflops", "fallback", "thread_busy", "accounted",
        "unaccounted"};
    make_sound("a.wav", MUSIC, 3);
    make_sound("b.wav", MUSIC, 2);
    run_once();
    json_t *spans = read_lines("t.jsonl");
    size_t i;
    json_t *span;
    bool seen_nn = false;
    json_array_foreach(spans, i, span) {
        size_t next = 0;
        const char *key;
        json_t *value;
        json_object_foreach(span, key, value) {
            while (next < sizeof keys / sizeof *keys && strcmp(keys[next], key) != 0)
                next++;
            if (next == sizeof keys / sizeof *keys)
                fail_msg("%s in %s is unknown or out of order", key, text_of(span, "stage"));
        }
        for (size_t k = 9; k <= 32; k++)
            assert_non_null(json_object_get(span, keys[k]));
        if (strcmp(text_of(span, "stage"), "nn") == 0) {
            seen_nn = true;
            assert_true(number_of(span, "gflops") > 0);
            assert_true(number_of(span, "gflop") > 0.5 && number_of(span, "gflop") < 1);
            assert_true(strstr(text_of(span, "track"), ".wav") != NULL);
        }
    }
    assert_true(seen_nn);
    json_decref(spans);
}

static void other_forms(void **state)
{
    (void)state;
    make_sound("a.wav", MUSIC, 3);
    make_sound("b.wav", MUSIC, 2);
    program_outcome said = RUN(SMALL, "-q", "--threads", "2", "--timings-summary", "--timings-json",
                               "out/t.json", "--timings-trace", "out/trace.json",
                               "--timings-viz", "out/t.svg", "a.wav", "b.wav");
    program_expect(&said, 0);
    expect_text(said.err, "stage                     count    total s");
    expect_text(said.err, "\ndemix                         2 ");
    expect_text(said.err, "\n  metrical_dbn                2 ");
    expect_text(said.err, "fast (asked: auto)");
    expect_text(said.err, "\nnot accounted for ");
    expect_text(said.err, "5.0 s of audio");
    program_free(&said);

    char *text = sandbox_read("out/trace.json", NULL);
    size_t threads;
    assert_true(trace_check(text, &threads) > 40);
    assert_int_equal(threads, 3);
    free(text);

    text = sandbox_read("out/t.svg", NULL);
    expect_text(text, "<svg ");
    expect_text(text, "</svg>");
    free(text);

    text = sandbox_read("out/t.json", NULL);
    json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(root);
    const char *format;
    json_t *stages, *spans;
    int tracks, incomplete;
    assert_int_equal(json_unpack(root, "{s:s, s:b, s:{s:i}, s:o, s:o}", "format", &format,
                                 "incomplete", &incomplete, "total", "count", &tracks, "stages",
                                 &stages, "spans", &spans),
                     0);
    assert_int_equal(tracks, 2);
    assert_int_equal(incomplete, 0);
    assert_true(json_array_size(spans) > json_array_size(stages));
    json_decref(root);
    free(text);
}

static void what_cannot_be_written_is_said(void **state)
{
    (void)state;
    make_sound("a.wav", MUSIC, 2);
    sandbox_write("file", "", 0);
    program_outcome said = RUN(SMALL, "--timings-json", "file/t.json", "a.wav");
    program_expect(&said, 1);
    expect_text(said.err, "file/t.json");
    program_free(&said);
    assert_true(sandbox_has("struct/a.json")); /* the result is there all the same */
    said = RUN(SMALL, "--timings-trace", "file/t.json", "a.wav");
    program_expect(&said, 1);
    program_free(&said);
    said = RUN(SMALL, "--timings-viz", "file/t.pdf", "a.wav");
    program_expect(&said, 1);
    expect_text(said.err, "file");
    program_free(&said);
    said = RUN(SMALL, "--timings-viz", "t.gif", "a.wav"); /* before any work */
    program_expect(&said, 2);
    expect_text(said.err, "--timings-viz takes a file that ends in .pdf, .svg or .png, not \"t.gif\"");
    program_free(&said);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nearly_all_is_accounted_for, small_set_up, sandbox_clean_up),
        cmocka_unit_test_setup_teardown(lines_have_all_keys, small_set_up, sandbox_clean_up),
        cmocka_unit_test_setup_teardown(other_forms, small_set_up, sandbox_clean_up),
        cmocka_unit_test_setup_teardown(what_cannot_be_written_is_said, small_set_up, sandbox_clean_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
