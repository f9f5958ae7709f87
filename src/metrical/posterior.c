#include "metrical/posterior.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

/* As in the fast decoder a path is known by where it enters beats, so sums over entries (beat, tempo)
 * are enough. Everything is relative to a path that is never inside a beat range: only the few frames
 * of beat ranges count. Probabilities are kept as they are, in doubles; when they grow or shrink too
 * far, all are scaled and the scale's logarithm is kept. */

#define ENTRY_BYTES ((size_t)32 << 20) /* for entries; longer music goes forwards twice */
#define CHECK_FRAMES 32                /* between looks at the scale */
#define LARGE 1e60

/* What leaves (beat, tempo) at a frame, or what follows after it: rows of `rows` values for `length`
 * frames around. */
typedef struct ring {
    double *values;
    size_t rows, length;
    double log_scale; /* of all values; the true ones are exp(log_scale) as large */
} ring;

typedef struct passes {
    const a1_bar_model *bar;
    const a1_gains *gains;
    size_t tempi, rows, longest, most_frames;
    double *change; /* [from][to], probabilities */
    double *change_back; /* transposed */
    size_t *first, *end; /* [tempi] nonzero targets of a source */
    size_t *first_back, *end_back;
    double *beat_sum, *downbeat_sum; /* [frames + 1], running sums of the gains */
    double *gain_of[2];              /* [most_frames + 1] products over the next frames: beat, downbeat */
    ring forward, backward;
    double *checkpoints, *checkpoint_scales;
    size_t chunk, chunks;
    double *entries; /* [chunk][rows], before the gain */
    double *entry_scales; /* [chunk] */
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
    for (size_t n = 0; n <= p->most_frames; n++) {
        const size_t to = frame + n < frames ? frame + n : frames;
        p->gain_of[0][n] = exp(p->beat_sum[to] - p->beat_sum[frame]);
        p->gain_of[1][n] = exp(p->downbeat_sum[to] - p->downbeat_sum[frame]);
    }
}

static double gain(const passes *p, size_t beat, size_t tempo)
{
    return p->gain_of[beat == 0][p->bar->beat_frames[beat * p->tempi + tempo]];
}

/* target[k] += source[i] * matrix[i][k] over the matrix' nonzero bands. */
static void spread(size_t tempi, const double *matrix, const size_t *first, const size_t *end,
                   const double *source, double *target)
{
    for (size_t i = 0; i < tempi; i++) {
        const double value = source[i], *weights = matrix + i * tempi;
        if (value == 0)
            continue;
        for (size_t k = first[i]; k < end[i]; k++)
            target[k] += value * weights[k];
    }
}

/* What arrives before any beat was entered: the music began inside a beat, each state equally likely. */
static void begin_forward(passes *p)
{
    const a1_beat_space *space = &p->bar->space;
    const size_t frames = p->gains->frames;
    memset(p->forward.values, 0, p->rows * p->forward.length * sizeof(double));
    p->forward.log_scale = p->bar->log_initial;
    for (size_t row = 0; row < p->rows; row++) {
        const size_t interval = space->intervals[row % p->tempi], inside = p->bar->beat_frames[row];
        const double *sum = row < p->tempi ? p->downbeat_sum : p->beat_sum;
        for (size_t u = 0; u < interval; u++) {
            /* At frame 0 the path is at position interval - u. */
            const size_t position = interval - u;
            const size_t seen = position < inside ? inside - position : 0;
            const size_t to = seen < frames ? seen : frames;
            row_at(&p->forward, u)[row] = exp(sum[to] - sum[0]);
        }
    }
}

/* Forwards over a chunk, keeping its entries. */
static void run_forward(passes *p, size_t start, size_t end)
{
    const a1_beat_space *space = &p->bar->space;
    for (size_t t = start; t < end; t++) {
        double *entries = p->entries + (t - start) * p->rows;
        const double *leaving = row_at(&p->forward, t);
        memset(entries, 0, p->rows * sizeof *entries);
        for (size_t beat = 0; beat < space->beats; beat++)
            spread(p->tempi, p->change, p->first, p->end,
                   leaving + (beat + space->beats - 1) % space->beats * p->tempi,
                   entries + beat * p->tempi);
        p->entry_scales[t - start] = p->forward.log_scale;
        fill_gains(p, t);
        for (size_t beat = 0; beat < space->beats; beat++)
            for (size_t j = 0; j < p->tempi; j++)
                row_at(&p->forward, t + space->intervals[j])[beat * p->tempi + j] =
                    entries[beat * p->tempi + j] * gain(p, beat, j);
        if (t % CHECK_FRAMES == 0)
            scale_if_needed(&p->forward, t + space->intervals[0]);
    }
}

/* All that would leave a beat at or after the end. */
static double end_forward(const passes *p)
{
    const a1_beat_space *space = &p->bar->space;
    double sum = 0;
    for (size_t row = 0; row < p->rows; row++)
        for (size_t u = 0; u < space->intervals[row % p->tempi]; u++)
            sum += row_at(&p->forward, p->gains->frames + u)[row];
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
        double of_beat[A1_MAX_BEATS_PER_BAR];
        double after[A1_MAX_BEATS_PER_BAR][A1_MAX_BEAT_INTERVALS];
        fill_gains(p, t);
        for (size_t beat = 0; beat < space->beats; beat++) {
            double sum = 0;
            for (size_t j = 0; j < p->tempi; j++) {
                const size_t row = beat * p->tempi + j;
                after[beat][j] =
                    row_at(&p->backward, t + space->intervals[j])[row] * gain(p, beat, j);
                sum += entries[row] * after[beat][j];
            }
            of_beat[beat] = sum * scale;
        }
        double *before = row_at(&p->backward, t);
        memset(before, 0, p->rows * sizeof *before);
        for (size_t beat = 0; beat < space->beats; beat++)
            spread(p->tempi, p->change_back, p->first_back, p->end_back, after[beat],
                   before + (beat + space->beats - 1) % space->beats * p->tempi);
        downbeats[t] = beats[t] = of_beat[0];
        for (size_t beat = 1; beat < space->beats; beat++)
            beats[t] += of_beat[beat];
        if (t % CHECK_FRAMES == 0)
            scale_if_needed(&p->backward, t);
    }
}

static void fill_changes(passes *p)
{
    const size_t n = p->tempi;
    for (size_t i = 0; i < n; i++) {
        p->first[i] = p->first_back[i] = n;
        p->end[i] = p->end_back[i] = 0;
    }
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < n; k++) {
            const double value = exp(p->bar->transitions.log_change[i * n + k]);
            p->change[i * n + k] = p->change_back[k * n + i] = value;
            if (value == 0)
                continue;
            p->first[i] = k < p->first[i] ? k : p->first[i];
            p->end[i] = k + 1;
            p->first_back[k] = i < p->first_back[k] ? i : p->first_back[k];
            p->end_back[k] = i + 1;
        }
    }
}

static void fill_sums(passes *p)
{
    p->beat_sum[0] = p->downbeat_sum[0] = 0;
    for (size_t t = 0; t < p->gains->frames; t++) {
        p->beat_sum[t + 1] = p->beat_sum[t] + p->gains->beat[t];
        p->downbeat_sum[t + 1] = p->downbeat_sum[t] + p->gains->downbeat[t];
    }
}

static void plan(passes *p)
{
    const a1_beat_space *space = &p->bar->space;
    p->tempi = space->interval_count;
    p->rows = space->beats * p->tempi;
    p->longest = space->intervals[p->tempi - 1];
    for (size_t row = 0; row < p->rows; row++)
        p->most_frames =
            p->bar->beat_frames[row] > p->most_frames ? p->bar->beat_frames[row] : p->most_frames;
    p->chunk = ENTRY_BYTES / (p->rows * sizeof(double));
    p->chunk = p->chunk < 4 * p->longest ? 4 * p->longest : p->chunk;
    p->chunk = p->chunk < p->gains->frames ? p->chunk : p->gains->frames;
    p->chunks = (p->gains->frames + p->chunk - 1) / p->chunk;
    p->forward.rows = p->backward.rows = p->rows;
    p->forward.length = p->backward.length = p->longest + 1;
}

/* Everything in one arena: two passes over the list of what is needed, to add up and to hand out. */
static bool take_memory(passes *p, a1_arena *arena, size_t *total)
{
    const size_t ring_size = p->rows * p->forward.length;
    const struct {
        void **to;
        size_t count, size;
    } needs[] = {
        {(void **)&p->change, p->tempi * p->tempi, sizeof(double)},
        {(void **)&p->change_back, p->tempi * p->tempi, sizeof(double)},
        {(void **)&p->first, p->tempi, sizeof(size_t)},
        {(void **)&p->end, p->tempi, sizeof(size_t)},
        {(void **)&p->first_back, p->tempi, sizeof(size_t)},
        {(void **)&p->end_back, p->tempi, sizeof(size_t)},
        {(void **)&p->beat_sum, p->gains->frames + 1, sizeof(double)},
        {(void **)&p->downbeat_sum, p->gains->frames + 1, sizeof(double)},
        {(void **)&p->gain_of[0], p->most_frames + 1, sizeof(double)},
        {(void **)&p->gain_of[1], p->most_frames + 1, sizeof(double)},
        {(void **)&p->forward.values, ring_size, sizeof(double)},
        {(void **)&p->backward.values, ring_size, sizeof(double)},
        {(void **)&p->checkpoints, p->chunks * ring_size, sizeof(double)},
        {(void **)&p->checkpoint_scales, p->chunks, sizeof(double)},
        {(void **)&p->entries, p->chunk * p->rows, sizeof(double)},
        {(void **)&p->entry_scales, p->chunk, sizeof(double)},
    };
    for (size_t i = 0; i < sizeof needs / sizeof *needs; i++) {
        if (arena)
            *needs[i].to = a1_arena_alloc(arena, needs[i].count * needs[i].size);
        else
            *total += a1_arena_cost(needs[i].count * needs[i].size);
        if (arena && !*needs[i].to)
            return false;
    }
    return true;
}

static size_t chunk_end(const passes *p, size_t index)
{
    const size_t end = (index + 1) * p->chunk;
    return end < p->gains->frames ? end : p->gains->frames;
}

allin1_status a1_posterior(const a1_bar_model *bar, const a1_gains *gains, double *log_sum,
                           double *beats, double *downbeats, a1_error *err)
{
    passes p = {.bar = bar, .gains = gains};
    plan(&p);
    size_t total = 0;
    take_memory(&p, NULL, &total);
    void *block = a1_aligned_alloc(total);
    a1_arena arena = {.base = block, .capacity = total};
    if (!block || !take_memory(&p, &arena, NULL)) {
        a1_aligned_free(block);
        return a1_fail(err, ALLIN1_ERROR_MEMORY, "out of memory for the beats' confidences (%zu MB)",
                       total >> 20);
    }
    const size_t ring_size = p.rows * p.forward.length;
    fill_changes(&p);
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
