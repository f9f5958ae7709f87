/* Three convolutions, each with pooling over frequency and ELU, that turn 81 bands into 24
 * channels. */
#include "network/stages.h"

#define DIM A1_NET_DIM
#define BANDS A1_NET_BANDS

/* Blocks of the smallest task: the blocks beside a task are computed twice, for one frame each. */
#define RUN_LEAST 16

/* A row of bands: the frame before the block, the block, aligned, and the frame after it. */
#define BAND_STRIDE 64
#define BAND_FIRST 16

/* The second stage keeps three blocks in a ring. A row holds the frame before the block, the block,
 * aligned, and the frame after it. */
#define SECOND_ROWS (A1_NET_BANDS1 * DIM)
#define SECOND_STRIDE 64
#define SECOND_FIRST 16
#define SECOND_SLOT (SECOND_ROWS * SECOND_STRIDE)

typedef struct scratch {
    float bands[BANDS * BAND_STRIDE];
    float first[A1_NET_BANDS0 * A1_NET_CONV0 * A1_LANES];
    float three[3 * DIM * A1_LANES];
    float second[3][SECOND_SLOT];
} scratch;

typedef struct embedding {
    a1_network_job *job;
    const a1_fold_model *model;
    size_t runs; /* of each stem */
} embedding;

size_t a1_embedding_scratch(void)
{
    return sizeof(scratch) / sizeof(float);
}

/* Frames block * 32 - 1 to block * 32 + 32 with bands as rows, zeros where there is no frame. */
static void load_bands(const a1_network_job *job, size_t stem, size_t block, float *bands)
{
    const size_t count = a1_block_frames(job, block), first = block * A1_LANES;
    const float *frames = job->spectrogram + (stem * job->frames + first) * BANDS;
    if (count == A1_LANES) {
        job->kernels->transpose(frames, BANDS, bands + BAND_FIRST, BAND_STRIDE);
    } else {
        for (size_t band = 0; band < BANDS; band++)
            for (size_t lane = 0; lane < A1_LANES; lane++)
                bands[band * BAND_STRIDE + BAND_FIRST + lane] =
                    lane < count ? frames[lane * BANDS + band] : 0.0f;
    }
    const float *before = first > 0 ? frames - BANDS : NULL;
    const float *after = first + A1_LANES < job->frames ? frames + A1_LANES * BANDS : NULL;
    for (size_t band = 0; band < BANDS; band++) {
        float *row = bands + band * BAND_STRIDE + BAND_FIRST;
        row[-1] = before ? before[band] : 0.0f;
        row[A1_LANES] = after ? after[band] : 0.0f;
    }
}

static void second_stage(const embedding *e, size_t stem, size_t block, scratch *s, float *slot)
{
    const a1_lane_kernels *kernels = e->job->kernels;
    load_bands(e->job, stem, block, s->bands);
    kernels->conv_bands(e->model->conv0, s->bands + BAND_FIRST - 1, BAND_STRIDE, A1_NET_BANDS0,
                        s->first);
    for (size_t f = 0; f < A1_NET_BANDS1; f++) {
        for (size_t pool = 0; pool < 3; pool++) {
            const float *x = s->first + (3 * f + pool) * A1_NET_CONV0 * A1_LANES;
            kernels->dense(&e->model->conv1, &(a1_lane_input){x, A1_LANES, 0},
                           s->three + pool * DIM * A1_LANES, A1_LANES);
        }
        kernels->pool_elu(s->three, DIM, slot + f * DIM * SECOND_STRIDE + SECOND_FIRST,
                          SECOND_STRIDE);
    }
    a1_clear_lanes(slot + SECOND_FIRST, SECOND_ROWS, SECOND_STRIDE, a1_block_frames(e->job, block));
}

/* The frames where two neighbouring blocks meet; NULL is a block beyond the ends. */
static void link_slots(float *before, float *after)
{
    for (size_t row = 0; row < SECOND_ROWS; row++) {
        const size_t at = row * SECOND_STRIDE + SECOND_FIRST;
        if (before)
            before[at + A1_LANES] = after ? after[at] : 0.0f;
        if (after)
            after[at - 1] = before ? before[at + A1_LANES - 1] : 0.0f;
    }
}

static void third_stage(const embedding *e, scratch *s, const float *slot, float *out)
{
    const a1_lane_kernels *kernels = e->job->kernels;
    for (size_t f = 0; f < 3; f++) {
        const float *x = slot + f * DIM * SECOND_STRIDE + SECOND_FIRST - 1;
        kernels->dense(&e->model->conv2, &(a1_lane_input){x, SECOND_STRIDE, 1},
                       s->three + f * DIM * A1_LANES, A1_LANES);
    }
    kernels->pool_elu(s->three, DIM, out, A1_LANES);
    kernels->layer_norm(out, DIM, e->model->embedding.weight, e->model->embedding.bias, out);
}

static void run_task(void *argument, size_t index, unsigned worker)
{
    const embedding *e = argument;
    const a1_network_job *job = e->job;
    scratch *s = (scratch *)(void *)(job->scratch + worker * job->scratch_stride);
    const size_t stem = index / e->runs, run = index % e->runs;
    const size_t begin = job->blocks * run / e->runs, end = job->blocks * (run + 1) / e->runs;
    float *slots[3] = {NULL, s->second[0], s->second[1]}; /* the blocks before, at and after */
    if (begin > 0) {
        slots[0] = s->second[2];
        second_stage(e, stem, begin - 1, s, slots[0]);
    }
    second_stage(e, stem, begin, s, slots[1]);
    link_slots(slots[0], slots[1]);
    for (size_t block = begin; block < end; block++) {
        const int last = block + 1 == job->blocks;
        if (!last)
            second_stage(e, stem, block + 1, s, slots[2]);
        link_slots(slots[1], last ? NULL : slots[2]);
        third_stage(e, s, slots[1], a1_state_block(job->state, job, stem, block));
        float *free_slot = slots[0] ? slots[0] : s->second[2];
        slots[0] = slots[1];
        slots[1] = slots[2];
        slots[2] = free_slot;
    }
}

void a1_embedding_run(a1_network_job *job, const a1_fold_model *model)
{
    embedding e = {job, model, a1_task_parts(job, A1_NET_STEMS, job->blocks, RUN_LEAST)};
    a1_pool_run(job->pool, A1_NET_STEMS * e.runs, run_task, &e);
}
