/* Sounds and files at the edges: each gives a valid result, or an error that names file and reason. */
#include "support/files.h"
#include "support/golden.h"
#include "support/sandbox.h"
#include "support/small_program.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libavutil/avutil.h>
#include <zlib.h>

/* Resampling may add or drop a sample or two; one frame is far more. */
#define SAME_LENGTH 0.001

static void run_small(const char *file)
{
    program_outcome run = RUN(SMALL, "-q", file);
    program_expect(&run, 0);
    assert_string_equal(run.err, "");
    assert_string_equal(run.out, "");
    program_free(&run);
}

static void expect_valid(const char *file, double seconds)
{
    char result[64];
    run_small(file);
    snprintf(result, sizeof result, "struct/%.*s.json", (int)strcspn(file, "."), file);
    allin1_result *read = check_result(result, seconds, SAME_LENGTH);
    allin1_result_free(&read);
}

static void short_and_empty_sounds(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        sound kind;
        double seconds;
    } cases[] = {
        {"silence.wav", SILENCE, 5},  {"click.wav", CLICK, 5},     {"noise.wav", NOISE, 5},
        {"ten_ms.wav", MUSIC, 0.01},  {"one_sample.wav", CLICK, 1.0 / 44100},
        {"one_s.wav", MUSIC, 1},      {"five_s.wav", MUSIC, 5},    {"short_silence.wav", SILENCE, 0.01},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        make_sound(cases[i].name, cases[i].kind, cases[i].seconds);
        expect_valid(cases[i].name, cases[i].seconds);
    }
}

/* Longer than a segment of the demixer, shorter than the network's largest window. */
static void a_minute(void **state)
{
    (void)state;
    make_sound("minute.wav", MUSIC, 60);
    expect_valid("minute.wav", 60);
}

static void channels_rates_and_depths(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int channels, rate;
        test_encoding how;
    } cases[] = {
        {"mono.wav", 1, 44100, {"wav", "pcm_s16le", 0, 0, NULL}},
        {"surround.wav", 6, 48000, {"wav", "pcm_s16le", 0, 0, NULL}},
        {"telephone.wav", 1, 8000, {"wav", "pcm_s16le", 0, 0, NULL}},
        {"studio.wav", 2, 192000, {"wav", "pcm_s24le", 0, 0, NULL}},
        {"float.wav", 2, 44100, {"wav", "pcm_f32le", 0, 0, NULL}},
        {"deep.flac", 2, 96000, {"flac", "flac", 24, 0, NULL}},
        {"phone.ogg", 1, 22050, {"ogg", "libvorbis", 0, 64000, NULL}},
        {"song.mp3", 2, 44100, {"mp3", "libmp3lame", 0, 128000, NULL}},
        {"song.m4a", 2, 44100, {"ipod", "aac", 0, 128000, NULL}},
        {"song.opus", 2, 48000, {"opus", "libopus", 0, 96000, NULL}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (!make_sound_as(cases[i].name, MUSIC, 2, cases[i].channels, cases[i].rate,
                           &cases[i].how))
            continue;
        char folder[64], result[128];
        snprintf(folder, sizeof folder, "out%zu", i);
        program_outcome run = RUN(SMALL, "-q", "-o", folder, cases[i].name);
        program_expect(&run, 0);
        program_free(&run);
        snprintf(result, sizeof result, "%s/%.*s.json", folder, (int)strcspn(cases[i].name, "."),
                 cases[i].name);
        allin1_result *read = check_result(result, 2, SAME_LENGTH);
        allin1_result_free(&read);
    }
}

static void a_truncated_mp3(void **state)
{
    (void)state;
    const test_encoding mp3 = {"mp3", "libmp3lame", 0, 128000, NULL};
    if (!make_sound_as("whole.mp3", MUSIC, 4, 2, 44100, &mp3))
        skip();
    size_t size;
    char *bytes = sandbox_read("whole.mp3", &size);
    sandbox_write("cut.mp3", bytes, size * 5 / 8 + 7);
    free(bytes);
    program_outcome run = RUN(SMALL, "cut.mp3");
    program_expect(&run, 0);
    expect_text(run.err, "cut.mp3: ");
    expect_text(run.err, "cut off");
    program_free(&run);
    allin1_result *read = check_result("struct/cut.json", 2.5, 0.2);
    allin1_result_free(&read);
    char *text = sandbox_read("struct/cut.json", NULL);
    expect_text(text, "\"truncated\": true");
    free(text);
}

static void expect_error(const char *file, const char *reason)
{
    program_outcome run = RUN(SMALL, "-q", file);
    program_expect(&run, 1);
    char lead[128];
    snprintf(lead, sizeof lead, "allin1: %s: ", file);
    expect_text(run.err, lead);
    expect_text(run.err, reason);
    assert_int_equal(strchr(run.err, '\n') - run.err + 1, strlen(run.err)); /* one line */
    assert_string_equal(run.out, "");
    program_free(&run);
    assert_false(sandbox_has("struct"));
}

static void files_that_are_no_songs(void **state)
{
    (void)state;
    sandbox_write("text.wav", "This is no sound at all.\n", 25);
    sandbox_write("empty.mp3", "", 0);
    sandbox_folder("folder.wav");
    assert_int_equal(symlink("loop.wav", sandbox_path("loop.wav")), 0);
    assert_int_equal(mkfifo(sandbox_path("pipe.wav"), 0600), 0);
    expect_error("text.wav", "");
    expect_error("empty.mp3", "empty");
    expect_error("folder.wav", "is a folder");
    expect_error("folder.wav/", "folder.wav/*");
    expect_error("none.wav", "No such file");
    expect_error("loop.wav", "symbolic links");
    expect_error("pipe.wav", "not a regular file");
    expect_error("text.wav/x", "Not a directory");
    if (geteuid() != 0) { /* root may read everything */
        make_sound("secret.wav", MUSIC, 1);
        chmod(sandbox_path("secret.wav"), 0);
        expect_error("secret.wav", "Permission denied");
    }
}

/* One file that fails does not stop the others, and is counted in the exit status. */
static void others_go_on(void **state)
{
    (void)state;
    make_sound("a.wav", MUSIC, 1);
    make_sound("c.wav", CLICK, 1);
    sandbox_write("b.wav", "no sound", 8);
    program_outcome run = RUN(SMALL, "a.wav", "b.wav", "none.wav", "c.wav");
    program_expect(&run, 1);
    expect_text(run.err, "allin1: b.wav: ");
    expect_text(run.err, "allin1: none.wav: ");
    expect_text(run.err, "2 analysed, 0 skipped, 2 failed");
    program_free(&run);
    char *list = sandbox_list("struct");
    assert_string_equal(list, "a.json c.json");
    free(list);
}

/* Names with spaces, other scripts, no suffix, a leading point or dash, and bytes that are no text. */
static void all_kinds_of_names(void **state)
{
    (void)state;
    static const char *const names[][2] = {
        {"two words.wav", "two words.json"},
        {"\xe6\xad\x8c.wav", "\xe6\xad\x8c.json"},
        {"plain", "plain.json"},
        {".hidden", ".hidden.json"},
        {"-dash.wav", "-dash.json"},
        {"many.dots.in.it.wav", "many.dots.in.it.json"},
        {"last.", "last..json"},
        {"latin\xe9.wav", "latin\xe9.json"},
        {"%s%n.wav", "%s%n.json"},
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        make_sound("x.wav", CLICK, 0.5);
        assert_int_equal(rename(sandbox_path("x.wav"), sandbox_path("%s", names[i][0])), 0);
        program_outcome run = RUN(SMALL, "-q", "--", names[i][0]);
        program_expect(&run, 0);
        program_free(&run);
        char result[128];
        snprintf(result, sizeof result, "struct/%s", names[i][1]);
        allin1_result *read = check_result(result, 0.5, SAME_LENGTH);
        allin1_result_free(&read);
    }
    char *text = sandbox_read("struct/latin\xe9.json", NULL);
    expect_text(text, "latin\\ufffd.wav\"");
    free(text);
    text = sandbox_read("struct/\xe6\xad\x8c.json", NULL);
    expect_text(text, "/\\u6b4c.wav\"");
    free(text);
}

/* FFmpeg is loaded when audio is decoded, and not before: another library stands in its place. */
static void ffmpeg_that_cannot_be_used(void **state)
{
    (void)state;
    static const char file[] = "fake/libavutil.so." AV_STRINGIFY(LIBAVUTIL_VERSION_MAJOR);
    char setting[4200];
    Dl_info zlib;
    void *library = dlsym(RTLD_DEFAULT, "zlibVersion");
    if (!library || !dladdr(library, &zlib) || strstr(zlib.dli_fname, ".so") == NULL) {
        print_message("[ NOTE     ] skipped: where zlib lies is not known here\n");
        skip();
    }
    size_t size;
    uint8_t *bytes = test_read_bytes(zlib.dli_fname, &size);
    sandbox_folder("fake");
    sandbox_write(file, bytes, size);
    free(bytes);
    snprintf(setting, sizeof setting, "LD_LIBRARY_PATH=%s", sandbox_path("fake"));
    const program_setting without = {.environment = (const char *const[]){setting, NULL}};
    make_sound("song.wav", CLICK, 0.5);
    expect_run(program_run(&without, (const char *const[]){"--version", NULL}), 0, NULL);
    expect_run(program_run(&without, (const char *const[]){"-q", SMALL, "song.wav", NULL}), 1,
               "song.wav: FFmpeg's libraries cannot be used: libavutil.so." AV_STRINGIFY(
                   LIBAVUTIL_VERSION_MAJOR) " has no function ");
    assert_false(sandbox_has("struct/song.json"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(short_and_empty_sounds, small_set_up, sandbox_clean_up),
        cmocka_unit_test_setup_teardown(a_minute, small_set_up, sandbox_clean_up),
        cmocka_unit_test_setup_teardown(channels_rates_and_depths, small_set_up, sandbox_clean_up),
        cmocka_unit_test_setup_teardown(a_truncated_mp3, small_set_up, sandbox_clean_up),
        cmocka_unit_test_setup_teardown(files_that_are_no_songs, small_set_up, sandbox_clean_up),
        cmocka_unit_test_setup_teardown(others_go_on, small_set_up, sandbox_clean_up),
        cmocka_unit_test_setup_teardown(all_kinds_of_names, small_set_up, sandbox_clean_up),
        cmocka_unit_test_setup_teardown(ffmpeg_that_cannot_be_used, small_set_up, sandbox_clean_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
