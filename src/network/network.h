/* The All-In-One network: embeddings, eleven dilated neighbourhood-attention blocks, four heads, as
 * an ensemble of folds whose logits are averaged.
 *
 * Source: Kim and Nam, "All-In-One Metrical And Functional Structure Analysis With Neighborhood
 * Attentions on Demixed Audio", WASPAA 2023; exact semantics in docs/MODEL.md. */
#ifndef A1_NETWORK_H
#define A1_NETWORK_H

#include <stddef.h>

#include "base/cpu.h"
#include "base/error.h"
#include "base/threads.h"
#include "tensor/tensor.h"

#define A1_NETWORK_STEMS 4
#define A1_NETWORK_BANDS 81
#define A1_NETWORK_EMBEDDING 24
#define A1_NETWORK_LABELS 10
#define A1_NETWORK_MAX_FOLDS 64
#define A1_NETWORK_MAX_FRAMES (100 * 3600 * 24) /* a day */

/* start, end, intro, outro, break, bridge, inst, solo, verse, chorus. */
extern const char *const a1_network_labels[A1_NETWORK_LABELS];

typedef struct a1_network a1_network; /* read-only after creation */

/* Builds the ensemble from one tensor set per fold (names as in the reference's state_dict, layouts
 * as in the published npz files); the sets are not needed afterwards. Shapes are checked: on
 * ALLIN1_ERROR_FORMAT *bad_fold, unless NULL, receives the index of the fold that is not as it should. */
allin1_status a1_network_create(a1_network **network, const a1_tensor_set *const *folds,
                                size_t fold_count, const a1_cpu *cpu, size_t *bad_fold,
                                a1_error *err);
void a1_network_destroy(a1_network **network);
size_t a1_network_folds(const a1_network *network);

/* Caller-owned arrays for `frames` frames; `function` is [10][frames]; `embeddings` may be NULL,
 * else [4][frames][24][folds]. Logits, not probabilities. */
typedef struct a1_network_output {
    float *beat;
    float *downbeat;
    float *section;
    float *function;
    float *embeddings;
} a1_network_output;

/* Bytes of working memory of a run: about 770 a frame and 0.7 MB a thread. */
size_t a1_network_memory(size_t frames, unsigned threads);

/* Floating-point multiplications and additions of a run: its convolutions, linear layers and
 * attention products, without what padding costs. */
double a1_network_operations(const a1_network *network, size_t frames);

/* Called from the calling thread between folds and blocks; a non-zero return cancels. */
typedef int (*a1_progress_fn)(void *user, double fraction);

/* `spectrogram`: [4][frames][81], stems bass, drums, other, vocals; 1 to A1_NETWORK_MAX_FRAMES
 * frames. Same input, same bits for any pool. Numbers that are not finite spoil the logits around
 * them and nothing else. On failure the output holds no result. `pool` may be NULL. */
allin1_status a1_network_run(const a1_network *network, a1_pool *pool, const float *spectrogram,
                             size_t frames, const a1_network_output *output,
                             a1_progress_fn progress, void *user, a1_error *err);

#endif
