/* One segment through the separator: the working memory and the stages. Internal to src/demix. */
#ifndef A1_DEMIX_SEGMENT_H
#define A1_DEMIX_SEGMENT_H

#include "base/arena.h"
#include "demix/model.h"

/* Channels-last activations: element (row, frame, channel) is data[(row * pitch + frame) * channels +
 * channel]. The frequency branch has its frequency rows; the time branch is one row. PAD_BEFORE
 * frames before and PAD_AFTER after each row exist, and `margin` whole rows before and after. */
typedef struct map {
    float *data;
    size_t rows, frames, channels, pitch;
} map;

static inline float *map_at(const map *m, size_t row, size_t frame)
{
    return m->data + (row * m->pitch + frame) * m->channels;
}

/* Lets a test see what the stages compute: `frames` rows of `channels` values, `stride` floats apart,
 * that belong to frequency row `row` (0 in the time branch) from frame `frame` on. May be called
 * from several threads at once. Names follow the reference's layers (tests/golden). */
typedef void (*segment_probe)(void *user, const char *name, size_t row, size_t frame, size_t frames,
                              size_t channels, const float *data, size_t stride);

typedef struct segment_work {
    const a1_htdemucs *model;
    a1_pool *pool;
    a1_arena arena;
    float *zero_row;       /* ROW_PITCH frames of the widest level, zeros */
    float *thread_scratch; /* one part per thread */
    size_t thread_stride;  /* floats */
    unsigned char *gemm_scratch; /* one part per thread for the products' rounded rows */
    size_t gemm_stride;          /* bytes */
    a1_moments *moments;   /* one per task of a reduction */
    size_t moments_room;
    segment_probe probe; /* NULL but in tests */
    void *probe_user;
} segment_work;

/* A product on the calling thread, with that thread's scratch. */
static inline void segment_product(const segment_work *work, unsigned worker, const a1_gemm_call *call)
{
    a1_gemm_call with_scratch = *call;
    with_scratch.scratch = work->gemm_scratch + worker * work->gemm_stride;
    a1_gemm_run(&work->model->gemm, &with_scratch);
}

allin1_status segment_work_create(segment_work *work, const a1_htdemucs *model, a1_pool *pool,
                                  a1_error *err);
void segment_work_destroy(segment_work *work);

/* mix[2][343980], normalised as the track is; stems[s][c]: 343,980 samples each. */
allin1_status segment_run(segment_work *work, const float *const mix[2],
                          float *const stems[A1_DEMIX_SOURCES][2], a1_error *err);

/* A map from the arena; data is NULL when the arena is exhausted. */
map map_create(segment_work *work, size_t rows, size_t frames, size_t channels, size_t margin);
/* Sets the frames before and after each row to zero. */
void map_zero_pads(const map *m);

static inline void segment_note(const segment_work *work, const char *name, size_t row, size_t frame,
                                size_t frames, size_t channels, const float *data, size_t stride)
{
    if (work->probe)
        work->probe(work->probe_user, name, row, frame, frames, channels, data, stride);
}
void segment_note_map(const segment_work *work, const char *name, const map *m);
/* For stages that the fused kernels never write to memory: computes the product once more without its
 * later steps and reports it, 32 packed columns a panel (16 after a kept GLU). */
void segment_note_product(const segment_work *work, unsigned worker, const char *name, size_t row,
                          size_t frame, const a1_gemm_call *call, int keep_activation);

/* spectral.c: the transforms at both ends. */
typedef struct segment_statistics {
    float mean, std;
} segment_statistics;

/* Fills the input maps with the normalised spectrogram (2048 rows, 4 channels) and mix (2 channels). */
allin1_status spectral_analyse(segment_work *work, const float *const mix[2], map *frequency,
                               map *time, segment_statistics statistics[2], a1_error *err);
/* Last decoder outputs (16 and 8 channels) to stems. */
allin1_status spectral_synthesise(segment_work *work, const map *frequency, const map *time,
                                  const segment_statistics statistics[2],
                                  float *const stems[A1_DEMIX_SOURCES][2], a1_error *err);

/* levels.c: encoder and decoder levels. `out` and the decoder's x come from the arena. */
allin1_status encoder_run(segment_work *work, int branch, size_t level, const map *in, map *out,
                          a1_error *err);
/* x already holds the skip connection. `skip` is the one of the next step, added to the output, or NULL
 * at the last. */
allin1_status decoder_run(segment_work *work, int branch, size_t step, const map *x, const map *skip,
                          map *out, a1_error *err);

/* dconv.c: the residual branches on one row of `frames` frames, in place; the frames around the row are
 * zero. With a pool the row is split; without one, `worker` is the thread that calls. scratch holds
 * dconv_scratch floats. */
size_t dconv_scratch(const dconv_layer *layer, size_t frames);
void dconv_run(segment_work *work, a1_pool *pool, unsigned worker, const dconv_layer layers[DCONV_LAYERS],
               const char *name, size_t row, float *y, size_t frames, size_t channels,
               float *scratch, a1_moments *moments);
/* Tasks, and thus moments, of a row of `frames` frames. */
size_t dconv_tasks(size_t frames);

/* cross_transformer.c: reads the deepest encoder outputs, writes the first decoder inputs (with skip). */
/* Floats of scratch that a task of it needs. */
size_t transformer_scratch(const a1_htdemucs *model);
allin1_status transformer_run(segment_work *work, const map encoded[2], map decoded[2],
                              a1_error *err);

#endif
