/* The bundled song through the whole program, from its sound alone, against its truth. */
#include "support/golden.h"

#include "support/demo_song.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static char weights[4096], cache[4096];

/* The sandbox hides this machine's weights; these show them again. */
static program_setting with_weights(const char *const environment[3])
{
    const char *given = getenv("ALLIN1_WEIGHTS"), *xdg = getenv("XDG_CACHE_HOME"),
               *home = getenv("HOME");
    if (given && *given)
        snprintf(weights, sizeof weights, "ALLIN1_WEIGHTS=%s", given);
    else
        snprintf(weights, sizeof weights, "ALLIN1_WEIGHTS=%s/weights", test_shared_dir());
    /* The program runs in the sandbox, where a relative path would lead elsewhere. */
    char *absolute = realpath(weights + strlen("ALLIN1_WEIGHTS="), NULL);
    if (absolute)
        snprintf(weights, sizeof weights, "ALLIN1_WEIGHTS=%s", absolute);
    free(absolute);
    if (xdg && *xdg)
        snprintf(cache, sizeof cache, "XDG_CACHE_HOME=%s", xdg);
    else
        snprintf(cache, sizeof cache, "XDG_CACHE_HOME=%s/.cache", home ? home : "");
    return (program_setting){.environment = environment};
}

static void need_model(const program_setting *setting, const char *name)
{
    program_outcome found =
        program_run(setting, (const char *const[]){"models", "path", name, NULL});
    const int status = found.status;
    program_free(&found);
    if (status == 3) {
        print_message("[ NOTE     ] skipped: the weights of %s are not there\n", name);
        skip();
    }
    assert_int_equal(status, 0);
}

static double f_measure(const double *found, size_t found_count, const double *truth,
                        size_t truth_count, double window)
{
    /* Both ascend and lie further apart than twice the window, so matching in order is the best. */
    size_t hits = 0;
    for (size_t i = 0, j = 0; i < found_count && j < truth_count;) {
        if (fabs(found[i] - truth[j]) <= window) {
            hits++;
            i++;
            j++;
        } else if (found[i] < truth[j]) {
            i++;
        } else {
            j++;
        }
    }
    return 2.0 * (double)hits / (double)(found_count + truth_count);
}

static size_t read_list(const json_t *root, const char *key, double *values)
{
    const json_t *list = json_object_get(root, key);
    assert_true(json_is_array(list) && json_array_size(list) <= DEMO_MAX_BEATS);
    for (size_t i = 0; i < json_array_size(list); i++)
        values[i] = json_number_value(json_array_get(list, i));
    return json_array_size(list);
}

static void check_beats(const json_t *result, const demo_truth *truth)
{
    static double beats[DEMO_MAX_BEATS], downbeats[DEMO_MAX_BEATS];
    const size_t beat_count = read_list(result, "beats", beats);
    const size_t downbeat_count = read_list(result, "downbeats", downbeats);
    const double beat_f = f_measure(beats, beat_count, truth->beats, truth->beat_count, 0.07);
    const double downbeat_f =
        f_measure(downbeats, downbeat_count, truth->downbeats, truth->downbeat_count, 0.07);
    const double tempo = json_number_value(json_object_get(result, "tempo"));
    print_message("beats F %.3f, downbeats F %.3f, tempo %.3f (true %.0f)\n", beat_f, downbeat_f,
                  tempo, truth->tempo);
    /* 70 ms is the window that beat trackers are compared with; the last bars fade away, so that
     * some beats cannot be heard. */
    assert_true(beat_f >= 0.95);
    assert_true(downbeat_f >= 0.95);
    assert_true(fabs(tempo - truth->tempo) < 0.1);
    assert_int_equal(json_integer_value(json_object_get(result, "bpm")), lround(truth->tempo));
}

/* Seconds of the song in which the found label is the true one, and the worst boundary. */
static void check_sections(const json_t *result, const demo_truth *truth)
{
    const json_t *segments = json_object_get(result, "segments");
    double right = 0;
    for (size_t i = 0; i < truth->section_count; i++) {
        const demo_section *section = &truth->sections[i];
        double nearest = HUGE_VAL;
        for (size_t k = 0; k < json_array_size(segments); k++) {
            const json_t *found = json_array_get(segments, k);
            const double start = json_number_value(json_object_get(found, "start"));
            const double end = json_number_value(json_object_get(found, "end"));
            nearest = fmin(nearest, fabs(start - section->start));
            const char *label = json_string_value(json_object_get(found, "label"));
            assert_non_null(label);
            if (strcmp(label, section->label) == 0)
                right += fmax(0, fmin(end, section->end) - fmax(start, section->start));
        }
        /* Half a second is the strict window of section boundaries in the literature. */
        if (nearest > 0.5)
            fail_msg("the %s at %.2f s is missed by %.2f s", section->label, section->start,
                     nearest);
    }
    print_message("labels right for %.1f of %.1f s, %zu sections (true %zu)\n", right,
                  truth->duration, json_array_size(segments), truth->section_count);
    /* Labels are a matter of taste more than boundaries are: one section may be called otherwise.
     */
    assert_true(right / truth->duration > 0.8);
    assert_in_range(json_array_size(segments), truth->section_count, truth->section_count + 2);
}

static void finds_the_true_structure(void **state)
{
    (void)state;
    const char *const environment[3] = {weights, cache, NULL};
    const program_setting setting = with_weights(environment);
    need_model(&setting, "harmonix-all");
    need_model(&setting, "htdemucs");
    program_outcome rendered = demo_run((const char *const[]){"song.wav", "truth.json", NULL});
    program_expect(&rendered, 0);
    program_free(&rendered);
    program_outcome outcome =
        program_run(&setting, (const char *const[]){"-q", "-m", "harmonix-all", "-o", "results", "song.wav", NULL});
    program_expect(&outcome, 0);
    program_free(&outcome);

    const demo_truth truth = demo_read_truth("truth.json");
    json_error_t error;
    json_t *result = json_load_file(sandbox_path("results/song.json"), 0, &error);
    if (!result)
        fail_msg("results/song.json: %s", error.text);
    check_beats(result, &truth);
    check_sections(result, &truth);
    json_decref(result);

    program_outcome shown = program_run(
        NULL, (const char *const[]){"show", "--color", "never", "results/song.json", NULL});
    program_expect(&shown, 0);
    expect_text(shown.out, "4/4");
    expect_text(shown.out, "chorus");
    program_free(&shown);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(finds_the_true_structure)};
    return cmocka_run_group_tests(tests, sandbox_set_up, sandbox_clean_up);
}
