/* allin1 show: the structure as text, and what it does with files that hold none. */
#include "support/golden.h"
#include "support/sandbox.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SONG                                                                                       \
    "{\"path\": \"/music/%s\", \"bpm\": 120, \"beats\": [0.5,1.0,1.5,2.0,2.5],"                     \
    " \"downbeats\": [0.5,2.5], \"beat_positions\": [1,2,3,4,1], \"segments\": ["                   \
    "{\"start\": 0.0, \"end\": 2.5, \"label\": \"intro\"},"                                        \
    "{\"start\": 2.5, \"end\": 10.0, \"label\": \"%s\"}]}"

static void write_song(const char *name, const char *label)
{
    char text[2048];
    const int size = snprintf(text, sizeof text, SONG, name, label);
    sandbox_write("song.json", text, (size_t)size);
}

static void shows_the_structure(void **state)
{
    (void)state;
    write_song("My Song.mp3", "chorus");
    program_outcome run = RUN("show", "--width", "44", "song.json");
    program_expect(&run, 0);
    assert_string_equal(run.err, "");
    assert_string_equal(run.out, "  My Song.mp3\n"
                                 "  tempo 120 bpm, metre 4/4, length 0:10.00, 5 beats, 2 downbeats\n"
                                 "\n"
                                 "  |intro----|chorus-----------------------|\n"
                                 "  0:00      0:03                      0:10\n"
                                 "\n"
                                 "       start        end    length   bars  section\n"
                                 "     0:00.00    0:02.50    2.50 s      1  intro\n"
                                 "     0:02.50    0:10.00    7.50 s      1  chorus\n");
    program_free(&run);
}

static void colours_only_where_they_belong(void **state)
{
    (void)state;
    write_song("x.mp3", "chorus");
    program_outcome run = RUN("show", "song.json");
    expect_no_text(run.out, "\033");
    program_free(&run);
    run = RUN("show", "--color=always", "song.json");
    expect_text(run.out, "\033[48;5;");
    program_free(&run);

    const char *const words[] = {"show", "song.json", NULL};
    const char *const capable[] = {"TERM=xterm-256color", NULL};
    const char *const unwanted[] = {"TERM=xterm-256color", "NO_COLOR=1", NULL};
    const program_setting terminal = {.output_terminal = true, .environment = capable};
    const program_setting no_colour = {.output_terminal = true, .environment = unwanted};
    const program_setting dumb = {.output_terminal = true};
    run = program_run(&terminal, words);
    expect_text(run.out, "\033[48;5;");
    program_free(&run);
    run = program_run(&no_colour, words);
    expect_no_text(run.out, "\033");
    expect_text(run.out, "|intro");
    program_free(&run);
    run = program_run(&dumb, words);
    expect_no_text(run.out, "\033");
    program_free(&run);
}

/* As wide as asked, whatever stands in the name: wide characters, combining ones, and attempts to
 * steer the terminal. */
static void names_of_all_kinds(void **state)
{
    (void)state;
    write_song("\xe6\xad\x8c\xe3\x81\xae\xe6\x9c\xac e\xcc\x81.mp3", "\xe6\xad\x8c");
    program_outcome run = RUN("show", "--width", "40", "song.json");
    program_expect(&run, 0);
    expect_text(run.out, "  \xe6\xad\x8c\xe3\x81\xae\xe6\x9c\xac e\xcc\x81.mp3\n");
    /* 36 columns: the label takes two of the 26 after the mark. */
    expect_text(run.out, "  |intro---|\xe6\xad\x8c------------------------|\n");
    program_free(&run);

    write_song("a\\u001b[31mb\\u202ec\\u0007.mp3", "\\u001b]0;x\\u0007");
    run = RUN("show", "song.json");
    program_expect(&run, 0);
    expect_no_text(run.out, "\033");
    expect_no_text(run.out, "\a");
    expect_no_text(run.out, "\xe2\x80\xae");
    expect_text(run.out, "a?[31mb?c?.mp3");
    program_free(&run);

    char name[400];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    write_song(name, name);
    run = RUN("show", "--width", "60", "song.json");
    program_expect(&run, 0);
    expect_text(run.out, "nnn...\n");
    for (const char *line = run.out; *line; line += strcspn(line, "\n") + 1)
        if (strcspn(line, "\n") > 70)
            fail_msg("too wide: %.200s", line);
    program_free(&run);
}

static void the_reference_s_results(void **state)
{
    (void)state;
    program_outcome run = RUN("show", test_golden("golden/songs/victory/victory.json"),
                              test_golden("golden/songs/love_theme/love_theme.json"));
    program_expect(&run, 0);
    expect_text(run.out, "victory.ogg\n  tempo 77 bpm");
    expect_text(run.out, "\n\n  love_theme.ogg\n");
    program_free(&run);
}

static void without_beats_or_sections(void **state)
{
    (void)state;
    const char *text = "{\"path\": \"/x.wav\", \"bpm\": null, \"beats\": [], \"downbeats\": [], "
                       "\"beat_positions\": [], \"segments\": [], \"duration\": 0.0}";
    sandbox_write("none.json", text, strlen(text));
    program_outcome run = RUN("show", "none.json");
    program_expect(&run, 0);
    assert_string_equal(run.out, "  x.wav\n  tempo none, length 0:00.00, 0 beats, 0 downbeats\n"
                                 "  no sections\n");
    program_free(&run);
}

/* How sure the result is, in one line, where it tells; and a label that is unknown. */
static void confidences_in_short(void **state)
{
    (void)state;
    static const char text[] =
        "{\"path\": \"x.wav\", \"bpm\": 120, \"beats\": [0.5, 1.0], \"downbeats\": [0.5], "
        "\"beat_positions\": [1, 2], \"segments\": [{\"start\": 0, \"end\": 2, \"label\": "
        "\"unknown\"}], \"tempo\": 120.0, \"tempo_confidence\": 0.7, \"tempo_alternatives\": "
        "[{\"bpm\": 60.0, \"confidence\": 0.25, \"relation\": \"half\"}, {\"bpm\": 240.0, "
        "\"confidence\": 0.05, \"relation\": \"double\"}], \"beat_confidences\": [0.9, 0.4], "
        "\"segment_probabilities\": [0.3]}";
    sandbox_write("sure.json", text, sizeof text - 1);
    program_outcome run = RUN("show", "sure.json");
    program_expect(&run, 0);
    expect_text(run.out, "\n  tempo 70% sure, half (60.00) 25%, double (240.00) 5%; beats 65%, 1 "
                         "doubtful\n");
    expect_text(run.out, "unknown");
    program_free(&run);

    static const char hostile[] =
        "{\"path\": \"x.wav\", \"bpm\": 120, \"beats\": [0.5, 1.0], \"downbeats\": [0.5], "
        "\"beat_positions\": [1, 2], \"segments\": [{\"start\": 0, \"end\": 2, \"label\": "
        "\"intro\"}], "
        "\"tempo_confidence\": 0.7, \"tempo_alternatives\": [{\"bpm\": 60.0, \"confidence\": 0.25, "
        "\"relation\": \"\\u001b]0;x\\u0007\"}]}";
    sandbox_write("hostile.json", hostile, sizeof hostile - 1);
    run = RUN("show", "hostile.json");
    program_expect(&run, 0);
    expect_no_text(run.out, "\033");
    expect_text(run.out, "?]0;x? (60.00)");
    program_free(&run);
}

static void what_cannot_be_shown(void **state)
{
    (void)state;
    sandbox_write("text.json", "hello", 5);
    sandbox_folder("folder");
    write_song("x.mp3", "chorus");
    program_outcome run = RUN("show", "none.json", "text.json", "folder", "song.json");
    program_expect(&run, 1);
    expect_text(run.err, "allin1: none.json: No such file");
    expect_text(run.err, "allin1: text.json: not JSON: line 1");
    expect_text(run.err, "allin1: folder: is a folder");
    expect_text(run.out, "x.mp3");
    program_free(&run);

    static const char *const wrong[][4] = {{"show", NULL},
                                           {"show", "--frobnicate", "song.json", NULL},
                                           {"show", "--width", NULL},
                                           {"show", "--width=5", "song.json", NULL},
                                           {"show", "--color", "blue", "song.json"}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const char *words[5] = {NULL};
        memcpy(words, wrong[i], sizeof wrong[i]);
        run = program_run(NULL, words);
        program_expect(&run, 2);
        expect_text(run.err, "allin1 show --help");
        program_free(&run);
    }
    run = RUN("show", "--help");
    program_expect(&run, 0);
    expect_text(run.out, "Usage: allin1 show");
    program_free(&run);
    const program_setting full = {.output_device = "/dev/full"};
    const char *const words[] = {"show", "song.json", NULL};
    run = program_run(&full, words);
    program_expect(&run, 1);
    expect_text(run.err, "No space left");
    program_free(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(shows_the_structure, sandbox_set_up, sandbox_clean_up),
        cmocka_unit_test_setup_teardown(colours_only_where_they_belong, sandbox_set_up, sandbox_clean_up),
        cmocka_unit_test_setup_teardown(names_of_all_kinds, sandbox_set_up, sandbox_clean_up),
        cmocka_unit_test_setup_teardown(the_reference_s_results, sandbox_set_up, sandbox_clean_up),
        cmocka_unit_test_setup_teardown(without_beats_or_sections, sandbox_set_up, sandbox_clean_up),
        cmocka_unit_test_setup_teardown(confidences_in_short, sandbox_set_up, sandbox_clean_up),
        cmocka_unit_test_setup_teardown(what_cannot_be_shown, sandbox_set_up, sandbox_clean_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
