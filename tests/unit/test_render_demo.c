/* The bundled song: the same bytes every time, and a truth that fits itself and the sound. */
#include "support/golden.h"

#include "support/demo_song.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RATE 44100.0

static const char *const stems[] = {"bass", "drums", "other", "vocals"};

static int make_sandbox(void **state)
{
    (void)state;
    sandbox_make();
    sandbox_folder("stems");
    return 0;
}

static int remove_sandbox(void **state)
{
    (void)state;
    sandbox_remove();
    return 0;
}

/* Once for all tests; skips those that come when it cannot. */
static void render(void)
{
    if (sandbox_has("song.wav"))
        return;
    program_outcome outcome =
        demo_run((const char *const[]){"song.wav", "song.json", "stems", NULL});
    program_expect(&outcome, 0);
    assert_string_equal(outcome.out, "");
    assert_string_equal(outcome.err, "");
    program_free(&outcome);
}

static void same_bytes_every_time(void **state)
{
    (void)state;
    render();
    program_outcome outcome = demo_run((const char *const[]){"again.wav", "again.json", NULL});
    program_expect(&outcome, 0);
    program_free(&outcome);
    static const char *const names[2][2] = {{"song.wav", "again.wav"}, {"song.json", "again.json"}};
    for (int i = 0; i < 2; i++) {
        size_t first_size, second_size;
        char *first = sandbox_read(names[i][0], &first_size);
        char *second = sandbox_read(names[i][1], &second_size);
        assert_int_equal(first_size, second_size);
        assert_memory_equal(first, second, first_size);
        free(first);
        free(second);
    }
}

static void truth_fits_itself(void **state)
{
    (void)state;
    render();
    const demo_truth truth = demo_read_truth("song.json");
    size_t frames;
    free(demo_read_wav("song.wav", &frames));
    const double microsecond = 0.6e-6; /* the truth is written with six decimals */
    assert_true(fabs(truth.duration - (double)frames / RATE) < microsecond);
    assert_true(fabs(truth.duration - 120) < 1);

    assert_int_equal(truth.position_count, truth.beat_count);
    size_t downbeats = 0;
    for (size_t i = 0; i < truth.beat_count; i++) {
        if (fabs(truth.beats[i] - (double)i * 60 / truth.tempo) > microsecond)
            fail_msg("beat %zu is at %.6f", i, truth.beats[i]);
        assert_int_equal(truth.positions[i], i % 4 + 1);
        if (truth.positions[i] == 1) {
            assert_true(downbeats < truth.downbeat_count);
            assert_true(truth.downbeats[downbeats++] == truth.beats[i]);
        }
    }
    assert_int_equal(downbeats, truth.downbeat_count);
    /* The last beat is one beat before the end. */
    assert_true(fabs(truth.beats[truth.beat_count - 1] + 60 / truth.tempo - truth.duration) <
                2 * microsecond);

    static const char *const form[] = {"intro",  "verse",  "chorus", "verse",
                                       "chorus", "bridge", "chorus", "outro"};
    assert_int_equal(truth.section_count, 8);
    double end = 0;
    size_t downbeat = 0;
    for (size_t i = 0; i < truth.section_count; i++) {
        const demo_section *section = &truth.sections[i];
        assert_string_equal(section->label, form[i]);
        assert_true(section->start == end);
        assert_true(section->end > section->start + 10);
        end = section->end;
        while (downbeat < truth.downbeat_count && truth.downbeats[downbeat] != section->start)
            downbeat++;
        if (downbeat == truth.downbeat_count)
            fail_msg("section %zu does not start on a downbeat", i);
    }
    assert_true(end == truth.duration);
}

static void levels_are_right(void **state)
{
    (void)state;
    render();
    size_t frames;
    int16_t *samples = demo_read_wav("song.wav", &frames);
    int peak = 0;
    double power = 0, first = 0, last = 0;
    const size_t tail = 441;
    for (size_t i = 0; i < 2 * frames; i++) {
        peak = abs(samples[i]) > peak ? abs(samples[i]) : peak;
        const double square = (double)samples[i] * samples[i];
        power += square;
        first += i < 2 * tail ? square : 0;
        last += i >= 2 * (frames - tail) ? square : 0;
    }
    /* The limiter's ceiling is 0.89; the dither adds one step. */
    assert_in_range(peak, 0.8 * 32767, 0.89 * 32767 + 2);
    /* -14 LUFS is about -15 dB of this song's plain mean power, which is 0.18 of full scale. */
    const double rms = sqrt(power / (2 * (double)frames)) / 32768;
    if (rms < 0.14 || rms > 0.22)
        fail_msg("the mean level is %.3f", rms);
    /* It starts with a beat, and has faded out at the end: dither is all that is left. */
    assert_true(sqrt(first / (2 * (double)tail)) > 200);
    assert_true(sqrt(last / (2 * (double)tail)) < 4);
    free(samples);
}

static void stems_add_up_to_the_mix(void **state)
{
    (void)state;
    render();
    size_t frames, stem_frames;
    int16_t *mix = demo_read_wav("song.wav", &frames);
    int *sum = calloc(2 * frames, sizeof *sum);
    assert_non_null(sum);
    for (int s = 0; s < 4; s++) {
        char name[64];
        snprintf(name, sizeof name, "stems/%s.wav", stems[s]);
        int16_t *stem = demo_read_wav(name, &stem_frames);
        assert_int_equal(stem_frames, frames);
        int loudest = 0;
        for (size_t i = 0; i < 2 * frames; i++) {
            sum[i] += stem[i];
            loudest = abs(stem[i]) > loudest ? abs(stem[i]) : loudest;
        }
        if (loudest < 3000)
            fail_msg("%s is nearly silent", name);
        free(stem);
    }
    /* Five files, each with up to one step of dither and half a step of rounding. */
    for (size_t i = 0; i < 2 * frames; i++)
        if (abs(sum[i] - mix[i]) > 7)
            fail_msg("sample %zu: the stems add up to %d, the mix has %d", i, sum[i], mix[i]);
    free(sum);
    free(mix);
}

/* Mean power of `seconds` from a time on. */
static double power_at(const int16_t *samples, size_t frames, double time, double seconds)
{
    const long start = lround(time * RATE), count = lround(seconds * RATE);
    double sum = 0;
    for (long n = start; n < start + count; n++)
        if (n >= 0 && (size_t)n < frames)
            sum += (double)samples[2 * n] * samples[2 * n] +
                   (double)samples[2 * n + 1] * samples[2 * n + 1];
    return sum / (2 * (double)count);
}

/* In the choruses a drum is struck on every beat. */
static void drums_sound_on_the_true_beats(void **state)
{
    (void)state;
    render();
    const demo_truth truth = demo_read_truth("song.json");
    size_t frames, tried = 0;
    int16_t *drums = demo_read_wav("stems/drums.wav", &frames);
    for (size_t s = 0; s < truth.section_count; s++) {
        if (strcmp(truth.sections[s].label, "chorus") != 0)
            continue;
        for (size_t i = 0; i < truth.beat_count; i++) {
            if (truth.beats[i] < truth.sections[s].start ||
                truth.beats[i] >= truth.sections[s].end - 2)
                continue; /* the last bar may have a fill */
            const double before = power_at(drums, frames, truth.beats[i] - 0.010, 0.0095);
            const double after = power_at(drums, frames, truth.beats[i], 0.010);
            tried++;
            if (after < 2 * before) /* a cymbal may still ring */
                fail_msg("no drum at %.3f s: power %.0f before, %.0f after", truth.beats[i], before,
                         after);
        }
    }
    assert_true(tried > 60);
    free(drums);
}

static void wrong_use_is_said(void **state)
{
    (void)state;
    program_outcome none = demo_run((const char *const[]){"only.wav", NULL});
    program_expect(&none, 2);
    expect_text(none.err, "usage");
    program_free(&none);
    program_outcome nowhere =
        demo_run((const char *const[]){"no/such/song.wav", "song.json", NULL});
    program_expect(&nowhere, 1);
    expect_text(nowhere.err, "no/such/song.wav");
    program_free(&nowhere);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_bytes_every_time),
        cmocka_unit_test(truth_fits_itself),
        cmocka_unit_test(levels_are_right),
        cmocka_unit_test(stems_add_up_to_the_mix),
        cmocka_unit_test(drums_sound_on_the_true_beats),
        cmocka_unit_test(wrong_use_is_said),
    };
    return cmocka_run_group_tests(tests, make_sandbox, remove_sandbox);
}
