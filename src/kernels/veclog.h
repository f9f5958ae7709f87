/* log10(1 + x) on the vectors of simd.h. */
#ifndef A1_KERNELS_VECLOG_H
#define A1_KERNELS_VECLOG_H

#include <float.h>
#include <stdint.h>

#include "kernels/simd.h"

/* Splits u = m 2^e with m in [0.75, 1.5), for positive normal u. */
#if VW == 1
A1_INLINE vf vf_split(vf u, vf *e)
{
    int32_t bits;
    memcpy(&bits, &u, sizeof bits);
    bits -= 0x3f400000; /* 0.75 */
    *e = (float)(bits >> 23);
    bits = (bits & 0x7fffff) + 0x3f400000;
    memcpy(&u, &bits, sizeof bits);
    return u;
}
#else
A1_INLINE vf vf_split(vf u, vf *e)
{
    typedef int32_t words __attribute__((vector_size(4 * VW)));
    const words bits = (words)u - 0x3f400000;
    *e = (vf) __builtin_convertvector(bits >> 23, vf);
    return (vf)((bits & 0x7fffff) + 0x3f400000);
}
#endif

/* log10(1 + x) for x >= 0, absolute error below 1.6e-7 up to x = 4,096, and below one unit in the
 * last place beyond (measured on every 37th float); infinity and not-a-number come back as they
 * are.
 *
 * The polynomial is r P(r), of degree 8, our own minimax fit (Lawson's reweighted least squares in
 * double on 2,000 Chebyshev nodes) to log10(1 + r) on [-0.25, 0.5), where its error is 1.4e-8. */
A1_INLINE vf vf_log10_1p(vf x)
{
    vf e;
    const vf r = vf_split(x + vf_set1(1.0f), &e) - vf_set1(1.0f);
    vf p = vf_set1(-0.0273572895f);
    p = vf_fma(p, r, vf_set1(0.060591478f));
    p = vf_fma(p, r, vf_set1(-0.0758421139f));
    p = vf_fma(p, r, vf_set1(0.0875413976f));
    p = vf_fma(p, r, vf_set1(-0.10844938f));
    p = vf_fma(p, r, vf_set1(0.144735804f));
    p = vf_fma(p, r, vf_set1(-0.217148625f));
    p = vf_fma(p, r, vf_set1(0.434294741f));
    /* log10 2 in two parts: the first is exact in few enough bits for e * part to be exact. */
    p = vf_fma(p, r, e * vf_set1(2.48745664e-4f));
    p = vf_fma(e, vf_set1(0.30078125f), p);
    return vf_select_gt(x, vf_set1(FLT_MAX), x, vf_fma(x, vf_zero(), p));
}

#endif
