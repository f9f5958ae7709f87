/* The time layer: two dilated attentions on the same input, then a perceptron over both.
 *
 * A dilation of 32 or more leads from block to block, so blocks that are d / 32 apart are taken
 * together as a strip, whose rows are one another's neighbours. Laid side by side, a strip's frames
 * are a sequence in which the dilations are 32 and 64, as small ones are in the frames' own order:
 * a strip of all blocks. Keys and values of a strip's rows stay in the second-level cache while its
 * rows are worked off. */
#include "network/stages.h"
#include "nn/neighborhood.h"

#define DIM A1_NET_DIM

/* Rows of one task; the rows in reach beside them have their keys and values computed twice. */
#define SEGMENT 32
/* The farthest neighbours are 4 * 64 frames away. */
#define MARGIN 8
#define CAPACITY (SEGMENT + 2 * MARGIN)
/* An odd number of cache lines, so that the channels of a frame do not share cache sets. */
#define KV_STRIDE ((size_t)CAPACITY * A1_LANES + 16)
#define KV_ROWS (4 * DIM)

typedef struct scratch {
    float keys_values[KV_ROWS * KV_STRIDE];
    float normed[2 * DIM * A1_LANES];
    float queries[2 * DIM * A1_LANES];
    float mixed[DIM * A1_LANES];
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
    job->kernels->layer_norm(a1_state_block(job->state, job, stem, block), DIM,
                             l->model->before.weight, l->model->before.bias, s->normed);
    a1_clear_lanes(s->normed, DIM, A1_LANES, a1_block_frames(job, block));
    const a1_lane_input in = rows_of(s->normed);
    job->kernels->dense(&l->model->keys_values, &in, out, KV_STRIDE);
}

/* Attention `which` of one block into s->mixed. */
static void attend(const time_layer *l, size_t which, const a1_block_shifts *shifts, scratch *s,
                   const float *keys_values)
{
    a1_lane_attention a = {.q = s->queries + which * A1_NET_BLOCK_FLOATS,
                           .k = keys_values + 2 * which * DIM * KV_STRIDE,
                           .v = keys_values + (2 * which + 1) * DIM * KV_STRIDE,
                           .kv_stride = KV_STRIDE,
                           .dilation = (ptrdiff_t)(l->local << which),
                           .shift = shifts->lowest,
                           .position = l->model->position[which],
                           .out = s->mixed};
    if (shifts->uniform) {
        l->job->kernels->attend(&a);
        return;
    }
    a.keep = s->keep;
    for (; a.shift <= shifts->highest; a.shift++)
        if (a1_block_shifts_select(shifts, a.shift, s->keep))
            l->job->kernels->attend(&a);
}

static void run_block(const time_layer *l, size_t stem, size_t block,
                      const a1_block_shifts shifts[2], scratch *s, const float *keys_values)
{
    const a1_network_job *job = l->job;
    const a1_lane_kernels *kernels = job->kernels;
    const a1_time_model *m = l->model;
    const float *state = a1_state_block(job->state, job, stem, block);
    a1_lane_input in = rows_of(s->normed);
    kernels->layer_norm(state, DIM, m->before.weight, m->before.bias, s->normed);
    kernels->dense(&m->queries, &in, s->queries, A1_LANES);
    for (size_t which = 0; which < 2; which++) {
        attend(l, which, &shifts[which], s, keys_values);
        in = rows_of(s->mixed);
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

static a1_block_shifts find_shifts(const time_layer *l, size_t block, size_t which)
{
    return a1_block_shifts_find(block * A1_LANES, l->job->frames, l->length, l->dilation << which);
}

static void run_task(void *argument, size_t index, unsigned worker)
{
    const time_layer *l = argument;
    const a1_network_job *job = l->job;
    scratch *s = (scratch *)(void *)(job->scratch + worker * job->scratch_stride);
    const size_t segment = index % l->segments, strip = index / l->segments % l->strips;
    const size_t stem = index / l->segments / l->strips;
    const size_t rows = (job->blocks - strip + l->step - 1) / l->step;
    const size_t begin = rows * segment / l->segments, end = rows * (segment + 1) / l->segments;
    if (begin == end)
        return;
    a1_block_shifts shifts[SEGMENT][2];
    ptrdiff_t lowest = (ptrdiff_t)(begin * A1_LANES), highest = (ptrdiff_t)(end * A1_LANES);
    for (size_t row = begin; row < end; row++) {
        for (size_t which = 0; which < 2; which++) {
            const a1_block_shifts found = find_shifts(l, strip + row * l->step, which);
            const ptrdiff_t reach = (ptrdiff_t)(l->local << which);
            const ptrdiff_t low = (ptrdiff_t)(row * A1_LANES) + found.lowest * reach;
            const ptrdiff_t high =
                (ptrdiff_t)((row + 1) * A1_LANES) + (found.highest + A1_LANE_WINDOW - 1) * reach;
            shifts[row - begin][which] = found;
            lowest = low < lowest ? low : lowest;
            highest = high > highest ? high : highest;
        }
    }
    /* Row r is at (r - begin + MARGIN) * 32. What lies outside the strip is only touched by lanes
     * whose result is dropped, and is left as it is. */
    const size_t all = (l->length + A1_LANES - 1) / A1_LANES;
    const size_t filled = (all - strip + l->step - 1) / l->step;
    size_t row = lowest > 0 ? (size_t)lowest / A1_LANES : 0;
    for (; row < filled && (ptrdiff_t)(row * A1_LANES) < highest; row++)
        fill_row(l, stem, strip + row * l->step, s,
                 s->keys_values + (row + MARGIN - begin) * A1_LANES);
    for (row = begin; row < end; row++)
        run_block(l, stem, strip + row * l->step, shifts[row - begin], s,
                  s->keys_values + (row + MARGIN - begin) * A1_LANES);
}

void a1_time_layer_run(a1_network_job *job, const a1_time_model *model, size_t dilation)
{
    time_layer l = {.job = job, .model = model, .dilation = dilation};
    l.length = job->frames < 10 * dilation ? 10 * dilation : job->frames;
    l.step = dilation < A1_LANES ? 1 : dilation / A1_LANES;
    l.local = dilation / l.step;
    l.strips = l.step < job->blocks ? l.step : job->blocks;
    const size_t rows = (job->blocks + l.step - 1) / l.step;
    l.segments = (rows + SEGMENT - 1) / SEGMENT;
    a1_pool_run(job->pool, A1_NET_STEMS * l.strips * l.segments, run_task, &l);
    float *swap = job->state;
    job->state = job->next;
    job->next = swap;
}
