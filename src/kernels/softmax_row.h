/* The first half of a soft-max over one more block of a row's scores: its maximum, and what came before
 * brought down to it. Included where vf is a vector (see simd.h). */
#ifndef A1_KERNELS_SOFTMAX_ROW_H
#define A1_KERNELS_SOFTMAX_ROW_H

#include <math.h>
#include <stddef.h>

#include "kernels/simd.h"

/* `keys` is a multiple of VW. The maximum, spread. */
static inline vf softmax_raise(const float *scores, size_t keys, float *maximum, double *sum,
                               float *values, size_t values_width)
{
    vf top0 = vf_load(scores), top1 = top0;
    size_t k = 0;
    for (; k + 2 * VW <= keys; k += 2 * VW) {
        top0 = vf_max(top0, vf_load(scores + k));
        top1 = vf_max(top1, vf_load(scores + k + VW));
    }
    for (; k < keys; k += VW)
        top0 = vf_max(top0, vf_load(scores + k));
    const float top = vf_max_lane(vf_max(top0, top1));
    const int first = *maximum == -INFINITY;
    const float high = top > *maximum ? top : *maximum;
    if (!first && high > *maximum) {
        const float shrink = expf(*maximum - high);
        const vf factor = vf_set1(shrink);
        for (size_t c = 0; c < values_width; c += VW)
            vf_store(values + c, vf_load(values + c) * factor);
        *sum *= (double)shrink;
    }
    *maximum = high;
    return vf_set1(high);
}

#endif
