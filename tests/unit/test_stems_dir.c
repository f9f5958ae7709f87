/* Ready stems: where they are looked for, what is added, and what is refused. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audio/stems_dir.h"
#include "support/golden.h"
#include "support/sandbox.h"

#define SAMPLES 3001

/* Every stem is a constant, so that it can be known again. */
static const char *const names[] = {"bass", "drums", "other", "vocals", "guitar", "piano"};
static const float levels[] = {0.125f, 0.25f, -0.5f, 0.75f, 0.0625f, 0.03125f};

static void write_constant(const char *path, float level, size_t samples)
{
    float *plane = malloc(samples * sizeof *plane), *other = malloc(samples * sizeof *other);
    assert_true(plane && other);
    for (size_t i = 0; i < samples; i++) {
        plane[i] = level;
        other[i] = -level;
    }
    const float *channel[2] = {plane, other};
    a1_error err = {0};
    if (a1_audio_write_wav(path, channel, samples, &err) != ALLIN1_OK)
        fail_msg("%s", err.message);
    free(plane);
    free(other);
}

/* Writes stem i as the format with its name in place of %s says. */
static void write_stems(const char *before, const char *after, int count)
{
    for (int i = 0; i < count; i++) {
        char name[128];
        snprintf(name, sizeof name, "%s%s%s", before, names[i], after);
        write_constant(sandbox_path("%s", name), levels[i], SAMPLES);
    }
}

static void check_stems(const char *name, const char *pattern, float other)
{
    a1_audio stems[A1_STEM_COUNT];
    a1_error err = {0};
    if (a1_stems_dir_load(sandbox_path("."), name, pattern, stems, &err) != ALLIN1_OK)
        fail_msg("%s", err.message);
    for (int s = 0; s < A1_STEM_COUNT; s++) {
        const float level = s == A1_STEM_OTHER ? other : levels[s];
        assert_int_equal(stems[s].samples, SAMPLES);
        for (size_t i = 0; i < SAMPLES; i++)
            if (stems[s].channel[0][i] != level || stems[s].channel[1][i] != -level)
                fail_msg("stem %s: sample %zu is %g, %g and should be %g, %g", names[s], i,
                         (double)stems[s].channel[0][i], (double)stems[s].channel[1][i],
                         (double)level, -(double)level);
        assert_string_equal(stems[s].source.codec, "pcm_f32le");
        a1_audio_free(&stems[s]);
    }
}

static void expect_error(const char *name, const char *pattern, allin1_status expected,
                         const char *const *words)
{
    a1_audio stems[A1_STEM_COUNT];
    a1_error err = {0};
    const allin1_status status = a1_stems_dir_load(sandbox_path("."), name, pattern, stems, &err);
    if (status != expected)
        fail_msg("status %d where %d was expected: %s", (int)status, (int)expected, err.message);
    for (; *words; words++)
        if (!strstr(err.message, *words))
            fail_msg("'%s' should be in the message: %s", *words, err.message);
    for (int s = 0; s < A1_STEM_COUNT; s++)
        assert_null(stems[s].channel[0]);
    print_message("[ NOTE     ] %s\n", err.message);
}
#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void every_usual_place_is_found(void **state)
{
    (void)state;
    static const struct {
        const char *before, *after;
    } places[] = {{"My Song/", ".wav"}, {"", ".wav"},         {"My Song.", ".wav"},
                  {"My Song_", ".wav"}, {"My Song-", ".wav"}, {"My Song (", ").wav"}};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        sandbox_make();
        mkdir(sandbox_path("My Song"), 0700);
        write_stems(places[i].before, places[i].after, 4);
        check_stems("My Song", NULL, levels[2]);
        sandbox_remove();
    }
}

static void the_first_complete_place_wins(void **state)
{
    (void)state;
    mkdir(sandbox_path("song"), 0700);
    write_stems("song_", ".wav", 4);
    write_constant(sandbox_path("song/bass.wav"), 0.9f, SAMPLES); /* incomplete: passed over */
    write_constant(sandbox_path("vocals.wav"), 0.9f, SAMPLES);
    check_stems("song", NULL, levels[2]);
    write_stems("song/", ".wav", 4); /* complete, and before the other */
    write_constant(sandbox_path("song_bass.wav"), 0.9f, SAMPLES);
    check_stems("song", NULL, levels[2]);
}

static void case_of_stems_and_extensions_does_not_matter(void **state)
{
    (void)state;
    write_constant(sandbox_path("BASS.wav"), levels[0], SAMPLES);
    write_constant(sandbox_path("Drums.WAV"), levels[1], SAMPLES);
    write_constant(sandbox_path("oTHER.Wav"), levels[2], SAMPLES);
    write_constant(sandbox_path("Vocals.wav"), levels[3], SAMPLES);
    check_stems("song", NULL, levels[2]);
}

static void guitar_and_piano_go_into_other(void **state)
{
    (void)state;
    write_stems("", ".wav", 5);
    check_stems("song", NULL, levels[2] + levels[4]);
    write_stems("", ".wav", 6);
    check_stems("song", NULL, levels[2] + levels[4] + levels[5]);
}

static void patterns_of_the_user_are_followed(void **state)
{
    (void)state;
    mkdir(sandbox_path("%s", "a%b"), 0700);
    mkdir(sandbox_path("sep"), 0700);
    write_stems("a%b/", ".wav", 4);
    check_stems("a%b", "%n/%s.wav", levels[2]);
    check_stems("a%b", "%n/%s.%e", levels[2]);
    check_stems("x", "a%%b/%s.wav", levels[2]); /* needs no name */
    write_stems("sep/7 a%b [", "] x.wav", 4);
    check_stems("a%b", "sep/7 %n [%s] x.wav", levels[2]);
    for (int i = 0; i < 4; i++) {
        char name[64];
        mkdir(sandbox_path("%s", names[i]), 0700);
        snprintf(name, sizeof name, "%s/take.wav", names[i]);
        write_constant(sandbox_path("%s", name), levels[i], SAMPLES);
    }
    check_stems("take", "%s/%n.wav", levels[2]);
}

static void bad_patterns_and_names_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"%n.wav", "%q/%s.wav", "%s.wav%", "/%s.wav",
                                      "%s/",    "",          "a//%s"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        expect_error("song", bad[i], ALLIN1_ERROR_ARGUMENT, WORDS("pattern"));
    expect_error("", NULL, ALLIN1_ERROR_ARGUMENT, WORDS("name"));
    expect_error("../song", NULL, ALLIN1_ERROR_ARGUMENT, WORDS("../song"));
}

static void what_is_missing_is_named(void **state)
{
    (void)state;
    expect_error("song", NULL, ALLIN1_ERROR_IO,
                 WORDS("'song'", "%n/%s.%e", "%n (%s).%e", "no stems"));
    write_constant(sandbox_path("song_bass.wav"), 0, SAMPLES);
    write_constant(sandbox_path("song_other.wav"), 0, SAMPLES);
    expect_error("song", NULL, ALLIN1_ERROR_IO, WORDS("%n_%s.%e", "missing: drums, vocals"));
    expect_error("song", "x/%s.wav", ALLIN1_ERROR_IO, WORDS("x/%s.wav"));
    a1_audio stems[A1_STEM_COUNT];
    a1_error err = {0};
    assert_int_equal(a1_stems_dir_load(sandbox_path("absent"), "song", NULL, stems, &err),
                     ALLIN1_ERROR_IO);
    assert_non_null(strstr(err.message, "No such file"));
    assert_int_equal(a1_stems_dir_load(sandbox_path("song_bass.wav"), "song", NULL, stems, &err),
                     ALLIN1_ERROR_IO);
    assert_non_null(strstr(err.message, "not a folder"));
}

static void a_folder_that_cannot_be_listed_is_told(void **state)
{
    (void)state;
    /* A link to itself: no right to look is needed to be refused. */
    assert_int_equal(symlink("song", sandbox_path("song")), 0);
    expect_error("song", NULL, ALLIN1_ERROR_IO, WORDS("song", "cannot be listed", strerror(ELOOP)));
    write_stems("song_", ".wav", 4); /* and it keeps no other place from being found */
    check_stems("song", NULL, levels[2]);
}

static void two_files_for_a_stem_are_refused(void **state)
{
    (void)state;
    write_stems("", ".wav", 4);
    write_constant(sandbox_path("Drums.flac"), 0, SAMPLES); /* what is in it is not looked at */
    expect_error("song", NULL, ALLIN1_ERROR_AUDIO, WORDS("drums.wav", "Drums.flac", "two files"));
    check_stems("song", "%s.wav", levels[2]); /* a pattern settles it */
}

static void folders_named_like_stems_are_no_stems(void **state)
{
    (void)state;
    write_stems("song-", ".wav", 4);
    mkdir(sandbox_path("bass.wav"), 0700);
    check_stems("song", NULL, levels[2]);
}

static void small_differences_in_length_are_filled(void **state)
{
    (void)state;
    write_stems("", ".wav", 4);
    write_constant(sandbox_path("bass.wav"), 0.5f, SAMPLES + A1_STEMS_LENGTH_SLACK);
    a1_audio stems[A1_STEM_COUNT];
    a1_error err = {0};
    assert_int_equal(a1_stems_dir_load(sandbox_path("."), "song", NULL, stems, &err), ALLIN1_OK);
    for (int s = 0; s < A1_STEM_COUNT; s++) {
        assert_int_equal(stems[s].samples, SAMPLES + A1_STEMS_LENGTH_SLACK);
        const float level = s ? levels[s] : 0.5f;
        for (size_t i = 0; i < stems[s].samples; i++) {
            const float expected = s && i >= SAMPLES ? 0 : level;
            assert_true(stems[s].channel[0][i] == expected);
            assert_true(stems[s].channel[1][i] == -expected);
        }
        a1_audio_free(&stems[s]);
    }
    /* The longest may be one of those that are added. */
    write_stems("", ".wav", 4);
    write_constant(sandbox_path("piano.wav"), 0.25f, SAMPLES + 10);
    assert_int_equal(a1_stems_dir_load(sandbox_path("."), "song", NULL, stems, &err), ALLIN1_OK);
    assert_int_equal(stems[A1_STEM_OTHER].samples, SAMPLES + 10);
    assert_true(stems[A1_STEM_OTHER].channel[1][SAMPLES - 1] == 0.5f - 0.25f);
    assert_true(stems[A1_STEM_OTHER].channel[1][SAMPLES] == -0.25f);
    for (int s = 0; s < A1_STEM_COUNT; s++)
        a1_audio_free(&stems[s]);
}

static void large_differences_in_length_are_refused(void **state)
{
    (void)state;
    write_stems("", ".wav", 4);
    write_constant(sandbox_path("vocals.wav"), 0.5f, SAMPLES + A1_STEMS_LENGTH_SLACK + 1);
    expect_error("song", NULL, ALLIN1_ERROR_AUDIO,
                 WORDS("vocals.wav has 7412", "has 3001", "different length"));
}

static void a_stem_that_cannot_be_decoded_is_named(void **state)
{
    (void)state;
    write_stems("", ".wav", 4);
    sandbox_write("other.wav", "no audio", 8);
    expect_error("song", NULL, ALLIN1_ERROR_AUDIO, WORDS("other.wav"));
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, sandbox_set_up, sandbox_clean_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(every_usual_place_is_found, sandbox_clean_up),
        IN_FOLDER(the_first_complete_place_wins),
        IN_FOLDER(case_of_stems_and_extensions_does_not_matter),
        IN_FOLDER(guitar_and_piano_go_into_other),
        IN_FOLDER(patterns_of_the_user_are_followed),
        IN_FOLDER(bad_patterns_and_names_are_refused),
        IN_FOLDER(what_is_missing_is_named),
        IN_FOLDER(a_folder_that_cannot_be_listed_is_told),
        IN_FOLDER(two_files_for_a_stem_are_refused),
        IN_FOLDER(folders_named_like_stems_are_no_stems),
        IN_FOLDER(small_differences_in_length_are_filled),
        IN_FOLDER(large_differences_in_length_are_refused),
        IN_FOLDER(a_stem_that_cannot_be_decoded_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
