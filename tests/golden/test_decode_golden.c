/* The golden songs: every sample as the reference's decoder gave it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <libavutil/md5.h>
#include <libavutil/mem.h>

#include "audio/decode.h"
#include "support/golden.h"

/* Over left, right, left, ... as little-endian float32. */
static void digest(const a1_audio *audio, char text[33])
{
    enum { chunk = 4096 };
    float interleaved[2 * chunk];
    struct AVMD5 *md5 = av_md5_alloc();
    assert_non_null(md5);
    av_md5_init(md5);
    for (size_t done = 0; done < audio->samples; done += chunk) {
        const size_t count = audio->samples - done < chunk ? audio->samples - done : chunk;
        for (size_t i = 0; i < count; i++)
            for (size_t c = 0; c < 2; c++)
                interleaved[2 * i + c] = audio->channel[c][done + i];
        av_md5_update(md5, (const uint8_t *)interleaved, 2 * count * sizeof *interleaved);
    }
    uint8_t bytes[16];
    av_md5_final(md5, bytes);
    av_free(md5);
    for (size_t i = 0; i < 16; i++)
        snprintf(text + 2 * i, 3, "%02x", bytes[i]);
}

static void check_song(const char *song)
{
    char path[256], text[33];
    snprintf(path, sizeof path, "golden/songs/%s/meta.json", song);
    json_error_t problem;
    json_t *meta = json_load_file(test_golden(path), 0, &problem);
    if (!meta)
        fail_msg("%s: %s", path, problem.text);
    const json_t *decoded = json_object_get(meta, "decoded");
    snprintf(path, sizeof path, "golden/songs/%s/%s", song,
             json_string_value(json_object_get(meta, "file")));
    a1_audio audio;
    a1_error err = {0};
    if (a1_audio_decode(test_golden(path), NULL, &audio, &err) != ALLIN1_OK)
        fail_msg("%s", err.message);
    assert_int_equal(audio.samples,
                     json_integer_value(json_object_get(decoded, "samples_per_channel")));
    digest(&audio, text);
    assert_string_equal(text, json_string_value(json_object_get(decoded, "md5_f32le_interleaved")));
    assert_int_equal(audio.source.damaged_packets, 0);
    assert_int_equal(audio.source.truncated, 0);
    assert_string_equal(audio.source.codec, "vorbis");
    a1_audio_free(&audio);
    json_decref(meta);
}

static void apex_aleph(void **state) /* 48 kHz: the resampler and its end */
{
    (void)state;
    check_song("apex_aleph");
}

static void digital_pursuit(void **state)
{
    (void)state;
    check_song("digital_pursuit");
}

static void elveszett_lelkek(void **state)
{
    (void)state;
    check_song("elveszett_lelkek");
}

static void love_theme(void **state)
{
    (void)state;
    check_song("love_theme");
}

static void victory(void **state)
{
    (void)state;
    check_song("victory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(apex_aleph),       cmocka_unit_test(digital_pursuit),
        cmocka_unit_test(elveszett_lelkek), cmocka_unit_test(love_theme),
        cmocka_unit_test(victory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
