#include "support/golden.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "metrical/bar_model.h"
#include "metrical/metrical.h"
#include "metrical/viterbi.h"

#define MAX_LEVELS 4

/* One metre with the fast decoder at every CPU level of this machine. */
typedef struct metre {
    a1_bar_model bar;
    a1_fast_model fast[MAX_LEVELS];
    size_t level_count;
} metre;

static void metre_create(metre *m, unsigned beats, double min_interval, double max_interval,
                         unsigned tempi, double transition_lambda, double observation_lambda)
{
    allin1_cpu_level levels[MAX_LEVELS];
    m->level_count = a1_cpu_levels(levels);
    assert_int_equal(
        a1_beat_space_create(&m->bar.space, beats, min_interval, max_interval, tempi, NULL),
        ALLIN1_OK);
    assert_int_equal(
        a1_transitions_create(&m->bar.transitions, &m->bar.space, transition_lambda, NULL),
        ALLIN1_OK);
    assert_int_equal(
        a1_beat_frames_create(&m->bar.beat_frames, &m->bar.space, observation_lambda, NULL),
        ALLIN1_OK);
    m->bar.log_initial = log(1.0 / (double)m->bar.space.states);
    for (size_t l = 0; l < m->level_count; l++)
        assert_int_equal(a1_fast_model_create(&m->fast[l], &m->bar, levels[l], NULL), ALLIN1_OK);
}

static void metre_destroy(metre *m)
{
    for (size_t l = 0; l < m->level_count; l++)
        a1_fast_model_destroy(&m->fast[l]);
    a1_beat_space_destroy(&m->bar.space);
    a1_transitions_destroy(&m->bar.transitions);
    free(m->bar.beat_frames);
}

typedef struct observed {
    double *column[A1_DENSITIES];
    a1_densities densities;
    size_t frames;
} observed;

enum { SMOOTH, TIES, GAPS, CONSTANT, ZERO, SATURATED, BLOCKED, ROUNDED, FLOATS, SURE, RISING, KINDS };

static double draw(int kind, uint64_t *random)
{
    const double value = (double)test_random(random);
    switch (kind) {
    case TIES:
        return -0.5 * floor(2 + 2 * value);
    case GAPS:
        return value > 0.9 ? -INFINITY : -3 + 3 * value;
    case CONSTANT:
        return -0.3;
    case ZERO:
        return 0;
    case FLOATS: /* as the decoder gets them: their sums are exact within a power of two */
        return (double)(float)(-9 + 8.9 * value);
    case RISING: /* activations above 1: values pass zero, too */
        return (double)(float)(4 * value);
    case SURE:
        return (double)(float)-pow(2, -2 - 20 * fabs(value));
    default:
        return -4 + 4 * value;
    }
}

static void observe(observed *o, size_t frames, int kind, uint64_t *random)
{
    o->frames = frames;
    for (size_t c = 0; c < A1_DENSITIES; c++) {
        o->column[c] = calloc(frames + A1_DENSITY_PADDING, sizeof(double));
        assert_non_null(o->column[c]);
        for (size_t t = 0; t < frames; t++) {
            o->column[c][t] = draw(kind, random);
            /* The network is sure of a beat: no state but those of the beat range lives on. */
            if (kind == SATURATED && c == A1_DENSITY_NONE && t % 37 == 5)
                o->column[c][t] = -INFINITY;
            /* So large that sums which differed before are equal after it. */
            if (kind == ROUNDED && t + 1 == frames)
                o->column[c][t] = -1e20;
            /* From here on the values are too large for the last bits of the others. */
            if (kind == SURE && t == frames / 3)
                o->column[c][t] = -500;
            if (kind == BLOCKED && t == frames / 2)
                o->column[c][t] = -INFINITY;
        }
        o->densities.column[c] = o->column[c];
    }
}

static void observed_free(observed *o)
{
    for (size_t c = 0; c < A1_DENSITIES; c++)
        free(o->column[c]);
}

static double run_plain(const metre *m, const observed *o, uint32_t *path)
{
    a1_arena arena;
    assert_int_equal(
        a1_arena_create(&arena, a1_viterbi_plain_cost(&m->bar, o->frames), "a test", NULL),
        ALLIN1_OK);
    const double result = a1_viterbi_plain(&m->bar, &o->densities, o->frames, &arena, path);
    a1_arena_destroy(&arena);
    return result;
}

/* The fast decoder at each level, in one chunk and in as many as there can be, against the plain
 * one: bits of the log probability and every state. */
static void compare_decoders(const char *what, const metre *m, const observed *o)
{
    uint32_t *expected = calloc(o->frames, sizeof *expected);
    uint32_t *path = calloc(o->frames, sizeof *path);
    assert_non_null(expected);
    assert_non_null(path);
    const double log_probability = run_plain(m, o, expected);
    for (size_t l = 0; l < m->level_count; l++) {
        for (size_t history = 0; history <= A1_ENTRY_HISTORY_BYTES;
             history += A1_ENTRY_HISTORY_BYTES) {
            a1_arena arena;
            const size_t cost = a1_viterbi_fast_cost(&m->fast[l], o->frames, history);
            assert_int_equal(a1_arena_create(&arena, cost, "a test", NULL), ALLIN1_OK);
            memset(path, 0, o->frames * sizeof *path);
            const double found =
                a1_viterbi_fast(&m->fast[l], &o->densities, o->frames, history, &arena, path);
            assert_true(arena.peak <= cost);
            a1_arena_destroy(&arena);
            if (memcmp(&found, &log_probability, sizeof found) != 0)
                fail_msg("%s: level %zu, history %zu: %.17g where %.17g was expected", what, l,
                         history, found, log_probability);
            for (size_t t = 0; t < o->frames; t++)
                if (path[t] != expected[t])
                    fail_msg(
                        "%s: level %zu, history %zu: state %u at frame %zu of %zu where %u was "
                        "expected",
                        what, l, history, path[t], t, o->frames, expected[t]);
        }
    }
    free(path);
    free(expected);
}

/* Every path of a small model, its value summed in the decoders' order. */
static double best_of_all(const a1_bar_model *bar, const observed *o, size_t t, size_t state,
                          double value)
{
    if (t == o->frames)
        return value;
    double best = -INFINITY;
    for (size_t to = 0; to < bar->space.states; to++) {
        for (size_t k = bar->transitions.start[to]; k < bar->transitions.start[to + 1]; k++) {
            if (bar->transitions.source[k] != state)
                continue;
            const size_t beat = to / bar->space.beat_states, in_beat = to % bar->space.beat_states;
            const size_t j = bar->space.interval_of[in_beat];
            const unsigned kind = a1_bar_density(bar, beat, j, in_beat - bar->space.first[j]);
            const double after = value + bar->transitions.log_probability[k] + o->column[kind][t];
            best = fmax(best, best_of_all(bar, o, t + 1, to, after));
        }
    }
    return best;
}

static void test_plain_is_best(void **state)
{
    (void)state;
    uint64_t random = 1;
    for (int run = 0; run < 24; run++) {
        metre m;
        observed o;
        metre_create(&m, 2 + (unsigned)run % 2, 2, 2 + run % 3, 0, 0.5 * (run % 4), 2 + run % 3);
        observe(&o, 1 + (size_t)run % 9, run % KINDS, &random);
        double best = -INFINITY;
        for (size_t s = 0; s < m.bar.space.states; s++)
            best = fmax(best, best_of_all(&m.bar, &o, 0, s, m.bar.log_initial));
        uint32_t path[16];
        assert_true(run_plain(&m, &o, path) == best);
        compare_decoders("small", &m, &o);
        observed_free(&o);
        metre_destroy(&m);
    }
}

/* 300 random models and observations, adversarial ones among them. */
static void test_fast_is_plain(void **state)
{
    (void)state;
    uint64_t random = 20;
    for (int run = 0; run < 300; run++) {
        const unsigned beats = 2 + (unsigned)run % 11;
        const double shortest = 1 + (run * 7) % 40;
        const double longest = shortest + (run * 13) % 60;
        const unsigned tempi = run % 3 ? 1 + (unsigned)run % 17 : 0;
        const double change[] = {100, 20, 300, 0, 5}, part[] = {16, 8, 3, 1.25, 33.5};
        metre m;
        observed o;
        metre_create(&m, beats, shortest, longest, tempi, change[run % 5], part[run / 5 % 5]);
        observe(&o, 1 + (size_t)(run * 31) % 700, run % KINDS, &random);
        char what[64];
        snprintf(what, sizeof what, "run %d", run);
        compare_decoders(what, &m, &o);
        observed_free(&o);
        metre_destroy(&m);
    }
}

/* The default models, long enough for several chunks. */
static void test_fast_is_plain_default(void **state)
{
    (void)state;
    uint64_t random = 30;
    for (unsigned beats = 3; beats <= 4; beats++) {
        metre m;
        metre_create(&m, beats, 60.0 * 100 / 215, 60.0 * 100 / 55, 60, 100, 16);
        for (int kind = 0; kind < KINDS; kind++) {
            const size_t lengths[] = {1, 2, 27, 28, 29, 108, 109, 110, 1200};
            for (size_t l = 0; l < sizeof lengths / sizeof *lengths; l++) {
                observed o;
                observe(&o, lengths[l], kind, &random);
                compare_decoders("default", &m, &o);
                observed_free(&o);
            }
        }
        metre_destroy(&m);
    }
}

static void test_state_space(void **state)
{
    (void)state;
    a1_error err;
    a1_beat_space space;
    /* Every interval when none are asked for or as many as there are. */
    for (unsigned wanted = 0; wanted <= 20; wanted += 10) {
        assert_int_equal(a1_beat_space_create(&space, 4, 9.6, 19.4, wanted, &err), ALLIN1_OK);
        assert_int_equal(space.interval_count, 10);
        assert_int_equal(space.intervals[0], 10);
        assert_int_equal(space.intervals[9], 19);
        assert_int_equal(space.beat_states, 145);
        assert_int_equal(space.states, 580);
        a1_beat_space_destroy(&space);
    }
    assert_int_equal(a1_beat_space_create(&space, 2, 20, 80, 3, &err), ALLIN1_OK);
    assert_int_equal(space.interval_count, 3);
    assert_int_equal(space.intervals[1], 40); /* the geometric mean */
    a1_beat_space_destroy(&space);
    assert_int_equal(a1_beat_space_create(&space, 2, 20, 80, 1, &err), ALLIN1_OK);
    assert_int_equal(space.interval_count, 1);
    assert_int_equal(space.intervals[0], 20);
    a1_beat_space_destroy(&space);
    const double wrong[][2] = {{0.4, 10}, {10, 9}, {NAN, 5}, {5, NAN}, {1, 2049}, {-3, 4}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(a1_beat_space_create(&space, 2, wrong[i][0], wrong[i][1], 0, &err),
                         ALLIN1_ERROR_ARGUMENT);
    assert_int_equal(a1_beat_space_create(&space, 2, 1, 2000, 0, &err), ALLIN1_ERROR_ARGUMENT);
    assert_int_equal(a1_beat_space_create(&space, 2, 1, 2000, 1500, &err), ALLIN1_ERROR_ARGUMENT);
}

/* Probabilities of leaving a state sum to 1; the sum of up to 60 doubles is within some ulp. */
static void test_transitions(void **state)
{
    (void)state;
    metre m;
    metre_create(&m, 3, 27.9, 109.1, 60, 100, 16);
    double *leaving = calloc(m.bar.space.states, sizeof *leaving);
    assert_non_null(leaving);
    for (size_t k = 0; k < m.bar.transitions.count; k++)
        leaving[m.bar.transitions.source[k]] += exp(m.bar.transitions.log_probability[k]);
    for (size_t s = 0; s < m.bar.space.states; s++)
        assert_true(fabs(leaving[s] - 1) < 1e-13);
    free(leaving);
    metre_destroy(&m);
}

/* Where interval / lambda is whole, the reference's rounding of beat + fraction decides whether the
 * frame on the border counts; figures from numpy. With lambda 16 it never matters. */
static void test_beat_frames(void **state)
{
    (void)state;
    static const struct {
        unsigned lambda, interval, beat, frames;
    } cases[] = {{3, 3, 0, 1},  {3, 3, 1, 2},  {3, 3, 2, 1},   {3, 3, 3, 1},  {3, 3, 4, 2},
                 {3, 6, 0, 2},  {3, 6, 7, 3},  {3, 9, 4, 4},   {3, 9, 2, 3},  {3, 12, 5, 5},
                 {3, 12, 6, 5}, {3, 12, 3, 4}, {16, 32, 7, 2}, {16, 33, 7, 3}};
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        a1_beat_space space;
        unsigned *frames;
        assert_int_equal(
            a1_beat_space_create(&space, 12, cases[c].interval, cases[c].interval, 0, NULL),
            ALLIN1_OK);
        assert_int_equal(a1_beat_frames_create(&frames, &space, cases[c].lambda, NULL), ALLIN1_OK);
        if (frames[cases[c].beat] != cases[c].frames)
            fail_msg("case %zu: %u frames where %u were expected", c, frames[cases[c].beat],
                     cases[c].frames);
        free(frames);
        a1_beat_space_destroy(&space);
    }
}

static void test_densities(void **state)
{
    (void)state;
    const float activations[] = {0.25f, 0.125f, 0, 1, 0.5f, 0.5f, 1, 0.5f, -0.5f, 0.25f};
    double none[5], beat[5], downbeat[5];
    a1_log_densities(activations, 5, 16, none, beat, downbeat);
    assert_true(none[0] == (double)(float)log((double)(0.625f / 15.0f)));
    assert_true(beat[0] == (double)(float)log(0.25));
    assert_true(downbeat[0] == (double)(float)log(0.125));
    assert_true(none[1] == -INFINITY && beat[1] == -INFINITY && downbeat[1] == 0);
    assert_true(none[2] == -INFINITY);
    assert_true(none[3] == -INFINITY && beat[3] == 0); /* 1 - 1.5 has no logarithm */
    assert_true(beat[4] == -INFINITY);
}

static a1_metrical *create(const a1_metrical_settings *settings)
{
    a1_cpu cpu;
    a1_error err;
    a1_metrical *model;
    assert_int_equal(a1_cpu_select(&cpu, ALLIN1_CPU_AUTO, &err), ALLIN1_OK);
    if (a1_metrical_create(&model, settings, &cpu, &err) != ALLIN1_OK)
        fail_msg("%s", err.message);
    return model;
}

/* Bumps at every beat, the first of `beats` a downbeat. */
static void fill_song(float *activations, size_t frames, unsigned beats, double interval)
{
    for (size_t t = 0; t < frames; t++) {
        const double index = rint((double)t / interval), off = (double)t - index * interval;
        const double peak = 0.9 * exp(-off * off / 3);
        const bool downbeat = fmod(index, beats) == 0;
        activations[2 * t] = (float)(downbeat ? 0.01 : peak) + 0.001f;
        activations[2 * t + 1] = (float)(downbeat ? peak : 0.01) + 0.001f;
    }
}

/* Every metre is found in its own music, for several frame rates and tempo settings. */
static void test_metres(void **state)
{
    (void)state;
    enum { FRAMES = 4000 };
    float *activations = malloc(2 * FRAMES * sizeof *activations);
    assert_non_null(activations);
    for (unsigned beats = 2; beats <= 12; beats++) {
        a1_metrical_settings settings;
        a1_metrical_settings_default(&settings);
        settings.metre_count = 3;
        settings.beats_per_bar[0] = beats == 2 ? 5 : beats - 1;
        settings.beats_per_bar[1] = beats == 12 ? 7 : beats + 1;
        settings.beats_per_bar[2] = beats;
        settings.fps = beats % 2 ? 100 : 50;
        settings.num_tempi = beats % 3 ? 60 : 0; /* both have the interval of the music */
        a1_metrical *model = create(&settings);
        const double interval = settings.fps * 60 / 100;
        fill_song(activations, FRAMES, beats, interval);
        a1_beats found;
        assert_int_equal(a1_metrical_decode(model, NULL, activations, FRAMES, &found, NULL),
                         ALLIN1_OK);
        assert_int_equal(found.beats_per_bar, beats);
        assert_int_equal(found.count, (size_t)((FRAMES - 1) / interval) + 1);
        for (size_t i = 0; i < found.count; i++) {
            if (found.times[i] != rint((double)i * interval) / settings.fps)
                fail_msg("%u: beat %zu at %g", beats, i, found.times[i] * settings.fps);
            assert_int_equal(found.positions[i], i % beats + 1);
        }
        a1_beats_free(&found);
        a1_metrical_destroy(&model);
    }
    free(activations);
}

static void assert_same_beats(const a1_beats *a, const a1_beats *b)
{
    assert_int_equal(a->count, b->count);
    assert_int_equal(a->beats_per_bar, b->beats_per_bar);
    assert_int_equal(a->first_frame, b->first_frame);
    assert_int_equal(a->decoded_frames, b->decoded_frames);
    assert_memory_equal(a->log_probability, b->log_probability, sizeof a->log_probability);
    if (a->count) {
        assert_memory_equal(a->times, b->times, a->count * sizeof *a->times);
        assert_memory_equal(a->positions, b->positions, a->count * sizeof *a->positions);
    }
}

/* A weight is added to the log-probability as its logarithm, and decides when it is large enough. */
static void test_weights(void **state)
{
    (void)state;
    enum { FRAMES = 500 };
    static float activations[2 * FRAMES];
    a1_metrical_settings settings;
    a1_metrical_settings_default(&settings);
    a1_beats even, weighted;
    /* All beats alike: nothing in the music tells the metres apart but their number of states. */
    for (size_t t = 0; t < FRAMES; t++)
        activations[2 * t] = activations[2 * t + 1] = t % 50 < 2 ? 0.45f : 0.01f;
    a1_metrical *model = create(&settings);
    assert_int_equal(a1_metrical_decode(model, NULL, activations, FRAMES, &even, NULL), ALLIN1_OK);
    a1_metrical_destroy(&model);
    const size_t other = even.beats_per_bar == 3 ? 1 : 0;
    const double lead = even.log_probability[1 - other] - even.log_probability[other];
    assert_true(lead > 0 && lead < 5);
    for (int above = 0; above <= 1; above++) {
        settings.weights[other] = exp(lead + (above ? 0.01 : -0.01));
        model = create(&settings);
        assert_int_equal(a1_metrical_decode(model, NULL, activations, FRAMES, &weighted, NULL),
                         ALLIN1_OK);
        assert_true((weighted.beats_per_bar == even.beats_per_bar) == !above);
        assert_true(weighted.log_probability[other] ==
                    even.log_probability[other] + log(settings.weights[other]));
        assert_true(weighted.log_probability[1 - other] == even.log_probability[1 - other]);
        a1_beats_free(&weighted);
        a1_metrical_destroy(&model);
    }
    a1_beats_free(&even);
}

/* One thread, two, and more than there are metres; with and without moving beats to their peak. */
static void test_threads(void **state)
{
    (void)state;
    enum { FRAMES = 1500 };
    static float activations[2 * FRAMES];
    uint64_t random = 8;
    for (size_t metres = 1; metres <= A1_MAX_METRES; metres++) {
        a1_metrical_settings settings;
        a1_metrical_settings_default(&settings);
        settings.metre_count = metres;
        settings.num_tempi = 20;
        settings.correct = metres % 2;
        settings.min_bpm = metres % 3 ? 55 : 20;
        settings.max_bpm = metres % 4 ? 215 : 600;
        settings.transition_lambda = metres % 5 ? 100 : 12.5;
        settings.weights[metres - 1] = 1 + 0.25 * (double)metres;
        for (size_t m = 0; m < metres; m++)
            settings.beats_per_bar[m] = 2 + (unsigned)(m * 5 % 11);
        a1_metrical *model = create(&settings);
        for (size_t i = 0; i < 2 * FRAMES; i++)
            activations[i] = 0.25f + 0.24f * test_random(&random);
        a1_beats plain, fast;
        assert_int_equal(a1_metrical_decode_plain(model, activations, FRAMES, &plain, NULL),
                         ALLIN1_OK);
        assert_true(plain.count > 10);
        for (unsigned threads = 1; threads <= 5; threads += 1 + threads / 2) {
            a1_pool *pool;
            assert_int_equal(a1_pool_create(&pool, threads, NULL), ALLIN1_OK);
            assert_int_equal(a1_metrical_decode(model, pool, activations, FRAMES, &fast, NULL),
                             ALLIN1_OK);
            assert_same_beats(&plain, &fast);
            a1_beats_free(&fast);
            a1_pool_destroy(&pool);
        }
        a1_beats_free(&plain);
        a1_metrical_destroy(&model);
    }
}

static void test_threshold(void **state)
{
    (void)state;
    enum { FRAMES = 300 };
    static float activations[2 * FRAMES];
    a1_metrical_settings settings;
    a1_metrical_settings_default(&settings);
    a1_metrical *model = create(&settings);
    a1_beats beats;
    struct {
        size_t first, last;
        size_t start, length;
    } cases[] = {{0, 0, 0, 0},     {1, 1, 1, 1},       {0, 1, 0, 2},
                 {0, 299, 0, 300}, {299, 299, 299, 1}, {40, 200, 40, 161}};
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        memset(activations, 0, sizeof activations);
        activations[2 * cases[c].first] = 0.24f; /* the float next to 0.24 reaches it */
        activations[2 * cases[c].last + 1] = 0.25f;
        assert_int_equal(a1_metrical_decode(model, NULL, activations, FRAMES, &beats, NULL),
                         ALLIN1_OK);
        assert_int_equal(beats.first_frame, cases[c].start);
        assert_int_equal(beats.decoded_frames, cases[c].length);
        a1_beats_free(&beats);
    }
    assert_int_equal(a1_metrical_decode(model, NULL, NULL, 0, &beats, NULL), ALLIN1_OK);
    assert_int_equal(beats.count, 0);
    assert_true(beats.log_probability[0] == -INFINITY);
    a1_metrical_destroy(&model);

    /* No threshold: everything is decoded unless everything is 0. */
    settings.threshold = 0;
    model = create(&settings);
    memset(activations, 0, sizeof activations);
    assert_int_equal(a1_metrical_decode(model, NULL, activations, FRAMES, &beats, NULL), ALLIN1_OK);
    assert_int_equal(beats.decoded_frames, 0);
    activations[400] = 0.1f;
    assert_int_equal(a1_metrical_decode(model, NULL, activations, FRAMES, &beats, NULL), ALLIN1_OK);
    assert_int_equal(beats.first_frame, 0);
    assert_int_equal(beats.decoded_frames, FRAMES);
    a1_beats_free(&beats);
    a1_metrical_destroy(&model);
}

/* No path at all: the frame in the middle is impossible in every state. */
static void test_impossible(void **state)
{
    (void)state;
    static float activations[2 * 99];
    a1_metrical_settings settings;
    a1_metrical_settings_default(&settings);
    a1_metrical *model = create(&settings);
    for (size_t i = 0; i < 2 * 99; i++)
        activations[i] = 0.3f;
    activations[100] = -1;
    activations[101] = 2.5f; /* possible in the downbeat range only ... */
    a1_beats beats;
    assert_int_equal(a1_metrical_decode(model, NULL, activations, 99, &beats, NULL), ALLIN1_OK);
    assert_true(beats.count > 0);
    a1_beats_free(&beats);
    activations[101] = -1;
    activations[100] = -1;
    activations[102] = activations[103] = 0.5f; /* none impossible at 51, all but none at 50 */
    assert_int_equal(a1_metrical_decode(model, NULL, activations, 99, &beats, NULL), ALLIN1_OK);
    assert_true(beats.count > 0);
    a1_beats_free(&beats);
    activations[100] = 2;
    activations[101] = -1; /* a beat at 50 and a downbeat at 51 */
    activations[102] = -1;
    activations[103] = 2;
    assert_int_equal(a1_metrical_decode(model, NULL, activations, 99, &beats, NULL), ALLIN1_OK);
    assert_int_equal(beats.count, 0);
    assert_int_equal(beats.beats_per_bar, 0);
    assert_int_equal(beats.decoded_frames, 99);
    for (size_t m = 0; m < 2; m++)
        assert_true(beats.log_probability[m] == -INFINITY);
    a1_beats_free(&beats);
    a1_metrical_destroy(&model);
}

static void test_arguments(void **state)
{
    (void)state;
    a1_error err;
    a1_metrical *model;
    a1_metrical_settings good, bad;
    a1_metrical_settings_default(&good);
#define REFUSED(assignment, word)                                                                  \
    do {                                                                                           \
        bad = good;                                                                                \
        bad.assignment;                                                                            \
        memset(&err, 0, sizeof err);                                                               \
        assert_int_equal(a1_metrical_create(&model, &bad, NULL, &err), ALLIN1_ERROR_ARGUMENT);     \
        assert_null(model);                                                                        \
        assert_non_null(strstr(err.message, word));                                                \
    } while (0)
    REFUSED(fps = 0, "frames a second");
    REFUSED(fps = NAN, "frames a second");
    REFUSED(fps = INFINITY, "frames a second");
    REFUSED(min_bpm = 0, "tempo range");
    REFUSED(min_bpm = NAN, "tempo range");
    REFUSED(max_bpm = 54, "tempo range");
    REFUSED(max_bpm = INFINITY, "tempo range");
    REFUSED(min_bpm = 1, "frames");     /* 6,000 frames */
    REFUSED(max_bpm = 20000, "frames"); /* 0.3 frames */
    REFUSED(metre_count = 0, "metres");
    REFUSED(metre_count = A1_MAX_METRES + 1, "metres");
    REFUSED(beats_per_bar[1] = 1, "beats a bar");
    REFUSED(beats_per_bar[0] = 13, "beats a bar");
    REFUSED(weights[1] = 0, "weight");
    REFUSED(weights[0] = NAN, "weight");
    REFUSED(weights[0] = INFINITY, "weight");
    REFUSED(transition_lambda = -1, "transition lambda");
    REFUSED(transition_lambda = INFINITY, "transition lambda");
    REFUSED(observation_lambda = 1, "observation lambda");
    REFUSED(observation_lambda = NAN, "observation lambda");
    REFUSED(threshold = -0.1, "threshold");
    REFUSED(threshold = NAN, "threshold");
#undef REFUSED
    a1_metrical_destroy(&model);

    assert_int_equal(a1_metrical_create(&model, &good, NULL, &err), ALLIN1_OK);
    float activations[20];
    a1_beats beats;
    const float wild[] = {NAN, INFINITY, -INFINITY};
    for (size_t w = 0; w < 3; w++) {
        for (size_t i = 0; i < 20; i++)
            activations[i] = 0.4f;
        activations[9] = wild[w];
        assert_int_equal(a1_metrical_decode(model, NULL, activations, 10, &beats, &err),
                         ALLIN1_ERROR_ARGUMENT);
        assert_non_null(strstr(err.message, "downbeat activation of frame 4"));
        assert_null(beats.times);
    }
    assert_int_equal(a1_metrical_decode(model, NULL, activations, (size_t)-1, &beats, &err),
                     ALLIN1_ERROR_ARGUMENT);
    a1_metrical_destroy(&model);
    assert_null(model);
    a1_metrical_destroy(&model);
}

static void test_activations(void **state)
{
    (void)state;
    const float beat[] = {0, 20, -20, 3, NAN}, downbeat[] = {0, -20, 20, 3, 0};
    float out[10];
    a1_metrical_activations(beat, downbeat, 5, out);
    assert_true(out[0] == 1e-8f / 1.0f && out[1] == 0.5f); /* sum is 1e-8 + 0.5 + 0.5 = 1 */
    assert_true(out[2] > 0.66f && out[3] < 1e-8f);
    assert_true(out[4] < 1e-7f && out[5] > 0.66f);
    assert_true(out[6] < 1e-7f && out[7] > 0.9f);
    assert_true(isnan(out[8])); /* and the decoder refuses it */
}

#if defined(__has_feature)
#define HAS_FEATURE(name) __has_feature(name)
#else
#define HAS_FEATURE(name) 0
#endif

/* A child that may not have the memory: it must say so and leave nothing behind. */
static void test_memory(void **state)
{
    (void)state;
#if defined(__SANITIZE_ADDRESS__) || HAS_FEATURE(address_sanitizer)
    print_message("[ NOTE     ] skipped: the sanitizer needs the address space\n");
    skip();
#endif
    enum { FRAMES = 60000, NO_LIMITS = 77 };
    float *activations = malloc(2 * FRAMES * sizeof *activations);
    assert_non_null(activations);
    fill_song(activations, FRAMES, 4, 50);
    a1_metrical_settings settings;
    a1_metrical_settings_default(&settings);
    a1_metrical *model = create(&settings);
    const pid_t child = fork();
    if (child == 0) {
        a1_error err = {0};
        a1_beats beats;
        unsigned long pages = 0;
        FILE *statm = fopen("/proc/self/statm", "r");
        if (!statm || fscanf(statm, "%lu", &pages) != 1)
            _exit(3);
        fclose(statm);
        const rlim_t limit = pages * (rlim_t)sysconf(_SC_PAGESIZE) + ((rlim_t)16 << 20);
        const struct rlimit limits = {limit, limit};
        if (setrlimit(RLIMIT_AS, &limits) != 0)
            _exit(4);
        /* Emulators take the limit and do not keep it. */
        void *more = malloc((size_t)1 << 30);
        if (more)
            _exit(NO_LIMITS);
        const allin1_status status =
            a1_metrical_decode(model, NULL, activations, FRAMES, &beats, &err);
        _exit(status == ALLIN1_ERROR_MEMORY && strstr(err.message, "beat decoder") &&
                      !beats.times && beats.count == 0
                  ? 0
                  : 1);
    }
    int result;
    assert_true(waitpid(child, &result, 0) == child);
    a1_metrical_destroy(&model);
    free(activations);
    assert_true(WIFEXITED(result));
    if (WEXITSTATUS(result) == NO_LIMITS) {
        print_message("[ NOTE     ] skipped: memory cannot be limited here\n");
        skip();
    }
    assert_int_equal(WEXITSTATUS(result), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain_is_best),
        cmocka_unit_test(test_fast_is_plain),
        cmocka_unit_test(test_fast_is_plain_default),
        cmocka_unit_test(test_state_space),
        cmocka_unit_test(test_transitions),
        cmocka_unit_test(test_beat_frames),
        cmocka_unit_test(test_densities),
        cmocka_unit_test(test_metres),
        cmocka_unit_test(test_weights),
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_threshold),
        cmocka_unit_test(test_impossible),
        cmocka_unit_test(test_arguments),
        cmocka_unit_test(test_activations),
        cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
