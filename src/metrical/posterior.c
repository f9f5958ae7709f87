#include "metrical/posterior.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "metrical/spread.h"

/* As in the fast decoder a path is known by where it enters beats, so sums over entries (beat, tempo)
 * are enough. Everything is relative to a path that is never inside a beat range: only the few frames
 * of beat ranges count. Probabilities are kept as they are, in doubles; when they grow or shrink too
 * far, all are scaled and the scale's logarithm is kept. */

#define ENTRY_BYTES ((size_t)4 << 20) /* for entries at least; longer music goes forwards twice */
#define CHECK_FRAMES 32                /* between looks at the scale */
#define LARGE 1e60

/* What comes into a beat at a frame out of each tempo of the beat before, or what follows after that:
 * rows of `rows` values, [beats][pitch], for `length` frames around. */
typedef struct ring {
    double *values;
    size_t rows, length;
    double log_scale; /* of all values; the true ones are exp(log_scale) as large */
} ring;

typedef struct passes {
    const a1_bar_model *bar;
    const a1_gains *gains;
    size_t tempi, pitch; /* of a beat's tempi and of their places in a row */
    size_t rows;         /* [beats][pitch] */
    size_t longest, most_frames;
    a1_spread_plan change, change_back; /* what a beat's tempi become, and what became of them */
    a1_spread_fn spread;
    size_t *ahead;   /* [tempi] values from a frame in the ring to the one an interval later */
    size_t *seen_as; /* [rows] which of gain_of is a row's */
    double *beat_sum, *downbeat_sum; /* [frames + 1], running sums of the gains */
    double *gain_of; /* [2][most_frames + 1] products over the next frames: beat, downbeat */
    double *after;   /* [rows], what follows after entering; 0 beyond the tempi */
    double *weights; /* of both plans' groups, [2][group_count][tempi][A1_SPREAD_GROUP] */
    ring forward, backward;
    double *checkpoints, *checkpoint_scales;
    size_t chunk, chunks;
    size_t kept; /* frames whose entries are kept: a chunk's, or one where nobody goes back */
    double *entries; /* [kept][rows], before the gain */
    double *entry_scales; /* [kept] */
} passes;

static double *row_at(const ring *r, size_t frame)
{
    return r->values + frame % r->length * r->rows;
}

static void scale_if_needed(ring *r, size_t frame)
{
    const double *row = row_at(r, frame);
    double largest = 0;
    for (size_t i = 0; i < r->rows; i++)
        largest = fmax(largest, row[i]);
    if (largest == 0 || (largest < LARGE && largest > 1 / LARGE))
        return;
    for (size_t i = 0; i < r->rows * r->length; i++)
        r->values[i] /= largest;
    r->log_scale += log(largest);
}

/* Products of the gains of 1, 2, ... frames from `frame` on; beyond the end nothing is seen. */
static void fill_gains(const passes *p, size_t frame)
{
    const size_t frames = p->gains->frames;
    double *beat = p->gain_of, *downbeat = beat + p->most_frames + 1;
    for (size_t n = 0; n <= p->most_frames; n++) {
        const size_t to = frame + n < frames ? frame + n : frames;
        beat[n] = exp(p->beat_sum[to] - p->beat_sum[frame]);
        downbeat[n] = exp(p->downbeat_sum[to] - p->downbeat_sum[frame]);
    }
}

static double *row_after(const passes *p, const ring *r, size_t frame, size_t tempo)
{
    const size_t at = frame % r->length * r->rows + p->ahead[tempo], size = r->length * r->rows;
    return r->values + (at < size ? at : at - size);
}

/* Where a beat's values are in a row, and the next one's, which begins where it ends. */
static size_t place_of(const passes *p, size_t beat)
{
    return beat * p->pitch;
}

static size_t place_of_next(const passes *p, size_t beat)
{
    return place_of(p, beat + 1 < p->bar->space.beats ? beat + 1 : 0);
}

/* What arrives before any beat was entered: the music began inside a beat, each state equally likely. */
static void begin_forward(passes *p)
{
    const a1_beat_space *space = &p->bar->space;
    const size_t frames = p->gains->frames;
    memset(p->forward.values, 0, p->rows * p->forward.length * sizeof(double));
    p->forward.log_scale = p->bar->log_initial;
    for (size_t beat = 0; beat < space->beats; beat++) {
        const double *sum = beat == 0 ? p->downbeat_sum : p->beat_sum;
        for (size_t j = 0; j < p->tempi; j++) {
            const size_t interval = space->intervals[j];
            const size_t inside = p->bar->beat_frames[beat * p->tempi + j];
            for (size_t u = 0; u < interval; u++) {
                /* At frame 0 the path is at position interval - u. */
                const size_t position = interval - u;
                const size_t seen = position < inside ? inside - position : 0;
                const size_t to = seen < frames ? seen : frames;
                row_at(&p->forward, u)[place_of_next(p, beat) + j] = exp(sum[to] - sum[0]);
            }
        }
    }
}

/* Forwards over a chunk, keeping its entries. */
static void run_forward(passes *p, size_t start, size_t end)
{
    const a1_beat_space *space = &p->bar->space;
    for (size_t t = start; t < end; t++) {
        const size_t kept = (t - start) % p->kept;
        double *entries = p->entries + kept * p->rows;
        p->spread(&p->change, row_at(&p->forward, t), entries);
        p->entry_scales[kept] = p->forward.log_scale;
        fill_gains(p, t);
        for (size_t j = 0; j < p->tempi; j++) {
            double *leaving = row_after(p, &p->forward, t, j);
            for (size_t beat = 0; beat < space->beats; beat++) {
                const size_t i = place_of(p, beat) + j;
                leaving[place_of_next(p, beat) + j] = entries[i] * p->gain_of[p->seen_as[i]];
            }
        }
        if (t % CHECK_FRAMES == 0)
            scale_if_needed(&p->forward, t + space->intervals[0]);
    }
}

/* All that would leave a beat at or after the end. */
static double end_forward(const passes *p)
{
    const a1_beat_space *space = &p->bar->space;
    double sum = 0;
    for (size_t beat = 0; beat < space->beats; beat++)
        for (size_t j = 0; j < p->tempi; j++)
            for (size_t u = 0; u < space->intervals[j]; u++)
                sum += row_at(&p->forward, p->gains->frames + u)[place_of_next(p, beat) + j];
    return log(sum) + p->forward.log_scale;
}

static void begin_backward(passes *p)
{
    for (size_t i = 0; i < p->rows * p->backward.length; i++)
        p->backward.values[i] = 1;
    p->backward.log_scale = 0;
}

/* Backwards over a chunk whose entries are there. */
static void run_backward(passes *p, size_t start, size_t end, double log_sum, double *beats,
                         double *downbeats)
{
    const a1_beat_space *space = &p->bar->space;
    for (size_t t = end; t-- > start;) {
        const double *entries = p->entries + (t - start) * p->rows;
        const double scale =
            exp(p->entry_scales[t - start] + p->backward.log_scale - log_sum);
        double of_beat[A1_MAX_BEATS_PER_BAR] = {0};
        fill_gains(p, t);
        for (size_t j = 0; j < p->tempi; j++) {
            const double *following = row_after(p, &p->backward, t, j);
            for (size_t beat = 0; beat < space->beats; beat++) {
                const size_t i = place_of(p, beat) + j;
                p->after[i] = following[place_of_next(p, beat) + j] * p->gain_of[p->seen_as[i]];
                of_beat[beat] += entries[i] * p->after[i];
            }
        }
        for (size_t beat = 0; beat < space->beats; beat++)
            of_beat[beat] *= scale;
        p->spread(&p->change_back, p->after, row_at(&p->backward, t));
        downbeats[t] = beats[t] = of_beat[0];
        for (size_t beat = 1; beat < space->beats; beat++)
            beats[t] += of_beat[beat];
        if (t % CHECK_FRAMES == 0)
            scale_if_needed(&p->backward, t);
    }
}

/* The probability that `to` follows `from`; 0 beyond the tempi. */
static double change_of(const passes *p, size_t from, size_t to)
{
    return from < p->tempi && to < p->tempi
               ? exp(p->bar->transitions.log_change[from * p->tempi + to])
               : 0;
}

/* `back`: from a beat's tempi to those before. */
static void fill_changes(const passes *p, const a1_spread_plan *plan, bool back)
{
    double *weights = p->weights + (back ? p->tempi * p->pitch : 0);
    for (size_t g = 0; g < plan->group_count; g++) {
        size_t first = p->tempi, end = 0;
        for (size_t from = 0; from < p->tempi; from++) {
            bool reaches = false;
            for (size_t k = 0; k < A1_SPREAD_GROUP; k++) {
                const size_t to = g * A1_SPREAD_GROUP + k;
                const double value = back ? change_of(p, to, from) : change_of(p, from, to);
                weights[(g * p->tempi + from) * A1_SPREAD_GROUP + k] = value;
                reaches = reaches || value > 0;
            }
            if (!reaches)
                continue;
            first = from < first ? from : first;
            end = from + 1;
        }
        plan->groups[g] = (a1_spread_group){
            .first_source = first,
            .source_count = end > first ? end - first : 0,
            .weights = weights + (g * p->tempi + first) * A1_SPREAD_GROUP,
        };
    }
}

static void fill_places(passes *p)
{
    const a1_beat_space *space = &p->bar->space;
    for (size_t j = 0; j < p->tempi; j++)
        p->ahead[j] = space->intervals[j] * p->rows;
    for (size_t beat = 0; beat < space->beats; beat++)
        for (size_t j = 0; j < p->tempi; j++)
            p->seen_as[place_of(p, beat) + j] = p->bar->beat_frames[beat * p->tempi + j] +
                                                (beat == 0 ? p->most_frames + 1 : 0);
}

static void fill_sums(passes *p)
{
    p->beat_sum[0] = p->downbeat_sum[0] = 0;
    for (size_t t = 0; t < p->gains->frames; t++) {
        p->beat_sum[t + 1] = p->beat_sum[t] + p->gains->beat[t];
        p->downbeat_sum[t + 1] = p->downbeat_sum[t] + p->gains->downbeat[t];
    }
}

static a1_spread_fn choose_spread(allin1_cpu_level level)
{
#if defined(__x86_64__)
    if (level == ALLIN1_CPU_AVX512)
        return a1_spread_avx512;
    if (level == ALLIN1_CPU_AVX2)
        return a1_spread_avx2;
#endif
    (void)level;
    return a1_spread_scalar;
}

static void plan(passes *p, allin1_cpu_level level, bool goes_back)
{
    const a1_beat_space *space = &p->bar->space;
    p->spread = choose_spread(level);
    p->tempi = space->interval_count;
    p->change.beats = p->change_back.beats = space->beats;
    p->change.group_count = p->change_back.group_count =
        (p->tempi + A1_SPREAD_GROUP - 1) / A1_SPREAD_GROUP;
    p->pitch = p->change.group_count * A1_SPREAD_GROUP;
    p->rows = space->beats * p->pitch;
    p->longest = space->intervals[p->tempi - 1];
    for (size_t i = 0; i < space->beats * p->tempi; i++)
        p->most_frames =
            p->bar->beat_frames[i] > p->most_frames ? p->bar->beat_frames[i] : p->most_frames;
    p->chunk = ENTRY_BYTES / (p->rows * sizeof(double));
    p->chunk = p->chunk < 4 * p->longest ? 4 * p->longest : p->chunk;
    /* Then the checkpoints, a ring a chunk, take as much as the entries. */
    const size_t even = (size_t)sqrt((double)p->gains->frames * (double)p->longest);
    p->chunk = p->chunk < even ? even : p->chunk;
    p->chunk = p->chunk < p->gains->frames && goes_back ? p->chunk : p->gains->frames;
    p->chunks = (p->gains->frames + p->chunk - 1) / p->chunk;
    p->kept = goes_back ? p->chunk : 1;
    p->forward.rows = p->backward.rows = p->rows;
    p->forward.length = p->backward.length = p->longest + 1;
}

/* Parts of one block: without an arena they are only added up. */
typedef struct parts {
    a1_arena *arena;
    size_t bytes;
} parts;

static void *take(parts *taken, size_t count, size_t size)
{
    taken->bytes += a1_arena_cost(count * size);
    return taken->arena ? a1_arena_alloc(taken->arena, count * size) : NULL;
}

static void take_memory(passes *p, parts *taken)
{
    const size_t frames = p->gains->frames, ring_size = p->rows * p->forward.length;
    p->change.groups = take(taken, p->change.group_count, sizeof *p->change.groups);
    p->change_back.groups = take(taken, p->change.group_count, sizeof *p->change_back.groups);
    p->weights = take(taken, 2 * p->tempi * p->pitch, sizeof *p->weights);
    p->ahead = take(taken, p->tempi, sizeof *p->ahead);
    p->seen_as = take(taken, p->rows, sizeof *p->seen_as);
    p->beat_sum = take(taken, frames + 1, sizeof *p->beat_sum);
    p->downbeat_sum = take(taken, frames + 1, sizeof *p->downbeat_sum);
    p->gain_of = take(taken, 2 * (p->most_frames + 1), sizeof *p->gain_of);
    p->after = take(taken, p->rows, sizeof *p->after);
    p->forward.values = take(taken, ring_size, sizeof *p->forward.values);
    p->backward.values = take(taken, ring_size, sizeof *p->backward.values);
    p->checkpoints = take(taken, p->chunks * ring_size, sizeof *p->checkpoints);
    p->checkpoint_scales = take(taken, p->chunks, sizeof *p->checkpoint_scales);
    p->entries = take(taken, p->kept * p->rows, sizeof *p->entries);
    p->entry_scales = take(taken, p->kept, sizeof *p->entry_scales);
}

static size_t chunk_end(const passes *p, size_t index)
{
    const size_t end = (index + 1) * p->chunk;
    return end < p->gains->frames ? end : p->gains->frames;
}

allin1_status a1_posterior(const a1_bar_model *bar, allin1_cpu_level level, const a1_gains *gains,
                           double *log_sum, double *beats, double *downbeats, a1_error *err)
{
    passes p = {.bar = bar, .gains = gains};
    plan(&p, level, beats != NULL);
    parts needed = {0};
    take_memory(&p, &needed);
    void *block = a1_aligned_alloc(needed.bytes);
    if (!block)
        return a1_fail(err, ALLIN1_ERROR_MEMORY, "out of memory for the beats' confidences (%zu MB)",
                       needed.bytes >> 20);
    a1_arena arena = {.base = block, .capacity = needed.bytes};
    take_memory(&p, &(parts){.arena = &arena});
    const size_t ring_size = p.rows * p.forward.length;
    memset(p.after, 0, p.rows * sizeof *p.after);
    fill_changes(&p, &p.change, false);
    fill_changes(&p, &p.change_back, true);
    fill_places(&p);
    fill_sums(&p);
    begin_forward(&p);
    for (size_t index = 0; index < p.chunks; index++) {
        memcpy(p.checkpoints + index * ring_size, p.forward.values, ring_size * sizeof(double));
        p.checkpoint_scales[index] = p.forward.log_scale;
        run_forward(&p, index * p.chunk, chunk_end(&p, index));
    }
    *log_sum = end_forward(&p);
    begin_backward(&p);
    for (size_t index = beats ? p.chunks : 0; index-- > 0;) {
        if (index + 1 < p.chunks) {
            memcpy(p.forward.values, p.checkpoints + index * ring_size, ring_size * sizeof(double));
            p.forward.log_scale = p.checkpoint_scales[index];
            run_forward(&p, index * p.chunk, chunk_end(&p, index));
        }
        run_backward(&p, index * p.chunk, chunk_end(&p, index), *log_sum, beats, downbeats);
    }
    a1_aligned_free(block);
    return ALLIN1_OK;
}
