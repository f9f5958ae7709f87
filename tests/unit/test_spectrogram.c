/* The spectrogram's two backends against each other, against what can be worked out by hand, and
 * against themselves with other numbers of threads. The golden test compares them with madmom. */
#include "support/golden.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "spectrogram/spectrogram.h"

#define HALF (A1_SPEC_WINDOW / 2)

static a1_spectrogram *open_plan(a1_spectrogram_backend backend, allin1_cpu_level level)
{
    a1_cpu cpu;
    a1_spectrogram *plan;
    assert_int_equal(a1_cpu_select(&cpu, level, NULL), ALLIN1_OK);
    assert_int_equal(a1_spectrogram_create(&plan, backend, &cpu, NULL), ALLIN1_OK);
    return plan;
}

/* Memory for `count` floats that a spectrogram has yet to fill. */
static float *unfilled(size_t count)
{
    float *memory = malloc((count ? count : 1) * sizeof *memory);
    assert_non_null(memory);
    for (size_t i = 0; i < count; i++)
        memory[i] = -77.0f;
    return memory;
}

/* Four stereo stems in one piece of memory. */
typedef struct stem_set {
    size_t samples;
    float *memory;
    const float *channels[A1_STEMS][2];
} stem_set;

static stem_set make_stems(size_t samples)
{
    stem_set set = {.samples = samples, .memory = calloc(8 * samples + 1, sizeof(float))};
    assert_non_null(set.memory);
    for (size_t c = 0; c < 8; c++)
        set.channels[c / 2][c % 2] = set.memory + c * samples;
    return set;
}

static size_t stems_size(size_t samples)
{
    return A1_STEMS * a1_spectrogram_frames(samples) * A1_SPEC_BANDS;
}

static void frames_are_counted(void **state)
{
    (void)state;
    assert_int_equal(a1_spectrogram_frames(0), 0);
    assert_int_equal(a1_spectrogram_frames(1), 1);
    assert_int_equal(a1_spectrogram_frames(441), 1);
    assert_int_equal(a1_spectrogram_frames(442), 2);
    assert_int_equal(a1_spectrogram_frames(44100), 100);
    assert_true(a1_spectrogram_frames(SIZE_MAX) == SIZE_MAX / 441 + 1);
}

static void backends_are_told_apart(void **state)
{
    (void)state;
    a1_spectrogram *plan = open_plan(A1_SPEC_AUTO, ALLIN1_CPU_AUTO);
    assert_int_equal(a1_spectrogram_backend_used(plan), A1_SPEC_FAST);
    a1_spectrogram_destroy(&plan);
    assert_null(plan);
    a1_spectrogram_destroy(&plan);
    plan = open_plan(A1_SPEC_REFERENCE, ALLIN1_CPU_AUTO);
    assert_int_equal(a1_spectrogram_backend_used(plan), A1_SPEC_REFERENCE);
    a1_spectrogram_destroy(&plan);
    a1_cpu cpu;
    a1_error err = {0};
    assert_int_equal(a1_cpu_select(&cpu, ALLIN1_CPU_AUTO, NULL), ALLIN1_OK);
    assert_int_equal(a1_spectrogram_create(&plan, (a1_spectrogram_backend)7, &cpu, &err),
                     ALLIN1_ERROR_ARGUMENT);
    assert_null(plan);
    assert_non_null(strstr(err.message, "7"));
}

static void no_samples_no_frames(void **state)
{
    (void)state;
    static const float *const none[A1_STEMS][2];
    float untouched = 5.0f;
    for (int reference = 0; reference < 2; reference++) {
        a1_spectrogram *plan =
            open_plan(reference ? A1_SPEC_REFERENCE : A1_SPEC_FAST, ALLIN1_CPU_AUTO);
        assert_int_equal(a1_spectrogram_mono(plan, NULL, NULL, 0, &untouched, NULL), ALLIN1_OK);
        assert_int_equal(a1_spectrogram_stems(plan, NULL, none, 0, 0, &untouched, NULL), ALLIN1_OK);
        assert_true(untouched == 5.0f);
        a1_spectrogram_destroy(&plan);
    }
}

/* A single sample of 1 under the window's value w has the magnitude w at every bin, and the bands,
 * whose weights add up to 1, keep it: log10(1 + w) everywhere, which needs neither transform nor
 * filterbank. Weights add up to 1 within some float32 steps. */
static void an_impulse_shows_the_window(const char *name, const a1_spectrogram *plan)
{
    enum { SAMPLES = 100 * A1_SPEC_HOP, FRAMES = 100 };
    const size_t places[] = {0, 1, 440, 441, 1023, 1024, 22050, SAMPLES - 1025, SAMPLES - 1};
    float *in = calloc(SAMPLES, sizeof *in), *out = unfilled(FRAMES * A1_SPEC_BANDS);
    assert_non_null(in);
    for (size_t p = 0; p < sizeof places / sizeof *places; p++) {
        in[places[p]] = 1.0f;
        assert_int_equal(a1_spectrogram_mono(plan, NULL, in, SAMPLES, out, NULL), ALLIN1_OK);
        in[places[p]] = 0.0f;
        for (size_t f = 0; f < FRAMES; f++) {
            const long at = (long)places[p] - (long)(f * A1_SPEC_HOP) + HALF;
            const double w = at < 0 || at >= A1_SPEC_WINDOW
                                 ? 0.0
                                 : pow(sin(3.14159265358979323846 * (double)at / 2047.0), 2.0);
            for (size_t b = 0; b < A1_SPEC_BANDS; b++) {
                const double value = (double)out[f * A1_SPEC_BANDS + b];
                if (!(fabs(value - log10(1.0 + w)) <= 5e-7))
                    fail_msg("%s: impulse at %zu, frame %zu, band %zu is %.9g, not %.9g", name,
                             places[p], f, b, value, log10(1.0 + w));
            }
        }
    }
    free(in);
    free(out);
}

static void impulses(void **state)
{
    (void)state;
    allin1_cpu_level levels[4];
    const size_t count = a1_cpu_levels(levels);
    for (size_t i = 0; i < count; i++) {
        a1_spectrogram *plan = open_plan(A1_SPEC_FAST, levels[i]);
        an_impulse_shows_the_window(allin1_cpu_level_string(levels[i]), plan);
        a1_spectrogram_destroy(&plan);
    }
    a1_spectrogram *plan = open_plan(A1_SPEC_REFERENCE, ALLIN1_CPU_AUTO);
    an_impulse_shows_the_window("reference", plan);
    a1_spectrogram_destroy(&plan);
}

/* A frame's bits depend on its samples only, not on its place in a block or in a vector. */
static void frames_do_not_depend_on_their_place(void **state)
{
    (void)state;
    enum { FRAMES = 90, SHIFT = 37, SAMPLES = FRAMES * A1_SPEC_HOP };
    float *in = calloc(SAMPLES + SHIFT * A1_SPEC_HOP, sizeof *in);
    float *early = unfilled(FRAMES * A1_SPEC_BANDS);
    float *late = unfilled((FRAMES + SHIFT) * A1_SPEC_BANDS);
    assert_non_null(in);
    uint64_t seed = 1;
    for (size_t i = 0; i < SAMPLES; i++)
        in[SHIFT * A1_SPEC_HOP + i] = test_random(&seed);
    allin1_cpu_level levels[4];
    const size_t count = a1_cpu_levels(levels);
    for (size_t i = 0; i < count; i++) {
        a1_spectrogram *plan = open_plan(A1_SPEC_FAST, levels[i]);
        assert_int_equal(
            a1_spectrogram_mono(plan, NULL, in + SHIFT * A1_SPEC_HOP, SAMPLES, early, NULL),
            ALLIN1_OK);
        assert_int_equal(
            a1_spectrogram_mono(plan, NULL, in, SAMPLES + SHIFT * A1_SPEC_HOP, late, NULL),
            ALLIN1_OK);
        assert_memory_equal(early, late + SHIFT * A1_SPEC_BANDS,
                            FRAMES * A1_SPEC_BANDS * sizeof *early);
        a1_spectrogram_destroy(&plan);
    }
    free(in);
    free(early);
    free(late);
}

static void threads_do_not_change_a_bit(void **state)
{
    (void)state;
    static const size_t lengths[] = {1, 15, 441, 63 * 441, 64 * 441 + 1, 201 * 441 + 17};
    for (size_t l = 0; l < sizeof lengths / sizeof *lengths; l++) {
        const size_t samples = lengths[l], size = stems_size(samples);
        stem_set set = make_stems(samples);
        uint64_t seed = samples;
        for (size_t i = 0; i < 8 * samples; i++)
            set.memory[i] = 1.5f * test_random(&seed);
        float *alone = unfilled(size), *shared = unfilled(size), *mono = unfilled(size / A1_STEMS);
        for (int reference = 0; reference < 2; reference++) {
            a1_spectrogram *plan =
                open_plan(reference ? A1_SPEC_REFERENCE : A1_SPEC_FAST, ALLIN1_CPU_AUTO);
            for (int quantise = 0; quantise < 2; quantise++) {
                assert_int_equal(
                    a1_spectrogram_stems(plan, NULL, set.channels, samples, quantise, alone, NULL),
                    ALLIN1_OK);
                for (unsigned threads = 1; threads <= 5; threads++) {
                    a1_pool *pool;
                    assert_int_equal(a1_pool_create(&pool, threads, NULL), ALLIN1_OK);
                    memset(shared, 0xff, size * sizeof *shared);
                    assert_int_equal(a1_spectrogram_stems(plan, pool, set.channels, samples,
                                                          quantise, shared, NULL),
                                     ALLIN1_OK);
                    if (memcmp(alone, shared, size * sizeof *alone) != 0)
                        fail_msg("%zu samples, %s, quantise %d: %u threads give other bits",
                                 samples, reference ? "reference" : "fast", quantise, threads);
                    assert_int_equal(
                        a1_spectrogram_mono(plan, pool, set.memory, samples, mono, NULL),
                        ALLIN1_OK);
                    memcpy(shared, mono, size / A1_STEMS * sizeof *mono);
                    assert_int_equal(
                        a1_spectrogram_mono(plan, NULL, set.memory, samples, mono, NULL),
                        ALLIN1_OK);
                    assert_memory_equal(mono, shared, size / A1_STEMS * sizeof *mono);
                    a1_pool_destroy(&pool);
                }
            }
            a1_spectrogram_destroy(&plan);
        }
        free(alone);
        free(shared);
        free(mono);
        free(set.memory);
    }
}

/* Signals for the comparison of the backends, full scale unless they say otherwise. */
typedef enum signal_kind {
    SILENCE,
    NOISE,
    QUIET_NOISE,
    LOUD_NOISE,
    SINES,
    SQUARE,
    CONSTANT,
    DENORMALS,
    HUGE_SAMPLE,
    ALTERNATING,
    SIGNAL_KINDS
} signal_kind;

static const char *const signal_names[SIGNAL_KINDS] = {
    "silence",      "noise",    "quiet noise", "noise beyond full scale", "sines",
    "square waves", "constant", "denormals",   "one huge sample",         "alternating signs"};

static int is_steady(signal_kind kind)
{
    return kind == SINES || kind == SQUARE || kind == CONSTANT || kind == ALTERNATING;
}

static void fill_signal(signal_kind kind, stem_set *set)
{
    uint64_t seed = 99;
    for (size_t c = 0; c < 8; c++) {
        float *x = set->memory + c * set->samples;
        for (size_t i = 0; i < set->samples; i++) {
            const double t = (double)i / A1_SPEC_SAMPLE_RATE, hz = 55.0 * pow(2.0, (double)c / 1.3);
            const float r = test_random(&seed);
            switch (kind) {
            case SILENCE:
            case SIGNAL_KINDS:
                break;
            case NOISE:
                x[i] = r;
                break;
            case QUIET_NOISE:
                x[i] = 1e-4f * r;
                break;
            case LOUD_NOISE:
                x[i] = 3.7f * r;
                break;
            case SINES:
                x[i] = (float)sin(6.283185307179586 * hz * t);
                break;
            case SQUARE:
                x[i] = sin(6.283185307179586 * hz * t) < 0.0 ? -1.0f : 1.0f;
                break;
            case CONSTANT:
                x[i] = 1.0f;
                break;
            case DENORMALS:
                x[i] = r * 100.0f * FLT_MIN * FLT_EPSILON;
                break;
            case HUGE_SAMPLE:
                x[i] = i == set->samples / 2 ? 1e30f : r;
                break;
            case ALTERNATING:
                x[i] = i % 2 ? -1.0f : 1.0f;
                break;
            }
        }
    }
}

/* What the golden data call honest for a float32 transform of music; noise keeps it. */
#define BACKEND_TOLERANCE 2e-6

/* Steady sounds at full scale leave most bands nearly empty, and there the float32 noise of the
 * whole frame shows. Rounding the window and its product costs 0.58 2^-24 of the frame each, the
 * transform 0.6 sqrt(11) 2^-24 (test_fft.c): 2.1 2^-24 together of sqrt(sum w^2) = 27.7, in a bin
 * of magnitude x. log10(1 + x) takes 0.434 / (1 + x) of that, 1.5e-6 / (1 + x); four deviations
 * make 6e-6. The logarithm's own rounding, and the sum's, may add 5e-7. */
static double steady_tolerance(double value)
{
    return 5e-7 + 6e-6 / pow(10.0, value);
}

static void check_backend(const char *name, int steady, const float *fast, const double *reference,
                          size_t size)
{
    if (!steady) {
        test_close(name, fast, reference, size, BACKEND_TOLERANCE);
        return;
    }
    for (size_t i = 0; i < size; i++) {
        const double off = fabs((double)fast[i] - reference[i]);
        if (!(off <= steady_tolerance(reference[i])))
            fail_msg("%s: element %zu is %.9g and should be %.9g: off by %.3g, allowed %.3g", name,
                     i, (double)fast[i], reference[i], off, steady_tolerance(reference[i]));
    }
}

static void backends_agree(void **state)
{
    (void)state;
    const size_t samples = 70 * A1_SPEC_HOP + 5, size = stems_size(samples);
    stem_set set = make_stems(samples);
    float *fast = unfilled(size), *reference = unfilled(size);
    double *expected = malloc(size * sizeof *expected);
    assert_non_null(expected);
    allin1_cpu_level levels[4];
    const size_t count = a1_cpu_levels(levels);
    a1_spectrogram *truth = open_plan(A1_SPEC_REFERENCE, ALLIN1_CPU_AUTO);
    for (int kind = 0; kind < SIGNAL_KINDS; kind++) {
        fill_signal((signal_kind)kind, &set);
        for (int quantise = 0; quantise < 2; quantise++) {
            assert_int_equal(
                a1_spectrogram_stems(truth, NULL, set.channels, samples, quantise, reference, NULL),
                ALLIN1_OK);
            for (size_t i = 0; i < size; i++)
                expected[i] = (double)reference[i];
            for (size_t i = 0; i < count; i++) {
                char name[96];
                snprintf(name, sizeof name, "%s, %s%s", signal_names[kind],
                         allin1_cpu_level_string(levels[i]), quantise ? ", 16 bits" : "");
                a1_spectrogram *plan = open_plan(A1_SPEC_FAST, levels[i]);
                assert_int_equal(
                    a1_spectrogram_stems(plan, NULL, set.channels, samples, quantise, fast, NULL),
                    ALLIN1_OK);
                if (kind == SILENCE)
                    test_close(name, fast, expected, size, 0.0);
                else
                    check_backend(name, is_steady((signal_kind)kind), fast, expected, size);
                a1_spectrogram_destroy(&plan);
            }
        }
    }
    a1_spectrogram_destroy(&truth);
    free(set.memory);
    free(fast);
    free(reference);
    free(expected);
}

/* Without the stems' scaling: the mono entry takes a huge sample as it is. The frames that it does
 * not reach are as exact as ever, the others in proportion to it. */
static void a_huge_sample_stays_in_its_frames(void **state)
{
    (void)state;
    enum { FRAMES = 40, SAMPLES = FRAMES * A1_SPEC_HOP, HUGE_AT = 20 * A1_SPEC_HOP };
    float *in = unfilled(SAMPLES), *out = unfilled(FRAMES * A1_SPEC_BANDS);
    float *truth = unfilled(FRAMES * A1_SPEC_BANDS);
    uint64_t seed = 3;
    for (size_t i = 0; i < SAMPLES; i++)
        in[i] = test_random(&seed);
    in[HUGE_AT] = 1e12f;
    a1_spectrogram *reference = open_plan(A1_SPEC_REFERENCE, ALLIN1_CPU_AUTO);
    assert_int_equal(a1_spectrogram_mono(reference, NULL, in, SAMPLES, truth, NULL), ALLIN1_OK);
    a1_spectrogram_destroy(&reference);
    allin1_cpu_level levels[4];
    const size_t count = a1_cpu_levels(levels);
    for (size_t i = 0; i < count; i++) {
        a1_spectrogram *plan = open_plan(A1_SPEC_FAST, levels[i]);
        assert_int_equal(a1_spectrogram_mono(plan, NULL, in, SAMPLES, out, NULL), ALLIN1_OK);
        for (size_t k = 0; k < FRAMES * A1_SPEC_BANDS; k++) {
            /* Relative steps of 2^-24 weigh more in values up to 12. */
            const double bound = fmax(BACKEND_TOLERANCE, 2.5e-7 * (double)truth[k]);
            if (!(fabs((double)out[k] - (double)truth[k]) <= bound))
                fail_msg("%s: frame %zu, band %zu is %.9g, not %.9g",
                         allin1_cpu_level_string(levels[i]), k / A1_SPEC_BANDS, k % A1_SPEC_BANDS,
                         (double)out[k], (double)truth[k]);
        }
        a1_spectrogram_destroy(&plan);
    }
    free(in);
    free(out);
    free(truth);
}

/* The stems' rules, written out: one channel's peak scales both, and 16-bit steps cut toward zero.
 */
static void stems_are_scaled_and_mixed(void **state)
{
    (void)state;
    const size_t samples = 30 * A1_SPEC_HOP, size = stems_size(samples), one = size / A1_STEMS;
    static const float levels_of[A1_STEMS] = {0.5f, 0.99f, 0.995f, 8.0f};
    stem_set set = make_stems(samples);
    uint64_t seed = 12;
    for (size_t c = 0; c < 8; c++) {
        float *x = set.memory + c * samples;
        for (size_t i = 0; i < samples; i++)
            x[i] = levels_of[c / 2] * 0.9f * test_random(&seed);
    }
    for (size_t s = 0; s < A1_STEMS; s++) /* the peak: last sample of a channel, and negative */
        set.memory[(2 * s + s % 2) * samples + samples - 1] = -levels_of[s];
    float *mono = unfilled(samples), *out = unfilled(size), *single = unfilled(one);
    double *expected = malloc(one * sizeof *expected);
    assert_non_null(expected);
    for (int reference = 0; reference < 2; reference++) {
        a1_spectrogram *plan =
            open_plan(reference ? A1_SPEC_REFERENCE : A1_SPEC_FAST, ALLIN1_CPU_AUTO);
        for (int quantise = 0; quantise < 2; quantise++) {
            assert_int_equal(
                a1_spectrogram_stems(plan, NULL, set.channels, samples, quantise, out, NULL),
                ALLIN1_OK);
            for (size_t s = 0; s < A1_STEMS; s++) {
                const double divisor = fmax(1.01 * (double)levels_of[s], 1.0);
                for (size_t i = 0; i < samples; i++) {
                    double x[2];
                    for (size_t c = 0; c < 2; c++) {
                        x[c] = (double)set.channels[s][c][i] / divisor;
                        if (quantise)
                            x[c] = rint((double)(set.channels[s][c][i] / (float)divisor) * 32768);
                    }
                    mono[i] =
                        (float)(quantise ? trunc((x[0] + x[1]) / 2) / 32767 : (x[0] + x[1]) / 2);
                }
                assert_int_equal(a1_spectrogram_mono(plan, NULL, mono, samples, single, NULL),
                                 ALLIN1_OK);
                for (size_t i = 0; i < one; i++)
                    expected[i] = (double)single[i];
                char name[96];
                snprintf(name, sizeof name, "stem %zu mixed by hand, %s%s", s,
                         reference ? "reference" : "fast", quantise ? ", 16 bits" : "");
                /* `mono` was rounded to float32 before the transform and not after. */
                test_close(name, out + s * one, expected, one, BACKEND_TOLERANCE);
            }
        }
        a1_spectrogram_destroy(&plan);
    }
    free(set.memory);
    free(mono);
    free(out);
    free(single);
    free(expected);
}

/* The peak is found wherever it lies: a lone sample of 5 comes out as 1/1.01, halved by the silent
 * other channel. Were it missed, it would come out as 5. */
static void every_sample_can_be_the_peak(void **state)
{
    (void)state;
    enum { LONGEST = 70 };
    float out[A1_STEMS * A1_SPEC_BANDS];
    for (int reference = 0; reference < 2; reference++) {
        a1_spectrogram *plan =
            open_plan(reference ? A1_SPEC_REFERENCE : A1_SPEC_FAST, ALLIN1_CPU_AUTO);
        for (size_t samples = 1; samples <= LONGEST; samples++) {
            stem_set set = make_stems(samples);
            for (size_t at = 0; at < samples; at++) {
                for (size_t s = 0; s < A1_STEMS; s++)
                    set.memory[(2 * s + (s + at) % 2) * samples + at] = s % 2 ? -5.0f : 5.0f;
                assert_int_equal(
                    a1_spectrogram_stems(plan, NULL, set.channels, samples, 0, out, NULL),
                    ALLIN1_OK);
                memset(set.memory, 0, 8 * samples * sizeof *set.memory);
                const double angle = 3.14159265358979323846 * (double)(at + HALF) / 2047.0;
                const double expected = log10(1.0 + 0.5 / 1.01 * pow(sin(angle), 2.0));
                for (size_t i = 0; i < A1_STEMS * A1_SPEC_BANDS; i++) {
                    if (!(fabs((double)out[i] - expected) <= 5e-7))
                        fail_msg("%s: %zu samples, peak at %zu: value %zu is %.9g, not %.9g",
                                 reference ? "reference" : "fast", samples, at, i, (double)out[i],
                                 expected);
                }
            }
            free(set.memory);
        }
        a1_spectrogram_destroy(&plan);
    }
}

/* Half steps between two channels, and values at the ends of the 16-bit range. */
static void sixteen_bits_cut_toward_zero(void **state)
{
    (void)state;
    static const int pairs[][2] = {{3, 4},  {-3, -4}, {1, 0},          {-1, 0},
                                   {5, -4}, {4, -5},  {32443, 32442},  {-32443, -32442},
                                   {0, 0},  {-7, 7},  {32443, -32442}, {2, 2}};
    const size_t samples = sizeof pairs / sizeof *pairs;
    stem_set set = make_stems(samples);
    float mono[sizeof pairs / sizeof *pairs];
    for (size_t i = 0; i < samples; i++) {
        /* C divides integers toward zero. */
        mono[i] = (float)((pairs[i][0] + pairs[i][1]) / 2) / 32767.0f;
        for (size_t c = 0; c < 8; c++)
            set.memory[c * samples + i] = (float)pairs[i][c % 2] / 32768.0f;
    }
    float out[A1_STEMS * A1_SPEC_BANDS], single[A1_SPEC_BANDS];
    double expected[A1_SPEC_BANDS];
    allin1_cpu_level levels[4];
    const size_t count = a1_cpu_levels(levels);
    for (size_t i = 0; i <= count; i++) {
        a1_spectrogram *plan = i < count ? open_plan(A1_SPEC_FAST, levels[i])
                                         : open_plan(A1_SPEC_REFERENCE, ALLIN1_CPU_AUTO);
        assert_int_equal(a1_spectrogram_mono(plan, NULL, mono, samples, single, NULL), ALLIN1_OK);
        assert_int_equal(a1_spectrogram_stems(plan, NULL, set.channels, samples, 1, out, NULL),
                         ALLIN1_OK);
        for (size_t b = 0; b < A1_SPEC_BANDS; b++)
            expected[b] = (double)single[b];
        for (size_t s = 0; s < A1_STEMS; s++) /* one step of 16 bits would show at 1.3e-5 */
            test_close(i < count ? allin1_cpu_level_string(levels[i]) : "reference",
                       out + s * A1_SPEC_BANDS, expected, A1_SPEC_BANDS, BACKEND_TOLERANCE);
        a1_spectrogram_destroy(&plan);
    }
    free(set.memory);
}

/* Not-a-number in the audio may spoil the frames that hold it, and no others: it must not become
 * the peak that scales the whole stem. */
static void not_a_number_stays_in_its_frames(void **state)
{
    (void)state;
    const size_t samples = 50 * A1_SPEC_HOP, size = stems_size(samples);
    const size_t frames = a1_spectrogram_frames(samples), bad = 25 * A1_SPEC_HOP;
    stem_set set = make_stems(samples);
    float *clean = unfilled(size), *spoilt = unfilled(size);
    uint64_t seed = 4;
    for (size_t i = 0; i < 8 * samples; i++)
        set.memory[i] = 2.0f * test_random(&seed);
    allin1_cpu_level levels[4];
    const size_t count = a1_cpu_levels(levels);
    for (size_t i = 0; i <= count; i++) {
        a1_spectrogram *plan = i < count ? open_plan(A1_SPEC_FAST, levels[i])
                                         : open_plan(A1_SPEC_REFERENCE, ALLIN1_CPU_AUTO);
        for (size_t c = 0; c < 8; c++)
            set.memory[c * samples + bad] = 0.0f;
        assert_int_equal(a1_spectrogram_stems(plan, NULL, set.channels, samples, 0, clean, NULL),
                         ALLIN1_OK);
        for (size_t c = 0; c < 8; c++)
            set.memory[c * samples + bad] = NAN;
        assert_int_equal(a1_spectrogram_stems(plan, NULL, set.channels, samples, 0, spoilt, NULL),
                         ALLIN1_OK);
        for (size_t k = 0; k < size; k++) {
            const size_t frame = k / A1_SPEC_BANDS % frames;
            const long at = (long)bad - (long)(frame * A1_SPEC_HOP) + HALF;
            if (at < 0 || at >= A1_SPEC_WINDOW)
                assert_true(spoilt[k] == clean[k]);
            else
                assert_true(isnan(spoilt[k]));
        }
        a1_spectrogram_destroy(&plan);
    }
    free(set.memory);
    free(clean);
    free(spoilt);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_are_counted),
        cmocka_unit_test(backends_are_told_apart),
        cmocka_unit_test(no_samples_no_frames),
        cmocka_unit_test(impulses),
        cmocka_unit_test(frames_do_not_depend_on_their_place),
        cmocka_unit_test(threads_do_not_change_a_bit),
        cmocka_unit_test(backends_agree),
        cmocka_unit_test(a_huge_sample_stays_in_its_frames),
        cmocka_unit_test(stems_are_scaled_and_mixed),
        cmocka_unit_test(every_sample_can_be_the_peak),
        cmocka_unit_test(sixteen_bits_cut_toward_zero),
        cmocka_unit_test(not_a_number_stays_in_its_frames),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
