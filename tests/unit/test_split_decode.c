/* Several threads on one file: the samples, and all that is said about them, are those of one thread. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audio/decode.h"
#include "support/encode.h"
#include "support/files.h"
#include "support/golden.h"
#include "support/sandbox.h"

#define SECONDS 33 /* two windows and more of every format here */

typedef struct format_case {
    const char *name;
    test_encoding how;
    int rate, channels;
    size_t burst_every; /* samples, in silence; 0: noise that comes and goes */
    bool may_be_split;
} format_case;

#define VARIABLE_RATE "flags=+qscale:global_quality=590" /* LAME's -V 5 */

/* MP3 at low rates borrows from many frames before; at 320 from none. With a rate that varies, silence has frames
 * of 24 bytes at 24 kHz, of which 64 are not enough for the next sound to borrow from. */
static const format_case formats[] = {
    {"lame128.mp3", {.container = "mp3", .encoder = "libmp3lame", .bit_rate = 128000}, 44100, 2, 0, true},
    {"lame320.mp3", {.container = "mp3", .encoder = "libmp3lame", .bit_rate = 320000}, 48000, 2, 0, true},
    {"lame32.mp3", {.container = "mp3", .encoder = "libmp3lame", .bit_rate = 32000}, 32000, 1, 0, true},
    {"lame16.mp3", {.container = "mp3", .encoder = "libmp3lame", .bit_rate = 16000}, 22050, 1, 0, true},
    {"vbr.mp3",
     {.container = "mp3", .encoder = "libmp3lame", .options = VARIABLE_RATE},
     44100, 2, 0, true},
    {"vbr24.mp3",
     {.container = "mp3", .encoder = "libmp3lame", .options = VARIABLE_RATE},
     24000, 2, 0, true},
    {"bursts8.mp3", {.container = "mp3", .encoder = "libmp3lame", .bit_rate = 8000}, 24000, 2, 577, false},
    {"bursts24.mp3",
     {.container = "mp3", .encoder = "libmp3lame", .bit_rate = 24000, .options = "abr=1"},
     24000, 2, 577, false},
    {"vorbis.ogg", {.container = "ogg", .encoder = "libvorbis", .bit_rate = 128000}, 44100, 2, 0, true},
    {"vorbis1.ogg", {.container = "ogg", .encoder = "libvorbis", .bit_rate = 48000}, 32000, 1, 0, true},
    {"s16.flac", {.container = "flac", .encoder = "flac", .bits = 16}, 44100, 2, 0, true},
    {"s24.flac", {.container = "flac", .encoder = "flac", .bits = 24}, 96000, 1, 0, true},
    {"flac.ogg", {.container = "ogg", .encoder = "flac", .bits = 16}, 44100, 2, 0, true},
};
#define FORMATS (sizeof formats / sizeof *formats)

static const format_case *format_of(const char *name)
{
    size_t k = 0;
    while (strcmp(formats[k].name, name) != 0)
        k++;
    return &formats[k];
}

/* Noise that comes and goes, so that the encoders change their blocks and their bits; or bursts that fall on
 * every place of a segment. */
static bool make(const format_case *t)
{
    const size_t samples = (size_t)t->rate * SECONDS + 123;
    float *planes[2];
    uint64_t seed = 3;
    for (int c = 0; c < t->channels; c++) {
        planes[c] = malloc(samples * sizeof(float));
        assert_non_null(planes[c]);
        for (size_t i = 0; i < samples; i++) {
            const float noise = test_random(&seed);
            if (t->burst_every > 0)
                planes[c][i] = i / t->burst_every % 65 == 64 ? 0.9f * noise : 0;
            else
                planes[c][i] = (i / 5000 % 4 == 0 ? 0.7f : 0.01f) * noise;
        }
    }
    const bool made = test_encode(sandbox_path("%s", t->name), &t->how, (const float *const *)planes,
                                  t->channels, t->rate, samples);
    for (int c = 0; c < t->channels; c++)
        free(planes[c]);
    return made;
}

/* Whether it was split. Standard error is a file meanwhile: decoders that begin in the middle of the stream
 * must be as quiet as others. */
static bool same_as_one_thread(const char *path, a1_pool *pool)
{
    a1_audio one, several;
    a1_error err_one = {0}, err_several = {0};
    const allin1_status status = a1_audio_decode(path, NULL, &one, &err_one);
    const sandbox_stderr hidden = sandbox_hide_stderr();
    const allin1_status other = a1_audio_decode(path, pool, &several, &err_several);
    sandbox_show_stderr(hidden, path);
    if (other != status || strcmp(err_one.message, err_several.message) != 0)
        fail_msg("%s: \"%s\" by one thread, \"%s\" by several", path, err_one.message,
                 err_several.message);
    const bool split = several.source.split;
    assert_false(one.source.split);
    several.source.split = 0;
    if (several.samples != one.samples)
        fail_msg("%s: %zu samples by one thread, %zu by several", path, one.samples, several.samples);
    for (int c = 0; c < 2 && one.samples > 0; c++)
        assert_memory_equal(one.channel[c], several.channel[c], one.samples * sizeof(float));
    assert_memory_equal(&one.source, &several.source, sizeof one.source);
    a1_audio_free(&one);
    a1_audio_free(&several);
    return split;
}

static void whole_files(void **state)
{
    (void)state;
    for (size_t k = 0; k < FORMATS; k++) {
        if (!make(&formats[k]))
            continue;
        for (unsigned threads = 1; threads <= 5; threads++) {
            a1_pool *pool;
            assert_int_equal(a1_pool_create(&pool, threads, NULL), ALLIN1_OK);
            const bool split = same_as_one_thread(sandbox_path("%s", formats[k].name), pool);
            if (split && threads == 1)
                fail_msg("%s: split by one thread", formats[k].name);
            if (!split && threads > 1 && formats[k].may_be_split)
                fail_msg("%s: not split by %u threads", formats[k].name, threads);
            a1_pool_destroy(&pool);
        }
    }
}

/* What is damaged is decoded by one thread in the end, or by several where nothing of it can be seen. */
static void damaged_and_cut_files(void **state)
{
    (void)state;
    a1_pool *pool;
    uint64_t seed = 9;
    assert_int_equal(a1_pool_create(&pool, 2, NULL), ALLIN1_OK);
    for (size_t k = 0; k < FORMATS; k++) {
        if (!make(&formats[k]))
            continue;
        size_t size, split = 0;
        uint8_t *bytes = test_read_bytes(sandbox_path("%s", formats[k].name), &size);
        enum { TIMES = 9 };
        for (int i = 0; i < TIMES; i++) {
            uint8_t *copy = malloc(size);
            assert_non_null(copy);
            memcpy(copy, bytes, size);
            const double place = 0.5 + 0.5 * (double)test_random(&seed);
            const size_t at = (size_t)(place * (double)(size - 64));
            if (i % 3 == 0)
                copy[at] ^= 0x10;
            else if (i % 3 == 1)
                memset(copy + at, 0xff, 64);
            sandbox_write("damaged", copy, i % 3 == 2 ? at : size);
            split += same_as_one_thread(sandbox_path("damaged"), pool);
            free(copy);
        }
        print_message("[ NOTE     ] %s: %zu of %d were split\n", formats[k].name, split, TIMES);
        free(bytes);
    }
    a1_pool_destroy(&pool);
}

/* A second stream behind the first has headers of its own, which come in the middle. */
static void chained_streams(void **state)
{
    (void)state;
    a1_pool *pool;
    assert_int_equal(a1_pool_create(&pool, 2, NULL), ALLIN1_OK);
    const format_case *kinds[2] = {format_of("vorbis.ogg"), format_of("vorbis1.ogg")};
    if (make(kinds[0]) && make(kinds[1])) {
        size_t sizes[2];
        uint8_t *parts[2];
        for (size_t i = 0; i < 2; i++)
            parts[i] = test_read_bytes(sandbox_path("%s", kinds[i]->name), &sizes[i]);
        uint8_t *both = malloc(sizes[0] + sizes[1]);
        assert_non_null(both);
        memcpy(both, parts[0], sizes[0]);
        memcpy(both + sizes[0], parts[1], sizes[1]);
        sandbox_write("chained.ogg", both, sizes[0] + sizes[1]);
        assert_false(same_as_one_thread(sandbox_path("chained.ogg"), pool));
        free(both);
        free(parts[0]);
        free(parts[1]);
    }
    a1_pool_destroy(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_files),
        cmocka_unit_test(damaged_and_cut_files),
        cmocka_unit_test(chained_streams),
    };
    return cmocka_run_group_tests(tests, sandbox_set_up, sandbox_clean_up);
}
