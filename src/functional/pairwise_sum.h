/* Sums of float32 in the order of the reference's numpy.
 *
 * numpy halves a row of more than 128 values (the left part a multiple of 8 long) until the parts
 * are short, and sums a short part in eight interleaved sums that are added in pairs; what is left
 * over is added at the end. Means of probabilities decide strengths and labels, so the order is
 * kept. */
#ifndef A1_FUNCTIONAL_PAIRWISE_SUM_H
#define A1_FUNCTIONAL_PAIRWISE_SUM_H

#include <stddef.h>

#include "base/error.h"

float a1_pairwise_sum(const float *values, size_t count);

/* sums[s] = a1_pairwise_sum(values + s, window) for s = 0 .. count - window, bit for bit, with
 * about 40 additions a value for the usual windows whatever their length: all windows share their
 * parts. 1 <= window <= count. Fails on memory. */
allin1_status a1_sliding_pairwise_sums(const float *values, size_t count, size_t window,
                                       float *sums, a1_error *err);

#endif
