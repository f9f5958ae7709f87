/* The stages of one fold. Each splits its work into tasks. Their borders may depend on the number
 * of threads; what is computed for a block of frames does not depend on the task that it falls
 * into, nor do the bits. */
#ifndef A1_NETWORK_STAGES_H
#define A1_NETWORK_STAGES_H

#include "base/arena.h"
#include "base/threads.h"
#include "kernels/lane.h"
#include "network/fold_model.h"
#include "network/network.h"

/* Hidden states are [4 stems][blocks][24][32]. Lanes behind the last frame hold numbers that
 * nothing reads. */
#define A1_NET_BLOCK_FLOATS ((size_t)A1_NET_DIM * A1_LANES)

typedef struct a1_network_job {
    const a1_lane_kernels *kernels;
    a1_pool *pool;
    const float *spectrogram; /* [4][frames][81] */
    size_t frames;
    size_t blocks; /* of 32 frames */
    float *state;  /* the current hidden state; the layers swap it with `next` */
    float *next;
    float *scratch;        /* one piece for each worker */
    size_t scratch_stride; /* floats */
} a1_network_job;

/* Plans the memory of a run for `frames` frames and takes it from a new arena, which the caller
 * destroys; on failure there is none. */
allin1_status a1_network_job_create(a1_network_job *job, a1_arena *arena,
                                    const a1_lane_kernels *kernels, a1_pool *pool,
                                    const float *spectrogram, size_t frames, a1_error *err);

/* Floats of scratch that each stage needs for one worker. */
size_t a1_embedding_scratch(void);
size_t a1_time_layer_scratch(void);
size_t a1_instrument_layer_scratch(void);
size_t a1_heads_scratch(void);

/* Spectrogram to state. */
void a1_embedding_run(a1_network_job *job, const a1_fold_model *model);
/* State to state. `dilation` is that of the first attention, the second has twice as much; below 32
 * or a multiple of 32. */
void a1_time_layer_run(a1_network_job *job, const a1_time_model *model, size_t dilation);
void a1_instrument_layer_run(a1_network_job *job, const a1_instrument_model *model);
/* The last norm and the heads: logits of fold 0 are stored, of later folds added, and the last fold
 * divides by their number. */
void a1_heads_run(a1_network_job *job, const a1_fold_model *model, size_t fold, size_t folds,
                  const a1_network_output *output);

/* Into how many parts each of `pieces` equal pieces of `length` units should be split, so that all
 * threads have work to the end and parts have at least `least` units. */
static inline size_t a1_task_parts(const a1_network_job *job, size_t pieces, size_t length,
                                   size_t least)
{
    const size_t wanted = (8 * (size_t)a1_pool_threads(job->pool) + pieces - 1) / pieces;
    const size_t most = length < 2 * least ? 1 : length / least;
    return wanted < most ? wanted : most;
}

static inline float *a1_state_block(float *state, const a1_network_job *job, size_t stem,
                                    size_t block)
{
    return state + (stem * job->blocks + block) * A1_NET_BLOCK_FLOATS;
}

/* Frames of a block that exist: 32 but in the last. */
static inline size_t a1_block_frames(const a1_network_job *job, size_t block)
{
    const size_t left = job->frames - block * A1_LANES;
    return left < A1_LANES ? left : A1_LANES;
}

/* Asks for a block that is about to be read: the blocks of a strip are too far apart for the
 * processor to guess. */
static inline void a1_prefetch_block(const float *block)
{
    for (size_t i = 0; i < A1_NET_BLOCK_FLOATS; i += 16)
        __builtin_prefetch(block + i);
}

/* Zeros in the lanes from `count` on. */
static inline void a1_clear_lanes(float *rows, size_t row_count, size_t stride, size_t count)
{
    for (size_t row = 0; row < row_count && count < A1_LANES; row++)
        for (size_t lane = count; lane < A1_LANES; lane++)
            rows[row * stride + lane] = 0.0f;
}

#endif
