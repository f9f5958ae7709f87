#include "network/network.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/arena.h"
#include "network/fold_model.h"
#include "network/stages.h"

const char *const a1_network_labels[A1_NETWORK_LABELS] = {
    "start", "end", "intro", "outro", "break", "bridge", "inst", "solo", "verse", "chorus"};

struct a1_network {
    const a1_lane_kernels *kernels;
    size_t fold_count;
    a1_fold_model folds[];
};

allin1_status a1_network_create(a1_network **out, const a1_tensor_set *const *folds,
                                size_t fold_count, const a1_cpu *cpu, size_t *bad_fold,
                                a1_error *err)
{
    *out = NULL;
    if (fold_count == 0 || fold_count > A1_NETWORK_MAX_FOLDS)
        return a1_fail(err, ALLIN1_ERROR_ARGUMENT, "a network has 1 to %d folds, not %zu",
                       A1_NETWORK_MAX_FOLDS, fold_count);
    a1_network *network = calloc(1, sizeof *network + fold_count * sizeof network->folds[0]);
    a1_fold_weights *weights = malloc(sizeof *weights);
    allin1_status status = ALLIN1_OK;
    if (!network || !weights) {
        status = a1_fail_memory(err, "the network's weights");
        goto done;
    }
    network->kernels = a1_lane_kernels_get(cpu);
    network->fold_count = fold_count;
    for (size_t i = 0; i < fold_count; i++) {
        status = a1_fold_weights_load(weights, folds[i], err);
        if (status == ALLIN1_OK)
            status = a1_fold_model_create(&network->folds[i], weights, err);
        if (status != ALLIN1_OK) {
            if (bad_fold)
                *bad_fold = i;
            a1_fail_prefix(err, status, "fold %zu", i);
            goto done;
        }
    }
    *out = network;
    network = NULL;
done:
    free(weights);
    a1_network_destroy(&network);
    return status;
}

void a1_network_destroy(a1_network **slot)
{
    a1_network *network = *slot;
    if (!network)
        return;
    for (size_t i = 0; i < network->fold_count; i++)
        a1_fold_model_destroy(&network->folds[i]);
    free(network);
    *slot = NULL;
}

size_t a1_network_folds(const a1_network *network)
{
    return network->fold_count;
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* Floats of scratch for one worker, a multiple of a cache line. */
static size_t scratch_floats(void)
{
    size_t floats = larger(a1_embedding_scratch(), a1_time_layer_scratch());
    floats = larger(floats, larger(a1_instrument_layer_scratch(), a1_heads_scratch()));
    return (floats + 15) / 16 * 16;
}

size_t a1_network_memory(size_t frames, unsigned threads)
{
    const size_t blocks = (frames + A1_LANES - 1) / A1_LANES;
    const size_t state = a1_arena_cost(A1_NET_STEMS * blocks * A1_NET_BLOCK_FLOATS * sizeof(float));
    return 2 * state + a1_arena_cost(threads * scratch_floats() * sizeof(float));
}

allin1_status a1_network_job_create(a1_network_job *job, a1_arena *arena,
                                    const a1_lane_kernels *kernels, a1_pool *pool,
                                    const float *spectrogram, size_t frames, a1_error *err)
{
    const unsigned threads = a1_pool_threads(pool);
    A1_TRY(a1_arena_create(arena, a1_network_memory(frames, threads), "the network", err));
    *job = (a1_network_job){.kernels = kernels,
                            .pool = pool,
                            .spectrogram = spectrogram,
                            .frames = frames,
                            .blocks = (frames + A1_LANES - 1) / A1_LANES,
                            .scratch_stride = scratch_floats()};
    const size_t state = A1_NET_STEMS * job->blocks * A1_NET_BLOCK_FLOATS;
    job->state = a1_arena_floats(arena, state);
    job->next = a1_arena_floats(arena, state);
    job->scratch = a1_arena_floats(arena, threads * job->scratch_stride);
    if (job->state && job->next && job->scratch)
        return ALLIN1_OK;
    a1_arena_destroy(arena);
    return a1_fail(err, ALLIN1_ERROR_INTERNAL, "the network's memory was planned too small");
}

static int cancelled(a1_progress_fn progress, void *user, size_t step, size_t steps)
{
    return progress && progress(user, (double)step / (double)steps) != 0;
}

allin1_status a1_network_run(const a1_network *network, a1_pool *pool, const float *spectrogram,
                             size_t frames, const a1_network_output *output,
                             a1_progress_fn progress, void *user, a1_error *err)
{
    if (frames == 0 || frames > A1_NETWORK_MAX_FRAMES)
        return a1_fail(err, ALLIN1_ERROR_ARGUMENT, "the network takes 1 to %d frames, not %zu",
                       A1_NETWORK_MAX_FRAMES, frames);
    a1_arena arena;
    a1_network_job job;
    A1_TRY(a1_network_job_create(&job, &arena, network->kernels, pool, spectrogram, frames, err));
    allin1_status status = ALLIN1_OK;
    /* A step is the embedding or a block. */
    const size_t folds = network->fold_count, steps = folds * (1 + A1_NET_BLOCKS);
    for (size_t step = 0; step < steps; step++) {
        const size_t fold = step / (1 + A1_NET_BLOCKS), block = step % (1 + A1_NET_BLOCKS);
        const a1_fold_model *model = &network->folds[fold];
        if (cancelled(progress, user, step, steps)) {
            status =
                a1_fail(err, ALLIN1_ERROR_CANCELLED, "cancelled in fold %zu of the network", fold);
            goto done;
        }
        if (block == 0) {
            a1_embedding_run(&job, model);
            continue;
        }
        a1_time_layer_run(&job, &model->time[block - 1], (size_t)1 << (block - 1));
        a1_instrument_layer_run(&job, &model->instrument[block - 1]);
        if (block == A1_NET_BLOCKS)
            a1_heads_run(&job, model, fold, folds, output);
    }
    if (cancelled(progress, user, steps, steps))
        status = a1_fail(err, ALLIN1_ERROR_CANCELLED, "cancelled at the end of the network");
done:
    a1_arena_destroy(&arena);
    return status;
}
