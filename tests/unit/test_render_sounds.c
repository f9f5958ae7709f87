/* Songs made audible: where the sounds lie in what was written, how loud it is, and how it is kept. */
#include "support/encode.h"
#include "support/files.h"
#include "support/golden.h"
#include "support/sandbox.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <allin1/render.h>

#include "audio/decode.h"
#include "audio/encode.h"
#include "sonify/sonify.h"

#define SECONDS 8

/* Sections named "start" and "end" have no risers. */
#define BEATS                                                                                      \
    "\"bpm\": 120, \"beats\": [0.5,1.0,1.51,2.0,2.5,3.0,3.49], \"downbeats\": [0.5,2.5],"           \
    "\"beat_positions\": [1,2,3,4,1,2,3], "
#define NO_BEATS "\"bpm\": null, \"beats\": [], \"downbeats\": [], \"beat_positions\": [], "
#define PLAIN "\"segments\": [{\"start\": 0.0, \"end\": 8.0, \"label\": \"start\"}]"
#define CHORUS                                                                                     \
    "\"segments\": [{\"start\": 0.0, \"end\": 5.0, \"label\": \"start\"},"                          \
    "{\"start\": 5.0, \"end\": 8.0, \"label\": \"chorus\"}]"

static float *song[2];
static size_t song_samples;

static int remove_folder(void **state)
{
    (void)state;
    sandbox_remove();
    free(song[0]);
    free(song[1]);
    song[0] = song[1] = NULL;
    return 0;
}

/* Noise of this level, other in each channel, as a WAV file of 16 bits. */
static void write_song(double level, int rate, int channels)
{
    uint64_t seed = 7;
    song_samples = (size_t)(SECONDS * rate);
    for (int c = 0; c < 2; c++) {
        free(song[c]);
        song[c] = malloc(song_samples * sizeof(float));
        assert_non_null(song[c]);
        for (size_t i = 0; i < song_samples; i++) {
            const double value = c >= channels ? (double)song[0][i]
                                               : level * (double)test_random(&seed);
            song[c][i] = (float)(round(value * 32768) / 32768) + 0.0f; /* no negative zero */
        }
    }
    const test_encoding wav = {.container = "wav", .encoder = "pcm_s16le"};
    assert_true(test_encode(sandbox_path("song.wav"), &wav, (const float *const *)song, channels,
                            rate, song_samples));
}

static allin1_result *load(const char *beats, const char *segments)
{
    char text[4096];
    allin1_result *result;
    allin1_error error;
    snprintf(text, sizeof text, "{\"path\": \"%s\", %s%s}", sandbox_path("song.wav"), beats,
             segments);
    sandbox_write("song.json", text, strlen(text));
    if (allin1_load_json(sandbox_path("song.json"), &result, NULL, &error) != ALLIN1_OK)
        fail_msg("%s", error.message);
    return result;
}

static a1_audio written(const allin1_result *result, const char *name, allin1_rendered *rendered)
{
    a1_audio audio;
    a1_error err;
    allin1_error error;
    if (allin1_save_sonification(NULL, result, NULL, sandbox_path("%s", name), rendered, &error) !=
        ALLIN1_OK)
        fail_msg("%s", error.message);
    assert_int_equal(rendered->made, 1);
    if (a1_audio_decode_native(sandbox_path("%s", name), &audio, &err) != ALLIN1_OK)
        fail_msg("%s", err.message);
    return audio;
}

/* By how many seconds a click of `hertz` lies late of `time`: the best correlation within 20 ms. */
static double click_lag(const a1_audio *audio, const float *residual, double time, double hertz)
{
    const int rate = audio->source.sample_rate;
    const int reach = rate / 50, length = rate / 100;
    double best = -1;
    int lag = 0;
    for (int shift = -reach; shift <= reach; shift++) {
        double sum = 0;
        for (int i = 0; i < length; i++) {
            const double t = (double)i / rate;
            const long at = lround(time * rate) + shift + i;
            if (at >= 0 && (size_t)at < audio->samples)
                sum += exp2(-100 * t) * sin(2 * M_PI * hertz * t) * (double)residual[at];
        }
        if (sum > best) {
            best = sum;
            lag = shift;
        }
    }
    assert_true(best > 0);
    return (double)lag / rate;
}

static void expect_clicks(const char *name, int rate, int written_rate, double tolerance)
{
    allin1_result *result = load(BEATS, PLAIN);
    allin1_rendered rendered;
    a1_audio audio = written(result, name, &rendered);
    assert_int_equal(audio.source.sample_rate, written_rate);
    assert_int_equal(rendered.sample_rate, written_rate);
    assert_int_equal(audio.samples, song_samples * (size_t)written_rate / (size_t)rate);
    for (size_t i = 0; i < result->beat_count; i++) {
        const double hertz = result->beat_positions[i] == 1 ? 3000 : 1500;
        const double lag = click_lag(&audio, audio.channel[0], result->beats[i], hertz);
        if (fabs(lag) > tolerance)
            fail_msg("%s: the click at %.2f s lies %.2f ms off", name, result->beats[i], lag * 1e3);
    }
    a1_audio_free(&audio);
    allin1_result_free(&result);
}

/* WAV and FLAC are exact but for the rounding of a time to a sample. A click's steep start is smeared
 * by lossy coding: its best place moves by up to a period of its own, 0.7 ms at 1,500 Hz. */
static void clicks_lie_where_the_beats_are(void **state)
{
    (void)state;
    write_song(0.02, 44100, 2);
    expect_clicks("a.wav", 44100, 44100, 0.0001);
    expect_clicks("a.flac", 44100, 44100, 0.0001);
    if (a1_audio_can_encode(A1_SOUND_MP3))
        expect_clicks("a.mp3", 44100, 44100, 0.001);
    if (a1_audio_can_encode(A1_SOUND_OPUS))
        expect_clicks("a.opus", 44100, 48000, 0.001);
    write_song(0.02, 96000, 2);
    expect_clicks("b.flac", 96000, 96000, 0.0001);
    if (a1_audio_can_encode(A1_SOUND_MP3))
        expect_clicks("b.mp3", 96000, 48000, 0.001);
    write_song(0.02, 16000, 1);
    expect_clicks("c.wav", 16000, 16000, 0.0001);
}

/* The file is (song + sounds) * gain, sample by sample: nothing bends, however loud the song. */
static void nothing_is_distorted(void **state)
{
    (void)state;
    write_song(0.99, 44100, 2);
    allin1_result *result = load(BEATS, CHORUS);
    allin1_rendered rendered;
    a1_audio audio = written(result, "loud.wav", &rendered);
    assert_true(rendered.gain < 0.9);
    float *sounds[2] = {calloc(song_samples, sizeof(float)), calloc(song_samples, sizeof(float))};
    assert_non_null(sounds[0]);
    assert_non_null(sounds[1]);
    const double boundary = 5;
    const a1_sonify_score score = {.beats = result->beats,
                                   .beat_count = result->beat_count,
                                   .downbeats = result->downbeats,
                                   .downbeat_count = result->downbeat_count,
                                   .boundaries = &boundary,
                                   .boundary_count = 1};
    const double alone = (double)a1_sonify(sounds, song_samples, 44100, &score);
    double peak = 0, worst = 0;
    for (int c = 0; c < 2; c++) {
        for (size_t i = 0; i < song_samples; i++) {
            const double expected =
                ((double)song[c][i] + (double)sounds[c][i] / alone) * rendered.gain;
            worst = fmax(worst, fabs((double)audio.channel[c][i] - expected));
            peak = fmax(peak, fabs((double)audio.channel[c][i]));
        }
    }
    /* Half a step of 16 bits, and the rounding of float32 sums near 2. */
    assert_true(worst < 0.5 / 32768 + 1e-6);
    assert_true(fabs(peak - (double)A1_SONIFY_CEILING) < 1.0 / 32768);
    for (int c = 0; c < 2; c++)
        free(sounds[c]);
    a1_audio_free(&audio);
    allin1_result_free(&result);
}

static double crossings_per_second(const float *samples, double rate, double from, double to)
{
    size_t count = 0;
    for (size_t i = (size_t)(from * rate); i + 1 < (size_t)(to * rate); i++)
        count += (samples[i] < 0) != (samples[i + 1] < 0);
    return (double)count / (to - from);
}

/* On silence: 25 clicks that come faster and higher, then a fall. */
static void boundaries_rise_and_drop(void **state)
{
    (void)state;
    enum { RATE = 48000 };
    float *channel[2] = {calloc(SECONDS * RATE, sizeof(float)), calloc(SECONDS * RATE, sizeof(float))};
    assert_non_null(channel[0]);
    assert_non_null(channel[1]);
    const double boundary = 5;
    const a1_sonify_score score = {.boundaries = &boundary, .boundary_count = 1};
    a1_sonify(channel, SECONDS * RATE, RATE, &score);
    const float *sound = channel[0];
    for (size_t i = 0; i < RATE; i++)
        assert_true(sound[i] == 0);                 /* it starts 4 s before */
    for (size_t i = RATE * 11 / 2 + 1; i < SECONDS * RATE; i++)
        assert_true(sound[i] == 0);                 /* the drop has ended */
    assert_true(fabsf(sound[RATE + 100]) > 0);
    assert_memory_equal(channel[0], channel[1], SECONDS * RATE * sizeof(float));
    /* The first click is 40 Hz: 80 crossings a second. The last, 4,000 Hz, comes 116 ms before. */
    assert_true(crossings_per_second(sound, RATE, 1.0, 1.1) <= 90);
    const double last = crossings_per_second(sound, RATE, 4.8841 + 0.001, 4.8841 + 0.011);
    assert_true(last > 7000 && last < 9000);
    /* The drop falls evenly in octaves: from 8,000 crossings, through 800 in the middle, to 80. */
    const double top = crossings_per_second(sound, RATE, 5.0, 5.01);
    const double middle = crossings_per_second(sound, RATE, 5.24, 5.26);
    assert_true(top > 7000 && top <= 8100);
    assert_true(middle > 600 && middle < 1000);
    free(channel[0]);
    free(channel[1]);
}

/* Levels and beats near the edges of a file, and sounds that do not fit into it. */
static void sounds_end_with_the_song(void **state)
{
    (void)state;
    float left[1000] = {0}, right[1000] = {0};
    float *channel[2] = {left, right};
    const double beats[] = {0, 0.01, 5}, boundaries[] = {0, 0.02, 9};
    const a1_sonify_score score = {.beats = beats,
                                   .beat_count = 3,
                                   .downbeats = beats,
                                   .downbeat_count = 1,
                                   .boundaries = boundaries,
                                   .boundary_count = 3};
    const float gain = a1_sonify(channel, 1000, 44100, &score);
    assert_true(gain > 0 && gain <= 1);
    for (size_t i = 0; i < 1000; i++)
        assert_true(fabsf(left[i]) <= A1_SONIFY_CEILING * 1.0001f);
}

static void quiet_songs_keep_their_level(void **state)
{
    (void)state;
    write_song(0.5, 44100, 2);
    allin1_result *result = load(NO_BEATS, PLAIN);
    allin1_rendered rendered;
    a1_audio audio = written(result, "same.wav", &rendered);
    assert_true(rendered.gain == 1);
    for (int c = 0; c < 2; c++)
        assert_memory_equal(audio.channel[c], song[c], song_samples * sizeof(float));
    a1_audio_free(&audio);
    allin1_result_free(&result);
}

static allin1_status save_when_needed(const allin1_result *result, const char *name, int *made,
                                      allin1_error *error)
{
    const allin1_sonification_settings settings = {.only_when_needed = 1};
    allin1_rendered rendered;
    const allin1_status status =
        allin1_save_sonification(NULL, result, &settings, sandbox_path("%s", name), &rendered,
                                 error);
    *made = rendered.made;
    return status;
}

static void made_once_and_with_the_same_bytes(void **state)
{
    (void)state;
    static const char *const names[] = {"k.wav", "k.flac", "k.mp3", "k.opus"};
    static const a1_sound_format formats[] = {A1_SOUND_WAV, A1_SOUND_FLAC, A1_SOUND_MP3,
                                              A1_SOUND_OPUS};
    allin1_error error;
    int made;
    write_song(0.1, 44100, 2);
    for (size_t i = 0; i < 4; i++) {
        if (!a1_audio_can_encode(formats[i]))
            continue;
        allin1_result *result = load(BEATS, PLAIN), *other;
        assert_int_equal(save_when_needed(result, names[i], &made, &error), ALLIN1_OK);
        assert_int_equal(made, 1);
        size_t sizes[2];
        uint8_t *first = test_read_bytes(sandbox_path("%s", names[i]), &sizes[0]);
        assert_int_equal(save_when_needed(result, names[i], &made, &error), ALLIN1_OK);
        assert_int_equal(made, 0);
        unlink(sandbox_path("%s", names[i]));
        assert_int_equal(save_when_needed(result, names[i], &made, &error), ALLIN1_OK);
        uint8_t *second = test_read_bytes(sandbox_path("%s", names[i]), &sizes[1]);
        assert_int_equal(sizes[0], sizes[1]);
        assert_memory_equal(first, second, sizes[0]);
        free(first);
        free(second);
        other = load(BEATS, CHORUS);
        assert_int_equal(save_when_needed(other, names[i], &made, &error), ALLIN1_OK);
        assert_int_equal(made, 1);
        allin1_result_free(&result);
        allin1_result_free(&other);
    }
}

static void what_cannot_be_made(void **state)
{
    (void)state;
    allin1_error error;
    int made;
    write_song(0.1, 44100, 2);
    allin1_result *result = load(BEATS, PLAIN);
    assert_int_equal(save_when_needed(result, "x.aiff", &made, &error), ALLIN1_ERROR_ARGUMENT);
    assert_non_null(strstr(error.message, "x.aiff: a sound ends in .wav, .flac, .mp3 or .opus"));
    sandbox_write("mine.wav", "my own", 6);
    assert_int_equal(save_when_needed(result, "mine.wav", &made, &error), ALLIN1_ERROR_IO);
    assert_non_null(strstr(error.message, "mine.wav: was not made by this program"));
    /* Without the setting the caller's word counts. */
    assert_int_equal(
        allin1_save_sonification(NULL, result, NULL, sandbox_path("mine.wav"), NULL, &error),
        ALLIN1_OK);
    unlink(sandbox_path("song.wav"));
    assert_int_equal(save_when_needed(result, "gone.wav", &made, &error), ALLIN1_ERROR_IO);
    assert_non_null(strstr(error.message, "song.wav"));
    assert_int_equal(access(sandbox_path("gone.wav"), F_OK), -1);
    assert_int_equal(allin1_save_sonification(NULL, NULL, NULL, "x.wav", NULL, &error),
                     ALLIN1_ERROR_ARGUMENT);
    allin1_result_free(&result);
}

/* The result tells the digest of its file: another one of that name is refused. */
static void another_file_of_the_name_is_refused(void **state)
{
    (void)state;
    allin1_error error;
    int made;
    write_song(0.1, 44100, 2);
    allin1_result *result = load(BEATS, PLAIN);
    result->provenance.input_sha256 =
        "0000000000000000000000000000000000000000000000000000000000000000";
    assert_int_equal(save_when_needed(result, "y.wav", &made, &error), ALLIN1_ERROR_ARGUMENT);
    assert_non_null(strstr(error.message, "is not the file that the result was made from"));
    allin1_result_free(&result);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, sandbox_set_up, remove_folder)
    const struct CMUnitTest tests[] = {
        TEST(clicks_lie_where_the_beats_are),
        TEST(nothing_is_distorted),
        TEST(boundaries_rise_and_drop),
        TEST(sounds_end_with_the_song),
        TEST(quiet_songs_keep_their_level),
        TEST(made_once_and_with_the_same_bytes),
        TEST(what_cannot_be_made),
        TEST(another_file_of_the_name_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
