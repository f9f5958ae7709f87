/* --format and convert: every format is read back by readers that are not ours
 * (tests/support/read_formats.py), for results of all shapes. */
#include "support/files.h"
#include "support/golden.h"
#include "support/sandbox.h"
#include "support/small_program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ALL                                                                                        \
    "jams,lab,beats,harmonix,harmonix-beats,audacity,audacity-beats,csv,midi,reaper,"              \
    "sonic-visualiser,rekordbox,chapters,webvtt,podcast"

/* Debian's, which has Debian's modules, before another that is on the path. */
static const char *python(void)
{
    if (access("/usr/bin/python3", X_OK) == 0)
        return "/usr/bin/python3";
    return system("command -v python3 >/dev/null 2>&1") == 0 ? "python3" : NULL;
}

/* The files NAME.SUFFIX against the result, both in the sandbox. */
static void expect_agreement(const char *result, const char *name)
{
    const char *source = getenv("ALLIN1_SOURCE");
    char command[6000];
    if (!python()) {
        print_message("python3 is not installed: the formats are not read back\n");
        skip();
    }
    snprintf(command, sizeof command, "%s %s/tests/support/read_formats.py '%s' '%s' 2>&1",
             python(), source ? source : ".", sandbox_path("%s", result),
             sandbox_path("%s", name));
    FILE *said = popen(command, "r");
    assert_non_null(said);
    char words[4096];
    const size_t length = fread(words, 1, sizeof words - 1, said);
    words[length] = '\0';
    const int status = pclose(said);
    if (status != 0 || !strstr(words, "all formats agree"))
        fail_msg("%s: %s", result, words);
    if (strstr(words, "skipped"))
        print_message("%s", words);
}

static void check(const char *text)
{
    sandbox_write("in/song.json", text, strlen(text));
    expect_run(RUN("convert", "-o", "out", "--format", ALL, "in/song.json"), 0,
               "in/song.json -> out/song.jams and 14 more");
    expect_agreement("in/song.json", "out/song");
}

/* A document as the reference writes it; the lists as JSON without brackets. */
static void check_lists(const char *beats, const char *downbeats, const char *positions,
                        const char *segments, const char *bpm)
{
    char text[8192];
    snprintf(text, sizeof text,
             "{\"path\": \"/music/a.wav\", \"bpm\": %s, \"beats\": [%s], \"downbeats\": [%s],"
             " \"beat_positions\": [%s], \"segments\": [%s]}",
             bpm, beats, downbeats, positions, segments);
    check(text);
}

#define ONE_SECTION "{\"start\": 0.0, \"end\": 60.0, \"label\": \"verse\"}"

static void nothing_was_found(void **state)
{
    (void)state;
    sandbox_folder("in");
    check_lists("", "", "", "", "null");
    check_lists("", "", "", ONE_SECTION, "null");
}

static void few_beats(void **state)
{
    (void)state;
    sandbox_folder("in");
    check_lists("0.0", "0.0", "1", ONE_SECTION, "null");
    check_lists("0.5", "", "2", ONE_SECTION, "null");
    check_lists("12.34", "12.34", "1", "", "null");
    check_lists("0.01", "", "3", "", "null");
    check_lists("0.02,0.52", "0.02", "1,2", "", "120");
}

static void bars_of_all_kinds(void **state)
{
    (void)state;
    sandbox_folder("in");
    /* Pick-ups of one beat and of three. */
    check_lists("0.5,1.0,1.5,2.0,2.5,3.0", "1.0,3.0", "4,1,2,3,4,1", ONE_SECTION, "120");
    check_lists("0.0,0.5,1.0,1.5,2.0,2.5,3.0,3.5", "1.5,3.5", "2,3,4,1,2,3,4,1", ONE_SECTION, "120");
    /* Waltz, and a change from four to three and back. */
    check_lists("0.04,0.54,1.04,1.54,2.04,2.54", "0.04,1.54", "1,2,3,1,2,3", ONE_SECTION, "120");
    check_lists("3.1,3.6,4.1,4.6,5.1,5.6,6.1,6.6,7.1,7.6,8.1,8.6", "3.1,5.1,6.6,8.6",
                "1,2,3,4,1,2,3,1,2,3,4,1", ONE_SECTION, "120");
    /* No downbeat at all, one only, and a bar of twenty. */
    check_lists("1.0,2.0,3.0,4.0,5.0,6.0", "", "2,3,4,5,6,7", ONE_SECTION, "60");
    check_lists("1.0,2.0,3.0,4.0,5.0", "3.0", "3,4,1,2,3", ONE_SECTION, "60");
    check_lists("0.5,1.0,1.5,2.0,2.5,3.0,3.5,4.0,4.5,5.0,5.5,6.0,6.5,7.0,7.5,8.0,8.5,9.0,9.5,"
                "10.0,10.5,11.0",
                "0.5,10.5", "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,1,2", ONE_SECTION,
                "120");
}

static void uneven_beats(void **state)
{
    (void)state;
    sandbox_folder("in");
    /* Slower and slower, then a rest that is longer than the slowest tempo of a MIDI file. */
    check_lists("0.3,0.8,1.37,2.02,2.77,3.6,4.61,5.9,7.4,47.25,47.75,48.25,48.75",
                "0.3,2.77,7.4,48.25", "1,2,3,4,1,2,3,4,1,2,3,1,2", ONE_SECTION, "105");
    char beats[8192] = "", positions[4096] = "", downbeats[4096] = "";
    size_t b = 0, p = 0, d = 0;
    /* Twelve minutes at 127.3 a minute on frames of 10 ms: no error adds up. */
    for (int i = 0; i < 800; i++) {
        const double time = (double)(long)(100 * (0.37 + i * 60 / 127.3) + 0.5) / 100;
        b += (size_t)snprintf(beats + b, sizeof beats - b, "%s%.2f", i ? "," : "", time);
        p += (size_t)snprintf(positions + p, sizeof positions - p, "%s%d", i ? "," : "", i % 4 + 1);
        if (i % 4 == 0)
            d += (size_t)snprintf(downbeats + d, sizeof downbeats - d, "%s%.2f", i ? "," : "", time);
    }
    char *text = malloc(32768);
    assert_non_null(text);
    snprintf(text, 32768,
             "{\"path\": \"/m/a.wav\", \"bpm\": 127, \"tempo\": 127.3, \"beats\": [%s],"
             " \"downbeats\": [%s], \"beat_positions\": [%s], \"segments\": ["
             "{\"start\": 0.0, \"end\": 30.17, \"label\": \"intro\"},"
             "{\"start\": 30.17, \"end\": 400.0, \"label\": \"verse\"}]}",
             beats, downbeats, positions);
    check(text);
    free(text);
}

static void awkward_words(void **state)
{
    (void)state;
    sandbox_folder("in");
    check("{\"path\": \"/music/a & b/\\u00c9t\\u00e9 \\\"<#1;=50%?>\\\" 'x'\\\\ \\ud83c\\udfb5.mp3\","
          " \"bpm\": 120, \"beats\": [0.5,1.0], \"downbeats\": [0.5], \"beat_positions\": [1,2],"
          " \"segments\": ["
          "{\"start\": 0.0, \"end\": 0.01, \"label\": \"start\"},"
          "{\"start\": 0.01, \"end\": 5.5, \"label\": \"a, \\\"b\\\" & <c>; d=#e\\\\ --> f\"},"
          "{\"start\": 5.5, \"end\": 5.5, \"label\": \"of no length\"},"
          "{\"start\": 5.5, \"end\": 7.25, \"label\": \"two\\nlines\\tand\\u0001more\"},"
          "{\"start\": 7.25, \"end\": 3700.5, \"label\": \"\\u5c0f\\u8282\"},"
          "{\"start\": 3700.5, \"end\": 3701.0, \"label\": \"end\"}]}");
}

static void results_of_the_reference(void **state)
{
    (void)state;
    static const char *const songs[][2] = {
        {"golden/songs/apex_aleph/Apex Aleph.json", "Apex Aleph"},
        {"golden/songs/digital_pursuit/digital-pursuit.json", "digital-pursuit"},
        {"golden/songs/elveszett_lelkek/06_-_Elveszett_Lelkek.json", "06_-_Elveszett_Lelkek"},
        {"golden/songs/love_theme/love_theme.json", "love_theme"},
        {"golden/songs/victory/victory.json", "victory"},
    };
    sandbox_folder("in");
    for (size_t i = 0; i < sizeof songs / sizeof *songs; i++) {
        char name[64], out[64];
        size_t size;
        uint8_t *text = test_read_bytes(test_golden(songs[i][0]), &size);
        snprintf(name, sizeof name, "in/%s.json", songs[i][1]);
        snprintf(out, sizeof out, "out/%s", songs[i][1]);
        sandbox_write(name, text, size);
        free(text);
        expect_run(RUN("convert", "-q", "-o", "out", "--format", ALL, name), 0, NULL);
        expect_agreement(name, out);
    }
}

static void expect_same_files(const char *folder, const char *other)
{
    char *names = sandbox_list(other);
    for (char *name = strtok(names, " "); name; name = strtok(NULL, " ")) {
        char one[128], two[128];
        size_t sizes[2];
        snprintf(one, sizeof one, "%s/%s", folder, name);
        snprintf(two, sizeof two, "%s/%s", other, name);
        char *a = sandbox_read(one, &sizes[0]), *b = sandbox_read(two, &sizes[1]);
        if (sizes[0] != sizes[1] || memcmp(a, b, sizes[0]) != 0)
            fail_msg("%s and %s differ", one, two);
        free(a);
        free(b);
    }
    free(names);
}

/* An analysis writes what converting its result gives, to the byte. */
static void analysis_and_conversion_agree(void **state)
{
    (void)state;
    make_sound("a.song.wav", MUSIC, 9);
    expect_run(RUN(SMALL, "--format", "json," ALL, "a.song.wav"), 0, "a.song.wav: ");
    expect_run(RUN("convert", "--format", ALL, "-o", "out", "struct/a.song.json"), 0, NULL);
    expect_same_files("struct", "out");
    expect_agreement("struct/a.song.json", "out/a.song");
}

static void skipping_makes_what_is_missing(void **state)
{
    (void)state;
    size_t size;
    make_sound("a.wav", MUSIC, 3);
    expect_run(RUN(SMALL, "a.wav"), 0, "struct/a.json");
    program_outcome run = RUN(SMALL, "--format", "json,lab,midi", "a.wav");
    program_expect(&run, 0);
    expect_text(run.err, "skipped");
    expect_text(run.err, "struct/a.lab made from it");
    expect_text(run.err, "struct/a.mid made from it");
    program_free(&run);
    /* A second time there is nothing to do; a file that is not the result's is replaced. */
    run = RUN(SMALL, "--format", "json,lab,midi", "a.wav");
    expect_no_text(run.err, "made from it");
    program_free(&run);
    sandbox_write("struct/a.lab", "0 1 old\n", 8);
    run = RUN(SMALL, "--format", "lab,json", "a.wav");
    expect_text(run.err, "struct/a.lab made from it");
    program_free(&run);
    char *text = sandbox_read("struct/a.lab", &size);
    expect_no_text(text, "old");
    free(text);
    run = RUN(SMALL, "--format", "json,harmonix", "-q", "a.wav");
    program_expect(&run, 0);
    assert_string_equal(run.err, "");
    program_free(&run);
    assert_true(sandbox_has("struct/a.segments.txt"));
}

static void a_list_without_json(void **state)
{
    (void)state;
    make_sound("a.wav", MUSIC, 2);
    expect_run(RUN(SMALL, "--format", "lab,beats", "a.wav"), 0, "-> ./struct/a.lab");
    char *names = sandbox_list("struct");
    assert_string_equal(names, "a.beats a.lab");
    free(names);
    /* Without a result nothing tells that the song is done. */
    program_outcome run = RUN(SMALL, "--format", "lab,beats", "a.wav");
    program_expect(&run, 0);
    expect_no_text(run.err, "skipped");
    program_free(&run);
    run = RUN(SMALL, "--json", "-o", "x", "--format", "lab", "a.wav");
    program_expect(&run, 0);
    expect_text(run.out, "\"beats\": [");
    program_free(&run);
    names = sandbox_list("x");
    assert_string_equal(names, "a.lab");
    free(names);
}

static void songs_of_the_same_name(void **state)
{
    (void)state;
    sandbox_folder("one");
    sandbox_folder("two");
    make_sound("one/a.wav", MUSIC, 1);
    make_sound("two/a.wav", NOISE, 1);
    expect_run(RUN(SMALL, "--format", "json,lab", "one/a.wav", "two/a.wav"), 0, NULL);
    char *names = sandbox_list("struct");
    assert_string_equal(names, "a-2.json a-2.lab a.json a.lab");
    free(names);
    expect_run(RUN("convert", "--format", "csv", "-o", "out", "struct/a.json", "./struct/a.json"),
               0, "./struct/a.json -> out/a-2.csv");
    names = sandbox_list("out");
    assert_string_equal(names, "a-2.csv a.csv");
    free(names);
    /* Beside the results nothing can meet. */
    expect_run(RUN("convert", "--format", "csv", "struct/a.json", "struct/a-2.json"), 0,
               "struct/a-2.json -> struct/a-2.csv");
}

/* The name is not UTF-8: the file is found by its bytes, and texts have a mark in place of them. */
static void names_that_are_not_text(void **state)
{
    (void)state;
    make_sound("b\xff\xe9.wav", MUSIC, 1);
    expect_run(RUN(SMALL, "--format", "json,rekordbox,podcast", "b\xff\xe9.wav"), 0, NULL);
    char *text = sandbox_read("struct/b\xff\xe9.rekordbox.xml", NULL);
    expect_text(text, "/b%FF%E9.wav\"");
    expect_text(text, "Name=\"b\xef\xbf\xbd\xef\xbf\xbd\"");
    free(text);
    program_outcome run = RUN(SMALL, "--format", "json,rekordbox", "b\xff\xe9.wav");
    expect_no_text(run.err, "made from it");
    program_free(&run);
}

static void wrong_usage(void **state)
{
    (void)state;
    EXPECT_REFUSED("there is no format \"mp3\"", "--format", "json,mp3", "a.wav");
    EXPECT_REFUSED("there is no format \"\"", "--format", "lab,", "a.wav");
    EXPECT_REFUSED("there is no format \"JSON\"", "--format=JSON", "a.wav");
    EXPECT_REFUSED("json, jams, lab", "--format=x", "a.wav");
    EXPECT_REFUSED("--format writes files", "--json", "--format", "lab", "a.wav");
    EXPECT_REFUSED("no result was given", "convert", "--format", "lab");
    EXPECT_REFUSED("--format is needed", "convert", "a.json");
    EXPECT_REFUSED("there is no format \"x\"", "convert", "--format", "x", "a.json");
    EXPECT_REFUSED("a result is json already", "convert", "--format", "lab,json", "a.json");
    EXPECT_REFUSED("--stdout takes one", "convert", "--stdout", "--format", "lab,midi", "a.json");
    EXPECT_REFUSED("--stdout takes one", "convert", "--stdout", "--format", "lab", "a.json", "b.json");
    EXPECT_REFUSED("unknown option --nonsense", "convert", "--nonsense", "a.json");
    EXPECT_REFUSED("needs a value", "convert", "a.json", "--format");
}

static void failures_are_told(void **state)
{
    (void)state;
    sandbox_write("bad.json", "{\"beats\": 1}", 12);
    const char *deep = "{\"path\": \"x\", \"bpm\": 60, \"beats\": [1.0,900000000.0],"
                       " \"downbeats\": [], \"beat_positions\": [1,2], \"segments\": []}";
    sandbox_write("deep.json", deep, strlen(deep));
    expect_run(RUN("convert", "--format", "lab", "bad.json", "none.json"), 1,
               "bad.json: not a result of an analysis");
    expect_run(RUN("convert", "--format", "lab", "none.json"), 1, "none.json: No such file");
    expect_run(RUN("convert", "--format", "midi", "deep.json"), 1,
               "deep.json: a song of 900000000 s is longer than a MIDI file can hold");
    assert_false(sandbox_has("deep.mid"));
    sandbox_write("file", "x", 1);
    expect_run(RUN("convert", "--format", "lab", "-o", "file", "deep.json"), 1, "file/deep.lab: cannot write");
    const program_setting full = {.file_size_limit = 10};
    program_outcome run = program_run(
        &full, (const char *const[]){"convert", "--format", "csv", "deep.json", NULL});
    program_expect(&run, 1);
    expect_text(run.err, "deep.csv: cannot write");
    program_free(&run);
    assert_false(sandbox_has("deep.csv"));
}

static void prints_one(void **state)
{
    (void)state;
    const char *text = "{\"path\": \"x\", \"bpm\": 60, \"beats\": [1.0,2.0], \"downbeats\": [1.0],"
                       " \"beat_positions\": [1,2], \"segments\": []}";
    sandbox_write("a.json", text, strlen(text));
    program_outcome run = RUN("convert", "--stdout", "--format", "beats", "a.json");
    program_expect(&run, 0);
    assert_string_equal(run.out, "1.0\t1\n2.0\t2\n");
    assert_string_equal(run.err, "");
    program_free(&run);
    const program_setting full = {.output_device = "/dev/full"};
    run = program_run(&full, (const char *const[]){"convert", "--stdout", "--format", "beats",
                                                   "a.json", NULL});
    program_expect(&run, 1);
    program_free(&run);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, small_set_up, sandbox_clean_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nothing_was_found),
        TEST(few_beats),
        TEST(bars_of_all_kinds),
        TEST(uneven_beats),
        TEST(awkward_words),
        TEST(results_of_the_reference),
        TEST(analysis_and_conversion_agree),
        TEST(skipping_makes_what_is_missing),
        TEST(a_list_without_json),
        TEST(songs_of_the_same_name),
        TEST(names_that_are_not_text),
        TEST(wrong_usage),
        TEST(failures_are_told),
        TEST(prints_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
