/* Sums over all paths: against every path of small models, and what they say about songs. */
#include "support/golden.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "metrical/confidence.h"
#include "metrical/metrical_model.h"
#include "metrical/posterior.h"
#include "tempo/tempo.h"

/* Every path ----------------------------------------------------------------------------------------- */

typedef struct every_path {
    const a1_bar_model *bar;
    const a1_gains *gains;
    size_t states[16];
    double sum, beats[16], downbeats[16];
} every_path;

static void follow(every_path *e, size_t t, size_t state, double value)
{
    const a1_beat_space *space = &e->bar->space;
    if (t == e->gains->frames) {
        e->sum += value;
        for (size_t u = 0; u < t; u++) {
            const size_t beat = e->states[u] / space->beat_states;
            const size_t in_beat = e->states[u] % space->beat_states;
            if (in_beat != space->first[space->interval_of[in_beat]])
                continue;
            e->beats[u] += value;
            e->downbeats[u] += beat == 0 ? value : 0;
        }
        return;
    }
    for (size_t to = 0; to < space->states; to++) {
        for (size_t k = e->bar->transitions.start[to]; k < e->bar->transitions.start[to + 1]; k++) {
            if (e->bar->transitions.source[k] != state)
                continue;
            const size_t beat = to / space->beat_states, in_beat = to % space->beat_states;
            const size_t j = space->interval_of[in_beat];
            const unsigned kind = a1_bar_density(e->bar, beat, j, in_beat - space->first[j]);
            const double gain = kind == A1_DENSITY_NONE   ? 0
                                : kind == A1_DENSITY_BEAT ? e->gains->beat[t]
                                                          : e->gains->downbeat[t];
            e->states[t] = to;
            follow(e, t + 1, to, value * exp(e->bar->transitions.log_probability[k] + gain));
        }
    }
}

/* Some thousand products of doubles: relative errors of 1e-12 leave room. */
static bool close_to(double a, double b)
{
    return fabs(a - b) <= 1e-12 * (fabs(b) + 1e-3);
}

static void sums_over_every_path(void **state)
{
    (void)state;
    uint64_t random = 3;
    for (int run = 0; run < 40; run++) {
        a1_metrical_settings settings;
        a1_metrical_settings_default(&settings);
        settings.num_tempi = 0;
        settings.transition_lambda = run % 4;
        settings.observation_lambda = 1.5 + run % 3;
        a1_bar_model bar;
        const double longest = 2 + run % 3;
        assert_int_equal(a1_bar_model_create(&bar, &settings, 2 + (unsigned)run % 2,
                                             6000 / longest, 6000 / 2.0, NULL),
                         ALLIN1_OK);
        double beat[16], downbeat[16], beats[16], downbeats[16], log_sum, only_sum;
        a1_gains gains = {beat, downbeat, 1 + (size_t)run % 8};
        for (size_t t = 0; t < gains.frames; t++) {
            beat[t] = 4 * (double)test_random(&random);
            downbeat[t] = 4 * (double)test_random(&random);
        }
        every_path all = {.bar = &bar, .gains = &gains};
        for (size_t s = 0; s < bar.space.states; s++)
            follow(&all, 0, s, exp(bar.log_initial));
        assert_int_equal(a1_posterior(&bar, ALLIN1_CPU_SCALAR, &gains, &log_sum, beats, downbeats,
                                      NULL),
                         ALLIN1_OK);
        assert_true(fabs(log_sum - log(all.sum)) < 1e-12 * 100);
        for (size_t t = 0; t < gains.frames; t++) {
            if (!close_to(beats[t], all.beats[t] / all.sum) ||
                !close_to(downbeats[t], all.downbeats[t] / all.sum))
                fail_msg("run %d, frame %zu: %.15g, %.15g instead of %.15g, %.15g", run, t, beats[t],
                         downbeats[t], all.beats[t] / all.sum, all.downbeats[t] / all.sum);
        }
        assert_int_equal(
            a1_posterior(&bar, ALLIN1_CPU_SCALAR, &gains, &only_sum, NULL, NULL, NULL), ALLIN1_OK);
        assert_true(only_sum == log_sum);
        a1_bar_model_destroy(&bar);
    }
}

/* Extreme gains over many chunks: scales neither overflow nor vanish, and at any frame some state is
 * occupied, so that beats come at their tempo. */
static void long_and_extreme(void **state)
{
    (void)state;
    enum { FRAMES = 60000 };
    double *values = malloc(4 * FRAMES * sizeof *values), log_sum;
    assert_non_null(values);
    a1_metrical_settings settings;
    a1_metrical_settings_default(&settings);
    a1_bar_model bar;
    assert_int_equal(a1_bar_model_create(&bar, &settings, 4, 55, 215, NULL), ALLIN1_OK);
    for (size_t t = 0; t < FRAMES; t++) {
        const bool is_beat = t % 50 < 2;
        values[t] = is_beat && t % 200 >= 2 ? 20 : -20;
        values[FRAMES + t] = is_beat && t % 200 < 2 ? 20 : -20;
    }
    const a1_gains gains = {values, values + FRAMES, FRAMES};
    assert_int_equal(a1_posterior(&bar, ALLIN1_CPU_SCALAR, &gains, &log_sum, values + 2 * FRAMES,
                                  values + 3 * FRAMES, NULL),
                     ALLIN1_OK);
    assert_true(isfinite(log_sum));
    double beats = 0, downbeats = 0;
    for (size_t t = 0; t < FRAMES; t++) {
        assert_true(isfinite(values[2 * FRAMES + t]));
        beats += values[2 * FRAMES + t];
        downbeats += values[3 * FRAMES + t];
    }
    assert_true(fabs(beats - FRAMES / 50) < 1 && fabs(downbeats - FRAMES / 200) < 1);
    a1_bar_model_destroy(&bar);
    free(values);
}

/* Songs --------------------------------------------------------------------------------------------- */

enum { FRAMES = 6000 };
static float activations[2 * FRAMES];

/* Beats of `interval` frames, of which every second one has the strength `weak`; between them peaks of
 * the strength `between`. */
static void fill_song(double interval, unsigned beats, double weak, double between)
{
    for (size_t t = 0; t < FRAMES; t++) {
        const double index = rint((double)t / interval * 2), off = (double)t - index * interval / 2;
        const double strength = fmod(index, 2) != 0 ? between : fmod(index, 4) != 0 ? weak : 0.8;
        const double peak = strength * exp(-off * off / 3);
        const bool downbeat = fmod(index, 2 * beats) == 0;
        activations[2 * t] = (float)(downbeat ? 0.01 : peak) + 0.001f;
        activations[2 * t + 1] = (float)(downbeat ? peak : 0.01) + 0.001f;
    }
}

typedef struct song {
    a1_metrical *model;
    a1_beats beats;
    a1_confidences confidences;
} song;

static void weigh_at(song *s, const a1_metrical_settings *settings, allin1_cpu_level level,
                     a1_pool *pool)
{
    const a1_cpu cpu = {.level = level};
    assert_int_equal(a1_metrical_create(&s->model, settings, &cpu, NULL), ALLIN1_OK);
    assert_int_equal(a1_metrical_decode(s->model, pool, activations, FRAMES, &s->beats, NULL),
                     ALLIN1_OK);
    const double bpm = a1_tempo_precise(s->beats.times, s->beats.count);
    assert_int_equal(a1_metrical_confidences(s->model, pool, activations, &s->beats, bpm,
                                             &s->confidences, NULL),
                     ALLIN1_OK);
    for (size_t i = 0; i < s->beats.count; i++) {
        assert_true(s->confidences.beats[i] >= 0 && s->confidences.beats[i] <= 1);
        assert_true(s->confidences.downbeats[i] <= s->confidences.beats[i] + 1e-12);
    }
}

static void weigh(song *s, const a1_metrical_settings *settings, a1_pool *pool)
{
    weigh_at(s, settings, ALLIN1_CPU_SCALAR, pool);
}

static void song_free(song *s)
{
    a1_confidences_free(&s->confidences);
    a1_beats_free(&s->beats);
    a1_metrical_destroy(&s->model);
}

/* A clear song that stops from 25 to 35 s and goes on half a beat off: sure where it sounds, doubtful in
 * the gap, where the beats must move and nothing says when. */
static void a_gap_is_doubtful(void **state)
{
    (void)state;
    a1_metrical_settings settings;
    a1_metrical_settings_default(&settings);
    fill_song(50, 4, 0.8, 0);
    memmove(activations + 2 * 3525, activations + 2 * 3500, (FRAMES - 3525) * 2 * sizeof(float));
    for (size_t t = 2500; t < 3525; t++)
        activations[2 * t] = activations[2 * t + 1] = 0.03f;
    song s;
    weigh(&s, &settings, NULL);
    double least = 1;
    for (size_t i = 0; i < s.beats.count; i++) {
        const double time = s.beats.times[i], sure = s.confidences.beats[i];
        if (time > 3 && (time < 22 || time > 38) && time < 57 && !(sure > 0.9))
            fail_msg("%.3f sure of the beat at %g s", sure, time);
        if (time > 25 && time < 35)
            least = fmin(least, sure);
    }
    if (!(least < 0.75))
        fail_msg("%.3f sure in the gap", least);
    song_free(&s);
}

static void half_and_double(void **state)
{
    (void)state;
    a1_metrical_settings settings;
    a1_metrical_settings_default(&settings);
    static const struct {
        double weak, between;
        int likelier; /* of the alternatives; -1: neither matters */
    } cases[] = {{0.8, 0, -1}, {0.3, 0, 0}, {0.8, 0.3, 1}};
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        settings.min_bpm = 85; /* one octave: what is decoded stays the same */
        settings.max_bpm = 165;
        fill_song(50, 4, cases[c].weak, cases[c].between);
        song s;
        weigh(&s, &settings, NULL);
        const a1_tempo_alternative *half = s.confidences.alternatives, *twice = half + 1;
        assert_true(fabs(half->bpm - 60) < 0.1 && fabs(twice->bpm - 240) < 0.2);
        assert_true(fabs(s.confidences.tempo + half->confidence + twice->confidence - 1) < 1e-12);
        assert_true(s.confidences.tempo > 0.5);
        if (cases[c].likelier < 0 && !(s.confidences.tempo > 0.85))
            fail_msg("only %.3f sure of a plain tempo", s.confidences.tempo);
        if (cases[c].likelier == 0 && !(half->confidence > 2 * twice->confidence))
            fail_msg("half %.3f, double %.3f", half->confidence, twice->confidence);
        if (cases[c].likelier == 1 && !(twice->confidence > 2 * half->confidence))
            fail_msg("half %.3f, double %.3f", half->confidence, twice->confidence);
        song_free(&s);
    }
}

/* Equal bits at every CPU level and for any number of threads, with many metres. */
static void any_level_and_threads(void **state)
{
    (void)state;
    a1_metrical_settings settings;
    a1_metrical_settings_default(&settings);
    settings.metre_count = 4;
    const unsigned beats[] = {2, 5, 7, 12};
    memcpy(settings.beats_per_bar, beats, sizeof beats);
    settings.weights[1] = 0.5;
    fill_song(47, 5, 0.6, 0.2);
    song alone;
    weigh(&alone, &settings, NULL);
    assert_int_equal(alone.beats.beats_per_bar, 5);
    allin1_cpu_level levels[4];
    const size_t level_count = a1_cpu_levels(levels);
    for (size_t run = 0; run < 3 * level_count; run++) {
        a1_pool *pool;
        song s;
        assert_int_equal(a1_pool_create(&pool, 1 + 2 * (unsigned)(run % 3), NULL), ALLIN1_OK);
        weigh_at(&s, &settings, levels[run / 3], pool);
        assert_int_equal(s.beats.count, alone.beats.count);
        const size_t bytes = s.beats.count * sizeof(double);
        assert_memory_equal(s.confidences.beats, alone.confidences.beats, bytes);
        assert_memory_equal(s.confidences.downbeats, alone.confidences.downbeats, bytes);
        assert_memory_equal(s.confidences.alternatives, alone.confidences.alternatives,
                            sizeof s.confidences.alternatives);
        song_free(&s);
        a1_pool_destroy(&pool);
    }
    song_free(&alone);
}

static void nothing_to_weigh(void **state)
{
    (void)state;
    a1_metrical_settings settings;
    a1_metrical_settings_default(&settings);
    song s;
    memset(activations, 0, sizeof activations);
    weigh(&s, &settings, NULL);
    assert_null(s.confidences.beats);
    assert_true(isnan(s.confidences.tempo));
    song_free(&s);
    /* A single beat has no tempo; a song that is impossible everywhere has no beats. */
    activations[1] = activations[2] = 0.9f;
    weigh(&s, &settings, NULL);
    assert_true(s.beats.count <= 1);
    assert_true(isnan(s.confidences.tempo));
    song_free(&s);
    /* Sure of everything: densities outside are minus infinity at each beat. */
    fill_song(50, 3, 0.8, 0);
    for (size_t t = 0; t < FRAMES; t += 50)
        activations[2 * t + (t % 150 == 0)] = 1;
    weigh(&s, &settings, NULL);
    assert_int_equal(s.beats.beats_per_bar, 3);
    assert_true(s.confidences.beats[30] > 0.95);
    song_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_over_every_path), cmocka_unit_test(long_and_extreme),
        cmocka_unit_test(a_gap_is_doubtful),    cmocka_unit_test(half_and_double),
        cmocka_unit_test(any_level_and_threads), cmocka_unit_test(nothing_to_weigh),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
