/* allin1 timings and allin1 bench from the outside: what they print, and their exit statuses. */
#include "support/golden.h"
#include "support/small_program.h"
#include "support/timing_lines.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char before[4096], after[4096];

static int set_up(void **state)
{
    (void)state;
    small_sandbox();
    strcpy(before, test_data("timings_before.jsonl"));
    strcpy(after, test_data("timings_after.jsonl"));
    if (before[0] != '/') { /* the program runs in the sandbox */
        char *folder = realpath(".", NULL);
        assert_non_null(folder);
        snprintf(before, sizeof before, "%s/tests/data/timings_before.jsonl", folder);
        snprintf(after, sizeof after, "%s/tests/data/timings_after.jsonl", folder);
        free(folder);
    }
    return 0;
}

#define PROMISES "spectrogram=2.5-5,metrical_dbn=1.5-3"

static void a_missed_promise_is_an_exit_status(void **state)
{
    (void)state;
    program_outcome run = RUN("timings", "compare", before, after, "--expect", PROMISES);
    program_expect(&run, 1);
    assert_string_equal(run.err, "");
    expect_text(run.out, "spectrogram is the issue: 1.07x where 2.5x to 5x was expected");
    expect_text(run.out, "metrical_dbn is good");
    expect_text(run.out, "functional is excellent");
    expect_text(run.out, "Suspicion: nn takes 26.5 ms");
    expect_text(run.out, "postprocess total: 2178.1 ms -> 1662.6 ms, 1.31x.");
    program_free(&run);
    run = RUN("timings", "compare", before, after, "--expect", "metrical_dbn=1.5-3");
    program_expect(&run, 0);
    program_free(&run);
    run = RUN("timings", "compare", before, after);
    program_expect(&run, 0);
    program_free(&run);
}

static void formats_and_files(void **state)
{
    (void)state;
    static const char *const starts[][2] = {{"text", "before  "},
                                            {"markdown", "# Timings compared"},
                                            {"json", "{\n"},
                                            {"html", "<!DOCTYPE html>"}};
    for (size_t i = 0; i < 4; i++) {
        program_outcome printed =
            RUN("timings", "compare", "--format", starts[i][0], before, after);
        program_expect(&printed, 0);
        assert_true(strncmp(printed.out, starts[i][1], strlen(starts[i][1])) == 0);
        program_outcome written =
            RUN("timings", "compare", "-f", starts[i][0], "-o", "report", before, after);
        program_expect(&written, 0);
        assert_string_equal(written.out, "");
        char *text = sandbox_read("report", NULL);
        assert_true(strncmp(text, printed.out, strlen(text)) == 0);
        free(text);
        program_free(&printed);
        program_free(&written);
    }
    /* What is there stays when the report cannot be written. */
    const program_setting small_disk = {.file_size_limit = 100};
    const char *const words[] = {"timings", "compare", "-o", "report", before, after, NULL};
    program_outcome run = program_run(&small_disk, words);
    program_expect(&run, 1);
    expect_text(run.err, "report: cannot write: ");
    program_free(&run);
    char *text = sandbox_read("report", NULL);
    expect_text(text, "</html>");
    free(text);
    char *names = sandbox_list(".");
    expect_no_text(names, ".part");
    free(names);
    run = RUN("timings", "compare", "-o", "no/such/folder/x", before, after);
    program_expect(&run, 1);
    expect_text(run.err, "No such file");
    program_free(&run);
    const program_setting full = {.output_device = "/dev/full"};
    const char *const show[] = {"timings", "show", before, NULL};
    run = program_run(&full, show);
    program_expect(&run, 1);
    expect_text(run.err, "No space left");
    program_free(&run);
}

static void bad_lines_are_named_and_survived(void **state)
{
    (void)state;
    const char *text = "{\"stage\": \"nn\", \"duration\": 2}\nother tool: 3 s\n"
                       "{\"stage\": \"nn\", \"start\": 2, \"end\": 1}\n{\"stage\": \"nn\", \"dur";
    sandbox_write("t.jsonl", text, strlen(text));
    program_outcome run = RUN("timings", "show", "t.jsonl");
    program_expect(&run, 0);
    expect_text(run.out, "1 run, 0 tracks, 1 span, 3 lines skipped");
    expect_text(run.err, "allin1: t.jsonl:2: not JSON");
    expect_text(run.err, "allin1: t.jsonl:3: ends (1.000000 s) before it starts");
    expect_text(run.err, "allin1: t.jsonl:4: the line is cut off");
    program_free(&run);

    sandbox_write("none.jsonl", "x\n", 2);
    run = RUN("timings", "compare", before, "none.jsonl");
    program_expect(&run, 1);
    expect_text(run.err, "none.jsonl: none of its 1 lines is a record");
    assert_string_equal(run.out, "");
    program_free(&run);
    run = RUN("timings", "show", "missing.jsonl", before);
    program_expect(&run, 1);
    expect_text(run.err, "missing.jsonl: No such file");
    expect_text(run.out, "metrical_dbn");
    program_free(&run);
}

/* What this program writes, it reads: every span in its place. */
static void reads_what_the_program_writes(void **state)
{
    (void)state;
    make_sound("a.wav", MUSIC, 0.2);
    for (int i = 0; i < 2; i++) {
        program_outcome run = RUN(SMALL, "-q", "--overwrite", "--timings", "t.jsonl", "a.wav");
        program_expect(&run, 0);
        program_free(&run);
    }
    program_outcome run = RUN("timings", "show", "t.jsonl");
    program_expect(&run, 0);
    assert_string_equal(run.err, "");
    expect_text(run.out, "t.jsonl: 2 runs, 1 track, ");
    expect_text(run.out, "\n  metrical_dbn ");
    expect_text(run.out, "  fast");
    expect_no_text(run.out, "skipped");
    program_free(&run);
    run = RUN("timings", "compare", "t.jsonl", "t.jsonl", "--expect", "total=1");
    program_expect(&run, 0);
    expect_text(run.out, "1.00x");
    program_free(&run);
}

static void wrong_usage(void **state)
{
    (void)state;
    static const char *const wrong[][6] = {
        {"timings"},
        {"timings", "frob", "x"},
        {"timings", "show"},
        {"timings", "compare", "x"},
        {"timings", "compare", "x", "y", "z"},
        {"timings", "show", "--frobnicate", "x"},
        {"timings", "show", "x", "--format", "pdf"},
        {"timings", "show", "x", "--expect", "nn=2"},
        {"timings", "show", "x", "y", "--format=json"},
        {"timings", "show", "x", "-o"},
        {"bench"},
        {"bench", "x", "--runs", "0"},
        {"bench", "x", "--runs"},
        {"bench", "x", "--runs=3x"},
        {"bench", "x", "--expect", "nn=2"},
        {"bench", "x", "--timings-vs", "y"},
        {"bench", "x", "--vs", "a;b"},
        {"bench", "x", "--vs", "--frobnicate"},
        {"bench", "x", "--vs", "y"},
        {"bench", "x", "--format", "pdf"},
        {"bench", "x", "-o", "y"},
        {"bench", "x", "--json"},
        {"bench", "x", "--frobnicate"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const char *words[7] = {NULL};
        memcpy(words, wrong[i], sizeof wrong[i]);
        program_outcome run = program_run(NULL, words);
        program_expect(&run, 2);
        expect_text(run.err, "--help");
        program_free(&run);
    }
    program_outcome run = RUN("timings", "compare", before, after, "--expect", "nn=fast");
    program_expect(&run, 2);
    expect_text(run.err, "not \"nn=fast\"");
    program_free(&run);
    run = RUN("timings", "--help");
    program_expect(&run, 0);
    expect_text(run.out, "Usage: allin1 timings show");
    program_free(&run);
    run = RUN("bench", "--help");
    program_expect(&run, 0);
    expect_text(run.out, "Usage: allin1 bench");
    program_free(&run);
    /* One letter of several, and not the word before. */
    run = RUN("timings", "show", "-xh", before);
    program_expect(&run, 2);
    expect_text(run.err, "unknown option -x\n");
    program_free(&run);
}

/* Figures are not tested, only that each stage was measured as often as asked, and on what. */
static void bench_measures(void **state)
{
    (void)state;
    make_sound("a.wav", MUSIC, 0.2);
    program_outcome run = RUN("bench", SMALL, "--runs", "1", "--require", "model=student", "a.wav");
    program_expect(&run, 4);
    expect_text(run.err, "student");
    program_free(&run);
    run = RUN("bench", SMALL, "--runs", "2", "a.wav", "--timings", "a.jsonl");
    program_expect(&run, 0);
    expect_text(run.out, "bench: 1 run, 1 track, ");
    expect_text(run.out, "spectrogram                      2 ");
    expect_no_text(run.out, "model_load"); /* the run that warms up is not counted */
    expect_text(run.err, "run 2 of 2: ");
    program_free(&run);
    assert_false(sandbox_has("struct"));
    run = RUN("timings", "show", "a.jsonl");
    program_expect(&run, 0);
    expect_text(run.out, "spectrogram                      2 ");
    program_free(&run);

    run = RUN("bench", SMALL, "-q", "--runs=3", "--threads", "2", "--vs",
              "--spec-backend 'reference' --threads=1", "--timings", "b.jsonl", "--timings-vs",
              "c.jsonl", "--format", "json", "--output", "report.json", "--", "a.wav");
    program_expect(&run, 0);
    assert_string_equal(run.err, "");
    assert_string_equal(run.out, "");
    program_free(&run);
    char *report = sandbox_read("report.json", NULL);
    expect_text(report, "\"before_backend\": \"fast\"");
    expect_text(report, "\"after_backend\": \"reference\"");
    expect_text(report, "\"before_runs\": 3");
    expect_text(report, "The number of threads differs: 2 before, 1 after.");
    free(report);
    run = RUN("timings", "compare", "b.jsonl", "c.jsonl");
    program_expect(&run, 0);
    expect_text(run.out, "spectrogram fast -> reference");
    program_free(&run);
}

static void bench_that_cannot_run(void **state)
{
    (void)state;
    make_sound("a.wav", MUSIC, 0.2);
    sandbox_write("text.wav", "hello", 5);
    program_outcome run = RUN("bench", SMALL, "text.wav");
    program_expect(&run, 1);
    expect_text(run.err, "text.wav");
    program_free(&run);
    run = RUN("bench", "-m", "harmonix-all", "a.wav"); /* no weights in the sandbox */
    program_expect(&run, 3);
    program_free(&run);
    run = RUN("bench", SMALL, "a.wav", "--vs", "--model nonsense");
    program_expect(&run, 2);
    expect_text(run.err, "with --model nonsense: ");
    program_free(&run);
    run = RUN("bench", SMALL, "a.wav", "--timings", "no/folder/t");
    program_expect(&run, 1);
    expect_text(run.err, "no/folder/t: cannot open");
    program_free(&run);
    /* A promise that cannot be kept: the same setting is not a hundred times as fast. */
    run = RUN("bench", SMALL, "-q", "--runs", "2", "a.wav", "--vs", "", "--expect", "demix=100");
    program_expect(&run, 1);
    /* On a busy machine noise may keep a part of it. */
    if (!strstr(run.out, "demix kept its promise in part: "))
        expect_text(run.out, "demix is the issue");
    program_free(&run);
    make_sound("long.wav", MUSIC, 10);
    const program_setting interrupted = {.interrupt_after_ms = 300};
    const char *const words[] = {"bench", SMALL, "--runs", "1000", "long.wav", NULL};
    run = program_run(&interrupted, words);
    program_expect(&run, 130);
    program_free(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_missed_promise_is_an_exit_status, set_up, sandbox_clean_up),
        cmocka_unit_test_setup_teardown(formats_and_files, set_up, sandbox_clean_up),
        cmocka_unit_test_setup_teardown(bad_lines_are_named_and_survived, set_up, sandbox_clean_up),
        cmocka_unit_test_setup_teardown(reads_what_the_program_writes, set_up, sandbox_clean_up),
        cmocka_unit_test_setup_teardown(wrong_usage, set_up, sandbox_clean_up),
        cmocka_unit_test_setup_teardown(bench_measures, set_up, sandbox_clean_up),
        cmocka_unit_test_setup_teardown(bench_that_cannot_run, set_up, sandbox_clean_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
