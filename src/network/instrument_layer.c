/* The instrument layer: attention over five neighbouring frames of all stems, then a perceptron. */
#include "network/stages.h"
#include "nn/neighborhood.h"

#define DIM A1_NET_DIM
#define STEMS A1_NET_STEMS

/* Blocks of one task; the one on each side has its keys and values computed twice. */
#define RUN 16
#define MARGIN 1
#define KV_STRIDE ((size_t)(RUN + 2 * MARGIN) * A1_LANES + 16)
#define KV_ROWS (2 * DIM)

typedef struct scratch {
    float keys_values[STEMS][KV_ROWS * KV_STRIDE];
    float normed[DIM * A1_LANES];
    float queries[STEMS][DIM * A1_LANES];
    float mixed[STEMS][DIM * A1_LANES];
    float sum[DIM * A1_LANES];
    float hidden[A1_NET_INSTRUMENT_HIDDEN * A1_LANES];
    float keep[A1_LANES];
} scratch;

typedef struct instrument_layer {
    a1_network_job *job;
    const a1_instrument_model *model;
    size_t length; /* frames with padding */
} instrument_layer;

size_t a1_instrument_layer_scratch(void)
{
    return sizeof(scratch) / sizeof(float);
}

static a1_lane_input rows_of(const float *x)
{
    return (a1_lane_input){x, A1_LANES, 0};
}

static void norm_block(const instrument_layer *l, size_t stem, size_t block, float *out)
{
    const a1_network_job *job = l->job;
    job->kernels->layer_norm(a1_state_block(job->state, job, stem, block), DIM,
                             l->model->before.weight, l->model->before.bias, out);
    a1_clear_lanes(out, DIM, A1_LANES, a1_block_frames(job, block));
}

static void attend(const instrument_layer *l, size_t block, scratch *s, const float *keys_values)
{
    const a1_block_shifts shifts =
        a1_block_shifts_find(block * A1_LANES, l->job->frames, l->length, 1);
    a1_lane_grid g = {.q = s->queries[0],
                      .k = keys_values,
                      .v = keys_values + DIM * KV_STRIDE,
                      .stem_stride = KV_ROWS * KV_STRIDE,
                      .kv_stride = KV_STRIDE,
                      .pad_k = l->model->keys_values_bias,
                      .pad_v = l->model->keys_values_bias + DIM,
                      .shift = shifts.lowest,
                      .position = l->model->position,
                      .out = s->mixed[0]};
    if (shifts.uniform) {
        l->job->kernels->attend_grid(&g);
        return;
    }
    g.keep = s->keep;
    for (; g.shift <= shifts.highest; g.shift++)
        if (a1_block_shifts_select(&shifts, g.shift, s->keep))
            l->job->kernels->attend_grid(&g);
}

static void run_block(const instrument_layer *l, size_t block, scratch *s, const float *keys_values)
{
    const a1_network_job *job = l->job;
    const a1_lane_kernels *kernels = job->kernels;
    const a1_instrument_model *m = l->model;
    a1_lane_input in;
    for (size_t stem = 0; stem < STEMS; stem++) {
        norm_block(l, stem, block, s->normed);
        in = rows_of(s->normed);
        kernels->dense(&m->queries, &in, s->queries[stem], A1_LANES);
    }
    attend(l, block, s, keys_values);
    for (size_t stem = 0; stem < STEMS; stem++) {
        in = rows_of(s->mixed[stem]);
        kernels->dense_add(&m->attended, &in, a1_state_block(job->state, job, stem, block), s->sum,
                           A1_LANES);
        kernels->layer_norm(s->sum, DIM, m->after.weight, m->after.bias, s->normed);
        in = rows_of(s->normed);
        kernels->dense_gelu(&m->hidden, &in, s->hidden, A1_LANES);
        in = rows_of(s->hidden);
        kernels->dense_add(&m->output, &in, s->sum, a1_state_block(job->next, job, stem, block),
                           A1_LANES);
    }
}

static void run_task(void *argument, size_t index, unsigned worker)
{
    const instrument_layer *l = argument;
    const a1_network_job *job = l->job;
    scratch *s = (scratch *)(void *)(job->scratch + worker * job->scratch_stride);
    const size_t begin = index * RUN;
    const size_t end = begin + RUN < job->blocks ? begin + RUN : job->blocks;
    /* Block b is at (b - begin + MARGIN) * 32. */
    const size_t fill_end = end + MARGIN < job->blocks ? end + MARGIN : job->blocks;
    for (size_t block = begin < MARGIN ? 0 : begin - MARGIN; block < fill_end; block++) {
        for (size_t stem = 0; stem < STEMS; stem++) {
            if (block + 1 < fill_end)
                a1_prefetch_block(a1_state_block(job->state, job, stem, block + 1));
            norm_block(l, stem, block, s->normed);
            const a1_lane_input in = rows_of(s->normed);
            job->kernels->dense(&l->model->keys_values, &in,
                                s->keys_values[stem] + (block + MARGIN - begin) * A1_LANES,
                                KV_STRIDE);
        }
    }
    for (size_t block = begin; block < end; block++)
        run_block(l, block, s, s->keys_values[0] + (block + MARGIN - begin) * A1_LANES);
}

void a1_instrument_layer_run(a1_network_job *job, const a1_instrument_model *model)
{
    instrument_layer l = {job, model, job->frames < A1_LANE_WINDOW ? A1_LANE_WINDOW : job->frames};
    a1_pool_run(job->pool, (job->blocks + RUN - 1) / RUN, run_task, &l);
    float *swap = job->state;
    job->state = job->next;
    job->next = swap;
}
