/* The last norm and the four linear heads. */
#include "network/stages.h"

#define DIM A1_NET_DIM
#define STEMS A1_NET_STEMS

/* Blocks of one task. */
#define RUN 16

typedef struct scratch {
    float normed[STEMS][DIM * A1_LANES];
    float logits[2 * A1_LANE_TILE][A1_LANES];
} scratch;

typedef struct heads {
    a1_network_job *job;
    const a1_fold_model *model;
    size_t fold, folds;
    const a1_network_output *output;
} heads;

size_t a1_heads_scratch(void)
{
    return sizeof(scratch) / sizeof(float);
}

static void keep_embeddings(const heads *h, size_t block, size_t count, const scratch *s)
{
    const size_t frames = h->job->frames;
    for (size_t stem = 0; stem < STEMS; stem++) {
        for (size_t lane = 0; lane < count; lane++) {
            float *out = h->output->embeddings +
                         (stem * frames + block * A1_LANES + lane) * DIM * h->folds + h->fold;
            for (size_t c = 0; c < DIM; c++)
                out[c * h->folds] = s->normed[stem][c * A1_LANES + lane];
        }
    }
}

/* Adds this fold's logits; the last fold turns the sum into the mean. */
static void add_logits(const heads *h, const float *logits, size_t count, float *out)
{
    for (size_t lane = 0; lane < count; lane++) {
        float sum = h->fold == 0 ? logits[lane] : out[lane] + logits[lane];
        if (h->fold + 1 == h->folds)
            sum /= (float)h->folds;
        out[lane] = sum;
    }
}

static void run_block(const heads *h, size_t block, scratch *s)
{
    const a1_network_job *job = h->job;
    const size_t count = a1_block_frames(job, block), at = block * A1_LANES;
    for (size_t stem = 0; stem < STEMS; stem++)
        job->kernels->layer_norm(a1_state_block(job->state, job, stem, block), DIM,
                                 h->model->norm.weight, h->model->norm.bias, s->normed[stem]);
    if (h->output->embeddings)
        keep_embeddings(h, block, count, s);
    const a1_lane_input in = {s->normed[0], A1_LANES, 0};
    job->kernels->dense(&h->model->heads, &in, s->logits[0], A1_LANES);
    add_logits(h, s->logits[0], count, h->output->beat + at);
    add_logits(h, s->logits[1], count, h->output->downbeat + at);
    add_logits(h, s->logits[2], count, h->output->section + at);
    for (size_t i = 0; i < A1_NET_LABELS; i++)
        add_logits(h, s->logits[3 + i], count, h->output->function + i * job->frames + at);
}

static void run_task(void *argument, size_t index, unsigned worker)
{
    const heads *h = argument;
    const a1_network_job *job = h->job;
    scratch *s = (scratch *)(void *)(job->scratch + worker * job->scratch_stride);
    for (size_t block = index * RUN; block < job->blocks && block < (index + 1) * RUN; block++)
        run_block(h, block, s);
}

void a1_heads_run(a1_network_job *job, const a1_fold_model *model, size_t fold, size_t folds,
                  const a1_network_output *output)
{
    heads h = {job, model, fold, folds, output};
    a1_pool_run(job->pool, (job->blocks + RUN - 1) / RUN, run_task, &h);
}
