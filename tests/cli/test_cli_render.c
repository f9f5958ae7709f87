/* Figures, pages and sounds beside the results: where they go, and when they are made again. */
#include "support/golden.h"
#include "support/sandbox.h"
#include "support/small_program.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int set_up(void **state)
{
    (void)state;
    small_sandbox();
    make_sound("a.wav", MUSIC, 4);
    return 0;
}

static void figures_and_sounds(void **state)
{
    (void)state;
    program_outcome run = RUN(SMALL, "-v", "-s", "--timings", "t.jsonl", "a.wav");
    program_expect(&run, 0);
    expect_text(run.err, "-> ./viz/a.pdf");
    expect_text(run.err, "-> ./sonif/a.sonif.wav");
    expect_text(run.err, "tiny-harmonix.a1w), fp32"); /* -v also says what was used */
    program_free(&run);
    expect_list("viz", "a.pdf");
    expect_list("sonif", "a.sonif.wav");
    char *spans = sandbox_read("t.jsonl", NULL);
    expect_text(spans, "\"stage\": \"visualize\"");
    expect_text(spans, "\"stage\": \"sonify\"");
    free(spans);
}

static void verbose_alone_draws_nothing(void **state)
{
    (void)state;
    expect_run(RUN(SMALL, "--verbose", "a.wav"), 0, "tiny-harmonix.a1w), fp32");
    assert_false(sandbox_has("viz"));
}

/* A result that is there is drawn without analysing again; a figure that is there is left alone. */
static void from_results_that_are_there(void **state)
{
    (void)state;
    struct stat before, after;
    expect_run(RUN(SMALL, "a.wav"), 0, NULL);
    expect_run(RUN(SMALL, "-v", "--viz-format=svg", "--viz-dir", "pictures", "-s",
                   "--sonif-format", "flac", "--sonif-dir=sounds", "a.wav"),
               0, "a.wav: skipped");
    expect_list("pictures", "a.svg");
    expect_list("sounds", "a.sonif.flac");
    assert_int_equal(stat(sandbox_path("pictures/a.svg"), &before), 0);
    program_outcome run = RUN(SMALL, "-v", "--viz-format=svg", "--viz-dir", "pictures", "a.wav");
    program_expect(&run, 0);
    expect_text(run.err, "pictures/a.svg: is there already");
    program_free(&run);
    assert_int_equal(stat(sandbox_path("pictures/a.svg"), &after), 0);
    assert_int_equal(before.st_ino, after.st_ino);
}

/* The same whether drawn right after the analysis or from the result's file, and by any threads. */
static void the_same_bytes(void **state)
{
    (void)state;
    size_t sizes[2];
    expect_run(RUN(SMALL, "--threads=1", "-v", "--viz-format=png", "a.wav"), 0, NULL);
    char *one = sandbox_read("viz/a.png", &sizes[0]);
    unlink(sandbox_path("viz/a.png"));
    expect_run(RUN(SMALL, "--threads=2", "-v", "--viz-format=png", "a.wav"), 0, "skipped");
    char *two = sandbox_read("viz/a.png", &sizes[1]);
    assert_int_equal(sizes[0], sizes[1]);
    assert_memory_equal(one, two, sizes[0]);
    free(one);
    free(two);
}

static void songs_of_the_same_name(void **state)
{
    (void)state;
    sandbox_folder("other");
    make_sound("other/a.wav", MUSIC, 3);
    expect_run(RUN(SMALL, "-v", "-s", "a.wav", "other/a.wav"), 0, NULL);
    expect_list("viz", "a-2.pdf a.pdf");
    expect_list("sonif", "a-2.sonif.wav a.sonif.wav");
}

/* The result stands, the other file stays as it is. */
static void what_is_not_ours_is_left_alone(void **state)
{
    (void)state;
    sandbox_folder("viz");
    sandbox_write("viz/a.pdf", "my thesis", 9);
    expect_run(RUN(SMALL, "-v", "a.wav"), 1, "viz/a.pdf: was not made by this program");
    assert_true(sandbox_has("struct/a.json"));
    char *text = sandbox_read("viz/a.pdf", NULL);
    assert_string_equal(text, "my thesis");
    free(text);
}

static void a_full_disk_leaves_no_part(void **state)
{
    (void)state;
    expect_run(RUN(SMALL, "a.wav"), 0, NULL);
    const program_setting full = {.file_size_limit = 20000};
    const char *const words[] = {SMALL, "-s", "a.wav", NULL};
    expect_run(program_run(&full, words), 1, "sonif/a.sonif.wav: cannot write: File too large");
    expect_list("sonif", "");
}

static void pages_and_their_index(void **state)
{
    (void)state;
    struct stat before, after;
    make_sound("index.wav", MUSIC, 3);
    program_outcome run = RUN(SMALL, "--html", "--html-audio=none", "a.wav");
    program_expect(&run, 0);
    expect_text(run.err, "-> ./html/a.html");
    program_free(&run);
    expect_list("html", "a.html"); /* one page needs no index */
    char *page = sandbox_read("html/a.html", NULL);
    expect_text(page, "\"activations\": {");
    free(page);
    assert_int_equal(stat(sandbox_path("html/a.html"), &before), 0);
    expect_run(RUN(SMALL, "--html", "--html-audio=none", "a.wav", "index.wav"), 0,
               "-> ./html/index.html");
    expect_list("html", "a.html index.html index.song.html");
    /* The page of the song that was skipped is as good, though its result tells no activations. */
    assert_int_equal(stat(sandbox_path("html/a.html"), &after), 0);
    assert_int_equal(before.st_ino, after.st_ino);
    char *list = sandbox_read("html/index.html", NULL);
    expect_text(list, "href=\"a.html\"");
    expect_text(list, "href=\"index.song.html\"");
    free(list);
    run = RUN(SMALL, "--html", "--html-audio=none", "--verbose", "a.wav", "index.wav");
    program_expect(&run, 0);
    expect_text(run.err, "html/index.html: is there already");
    program_free(&run);
}

static void pages_carry_their_sound(void **state)
{
    (void)state;
    expect_run(RUN(SMALL, "--verbose", "--html", "--html-audio=original", "--html-dir", "h", "a.wav"),
               0, "sound: original");
    char *page = sandbox_read("h/a.html", NULL);
    expect_text(page, "id=\"sound\">UklGR"); /* "RIFF" in base64 */
    free(page);
    expect_run(RUN(SMALL, "--html", "--html-audio=link", "--html-dir", "h", "a.wav"), 0, "h/a.html");
    page = sandbox_read("h/a.html", NULL);
    expect_text(page, "\"link\": \"../a.wav\"");
    expect_text(page, "id=\"sound\"></script>");
    free(page);
}

static void wrong_words(void **state)
{
    (void)state;
    expect_run(RUN(SMALL, "--viz-format", "gif", "a.wav"), 2,
               "--viz-format takes pdf, svg or png, not \"gif\"");
    expect_run(RUN(SMALL, "--sonif-format=aac", "a.wav"), 2,
               "--sonif-format takes wav, flac, mp3 or opus, not \"aac\"");
    expect_run(RUN(SMALL, "--html-audio=loud", "a.wav"), 2,
               "--html-audio takes auto, opus, original, link or none, not \"loud\"");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, sandbox_clean_up)
    const struct CMUnitTest tests[] = {
        TEST(figures_and_sounds),
        TEST(verbose_alone_draws_nothing),
        TEST(from_results_that_are_there),
        TEST(the_same_bytes),
        TEST(songs_of_the_same_name),
        TEST(what_is_not_ours_is_left_alone),
        TEST(a_full_disk_leaves_no_part),
        TEST(pages_and_their_index),
        TEST(pages_carry_their_sound),
        TEST(wrong_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
