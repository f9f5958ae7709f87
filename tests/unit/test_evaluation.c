/* Measures of agreement against mir_eval's own numbers, and at their edges. */
#include "support/golden.h"
#include "support/sandbox.h"

#include <allin1/evaluation.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What the measures promise; sums in another order differ by 1e-15. */
#define TOLERANCE 1e-6

static double *read_times(const json_t *list, size_t *count)
{
    *count = json_array_size(list);
    double *times = malloc((*count + 1) * sizeof *times);
    assert_non_null(times);
    for (size_t i = 0; i < *count; i++)
        times[i] = json_number_value(json_array_get(list, i));
    return times;
}

static allin1_annotation read_annotation(const json_t *from)
{
    allin1_annotation a = {.has_beats = 1, .has_downbeats = 1, .has_sections = 1, .tempo = NAN};
    const json_t *list = json_object_get(from, "sections");
    a.beats = read_times(json_object_get(from, "beats"), &a.beat_count);
    /* The measures of downbeats are those of beats: the same times give the same numbers. */
    a.downbeats = a.beats;
    a.downbeat_count = a.beat_count;
    a.section_count = json_array_size(list);
    allin1_segment *sections = malloc((a.section_count + 1) * sizeof *sections);
    assert_non_null(sections);
    for (size_t i = 0; i < a.section_count; i++) {
        const json_t *item = json_array_get(list, i);
        sections[i] = (allin1_segment){json_number_value(json_array_get(item, 0)),
                                       json_number_value(json_array_get(item, 1)),
                                       json_string_value(json_array_get(item, 2)), NAN, NULL};
    }
    a.sections = sections;
    return a;
}

static void free_annotation(allin1_annotation *a)
{
    free((void *)a->beats);
    free((void *)a->sections);
}

static size_t check_scores(const char *name, const json_t *expected, const allin1_scores *scores)
{
    size_t checked = 0, wrong = 0;
    for (allin1_measure m = 0; m < ALLIN1_MEASURES; m++) {
        const char *group = allin1_measure_group(m);
        const json_t *wanted = json_object_get(
            json_object_get(expected, strcmp(group, "downbeats") == 0 ? "beats" : group),
            allin1_measure_name(m));
        const double found = scores->values[m];
        if (!wanted)
            continue;
        checked++;
        const bool same = json_is_null(wanted)
                              ? isnan(found)
                              : fabs(found - json_number_value(wanted)) <= TOLERANCE;
        if (!same)
            print_error("%s: %s %s is %.9f, not %.9f\n", name, group, allin1_measure_name(m), found,
                        json_is_null(wanted) ? NAN : json_number_value(wanted));
        wrong += !same;
    }
    assert_int_equal(wrong, 0);
    return checked;
}

/* tests/data/evaluation.json, made once with mir_eval 0.8.2 (numpy 1.24.2, scipy 1.10.1): random beats
 * and sections of every kind that its functions treat apart. The accuracy of labels is no measure of
 * mir_eval: it was counted there from the frames that mir_eval samples. */
static void equal_to_mir_eval(void **state)
{
    (void)state;
    const char *given = getenv("ALLIN1_EVALUATION_CASES"), *source = getenv("ALLIN1_SOURCE");
    char path[4096];
    snprintf(path, sizeof path, "%s/tests/data/evaluation.json", source ? source : ".");
    json_error_t reason;
    json_t *cases = json_load_file(given ? given : path, 0, &reason);
    if (!cases)
        fail_msg("%s: %s", path, reason.text);
    size_t checked = 0;
    for (size_t i = 0; i < json_array_size(cases); i++) {
        const json_t *item = json_array_get(cases, i);
        allin1_annotation reference = read_annotation(json_object_get(item, "reference"));
        allin1_annotation estimate = read_annotation(json_object_get(item, "estimate"));
        allin1_scores scores;
        assert_int_equal(allin1_evaluate(&reference, &estimate, NULL, &scores, NULL), ALLIN1_OK);
        checked += check_scores(json_string_value(json_object_get(item, "name")),
                                json_object_get(item, "expected"), &scores);
        free_annotation(&reference);
        free_annotation(&estimate);
    }
    assert_true(json_array_size(cases) >= 40);
    assert_int_equal(checked, json_array_size(cases) * (ALLIN1_MEASURES - 2));
    json_decref(cases);
}

static double tempo_score(double reference, double estimate, allin1_measure measure)
{
    const allin1_annotation a = {.tempo = reference}, b = {.tempo = estimate, .has_beats = 1};
    allin1_scores scores;
    assert_int_equal(allin1_evaluate(&a, &b, NULL, &scores, NULL), ALLIN1_OK);
    return scores.values[measure];
}

static void tempo(void **state)
{
    (void)state;
    assert_true(tempo_score(100, 104, ALLIN1_TEMPO_ACC1) == 1);
    assert_true(tempo_score(100, 96, ALLIN1_TEMPO_ACC1) == 1);
    assert_true(tempo_score(100, 104.1, ALLIN1_TEMPO_ACC1) == 0);
    assert_true(tempo_score(100, 104.1, ALLIN1_TEMPO_ACC2) == 0);
    static const double factors[] = {1, 2, 0.5, 3, 1.0 / 3};
    for (size_t i = 0; i < 5; i++) {
        assert_true(tempo_score(90, 90 * factors[i] * 1.03, ALLIN1_TEMPO_ACC2) == 1);
        assert_true(tempo_score(90, 90 * factors[i], ALLIN1_TEMPO_ACC1) == (i == 0));
    }
    assert_true(tempo_score(90, 135, ALLIN1_TEMPO_ACC2) == 0);
    /* No beats were found: missed. No reference: nothing to miss. */
    assert_true(tempo_score(90, NAN, ALLIN1_TEMPO_ACC1) == 0);
    assert_true(isnan(tempo_score(NAN, 90, ALLIN1_TEMPO_ACC2)));
}

static void what_is_missing_has_no_score(void **state)
{
    (void)state;
    static const double beats[] = {6, 6.5, 7, 7.5};
    static const allin1_segment sections[] = {{0, 10, "verse", NAN, NULL}};
    const allin1_annotation only_beats = {
        .has_beats = 1, .beat_count = 4, .beats = beats, .tempo = 120};
    const allin1_annotation only_sections = {
        .has_sections = 1, .section_count = 1, .sections = sections, .tempo = NAN};
    allin1_scores scores;
    assert_int_equal(allin1_evaluate(&only_beats, &only_sections, NULL, &scores, NULL), ALLIN1_OK);
    for (size_t m = 0; m < ALLIN1_MEASURES; m++)
        assert_true(isnan(scores.values[m]));
    assert_int_equal(allin1_evaluate(&only_beats, &only_beats, NULL, &scores, NULL), ALLIN1_OK);
    assert_true(scores.values[ALLIN1_BEAT_F] == 1 && scores.values[ALLIN1_TEMPO_ACC1] == 1);
    assert_true(isnan(scores.values[ALLIN1_DOWNBEAT_F]));
    assert_true(isnan(scores.values[ALLIN1_BOUNDARY_F05]));
    /* An empty reference of sections has nothing to find. */
    const allin1_annotation nothing = {.has_sections = 1, .tempo = NAN};
    assert_int_equal(allin1_evaluate(&nothing, &only_sections, NULL, &scores, NULL), ALLIN1_OK);
    assert_true(isnan(scores.values[ALLIN1_BOUNDARY_F05]));
    /* Beats that count from another time on. */
    const allin1_evaluation_settings late = {.beats_from = 7};
    const allin1_annotation rest = {
        .has_beats = 1, .beat_count = 2, .beats = beats + 2, .tempo = 120};
    assert_int_equal(allin1_evaluate(&only_beats, &rest, &late, &scores, NULL), ALLIN1_OK);
    assert_true(scores.values[ALLIN1_BEAT_F] == 1);
    assert_int_equal(allin1_evaluate(NULL, &rest, &late, &scores, NULL), ALLIN1_ERROR_ARGUMENT);
}

static void harmonix_labels(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"verse", "verse"},        {"Verse 2", "verse"},     {"verse1a", "verse"},
        {"pre-chorus", "verse"},   {"prechorus3", "verse"},  {"preverse", "verse"},
        {"postchorus2", "chorus"}, {"instchorus", "chorus"}, {"chorus_instrumental", "chorus"},
        {"refrain", "chorus"},     {"bridge2", "bridge"},    {"instbridge", "bridge"},
        {"transition2a", "bridge"}, {"breakdown", "break"},  {"break1", "break"},
        {"gtrbreak", "break"},     {"inst2", "inst"},        {"instrumental", "inst"},
        {"gtr2", "inst"},          {"mainriff", "inst"},     {"solo3", "solo"},
        {"guitarsolo", "solo"},    {"intro5", "intro"},      {"fadein", "intro"},
        {"opening", "intro"},      {"rhythmlessintro", "intro"}, {"vocaloutro", "outro"},
        {"outroa", "outro"},       {"end", "end"},           {"start", "start"},
        {"section10", "verse"},    {"raps", "verse"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        const char *found = allin1_harmonix_label(pairs[i][0], 0);
        if (!found || strcmp(found, pairs[i][1]) != 0)
            fail_msg("%s is %s", pairs[i][0], found ? found : "unknown");
    }
    assert_string_equal(allin1_harmonix_label("silence", 1), "start");
    assert_string_equal(allin1_harmonix_label("silence", 0), "end");
    assert_null(allin1_harmonix_label("worstthingever", 0));
    assert_null(allin1_harmonix_label("", 0));
    assert_null(allin1_harmonix_label(NULL, 0));
    for (size_t i = 0; allin1_label(i); i++)
        assert_string_equal(allin1_harmonix_label(allin1_label(i), 0), allin1_label(i));
}

static void accuracy_is_of_the_ten(void **state)
{
    (void)state;
    static const allin1_segment raw[] = {
        {0, 2, "silence", NAN, NULL}, {2, 4, "prechorus", NAN, NULL}, {4, 6, "worstthingever", NAN, NULL},
        {6, 8, "chorus2", NAN, NULL}, {8, 10, "silence", NAN, NULL}};
    static const allin1_segment ten[] = {
        {0, 2, "start", NAN, NULL}, {2, 4, "verse", NAN, NULL}, {4, 6, "verse", NAN, NULL},
        {6, 8, "inst", NAN, NULL},  {8, 10, "end", NAN, NULL}};
    const allin1_annotation a = {
        .has_sections = 1, .section_count = 5, .sections = raw, .tempo = NAN};
    const allin1_annotation b = {
        .has_sections = 1, .section_count = 5, .sections = ten, .tempo = NAN};
    allin1_scores scores;
    assert_int_equal(allin1_evaluate(&a, &b, NULL, &scores, NULL), ALLIN1_OK);
    assert_true(fabs(scores.values[ALLIN1_LABEL_ACCURACY] - (0.6)) < 1e-12);
}

static void means_and_intervals(void **state)
{
    (void)state;
    enum { SONGS = 400 };
    allin1_scores *songs = calloc(SONGS, sizeof *songs);
    allin1_mean means[ALLIN1_MEASURES], again[ALLIN1_MEASURES];
    for (size_t i = 0; i < SONGS; i++) {
        for (size_t m = 0; m < ALLIN1_MEASURES; m++)
            songs[i].values[m] = NAN;
        songs[i].values[0] = i % 4 == 0; /* a share of 1/4 */
        songs[i].values[1] = 0.5;
        songs[i].values[4] = sqrt((double)i / SONGS);
    }
    songs[0].values[2] = 0.75;
    assert_int_equal(allin1_mean_scores(songs, SONGS, 1, means, NULL), ALLIN1_OK);
    assert_int_equal(means[0].count, SONGS);
    assert_true(fabs(means[0].mean - (0.25)) < 1e-12);
    /* The binomial distribution has a deviation of sqrt(0.25 * 0.75 / 400) = 0.02165; 1.96 of them are
     * 0.0424. Of 10,000 resamples a bound is known to about 0.0006. */
    assert_true(fabs(means[0].low - (0.25 - 0.0424)) < 0.004);
    assert_true(fabs(means[0].high - (0.25 + 0.0424)) < 0.004);
    assert_true(means[1].low == 0.5 && means[1].high == 0.5);
    assert_true(means[2].count == 1 && means[2].low == 0.75 && means[2].high == 0.75);
    assert_true(means[3].count == 0 && isnan(means[3].mean) && isnan(means[3].low));
    assert_int_equal(allin1_mean_scores(songs, SONGS, 1, again, NULL), ALLIN1_OK);
    assert_memory_equal(&means[0], &again[0], sizeof means[0]);
    assert_int_equal(allin1_mean_scores(songs, SONGS, 2, again, NULL), ALLIN1_OK);
    assert_true(means[4].low != again[4].low && means[4].high != again[4].high);
    assert_int_equal(allin1_mean_scores(NULL, 0, 1, means, NULL), ALLIN1_OK);
    assert_int_equal(means[0].count, 0);
    free(songs);
}

static void names_of_measures(void **state)
{
    (void)state;
    for (allin1_measure m = 0; m < ALLIN1_MEASURES; m++) {
        assert_true(*allin1_measure_group(m) && *allin1_measure_name(m));
        for (allin1_measure n = 0; n < m; n++)
            assert_false(strcmp(allin1_measure_group(m), allin1_measure_group(n)) == 0 &&
                         strcmp(allin1_measure_name(m), allin1_measure_name(n)) == 0);
    }
    assert_null(allin1_measure_group(ALLIN1_MEASURES));
    assert_null(allin1_measure_name(ALLIN1_MEASURES));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_to_mir_eval),
        cmocka_unit_test(tempo),
        cmocka_unit_test(what_is_missing_has_no_score),
        cmocka_unit_test(harmonix_labels),
        cmocka_unit_test(accuracy_is_of_the_ten),
        cmocka_unit_test(means_and_intervals),
        cmocka_unit_test(names_of_measures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
