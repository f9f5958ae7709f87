#include "network/network.h"

#include <stdint.h>
#include <stdlib.h>

#include "network/fold_weights.h"
#include "network/plain_network.h"

const char *const a1_network_labels[A1_NETWORK_LABELS] = {
    "start", "end", "intro", "outro", "break", "bridge", "inst", "solo", "verse", "chorus"};

struct a1_network {
    size_t fold_count;
    a1_fold_weights *folds;
};

allin1_status a1_network_create(a1_network **out, const a1_tensor_set *const *folds,
                                size_t fold_count, const a1_cpu *cpu, a1_error *err)
{
    (void)cpu;
    *out = NULL;
    a1_network *network = calloc(1, sizeof *network);
    if (network)
        network->folds = calloc(fold_count, sizeof *network->folds);
    if (!network || !network->folds) {
        a1_network_destroy(&network);
        return a1_fail_memory(err, "the network's weights");
    }
    network->fold_count = fold_count;
    for (size_t i = 0; i < fold_count; i++) {
        const allin1_status status = a1_fold_weights_load(&network->folds[i], folds[i], err);
        if (status != ALLIN1_OK) {
            a1_network_destroy(&network);
            return a1_fail_prefix(err, status, "fold %zu", i);
        }
    }
    *out = network;
    return ALLIN1_OK;
}

void a1_network_destroy(a1_network **network)
{
    if (!*network)
        return;
    free((*network)->folds);
    free(*network);
    *network = NULL;
}

size_t a1_network_folds(const a1_network *network)
{
    return network->fold_count;
}

typedef struct keep {
    float *embeddings;
    size_t fold, folds;
} keep;

static void keep_embeddings(void *user, const char *name, const double *state, size_t frames)
{
    const keep *k = user;
    if (name[0] != 'f' || !k->embeddings)
        return;
    for (size_t i = 0; i < A1_NET_STEMS * frames * A1_NET_DIM; i++)
        k->embeddings[i * k->folds + k->fold] = (float)state[i];
}

allin1_status a1_network_run(const a1_network *network, a1_pool *pool, const float *spectrogram,
                             size_t frames, const a1_network_output *output,
                             a1_progress_fn progress, void *user, a1_error *err)
{
    (void)pool;
    double *logits = malloc(A1_NET_HEAD_OUTPUTS * frames * sizeof *logits);
    double *sum = calloc(A1_NET_HEAD_OUTPUTS * frames, sizeof *sum);
    allin1_status status = ALLIN1_OK;
    for (size_t fold = 0; fold < network->fold_count; fold++) {
        keep k = {output->embeddings, fold, network->fold_count};
        if (progress && progress(user, (double)fold / (double)network->fold_count))
            status = a1_fail(err, ALLIN1_ERROR_CANCELLED, "the network was cancelled");
        else if (!logits || !sum ||
                 plain_network_fold(&network->folds[fold], spectrogram, frames, logits,
                                    keep_embeddings, &k) != 0)
            status = a1_fail_memory(err, "the network");
        if (status != ALLIN1_OK)
            goto done;
        for (size_t i = 0; i < A1_NET_HEAD_OUTPUTS * frames; i++)
            sum[i] += logits[i] / (double)network->fold_count;
    }
    for (size_t t = 0; t < frames; t++) {
        output->beat[t] = (float)sum[t];
        output->downbeat[t] = (float)sum[frames + t];
        output->section[t] = (float)sum[2 * frames + t];
        for (size_t i = 0; i < A1_NET_LABELS; i++)
            output->function[i * frames + t] = (float)sum[(3 + i) * frames + t];
    }
done:
    free(logits);
    free(sum);
    return status;
}
