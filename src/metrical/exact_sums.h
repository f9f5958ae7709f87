/* Sums of densities whose order does not matter, because no step of them rounds.
 *
 * Densities are float32 numbers <= 0. Where the smallest of them is m, all are multiples of m's
 * last bit, so that a sum of them, begun at a double that is a multiple of that bit too, is exact
 * while it stays where doubles are at least as fine. Of a path's value this is known as long as it
 * does not pass a power of two: below, its own last bit is the coarser one. So a beat's densities
 * may be added at once instead of frame by frame, to the same bits, when the value begins and ends
 * in one binade and lies above -limit. */
#ifndef A1_METRICAL_EXACT_SUMS_H
#define A1_METRICAL_EXACT_SUMS_H

#include <stddef.h>

#include "base/arena.h"
#include "metrical/bar_model.h"

typedef struct a1_exact_sums {
    const a1_densities *densities;
    size_t ahead;                 /* frames that a block looks ahead */
    double *limits;               /* of every A1_EXACT_CELL frames */
    double *column[A1_DENSITIES]; /* [ahead + 1], sums before each frame of the block */
} a1_exact_sums;

#define A1_EXACT_CELL 16u

/* Bytes of scratch; `frames` is far from SIZE_MAX. */
size_t a1_exact_sums_cost(size_t frames, size_t ahead);

/* `densities` are followed by zeros for `ahead` + A1_EXACT_CELL frames. */
void a1_exact_sums_create(a1_exact_sums *sums, const a1_densities *densities, size_t frames,
                          size_t ahead, a1_arena *scratch);

/* Fills `column` for the block that begins at frame `t` and returns its limit; at 0 the order
 * matters, and `column` is not filled. */
double a1_exact_sums_at(a1_exact_sums *sums, size_t t);

#endif
