/* The separator's residual branches: see dconv_layer in model.h. */
#include "demix/segment.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Frames of one task. Fixed, so that the partial sums do not depend on the threads. */
#define TASK_FRAMES 1024

typedef struct dconv_pass {
    const segment_work *work;
    const a1_pool *pool;
    unsigned worker; /* the thread without a pool */
    const dconv_layer *layer;
    size_t dilation, frames, channels;
    float *y, *hidden, *wide;
    size_t wide_stride;
    a1_moments *moments;
    float mean;
    float *mul;       /* the norm's weight divided by the deviation */
    const float *add;
    size_t row;
    const char *name;
    int index;
} dconv_pass;

size_t dconv_tasks(size_t frames)
{
    return (frames + TASK_FRAMES - 1) / TASK_FRAMES;
}

size_t dconv_scratch(const dconv_layer *layer, size_t frames)
{
    return frames * layer->hidden_stride + frames * layer->expand.panels * 32 +
           layer->hidden_stride + layer->expand.panels * 32;
}

static size_t task_frames(const dconv_pass *pass, size_t task)
{
    const size_t left = pass->frames - task * TASK_FRAMES;
    return left < TASK_FRAMES ? left : TASK_FRAMES;
}

static void note(const dconv_pass *pass, const char *what, size_t frame, size_t frames,
                 size_t channels, const float *data, size_t stride)
{
    if (!pass->work->probe)
        return;
    char name[64];
    snprintf(name, sizeof name, "%s_dconv%d%s", pass->name, pass->index, what);
    segment_note(pass->work, name, pass->row, frame, frames, channels, data, stride);
}

/* The steps inside the fused kernels, for a test: the norm alone, the gate alone, the gate scaled. */
static void note_steps(const dconv_pass *pass, size_t frame, size_t frames)
{
    if (!pass->work->probe)
        return;
    const a1_layer_kernels *kernels = pass->work->model->layers;
    const size_t width = pass->wide_stride, panels = pass->layer->expand.panels;
    const float *wide = pass->wide + frame * width;
    float *normed = malloc(frames * width * sizeof *normed);
    float *gated = calloc(frames * pass->channels, sizeof *gated);
    float *ones = malloc(panels * 16 * sizeof *ones);
    if (normed && gated && ones) {
        kernels->norm(wide, frames, width, pass->mean, pass->mul, pass->add, normed);
        note(pass, "_norm2", frame, frames, width, normed, width);
        for (size_t i = 0; i < panels * 16; i++)
            ones[i] = 1.0f;
        kernels->norm_glu_add(wide, frames, panels, width, pass->mean, pass->mul, pass->add, ones,
                              gated, pass->channels, pass->channels);
        note(pass, "_glu", frame, frames, pass->channels, gated, pass->channels);
        memset(gated, 0, frames * pass->channels * sizeof *gated);
        kernels->norm_glu_add(wide, frames, panels, width, pass->mean, pass->mul, pass->add,
                              pass->layer->scale, gated, pass->channels, pass->channels);
        note(pass, "_scaled", frame, frames, pass->channels, gated, pass->channels);
    }
    free(normed);
    free(gated);
    free(ones);
}

static void note_norm1(const dconv_pass *pass, size_t frame, size_t frames, const float *hidden)
{
    if (!pass->work->probe)
        return;
    const size_t width = pass->layer->hidden_stride;
    float *normed = malloc(frames * width * sizeof *normed);
    if (normed) {
        pass->work->model->layers->norm(hidden, frames, width, pass->mean, pass->mul, pass->add,
                                        normed);
        note(pass, "_norm1", frame, frames, pass->layer->hidden, normed, width);
    }
    free(normed);
}

static void convolve(void *argument, size_t task, unsigned worker)
{
    const dconv_pass *pass = argument;
    const dconv_layer *layer = pass->layer;
    const size_t frame = task * TASK_FRAMES, frames = task_frames(pass, task);
    const float *y = pass->y + frame * pass->channels;
    const size_t reach = pass->dilation * pass->channels;
    const a1_gemm_chunk taps[3] = {
        {y - reach, pass->channels}, {y, pass->channels}, {y + reach, pass->channels}};
    const a1_gemm_call call = {.weights = &layer->conv,
                               .chunks = taps,
                               .chunk_count = 3,
                               .lda = pass->channels,
                               .rows = frames,
                               .c = pass->hidden + frame * layer->hidden_stride,
                               .ldc = layer->hidden_stride};
    segment_product(pass->work, pass->pool ? worker : pass->worker, &call);
    pass->moments[task] = (a1_moments){0, 0};
    pass->work->model->layers->moments(call.c, frames, layer->hidden_stride, layer->hidden_stride,
                                       &pass->moments[task]);
    note(pass, "_conv", frame, frames, layer->hidden, call.c, layer->hidden_stride);
}

static void expand(void *argument, size_t task, unsigned worker)
{
    const dconv_pass *pass = argument;
    const dconv_layer *layer = pass->layer;
    const size_t frame = task * TASK_FRAMES, frames = task_frames(pass, task);
    float *hidden = pass->hidden + frame * layer->hidden_stride;
    note_norm1(pass, frame, frames, hidden);
    pass->work->model->layers->norm_gelu(hidden, frames, layer->hidden_stride, layer->hidden_stride,
                                         pass->mean, pass->mul, pass->add);
    note(pass, "_gelu", frame, frames, layer->hidden, hidden, layer->hidden_stride);
    const a1_gemm_chunk chunk = {hidden, layer->hidden};
    const a1_gemm_call call = {.weights = &layer->expand,
                               .chunks = &chunk,
                               .chunk_count = 1,
                               .lda = layer->hidden_stride,
                               .rows = frames,
                               .c = pass->wide + frame * pass->wide_stride,
                               .ldc = pass->wide_stride};
    segment_product(pass->work, pass->pool ? worker : pass->worker, &call);
    pass->moments[task] = (a1_moments){0, 0};
    pass->work->model->layers->moments(call.c, frames, pass->wide_stride, pass->wide_stride,
                                       &pass->moments[task]);
    note(pass, "_expand", frame, frames, pass->wide_stride, call.c, pass->wide_stride);
}

static void add_gated(void *argument, size_t task, unsigned worker)
{
    (void)worker;
    const dconv_pass *pass = argument;
    const size_t frame = task * TASK_FRAMES, frames = task_frames(pass, task);
    float *y = pass->y + frame * pass->channels;
    note_steps(pass, frame, frames);
    pass->work->model->layers->norm_glu_add(pass->wide + frame * pass->wide_stride, frames,
                                            pass->layer->expand.panels, pass->wide_stride,
                                            pass->mean, pass->mul, pass->add, pass->layer->scale, y,
                                            pass->channels, pass->channels);
    note(pass, "", frame, frames, pass->channels, y, pass->channels);
}

/* Group norm with one group: statistics over `values` values, folded into the weights. */
static void finish_norm(dconv_pass *pass, size_t values, const float *mul, const float *add,
                        size_t count, float *folded)
{
    a1_moments total = {0, 0};
    for (size_t task = 0; task < dconv_tasks(pass->frames); task++) {
        total.sum += pass->moments[task].sum;
        total.square_sum += pass->moments[task].square_sum;
    }
    const double mean = total.sum / (double)values;
    const double variance = fmax(total.square_sum / (double)values - mean * mean, 0.0);
    const double factor = 1.0 / sqrt(variance + 1e-5);
    for (size_t i = 0; i < count; i++)
        folded[i] = (float)((double)mul[i] * factor);
    pass->mean = (float)mean;
    pass->mul = folded;
    pass->add = add;
}

void dconv_run(segment_work *work, a1_pool *pool, unsigned worker, const dconv_layer layers[DCONV_LAYERS],
               const char *name, size_t row, float *y, size_t frames, size_t channels,
               float *scratch, a1_moments *moments)
{
    const size_t tasks = dconv_tasks(frames);
    for (int d = 0; d < DCONV_LAYERS; d++) {
        const dconv_layer *layer = &layers[d];
        dconv_pass pass = {.work = work,
                           .pool = pool,
                           .worker = worker,
                           .layer = layer,
                           .dilation = (size_t)1 << d,
                           .frames = frames,
                           .channels = channels,
                           .y = y,
                           .hidden = scratch,
                           .wide = scratch + frames * layer->hidden_stride,
                           .wide_stride = layer->expand.panels * 32,
                           .moments = moments,
                           .row = row,
                           .name = name,
                           .index = d};
        float *folded1 = pass.wide + frames * pass.wide_stride;
        float *folded2 = folded1 + layer->hidden_stride;
        a1_pool_run(pool, tasks, convolve, &pass);
        finish_norm(&pass, layer->hidden * frames, layer->norm1_mul, layer->norm1_add,
                    layer->hidden_stride, folded1);
        a1_pool_run(pool, tasks, expand, &pass);
        finish_norm(&pass, 2 * channels * frames, layer->norm2_mul, layer->norm2_add,
                    pass.wide_stride, folded2);
        a1_pool_run(pool, tasks, add_gated, &pass);
    }
}
