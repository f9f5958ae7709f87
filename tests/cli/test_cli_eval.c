/* allin1 eval: two files, two folders, tables and JSON. */
#include "support/golden.h"
#include "support/sandbox.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void put(const char *name, const char *text)
{
    sandbox_write(name, text, strlen(text));
}

static void two_files(void **state)
{
    (void)state;
    put("ref.beats", "5.0 1\n5.5 2\n6.0 3\n6.5 4\n7.0 1\n7.5 2\n");
    put("est.txt", "5.02 1\n5.52 2\n6.02 3\n6.62 4\n7.02 1\n7.52 2\n");
    program_outcome run = RUN("eval", "ref.beats", "est.txt");
    program_expect(&run, 0);
    assert_string_equal(run.err, "");
    /* Five of six are within 70 ms; the fourth breaks the continuity, and is late in its interval for
     * the fifth: 3 of 6 in a row, 4 of 6 at all. */
    expect_text(run.out, "beats               F 0.8333  CMLc 0.5000  CMLt 0.6667  ");
    expect_text(run.out, "tempo               Acc1 1.0000  Acc2 1.0000\n");
    expect_no_text(run.out, "boundaries");
    for (const char *line = run.out; *line; line += strcspn(line, "\n") + 1)
        assert_true(strcspn(line, "\n") <= 80);
    program_free(&run);
    run = RUN("eval", "--beats-from", "6.9", "ref.beats", "est.txt");
    expect_text(run.out, "F 1.0000  CMLc 1.0000");
    program_free(&run);
}

static double mean_of(const json_t *root, const char *group, const char *name, const char *field)
{
    const json_t *measure = json_object_get(
        json_object_get(json_object_get(root, "means"), group), name);
    const json_t *value = json_object_get(measure, field);
    assert_non_null(value);
    return json_is_null(value) ? NAN : json_number_value(value);
}

static void make_folders(void)
{
    sandbox_folder("ref");
    sandbox_folder("ref/segments");
    sandbox_folder("est");
    put("ref/a.beats", "5.0 1\n5.5 2\n6.0 3\n6.5 4\n");
    put("ref/segments/a.txt", "0.0 intro\n3.0 verse2\n9.0 end\n");
    put("ref/b.lab", "0 4 verse\n4 8 chorus\n");
    put("ref/c.lab", "0 4 verse\n");
    put("est/a.json", "{\"path\": \"a\", \"bpm\": 120, \"beats\": [5.0,5.5,6.0,6.5], \"downbeats\":"
                      " [5.0], \"beat_positions\": [1,2,3,4], \"segments\": ["
                      "{\"start\": 0, \"end\": 3.25, \"label\": \"intro\"},"
                      "{\"start\": 3.25, \"end\": 9, \"label\": \"verse\"}]}");
    put("est/a.csv", "not looked at");
    put("est/b.jams", "{\"annotations\": [{\"namespace\": \"segment_open\", \"data\": ["
                      "{\"time\": 0, \"duration\": 8, \"value\": \"verse\", \"confidence\": 1}]}]}");
    put("est/d.lab", "0 4 verse\n");
}

static void two_folders(void **state)
{
    (void)state;
    make_folders();
    program_outcome run = RUN("eval", "ref", "est");
    program_expect(&run, 0);
    expect_text(run.err, "c: only in ref\n");
    expect_text(run.err, "d: only in est\n");
    expect_text(run.out, "a                             1.000  1.000  1.000  1.000  1.000");
    expect_text(run.out, "b                                 -      -      -  0.800  0.800");
    expect_text(run.out, "beats                F                1.0000  1.0000 - 1.0000     1\n");
    for (const char *line = run.out; *line; line += strcspn(line, "\n") + 1)
        assert_true(strcspn(line, "\n") <= 80);
    program_free(&run);

    run = RUN("eval", "--json", "-q", "ref", "est");
    program_expect(&run, 0);
    assert_string_equal(run.err, "");
    json_error_t reason;
    json_t *root = json_loads(run.out, 0, &reason);
    assert_non_null(root);
    const json_t *songs = json_object_get(root, "songs");
    assert_int_equal(json_array_size(songs), 2);
    assert_string_equal(json_string_value(json_object_get(json_array_get(songs, 1), "name")), "b");
    assert_true(json_is_null(json_object_get(
        json_object_get(json_array_get(songs, 1), "beats"), "F")));
    assert_true(mean_of(root, "boundaries", "F@0.5", "songs") == 2);
    assert_true(fabs(mean_of(root, "boundaries", "F@0.5", "mean") - 0.9) < 1e-9);
    /* Of two songs a quarter of the resamples are one of them twice. */
    assert_true(fabs(mean_of(root, "boundaries", "F@0.5", "low") - 0.8) < 1e-9);
    assert_true(fabs(mean_of(root, "boundaries", "F@0.5", "high") - 1) < 1e-9);
    /* Three of 90 frames differ in a; half of b is wrong. */
    assert_true(fabs(mean_of(root, "labels", "accuracy", "mean") - (87.0 / 90 + 0.5) / 2) < 1e-9);
    json_decref(root);
    char *first = strdup(run.out);
    program_free(&run);
    run = RUN("eval", "--json", "-q", "ref", "est");
    assert_string_equal(run.out, first);
    free(first);
    program_free(&run);
}

static void results_against_results_of_the_reference(void **state)
{
    (void)state;
    const char *song = test_golden("golden/songs/love_theme/love_theme.json");
    program_outcome run = RUN("eval", song, song);
    program_expect(&run, 0);
    expect_text(run.out, "F 1.0000  CMLc 1.0000  CMLt 1.0000  AMLc 1.0000");
    expect_text(run.out, "accuracy 1.0000");
    program_free(&run);
}

static void failures_are_told(void **state)
{
    (void)state;
    make_folders();
    put("bad.txt", "0 verse\n1\n");
    put("x.lab", "0 4 verse\n");
    sandbox_folder("empty");
    expect_run(RUN("eval", "none", "x.lab"), 1, "none: No such file");
    expect_run(RUN("eval", "bad.txt", "x.lab"), 1, "bad.txt: line 2: has no label");
    expect_run(RUN("eval", "ref/a.beats", "x.lab"), 1, "have nothing in common");
    expect_run(RUN("eval", "ref", "empty"), 1, "no song is in both ref and empty");
    put("est/c.lab", "0 verse\n");
    program_outcome run = RUN("eval", "ref", "est");
    program_expect(&run, 1);
    expect_text(run.err, "est/c.lab: line 1: has no end");
    expect_text(run.out, "a       "); /* the others are told all the same */
    program_free(&run);
    const program_setting full = {.output_device = "/dev/full"};
    run = program_run(&full, (const char *const[]){"eval", "x.lab", "x.lab", NULL});
    program_expect(&run, 1);
    program_free(&run);
}

static void wrong_usage(void **state)
{
    (void)state;
    make_folders();
    expect_run(RUN("eval"), 2, "a reference and an estimate are needed");
    expect_run(RUN("eval", "a"), 2, "a reference and an estimate are needed");
    expect_run(RUN("eval", "a", "b", "c"), 2, "a reference and an estimate are needed");
    expect_run(RUN("eval", "ref", "ref/a.beats"), 2, "two files or two folders");
    expect_run(RUN("eval", "--seed", "x", "ref", "est"), 2, "--seed takes a whole number");
    expect_run(RUN("eval", "--beats-from", "-1", "ref", "est"), 2, "--beats-from takes seconds");
    expect_run(RUN("eval", "--nonsense", "ref", "est"), 2, "unknown option --nonsense");
    expect_run(RUN("eval", "ref", "est", "--seed"), 2, "--seed needs a value");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, sandbox_set_up, sandbox_clean_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(two_files),
        TEST(two_folders),
        TEST(results_against_results_of_the_reference),
        TEST(failures_are_told),
        TEST(wrong_usage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
