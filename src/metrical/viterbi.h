/* The best path through a bar model: a plain decoder that shows what is meant, and a fast one that
 * gives the same bits.
 *
 * The value of a path is summed in one order in both: (value + log transition) + log density, frame
 * by frame. Of equal values the lower state wins. */
#ifndef A1_METRICAL_VITERBI_H
#define A1_METRICAL_VITERBI_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/cpu.h"
#include "metrical/bar_model.h"
#include "metrical/viterbi_block.h"

/* Zeros that a1_densities must hold behind its last frame. */
#define A1_DENSITY_PADDING (A1_MAX_BEAT_INTERVAL + 2 * A1_BLOCK_LANES)

/* Memory for the fast decoder's entry scores; longer music is decoded in chunks, of which all but
 * the last are computed twice. */
#define A1_ENTRY_HISTORY_BYTES ((size_t)64 << 20)

/* Bytes of scratch for `frames` frames; SIZE_MAX when that is more than can be counted. */
size_t a1_viterbi_plain_cost(const a1_bar_model *bar, size_t frames);

/* Writes the state of every frame to `path` [frames] and returns the path's log probability. At
 * -inf there is no path, and `path` is not written. frames >= 1; `scratch` has room for the cost.
 */
double a1_viterbi_plain(const a1_bar_model *bar, const a1_densities *densities, size_t frames,
                        a1_arena *scratch, uint32_t *path);

/* What the fast decoder prepares once for a bar model. Read-only afterwards. */
typedef struct a1_fast_model {
    const a1_bar_model *bar; /* borrowed */
    a1_block_plan plan;
    double *weights;
    a1_block_group *groups;
    a1_block_fn block;
} a1_fast_model;

allin1_status a1_fast_model_create(a1_fast_model *fast, const a1_bar_model *bar,
                                   allin1_cpu_level level, a1_error *err);
void a1_fast_model_destroy(a1_fast_model *fast);

/* As above. `history_bytes` bounds the memory for entry scores (a floor of one chunk applies). */
size_t a1_viterbi_fast_cost(const a1_fast_model *fast, size_t frames, size_t history_bytes);
double a1_viterbi_fast(const a1_fast_model *fast, const a1_densities *densities, size_t frames,
                       size_t history_bytes, a1_arena *scratch, uint32_t *path);

#endif
