#include "support/small_program.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/golden.h"
#include "support/tiny_model.h"

#define MAX_CHANNELS 8
#define PI 3.14159265358979323846

void small_sandbox(void)
{
    a1_error err = {0};
    sandbox_make();
    sandbox_folder("models");
    if (test_write_tiny_models(sandbox_path("models"), &err) != ALLIN1_OK)
        fail_msg("%s", err.message);
}

int small_set_up(void **state)
{
    (void)state;
    small_sandbox();
    return 0;
}

static double music_at(double seconds)
{
    const double beat = seconds * 2, since = (beat - floor(beat)) / 2;
    const double pulse = exp(-since * 30) * sin(2 * PI * 60 * since);
    const double bar = floor(beat / 4), root = fmod(bar, 4) < 2 ? 220 : 165;
    const double chord = sin(2 * PI * root * seconds) + sin(2 * PI * root * 1.25 * seconds);
    return 0.5 * pulse + 0.1 * chord;
}

static float sample_at(sound kind, size_t index, int rate, uint64_t *seed)
{
    switch (kind) {
    case SILENCE:
        return 0;
    case CLICK:
        return index == (size_t)rate / 200 ? 0.9f : 0; /* 5 ms from the start */
    case NOISE:
        return 0.3f * test_random(seed);
    case MUSIC:
        return (float)music_at((double)index / rate);
    }
    return 0;
}

bool make_sound_as(const char *name, sound kind, double seconds, int channels, int rate,
                   const test_encoding *how)
{
    const size_t samples = (size_t)llround(seconds * rate);
    float *planes[MAX_CHANNELS];
    uint64_t seed = 5;
    for (int c = 0; c < channels; c++) {
        planes[c] = calloc(samples ? samples : 1, sizeof *planes[c]);
        assert_non_null(planes[c]);
        for (size_t i = 0; i < samples; i++)
            planes[c][i] = sample_at(kind, i, rate, &seed) / (float)(1 + c);
    }
    const bool made = test_encode(sandbox_path("%s", name), how, (const float *const *)planes,
                                  channels, rate, samples);
    for (int c = 0; c < channels; c++)
        free(planes[c]);
    return made;
}

void make_sound(const char *name, sound kind, double seconds)
{
    const test_encoding wav = {.container = "wav", .encoder = "pcm_s16le"};
    assert_true(make_sound_as(name, kind, seconds, 2, 44100, &wav));
}

static void check_times(const char *what, const double *times, size_t count, double limit)
{
    for (size_t i = 0; i < count; i++) {
        if (!(times[i] >= 0 && times[i] <= limit))
            fail_msg("%s %zu is at %g s of %g s", what, i, times[i], limit);
        if (i > 0 && !(times[i] > times[i - 1]))
            fail_msg("%s %zu does not come after the one before it", what, i);
    }
}

allin1_result *check_result(const char *name, double seconds, double tolerance)
{
    allin1_result *result;
    allin1_error error;
    if (allin1_load_json(sandbox_path("%s", name), &result, NULL, &error) != ALLIN1_OK)
        fail_msg("%s", error.message);
    if (!(fabs(result->duration - seconds) <= tolerance))
        fail_msg("%s: lasts %g s instead of %g s", name, result->duration, seconds);
    const double end = ceil(result->duration * 100 - 1e-6) / 100; /* frames of 10 ms */
    check_times("beat", result->beats, result->beat_count, end);
    check_times("downbeat", result->downbeats, result->downbeat_count, end);
    size_t downbeats = 0;
    for (size_t i = 0; i < result->beat_count; i++) {
        assert_in_range(result->beat_positions[i], 1, 4);
        if (result->beat_positions[i] == 1) {
            assert_true(downbeats < result->downbeat_count);
            assert_true(result->downbeats[downbeats++] == result->beats[i]);
        }
    }
    assert_int_equal(downbeats, result->downbeat_count);
    assert_true((result->bpm > 0) == (result->beat_count >= 2));
    assert_true(isnan(result->tempo) == (result->bpm == 0));
    assert_true((result->beats_per_bar > 0) == (result->beat_count > 0));
    for (size_t i = 0; i < result->segment_count; i++) {
        const allin1_segment *segment = &result->segments[i];
        const double before = i > 0 ? segment[-1].end : 0;
        if (segment->start != before || segment->end < segment->start)
            fail_msg("segment %zu lies from %g to %g", i, segment->start, segment->end);
        assert_true(segment->probability > 0 && segment->probability <= 1);
    }
    assert_true(result->segment_count > 0 || seconds == 0);
    if (result->segment_count > 0)
        assert_true(fabs(result->segments[result->segment_count - 1].end - end) < 0.0051);
    assert_int_equal(result->path[0], '/');
    return result;
}

/* Cuts the line that holds `part` out of the text. */
static void cut_line(char *text, const char *part)
{
    char *found;
    while ((found = strstr(text, part))) {
        while (found > text && found[-1] != '\n')
            found--;
        char *end = strchr(found, '\n');
        memmove(found, end + 1, strlen(end + 1) + 1);
    }
}

char *comparable_document(const char *name)
{
    char *text = sandbox_read(name, NULL);
    cut_line(text, "\"threads");
    cut_line(text, "\"origin\"");
    return text;
}
