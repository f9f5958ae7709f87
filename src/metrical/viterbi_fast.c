#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "metrical/exact_sums.h"
#include "metrical/viterbi.h"

/* Inside a beat the tempo is constant and the path has no choice, so a path is known by where it
 * enters a beat. Of every frame only the scores of the entries (beat, tempo) are computed and kept;
 * which tempo was left is found again on the traced path alone. */

#define CHUNK_BEATS 4 /* a chunk has at least as many of the slowest beats */

static size_t round_up(size_t value, size_t unit)
{
    return (value + unit - 1) / unit * unit;
}

static unsigned longest_interval(const a1_bar_model *bar)
{
    return bar->space.intervals[bar->space.interval_count - 1];
}

static size_t ring_count(const a1_block_plan *plan)
{
    return plan->beats * plan->tempi * plan->ring_stride;
}

static size_t block_entries(const a1_block_plan *plan)
{
    return plan->beats * plan->group_count * A1_BLOCK_GROUP * A1_BLOCK_LANES;
}

/* Source tempi of the four targets from `first_target`, and how the weights look. */
static size_t fill_group(const a1_bar_model *bar, size_t first_target, a1_block_group *group,
                         double *weights)
{
    const size_t tempi = bar->space.interval_count;
    size_t first = tempi, end = 0;
    for (size_t to = first_target; to < first_target + A1_BLOCK_GROUP && to < tempi; to++) {
        for (size_t from = 0; from < tempi; from++) {
            if (bar->transitions.log_change[from * tempi + to] == -INFINITY)
                continue;
            first = from < first ? from : first;
            end = from + 1 > end ? from + 1 : end;
        }
    }
    group->first_source = first;
    group->source_count = end - first;
    group->weights = weights;
    for (size_t from = first; from < end; from++) {
        for (size_t k = 0; k < A1_BLOCK_GROUP; k++) {
            const size_t to = first_target + k;
            *weights++ = to < tempi ? bar->transitions.log_change[from * tempi + to] : -INFINITY;
        }
    }
    return group->source_count * A1_BLOCK_GROUP;
}

static a1_block_fn choose_block(allin1_cpu_level level)
{
#if defined(__x86_64__)
    if (level == ALLIN1_CPU_AVX512)
        return a1_block_avx512;
    if (level == ALLIN1_CPU_AVX2)
        return a1_block_avx2;
#endif
    (void)level;
    return a1_block_scalar;
}

allin1_status a1_fast_model_create(a1_fast_model *fast, const a1_bar_model *bar,
                                   allin1_cpu_level level, a1_error *err)
{
    const size_t tempi = bar->space.interval_count;
    const size_t shortest = bar->space.intervals[0], longest = longest_interval(bar);
    a1_block_plan *plan = &fast->plan;
    memset(fast, 0, sizeof *fast);
    fast->bar = bar;
    fast->block = choose_block(level);
    plan->beats = bar->space.beats;
    plan->tempi = tempi;
    plan->group_count = (tempi + A1_BLOCK_GROUP - 1) / A1_BLOCK_GROUP;
    plan->intervals = bar->space.intervals;
    plan->beat_frames = bar->beat_frames;
    plan->step = shortest < A1_BLOCK_LANES ? shortest : A1_BLOCK_LANES;
    plan->ring_length = round_up(longest + A1_BLOCK_LANES, plan->step);
    /* An odd number of cache lines, so that the same column of many rows falls into many sets. */
    plan->ring_stride = (round_up(plan->ring_length + A1_BLOCK_LANES, 8) / 8 | 1) * 8;
    fast->groups = calloc(plan->group_count, sizeof *fast->groups);
    fast->weights = a1_aligned_alloc(plan->group_count * A1_BLOCK_GROUP * tempi * sizeof(double));
    if (!fast->groups || !fast->weights) {
        a1_fast_model_destroy(fast);
        return a1_fail_memory(err, "the beat decoder's transitions");
    }
    size_t used = 0;
    for (size_t g = 0; g < plan->group_count; g++)
        used += fill_group(bar, g * A1_BLOCK_GROUP, &fast->groups[g], fast->weights + used);
    plan->groups = fast->groups;
    return ALLIN1_OK;
}

void a1_fast_model_destroy(a1_fast_model *fast)
{
    free(fast->groups);
    a1_aligned_free(fast->weights);
    memset(fast, 0, sizeof *fast);
}

/* Frames of every chunk but the last, which takes what is left, up to one slowest beat more: the
 * search for the last state looks back that far. */
static size_t chunk_frames(const a1_fast_model *fast, size_t history_bytes)
{
    const size_t block_bytes = block_entries(&fast->plan) * sizeof(double);
    const size_t frames = history_bytes / block_bytes * fast->plan.step;
    const size_t least = round_up(CHUNK_BEATS * longest_interval(fast->bar), fast->plan.step);
    return frames < least ? least : frames;
}

static size_t chunk_count(size_t frames, size_t chunk, size_t longest)
{
    size_t count = 1;
    while (frames > chunk + longest) {
        frames -= chunk;
        count++;
    }
    return count;
}

typedef struct decoder {
    const a1_fast_model *fast;
    const a1_densities *densities;
    size_t frames;
    size_t chunk;
    size_t chunks;
    size_t start; /* first frame of the chunk in `entries` */
    double *ring;
    double *checkpoints; /* the ring at the start of each chunk */
    double *entries;     /* of the current chunk, a1_block_fn's layout block by block */
    a1_exact_sums sums;
} decoder;

size_t a1_viterbi_fast_cost(const a1_fast_model *fast, size_t frames, size_t history_bytes)
{
    const a1_block_plan *plan = &fast->plan;
    const size_t longest = longest_interval(fast->bar);
    const size_t chunk = chunk_frames(fast, history_bytes);
    const size_t held = frames < chunk + longest ? frames : chunk + longest;
    const size_t blocks = (held + plan->step - 1) / plan->step;
    const size_t ring_bytes = a1_arena_cost(ring_count(plan) * sizeof(double));
    const size_t chunks = frames / chunk + 1; /* never fewer than chunk_count */
    const size_t entry_bytes = a1_arena_cost(blocks * block_entries(plan) * sizeof(double)) +
                               a1_exact_sums_cost(frames, longest + A1_BLOCK_LANES);
    if (chunks >= (SIZE_MAX - entry_bytes) / ring_bytes - 1)
        return SIZE_MAX;
    return (chunks + 1) * ring_bytes + entry_bytes;
}

/* Adds what (beat, tempo) sees from `position` at frame `t` on to the frame before `end`. */
static double add_densities(const decoder *d, double value, size_t beat, size_t tempo,
                            size_t position, size_t t, size_t end)
{
    const a1_block_plan *plan = &d->fast->plan;
    const size_t beat_frames = plan->beat_frames[beat * plan->tempi + tempo];
    const double *inside = d->densities->column[beat == 0 ? A1_DENSITY_DOWNBEAT : A1_DENSITY_BEAT];
    const double *outside = d->densities->column[A1_DENSITY_NONE];
    for (; t < end && position < beat_frames; t++, position++)
        value += inside[t];
    for (; t < end; t++)
        value += outside[t];
    return value;
}

/* What arrives at frame u < interval out of a beat in which the music began: at frame 0 the path
 * was interval - u frames into it. */
static void begin(decoder *d)
{
    const a1_bar_model *bar = d->fast->bar;
    const a1_block_plan *plan = &d->fast->plan;
    const double *none = d->densities->column[A1_DENSITY_NONE];
    for (size_t beat = 0; beat < plan->beats; beat++) {
        for (size_t j = 0; j < plan->tempi; j++) {
            const size_t interval = plan->intervals[j], row = beat * plan->tempi + j;
            const size_t plain = interval - plan->beat_frames[row];
            double *arriving = d->ring + row * plan->ring_stride;
            double sum = bar->log_initial;
            arriving[0] = sum;
            for (size_t u = 1; u < interval && u <= d->frames; u++) {
                if (u <= plain) {
                    sum += none[u - 1];
                    arriving[u] = sum;
                    continue;
                }
                arriving[u] = add_densities(d, bar->log_initial, beat, j, interval - u, 0, u);
            }
        }
    }
}

static size_t chunk_end(const decoder *d, size_t index)
{
    return index + 1 == d->chunks ? d->frames : (index + 1) * d->chunk;
}

/* Decodes chunk `index` forwards from the ring as it is, filling `entries`. */
static void run_chunk(decoder *d, size_t index)
{
    const a1_block_plan *plan = &d->fast->plan;
    const size_t size = block_entries(plan), end = chunk_end(d, index);
    double *entries = d->entries;
    d->start = index * d->chunk;
    for (size_t t = d->start; t < end; t += plan->step, entries += size) {
        const a1_block_input in = {
            .none = d->densities->column[A1_DENSITY_NONE] + t,
            .beat = d->densities->column[A1_DENSITY_BEAT] + t,
            .downbeat = d->densities->column[A1_DENSITY_DOWNBEAT] + t,
            .none_sums = d->sums.column[A1_DENSITY_NONE],
            .beat_sums = d->sums.column[A1_DENSITY_BEAT],
            .downbeat_sums = d->sums.column[A1_DENSITY_DOWNBEAT],
            .limit = a1_exact_sums_at(&d->sums, t),
        };
        d->fast->block(plan, d->ring, t % plan->ring_length, &in, entries);
    }
}

static double entry_score(const decoder *d, size_t beat, size_t tempo, size_t frame)
{
    const a1_block_plan *plan = &d->fast->plan;
    const size_t since = frame - d->start;
    return d->entries[since / plan->step * block_entries(plan) +
                      (beat * plan->group_count * A1_BLOCK_GROUP + tempo) * A1_BLOCK_LANES +
                      since % plan->step];
}

/* The score at frame `last` of the path that entered (beat, tempo) at `entry`. */
static double carried_score(const decoder *d, size_t beat, size_t tempo, size_t entry, size_t last)
{
    return add_densities(d, entry_score(d, beat, tempo, entry), beat, tempo, 1, entry + 1,
                         last + 1);
}

/* A place on the path: in (beat, tempo) at `position` at `frame`. */
typedef struct place {
    size_t beat, tempo, position, frame;
} place;

/* The best state of the last frame, the first of equal ones. The last chunk is in `entries`. */
static double best_end(const decoder *d, place *end)
{
    const a1_bar_model *bar = d->fast->bar;
    const a1_block_plan *plan = &d->fast->plan;
    const size_t last = d->frames - 1;
    double best = -INFINITY;
    for (size_t beat = 0; beat < plan->beats; beat++) {
        for (size_t j = 0; j < plan->tempi; j++) {
            for (size_t position = 0; position < plan->intervals[j]; position++) {
                const double value = position <= last
                                         ? carried_score(d, beat, j, last - position, last)
                                         : add_densities(d, bar->log_initial, beat, j,
                                                         position - last, 0, d->frames);
                if (value > best) {
                    best = value;
                    *end = (place){beat, j, position, last};
                }
            }
        }
    }
    return best;
}

/* What arrives at `frame` out of (beat, tempo). `checkpoint` is the ring at the chunk's start: it
 * knows the paths that entered earlier. */
static double arriving_score(const decoder *d, const double *checkpoint, size_t beat, size_t tempo,
                             size_t frame)
{
    const a1_block_plan *plan = &d->fast->plan;
    const size_t interval = plan->intervals[tempo];
    if (frame < d->start + interval)
        return checkpoint[(beat * plan->tempi + tempo) * plan->ring_stride +
                          frame % plan->ring_length];
    return carried_score(d, beat, tempo, frame - interval, frame - 1);
}

/* From which tempo of the beat before the path came into `at`, an entry. Repeats the decoder's
 * comparison with the density added, since rounding can make sums equal that were not before. */
static size_t best_source(const decoder *d, const double *checkpoint, const place *at)
{
    const a1_bar_model *bar = d->fast->bar;
    const size_t tempi = bar->space.interval_count;
    const size_t from_beat = (at->beat + bar->space.beats - 1) % bar->space.beats;
    const double density =
        d->densities->column[a1_bar_density(bar, at->beat, at->tempo, 0)][at->frame];
    double best = -INFINITY;
    size_t source = 0;
    for (size_t from = 0; from < tempi; from++) {
        const double change = bar->transitions.log_change[from * tempi + at->tempo];
        if (change == -INFINITY)
            continue;
        const double value =
            arriving_score(d, checkpoint, from_beat, from, at->frame) + change + density;
        if (value > best) {
            best = value;
            source = from;
        }
    }
    return source;
}

/* Follows the path back to before the current chunk, writing the states. `at` is the last frame not
 * yet written; returns false when frame 0 is. */
static bool trace_chunk(const decoder *d, const double *checkpoint, place *at, uint32_t *path)
{
    const a1_beat_space *space = &d->fast->bar->space;
    for (;;) {
        const size_t first = at->beat * space->beat_states + space->first[at->tempo] + at->position;
        const size_t back = at->position < at->frame ? at->position : at->frame;
        for (size_t k = 0; k <= back; k++)
            path[at->frame - k] = (uint32_t)(first - k);
        at->frame -= back;
        if (at->frame == 0)
            return false;
        at->position = 0;
        if (at->frame < d->start)
            return true;
        const size_t source = best_source(d, checkpoint, at);
        at->beat = (at->beat + space->beats - 1) % space->beats;
        at->tempo = source;
        at->position = space->intervals[source] - 1;
        at->frame--;
    }
}

double a1_viterbi_fast(const a1_fast_model *fast, const a1_densities *densities, size_t frames,
                       size_t history_bytes, a1_arena *scratch, uint32_t *path)
{
    const a1_block_plan *plan = &fast->plan;
    const size_t mark = a1_arena_mark(scratch);
    const size_t longest = longest_interval(fast->bar), ring = ring_count(plan);
    const size_t ring_bytes = ring * sizeof(double);
    decoder d = {.fast = fast, .densities = densities, .frames = frames};
    d.chunk = chunk_frames(fast, history_bytes);
    d.chunks = chunk_count(frames, d.chunk, longest);
    const size_t held = d.chunks == 1 ? frames : d.chunk + longest;
    const size_t blocks = (held + plan->step - 1) / plan->step;
    d.ring = a1_arena_alloc(scratch, ring_bytes);
    d.checkpoints = a1_arena_alloc(scratch, d.chunks * ring_bytes);
    d.entries = a1_arena_alloc(scratch, blocks * block_entries(plan) * sizeof(double));
    a1_exact_sums_create(&d.sums, densities, frames, longest + A1_BLOCK_LANES, scratch);

    begin(&d);
    for (size_t index = 0; index < d.chunks; index++) {
        memcpy(d.checkpoints + index * ring, d.ring, ring_bytes);
        run_chunk(&d, index);
    }
    place at = {0};
    const double log_probability = best_end(&d, &at);
    if (log_probability > -INFINITY) {
        size_t index = d.chunks - 1;
        while (trace_chunk(&d, d.checkpoints + index * ring, &at, path)) {
            index--;
            memcpy(d.ring, d.checkpoints + index * ring, ring_bytes);
            run_chunk(&d, index);
        }
    }
    a1_arena_release(scratch, mark);
    return log_probability;
}
