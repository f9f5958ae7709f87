/* The median of a window that slides along a row of numbers. */
#ifndef A1_CHEAP_STEMS_SLIDING_MEDIAN_H
#define A1_CHEAP_STEMS_SLIDING_MEDIAN_H

#include <stddef.h>

#define A1_MEDIAN_MAX_HALF 16

/* For each of the positions first .. first + count - 1 of in[0], in[stride], ... (`length` of them):
 * the median of the `half` values on both sides and its own, fewer at the ends; the upper one of an
 * even number. half <= A1_MEDIAN_MAX_HALF; values must not be NaN. */
void a1_sliding_median(const float *in, size_t stride, size_t length, size_t first, size_t count,
                       size_t half, float *out, size_t out_stride);

#endif
