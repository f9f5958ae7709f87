/* Beats, sections and tempo against numbers made with the reference implementation. */
#include "support/golden.h"

#include <dirent.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "functional/functional.h"
#include "metrical/bar_model.h"
#include "metrical/metrical.h"
#include "network/network.h"
#include "tempo/tempo.h"

/* The reference sums in double as we do; its float32 logarithms differ from ours in the last bit
 * now and then (6e-8 of a term, random in sign), its double logarithms at 1e-16. */
#define LOG_PROBABILITY_TOLERANCE 1e-6

static json_t *load_json(const char *path)
{
    json_error_t error;
    json_t *root = json_load_file(path, JSON_DECODE_ANY, &error);
    if (!root)
        fail_msg("%s: %s", path, error.text);
    return root;
}

static double number(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    assert_true(json_is_number(value));
    return json_number_value(value);
}

static a1_metrical *create_model(double threshold, allin1_cpu_level level)
{
    a1_metrical_settings settings;
    a1_metrical_settings_default(&settings);
    settings.threshold = threshold;
    a1_cpu cpu;
    a1_error err;
    a1_metrical *model;
    assert_int_equal(a1_cpu_select(&cpu, level, &err), ALLIN1_OK);
    assert_int_equal(a1_metrical_create(&model, &settings, &cpu, &err), ALLIN1_OK);
    return model;
}

static void test_state_space(void **state)
{
    (void)state;
    json_t *root = load_json(test_golden("golden/unit/dbn_state_space.json"));
    a1_metrical *model = create_model(0.24, ALLIN1_CPU_AUTO);
    for (unsigned beats = 3; beats <= 4; beats++) {
        const json_t *expected = json_object_get(root, beats == 3 ? "3" : "4");
        a1_beat_space space;
        a1_transitions transitions;
        unsigned *beat_frames;
        assert_int_equal(
            a1_beat_space_create(&space, beats, 60.0 * 100 / 215, 60.0 * 100 / 55, 60, NULL),
            ALLIN1_OK);
        assert_int_equal(a1_transitions_create(&transitions, &space, 100, NULL), ALLIN1_OK);
        assert_int_equal(a1_beat_frames_create(&beat_frames, &space, 16, NULL), ALLIN1_OK);
        assert_int_equal(space.states, (size_t)number(expected, "num_states"));
        assert_int_equal(transitions.count, (size_t)number(expected, "num_transitions"));
        assert_int_equal(a1_metrical_states(model, beats - 3), space.states);
        assert_int_equal(a1_metrical_transitions(model, beats - 3), transitions.count);

        const json_t *intervals = json_object_get(expected, "intervals");
        assert_int_equal(space.interval_count, json_array_size(intervals));
        for (size_t j = 0; j < space.interval_count; j++)
            assert_int_equal(space.intervals[j], json_integer_value(json_array_get(intervals, j)));

        size_t kinds[3] = {space.states, 0, 0};
        for (size_t row = 0; row < beats * space.interval_count; row++) {
            kinds[row < space.interval_count ? 2 : 1] += beat_frames[row];
            kinds[0] -= beat_frames[row];
        }
        for (size_t k = 0; k < 3; k++)
            assert_int_equal(kinds[k], json_integer_value(json_array_get(
                                           json_object_get(expected, "pointer_counts"), k)));

        double sum = 0;
        for (size_t k = 0; k < transitions.count; k++)
            sum += transitions.log_probability[k];
        const double sum_expected = number(expected, "sum_log_transition");
        /* 21,648 sums of terms below 37: a few hundred ulp at most. */
        if (!(fabs(sum - sum_expected) <= 1e-12 * fabs(sum_expected)))
            fail_msg("log transitions of %u beats sum to %.17g and should to %.17g", beats, sum,
                     sum_expected);
        free(beat_frames);
        a1_transitions_destroy(&transitions);
        a1_beat_space_destroy(&space);
    }
    a1_metrical_destroy(&model);
    json_decref(root);
}

static void compare_case(const char *name, const a1_beats *beats, const json_t *expected,
                         const test_array *times)
{
    assert_int_equal(beats->first_frame, (size_t)number(expected, "first_frame"));
    assert_int_equal(beats->decoded_frames, (size_t)number(expected, "thresholded_frames"));
    const json_t *log_probability = json_object_get(expected, "log_prob_3_4");
    if (json_array_size(log_probability) == 0) {
        for (size_t m = 0; m < A1_MAX_METRES; m++)
            assert_true(beats->log_probability[m] == -INFINITY);
    } else {
        for (size_t m = 0; m < 2; m++) {
            const double wanted = json_number_value(json_array_get(log_probability, m));
            const double off = fabs(beats->log_probability[m] - wanted) / fabs(wanted);
            if (!(off <= LOG_PROBABILITY_TOLERANCE))
                fail_msg("%s: log probability %zu is %.15g and should be %.15g: off by %.3g", name,
                         m, beats->log_probability[m], wanted, off);
        }
    }
    if (beats->count != (size_t)number(expected, "n_beats") || beats->count != times->shape[0])
        fail_msg("%s: %zu beats where %g were expected", name, beats->count,
                 number(expected, "n_beats"));
    for (size_t i = 0; i < beats->count; i++)
        if (beats->times[i] != times->values[2 * i] ||
            beats->positions[i] != (unsigned)times->values[2 * i + 1])
            fail_msg("%s: beat %zu is %.17g at position %u and should be %.17g at position %g",
                     name, i, beats->times[i], beats->positions[i], times->values[2 * i],
                     times->values[2 * i + 1]);
}

static void test_decoder_cases(void **state)
{
    (void)state;
    json_t *root = load_json(test_golden("golden/unit/dbn_cases.json"));
    allin1_cpu_level levels[4];
    const size_t level_count = a1_cpu_levels(levels);
    a1_pool *pool;
    assert_int_equal(a1_pool_create(&pool, 2, NULL), ALLIN1_OK);
    const char *name;
    json_t *expected;
    size_t cases = 0;
    json_object_foreach(root, name, expected)
    {
        char relative[128];
        snprintf(relative, sizeof relative, "golden/unit/dbn_%s_act_f32.npy", name);
        const size_t frames = (size_t)number(expected, "frames");
        float *activations = test_read_floats(test_golden(relative), NULL, 2 * frames);
        snprintf(relative, sizeof relative, "golden/unit/dbn_%s_beats_f64.npy", name);
        test_array times = test_read_array(test_golden(relative), NULL);
        for (size_t l = 0; l < level_count; l++) {
            a1_metrical *model = create_model(number(expected, "threshold"), levels[l]);
            for (int threaded = 0; threaded < 2; threaded++) {
                a1_beats beats;
                assert_int_equal(a1_metrical_decode(model, threaded ? pool : NULL, activations,
                                                    frames, &beats, NULL),
                                 ALLIN1_OK);
                compare_case(name, &beats, expected, &times);
                a1_beats_free(&beats);
            }
            if (l == 0) {
                a1_beats beats;
                assert_int_equal(a1_metrical_decode_plain(model, activations, frames, &beats, NULL),
                                 ALLIN1_OK);
                compare_case(name, &beats, expected, &times);
                a1_beats_free(&beats);
            }
            a1_metrical_destroy(&model);
        }
        test_array_free(&times);
        free(activations);
        cases++;
    }
    assert_true(cases >= 11);
    a1_pool_destroy(&pool);
    json_decref(root);
}

/* The stored activations against ours from the song's logits. Equal bits but for the last frames,
 * in which the reference takes another exponential: there up to 2 ulp of each operation. */
static void test_activations(void **state)
{
    (void)state;
    const char *const songs[] = {"love_theme", "apex_aleph"};
    for (size_t s = 0; s < 2; s++) {
        char relative[128];
        snprintf(relative, sizeof relative, "golden/songs/%s/logits.npz", songs[s]);
        const char *path = test_golden(relative);
        float *beat = test_read_floats(path, "logits_beat", 0);
        float *downbeat = test_read_floats(path, "logits_downbeat", 0);
        snprintf(relative, sizeof relative, "golden/unit/dbn_song_%s_act_f32.npy", songs[s]);
        test_array expected = test_read_array(test_golden(relative), NULL);
        const size_t frames = expected.shape[0];
        float *activations = malloc(2 * frames * sizeof *activations);
        assert_non_null(activations);
        a1_metrical_activations(beat, downbeat, frames, activations);
        for (size_t i = 0; i < 2 * frames; i++) {
            const double off = fabs((double)activations[i] - expected.values[i]);
            const bool tail = i / 2 + 32 > frames;
            if (off > (tail ? 1e-7 : 0))
                fail_msg("%s: activation %zu of frame %zu is %.9g and should be %.9g", songs[s],
                         i % 2, i / 2, (double)activations[i], expected.values[i]);
        }
        free(activations);
        free(downbeat);
        free(beat);
        test_array_free(&expected);
    }
}

static void assert_equal_floats(const char *name, const char *what, const float *actual,
                                const double *expected, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if ((double)actual[i] != expected[i])
            fail_msg("%s: %s of frame %zu is %.9g and should be %.9g", name, what, i,
                     (double)actual[i], expected[i]);
}

static double two_decimals(double value)
{
    char text[64];
    snprintf(text, sizeof text, "%.2f", value);
    return strtod(text, NULL);
}

static void compare_segments(const char *name, const a1_segments *segments, const json_t *expected)
{
    if (segments->count != json_array_size(expected))
        fail_msg("%s: %zu segments where %zu were expected", name, segments->count,
                 json_array_size(expected));
    for (size_t i = 0; i < segments->count; i++) {
        const json_t *wanted = json_array_get(expected, i);
        const a1_segment *segment = &segments->items[i];
        const char *label = json_string_value(json_object_get(wanted, "label"));
        if (two_decimals(segment->start) != number(wanted, "start") ||
            two_decimals(segment->end) != number(wanted, "end") ||
            strcmp(a1_network_labels[segment->label], label) != 0)
            fail_msg("%s: segment %zu is %.17g to %.17g, %s, and should be %g to %g, %s", name, i,
                     segment->start, segment->end, a1_network_labels[segment->label],
                     number(wanted, "start"), number(wanted, "end"), label);
        assert_true(segment->label_probability > 0 && segment->label_probability <= 1.000001);
    }
}

static void test_functional_cases(void **state)
{
    (void)state;
    json_t *root = load_json(test_golden("golden/unit/func_cases.json"));
    const char *name;
    json_t *expected;
    size_t cases = 0;
    json_object_foreach(root, name, expected)
    {
        char relative[128];
        snprintf(relative, sizeof relative, "golden/unit/func_%s.npz", name);
        const char *path = test_golden(relative);
        test_array maxima = test_read_array(path, "local_maxima");
        test_array strength = test_read_array(path, "strength");
        const size_t frames = maxima.count;
        float *section = test_read_floats(path, "logits_section", frames);
        float *function = test_read_floats(path, "logits_function", 10 * frames);
        float *out = malloc(2 * frames * sizeof *out);
        assert_non_null(out);
        assert_int_equal(a1_local_maxima(section, frames, 97, out, NULL), ALLIN1_OK);
        assert_equal_floats(name, "local maximum", out, maxima.values, frames);
        assert_int_equal(a1_peak_strength(out, frames, 1200, 1200, out + frames, NULL), ALLIN1_OK);
        assert_equal_floats(name, "strength", out + frames, strength.values, frames);
        a1_segments segments;
        assert_int_equal(a1_functional_segments(section, function, frames, &segments, NULL),
                         ALLIN1_OK);
        compare_segments(name, &segments, expected);
        a1_segments_free(&segments);
        free(out);
        free(function);
        free(section);
        test_array_free(&maxima);
        test_array_free(&strength);
        cases++;
    }
    assert_true(cases >= 8);
    json_decref(root);
}

static double *read_numbers(const json_t *array, size_t *count)
{
    *count = json_array_size(array);
    double *values = calloc(*count + 1, sizeof *values);
    assert_non_null(values);
    for (size_t i = 0; i < *count; i++)
        values[i] = json_number_value(json_array_get(array, i));
    return values;
}

static void test_tempo_cases(void **state)
{
    (void)state;
    json_t *root = load_json(test_golden("golden/unit/tempo_cases.json"));
    assert_true(json_array_size(root) >= 6);
    for (size_t i = 0; i < json_array_size(root); i++) {
        const json_t *item = json_array_get(root, i), *bpm = json_object_get(item, "bpm");
        size_t count;
        double *beats = read_numbers(json_object_get(item, "beats"), &count);
        const int wanted = json_is_null(bpm) ? 0 : (int)json_integer_value(bpm);
        const int found = a1_tempo_bpm(beats, count);
        if (found != wanted)
            fail_msg("tempo case %zu is %d and should be %d", i, found, wanted);
        free(beats);
    }
    json_decref(root);
}

static json_t *song_result(const char *folder)
{
    DIR *directory = opendir(folder);
    assert_non_null(directory);
    char path[4096] = "";
    for (struct dirent *entry; (entry = readdir(directory));) {
        const char *end = strrchr(entry->d_name, '.');
        if (end && strcmp(end, ".json") == 0 && strcmp(entry->d_name, "meta.json") != 0)
            snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
    }
    closedir(directory);
    return load_json(path);
}

static void compare_song(const char *name, const a1_beats *beats, const json_t *result)
{
    const json_t *times = json_object_get(result, "beats");
    const json_t *positions = json_object_get(result, "beat_positions");
    const json_t *downbeats = json_object_get(result, "downbeats");
    if (beats->count != json_array_size(times))
        fail_msg("%s: %zu beats where %zu were expected", name, beats->count,
                 json_array_size(times));
    size_t downbeat = 0;
    for (size_t i = 0; i < beats->count; i++) {
        const double time = two_decimals(beats->times[i]);
        const double wanted = json_number_value(json_array_get(times, i));
        const json_int_t position = json_integer_value(json_array_get(positions, i));
        if (time != wanted || (json_int_t)beats->positions[i] != position)
            fail_msg("%s: beat %zu is %g at position %u and should be %g at position %d", name, i,
                     time, beats->positions[i], wanted, (int)position);
        if (beats->positions[i] == 1)
            assert_true(time == json_number_value(json_array_get(downbeats, downbeat++)));
    }
    assert_int_equal(downbeat, json_array_size(downbeats));
}

static void test_songs(void **state)
{
    (void)state;
    const char *const songs[] = {"love_theme", "apex_aleph", "digital_pursuit", "elveszett_lelkek",
                                 "victory"};
    a1_metrical *model = create_model(0.24, ALLIN1_CPU_AUTO);
    for (size_t s = 0; s < sizeof songs / sizeof *songs; s++) {
        char relative[128];
        snprintf(relative, sizeof relative, "golden/songs/%s", songs[s]);
        json_t *result = song_result(test_golden(relative));
        snprintf(relative, sizeof relative, "golden/songs/%s/logits.npz", songs[s]);
        const char *path = test_golden(relative);
        test_array shape = test_read_array(path, "logits_beat");
        const size_t frames = shape.count;
        float *beat = test_read_floats(path, "logits_beat", frames);
        float *downbeat = test_read_floats(path, "logits_downbeat", frames);
        float *section = test_read_floats(path, "logits_section", frames);
        float *function = test_read_floats(path, "logits_function", 10 * frames);
        float *activations = malloc(2 * frames * sizeof *activations);
        assert_non_null(activations);
        a1_metrical_activations(beat, downbeat, frames, activations);
        a1_beats beats;
        assert_int_equal(a1_metrical_decode(model, NULL, activations, frames, &beats, NULL),
                         ALLIN1_OK);
        compare_song(songs[s], &beats, result);
        assert_int_equal(a1_tempo_bpm(beats.times, beats.count), (int)number(result, "bpm"));
        const double precise = a1_tempo_precise(beats.times, beats.count);
        print_message("[ NOTE     ] %s: %zu beats, bpm %g, tempo %.3f\n", songs[s], beats.count,
                      number(result, "bpm"), precise);
        assert_true(precise > 0);
        a1_segments segments;
        assert_int_equal(a1_functional_segments(section, function, frames, &segments, NULL),
                         ALLIN1_OK);
        compare_segments(songs[s], &segments, json_object_get(result, "segments"));
        a1_segments_free(&segments);
        a1_beats_free(&beats);
        free(activations);
        free(function);
        free(section);
        free(downbeat);
        free(beat);
        test_array_free(&shape);
        json_decref(result);
    }
    a1_metrical_destroy(&model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_state_space), cmocka_unit_test(test_decoder_cases),
        cmocka_unit_test(test_activations), cmocka_unit_test(test_functional_cases),
        cmocka_unit_test(test_tempo_cases), cmocka_unit_test(test_songs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
