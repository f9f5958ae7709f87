/* Whole tracks through a tiny random separator: against windows made by hand and put together in
 * double, and all that surrounds them: silence, shifts, threads, cancelling, damaged weights. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/arena.h"
#include "demix/segment.h"
#include "support/bounded.h"
#include "support/guarded.h"
#include "support/kernel_levels.h"
#include "support/tiny_model.h"

#define SEGMENT ((size_t)A1_DEMIX_SEGMENT)
#define STRIDE ((size_t)A1_DEMIX_STRIDE)
#define MAX_LEAD 22050

static a1_tensor_set *weights;
static a1_htdemucs *model;
static a1_pool *pool;
static a1_cpu cpu;

static a1_htdemucs *create(const a1_tensor_set *set, const a1_cpu *at, a1_demix_precision precision)
{
    a1_error err = {0};
    a1_htdemucs *created = NULL;
    if (a1_htdemucs_create(&created, set, at, precision, pool, &err) != ALLIN1_OK)
        fail_msg("%s", err.message);
    return created;
}

static int set_up(void **state)
{
    (void)state;
    a1_error err = {0};
    if (a1_cpu_select(&cpu, ALLIN1_CPU_AUTO, &err) != ALLIN1_OK ||
        a1_pool_create(&pool, 2, &err) != ALLIN1_OK ||
        test_tiny_htdemucs(&weights, &err) != ALLIN1_OK) {
        print_message("%s\n", err.message);
        return -1;
    }
    model = create(weights, &cpu, A1_DEMIX_FP32);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    a1_htdemucs_destroy(&model);
    a1_htdemucs_destroy(&model); /* of nothing */
    a1_pool_destroy(&pool);
    a1_tensor_set_destroy(&weights);
    return 0;
}

/* A stereo track and its stems; every array ends where memory ends. */
typedef struct track {
    size_t samples;
    float *mix[2];
    float *stems[A1_DEMIX_SOURCES][2];
} track;

static track new_track(size_t samples)
{
    track t = {.samples = samples};
    for (size_t c = 0; c < 2; c++)
        t.mix[c] = guarded_floats(samples);
    for (size_t s = 0; s < A1_DEMIX_SOURCES; s++)
        for (size_t c = 0; c < 2; c++)
            t.stems[s][c] = guarded_floats(samples);
    return t;
}

/* Two tones, noise, and an offset that differs between the channels. */
static track new_song(size_t samples, uint64_t seed)
{
    track t = new_track(samples);
    for (size_t i = 0; i < samples; i++) {
        const float tone = sinf(0.02f * (float)i) + 0.5f * sinf(0.31f * (float)i);
        t.mix[0][i] = 0.3f * tone + 0.1f * kernel_random(&seed) + 0.05f;
        t.mix[1][i] = 0.2f * tone + 0.2f * kernel_random(&seed) - 0.01f;
    }
    return t;
}

static void free_track(track *t)
{
    for (size_t c = 0; c < 2; c++)
        guarded_free(t->mix[c], t->samples);
    for (size_t s = 0; s < A1_DEMIX_SOURCES; s++)
        for (size_t c = 0; c < 2; c++)
            guarded_free(t->stems[s][c], t->samples);
}

static void spoil_stems(track *t)
{
    for (size_t s = 0; s < A1_DEMIX_SOURCES; s++)
        for (size_t c = 0; c < 2; c++)
            for (size_t i = 0; i < t->samples; i++)
                t->stems[s][c][i] = NAN;
}

typedef struct progress_log {
    size_t calls, cancel_at;
    size_t segments;
    int ordered;
} progress_log;

static int log_progress(void *user, size_t done, size_t segments)
{
    progress_log *log = user;
    log->calls++;
    log->ordered = log->ordered && done == log->calls && done <= segments &&
                   (log->segments == 0 || log->segments == segments);
    log->segments = segments;
    return log->calls == log->cancel_at;
}

static allin1_status try_separate(const a1_htdemucs *with, a1_pool *threads, track *t,
                                  unsigned shifts, uint64_t seed, progress_log *log, a1_error *err)
{
    const a1_demix_settings settings = {.shifts = shifts, .seed = seed};
    const float *const mix[2] = {t->mix[0], t->mix[1]};
    float *const stems[A1_DEMIX_SOURCES][2] = {{t->stems[0][0], t->stems[0][1]},
                                               {t->stems[1][0], t->stems[1][1]},
                                               {t->stems[2][0], t->stems[2][1]},
                                               {t->stems[3][0], t->stems[3][1]}};
    spoil_stems(t);
    return a1_demix_track(with, threads, &settings, mix, t->samples, stems,
                          log ? log_progress : NULL, log, err);
}

/* Separates, and checks that everything was written and what progress was told. */
static void separate(const a1_htdemucs *with, a1_pool *threads, track *t, unsigned shifts,
                     uint64_t seed)
{
    a1_error err = {0};
    progress_log log = {.ordered = 1};
    if (try_separate(with, threads, t, shifts, seed, &log, &err) != ALLIN1_OK)
        fail_msg("%zu samples: %s", t->samples, err.message);
    assert_true(log.ordered);
    assert_int_equal(log.calls, log.segments);
    if (shifts == 0)
        assert_int_equal(log.segments, (t->samples + STRIDE - 1) / STRIDE);
    for (size_t s = 0; s < A1_DEMIX_SOURCES; s++)
        for (size_t c = 0; c < 2; c++)
            for (size_t i = 0; i < t->samples; i++)
                if (!isfinite(t->stems[s][c][i]))
                    fail_msg("%zu samples: stem %zu, channel %zu, sample %zu is %g", t->samples, s,
                             c, i, (double)t->stems[s][c][i]);
}

static int same_stems(const track *a, const track *b)
{
    int same = a->samples == b->samples;
    for (size_t s = 0; same && s < A1_DEMIX_SOURCES; s++)
        for (size_t c = 0; same && c < 2; c++)
            same = memcmp(a->stems[s][c], b->stems[s][c], a->samples * sizeof(float)) == 0;
    return same;
}

/* ---- the rules of DESIGN.md by hand ------------------------------------------------------------
 */

/* One pass in double: weighted sums, sums of weights and sums of weighted magnitudes (for the
 * tolerance), from track position -lead on. */
typedef struct hand_pass {
    size_t lead, length;
    double *sum[8], *size[8], *weight;
} hand_pass;

static double *new_doubles(size_t count)
{
    double *values = calloc(count, sizeof *values);
    assert_non_null(values);
    return values;
}

static void normalisation(const track *t, float *mean, float *deviation)
{
    double sum = 0, squares = 0;
    const double n = (double)t->samples;
    for (size_t i = 0; i < t->samples; i++)
        sum += ((double)t->mix[0][i] + (double)t->mix[1][i]) / 2;
    for (size_t i = 0; i < t->samples; i++) {
        const double d = ((double)t->mix[0][i] + (double)t->mix[1][i]) / 2 - sum / n;
        squares += d * d;
    }
    *mean = (float)(sum / n);
    *deviation = (float)((t->samples > 1 ? sqrt(squares / (n - 1)) : 0) + 1e-8);
}

static hand_pass run_by_hand(const track *t, size_t lead)
{
    hand_pass pass = {.lead = lead, .length = t->samples + lead};
    pass.weight = new_doubles(pass.length);
    for (size_t channel = 0; channel < 8; channel++) {
        pass.sum[channel] = new_doubles(pass.length);
        pass.size[channel] = new_doubles(pass.length);
    }
    float mean, deviation;
    normalisation(t, &mean, &deviation);
    float *window[2] = {guarded_floats(SEGMENT), guarded_floats(SEGMENT)}, *out[4][2];
    for (size_t channel = 0; channel < 8; channel++)
        out[channel / 2][channel % 2] = guarded_floats(SEGMENT);
    segment_work work;
    a1_error err = {0};
    assert_int_equal(segment_work_create(&work, model, pool, &err), ALLIN1_OK);
    for (size_t offset = 0; offset < pass.length; offset += STRIDE) {
        const size_t left = pass.length - offset, count = left < SEGMENT ? left : SEGMENT;
        const size_t delta = SEGMENT - count;
        const long start = (long)offset - (long)(delta / 2) - (long)lead;
        for (long i = 0; i < (long)SEGMENT; i++)
            for (size_t c = 0; c < 2; c++) {
                const long at = start + i;
                const int inside = at >= 0 && at < (long)t->samples;
                window[c][i] = inside ? (t->mix[c][at] - mean) / deviation : 0.0f;
            }
        const float *const in[2] = {window[0], window[1]};
        float *const stems[4][2] = {{out[0][0], out[0][1]},
                                    {out[1][0], out[1][1]},
                                    {out[2][0], out[2][1]},
                                    {out[3][0], out[3][1]}};
        if (segment_run(&work, in, stems, &err) != ALLIN1_OK)
            fail_msg("%s", err.message);
        for (size_t i = 0; i < count; i++) {
            const double half = (double)SEGMENT / 2;
            const double rising = (double)(i + 1) / half;
            const double falling = (double)(SEGMENT - i) / half;
            const double weight = rising < falling ? rising : falling;
            pass.weight[offset + i] += weight;
            for (size_t channel = 0; channel < 8; channel++) {
                const double value = weight * (double)out[channel / 2][channel % 2][i + delta / 2];
                pass.sum[channel][offset + i] += value;
                pass.size[channel][offset + i] += fabs(value);
            }
        }
    }
    segment_work_destroy(&work);
    for (size_t c = 0; c < 2; c++)
        guarded_free(window[c], SEGMENT);
    for (size_t channel = 0; channel < 8; channel++)
        guarded_free(out[channel / 2][channel % 2], SEGMENT);
    return pass;
}

static void free_pass(hand_pass *pass)
{
    free(pass->weight);
    for (size_t channel = 0; channel < 8; channel++) {
        free(pass->sum[channel]);
        free(pass->size[channel]);
    }
}

/* Compares the stems with the mean of the passes. Roundings of a sample: three of the weights and
 * their sum, two products, the sum and the quotient make at most eight of the magnitude; the
 * deviation, the mean, the share and the mean over the passes one each of what they give. */
static void compare_with_passes(const track *t, const hand_pass *passes, size_t count)
{
    float mean, deviation;
    normalisation(t, &mean, &deviation);
    double worst = 0;
    for (size_t channel = 0; channel < 8; channel++)
        for (size_t i = 0; i < t->samples; i++) {
            double expected = 0, room = 0;
            for (size_t p = 0; p < count; p++) {
                const size_t at = i + passes[p].lead;
                const double value = passes[p].sum[channel][at] / passes[p].weight[at];
                const double size = passes[p].size[channel][at] / passes[p].weight[at];
                const double scaled = value * (double)deviation + (double)mean;
                expected += scaled / (double)count;
                room += ROUNDING *
                        (9 * size * (double)deviation + 2 * fabs(scaled) + fabs((double)mean)) /
                        (double)count;
                room += (double)p * ROUNDING * fabs(expected);
            }
            room += ROUNDING * fabs(expected) + UNDERFLOW;
            const double error = fabs((double)t->stems[channel / 2][channel % 2][i] - expected);
            if (!(error <= room))
                fail_msg("%zu samples, %zu passes: stem %zu, channel %zu, sample %zu is %.9g, by "
                         "hand %.9g: off by %.3g, allowed %.3g",
                         t->samples, count, channel / 2, channel % 2, i,
                         (double)t->stems[channel / 2][channel % 2][i], expected, error, room);
            worst = error / room > worst ? error / room : worst;
        }
    print_message("%zu samples, %zu passes: worst %.2f of what rounding allows\n", t->samples,
                  count, worst);
}

static void test_lengths(void **state)
{
    (void)state;
    const size_t lengths[] = {1, 5000, STRIDE, STRIDE + 1, SEGMENT, SEGMENT + STRIDE + 777};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        track t = new_song(lengths[i], 40 + i);
        separate(model, pool, &t, 0, 0);
        hand_pass pass = run_by_hand(&t, 0);
        compare_with_passes(&t, &pass, 1);
        free_pass(&pass);
        free_track(&t);
    }
}

/* splitmix64 (Steele, Lea and Flood, OOPSLA 2014), written anew: which shifts a seed gives is part
 * of what "reproducible" means, so it must not change unseen. */
static size_t shift_of(uint64_t seed, unsigned pass)
{
    uint64_t z = seed + (pass + 1) * UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (size_t)((z ^ (z >> 31)) % (MAX_LEAD + 1));
}

static void test_shifts(void **state)
{
    (void)state;
    /* The second length is one segment, or two where the shift leads far enough. */
    const size_t lengths[] = {1000, STRIDE - MAX_LEAD / 2};
    for (size_t i = 0; i < 2; i++) {
        const uint64_t seed = 12345 + i;
        track t = new_song(lengths[i], 50 + i);
        separate(model, pool, &t, 2, seed);
        hand_pass passes[2];
        for (unsigned p = 0; p < 2; p++)
            passes[p] = run_by_hand(&t, MAX_LEAD - shift_of(seed, p));
        compare_with_passes(&t, passes, 2);
        for (unsigned p = 0; p < 2; p++)
            free_pass(&passes[p]);
        free_track(&t);
    }
    track first = new_song(1000, 60), again = new_song(1000, 60), other = new_song(1000, 60);
    separate(model, pool, &first, 2, 7);
    separate(model, NULL, &again, 2, 7);
    separate(model, pool, &other, 2, 8);
    assert_true(same_stems(&first, &again));
    assert_false(same_stems(&first, &other));
    free_track(&first);
    free_track(&again);
    free_track(&other);
}

/* ---- silence -----------------------------------------------------------------------------------
 */

/* A constant comes back as it is in every stem: 0 as 0, an offset as the offset. */
static void test_constant_tracks(void **state)
{
    (void)state;
    const float constants[] = {0.0f, 0.25f, -0.1f};
    for (size_t i = 0; i < 3; i++) {
        track t = new_track(i == 0 ? STRIDE + 5 : 3000);
        for (size_t c = 0; c < 2; c++)
            for (size_t j = 0; j < t.samples; j++)
                t.mix[c][j] = constants[i];
        separate(model, pool, &t, 0, 0);
        for (size_t s = 0; s < A1_DEMIX_SOURCES; s++)
            for (size_t c = 0; c < 2; c++)
                for (size_t j = 0; j < t.samples; j++)
                    if (t.stems[s][c][j] != constants[i])
                        fail_msg("a constant of %g: stem %zu, channel %zu, sample %zu is %.9g",
                                 (double)constants[i], s, c, j, (double)t.stems[s][c][j]);
        free_track(&t);
    }
}

/* One sample has no deviation: it is its own mean. */
static void test_one_sample(void **state)
{
    (void)state;
    track t = new_track(1);
    t.mix[0][0] = t.mix[1][0] = 0.5f;
    separate(model, pool, &t, 0, 0);
    for (size_t s = 0; s < A1_DEMIX_SOURCES; s++)
        assert_true(t.stems[s][0][0] == 0.5f && t.stems[s][1][0] == 0.5f);
    free_track(&t);
}

/* ---- threads and levels ------------------------------------------------------------------------
 */

static void test_threads(void **state)
{
    (void)state;
    for (a1_demix_precision precision = A1_DEMIX_FP32; precision <= A1_DEMIX_MIXED; precision++) {
        if (!a1_demix_precision_available(&cpu, precision)) {
            print_message("[ NOTE     ] left out: precision %d is not available here\n",
                          (int)precision);
            continue;
        }
        const size_t samples = precision == A1_DEMIX_FP32 ? STRIDE + 1000 : 20000;
        a1_htdemucs *with = create(weights, &cpu, precision);
        track alone = new_song(samples, 70), t = new_song(samples, 70);
        separate(with, NULL, &alone, 0, 0);
        for (unsigned threads = 1; threads <= 3; threads++) {
            a1_error err = {0};
            a1_pool *own = NULL;
            a1_htdemucs *loaded = NULL;
            assert_int_equal(a1_pool_create(&own, threads, &err), ALLIN1_OK);
            /* Loading is spread over the threads as well. */
            assert_int_equal(a1_htdemucs_create(&loaded, weights, &cpu, precision, own, &err),
                             ALLIN1_OK);
            separate(loaded, own, &t, 0, 0);
            if (!same_stems(&alone, &t))
                fail_msg("%u threads give other bytes than none, precision %d", threads,
                         (int)precision);
            a1_htdemucs_destroy(&loaded);
            a1_pool_destroy(&own);
        }
        free_track(&alone);
        free_track(&t);
        a1_htdemucs_destroy(&with);
    }
}

/* The levels agree to within what float32 leaves of this model, and lower precisions come near. */
static void test_levels(void **state)
{
    (void)state;
    a1_cpu levels[MAX_KERNEL_LEVELS];
    const size_t count = kernel_levels(levels);
    track reference = new_song(30000, 80), t = new_song(30000, 80);
    separate(model, pool, &reference, 0, 0);
    double size = 0;
    for (size_t s = 0; s < A1_DEMIX_SOURCES; s++)
        for (size_t i = 0; i < t.samples; i++)
            size += (double)reference.stems[s][0][i] * (double)reference.stems[s][0][i];
    for (size_t l = 0; l < count; l++)
        for (a1_demix_precision p = A1_DEMIX_FP32; p <= A1_DEMIX_MIXED; p++) {
            if (!a1_demix_precision_available(&levels[l], p)) {
                a1_error err = {0};
                a1_htdemucs *none = NULL;
                assert_int_equal(a1_htdemucs_create(&none, weights, &levels[l], p, pool, &err),
                                 ALLIN1_ERROR_UNSUPPORTED);
                assert_null(none);
                assert_non_null(strstr(err.message, allin1_cpu_level_string(levels[l].level)));
                continue;
            }
            a1_htdemucs *with = create(weights, &levels[l], p);
            separate(with, pool, &t, 0, 0);
            double noise = 0;
            for (size_t s = 0; s < A1_DEMIX_SOURCES; s++)
                for (size_t i = 0; i < t.samples; i++) {
                    const double d = (double)t.stems[s][0][i] - (double)reference.stems[s][0][i];
                    noise += d * d;
                }
            const double ratio = noise > 0 ? 10 * log10(size / noise) : INFINITY;
            print_message("%s, precision %d: %.1f dB from fp32\n",
                          allin1_cpu_level_string(levels[l].level), (int)p, ratio);
            /* float32 keeps 24 bits, 144 dB; the sums of some hundred terms and the norms through
             * some forty layers cost less than 44. Eight bits, which bfloat16 and the integers
             * keep, are 48 dB, and their roundings add up like noise. */
            assert_true(ratio > (p == A1_DEMIX_FP32 ? 100 : 30));
            a1_htdemucs_destroy(&with);
        }
    free_track(&reference);
    free_track(&t);
}

/* ---- progress and failures ---------------------------------------------------------------------
 */

static void test_cancel(void **state)
{
    (void)state;
    track t = new_song(STRIDE + 1, 90);
    for (size_t at = 1; at <= 2; at++) {
        a1_error err = {0};
        progress_log log = {.ordered = 1, .cancel_at = at};
        assert_int_equal(try_separate(model, pool, &t, 0, 0, &log, &err), ALLIN1_ERROR_CANCELLED);
        assert_int_equal(log.calls, at);
        assert_int_equal(log.segments, 2);
        assert_true(log.ordered);
        assert_string_not_equal(err.message, "");
    }
    free_track(&t);
}

static void test_no_samples(void **state)
{
    (void)state;
    track t = new_track(1);
    t.samples = 0;
    a1_error err = {0};
    assert_int_equal(try_separate(model, pool, &t, 0, 0, NULL, &err), ALLIN1_ERROR_ARGUMENT);
    assert_string_not_equal(err.message, "");
    t.samples = 1;
    free_track(&t);
}

/* ---- damaged weights ---------------------------------------------------------------------------
 */

/* The tensors of the tiny model without number `without`, or with `instead` in its place; texts
 * too, "heads" as given. */
static a1_tensor_set *altered_set(size_t without, const a1_tensor *instead, const char *heads)
{
    a1_error err = {0};
    a1_tensor_set *set = NULL;
    assert_int_equal(a1_tensor_set_create(&set, &err), ALLIN1_OK);
    for (size_t i = 0; i < a1_tensor_set_count(weights); i++) {
        const a1_tensor *tensor = i == without ? instead : a1_tensor_set_at(weights, i);
        if (tensor && a1_tensor_set_add(set, tensor, &err) != ALLIN1_OK)
            fail_msg("%s", err.message);
    }
    if (heads)
        assert_int_equal(a1_tensor_set_put_text(set, "heads", heads, &err), ALLIN1_OK);
    return set;
}

/* Creating must fail as a malformed file does, and the sentence must hold `needle`. */
static void refuse(const a1_tensor_set *set, const char *needle)
{
    a1_error err = {0};
    a1_htdemucs *none = (a1_htdemucs *)(void *)&err;
    const allin1_status status = a1_htdemucs_create(&none, set, &cpu, A1_DEMIX_FP32, pool, &err);
    if (status != ALLIN1_ERROR_FORMAT || !strstr(err.message, needle))
        fail_msg("wanted a malformed file and \"%s\", got %d and \"%s\"", needle, (int)status,
                 err.message);
    assert_null(none);
}

static void test_missing_tensors(void **state)
{
    (void)state;
    const size_t count = a1_tensor_set_count(weights);
    assert_int_equal(count, 533);
    for (size_t i = 0; i < count; i++) {
        a1_tensor_set *set = altered_set(i, NULL, "2");
        refuse(set, a1_tensor_set_at(weights, i)->name);
        a1_tensor_set_destroy(&set);
    }
    a1_error err = {0};
    a1_tensor_set *empty = NULL;
    assert_int_equal(a1_tensor_set_create(&empty, &err), ALLIN1_OK);
    refuse(empty, "is missing");
    a1_tensor_set_destroy(&empty);
}

static void test_wrong_tensors(void **state)
{
    (void)state;
    size_t most = 0;
    for (size_t i = 0; i < a1_tensor_set_count(weights); i++) {
        const size_t count = a1_tensor_count(a1_tensor_set_at(weights, i));
        most = count > most ? count : most;
    }
    void *data = calloc(2 * most + 1, sizeof(double));
    assert_non_null(data);
    for (size_t i = 0; i < a1_tensor_set_count(weights); i++) {
        const a1_tensor *good = a1_tensor_set_at(weights, i);
        a1_tensor bad = *good;
        bad.data = data;
        /* One too long on one axis; an axis too many; bytes that are no floats. */
        if (i % 3 == 0)
            bad.shape[(i / 3) % good->rank]++;
        else if (i % 3 == 1)
            bad.shape[bad.rank++] = 1;
        else
            bad.dtype = A1_I32;
        a1_tensor_set *set = altered_set(i, &bad, "2");
        /* The sizes are read off three tensors: when one of these is wrong, another seems so. */
        const int decides = strcmp(good->name, "encoder.0.conv.bias") == 0 ||
                            strcmp(good->name, "channel_upsampler.bias") == 0 ||
                            strcmp(good->name, "crosstransformer.layers.0.linear1.bias") == 0;
        refuse(set, decides && i % 3 == 0 ? "" : good->name);
        a1_tensor_set_destroy(&set);
    }
    free(data);
}

/* Sizes that a file may claim and no model has, among them some that overflow. */
static void test_wrong_heads(void **state)
{
    (void)state;
    const char *const heads[] = {"0",
                                 "3",
                                 "4",
                                 "-1",
                                 "-2",
                                 "",
                                 "two",
                                 "33",
                                 "1152921504606846976",
                                 "18446744073709551615",
                                 "99999999999999999999999"};
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        a1_tensor_set *set = altered_set(SIZE_MAX, NULL, heads[i]);
        refuse(set, "heads");
        a1_tensor_set_destroy(&set);
    }
    /* Without the text there are eight, which this narrow model has no room for. */
    a1_tensor_set *set = altered_set(SIZE_MAX, NULL, NULL);
    refuse(set, "8 heads");
    a1_tensor_set_destroy(&set);
}

/* Whole models of impossible widths are refused before anything is computed from them. */
static void test_wrong_widths(void **state)
{
    (void)state;
    static float data[2][8] = {{0}};
    const size_t channels[] = {0, 4, 12, 2048, SIZE_MAX / 1024};
    for (size_t i = 0; i < sizeof channels / sizeof *channels; i++) {
        a1_error err = {0};
        a1_tensor_set *set = NULL;
        assert_int_equal(a1_tensor_set_create(&set, &err), ALLIN1_OK);
        const a1_tensor tensors[] = {
            {"encoder.0.conv.bias", A1_F32, 1, {channels[i]}, data},
            {"channel_upsampler.bias", A1_F32, 1, {32}, data},
            {"crosstransformer.layers.0.linear1.bias", A1_F32, 1, {64}, data}};
        for (size_t j = 0; j < 3; j++)
            assert_int_equal(a1_tensor_set_add(set, &tensors[j], &err), ALLIN1_OK);
        assert_int_equal(a1_tensor_set_put_text(set, "heads", "2", &err), ALLIN1_OK);
        refuse(set, "not usable");
        a1_tensor_set_destroy(&set);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lengths),         cmocka_unit_test(test_shifts),
        cmocka_unit_test(test_constant_tracks), cmocka_unit_test(test_one_sample),
        cmocka_unit_test(test_threads),         cmocka_unit_test(test_levels),
        cmocka_unit_test(test_cancel),          cmocka_unit_test(test_no_samples),
        cmocka_unit_test(test_missing_tensors), cmocka_unit_test(test_wrong_tensors),
        cmocka_unit_test(test_wrong_heads),     cmocka_unit_test(test_wrong_widths),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
