/* The command line: what is refused, and what standard output may do. */
#include "support/golden.h"
#include "support/sandbox.h"
#include "support/small_program.h"
#include "support/tiny_model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "weights/mapped.h"

static void refuses_what_it_does_not_know(void **state)
{
    (void)state;
    expect_refused(RUN(NULL), "no file was given");
    EXPECT_REFUSED("no file was given", "-q");
    EXPECT_REFUSED("no file was given", "--");
    EXPECT_REFUSED("unknown option --frobnicate", "--frobnicate", "a.wav");
    EXPECT_REFUSED("unknown option -z", "-z", "a.wav");
    EXPECT_REFUSED("unknown option -z", "-kz", "a.wav");
    EXPECT_REFUSED("several options", "--s", "a.wav");
    EXPECT_REFUSED("--out-dir needs a value", "a.wav", "-o");
    EXPECT_REFUSED("--out-dir needs a value", "a.wav", "--out-dir");
    EXPECT_REFUSED("--out-dir needs a value", "a.wav", "--out-dir=");
    EXPECT_REFUSED("--activ takes no value", "--activ=1", "a.wav");
    EXPECT_REFUSED("--threads", "--threads", "two", "a.wav");
    EXPECT_REFUSED("--threads", "--threads", "-1", "a.wav");
    EXPECT_REFUSED("--threads", "--threads", "1025", "a.wav");
    EXPECT_REFUSED("--threads", "--threads=1x", "a.wav");
    EXPECT_REFUSED("--demix-shifts", "--demix-shifts", "99999", "a.wav");
    EXPECT_REFUSED("--demix-seed", "--demix-seed", "99999999999999999999999", "a.wav");
    EXPECT_REFUSED("--spec-backend", "--spec-backend", "quick", "a.wav");
    EXPECT_REFUSED("--cpu-level", "--cpu-level", "avx9", "a.wav");
    EXPECT_REFUSED("--overwrite", "--overwrite=demix,nonsense", "a.wav");
    EXPECT_REFUSED("--overwrite", "--overwrite=", "a.wav");
    EXPECT_REFUSED("--stems-pattern needs --stems-dir", "--stems-pattern", "%s.wav", "a.wav");
    EXPECT_REFUSED("--min-bpm takes a number from 10 to 600, not \"slow\"", "--min-bpm", "slow", "a.wav");
    EXPECT_REFUSED("--min-bpm", "--min-bpm", "9", "a.wav");
    EXPECT_REFUSED("--min-bpm", "--min-bpm", "-60", "a.wav");
    EXPECT_REFUSED("--min-bpm", "--min-bpm", "0x40", "a.wav");
    EXPECT_REFUSED("--max-bpm", "--max-bpm", "601", "a.wav");
    EXPECT_REFUSED("--max-bpm", "--max-bpm", "1e2", "a.wav");
    EXPECT_REFUSED("--tempo-hint", "--tempo-hint", ".", "a.wav");
    EXPECT_REFUSED("--transition-lambda", "--transition-lambda", "inf", "a.wav");
    EXPECT_REFUSED("--unknown", "--unknown", "1.01", "a.wav");
    EXPECT_REFUSED("150 beats a minute, is not below the fastest, 120", "--min-bpm", "150", "--max-bpm", "120", "a.wav");
    EXPECT_REFUSED("not below the fastest, 215 if none is given", "--min-bpm", "300", "a.wav");
    EXPECT_REFUSED("90 beats a minute, is not between 100", "--tempo-hint", "90", "--min-bpm", "100", "a.wav");
    EXPECT_REFUSED("widen the range", "--min-bpm", "110.2", "--max-bpm", "110.9", "a.wav");
    EXPECT_REFUSED("--beats-per-bar takes", "--beats-per-bar", "3,13", "a.wav");
    EXPECT_REFUSED("--beats-per-bar takes", "--beats-per-bar", "1", "a.wav");
    EXPECT_REFUSED("--beats-per-bar takes", "--beats-per-bar", "3.5", "a.wav");
    EXPECT_REFUSED("--beats-per-bar takes", "--beats-per-bar", "3,", "a.wav");
    EXPECT_REFUSED("--beats-per-bar takes", "--beats-per-bar", "3:0,4", "a.wav");
    EXPECT_REFUSED("--beats-per-bar takes", "--beats-per-bar", "3:1:1,4", "a.wav");
    EXPECT_REFUSED("--beats-per-bar takes", "--beats-per-bar", "3;4", "a.wav");
    EXPECT_REFUSED("names 3 beats twice", "--beats-per-bar", "3,4,3:2", "a.wav");
    EXPECT_REFUSED("nonsense", "-m", "nonsense", "a.wav");
    EXPECT_REFUSED("htdemucs", "-m", "htdemucs", "a.wav");
    EXPECT_REFUSED("harmonix", "--demix-model", "harmonix-fold0", "a.wav");
}

static void tells_about_itself(void **state)
{
    (void)state;
    program_outcome run = RUN("--help");
    program_expect(&run, 0);
    expect_text(run.out, "Usage: allin1");
    expect_text(run.out, "--keep-byproducts");
    expect_text(run.out, "Exit status");
    assert_string_equal(run.err, "");
    for (const char *line = run.out; *line;) {
        const size_t length = strcspn(line, "\n");
        if (length > 80)
            fail_msg("wider than 80 columns: %.*s", (int)length, line);
        line += length + (line[length] == '\n');
    }
    program_free(&run);
    run = RUN("-h");
    program_expect(&run, 0);
    program_free(&run);
    run = RUN("--version");
    program_expect(&run, 0);
    assert_string_equal(run.out, "allin1 " ALLIN1_VERSION_STRING "\n");
    program_free(&run);
}

static void standard_output_may_fail(void **state)
{
    (void)state;
    const char *const help[] = {"--help", NULL};
    const program_setting full = {.output_device = "/dev/full"}, closed = {.no_output = true},
                          broken = {.broken_output = true};
    program_outcome run = program_run(&full, help);
    program_expect(&run, 1);
    expect_text(run.err, "No space left");
    program_free(&run);
    run = program_run(&closed, help);
    program_expect(&run, 1);
    expect_text(run.err, "standard output");
    program_free(&run);
    run = program_run(&broken, help);
    program_expect(&run, 1); /* and not killed by a signal */
    assert_string_equal(run.err, "");
    program_free(&run);

    make_sound("a.wav", MUSIC, 1);
    const char *const json[] = {SMALL, "--json", "-q", "a.wav", NULL};
    run = program_run(&full, json);
    program_expect(&run, 1);
    expect_text(run.err, "No space left");
    program_free(&run);
    run = program_run(&closed, json);
    program_expect(&run, 1);
    program_free(&run);
    assert_false(sandbox_has("struct"));
}

/* The reference's options that have no meaning here do no harm. */
static void takes_the_reference_s_options(void **state)
{
    (void)state;
    make_sound("a.wav", MUSIC, 1);
    program_outcome run =
        RUN(SMALL, "-d", "cpu", "--no-multiprocess", "a.wav", "--out-dir", "results");
    program_expect(&run, 0);
    expect_text(run.err, "--device");
    expect_text(run.err, "--no-multiprocess");
    program_free(&run);
    assert_true(sandbox_has("results/a.json"));
    run = RUN(SMALL, "-qkoshort", "--keep", "--demix-d", "d", "--spec-dir=s", "--", "a.wav");
    program_expect(&run, 0);
    assert_string_equal(run.err, "");
    program_free(&run);
    assert_true(sandbox_has("short/a.json"));
    assert_true(sandbox_has("d/htdemucs/a/vocals.wav"));
    assert_true(sandbox_has("s/a.npy"));
}

/* --overwrite has an optional value: a list of stages, never a file's name. */
static void overwrite_swallows_no_file(void **state)
{
    (void)state;
    make_sound("demix", MUSIC, 1);
    program_outcome run = RUN(SMALL, "--overwrite", "demix");
    program_expect(&run, 0);
    program_free(&run);
    assert_true(sandbox_has("struct/demix.json"));
    make_sound("a.wav", MUSIC, 1);
    run = RUN(SMALL, "--overwrite", "a.wav");
    program_expect(&run, 0);
    program_free(&run);
    assert_true(sandbox_has("struct/a.json"));
    run = RUN(SMALL, "--overwrite", "json,spec", "a.wav");
    program_expect(&run, 0);
    expect_no_text(run.err, "skipped");
    program_free(&run);
}

static void weights_are_missing_or_damaged(void **state)
{
    (void)state;
    make_sound("a.wav", MUSIC, 1);
    program_outcome run = RUN("-m", "harmonix-all", "a.wav", "b.wav");
    program_expect(&run, 3);
    expect_text(run.err, "harmonix-fold0");
    expect_text(run.err, "allin1 models fetch");
    expect_text(run.err, "  b.wav"); /* what is left */
    program_free(&run);
    run = RUN("-m", "models/tiny-harmonix.a1w", "a.wav");
    program_expect(&run, 3);
    expect_text(run.err, "htdemucs");
    program_free(&run);
    run = RUN("-m", "models/none.a1w", "a.wav");
    program_expect(&run, 3);
    expect_text(run.err, "models/none.a1w");
    program_free(&run);

    size_t size;
    char *bytes = sandbox_read("models/tiny-harmonix.a1w", &size);
    bytes[size / 2] = (char)(bytes[size / 2] ^ 1);
    sandbox_write("models/tiny-harmonix.a1w", bytes, size);
    free(bytes);
    run = RUN(SMALL, "a.wav");
    program_expect(&run, 3);
    expect_text(run.err, "models/tiny-harmonix.a1w");
    program_free(&run);
    assert_false(sandbox_has("struct"));
}

/* The file is whole, and what it holds makes no network: its first tensor, `left_out`, is missing. */
static void write_without_a_tensor(allin1_status (*make)(a1_tensor_set **, a1_error *),
                                   const char *name, char left_out[128])
{
    a1_tensor_set *whole, *part;
    a1_error err = {0};
    assert_int_equal(make(&whole, &err), ALLIN1_OK);
    assert_int_equal(a1_tensor_set_create(&part, &err), ALLIN1_OK);
    assert_int_equal(a1_tensor_set_copy_texts(part, whole, &err), ALLIN1_OK);
    snprintf(left_out, 128, "%s", a1_tensor_set_at(whole, 0)->name);
    for (size_t i = 1; i < a1_tensor_set_count(whole); i++)
        assert_int_equal(a1_tensor_set_add(part, a1_tensor_set_at(whole, i), &err), ALLIN1_OK);
    assert_int_equal(a1_tensor_set_count(part) + 1, a1_tensor_set_count(whole));
    assert_int_equal(a1_mapped_write(sandbox_path("%s", name), part, true, NULL, &err), ALLIN1_OK);
    a1_tensor_set_destroy(&part);
    a1_tensor_set_destroy(&whole);
}

static void weights_that_make_no_network(void **state)
{
    (void)state;
    make_sound("a.wav", MUSIC, 1);
    char tensor[128];
    write_without_a_tensor(test_tiny_harmonix, "models/cut-harmonix.a1w", tensor);
    program_outcome run = RUN("-m", "models/cut-harmonix.a1w", "--demix-model",
                              "models/tiny-htdemucs.a1w", "a.wav");
    program_expect(&run, 3);
    expect_text(run.err, "models/cut-harmonix.a1w: fold 0: tensor");
    expect_text(run.err, tensor);
    program_free(&run);

    write_without_a_tensor(test_tiny_htdemucs, "models/cut-htdemucs.a1w", tensor);
    run = RUN("-m", "models/tiny-harmonix.a1w", "--demix-model", "models/cut-htdemucs.a1w", "a.wav");
    program_expect(&run, 3);
    expect_text(run.err, "models/cut-htdemucs.a1w: tensor");
    expect_text(run.err, tensor);
    program_free(&run);
}

static void options_that_files_disprove(void **state)
{
    (void)state;
    make_sound("a.wav", MUSIC, 1);
    program_outcome run = RUN("-m", "models/tiny-htdemucs.a1w", "--demix-model",
                              "models/tiny-htdemucs.a1w", "a.wav");
    program_expect(&run, 2);
    expect_text(run.err, "tiny-htdemucs.a1w");
    expect_text(run.err, "family");
    program_free(&run);
    run = RUN(SMALL, "--stems-dir", ".", "--stems-pattern", "%q.wav", "a.wav");
    program_expect(&run, 2);
    expect_text(run.err, "%q");
    program_free(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(refuses_what_it_does_not_know, small_set_up, sandbox_clean_up),
        cmocka_unit_test_setup_teardown(tells_about_itself, small_set_up, sandbox_clean_up),
        cmocka_unit_test_setup_teardown(standard_output_may_fail, small_set_up, sandbox_clean_up),
        cmocka_unit_test_setup_teardown(takes_the_reference_s_options, small_set_up, sandbox_clean_up),
        cmocka_unit_test_setup_teardown(overwrite_swallows_no_file, small_set_up, sandbox_clean_up),
        cmocka_unit_test_setup_teardown(weights_are_missing_or_damaged, small_set_up, sandbox_clean_up),
        cmocka_unit_test_setup_teardown(weights_that_make_no_network, small_set_up, sandbox_clean_up),
        cmocka_unit_test_setup_teardown(options_that_files_disprove, small_set_up, sandbox_clean_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
