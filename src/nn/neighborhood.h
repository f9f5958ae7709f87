/* Where the windows of dilated neighbourhood attention lie (NATTEN 0.14 to 0.17). */
#ifndef A1_NN_NEIGHBORHOOD_H
#define A1_NN_NEIGHBORHOOD_H

#include <stdbool.h>
#include <stddef.h>

#include "kernels/lane.h"

/* The five neighbours of frame t are t + (shift + j) * dilation, j = 0..4, and the index of their
 * relative position bias is shift + j + 4. -2 away from the ends; there the window is moved inside
 * the frames of t's residue class modulo the dilation. t < length, length >= 5 * dilation. */
ptrdiff_t a1_window_shift(size_t t, size_t length, size_t dilation);

/* The shifts of the lanes of a block of neighbouring frames. */
typedef struct a1_block_shifts {
    bool uniform;               /* one shift, `lowest`, for all lanes */
    ptrdiff_t lowest, highest;  /* over the lanes, in -4..0 */
    signed char lane[A1_LANES]; /* set unless uniform */
} a1_block_shifts;

/* Frames start..start+31, of which those below `frames` count: start < frames <= length. */
a1_block_shifts a1_block_shifts_find(size_t start, size_t frames, size_t length, size_t dilation);

/* keep[lane] = 1 where the lane has this shift, else 0; false when no lane has it. */
bool a1_block_shifts_select(const a1_block_shifts *shifts, ptrdiff_t shift, float *keep);

#endif
