/* What comes out of whole files: length, place, level, channels, and what is said about them. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audio/decode.h"
#include "support/bursts.h"
#include "support/encode.h"
#include "support/files.h"
#include "support/golden.h"
#include "support/sandbox.h"

#define ODD_LENGTH 117617 /* no multiple of any codec's frame */

static a1_audio decode(const char *path)
{
    a1_audio audio;
    a1_error err = {0};
    if (a1_audio_decode(path, NULL, &audio, &err) != ALLIN1_OK)
        fail_msg("%s", err.message);
    return audio;
}

/* The same length at 44.1 kHz, and to a sample at other rates: swresample's own end, which the
 * golden songs hold us to, is up to one sample from the exact ratio. */
static void check_length(const char *name, const a1_audio *audio, size_t samples, int rate)
{
    const double expected = (double)samples * A1_SAMPLE_RATE / rate;
    const double allowed = rate == A1_SAMPLE_RATE ? 0.5 : 1;
    if (fabs((double)audio->samples - expected) >= allowed)
        fail_msg("%s: %zu samples where %.3f were encoded (%lld cut at the start, %lld at the end)",
                 name, audio->samples, expected, (long long)audio->source.skipped_start,
                 (long long)audio->source.skipped_end);
    assert_int_equal(audio->source.damaged_packets, 0);
    if (audio->source.truncated)
        fail_msg("%s: a whole file is said to be truncated", name);
}

static void check_place(const char *name, const a1_audio *audio, double least_similarity)
{
    for (int c = 0; c < 2; c++) {
        double similarity;
        const int lag = test_burst_lag(audio->channel[c], audio->samples, &similarity);
        if (abs(lag) > 1 || similarity < least_similarity)
            fail_msg("%s: channel %d is %d samples late, similarity %.4f (at least %.4f)", name, c,
                     lag, similarity, least_similarity);
        if (c == 0)
            print_message("[ NOTE     ] %s: lag %d, similarity %.5f, %lld + %lld cut\n", name, lag,
                          similarity, (long long)audio->source.skipped_start,
                          (long long)audio->source.skipped_end);
    }
}

typedef struct lossless_case {
    const char *name;
    test_encoding how;
    int depth; /* as a1_audio_source gives it */
    const char *codec, *container;
} lossless_case;

static const lossless_case lossless[] = {
    {"u8.wav", {"wav", "pcm_u8", 8, 0, NULL}, 8, "pcm_u8", "wav"},
    {"s16.wav", {"wav", "pcm_s16le", 16, 0, NULL}, 16, "pcm_s16le", "wav"},
    {"s24.wav", {"wav", "pcm_s24le", 24, 0, NULL}, 24, "pcm_s24le", "wav"},
    {"s32.wav", {"wav", "pcm_s32le", 32, 0, NULL}, 32, "pcm_s32le", "wav"},
    {"f32.wav", {"wav", "pcm_f32le", 32, 0, NULL}, 32, "pcm_f32le", "wav"},
    {"f64.wav", {"wav", "pcm_f64le", 64, 0, NULL}, 64, "pcm_f64le", "wav"},
    {"rf64.wav", {"wav", "pcm_s16le", 16, 0, "rf64=always"}, 16, "pcm_s16le", "wav"},
    {"s16.aiff", {"aiff", "pcm_s16be", 16, 0, NULL}, 16, "pcm_s16be", "aiff"},
    {"s24.caf", {"caf", "pcm_s24be", 24, 0, NULL}, 24, "pcm_s24be", "caf"},
    {"s16.flac", {"flac", "flac", 16, 0, NULL}, 16, "flac", "flac"},
    {"s24.flac", {"flac", "flac", 24, 0, NULL}, 24, "flac", "flac"},
    {"flac.ogg", {"ogg", "flac", 16, 0, NULL}, 16, "flac", "ogg"},
    {"alac.m4a", {"ipod", "alac", 16, 0, NULL}, 16, "alac", "mov,mp4,m4a,3gp,3g2,mj2"},
    {"s16.wv", {"wv", "wavpack", 16, 0, NULL}, 16, "wavpack", "wv"},
    {"s16.tta", {"tta", "tta", 16, 0, NULL}, 16, "tta", "tta"},
};

/* Every sample comes back within half a step of the file's depth: the encoder's rounding. */
static void lossless_files_come_back_exactly(void **state)
{
    (void)state;
    const size_t samples = 20011;
    float *planes[2];
    uint64_t seed = 7;
    for (int c = 0; c < 2; c++) {
        planes[c] = malloc(samples * sizeof(float));
        assert_non_null(planes[c]);
        for (size_t i = 0; i < samples; i++)
            planes[c][i] = 0.9f * test_random(&seed);
    }
    for (size_t k = 0; k < sizeof lossless / sizeof *lossless; k++) {
        const lossless_case *t = &lossless[k];
        const char *path = sandbox_path("%s", t->name);
        if (!test_encode(path, &t->how, (const float *const *)planes, 2, 44100, samples))
            continue;
        a1_audio audio = decode(path);
        check_length(t->name, &audio, samples, 44100);
        /* A float file has no steps; 1e-7 allows for nothing but the last bit of larger integers.
         */
        const bool is_float = strncmp(t->codec, "pcm_f", 5) == 0;
        const double step = is_float ? 0 : 0.5 * pow(2, 1 - t->depth) + 1e-7;
        for (int c = 0; c < 2; c++)
            for (size_t i = 0; i < samples; i++)
                if (fabs((double)audio.channel[c][i] - (double)planes[c][i]) > step)
                    fail_msg("%s: sample %zu of channel %d is %.9g and should be %.9g", t->name, i,
                             c, (double)audio.channel[c][i], (double)planes[c][i]);
        assert_string_equal(audio.source.codec, t->codec);
        assert_string_equal(audio.source.container, t->container);
        assert_int_equal(audio.source.bits_per_sample, t->depth);
        assert_int_equal(audio.source.channels, 2);
        assert_string_equal(audio.source.channel_layout, "stereo");
        assert_int_equal(audio.source.sample_rate, 44100);
        assert_int_equal(audio.source.skipped_start, 0);
        a1_audio_free(&audio);
    }
    free(planes[0]);
    free(planes[1]);
}

typedef struct lossy_case {
    const char *name;
    test_encoding how;
    int rate, channels;
    int64_t skipped_start; /* what the encoder is known to delay by */
} lossy_case;

/* LAME: 576 of the encoder and 529 of every decoder. AAC of FFmpeg: one frame. Opus: 6.5 ms. */
static const lossy_case lossy[] = {
    {"44.mp3", {"mp3", "libmp3lame", 0, 192000, NULL}, 44100, 2, 1105},
    {"48.mp3", {"mp3", "libmp3lame", 0, 192000, NULL}, 48000, 2, 1105},
    {"8.mp3", {"mp3", "libmp3lame", 0, 64000, NULL}, 8000, 2, 1105},
    {"mono.mp3", {"mp3", "libmp3lame", 0, 96000, NULL}, 44100, 1, 1105},
    {"44.m4a", {"ipod", "aac", 0, 192000, NULL}, 44100, 2, 1024},
    {"front.m4a", {"ipod", "aac", 0, 192000, "movflags=+faststart"}, 44100, 2, 1024},
    {"48.m4a", {"ipod", "aac", 0, 192000, NULL}, 48000, 2, 1024},
    {"mono.mp4", {"mp4", "aac", 0, 96000, NULL}, 44100, 1, 1024},
    {"48.opus", {"ogg", "libopus", 0, 192000, NULL}, 48000, 2, 312},
    {"mono.opus", {"ogg", "libopus", 0, 96000, NULL}, 48000, 1, 312},
    {"opus.mka", {"matroska", "libopus", 0, 192000, NULL}, 48000, 2, 312},
    {"opus.mp4", {"mp4", "libopus", 0, 192000, NULL}, 48000, 2, 312},
    {"44.ogg", {"ogg", "libvorbis", 0, 192000, NULL}, 44100, 2, 0},
    {"48.ogg", {"ogg", "libvorbis", 0, 192000, NULL}, 48000, 2, 0},
    {"mono.ogg", {"ogg", "libvorbis", 0, 96000, NULL}, 44100, 1, 0},
};

/* FFmpeg's MP3 muxer states at most 1,681 samples of padding, one packet's worth: a length that
 * needs no more. Its last frame holds 400 samples of the signal. */
static size_t length_for(const lossy_case *t)
{
    return strcmp(t->how.container, "mp3") == 0 ? 1152 * 102 - 1105 - 752 : ODD_LENGTH;
}

static void delay_and_padding_are_removed(void **state)
{
    (void)state;
    for (size_t k = 0; k < sizeof lossy / sizeof *lossy; k++) {
        const lossy_case *t = &lossy[k];
        const size_t samples = length_for(t);
        float *plane = test_bursts(samples, t->rate, 1);
        const float *planes[2] = {plane, plane};
        const char *path = sandbox_path("%s", t->name);
        if (test_encode(path, &t->how, planes, t->channels, t->rate, samples)) {
            a1_audio audio = decode(path);
            check_length(t->name, &audio, samples, t->rate);
            check_place(t->name, &audio, 0.98); /* lossy codecs at these rates reach 0.99 */
            assert_int_equal(audio.source.skipped_start, t->skipped_start);
            assert_int_equal(audio.source.channels, t->channels);
            assert_int_equal(audio.source.bits_per_sample, 0);
            a1_audio_free(&audio);
        }
        free(plane);
    }
}

/* Files that are shorter than one packet of their codec, where every packet is first and last. (An
 * MP4's edit ends on a whole millisecond, and FFmpeg leaves out packets after it: no length here is
 * so little above a packet.) */
static void very_short_files_have_their_length(void **state)
{
    (void)state;
    static const size_t lengths[] = {100, 959, 1023, 1024, 1100, 2047, 5000};
    static const test_encoding ways[] = {{"ipod", "aac", 0, 192000, NULL},
                                         {"ogg", "libopus", 0, 96000, NULL},
                                         {"matroska", "libopus", 0, 96000, NULL},
                                         {"mp4", "libopus", 0, 96000, NULL},
                                         {"wav", "pcm_s16le", 16, 0, NULL},
                                         {"flac", "flac", 16, 0, NULL},
                                         {"ipod", "alac", 16, 0, NULL}};
    float *plane = test_bursts(5000, 48000, 1);
    const float *planes[2] = {plane, plane};
    for (size_t w = 0; w < sizeof ways / sizeof *ways; w++)
        for (size_t k = 0; k < sizeof lengths / sizeof *lengths; k++) {
            char name[64];
            snprintf(name, sizeof name, "%s-%s-%zu", ways[w].container, ways[w].encoder,
                     lengths[k]);
            if (!test_encode(sandbox_path("%s", name), &ways[w], planes, 2, 48000, lengths[k]))
                break;
            a1_audio audio = decode(sandbox_path("%s", name));
            check_length(name, &audio, lengths[k], 48000);
            a1_audio_free(&audio);
        }
    free(plane);
}

/* The true padding of a LAME encode may reach over two packets. FFmpeg's muxer does not write such
 * a tag, so the test does: 12 bits of delay, 12 of padding, 21 bytes after the encoder's name. */
static void mp3_padding_over_two_packets_is_removed(void **state)
{
    (void)state;
    const size_t samples = 148617;
    float *plane = test_bursts(samples, 44100, 1);
    const float *planes[2] = {plane, plane};
    const char *path = sandbox_path("lame.mp3");
    const test_encoding how = {"mp3", "libmp3lame", 0, 128000, NULL};
    const bool made = test_encode(path, &how, planes, 2, 44100, samples);
    free(plane);
    if (!made)
        skip();
    size_t size;
    uint8_t *bytes = test_read_bytes(path, &size);
    uint8_t *tag = NULL;
    for (size_t i = 0; i + 160 < size && i < 4000 && !tag; i++)
        if (memcmp(bytes + i, "Info", 4) == 0 || memcmp(bytes + i, "Xing", 4) == 0)
            tag = bytes + i;
    assert_non_null(tag);
    assert_int_equal(tag[7] & 15, 15); /* frames, bytes, table and quality are all there */
    const unsigned frames =
        (unsigned)tag[8] << 24 | (unsigned)tag[9] << 16 | (unsigned)tag[10] << 8 | tag[11];
    uint8_t *delays = tag + 120 + 21;
    const unsigned delay = (unsigned)delays[0] << 4 | delays[1] >> 4;
    const unsigned padding = frames * 1152 - delay - (unsigned)samples;
    assert_int_equal(delay, 576);
    assert_true(padding > 1152 + 529 && padding < 4096);
    delays[1] = (uint8_t)((delays[1] & 0xf0) | padding >> 8);
    delays[2] = (uint8_t)padding;
    test_write_bytes(path, bytes, size);
    free(bytes);
    a1_audio audio = decode(path);
    check_length("lame.mp3", &audio, samples, 44100);
    check_place("lame.mp3", &audio, 0.98);
    assert_int_equal(audio.source.skipped_end, padding - 529);
    a1_audio_free(&audio);
}

/* Tags before the audio change nothing, whatever is in them. */
static void tags_before_the_audio_are_passed_over(void **state)
{
    (void)state;
    static const test_encoding ways[] = {{"mp3", "libmp3lame", 0, 128000, "id3v2_version=0"},
                                         {"flac", "flac", 16, 0, NULL},
                                         {"wav", "pcm_s16le", 16, 0, NULL}};
    float *plane = test_bursts(50000, 44100, 1);
    const float *planes[2] = {plane, plane};
    for (size_t w = 0; w < 3; w++) {
        if (!test_encode(sandbox_path("bare"), &ways[w], planes, 2, 44100, 50000))
            continue;
        size_t size;
        uint8_t *bytes = test_read_bytes(sandbox_path("bare"), &size);
        enum { tag = 10 + 3 * 128 + 7 }; /* 391 bytes, 7 bits each: 0 0 3 7 */
        uint8_t *tagged = calloc(2, tag + size);
        assert_non_null(tagged);
        for (int i = 0; i < 2; i++) { /* two tags, of which the second is filled with nonsense */
            memcpy(tagged + i * tag, "ID3\4\0\0\0\0\3\7", 10);
            memset(tagged + i * tag + 10, i ? 0xff : 0, tag - 10);
        }
        memcpy(tagged + 2 * tag, bytes, size);
        sandbox_write("tagged", tagged, 2 * tag + size);
        a1_audio a = decode(sandbox_path("bare")), b = decode(sandbox_path("tagged"));
        assert_int_equal(a.samples, b.samples);
        for (int c = 0; c < 2; c++)
            assert_memory_equal(a.channel[c], b.channel[c], a.samples * sizeof(float));
        assert_int_equal(a.source.skipped_start, b.source.skipped_start);
        assert_int_equal(b.source.truncated, 0);
        a1_audio_free(&a);
        a1_audio_free(&b);
        free(tagged);
        free(bytes);
    }
    free(plane);
}

static uint8_t *find_box(uint8_t *at, const uint8_t *end, const char *type)
{
    while (at + 8 <= end) {
        const size_t length =
            (size_t)at[0] << 24 | (size_t)at[1] << 16 | (size_t)at[2] << 8 | (size_t)at[3];
        if (memcmp(at + 4, type, 4) == 0)
            return at;
        if (length < 8)
            break;
        at += length;
    }
    fail_msg("no box %s", type);
    return NULL;
}

static uint8_t *box_end(uint8_t *box)
{
    return box + ((size_t)box[0] << 24 | (size_t)box[1] << 16 | (size_t)box[2] << 8 | box[3]);
}

static void grow_box(uint8_t *box, size_t more)
{
    const size_t length = (size_t)(box_end(box) - box) + more;
    for (int i = 0; i < 4; i++)
        box[i] = (uint8_t)(length >> (24 - 8 * i));
}

/* A free-form iTunes entry: ---- with mean, name and data. */
static size_t itunes_entry(uint8_t *out, const char *value)
{
    const char *mean = "com.apple.iTunes", *name = "iTunSMPB";
    const size_t lengths[3] = {12 + strlen(mean), 12 + strlen(name), 16 + strlen(value)};
    const char *types[3] = {"mean", "name", "data"}, *texts[3] = {mean, name, value};
    size_t at = 8;
    memset(out, 0, 8 + lengths[0] + lengths[1] + lengths[2]);
    memcpy(out + 4, "----", 4);
    for (int i = 0; i < 3; i++) {
        out[at + 3] = (uint8_t)lengths[i];
        memcpy(out + at + 4, types[i], 4);
        if (i == 2)
            out[at + 11] = 1;
        memcpy(out + at + (i == 2 ? 16 : 12), texts[i], strlen(texts[i]));
        at += lengths[i];
    }
    out[2] = (uint8_t)(at >> 8);
    out[3] = (uint8_t)at;
    return at;
}

/* Writes `from` again without its edit list and with an iTunSMPB entry. */
static void make_itunes_file(const char *from, const char *to, unsigned delay, unsigned padding,
                             unsigned long long samples)
{
    char value[200];
    snprintf(value, sizeof value, " 00000000 %08X %08X %016llX 00000000 00000000", delay, padding,
             samples);
    size_t size;
    uint8_t *bytes = test_read_bytes(from, &size);
    uint8_t entry[512];
    const size_t more = itunes_entry(entry, value);
    bytes = realloc(bytes, size + more);
    assert_non_null(bytes);
    uint8_t *movie = find_box(bytes, bytes + size, "moov");
    assert_ptr_equal(box_end(movie), bytes + size); /* no offsets after it would move */
    uint8_t *track = find_box(movie + 8, box_end(movie), "trak");
    memcpy(find_box(track + 8, box_end(track), "edts") + 4, "free", 4);
    uint8_t *user = find_box(movie + 8, box_end(movie), "udta");
    uint8_t *meta = find_box(user + 8, box_end(user), "meta");
    uint8_t *list = find_box(meta + 12, box_end(meta), "ilst");
    uint8_t *end = box_end(list);
    memmove(end + more, end, (size_t)(bytes + size - end));
    memcpy(end, entry, more);
    grow_box(list, more);
    grow_box(meta, more);
    grow_box(user, more);
    grow_box(movie, more);
    test_write_bytes(to, bytes, size + more);
    free(bytes);
}

static void itunes_gapless_entry_is_followed(void **state)
{
    (void)state;
    float *plane = test_bursts(ODD_LENGTH, 44100, 1);
    const float *planes[2] = {plane, plane};
    const test_encoding how = {"ipod", "aac", 0, 192000, NULL};
    const bool made = test_encode(sandbox_path("plain.m4a"), &how, planes, 2, 44100, ODD_LENGTH);
    free(plane);
    if (!made)
        skip();
    const unsigned frames = (ODD_LENGTH + 1024 + 1023) / 1024;
    const unsigned padding = frames * 1024 - 1024 - ODD_LENGTH;
    make_itunes_file(sandbox_path("plain.m4a"), sandbox_path("itunes.m4a"), 1024, padding,
                     ODD_LENGTH);
    a1_audio audio = decode(sandbox_path("itunes.m4a"));
    check_length("itunes.m4a", &audio, ODD_LENGTH, 44100);
    check_place("itunes.m4a", &audio, 0.98);
    assert_int_equal(audio.source.skipped_start, 1024);
    a1_audio_free(&audio);
    /* Copied from another song: its length is not this stream's, and cuts nothing. */
    make_itunes_file(sandbox_path("plain.m4a"), sandbox_path("wrong.m4a"), 1024, 512,
                     ODD_LENGTH / 2);
    audio = decode(sandbox_path("wrong.m4a"));
    assert_true(audio.samples >= ODD_LENGTH);
    a1_audio_free(&audio);
}

/* Raw AAC says nothing about delay: it must come out late by the encoder's frame, not by more. */
static void adts_keeps_the_encoders_delay(void **state)
{
    (void)state;
    float *plane = test_bursts(ODD_LENGTH, 44100, 1);
    const float *planes[2] = {plane, plane};
    const test_encoding how = {"adts", "aac", 0, 192000, NULL};
    const bool made = test_encode(sandbox_path("raw.aac"), &how, planes, 2, 44100, ODD_LENGTH);
    free(plane);
    if (!made)
        skip();
    a1_audio audio = decode(sandbox_path("raw.aac"));
    double similarity;
    const int lag = test_burst_lag(audio.channel[0], audio.samples, &similarity);
    assert_in_range(lag, 1023, 1025);
    assert_true(similarity > 0.98);
    assert_int_equal(audio.source.skipped_start, 0);
    assert_int_equal(audio.source.truncated, 0);
    a1_audio_free(&audio);
}

/* Streams that are announced as they come; MPEG-TS states no delay either. */
static void transport_streams_are_decoded(void **state)
{
    (void)state;
    static const test_encoding ways[] = {{"mpegts", "aac", 0, 192000, NULL},
                                         {"flv", "aac", 0, 192000, NULL},
                                         {"mpegts", "mp2", 0, 192000, NULL}};
    float *plane = test_bursts(ODD_LENGTH, 44100, 1);
    const float *planes[2] = {plane, plane};
    for (size_t w = 0; w < sizeof ways / sizeof *ways; w++) {
        if (!test_encode(sandbox_path("stream"), &ways[w], planes, 2, 44100, ODD_LENGTH))
            continue;
        a1_audio audio = decode(sandbox_path("stream"));
        double similarity;
        const int lag = test_burst_lag(audio.channel[1], audio.samples, &similarity);
        print_message("[ NOTE     ] %s in %s: lag %d\n", ways[w].encoder, ways[w].container, lag);
        assert_true(similarity > 0.98 && lag >= 0 && lag <= 1025);
        assert_true(audio.samples >= ODD_LENGTH);
        /* The stream's type says MPEG audio, which FFmpeg calls mp3 until it has seen the layer. */
        assert_string_equal(audio.source.codec, w == 2 ? "mp3" : "aac");
        a1_audio_free(&audio);
    }
    free(plane);
}

/* Pictures and films around the audio, and the better of two audio streams. These need the ffmpeg
 * program, as one file holds several streams. */
static void other_streams_do_not_disturb(void **state)
{
    (void)state;
    if (system("ffmpeg -version > /dev/null 2>&1") != 0) {
        print_message("[ NOTE     ] skipped: there is no ffmpeg program\n");
        skip();
    }
    static const struct {
        const char *name, *inputs, *outputs;
        int channels;
        double power; /* ffmpeg's mono to stereo halves it; LAME scales by 0.95 */
    } cases[] = {
        {"film.mp4", "-f lavfi -i testsrc=d=1:s=64x64 -f lavfi -i sine=d=1:r=44100",
         "-c:v mpeg4 -c:a aac -ac 2", 2, 0.5},
        {"film.mkv", "-f lavfi -i testsrc=d=1:s=64x64 -f lavfi -i sine=d=1:r=44100",
         "-c:v mpeg4 -c:a flac", 1, 1},
        {"cover.mp3", "-f lavfi -i sine=d=1:r=44100 -f lavfi -i testsrc=d=0.04:s=64x64",
         "-map 0 -map 1 -c:v png -frames:v 1 -c:a libmp3lame -disposition:v attached_pic", 1,
         0.9025},
        {"cover.flac", "-f lavfi -i sine=d=1:r=44100 -f lavfi -i testsrc=d=0.04:s=64x64",
         "-map 0 -map 1 -c:v png -frames:v 1 -c:a flac -disposition:v attached_pic", 1, 1},
        {"two.mka", "-f lavfi -i sine=d=1:r=44100 -f lavfi -i sine=d=1:r=44100",
         "-map 0 -map 1 -c:a flac -ac:a:0 1 -ac:a:1 2 -disposition:a:0 0 -disposition:a:1 default",
         2, 0.5},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char command[4096];
        snprintf(command, sizeof command, "ffmpeg -v error -nostdin -y %s %s '%s'", cases[i].inputs,
                 cases[i].outputs, sandbox_path("%s", cases[i].name));
        if (system(command) != 0) {
            print_message("[ NOTE     ] not tested: %s cannot be made\n", cases[i].name);
            continue;
        }
        a1_audio audio = decode(sandbox_path("%s", cases[i].name));
        check_length(cases[i].name, &audio, 44100, 44100);
        assert_int_equal(audio.source.channels, cases[i].channels);
        double energy = 0;
        for (size_t k = 0; k < audio.samples; k++)
            energy += (double)audio.channel[0][k] * (double)audio.channel[0][k];
        /* A sine of amplitude 1/8: its power is 1/128; the codecs change it by less than 2 %. */
        const double power = 128 * energy / (double)audio.samples;
        if (fabs(power - cases[i].power) > 0.02)
            fail_msg("%s: the tone's power is %.3f and should be %.3f", cases[i].name, power,
                     cases[i].power);
        a1_audio_free(&audio);
    }
}

/* Lossless files at other rates against the signal itself. The resampler's pass band ends at 0.97
 * of the lower Nyquist frequency and is flat to better than 1e-3 below 3 kHz; the bursts end there.
 */
static void other_rates_become_44100(void **state)
{
    (void)state;
    static const int rates[] = {8000, 11025, 22050, 32000, 48000, 88200, 96000, 192000};
    const test_encoding how = {"wav", "pcm_f32le", 32, 0, NULL};
    for (size_t k = 0; k < sizeof rates / sizeof *rates; k++) {
        const size_t samples = (size_t)rates[k] * 2 + 13;
        float *plane = test_bursts(samples, rates[k], 1);
        const float *planes[2] = {plane, plane};
        char name[32];
        snprintf(name, sizeof name, "%d.wav", rates[k]);
        assert_true(test_encode(sandbox_path("%s", name), &how, planes, 2, rates[k], samples));
        a1_audio audio = decode(sandbox_path("%s", name));
        check_length(name, &audio, samples, rates[k]);
        double *expected = malloc(audio.samples * sizeof *expected);
        assert_non_null(expected);
        for (size_t i = 0; i < audio.samples; i++)
            expected[i] = test_burst_at((double)i / 44100);
        test_close(name, audio.channel[0], expected, audio.samples, 1e-3);
        assert_memory_equal(audio.channel[0], audio.channel[1],
                            audio.samples * sizeof *audio.channel[0]);
        assert_int_equal(audio.source.sample_rate, rates[k]);
        free(expected);
        free(plane);
        a1_audio_free(&audio);
    }
}

static void mono_is_copied_at_unit_gain(void **state)
{
    (void)state;
    const test_encoding how = {"wav", "pcm_f32le", 32, 0, NULL};
    float *plane = test_bursts(30000, 44100, 1);
    const float *planes[1] = {plane};
    assert_true(test_encode(sandbox_path("mono.wav"), &how, planes, 1, 44100, 30000));
    a1_audio audio = decode(sandbox_path("mono.wav"));
    assert_int_equal(audio.samples, 30000);
    assert_memory_equal(audio.channel[0], plane, 30000 * sizeof *plane);
    assert_memory_equal(audio.channel[1], plane, 30000 * sizeof *plane);
    assert_int_equal(audio.source.channels, 1);
    assert_string_equal(audio.source.channel_layout, "mono");
    a1_audio_free(&audio);
    /* Resampled, both channels are still the same, and as loud as stereo is. */
    assert_true(test_encode(sandbox_path("mono48.wav"), &how, planes, 1, 48000, 30000));
    const float *both[2] = {plane, plane};
    assert_true(test_encode(sandbox_path("stereo48.wav"), &how, both, 2, 48000, 30000));
    audio = decode(sandbox_path("mono48.wav"));
    a1_audio stereo = decode(sandbox_path("stereo48.wav"));
    assert_int_equal(audio.samples, stereo.samples);
    for (int c = 0; c < 2; c++)
        assert_memory_equal(audio.channel[c], stereo.channel[c],
                            audio.samples * sizeof *audio.channel[c]);
    a1_audio_free(&audio);
    a1_audio_free(&stereo);
    free(plane);
}

/* FL FR FC LFE and two at the back or sides: left = FL + (FC + BL) / sqrt(2), without LFE, and not
 * scaled down although a full mix exceeds 1. */
static void surround_is_mixed_as_ffmpeg_does(void **state)
{
    (void)state;
    enum { samples = 5000 };
    static const test_encoding ways[] = {{"wav", "pcm_f32le", 32, 0, NULL},
                                         {"flac", "flac", 16, 0, NULL}};
    float *planes[6];
    uint64_t seed = 3;
    for (int c = 0; c < 6; c++) {
        planes[c] = malloc(samples * sizeof(float));
        assert_non_null(planes[c]);
        for (size_t i = 0; i < samples; i++)
            planes[c][i] = 0.95f * test_random(&seed);
    }
    for (size_t w = 0; w < 2; w++) {
        const char *path = sandbox_path("%s", ways[w].container);
        assert_true(test_encode(path, &ways[w], (const float *const *)planes, 6, 44100, samples));
        a1_audio audio = decode(path);
        check_length("5.1", &audio, samples, 44100);
        double expected[samples];
        for (int c = 0; c < 2; c++) {
            for (size_t i = 0; i < samples; i++)
                expected[i] = (double)planes[c][i] +
                              sqrt(0.5) * ((double)planes[2][i] + (double)planes[4 + c][i]);
            /* Float: three roundings of values below 2.3. 16 bits: half a step three times,
             * weighted 1 + 0.71 + 0.71. */
            test_close("5.1", audio.channel[c], expected, samples, w ? 2.5 * 0.5 / 32768 : 1e-6);
        }
        assert_int_equal(audio.source.channels, 6);
        assert_true(strncmp(audio.source.channel_layout, "5.1", 3) == 0);
        a1_audio_free(&audio);
    }
    for (int c = 0; c < 6; c++)
        free(planes[c]);
}

static void bad_numbers_become_silence(void **state)
{
    (void)state;
    static const float bad[] = {NAN, INFINITY, -INFINITY, -NAN};
    static const int rates[] = {44100, 48000};
    for (size_t r = 0; r < 2; r++) {
        float *dirty = test_bursts(20000, rates[r], 1), *clean = test_bursts(20000, rates[r], 1);
        for (size_t i = 100; i < 20000; i += 777) {
            dirty[i] = bad[i % 4];
            clean[i] = 0;
        }
        const float *dirty_planes[2] = {dirty, clean}, *clean_planes[2] = {clean, clean};
        static const test_encoding ways[] = {{"wav", "pcm_f32le", 32, 0, NULL},
                                             {"wav", "pcm_f64le", 64, 0, NULL}};
        for (size_t w = 0; w < 2; w++) {
            assert_true(
                test_encode(sandbox_path("dirty.wav"), &ways[w], dirty_planes, 2, rates[r], 20000));
            assert_true(
                test_encode(sandbox_path("clean.wav"), &ways[w], clean_planes, 2, rates[r], 20000));
            a1_audio a = decode(sandbox_path("dirty.wav")), b = decode(sandbox_path("clean.wav"));
            assert_int_equal(a.samples, b.samples);
            for (int c = 0; c < 2; c++)
                assert_memory_equal(a.channel[c], b.channel[c], a.samples * sizeof(float));
            a1_audio_free(&a);
            a1_audio_free(&b);
        }
        free(dirty);
        free(clean);
    }
}

/* Doubles beyond float, and floats whose mix is beyond float, are not infinite afterwards. */
static void overflow_becomes_silence(void **state)
{
    (void)state;
    float planes[6][64];
    const float *pointers[6];
    for (int c = 0; c < 6; c++) {
        pointers[c] = planes[c];
        for (int i = 0; i < 64; i++)
            planes[c][i] = i % 2 ? 3e38f : 0.25f;
    }
    const test_encoding how = {"wav", "pcm_f32le", 32, 0, NULL};
    assert_true(test_encode(sandbox_path("loud.wav"), &how, pointers, 6, 44100, 64));
    a1_audio audio = decode(sandbox_path("loud.wav"));
    for (size_t i = 0; i < audio.samples; i++)
        for (int c = 0; c < 2; c++) {
            assert_true(isfinite(audio.channel[c][i]));
            if (i % 2)
                assert_true(audio.channel[c][i] == 0);
            else
                assert_true(audio.channel[c][i] > 0.5f);
        }
    a1_audio_free(&audio);
}

static void decoding_twice_gives_the_same_bytes(void **state)
{
    (void)state;
    float *plane = test_bursts(ODD_LENGTH, 48000, 1);
    const float *planes[2] = {plane, plane};
    const test_encoding how = {"ogg", "libvorbis", 0, 128000, NULL};
    const bool made = test_encode(sandbox_path("twice.ogg"), &how, planes, 2, 48000, ODD_LENGTH);
    free(plane);
    if (!made)
        skip();
    a1_audio a = decode(sandbox_path("twice.ogg")), b = decode(sandbox_path("twice.ogg"));
    assert_int_equal(a.samples, b.samples);
    for (int c = 0; c < 2; c++)
        assert_memory_equal(a.channel[c], b.channel[c], a.samples * sizeof(float));
    a1_audio_free(&a);
    a1_audio_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lossless_files_come_back_exactly),
        cmocka_unit_test(delay_and_padding_are_removed),
        cmocka_unit_test(very_short_files_have_their_length),
        cmocka_unit_test(mp3_padding_over_two_packets_is_removed),
        cmocka_unit_test(tags_before_the_audio_are_passed_over),
        cmocka_unit_test(itunes_gapless_entry_is_followed),
        cmocka_unit_test(adts_keeps_the_encoders_delay),
        cmocka_unit_test(transport_streams_are_decoded),
        cmocka_unit_test(other_streams_do_not_disturb),
        cmocka_unit_test(other_rates_become_44100),
        cmocka_unit_test(mono_is_copied_at_unit_gain),
        cmocka_unit_test(surround_is_mixed_as_ffmpeg_does),
        cmocka_unit_test(bad_numbers_become_silence),
        cmocka_unit_test(overflow_becomes_silence),
        cmocka_unit_test(decoding_twice_gives_the_same_bytes),
    };
    return cmocka_run_group_tests(tests, sandbox_set_up, sandbox_clean_up);
}
