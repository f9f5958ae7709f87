/* Encoder and decoder levels of both branches.
 *
 * Frequency rows are independent from the strided convolution to the gate, so one task takes a row
 * through a whole level while it lies in the cache. The time branch is one long row, split by frames. */
#include "demix/segment.h"

#include <stdio.h>
#include <string.h>

#define KERNEL 8
#define STRIDE 4
/* Frames of one task in the time branch. */
#define TASK_FRAMES 1024

typedef struct level_pass {
    segment_work *work;
    const encoder_level *encoder;
    const decoder_level *decoder;
    const map *in, *out, *skip;
    const char *name;
} level_pass;

static size_t time_tasks(size_t frames)
{
    return (frames + TASK_FRAMES - 1) / TASK_FRAMES;
}

static size_t time_task_frames(size_t frames, size_t task)
{
    const size_t left = frames - task * TASK_FRAMES;
    return left < TASK_FRAMES ? left : TASK_FRAMES;
}

static void zero_row_pads(const map *m, size_t row)
{
    float *before = map_at(m, row, 0) - PAD_BEFORE * m->channels;
    float *after = map_at(m, row, m->frames);
    memset(before, 0, PAD_BEFORE * m->channels * sizeof(float));
    memset(after, 0, PAD_AFTER * m->channels * sizeof(float));
}

void map_zero_pads(const map *m)
{
    for (size_t row = 0; row < m->rows; row++)
        zero_row_pads(m, row);
}

/* Row `row` of a map, or zeros outside; frame 0, with its pads around it. */
static const float *row_or_zero(const segment_work *work, const map *m, size_t row)
{
    return row < m->rows ? map_at(m, row, 0) : work->zero_row + PAD_BEFORE * m->channels;
}

static void note_product(const level_pass *pass, unsigned worker, const char *what, size_t row, size_t frame,
                         const a1_gemm_call *call, int keep_activation)
{
    if (!pass->work->probe)
        return;
    char name[64];
    snprintf(name, sizeof name, "%s%s", pass->name, what);
    segment_note_product(pass->work, worker, name, row, frame, call, keep_activation);
}

/* One frequency row of an encoder level. */
static void encode_row(void *argument, size_t row, unsigned worker)
{
    const level_pass *pass = argument;
    segment_work *work = pass->work;
    const encoder_level *level = pass->encoder;
    const size_t channels = level->channels, frames = pass->in->frames;
    float *scratch = work->thread_scratch + worker * work->thread_stride;
    map y = {scratch + PAD_BEFORE * channels, 1, frames, channels, ROW_PITCH};
    zero_row_pads(&y, 0);

    a1_gemm_chunk taps[KERNEL];
    for (size_t t = 0; t < KERNEL; t++)
        taps[t] = (a1_gemm_chunk){row_or_zero(work, pass->in, row * STRIDE + t - 2),
                                  level->in_channels};
    a1_gemm_call call = {.weights = &level->conv,
                         .chunks = taps,
                         .chunk_count = KERNEL,
                         .lda = level->in_channels,
                         .rows = frames,
                         .c = y.data,
                         .ldc = channels,
                         .activation = A1_ACT_GELU};
    segment_product(work, worker, &call);
    note_product(pass, worker, "_conv", row, 0, &call, 0);
    char name[64];
    snprintf(name, sizeof name, "%s_gelu", pass->name);
    segment_note(work, name, row, 0, frames, channels, y.data, channels);

    a1_moments moments;
    dconv_run(work, NULL, worker, level->dconv, pass->name, row, y.data, frames, channels,
              scratch + ROW_PITCH * channels, &moments);

    const a1_gemm_chunk whole = {y.data, channels};
    call = (a1_gemm_call){.weights = &level->rewrite,
                          .chunks = &whole,
                          .chunk_count = 1,
                          .lda = channels,
                          .rows = frames,
                          .c = map_at(pass->out, row, 0),
                          .ldc = channels,
                          .activation = A1_ACT_GLU};
    if (level->embedding)
        call.post = level->embedding + row * level->rewrite.panels * 16;
    segment_product(work, worker, &call);
    note_product(pass, worker, "_rewrite", row, 0, &call, 0);
    note_product(pass, worker, "", row, 0, &call, 1);
    zero_row_pads(pass->out, row);
    if (level->embedding)
        segment_note(work, "f_enc0_emb", row, 0, frames, channels, call.c, channels);
}

static void encode_time_conv(void *argument, size_t task, unsigned worker)
{
    const level_pass *pass = argument;
    const encoder_level *level = pass->encoder;
    const size_t frame = task * TASK_FRAMES;
    const a1_gemm_chunk taps = {map_at(pass->in, 0, frame * STRIDE) - 2 * level->in_channels,
                                KERNEL * level->in_channels};
    const a1_gemm_call call = {.weights = &level->conv,
                               .chunks = &taps,
                               .chunk_count = 1,
                               .lda = STRIDE * level->in_channels,
                               .rows = time_task_frames(pass->out->frames, task),
                               .c = map_at(pass->out, 0, frame),
                               .ldc = level->channels,
                               .activation = A1_ACT_GELU};
    segment_product(pass->work, worker, &call);
    note_product(pass, worker, "_conv", 0, frame, &call, 0);
}

static void encode_time_rewrite(void *argument, size_t task, unsigned worker)
{
    const level_pass *pass = argument;
    const encoder_level *level = pass->encoder;
    const size_t frame = task * TASK_FRAMES;
    const a1_gemm_chunk whole = {map_at(pass->in, 0, frame), level->channels};
    const a1_gemm_call call = {.weights = &level->rewrite,
                               .chunks = &whole,
                               .chunk_count = 1,
                               .lda = level->channels,
                               .rows = time_task_frames(pass->out->frames, task),
                               .c = map_at(pass->out, 0, frame),
                               .ldc = level->channels,
                               .activation = A1_ACT_GLU};
    segment_product(pass->work, worker, &call);
    note_product(pass, worker, "_rewrite", 0, frame, &call, 0);
}

static allin1_status out_of_memory(a1_error *err)
{
    return a1_fail_memory(err, "a segment of the separator");
}

static allin1_status encode_time(segment_work *work, level_pass *pass, const map *out, a1_error *err)
{
    const encoder_level *level = pass->encoder;
    const size_t mark = a1_arena_mark(&work->arena);
    const map y = map_create(work, 1, out->frames, level->channels, 0);
    float *scratch = a1_arena_floats(&work->arena, dconv_scratch(level->dconv, out->frames));
    if (!y.data || !scratch)
        return out_of_memory(err);
    map_zero_pads(&y);
    pass->out = &y;
    a1_pool_run(work->pool, time_tasks(out->frames), encode_time_conv, pass);
    char name[64];
    snprintf(name, sizeof name, "%s_gelu", pass->name);
    segment_note_map(work, name, &y);
    dconv_run(work, work->pool, 0, level->dconv, pass->name, 0, y.data, out->frames, level->channels,
              scratch, work->moments);
    pass->in = &y;
    pass->out = out;
    a1_pool_run(work->pool, time_tasks(out->frames), encode_time_rewrite, pass);
    map_zero_pads(out);
    segment_note_map(work, pass->name, out);
    a1_arena_release(&work->arena, mark);
    return ALLIN1_OK;
}

allin1_status encoder_run(segment_work *work, int branch, size_t level, const map *in, map *out,
                          a1_error *err)
{
    const a1_htdemucs *model = work->model;
    char name[32];
    snprintf(name, sizeof name, "%c_enc%zu", branch ? 't' : 'f', level);
    level_pass pass = {
        .work = work, .encoder = &model->encoder[branch][level], .in = in, .out = out, .name = name};
    const size_t channels = model->channels[level];
    *out = branch ? map_create(work, 1, model->lengths[level + 1], channels, 0)
                  : map_create(work, model->rows[level + 1], SPEC_FRAMES, channels, 2);
    if (!out->data)
        return out_of_memory(err);
    if (branch)
        return encode_time(work, &pass, out, err);
    a1_pool_run(work->pool, out->rows, encode_row, &pass);
    return ALLIN1_OK;
}

/* One frequency row of a decoder step up to the transposed convolution. */
static void decode_row(void *argument, size_t row, unsigned worker)
{
    const level_pass *pass = argument;
    segment_work *work = pass->work;
    const decoder_level *level = pass->decoder;
    const size_t channels = level->channels, frames = pass->in->frames;
    a1_gemm_chunk taps[3];
    for (size_t t = 0; t < 3; t++)
        taps[t] = (a1_gemm_chunk){row_or_zero(work, pass->in, row + t - 1) - channels, 3 * channels};
    float *y = map_at(pass->out, row, 0);
    const a1_gemm_call call = {.weights = &level->rewrite,
                               .chunks = taps,
                               .chunk_count = 3,
                               .lda = channels,
                               .rows = frames,
                               .c = y,
                               .ldc = channels,
                               .activation = A1_ACT_GLU};
    segment_product(work, worker, &call);
    zero_row_pads(pass->out, row);
    char name[64];
    snprintf(name, sizeof name, "%s_glu", pass->name);
    segment_note(work, name, row, 0, frames, channels, y, channels);
    a1_moments moments;
    dconv_run(work, NULL, worker, level->dconv, pass->name, row, y, frames, channels,
              work->thread_scratch + worker * work->thread_stride, &moments);
}

/* Four output rows of the transposed convolution, two rows above where input row q lies. */
static void upsample_rows(void *argument, size_t q, unsigned worker)
{
    const level_pass *pass = argument;
    const decoder_level *level = pass->decoder;
    const a1_gemm_chunk taps[2] = {{row_or_zero(pass->work, pass->in, q - 1), level->channels},
                                   {row_or_zero(pass->work, pass->in, q), level->channels}};
    const size_t up = 2 * ROW_PITCH * level->out_channels;
    a1_gemm_call call = {.weights = &level->conv_tr,
                         .chunks = taps,
                         .chunk_count = 2,
                         .lda = level->channels,
                         .rows = pass->in->frames,
                         .c = map_at(pass->out, q * STRIDE, 0) - up,
                         .ldc = level->out_channels,
                         .activation = pass->skip ? A1_ACT_GELU : A1_ACT_NONE};
    if (pass->skip) {
        call.residual = map_at(pass->skip, q * STRIDE, 0) - up;
        call.ldr = level->out_channels;
    }
    segment_product(pass->work, worker, &call);
    note_product(pass, worker, "_convtr", q, 0, &call, 0);
    note_product(pass, worker, "", q, 0, &call, 1);
}

static void decode_time_rewrite(void *argument, size_t task, unsigned worker)
{
    const level_pass *pass = argument;
    const decoder_level *level = pass->decoder;
    const size_t frame = task * TASK_FRAMES;
    const a1_gemm_chunk taps = {map_at(pass->in, 0, frame) - level->channels, 3 * level->channels};
    const a1_gemm_call call = {.weights = &level->rewrite,
                               .chunks = &taps,
                               .chunk_count = 1,
                               .lda = level->channels,
                               .rows = time_task_frames(pass->in->frames, task),
                               .c = map_at(pass->out, 0, frame),
                               .ldc = level->channels,
                               .activation = A1_ACT_GLU};
    segment_product(pass->work, worker, &call);
}

static void upsample_time(void *argument, size_t task, unsigned worker)
{
    const level_pass *pass = argument;
    const decoder_level *level = pass->decoder;
    const size_t q = task * TASK_FRAMES, out = level->out_channels;
    const a1_gemm_chunk taps = {map_at(pass->in, 0, q) - level->channels, 2 * level->channels};
    a1_gemm_call call = {.weights = &level->conv_tr,
                         .chunks = &taps,
                         .chunk_count = 1,
                         .lda = level->channels,
                         .rows = time_task_frames(pass->in->frames + 1, task),
                         .c = map_at(pass->out, 0, q * STRIDE) - 2 * out,
                         .ldc = STRIDE * out,
                         .activation = pass->skip ? A1_ACT_GELU : A1_ACT_NONE};
    if (pass->skip) {
        call.residual = map_at(pass->skip, 0, q * STRIDE) - 2 * out;
        call.ldr = STRIDE * out;
    }
    segment_product(pass->work, worker, &call);
    note_product(pass, worker, "_convtr", 0, q, &call, 0);
    note_product(pass, worker, "", 0, q, &call, 1);
}

allin1_status decoder_run(segment_work *work, int branch, size_t step, const map *x, const map *skip,
                          map *out, a1_error *err)
{
    const a1_htdemucs *model = work->model;
    const decoder_level *level = &model->decoder[branch][step];
    char name[32], full[64];
    snprintf(name, sizeof name, "%c_dec%zu", branch ? 't' : 'f', step);
    *out = branch ? map_create(work, 1, model->lengths[LEVELS - 1 - step], level->out_channels, 0)
                  : map_create(work, x->rows * STRIDE, SPEC_FRAMES, level->out_channels, 2);
    const size_t mark = a1_arena_mark(&work->arena);
    const map pre = map_create(work, x->rows, x->frames, level->channels, 0);
    float *scratch =
        branch ? a1_arena_floats(&work->arena, dconv_scratch(level->dconv, x->frames)) : NULL;
    if (!out->data || !pre.data || (branch && !scratch))
        return out_of_memory(err);
    level_pass pass = {.work = work, .decoder = level, .in = x, .out = &pre, .skip = skip,
                       .name = name};
    snprintf(full, sizeof full, "%s_in", name);
    segment_note_map(work, full, x);
    if (branch) {
        a1_pool_run(work->pool, time_tasks(x->frames), decode_time_rewrite, &pass);
        map_zero_pads(&pre);
        snprintf(full, sizeof full, "%s_glu", name);
        segment_note_map(work, full, &pre);
        dconv_run(work, work->pool, 0, level->dconv, name, 0, pre.data, x->frames, level->channels,
                  scratch, work->moments);
    } else {
        a1_pool_run(work->pool, x->rows, decode_row, &pass);
    }
    snprintf(full, sizeof full, "%s_pre", name);
    segment_note_map(work, full, &pre);
    pass.in = &pre;
    pass.out = out;
    if (branch)
        a1_pool_run(work->pool, time_tasks(x->frames + 1), upsample_time, &pass);
    else
        a1_pool_run(work->pool, x->rows + 1, upsample_rows, &pass);
    map_zero_pads(out);
    a1_arena_release(&work->arena, mark);
    return ALLIN1_OK;
}
