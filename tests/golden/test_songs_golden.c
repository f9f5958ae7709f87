/* Whole songs with the real weights, through the public interface, against the reference's results.
 *
 * The harmonix folds are taken from the shared data, HTDemucs from where the program would find it;
 * what is missing is said and skipped. */
#include "support/files.h"
#include "support/golden.h"
#include "support/sandbox.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <allin1/allin1.h>

#define STEMS 4
#define BANDS 81

/* Logits of the same spectrogram agree to 1e-4 (golden/songs/README.md); a sigmoid is at most a
 * quarter as steep, a soft-max at most half. A float32 probability adds 6e-8. */
#define PROBABILITY_TOLERANCE (1e-4 / 2 + 1e-7)

/* From the audio, a beat or a boundary may move by one frame (golden/songs/README.md). Both sides
 * are rounded to hundredths. */
#define ONE_FRAME 0.0101

typedef struct song {
    const char *folder, *name;
    const char *logits; /* those of the spectrogram that is stored */
    int near_tied_bpm[3]; /* candidates within a few intervals of each other, by the same README */
} song;

static const song songs[] = {
    {"love_theme", "love_theme", "logits.npz", {0}},
    {"victory", "victory", "logits.npz", {77, 73, 72}},
    {"apex_aleph", "Apex Aleph", "logits_from_stored_spec.npz", {85, 86, 0}},
    {"digital_pursuit", "digital-pursuit", "logits_from_stored_spec.npz", {0}},
    {"elveszett_lelkek", "06_-_Elveszett_Lelkek", "logits_from_stored_spec.npz", {200, 100, 0}},
};

static allin1_context *context;

static const char *song_file(const song *s, const char *suffix)
{
    char relative[256];
    snprintf(relative, sizeof relative, "golden/songs/%s/%s", s->folder, suffix);
    return test_golden(relative);
}

static const char *named_file(const song *s, const char *suffix)
{
    char name[128];
    snprintf(name, sizeof name, "%s%s", s->name, suffix);
    return song_file(s, name);
}

static int open_context(void **state)
{
    (void)state;
    char weights[1024];
    allin1_settings settings;
    allin1_error error;
    allin1_settings_default(&settings);
    settings.model = "harmonix-all";
    settings.precision = ALLIN1_PRECISION_FP32; /* the reference's; the others are docs/SPEED.md's */
    snprintf(weights, sizeof weights, "%s/weights", test_shared_dir());
    settings.weights_dir = weights;
    if (allin1_open(&context, &settings, &error) == ALLIN1_OK)
        return 0;
    print_message("%s\n", error.message);
    return -1;
}

static int close_context(void **state)
{
    (void)state;
    allin1_close(&context);
    return 0;
}

/* Skips without weights, fails on everything else. */
static void need(allin1_status status, const allin1_error *error)
{
    if (status == ALLIN1_ERROR_WEIGHTS_MISSING) {
        print_message("skipped: %s\n", error->message);
        skip();
    }
    if (status != ALLIN1_OK)
        fail_msg("%s", error->message);
}

/* Comparing ------------------------------------------------------------------------------------- */

static double number(const json_t *value)
{
    assert_true(json_is_number(value));
    return json_number_value(value);
}

static void compare_times(const char *what, const json_t *expected, const double *times,
                          size_t count, double tolerance, double *largest)
{
    if (json_array_size(expected) != count)
        fail_msg("%zu %s instead of %zu", count, what, json_array_size(expected));
    for (size_t i = 0; i < count; i++) {
        const double wanted = number(json_array_get(expected, i));
        const double distance = fabs(round(times[i] * 100) / 100 - wanted);
        *largest = fmax(*largest, distance);
        if (!(distance <= tolerance))
            fail_msg("%s %zu is at %.4f s instead of %.2f s", what, i, times[i], wanted);
    }
}

static bool is_near_tied(const song *s, int bpm)
{
    for (size_t i = 0; i < 3; i++)
        if (s->near_tied_bpm[i] == bpm && bpm > 0)
            return true;
    return false;
}

/* `tolerance` in seconds; 0 asks for the very same document. */
static void compare_result(const song *s, const allin1_result *result, double tolerance)
{
    json_error_t reason;
    json_t *root = json_load_file(named_file(s, ".json"), 0, &reason);
    assert_non_null(root);
    double largest = 0;
    compare_times("beat", json_object_get(root, "beats"), result->beats, result->beat_count,
                  tolerance, &largest);
    compare_times("downbeat", json_object_get(root, "downbeats"), result->downbeats,
                  result->downbeat_count, tolerance, &largest);
    const json_t *positions = json_object_get(root, "beat_positions");
    assert_int_equal(json_array_size(positions), result->beat_count);
    for (size_t i = 0; i < result->beat_count; i++)
        if (json_integer_value(json_array_get(positions, i)) != result->beat_positions[i])
            fail_msg("beat %zu has position %u", i, result->beat_positions[i]);

    const json_t *segments = json_object_get(root, "segments");
    if (json_array_size(segments) != result->segment_count)
        fail_msg("%zu segments instead of %zu", result->segment_count, json_array_size(segments));
    for (size_t i = 0; i < result->segment_count; i++) {
        const json_t *segment = json_array_get(segments, i);
        const allin1_segment *ours = &result->segments[i];
        const double edges[] = {ours->start, ours->end};
        json_t *wanted = json_pack("[OO]", json_object_get(segment, "start"),
                                   json_object_get(segment, "end"));
        compare_times("segment's edge", wanted, edges, 2, tolerance, &largest);
        json_decref(wanted);
        const char *label = json_string_value(json_object_get(segment, "label"));
        if (strcmp(label, ours->label) != 0)
            fail_msg("segment %zu is %s instead of %s", i, ours->label, label);
    }

    const int bpm = (int)json_integer_value(json_object_get(root, "bpm"));
    const bool same_bpm = result->bpm == bpm;
    if (!same_bpm && (tolerance == 0 || !is_near_tied(s, result->bpm)))
        fail_msg("%d bpm instead of %d", result->bpm, bpm);
    print_message("%s: %zu beats and %zu segments agree, largest distance %.2f s, bpm %d%s\n",
                  s->name, result->beat_count, result->segment_count, largest, result->bpm,
                  same_bpm ? "" : " (a near tie)");
    json_decref(root);
}

/* All bytes but those of the path, up to where the reference's document closes. */
static void compare_bytes(const song *s, const allin1_result *result)
{
    size_t size;
    char *theirs = (char *)test_read_bytes(named_file(s, ".json"), &size);
    char *ours = allin1_result_json(result, NULL);
    const char *a = strstr(ours, "\n  \"bpm\""), *b = strstr(theirs, "\n  \"bpm\"");
    assert_true(a && b);
    const size_t shared = size - strlen("\n}") - (size_t)(b - theirs);
    if (memcmp(a, b, shared) != 0)
        fail_msg("the document of %s differs from the reference's", s->name);
    free(theirs);
    allin1_string_free(ours);
}

static void compare_probabilities(const song *s, const char *name, const float *ours, size_t count,
                                  size_t rows)
{
    char member[64];
    snprintf(member, sizeof member, "logits_%s", name);
    test_array logits = test_read_array(song_file(s, s->logits), member);
    assert_int_equal(logits.count, count * rows);
    for (size_t t = 0; t < count; t++) {
        double sum = 0;
        for (size_t r = 0; rows > 1 && r < rows; r++)
            sum += exp(logits.values[r * count + t]);
        for (size_t r = 0; r < rows; r++) {
            const double logit = logits.values[r * count + t];
            const double wanted = rows > 1 ? exp(logit) / sum : 1 / (1 + exp(-logit));
            if (!(fabs((double)ours[r * count + t] - wanted) <= PROBABILITY_TOLERANCE))
                fail_msg("%s of frame %zu, row %zu: %.8f instead of %.8f", name, t, r,
                         (double)ours[r * count + t], wanted);
        }
    }
    test_array_free(&logits);
}

/* Tests ------------------------------------------------------------------------------------------ */

static void from_the_spectrogram(void **state)
{
    const song *s = *state;
    test_array stored = test_read_array(song_file(s, "spec.npz"), "spec");
    assert_int_equal(stored.rank, 3);
    assert_int_equal(stored.shape[0], STEMS);
    assert_int_equal(stored.shape[2], BANDS);
    const size_t frames = stored.shape[1];
    float *spectrogram = malloc(stored.count * sizeof *spectrogram);
    assert_non_null(spectrogram);
    for (size_t i = 0; i < stored.count; i++)
        spectrogram[i] = (float)stored.values[i];
    test_array_free(&stored);

    allin1_result *result;
    allin1_error error;
    const allin1_request request = {.want_activations = 1, .name = s->name};
    need(allin1_analyze_spectrogram(context, spectrogram, frames, &request, &result, &error),
         &error);
    free(spectrogram);
    const allin1_activations *activations = result->activations;
    assert_non_null(activations);
    assert_int_equal(activations->frames, frames);
    compare_probabilities(s, "beat", activations->beat, frames, 1);
    compare_probabilities(s, "downbeat", activations->downbeat, frames, 1);
    compare_probabilities(s, "section", activations->segment, frames, 1);
    compare_probabilities(s, "function", activations->label, frames, activations->labels);
    assert_true(result->provenance.downbeat_threshold == 0.24);
    compare_result(s, result, 0);
    compare_bytes(s, result);
    allin1_result_free(&result);
}

static void from_the_audio(void **state)
{
    const song *s = *state;
    char name[128];
    struct stat info;
    snprintf(name, sizeof name, "golden/songs/%s/%s.ogg", s->folder, s->name);
    allin1_result *result;
    allin1_error error;
    need(allin1_analyze_file(context, test_golden(name), NULL, &result, &error), &error);
    assert_int_equal(stat(result->path, &info), 0);
    assert_int_equal(result->path[0], '/');

    json_error_t reason;
    json_t *meta = json_load_file(song_file(s, "meta.json"), 0, &reason);
    assert_non_null(meta);
    assert_int_equal(result->provenance.samples,
                     json_integer_value(json_object_get(json_object_get(meta, "decoded"),
                                                        "samples_per_channel")));
    json_decref(meta);
    compare_result(s, result, ONE_FRAME);
    allin1_result_free(&result);
}

static allin1_result *analyze_mono(const float *mono, size_t samples)
{
    const float *const channels[2] = {mono, mono};
    allin1_result *result;
    allin1_error error;
    need(allin1_analyze_samples(context, channels, samples, NULL, &result, &error), &error);
    assert_true(result->segment_count > 0);
    const allin1_segment *last = &result->segments[result->segment_count - 1];
    assert_true(fabs(last->end - ceil((double)samples / 441) / 100) < 1e-9);
    return result;
}

/* Where there is no beat, none is found: no list, no tempo. The reference fails on silence. */
static void sounds_without_a_beat(void **state)
{
    (void)state;
    enum { SAMPLES = 5 * 44100 };
    float *sound = calloc(SAMPLES, sizeof *sound);
    uint64_t seed = 3;
    for (int kind = 0; kind < 3; kind++) {
        if (kind == 1)
            sound[220] = 0.9f;
        for (size_t i = 0; kind == 2 && i < SAMPLES; i++)
            sound[i] = 0.3f * test_random(&seed);
        allin1_result *result = analyze_mono(sound, SAMPLES);
        assert_int_equal(result->beat_count, 0);
        assert_int_equal(result->bpm, 0);
        assert_true(isnan(result->tempo));
        assert_int_equal(result->beats_per_bar, 0);
        allin1_result_free(&result);
        result = analyze_mono(sound, 441);
        assert_int_equal(result->beat_count, 0);
        allin1_result_free(&result);
    }
    free(sound);
}

/* Clicks whose tempo is known. */
static void a_click_track(void **state)
{
    (void)state;
    enum { SAMPLES = 12 * 44100, PERIOD = 22050 };
    float *sound = calloc(SAMPLES, sizeof *sound);
    for (size_t i = 0; i < SAMPLES; i++)
        sound[i] = i % PERIOD < 220 ? 0.9f : 0;
    allin1_result *result = analyze_mono(sound, SAMPLES);
    print_message("%zu beats, %d bpm, %.3f bpm\n", result->beat_count, result->bpm, result->tempo);
    assert_int_equal(result->bpm, 120);
    assert_true(fabs(result->tempo - 120) < 0.1); /* 12 s on a grid of 10 ms */
    assert_in_range(result->beat_count, 20, 24);
    for (size_t i = 0; i < result->beat_count; i++) {
        const double off = fmod(result->beats[i] + 0.25, 0.5) - 0.25;
        assert_true(fabs(off) <= 0.03); /* three frames */
    }
    allin1_result_free(&result);
    free(sound);
}

int main(void)
{
    enum { SONGS = sizeof songs / sizeof *songs };
    struct CMUnitTest tests[2 * SONGS + 2] = {
        [2 * SONGS] = cmocka_unit_test(sounds_without_a_beat),
        [2 * SONGS + 1] = cmocka_unit_test(a_click_track),
    };
    static char names[2 * SONGS][96];
    for (size_t i = 0; i < SONGS; i++) {
        snprintf(names[i], sizeof names[i], "from_the_spectrogram(%s)", songs[i].folder);
        snprintf(names[SONGS + i], sizeof names[i], "from_the_audio(%s)", songs[i].folder);
        tests[i] = (struct CMUnitTest){names[i], from_the_spectrogram, NULL, NULL,
                                       (void *)(uintptr_t)&songs[i]};
        tests[SONGS + i] = (struct CMUnitTest){names[SONGS + i], from_the_audio, NULL, NULL,
                                               (void *)(uintptr_t)&songs[i]};
    }
    return cmocka_run_group_tests(tests, open_context, close_context);
}
