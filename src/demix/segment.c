#include "demix/segment.h"

#include <stdlib.h>
#include <string.h>

/* Virtual memory reserved for one segment of the real model, by channels of the first level; only
 * what is touched becomes resident (see a1_arena.peak). */
#define ARENA_PER_CHANNEL ((size_t)14 << 20)
#define ARENA_FIXED ((size_t)256 << 20)

map map_create(segment_work *work, size_t rows, size_t frames, size_t channels, size_t margin)
{
    map m = {.rows = rows,
             .frames = frames,
             .channels = channels,
             .pitch = PAD_BEFORE + frames + PAD_AFTER};
    float *memory =
        a1_arena_floats(&work->arena, (rows + 2 * margin) * m.pitch * channels);
    if (memory)
        m.data = memory + (margin * m.pitch + PAD_BEFORE) * channels;
    return m;
}

void segment_note_map(const segment_work *work, const char *name, const map *m)
{
    if (!work->probe)
        return;
    for (size_t row = 0; row < m->rows; row++)
        segment_note(work, name, row, 0, m->frames, m->channels, map_at(m, row, 0), m->channels);
}

void segment_note_product(const segment_work *work, unsigned worker, const char *name, size_t row,
                          size_t frame, const a1_gemm_call *call, int keep_activation)
{
    if (!work->probe)
        return;
    a1_gemm_weights weights = *call->weights;
    const size_t groups = 2 * weights.panels;
    if (!keep_activation)
        weights.glu = 0;
    const size_t width = weights.panels * (weights.glu ? 16 : 32);
    weights.groups = malloc(groups * sizeof *weights.groups);
    float *out = malloc(call->rows * width * sizeof *out);
    if (weights.groups && out) {
        for (size_t g = 0; g < groups; g++)
            weights.groups[g] = (a1_gemm_group){(weights.glu ? g / 2 : g) * 16, 16};
        a1_gemm_call again = *call;
        again.weights = &weights;
        again.c = out;
        again.ldc = width;
        again.scale = again.post = again.residual = NULL;
        if (!keep_activation)
            again.activation = A1_ACT_NONE;
        segment_product(work, worker, &again);
        segment_note(work, name, row, frame, call->rows, width, out, width);
    }
    free(weights.groups);
    free(out);
}

/* The largest scratch that any task asks for, in floats. */
static size_t scratch_floats(const a1_htdemucs *model)
{
    /* Spectral synthesis: 16 frames of 8 channels; one transform's scratch. */
    size_t most = (size_t)16 * 8 * (FFT_SIZE + 2) + FFT_SIZE + a1_rfft_scratch(model->fft);
    for (size_t i = 0; i < LEVELS; i++) {
        const encoder_level *level = &model->encoder[0][i];
        for (int d = 0; d < DCONV_LAYERS; d++) {
            const size_t row =
                ROW_PITCH * level->channels + dconv_scratch(&level->dconv[d], SPEC_FRAMES);
            most = row > most ? row : most;
        }
    }
    const size_t attention = transformer_scratch(model);
    return attention > most ? attention : most;
}

allin1_status segment_work_create(segment_work *work, const a1_htdemucs *model, a1_pool *pool,
                                  a1_error *err)
{
    *work = (segment_work){.model = model, .pool = pool};
    const size_t threads = a1_pool_threads(pool);
    work->thread_stride = a1_arena_cost(scratch_floats(model) * sizeof(float)) / sizeof(float);
    const size_t widest = model->channels[LEVELS - 1];
    const size_t zeros = (size_t)ROW_PITCH * (widest > 16 ? widest : 16);
    work->moments_room = dconv_tasks(model->lengths[1]) + SPEC_FRAMES;
    work->gemm_stride = a1_arena_cost(model->gemm_scratch);
    const size_t capacity = ARENA_FIXED + ARENA_PER_CHANNEL * model->channels[0] +
                            (threads * work->thread_stride + zeros) * sizeof(float) +
                            threads * work->gemm_stride;
    A1_TRY(a1_arena_create(&work->arena, capacity, "a segment of the separator", err));
    work->zero_row = a1_arena_floats(&work->arena, zeros);
    work->thread_scratch = a1_arena_floats(&work->arena, threads * work->thread_stride);
    work->gemm_scratch = a1_arena_alloc(&work->arena, threads * work->gemm_stride);
    work->moments = a1_arena_alloc(&work->arena, work->moments_room * sizeof *work->moments);
    if (!work->zero_row || !work->thread_scratch || !work->gemm_scratch || !work->moments) {
        segment_work_destroy(work);
        return a1_fail_memory(err, "a segment of the separator");
    }
    return ALLIN1_OK;
}

void segment_work_destroy(segment_work *work)
{
    a1_arena_destroy(&work->arena);
}

static allin1_status run(segment_work *work, const float *const mix[2],
                         float *const stems[A1_DEMIX_SOURCES][2], a1_error *err)
{
    map in[2], skips[2][LEVELS], x[2];
    segment_statistics statistics[2];
    A1_TRY(spectral_analyse(work, mix, &in[0], &in[1], statistics, err));
    for (int branch = 0; branch < 2; branch++) {
        const map *from = &in[branch];
        for (size_t level = 0; level < LEVELS; level++) {
            A1_TRY(encoder_run(work, branch, level, from, &skips[branch][level], err));
            from = &skips[branch][level];
        }
    }
    const map encoded[2] = {skips[0][LEVELS - 1], skips[1][LEVELS - 1]};
    A1_TRY(transformer_run(work, encoded, x, err));
    for (int branch = 0; branch < 2; branch++) {
        for (size_t step = 0; step < LEVELS; step++) {
            map next;
            const map *skip = step + 1 < LEVELS ? &skips[branch][LEVELS - 2 - step] : NULL;
            A1_TRY(decoder_run(work, branch, step, &x[branch], skip, &next, err));
            x[branch] = next;
        }
    }
    segment_note_map(work, "freq_pre_denorm", &x[0]);
    segment_note_map(work, "time_pre_denorm", &x[1]);
    return spectral_synthesise(work, &x[0], &x[1], statistics, stems, err);
}

allin1_status segment_run(segment_work *work, const float *const mix[2],
                          float *const stems[A1_DEMIX_SOURCES][2], a1_error *err)
{
    const size_t mark = a1_arena_mark(&work->arena);
    const allin1_status status = run(work, mix, stems, err);
    a1_arena_release(&work->arena, mark);
    return status;
}
