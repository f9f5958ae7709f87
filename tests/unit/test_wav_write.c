/* Writing WAV files: the bytes, the round trip, and failures that leave nothing behind. */
#include <dirent.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libavformat/avformat.h>

#include "audio/decode.h"
#include "audio/wav_header.h"
#include "support/files.h"
#include "support/golden.h"
#include "support/sandbox.h"

#define SAMPLES 30011 /* more than one chunk, and not whole ones */

static size_t files_in(const char *path)
{
    size_t count = 0;
    DIR *listing = opendir(path);
    assert_non_null(listing);
    const struct dirent *entry;
    while ((entry = readdir(listing)))
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(listing);
    return count;
}

static void fill(float *left, float *right)
{
    uint64_t seed = 9;
    for (size_t i = 0; i < SAMPLES; i++) {
        left[i] = 3 * test_random(&seed); /* beyond 1: nothing is clipped */
        right[i] = 1e-30f * test_random(&seed);
    }
    right[5] = -0.0f;
    right[6] = 1e-45f; /* the smallest subnormal */
    left[7] = 3e38f;
}

static void what_is_written_is_read_back(void **state)
{
    (void)state;
    static float left[SAMPLES], right[SAMPLES];
    fill(left, right);
    const float *channel[2] = {left, right};
    static const size_t lengths[] = {1, 2, 8191, 8192, 8193, SAMPLES};
    for (size_t k = 0; k < sizeof lengths / sizeof *lengths; k++) {
        const char *path = sandbox_path("out.wav");
        a1_error err = {0};
        a1_audio audio;
        if (a1_audio_write_wav(path, channel, lengths[k], &err) != ALLIN1_OK ||
            a1_audio_decode(path, NULL, &audio, &err) != ALLIN1_OK)
            fail_msg("%s", err.message);
        assert_int_equal(audio.samples, lengths[k]);
        assert_memory_equal(audio.channel[0], left, lengths[k] * sizeof(float));
        assert_memory_equal(audio.channel[1], right, lengths[k] * sizeof(float));
        assert_int_equal(audio.source.sample_rate, 44100);
        assert_string_equal(audio.source.codec, "pcm_f32le");
        assert_int_equal(audio.source.truncated, 0);
        a1_audio_free(&audio);
    }
    assert_int_equal(files_in(sandbox_path(".")), 1);
}

static void the_header_is_as_the_format_says(void **state)
{
    (void)state;
    static const float left[2] = {1, -0.5f}, right[2] = {0.25f, 2};
    const float *channel[2] = {left, right};
    static const uint8_t expected[] = {
        'R',  'I',  'F', 'F', 66,   0,    0,   0,   'W', 'A',  'V',  'E', 'f', 'm',  't',
        ' ',  18,   0,   0,   0,    3,    0,   2,   0,   0x44, 0xac, 0,   0,   0x20, 0x62,
        5,    0,    8,   0,   32,   0,    0,   0,   'f', 'a',  'c',  't', 4,   0,    0,
        0,    2,    0,   0,   0,    'd',  'a', 't', 'a', 16,   0,    0,   0,   0,    0,
        0x80, 0x3f, 0,   0,   0x80, 0x3e, 0,   0,   0,   0xbf, 0,    0,   0,   0x40};
    a1_error err = {0};
    assert_int_equal(a1_audio_write_wav(sandbox_path("head.wav"), channel, 2, &err), ALLIN1_OK);
    size_t size;
    uint8_t *bytes = test_read_bytes(sandbox_path("head.wav"), &size);
    assert_int_equal(size, sizeof expected);
    assert_memory_equal(bytes, expected, size);
    free(bytes);
}

/* A sparse file of more than 4 GB: FFmpeg must find all its samples from the header. */
static void large_files_are_rf64(void **state)
{
    (void)state;
    const uint64_t limit = (UINT32_MAX - 50) / 8;
    static const uint64_t more[] = {0, 1, 100000000};
    for (size_t k = 0; k < 3; k++) {
        const uint64_t samples = limit + more[k];
        uint8_t header[A1_WAV_HEADER_MAX];
        const size_t length = a1_wav_header(header, samples, A1_SAMPLE_RATE);
        assert_true(length <= A1_WAV_HEADER_MAX);
        assert_memory_equal(header, k ? "RF64" : "RIFF", 4);
        const char *path = sandbox_path("large.wav");
        test_write_bytes(path, header, length);
        if (truncate(path, (off_t)(length + 8 * samples)) != 0) {
            print_message("[ NOTE     ] not tested: no sparse file of 4 GB can be made\n");
            unlink(path);
            skip();
        }
        AVFormatContext *format = NULL;
        assert_true(avformat_open_input(&format, path, NULL, NULL) >= 0);
        assert_int_equal(format->nb_streams, 1);
        assert_int_equal(format->streams[0]->duration, samples);
        assert_int_equal(format->streams[0]->codecpar->codec_id, AV_CODEC_ID_PCM_F32LE);
        avformat_close_input(&format);
        unlink(path);
    }
}

static void expect_failure(const char *path, const float *const channel[2], const char *words)
{
    a1_error err = {0};
    assert_int_equal(a1_audio_write_wav(path, channel, SAMPLES, &err), ALLIN1_ERROR_IO);
    if (!strstr(err.message, path) || !strstr(err.message, words))
        fail_msg("the message should name %s and say '%s': %s", path, words, err.message);
}

static void failures_leave_nothing_behind(void **state)
{
    (void)state;
    static float left[SAMPLES], right[SAMPLES];
    fill(left, right);
    const float *channel[2] = {left, right};
    expect_failure(sandbox_path("absent/out.wav"), channel, "No such file");
    assert_int_equal(mkdir(sandbox_path("folder"), 0700), 0);
    expect_failure(sandbox_path("folder"), channel,
                   "directory"); /* written, and then not renamed */
    const size_t before = files_in(sandbox_path("."));

    /* A full disk, as far as one can be had: a limit on the size of files. */
    const char *path = sandbox_path("full.wav");
    test_write_bytes(path, "old", 3);
    struct rlimit saved, limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &saved), 0);
    limit = saved;
    limit.rlim_cur = 100000;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    a1_error err = {0};
    const allin1_status status = a1_audio_write_wav(path, channel, SAMPLES, &err);
    setrlimit(RLIMIT_FSIZE, &saved);
    signal(SIGXFSZ, SIG_DFL);
    assert_int_equal(status, ALLIN1_ERROR_IO);
    assert_non_null(strstr(err.message, "too large"));
    assert_int_equal(files_in(sandbox_path(".")), before + 1);
    size_t size;
    uint8_t *bytes = test_read_bytes(path, &size); /* what was there before is untouched */
    assert_int_equal(size, 3);
    assert_memory_equal(bytes, "old", 3);
    free(bytes);

    assert_int_equal(a1_audio_write_wav(path, channel, (size_t)INT64_MAX / 8, &err),
                     ALLIN1_ERROR_ARGUMENT);
}

static void an_existing_file_is_replaced(void **state)
{
    (void)state;
    static float left[SAMPLES], right[SAMPLES];
    const float *channel[2] = {left, right};
    sandbox_write("there.wav", "something else", 14);
    a1_error err = {0};
    assert_int_equal(a1_audio_write_wav(sandbox_path("there.wav"), channel, 100, &err), ALLIN1_OK);
    size_t size;
    free(test_read_bytes(sandbox_path("there.wav"), &size));
    assert_int_equal(size, 58 + 800);
    struct stat info;
    assert_int_equal(stat(sandbox_path("there.wav"), &info), 0);
    const mode_t mask = umask(0);
    umask(mask);
    assert_int_equal(info.st_mode & 0777, 0666 & ~mask);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_written_is_read_back, sandbox_set_up,
                                        sandbox_clean_up),
        cmocka_unit_test_setup_teardown(the_header_is_as_the_format_says, sandbox_set_up,
                                        sandbox_clean_up),
        cmocka_unit_test_setup_teardown(large_files_are_rf64, sandbox_set_up, sandbox_clean_up),
        cmocka_unit_test_setup_teardown(failures_leave_nothing_behind, sandbox_set_up,
                                        sandbox_clean_up),
        cmocka_unit_test_setup_teardown(an_existing_file_is_replaced, sandbox_set_up,
                                        sandbox_clean_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
