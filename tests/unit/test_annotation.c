/* Reading annotations: what each kind of file says, and what is wrong with it. */
#include "support/golden.h"
#include "support/sandbox.h"

#include <allin1/evaluation.h>
#include <allin1/formats.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static allin1_annotation *read_as(const char *name, const char *text)
{
    allin1_annotation *annotation;
    allin1_error error;
    sandbox_write(name, text, strlen(text));
    if (allin1_annotation_load(sandbox_path("%s", name), &annotation, &error) != ALLIN1_OK)
        fail_msg("%s", error.message);
    return annotation;
}

static void expect_beats(const char *text, size_t count, const double *beats, size_t downbeat_count,
                         bool positions, double tempo)
{
    allin1_annotation *a = read_as("a.txt", text);
    assert_true(a->has_beats && !a->has_sections);
    assert_int_equal(a->has_downbeats, positions);
    assert_int_equal(a->beat_count, count);
    for (size_t i = 0; i < count; i++)
        assert_true(a->beats[i] == beats[i]);
    if (positions)
        assert_int_equal(a->downbeat_count, downbeat_count);
    assert_true(isnan(tempo) ? isnan(a->tempo) : fabs(a->tempo - tempo) < 1e-9);
    allin1_annotation_free(&a);
    assert_null(a);
}

static void lists_of_beats(void **state)
{
    (void)state;
    static const double beats[] = {0.5, 1, 1.5, 2.25};
    expect_beats("0.5\n1\n1.5\n2.25\n", 4, beats, 0, false, 120);
    expect_beats("# comment\n\n0.5\t1\r\n1.0 2\r\n1.5e0 1\n2.25  2", 4, beats, 2, true, 120);
    expect_beats("0.5\t4\t1\n1.0\t1\t2\n1.5\t2\t2\n", 3, beats, 1, true, 120);
    expect_beats("0.5\t0.5\t1\n1\t1\t2\n", 2, beats, 1, true, 120); /* Audacity's points */
    expect_beats("0.5 1.0\n1.0 2.0\n", 2, beats, 1, true, 120);
    expect_beats("0.5\n", 1, beats, 0, false, NAN);
}

static void expect_sections(const char *name, const char *text, size_t count,
                            const allin1_segment *sections)
{
    allin1_annotation *a = read_as(name, text);
    assert_true(a->has_sections && !a->has_beats && isnan(a->tempo));
    assert_int_equal(a->section_count, count);
    for (size_t i = 0; i < count; i++) {
        assert_true(a->sections[i].start == sections[i].start);
        assert_true(a->sections[i].end == sections[i].end);
        assert_string_equal(a->sections[i].label, sections[i].label);
    }
    allin1_annotation_free(&a);
}

static void lists_of_sections(void **state)
{
    (void)state;
    static const allin1_segment two[] = {{0, 1.5, "intro", 0, NULL}, {1.5, 4, "verse one", 0, NULL}};
    expect_sections("a.txt", "0.0\t1.5\tintro\n1.5\t4.0\tverse one\n", 2, two);
    expect_sections("a.lab", "0 1.5 intro\n\\\t100\t200\n1.5 4 verse one  \n", 2, two);
    static const allin1_segment unnamed[] = {{0, 3, "", 0, NULL}, {3, 4, "1", 0, NULL}};
    expect_sections("b.lab", "0 3\n3 4 1\n", 2, unnamed);
    static const allin1_segment harmonix[] = {{0, 0.5, "start", 0, NULL}, {0.5, 2, "intro", 0, NULL}};
    expect_sections("c.txt", "0.5 intro\n2.0 end\n", 2, harmonix);
    expect_sections("c.txt", "0.0 start\n0.5\tintro\n0.5 x\n2.0 end\n", 2,
                    (const allin1_segment[]){{0, 0.5, "start", 0, NULL}, {0.5, 2, "x", 0, NULL}});
}

static void empty_lists(void **state)
{
    (void)state;
    allin1_annotation *a = read_as("a.lab", "");
    assert_true(a->has_sections && a->section_count == 0 && !a->has_beats);
    allin1_annotation_free(&a);
    a = read_as("a.beats", "# nothing\n");
    assert_true(a->has_beats && a->has_downbeats && a->beat_count == 0 && !a->has_sections);
    allin1_annotation_free(&a);
}

#define BEAT(t, v) "{\"time\": " #t ", \"duration\": 0, \"value\": " v ", \"confidence\": null}"

static void jams(void **state)
{
    (void)state;
    allin1_annotation *a = read_as(
        "a.jams",
        "{\"annotations\": [{\"namespace\": \"chord\", \"data\": []},"
        "{\"namespace\": \"beat\", \"data\": [" BEAT(1, "1") "," BEAT(1.5, "2") "]},"
        "{\"namespace\": \"beat\", \"data\": []},"
        "{\"namespace\": \"tempo\", \"data\": [{\"time\": 0, \"duration\": 9, \"value\": 60,"
        " \"confidence\": 0.2}, {\"time\": 0, \"duration\": 9, \"value\": 119, \"confidence\": 0.8}]},"
        "{\"namespace\": \"segment_open\", \"data\": ["
        "{\"time\": 0, \"duration\": 2.5, \"value\": \"a\", \"confidence\": 1},"
        "{\"time\": 2.5, \"duration\": 0, \"value\": \"none\", \"confidence\": 1}]}]}");
    assert_true(a->has_beats && a->has_downbeats && a->has_sections);
    assert_true(a->beat_count == 2 && a->downbeat_count == 1 && a->tempo == 119);
    assert_true(a->section_count == 1 && a->sections[0].end == 2.5);
    allin1_annotation_free(&a);
    /* Positions as objects, and as old files have them: an object of lists. */
    a = read_as("a.jams", "{\"annotations\": [{\"namespace\": \"beat_position\", \"data\": ["
                BEAT(1, "{\"position\": 1, \"measure\": 1}") ","
                BEAT(1.5, "{\"position\": 2, \"measure\": 1}") "]}]}");
    assert_true(a->downbeat_count == 1 && !a->has_sections && fabs(a->tempo - 120) < 1e-9);
    allin1_annotation_free(&a);
    a = read_as("a.jams", "{\"annotations\": [{\"namespace\": \"beat\", \"data\": {\"time\": [1, 2],"
                          " \"duration\": [0, 0], \"value\": [null, 2], \"confidence\": [1, 1]}}]}");
    assert_true(a->beat_count == 2 && !a->has_downbeats);
    allin1_annotation_free(&a);
}

static void results(void **state)
{
    (void)state;
    allin1_annotation *a = read_as(
        "a.json", "{\"path\": \"x\", \"bpm\": 90, \"beats\": [1.0], \"downbeats\": [1.0],"
                  " \"beat_positions\": [1], \"segments\": ["
                  "{\"start\": 0, \"end\": 0, \"label\": \"start\"},"
                  "{\"start\": 0, \"end\": 3, \"label\": \"verse\"}]}");
    assert_true(a->beat_count == 1 && a->downbeat_count == 1 && a->tempo == 90);
    assert_true(a->section_count == 1);
    assert_string_equal(a->sections[0].label, "verse");
    allin1_annotation_free(&a);
}

static void expect_wrong_as(const char *name, const char *text, const char *reason)
{
    allin1_annotation *annotation;
    allin1_error error;
    sandbox_write(name, text, strlen(text));
    assert_int_equal(allin1_annotation_load(sandbox_path("%s", name), &annotation, &error),
                     ALLIN1_ERROR_FORMAT);
    assert_null(annotation);
    expect_text(error.message, name);
    expect_text(error.message, reason);
}

static void what_is_wrong_is_told(void **state)
{
    (void)state;
    expect_wrong_as("a.txt", "", "is empty");
    expect_wrong_as("a.txt", "# nothing\n", "is empty");
    expect_wrong_as("a.txt", "verse\n", "line 1: does not begin with a time");
    expect_wrong_as("a.txt", "1\nnan\n", "line 2: does not begin with a time");
    expect_wrong_as("a.txt", "1\n0x10\n", "line 2: does not begin with a time");
    expect_wrong_as("a.txt", "1\n1e999\n", "line 2: does not begin with a time");
    expect_wrong_as("a.txt", "1\n\n-1\n", "line 3: does not begin with a time");
    expect_wrong_as("a.txt", "1\n2e9\n", "line 2: does not begin with a time");
    expect_wrong_as("a.txt", "2 1\n1 2\n", "line 2: is earlier than the one before it");
    expect_wrong_as("a.txt", "1 2\n2 x\n", "line 2: has no position");
    expect_wrong_as("a.lab", "0 1 a\n1 x b\n", "line 2: has no end");
    expect_wrong_as("a.lab", "0 1 a\n1 1 b\n", "line 2: ends where it begins");
    expect_wrong_as("a.lab", "0 1 a\n0.5\n", "line 2: has no end");
    expect_wrong_as("a.txt", "0 verse\n1\n2 end\n", "line 2: has no label");
    expect_wrong_as("a.txt", "0 verse\n1 chorus\n", "the last line is not \"end\"");
    expect_wrong_as("a.json", "{", "not JSON: line 1");
    expect_wrong_as("a.json", "{\"beats\": []}", "not a result of an analysis");
    expect_wrong_as("a.jams", "{\"annotations\": 1}", "\"annotations\" is not a list");
    expect_wrong_as("a.jams", "{\"annotations\": []}", "holds neither beats nor sections");
    expect_wrong_as("a.jams", "{\"annotations\": [{\"namespace\": \"beat\", \"data\": [1]}]}",
                    "beat, item 0: has no time");
    expect_wrong_as("a.jams", "{\"annotations\": [{\"namespace\": \"beat\", \"data\": ["
                    BEAT(2, "1") "," BEAT(1, "1") "]}]}", "beat, item 1: is earlier");
    expect_wrong_as("a.jams", "{\"annotations\": [{\"namespace\": \"segment_open\", \"data\": ["
                    BEAT(2, "1") "]}]}", "segment_open, item 0: has no label");
    sandbox_write("a.txt", "1\n2\0003\n", 6);
    allin1_annotation *annotation;
    allin1_error error;
    assert_int_equal(allin1_annotation_load(sandbox_path("a.txt"), &annotation, &error),
                     ALLIN1_ERROR_FORMAT);
    expect_text(error.message, "is not text");
    assert_int_equal(allin1_annotation_load(sandbox_path("none"), &annotation, &error),
                     ALLIN1_ERROR_IO);
    assert_int_equal(allin1_annotation_load(NULL, &annotation, &error), ALLIN1_ERROR_ARGUMENT);
    assert_int_equal(allin1_annotation_load("x", NULL, &error), ALLIN1_ERROR_ARGUMENT);
}

/* What we write of a result and read again says the same as the result. */
static void formats_come_back(void **state)
{
    (void)state;
    static const double beats[] = {5.5, 6.02, 6.53, 7.0, 7.51}, downbeats[] = {6.02};
    static const unsigned positions[] = {4, 1, 2, 3, 4};
    static const allin1_segment segments[] = {
        {0, 0.5, "start", NAN, NULL}, {0.5, 6.02, "intro", NAN, NULL}, {6.02, 12, "verse", NAN, NULL}};
    const allin1_result result = {.path = "/a.wav",
                                  .duration = 12,
                                  .bpm = 118,
                                  .tempo = 119.2,
                                  .beats_per_bar = 4,
                                  .beat_count = 5,
                                  .beats = beats,
                                  .beat_positions = positions,
                                  .downbeat_count = 1,
                                  .downbeats = downbeats,
                                  .segment_count = 3,
                                  .segments = segments,
                                  .provenance = {.version = ""}};
    static const struct {
        const char *format;
        bool beats, sections;
    } kinds[] = {{"jams", true, true},
                 {"lab", false, true},
                 {"harmonix", false, true},
                 {"audacity", false, true},
                 {"beats", true, false},
                 {"harmonix-beats", true, false},
                 {"audacity-beats", true, false}};
    allin1_annotation truth;
    assert_true(allin1_annotation_of_result(&result, NULL, &truth));
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        char *text, name[64];
        allin1_scores scores;
        assert_int_equal(allin1_result_format(&result, kinds[i].format, &text, NULL, NULL),
                         ALLIN1_OK);
        snprintf(name, sizeof name, "song%s", allin1_format_find(kinds[i].format)->suffix);
        allin1_annotation *read = read_as(name, text);
        assert_int_equal(allin1_evaluate(&truth, read, NULL, &scores, NULL), ALLIN1_OK);
        for (allin1_measure m = 0; m < ALLIN1_MEASURES; m++) {
            const bool told = m <= ALLIN1_TEMPO_ACC2 ? kinds[i].beats : kinds[i].sections;
            /* One downbeat alone has no interval, and no continuity. */
            const bool lone = m > ALLIN1_DOWNBEAT_F && m <= ALLIN1_DOWNBEAT_INFORMATION_GAIN;
            if (told ? !(scores.values[m] == (lone ? 0 : 1)) : !isnan(scores.values[m]))
                fail_msg("%s: %s %s is %g", kinds[i].format, allin1_measure_group(m),
                         allin1_measure_name(m), scores.values[m]);
        }
        allin1_annotation_free(&read);
        allin1_string_free(text);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, sandbox_set_up, sandbox_clean_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(lists_of_beats), TEST(lists_of_sections),     TEST(empty_lists),       TEST(jams),
        TEST(results),        TEST(what_is_wrong_is_told), TEST(formats_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
