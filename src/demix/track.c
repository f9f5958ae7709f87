/* A whole track: normalisation, overlapping segments, shifts.
 *
 * Overlap-add keeps only what the next segment will still change, so the memory does not grow with
 * the track; see docs/MODEL.md for the rules, which are the reference's. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "demix/segment.h"

#define CHANNELS (A1_DEMIX_SOURCES * AUDIO_CHANNELS)
#define OVERLAP (A1_DEMIX_SEGMENT - A1_DEMIX_STRIDE)
#define MAX_SHIFT 22050 /* half a second */

typedef struct track {
    segment_work work;
    const float *const *mix;
    size_t samples;
    float mean, deviation;
    float *window;            /* [2][segment]: the segment's input */
    float *output;            /* [8][segment] */
    float *carry;             /* [8][overlap]: weighted sums that the next segment completes */
    float *weights;           /* [segment] */
    float *const (*stems)[2]; /* the caller's */
    float share;              /* 1 / passes */
} track;

/* Triangle 1 ... 171,990, 171,990 ... 1 over 171,990. */
static void make_weights(float *weights)
{
    const size_t half = A1_DEMIX_SEGMENT / 2;
    for (size_t i = 0; i < half; i++)
        weights[i] = weights[A1_DEMIX_SEGMENT - 1 - i] = (float)(i + 1) / (float)half;
}

/* The track's mean and deviation (unbiased) of the mean of its channels, in double. */
static void measure(track *t)
{
    double sum = 0, squares = 0;
    for (size_t i = 0; i < t->samples; i++)
        sum += 0.5 * ((double)t->mix[0][i] + (double)t->mix[1][i]);
    const double mean = sum / (double)t->samples;
    for (size_t i = 0; i < t->samples; i++) {
        const double d = 0.5 * ((double)t->mix[0][i] + (double)t->mix[1][i]) - mean;
        squares += d * d;
    }
    const double variance = t->samples > 1 ? squares / (double)(t->samples - 1) : 0.0;
    t->mean = (float)mean;
    t->deviation = (float)(sqrt(variance) + 1e-8);
}

/* Normalised samples first...first+343980 of the track, zeros outside it. */
static void fill_window(const track *t, long first)
{
    const long begin = first < 0 ? -first : 0;
    const long after = (long)t->samples - first;
    const long end = after < A1_DEMIX_SEGMENT ? after : A1_DEMIX_SEGMENT;
    for (size_t c = 0; c < AUDIO_CHANNELS; c++) {
        float *out = t->window + c * A1_DEMIX_SEGMENT;
        if (end <= begin) {
            memset(out, 0, A1_DEMIX_SEGMENT * sizeof *out);
            continue;
        }
        memset(out, 0, (size_t)begin * sizeof *out);
        memset(out + end, 0, (size_t)(A1_DEMIX_SEGMENT - end) * sizeof *out);
        t->work.model->layers->standardise(t->mix[c] + (first + begin), (size_t)(end - begin),
                                           t->mean, t->deviation, out + begin);
    }
}

typedef struct blend {
    const track *t;
    size_t trim, count; /* of the segment's output: `count` samples from `trim` */
    size_t finished;    /* how many of them no later segment changes */
    size_t carried;     /* how many already hold sums of the segment before */
    long position;      /* of the first in the track; samples before 0 are dropped */
    int first_pass;
} blend;

static void blend_channel(void *argument, size_t channel, unsigned worker)
{
    (void)worker;
    const blend *b = argument;
    const track *t = b->t;
    float *out = t->output + channel * A1_DEMIX_SEGMENT + b->trim;
    float *carry = t->carry + channel * OVERLAP;
    const float *w = t->weights;
    float *stem = t->stems[channel / AUDIO_CHANNELS][channel % AUDIO_CHANNELS];
    for (size_t i = 0; i < b->count; i++)
        out[i] *= w[i];
    for (size_t i = 0; i < b->carried; i++)
        out[i] += carry[i];
    for (size_t i = 0; i < b->count - b->finished; i++)
        carry[i] = out[b->finished + i];
    const size_t skip = b->position < 0 ? (size_t)-b->position : 0;
    for (size_t i = skip; i < b->finished; i++) {
        const float total = i < b->carried ? w[i] + w[A1_DEMIX_STRIDE + i] : w[i];
        const float value = out[i] / total * t->deviation + t->mean;
        float *at = stem + (b->position + (long)i);
        *at = b->first_pass ? value * t->share : *at + value * t->share;
    }
}

/* One pass over `length` samples from track position `origin` (at most 0) on. */
static allin1_status run_pass(track *t, long origin, size_t length, int first_pass,
                              size_t *segments_done, size_t segments,
                              a1_demix_progress_fn progress, void *user, a1_error *err)
{
    const float *const window[2] = {t->window, t->window + A1_DEMIX_SEGMENT};
    float *output[A1_DEMIX_SOURCES][2];
    for (size_t c = 0; c < CHANNELS; c++)
        output[c / AUDIO_CHANNELS][c % AUDIO_CHANNELS] = t->output + c * A1_DEMIX_SEGMENT;
    size_t carried = 0;
    for (size_t offset = 0; offset < length; offset += A1_DEMIX_STRIDE) {
        const size_t left = length - offset;
        const size_t count = left < A1_DEMIX_SEGMENT ? left : A1_DEMIX_SEGMENT;
        const size_t trim = (A1_DEMIX_SEGMENT - count) / 2;
        fill_window(t, origin + (long)offset - (long)trim);
        A1_TRY(segment_run(&t->work, window, output, err));
        blend b = {.t = t,
                   .trim = trim,
                   .count = count,
                   .finished = left > A1_DEMIX_STRIDE ? A1_DEMIX_STRIDE : count,
                   .carried = carried,
                   .position = origin + (long)offset,
                   .first_pass = first_pass};
        a1_pool_run(t->work.pool, CHANNELS, blend_channel, &b);
        carried = count - b.finished;
        ++*segments_done;
        if (progress && progress(user, *segments_done, segments))
            return a1_fail(err, ALLIN1_ERROR_CANCELLED, "cancelled while separating");
    }
    return ALLIN1_OK;
}

static size_t segment_count(size_t length)
{
    return (length + A1_DEMIX_STRIDE - 1) / A1_DEMIX_STRIDE;
}

/* The next shift in 0...22,050 from a splitmix64 generator (Steele, Lea and Flood, 2014), whose every
 * state is a good seed. */
static size_t next_shift(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    z ^= z >> 31;
    return (size_t)(z % (MAX_SHIFT + 1));
}

static allin1_status run_passes(track *t, const a1_demix_settings *settings,
                                a1_demix_progress_fn progress, void *user, a1_error *err)
{
    size_t done = 0;
    if (settings->shifts == 0)
        return run_pass(t, 0, t->samples, 1, &done, segment_count(t->samples), progress, user, err);
    size_t segments = 0;
    uint64_t state = settings->seed;
    for (unsigned i = 0; i < settings->shifts; i++)
        segments += segment_count(t->samples + MAX_SHIFT - next_shift(&state));
    state = settings->seed;
    for (unsigned i = 0; i < settings->shifts; i++) {
        const size_t lead = MAX_SHIFT - next_shift(&state);
        A1_TRY(run_pass(t, -(long)lead, t->samples + lead, i == 0, &done, segments, progress, user,
                        err));
    }
    return ALLIN1_OK;
}

allin1_status a1_demix_track(const a1_htdemucs *model, a1_pool *pool,
                             const a1_demix_settings *settings, const float *const mix[2],
                             size_t samples, float *const stems[A1_DEMIX_SOURCES][2],
                             a1_demix_progress_fn progress, void *user, a1_error *err)
{
    if (samples == 0)
        return a1_fail(err, ALLIN1_ERROR_ARGUMENT, "there are no samples to separate");
    track t = {.mix = mix,
               .samples = samples,
               .stems = stems,
               .share = settings->shifts ? 1.0f / (float)settings->shifts : 1.0f};
    A1_TRY(segment_work_create(&t.work, model, pool, err));
    a1_arena *arena = &t.work.arena;
    t.window = a1_arena_floats(arena, AUDIO_CHANNELS * (size_t)A1_DEMIX_SEGMENT);
    t.output = a1_arena_floats(arena, CHANNELS * (size_t)A1_DEMIX_SEGMENT);
    t.carry = a1_arena_floats(arena, CHANNELS * (size_t)OVERLAP);
    t.weights = a1_arena_floats(arena, A1_DEMIX_SEGMENT);
    allin1_status status;
    if (!t.window || !t.output || !t.carry || !t.weights) {
        status = a1_fail_memory(err, "the separator");
    } else {
        make_weights(t.weights);
        measure(&t);
        status = run_passes(&t, settings, progress, user, err);
    }
    segment_work_destroy(&t.work);
    return status;
}
