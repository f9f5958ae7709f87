/* The time layer: two dilated attentions on the same input, then a perceptron over both.
 *
 * A dilation of 32 or more leads from block to block, so blocks that are d / 32 apart are taken
 * together as a strip, whose rows are one another's neighbours. Laid side by side, a strip's frames
 * are a sequence in which the dilations are 32 and 64, as small ones are in the frames' own order:
 * a strip of all blocks. Keys and values of a strip's rows stay in the second-level cache while its
 * rows are worked off. */
#include <string.h>

#include "network/stages.h"
#include "nn/neighborhood.h"

#define DIM A1_NET_DIM

/* Rows whose attention is done together, head by head, so that the neighbours they share are still
 * in the first-level cache. */
#define GROUP 4
/* Rows of keys and values that are kept: at least those in reach of a group, at most 4 * 64 frames
 * on each side. When the room is used up, the rows still needed move to its front. */
#define CAPACITY 32
/* Rows before the first one, which lanes read whose result is dropped. */
#define MARGIN 8
/* An odd number of cache lines, so that the channels of a frame do not share cache sets. */
#define KV_STRIDE ((size_t)(MARGIN + CAPACITY) * A1_LANES + 16)
/* Rows of the smallest task: those in reach beside a task have their keys and values computed
 * twice, with the same bits. */
#define SEGMENT_LEAST 16
#define KV_ROWS (4 * DIM)

typedef struct scratch {
    float keys_values[KV_ROWS * KV_STRIDE];
    float normed[2 * DIM * A1_LANES];
    float queries[GROUP][2 * DIM * A1_LANES];
    float mixed[GROUP][2 * DIM * A1_LANES];
    float both[2 * DIM * A1_LANES];
    float hidden[A1_NET_TIME_HIDDEN * A1_LANES];
    float keep[A1_LANES];
} scratch;

typedef struct time_layer {
    a1_network_job *job;
    const a1_time_model *model;
    size_t dilation;
    size_t length;   /* frames with padding */
    size_t step;     /* blocks from row to row of a strip */
    size_t local;    /* the first dilation, in frames of a strip */
    size_t strips;   /* with at least one real block */
    size_t segments; /* of a strip */
} time_layer;

/* The part of a strip that a task works on. */
typedef struct segment {
    size_t stem, strip;
    size_t base;   /* the row at the front of the room */
    size_t filled; /* rows before this one have keys and values */
    size_t rows;   /* of the strip, with padding */
} segment;

size_t a1_time_layer_scratch(void)
{
    return sizeof(scratch) / sizeof(float);
}

static a1_lane_input rows_of(const float *x)
{
    return (a1_lane_input){x, A1_LANES, 0};
}

/* Keys and values of one row. Padding is zero behind the norm, which leaves the biases. */
static void fill_row(const time_layer *l, size_t stem, size_t block, scratch *s, float *out)
{
    const a1_network_job *job = l->job;
    if (block >= job->blocks) {
        for (size_t c = 0; c < KV_ROWS; c++)
            for (size_t lane = 0; lane < A1_LANES; lane++)
                out[c * KV_STRIDE + lane] = l->model->keys_values_bias[c];
        return;
    }
    if (block + l->step < job->blocks)
        a1_prefetch_block(a1_state_block(job->state, job, stem, block + l->step));
    job->kernels->layer_norm(a1_state_block(job->state, job, stem, block), DIM,
                             l->model->before.weight, l->model->before.bias, s->normed);
    a1_clear_lanes(s->normed, DIM, A1_LANES, a1_block_frames(job, block));
    const a1_lane_input in = rows_of(s->normed);
    job->kernels->dense(&l->model->keys_values, &in, out, KV_STRIDE);
}

/* Head `head` of attention `which` for one block; `keys_values` are at its first frame. */
static void attend(const time_layer *l, size_t which, size_t head, const a1_block_shifts *shifts,
                   const float *queries, const float *keys_values, float *keep, float *mixed)
{
    const size_t channel = head * A1_NET_HEAD_DIM, row = which * DIM + channel;
    a1_lane_attention a = {.q = queries + row * A1_LANES,
                           .k = keys_values + (2 * which * DIM + channel) * KV_STRIDE,
                           .v = keys_values + ((2 * which + 1) * DIM + channel) * KV_STRIDE,
                           .kv_stride = KV_STRIDE,
                           .dilation = (ptrdiff_t)(l->local << which),
                           .shift = shifts->lowest,
                           .position = l->model->position[which] + head * A1_NET_OFFSETS,
                           .out = mixed + row * A1_LANES};
    if (shifts->uniform) {
        l->job->kernels->attend(&a);
        return;
    }
    a.keep = keep;
    for (; a.shift <= shifts->highest; a.shift++)
        if (a1_block_shifts_select(shifts, a.shift, keep))
            l->job->kernels->attend(&a);
}

/* What follows the attentions of one block. */
static void finish_block(const time_layer *l, size_t stem, size_t block, const float *mixed,
                         scratch *s)
{
    const a1_network_job *job = l->job;
    const a1_lane_kernels *kernels = job->kernels;
    const a1_time_model *m = l->model;
    const float *state = a1_state_block(job->state, job, stem, block);
    a1_lane_input in;
    for (size_t which = 0; which < 2; which++) {
        in = rows_of(mixed + which * A1_NET_BLOCK_FLOATS);
        kernels->dense_add(&m->attended[which], &in, state, s->both + which * A1_NET_BLOCK_FLOATS,
                           A1_LANES);
    }
    kernels->layer_norm(s->both, 2 * DIM, m->after.weight, m->after.bias, s->normed);
    in = rows_of(s->normed);
    kernels->dense_gelu(&m->hidden, &in, s->hidden, A1_LANES);
    kernels->mean(s->both, s->both + A1_NET_BLOCK_FLOATS, DIM, s->both);
    in = rows_of(s->hidden);
    kernels->dense_add(&m->output, &in, s->both, a1_state_block(job->next, job, stem, block),
                       A1_LANES);
}

/* `count` rows of a strip, whose first block is `block`. */
static void run_group(const time_layer *l, size_t stem, size_t block, size_t count,
                      a1_block_shifts (*shifts)[2], scratch *s, const float *keys_values)
{
    const a1_network_job *job = l->job;
    const a1_time_model *m = l->model;
    const a1_lane_input in = rows_of(s->normed);
    for (size_t i = 0; i < count; i++) {
        job->kernels->layer_norm(a1_state_block(job->state, job, stem, block + i * l->step), DIM,
                                 m->before.weight, m->before.bias, s->normed);
        job->kernels->dense(&m->queries, &in, s->queries[i], A1_LANES);
    }
    for (size_t which = 0; which < 2; which++)
        for (size_t head = 0; head < A1_NET_HEADS; head++)
            for (size_t i = 0; i < count; i++)
                attend(l, which, head, &shifts[i][which], s->queries[i], keys_values + i * A1_LANES,
                       s->keep, s->mixed[i]);
    for (size_t i = 0; i < count; i++)
        finish_block(l, stem, block + i * l->step, s->mixed[i], s);
}

/* Where the strip's row `row` is, whether it is filled or not. */
static float *row_at(scratch *s, const segment *g, size_t row)
{
    return s->keys_values + (MARGIN + row - g->base) * A1_LANES;
}

/* Sees to it that the frames low..high-1 of the strip have keys and values. What lies outside the
 * strip is only read by lanes whose result is dropped. */
static void fill_to(const time_layer *l, segment *g, ptrdiff_t low, ptrdiff_t high, scratch *s)
{
    const size_t first = low > 0 ? (size_t)low / A1_LANES : 0;
    const size_t end = ((size_t)high + A1_LANES - 1) / A1_LANES;
    if (end > g->base + CAPACITY) {
        const size_t kept = g->filled > first ? g->filled - first : 0;
        for (size_t c = 0; c < KV_ROWS && kept > 0; c++) {
            float *row = s->keys_values + c * KV_STRIDE + MARGIN * A1_LANES;
            memmove(row, row + (first - g->base) * A1_LANES, kept * A1_LANES * sizeof *row);
        }
        g->base = first;
    }
    for (; g->filled < g->rows && g->filled < end; g->filled++)
        fill_row(l, g->stem, g->strip + g->filled * l->step, s, row_at(s, g, g->filled));
}

static void run_task(void *argument, size_t index, unsigned worker)
{
    const time_layer *l = argument;
    const a1_network_job *job = l->job;
    scratch *s = (scratch *)(void *)(job->scratch + worker * job->scratch_stride);
    const size_t part = index % l->segments, all = (l->length + A1_LANES - 1) / A1_LANES;
    segment g = {.stem = index / l->segments / l->strips, .strip = index / l->segments % l->strips};
    g.rows = (all - g.strip + l->step - 1) / l->step;
    const size_t real = (job->blocks - g.strip + l->step - 1) / l->step;
    const size_t begin = real * part / l->segments, end = real * (part + 1) / l->segments;
    for (size_t row = begin; row < end; row += GROUP) {
        const size_t count = end - row < GROUP ? end - row : GROUP;
        a1_block_shifts shifts[GROUP][2];
        ptrdiff_t low = (ptrdiff_t)(row * A1_LANES), high = (ptrdiff_t)((row + count) * A1_LANES);
        for (size_t i = 0; i < 2 * count; i++) {
            const size_t block = g.strip + (row + i / 2) * l->step, which = i % 2;
            const ptrdiff_t reach = (ptrdiff_t)(l->local << which);
            const a1_block_shifts found = a1_block_shifts_find(block * A1_LANES, job->frames,
                                                               l->length, l->dilation << which);
            const ptrdiff_t from = (ptrdiff_t)((row + i / 2) * A1_LANES) + found.lowest * reach;
            const ptrdiff_t to = (ptrdiff_t)((row + i / 2 + 1) * A1_LANES) +
                                 (found.highest + A1_LANE_WINDOW - 1) * reach;
            shifts[i / 2][which] = found;
            low = from < low ? from : low;
            high = to > high ? to : high;
        }
        if (row == begin)
            g.base = g.filled = low > 0 ? (size_t)low / A1_LANES : 0;
        fill_to(l, &g, low, high, s);
        run_group(l, g.stem, g.strip + row * l->step, count, shifts, s, row_at(s, &g, row));
    }
}

void a1_time_layer_run(a1_network_job *job, const a1_time_model *model, size_t dilation)
{
    time_layer l = {.job = job, .model = model, .dilation = dilation};
    l.length = job->frames < 10 * dilation ? 10 * dilation : job->frames;
    l.step = dilation < A1_LANES ? 1 : dilation / A1_LANES;
    l.local = dilation / l.step;
    l.strips = l.step < job->blocks ? l.step : job->blocks;
    const size_t rows = (job->blocks + l.step - 1) / l.step;
    l.segments = a1_task_parts(job, A1_NET_STEMS * l.strips, rows, SEGMENT_LEAST);
    a1_pool_run(job->pool, A1_NET_STEMS * l.strips * l.segments, run_task, &l);
    float *swap = job->state;
    job->state = job->next;
    job->next = swap;
}
