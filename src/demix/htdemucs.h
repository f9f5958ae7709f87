/* HTDemucs v4: separates a stereo song into drums, bass, other and vocals.
 *
 * Source: Rouard, Massa and Defossez, "Hybrid Transformers for Music Source Separation", ICASSP 2023;
 * exact semantics in docs/MODEL.md. */
#ifndef A1_DEMIX_HTDEMUCS_H
#define A1_DEMIX_HTDEMUCS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cpu.h"
#include "base/error.h"
#include "base/threads.h"
#include "tensor/tensor.h"

#define A1_DEMIX_SEGMENT 343980 /* samples of one segment at 44,100 Hz: 7.8 s */
#define A1_DEMIX_STRIDE 257985  /* overlap 0.25 */
#define A1_DEMIX_SOURCES 4      /* drums, bass, other, vocals: the order of the model's output */

typedef struct a1_htdemucs a1_htdemucs; /* packed weights; read-only after creation */

typedef enum a1_demix_precision {
    A1_DEMIX_FP32 = 0,
    A1_DEMIX_BF16, /* convolutions, linear layers and attention products on bfloat16; sums, norms and
                    * soft-max in float */
    A1_DEMIX_MIXED /* as BF16, with 8-bit integers in the linear layers of the transformer */
} a1_demix_precision;

/* "fp32", "bf16", "mixed". */
const char *a1_demix_precision_string(a1_demix_precision precision);

/* Whether this machine, at the level chosen, has the instructions for a precision. */
int a1_demix_precision_available(const a1_cpu *cpu, a1_demix_precision precision);

/* The fastest precision of this machine, at the level chosen, whose results are known to be those of
 * fp32 (docs/SPEED.md has the evidence). */
a1_demix_precision a1_demix_precision_auto(const a1_cpu *cpu);

/* Builds the model from tensors under their original PyTorch names; widths follow from the tensors'
 * shapes, so a tiny random model works too. The set is not needed afterwards, unless it is a packed one
 * (a1_htdemucs_borrows). A precision that is not available, or not the one that a set was packed for, is
 * an ALLIN1_ERROR_UNSUPPORTED. */
allin1_status a1_htdemucs_create(a1_htdemucs **model, const a1_tensor_set *weights,
                                 const a1_cpu *cpu, a1_demix_precision precision, a1_pool *pool,
                                 a1_error *err);
void a1_htdemucs_destroy(a1_htdemucs **model);

/* Packing once what would be packed at every start: *packed holds the panels of all products for one
 * precision, and the other tensors and the texts as they are. It borrows from `weights`, which must
 * outlive it. What is made of it computes the same bits. The caller destroys it. */
allin1_status a1_htdemucs_pack(const a1_tensor_set *weights, const a1_cpu *cpu,
                               a1_demix_precision precision, a1_pool *pool, a1_tensor_set **packed,
                               a1_error *err);
/* The layout that a precision's packed sets have here, and the one that a set has (NULL: it is not
 * packed): "mixed-1". */
const char *a1_htdemucs_layout(a1_demix_precision precision);
const char *a1_htdemucs_packing(const a1_tensor_set *set);
/* Whether the model's panels are those of a packed set, which then must outlive it. */
bool a1_htdemucs_borrows(const a1_htdemucs *model);

/* What the model was built with. */
a1_demix_precision a1_htdemucs_precision(const a1_htdemucs *model);

/* Floating-point multiplications and additions of one segment: its convolutions, linear layers and
 * attention products; 334.9e9 for the real model. */
double a1_htdemucs_operations(const a1_htdemucs *model);

typedef struct a1_demix_settings {
    unsigned shifts; /* 0 (default): one pass, no shift; N: the mean of N randomly shifted passes */
    uint64_t seed;   /* of the shifts */
} a1_demix_settings;

/* Called from the calling thread between segments; a non-zero return cancels. */
typedef int (*a1_demix_progress_fn)(void *user, size_t segments_done, size_t segments);

/* The whole track. `mix[c]`: `samples` floats at 44,100 Hz, samples >= 1. stems[s][c]: room for
 * `samples` floats each, written whole. Working memory is bounded by the segment. */
allin1_status a1_demix_track(const a1_htdemucs *model, a1_pool *pool,
                             const a1_demix_settings *settings, const float *const mix[2],
                             size_t samples, float *const stems[A1_DEMIX_SOURCES][2],
                             a1_demix_progress_fn progress, void *user, a1_error *err);

#endif
