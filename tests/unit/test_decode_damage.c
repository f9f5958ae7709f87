/* Files that are cut, damaged, hostile, or no audio files at all. */
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libavutil/log.h>

#include "audio/decode.h"
#include "support/bursts.h"
#include "support/encode.h"
#include "support/files.h"
#include "support/golden.h"
#include "support/sandbox.h"

#define RATE 48000
#define SAMPLES 200003 /* four seconds: some pages, blocks and frames of every format */

typedef struct format_case {
    const char *name;
    test_encoding how;
    bool knows_its_length; /* a cut must be noticed */
} format_case;

static const format_case formats[] = {
    {"s16.wav", {"wav", "pcm_s16le", 16, 0, NULL}, true},
    {"rf64.wav", {"wav", "pcm_s24le", 24, 0, "rf64=always"}, true},
    {"s16.aiff", {"aiff", "pcm_s16be", 16, 0, NULL}, true},
    {"s16.caf", {"caf", "pcm_s16be", 16, 0, NULL}, true},
    {"s16.w64", {"w64", "pcm_s16le", 16, 0, NULL}, true},
    {"s16.au", {"au", "pcm_s16be", 16, 0, NULL}, true},
    {"s16.flac", {"flac", "flac", 16, 0, NULL}, true},
    {"s16.wv", {"wv", "wavpack", 16, 0, NULL}, true},
    {"s16.tta", {"tta", "tta", 16, 0, NULL}, true},
    {"alac.m4a", {"ipod", "alac", 16, 0, "movflags=+faststart"}, true},
    {"aac.m4a", {"ipod", "aac", 0, 128000, "movflags=+faststart"}, true},
    {"lame.mp3", {"mp3", "libmp3lame", 0, 128000, NULL}, true},
    {"vorbis.ogg", {"ogg", "libvorbis", 0, 128000, NULL}, true},
    {"opus.opus", {"ogg", "libopus", 0, 128000, NULL}, true},
    {"opus.mka", {"matroska", "libopus", 0, 128000, NULL}, true},
    {"adts.aac", {"adts", "aac", 0, 128000, NULL}, false},
};
#define FORMATS (sizeof formats / sizeof *formats)

/* Runs the decoder with standard error in a file: FFmpeg's default callback writes there. */
static allin1_status decode_quietly(const char *path, a1_audio *audio, a1_error *err)
{
    const sandbox_stderr hidden = sandbox_hide_stderr();
    const allin1_status status = a1_audio_decode(path, NULL, audio, err);
    sandbox_show_stderr(hidden, path);
    return status;
}

/* Where a decode may succeed or fail: what it gives must be sound in both cases. */
static bool decode_anything(const char *path, a1_audio *audio)
{
    a1_error err = {0};
    const allin1_status status = decode_quietly(path, audio, &err);
    if (status != ALLIN1_OK) {
        assert_null(audio->channel[0]);
        assert_int_equal(audio->samples, 0);
        assert_int_equal(err.status, status);
        if (status != ALLIN1_ERROR_AUDIO && status != ALLIN1_ERROR_UNSUPPORTED)
            fail_msg("%s: status %d: %s", path, (int)status, err.message);
        assert_non_null(strstr(err.message, path));
        return false;
    }
    assert_true(audio->samples > 0);
    for (int c = 0; c < 2; c++)
        for (size_t i = 0; i < audio->samples; i++)
            if (!isfinite(audio->channel[c][i]))
                fail_msg("%s: sample %zu is not finite", path, i);
    return true;
}

static void expect_error(const char *path, allin1_status expected, const char *words)
{
    a1_audio audio;
    a1_error err = {0};
    const allin1_status status = decode_quietly(path, &audio, &err);
    if (status != expected || !strstr(err.message, words) || !strstr(err.message, path))
        fail_msg("%s: status %d where %d was expected, with '%s': '%s'", path, (int)status,
                 (int)expected, words, err.message);
    assert_null(audio.channel[0]);
    print_message("[ NOTE     ] %s\n", err.message);
}

static bool make(const format_case *t)
{
    float *plane = test_bursts(SAMPLES, RATE, 1);
    uint64_t seed = 11; /* noise, so that no format shrinks the file to a few packets */
    for (size_t i = 0; i < SAMPLES; i++)
        plane[i] += 0.02f * test_random(&seed);
    const float *planes[2] = {plane, plane};
    const bool made = test_encode(sandbox_path("%s", t->name), &t->how, planes, 2, RATE, SAMPLES);
    free(plane);
    return made;
}

static void whole_files_are_whole_and_cut_ones_say_so(void **state)
{
    (void)state;
    for (size_t k = 0; k < FORMATS; k++) {
        const format_case *t = &formats[k];
        if (!make(t))
            continue;
        size_t size;
        uint8_t *bytes = test_read_bytes(sandbox_path("%s", t->name), &size);
        a1_audio whole, cut;
        assert_true(decode_anything(sandbox_path("%s", t->name), &whole));
        if (whole.source.truncated || whole.source.damaged_packets)
            fail_msg("%s: truncated %d, damaged %lld, and is whole", t->name,
                     whole.source.truncated, (long long)whole.source.damaged_packets);
        static const double parts[] = {0.35, 0.6, 0.9};
        for (size_t p = 0; p < 3; p++) {
            char name[64];
            snprintf(name, sizeof name, "cut-%s", t->name);
            sandbox_write(name, bytes, (size_t)((double)size * parts[p]));
            if (!decode_anything(sandbox_path("%s", name), &cut))
                fail_msg("%s: cut to %.0f %%, nothing is decoded", t->name, 100 * parts[p]);
            if (cut.source.truncated != (t->knows_its_length ? 1 : 0))
                fail_msg("%s: cut to %.0f %%, truncated is %d", t->name, 100 * parts[p],
                         cut.source.truncated);
            /* Ogg is read in pages of a second; TTA in frames of a second. */
            const double least = (double)whole.samples * parts[p] - 1.1 * 44100;
            if ((double)cut.samples < least || cut.samples >= whole.samples)
                fail_msg("%s: cut to %.0f %%, %zu samples of %zu are there", t->name,
                         100 * parts[p], cut.samples, whole.samples);
            a1_audio_free(&cut);
        }
        a1_audio_free(&whole);
        free(bytes);
    }
}

/* The shortest cut that loses audio: the last bytes of the samples. */
static void a_small_cut_is_noticed(void **state)
{
    (void)state;
    static const char *const names[] = {"s16.wav",    "rf64.wav", "s16.aiff", "s16.flac",
                                        "vorbis.ogg", "opus.mka", "s16.w64",  "s16.caf"};
    for (size_t k = 0; k < FORMATS; k++)
        for (size_t n = 0; n < sizeof names / sizeof *names; n++) {
            if (strcmp(formats[k].name, names[n]) != 0 || !make(&formats[k]))
                continue;
            size_t size;
            uint8_t *bytes = test_read_bytes(sandbox_path("%s", names[n]), &size);
            sandbox_write("little", bytes, size - 200);
            a1_audio audio;
            assert_true(decode_anything(sandbox_path("little"), &audio));
            if (!audio.source.truncated)
                fail_msg("%s: without its last 200 bytes it is said to be whole", names[n]);
            a1_audio_free(&audio);
            free(bytes);
        }
}

/* Every length near the start, where headers are, and a sample of the rest. */
static void files_cut_anywhere_are_survived(void **state)
{
    (void)state;
    for (size_t k = 0; k < FORMATS; k++) {
        const format_case *t = &formats[k];
        if (!make(t))
            continue;
        size_t size, decoded = 0, tried = 0;
        uint8_t *bytes = test_read_bytes(sandbox_path("%s", t->name), &size);
        for (size_t length = 1; length < size; length += length < 200 ? 7 : size / 23 + 1) {
            a1_audio audio;
            sandbox_write("part", bytes, length);
            decoded += decode_anything(sandbox_path("part"), &audio);
            tried++;
            a1_audio_free(&audio);
        }
        print_message("[ NOTE     ] %s: %zu of %zu pieces gave audio\n", t->name, decoded, tried);
        assert_true(decoded > 0);
        free(bytes);
    }
}

static void damaged_bytes_are_survived(void **state)
{
    (void)state;
    uint64_t seed = 5;
    for (size_t k = 0; k < FORMATS; k++) {
        const format_case *t = &formats[k];
        if (!make(t))
            continue;
        size_t size, decoded = 0;
        uint8_t *bytes = test_read_bytes(sandbox_path("%s", t->name), &size);
        for (int turn = 0; turn < 24; turn++) {
            uint8_t *damaged = malloc(size);
            assert_non_null(damaged);
            memcpy(damaged, bytes, size);
            /* Odd turns damage the headers, even ones anything. */
            const size_t reach = turn % 2 && size > 400 ? 400 : size;
            for (int i = 0; i < 4 + turn; i++) {
                const double place = ((double)test_random(&seed) + 1) / 2;
                const double value = ((double)test_random(&seed) + 1) * 128;
                damaged[(size_t)(place * (double)(reach - 1))] = (uint8_t)value;
            }
            a1_audio audio;
            sandbox_write("damaged", damaged, size);
            decoded += decode_anything(sandbox_path("damaged"), &audio);
            a1_audio_free(&audio);
            free(damaged);
        }
        print_message("[ NOTE     ] %s: %zu of 24 damaged files gave audio\n", t->name, decoded);
        assert_true(decoded > 0);
        free(bytes);
    }
}

/* A FLAC frame that is damaged is left out and counted, and the rest is as it was. */
static void damaged_packets_are_counted(void **state)
{
    (void)state;
    const format_case *t = &formats[6];
    assert_true(make(t));
    size_t size;
    uint8_t *bytes = test_read_bytes(sandbox_path("%s", t->name), &size);
    memset(bytes + size / 2, 0x55, 64);
    sandbox_write("hole.flac", bytes, size);
    free(bytes);
    a1_audio whole, hole;
    assert_true(decode_anything(sandbox_path("%s", t->name), &whole));
    assert_true(decode_anything(sandbox_path("hole.flac"), &hole));
    assert_true(hole.source.damaged_packets > 0 && hole.source.damaged_packets < 4);
    assert_int_equal(hole.source.truncated, 0);
    const size_t lost = whole.samples - hole.samples;
    assert_true(lost > 0 && lost < 3 * 4608);
    /* The resampler sees the gap 32 samples early. */
    assert_memory_equal(hole.channel[0], whole.channel[0], whole.samples / 3 * sizeof(float));
    double peak = 0;
    for (size_t i = 0; i < hole.samples; i++)
        peak = fmax(peak, fabs((double)hole.channel[0][i]));
    assert_true(peak < 0.6); /* 0.52 is the signal; noise from a bad frame would be full scale */
    a1_audio_free(&whole);
    a1_audio_free(&hole);
}

/* One flipped bit often decodes, to noise: the frame's checksum must tell. */
static void a_flipped_bit_in_flac_is_never_heard(void **state)
{
    (void)state;
    const format_case *t = &formats[6];
    assert_true(make(t));
    size_t size;
    uint8_t *bytes = test_read_bytes(sandbox_path("%s", t->name), &size);
    a1_audio whole;
    assert_true(decode_anything(sandbox_path("%s", t->name), &whole));
    for (size_t turn = 1; turn < 12; turn++) {
        uint8_t *at = bytes + size / 12 * turn + turn;
        *at ^= 1;
        sandbox_write("flip.flac", bytes, size);
        *at ^= 1;
        a1_audio flipped;
        assert_true(decode_anything(sandbox_path("flip.flac"), &flipped));
        if (flipped.source.damaged_packets == 0 && flipped.samples == whole.samples)
            fail_msg("a flipped bit at byte %zu of %zu is not noticed", (size_t)(at - bytes), size);
        assert_true(flipped.samples < whole.samples);
        a1_audio_free(&flipped);
    }
    a1_audio_free(&whole);
    free(bytes);
}

static void what_is_no_audio_file_is_refused(void **state)
{
    (void)state;
    expect_error(sandbox_path("absent.wav"), ALLIN1_ERROR_IO, "No such file");
    sandbox_write("empty.wav", "", 0);
    expect_error(sandbox_path("empty.wav"), ALLIN1_ERROR_AUDIO, "empty");
    const char *text = "These are words, and no sound comes of them.\n";
    sandbox_write("text.wav", text, strlen(text));
    expect_error(sandbox_path("text.wav"), ALLIN1_ERROR_AUDIO, "");
    sandbox_write("text.mp3", text, strlen(text));
    expect_error(sandbox_path("text.mp3"), ALLIN1_ERROR_AUDIO, "");
    assert_int_equal(mkdir(sandbox_path("folder.wav"), 0700), 0);
    expect_error(sandbox_path("folder.wav"), ALLIN1_ERROR_IO, "a directory");
    assert_int_equal(mkfifo(sandbox_path("pipe.wav"), 0600), 0);
    expect_error(sandbox_path("pipe.wav"), ALLIN1_ERROR_IO,
                 "a pipe"); /* and does not wait for it */
    expect_error("/dev/zero", ALLIN1_ERROR_IO, "a device");
    assert_int_equal(symlink(sandbox_path("absent"), sandbox_path("dangling.wav")), 0);
    expect_error(sandbox_path("dangling.wav"), ALLIN1_ERROR_IO, "No such file");
    sandbox_write("locked.wav", text, strlen(text));
    assert_int_equal(chmod(sandbox_path("locked.wav"), 0), 0);
    if (geteuid() != 0)
        expect_error(sandbox_path("locked.wav"), ALLIN1_ERROR_IO, "ermission denied");
    char deep[600];
    memset(deep, 'x', sizeof deep - 1);
    deep[sizeof deep - 1] = '\0';
    expect_error(deep, ALLIN1_ERROR_IO, "too long");
    uint8_t noise[4000];
    uint64_t seed = 1;
    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (uint8_t)((double)test_random(&seed) * 127 + 128);
    sandbox_write("noise.flac", noise, sizeof noise);
    expect_error(sandbox_path("noise.flac"), ALLIN1_ERROR_AUDIO, "");
}

/* Names with colons are files, and files that name others open nothing. */
static void nothing_but_the_named_file_is_opened(void **state)
{
    (void)state;
    assert_true(make(&formats[0]));
    size_t size;
    uint8_t *bytes = test_read_bytes(sandbox_path("%s", formats[0].name), &size);
    static const char *const odd[] = {"http:x.wav", "concat:a|b.wav", "pipe:0", "file:x", "-"};
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        a1_audio audio;
        sandbox_write(odd[i], bytes, size);
        assert_true(decode_anything(sandbox_path("%s", odd[i]), &audio));
        a1_audio_free(&audio);
    }
    free(bytes);
    expect_error("pipe:0", ALLIN1_ERROR_IO, "No such file");
    expect_error("http://127.0.0.1:1/x.wav", ALLIN1_ERROR_IO, "No such file");
    char text[5000];
    snprintf(text, sizeof text,
             "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXT-X-VERSION:3\n#EXTINF:10,\n%s\n"
             "#EXT-X-ENDLIST\n",
             sandbox_path("%s", formats[0].name));
    sandbox_write("list.m3u8", text, strlen(text));
    expect_error(sandbox_path("list.m3u8"), ALLIN1_ERROR_AUDIO, "playlist");
    snprintf(text, sizeof text, "ffconcat version 1.0\nfile %s\n", formats[0].name);
    sandbox_write("list.ffconcat", text, strlen(text));
    expect_error(sandbox_path("list.ffconcat"), ALLIN1_ERROR_AUDIO, "playlist");
    const char *session = "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\n"
                          "m=audio 5004 RTP/AVP 0\n";
    sandbox_write("session.sdp", session, strlen(session));
    expect_error(sandbox_path("session.sdp"), ALLIN1_ERROR_AUDIO, "playlist");
}

static void put32(uint8_t *at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}

/* Offsets in a plain WAV header: 22 channels, 24 rate, 34 bits; "data" and its size follow. */
static void hostile_wav_headers_are_refused_or_survived(void **state)
{
    (void)state;
    assert_true(make(&formats[0]));
    size_t size;
    uint8_t *good = test_read_bytes(sandbox_path("%s", formats[0].name), &size);
    uint8_t *bytes = malloc(size);
    assert_non_null(bytes);
    static const struct {
        size_t offset;
        uint32_t value;
        allin1_status status;
    } cases[] = {
        {24, 0, ALLIN1_ERROR_AUDIO},
        {24, 1, ALLIN1_ERROR_UNSUPPORTED},
        {24, 999, ALLIN1_ERROR_UNSUPPORTED},
        {24, 0x7fffffff, ALLIN1_ERROR_UNSUPPORTED},
        {24, 1536001, ALLIN1_ERROR_UNSUPPORTED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        memcpy(bytes, good, size);
        put32(bytes + cases[i].offset, cases[i].value);
        sandbox_write("hostile.wav", bytes, size);
        expect_error(sandbox_path("hostile.wav"), cases[i].status, "");
    }
    static const uint16_t channels[] = {0, 3, 9, 63, 64, 65, 1000, 0xffff};
    for (size_t i = 0; i < sizeof channels / sizeof *channels; i++) {
        memcpy(bytes, good, size);
        bytes[22] = (uint8_t)channels[i];
        bytes[23] = (uint8_t)(channels[i] >> 8);
        bytes[32] = (uint8_t)(2 * channels[i]);
        bytes[33] = (uint8_t)(2 * channels[i] >> 8);
        sandbox_write("hostile.wav", bytes, size);
        a1_audio audio;
        const bool ok = decode_anything(sandbox_path("hostile.wav"), &audio);
        if (channels[i] == 0)
            assert_false(ok);
        if (channels[i] == 3)
            assert_true(ok && audio.source.channels == 3);
        a1_audio_free(&audio);
    }
    free(bytes);
    free(good);
}

/* A size that no file of this length has, and sizes that mean "not known". */
static void stated_sizes_of_wav_files_are_not_trusted(void **state)
{
    (void)state;
    assert_true(make(&formats[0]));
    size_t size;
    uint8_t *bytes = test_read_bytes(sandbox_path("%s", formats[0].name), &size);
    uint8_t *data = bytes + 12;
    while (memcmp(data, "data", 4) != 0 && data < bytes + 200)
        data++;
    static const struct {
        uint32_t stated;
        int truncated;
    } cases[] = {{0x10000000, 1}, {0x7ff00000, 1}, {0xffffffff, 0}, {0x7ffff000, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        put32(bytes + 4, cases[i].stated);
        put32(data + 4, cases[i].stated);
        sandbox_write("stated.wav", bytes, size);
        a1_audio audio;
        assert_true(decode_anything(sandbox_path("stated.wav"), &audio));
        assert_in_range(audio.samples, 183752, 183754); /* SAMPLES at 44.1 kHz */
        if (audio.source.truncated != cases[i].truncated)
            fail_msg("a data chunk of %x bytes: truncated is %d", cases[i].stated,
                     audio.source.truncated);
        a1_audio_free(&audio);
    }
    free(bytes);
}

/* 36 bits of samples in the STREAMINFO of a short FLAC: three weeks of audio. */
static void a_huge_stated_duration_costs_nothing(void **state)
{
    (void)state;
    assert_true(make(&formats[6]));
    size_t size;
    uint8_t *bytes = test_read_bytes(sandbox_path("%s", formats[6].name), &size);
    bytes[21] |= 0x0f;
    memset(bytes + 22, 0xff, 4);
    sandbox_write("huge.flac", bytes, size);
    free(bytes);
    a1_audio audio;
    assert_true(decode_anything(sandbox_path("huge.flac"), &audio));
    assert_in_range(audio.samples, 183752, 183754);
    assert_int_equal(audio.source.truncated, 1);
    a1_audio_free(&audio);
}

/* A stream at 44.1 kHz, then one at 48 kHz: both parts keep their own time. */
static void check_change(int channels_before, int channels_after)
{
    float *first = test_bursts(44100, 44100, 1), *second = test_bursts(48000, 48000, 1);
    const float *before[2] = {first, first}, *after[2] = {second, second};
    const test_encoding how = {"adts", "aac", 0, 128000, NULL};
    if (!test_encode(sandbox_path("a.aac"), &how, before, channels_before, 44100, 44100) ||
        !test_encode(sandbox_path("b.aac"), &how, after, channels_after, 48000, 48000))
        skip();
    free(first);
    free(second);
    size_t size_a, size_b;
    uint8_t *a = test_read_bytes(sandbox_path("a.aac"), &size_a);
    uint8_t *b = test_read_bytes(sandbox_path("b.aac"), &size_b);
    a = realloc(a, size_a + size_b);
    assert_non_null(a);
    memcpy(a + size_a, b, size_b);
    sandbox_write("both.aac", a, size_a + size_b);
    a1_audio part_a, part_b, both;
    assert_true(decode_anything(sandbox_path("a.aac"), &part_a));
    assert_true(decode_anything(sandbox_path("b.aac"), &part_b));
    assert_true(decode_anything(sandbox_path("both.aac"), &both));
    /* The decoder may need a frame of 1,024 samples to follow. */
    const double difference =
        (double)both.samples - (double)part_a.samples - (double)part_b.samples;
    if (fabs(difference) > 1024)
        fail_msg("%zu samples from parts of %zu and %zu", both.samples, part_a.samples,
                 part_b.samples);
    double similarity;
    const size_t rest = both.samples - part_b.samples;
    const int lag = test_burst_lag(both.channel[1] + rest, part_b.samples, &similarity);
    assert_true(similarity > 0.98);
    assert_in_range(lag, 941 - 2, 941 + 2); /* ADTS's 1,024 samples of delay, at 44.1 kHz */
    a1_audio_free(&part_a);
    a1_audio_free(&part_b);
    a1_audio_free(&both);
    free(a);
    free(b);
}

static void parameters_may_change_in_the_middle(void **state)
{
    (void)state;
    check_change(2, 1);
    check_change(1, 2);
    check_change(2, 2); /* the rate alone */
}

/* Streams after one another in one Ogg file, as from a radio recording. */
static void chained_ogg_is_decoded_to_its_end(void **state)
{
    (void)state;
    static const test_encoding how = {"ogg", "libvorbis", 0, 128000, NULL};
    float *plane = test_bursts(88200, 44100, 1);
    const float *planes[2] = {plane, plane};
    const bool made = test_encode(sandbox_path("a.ogg"), &how, planes, 2, 44100, 88200) &&
                      test_encode(sandbox_path("b.ogg"), &how, planes, 1, 44100, 88200);
    free(plane);
    if (!made)
        skip();
    size_t size_a, size_b;
    uint8_t *a = test_read_bytes(sandbox_path("a.ogg"), &size_a);
    uint8_t *b = test_read_bytes(sandbox_path("b.ogg"), &size_b);
    a = realloc(a, size_a + size_b);
    assert_non_null(a);
    memcpy(a + size_a, b, size_b);
    sandbox_write("chain.ogg", a, size_a + size_b);
    free(a);
    free(b);
    a1_audio audio;
    assert_true(decode_anything(sandbox_path("chain.ogg"), &audio));
    print_message("[ NOTE     ] chained: %zu samples of 176400\n", audio.samples);
    /* FFmpeg loses the first packets of the second stream, up to a long block. */
    assert_in_range(audio.samples, 176400 - 4096, 176400 + 4096);
    a1_audio_free(&audio);
}

static void the_process_log_settings_are_left_alone(void **state)
{
    (void)state;
    assert_int_equal(av_log_get_level(), AV_LOG_INFO); /* else being quiet would prove nothing */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_files_are_whole_and_cut_ones_say_so),
        cmocka_unit_test(a_small_cut_is_noticed),
        cmocka_unit_test(files_cut_anywhere_are_survived),
        cmocka_unit_test(damaged_bytes_are_survived),
        cmocka_unit_test(damaged_packets_are_counted),
        cmocka_unit_test(a_flipped_bit_in_flac_is_never_heard),
        cmocka_unit_test(what_is_no_audio_file_is_refused),
        cmocka_unit_test(nothing_but_the_named_file_is_opened),
        cmocka_unit_test(hostile_wav_headers_are_refused_or_survived),
        cmocka_unit_test(stated_sizes_of_wav_files_are_not_trusted),
        cmocka_unit_test(a_huge_stated_duration_costs_nothing),
        cmocka_unit_test(parameters_may_change_in_the_middle),
        cmocka_unit_test(chained_ogg_is_decoded_to_its_end),
        cmocka_unit_test(the_process_log_settings_are_left_alone),
    };
    return cmocka_run_group_tests(tests, sandbox_set_up, sandbox_clean_up);
}
