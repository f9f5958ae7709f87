/* exp, sigmoid, erf, GELU and ELU on the vectors of simd.h.
 *
 * The coefficients are our own minimax fits (iteratively reweighted least squares in double on
 * Chebyshev nodes); the errors beside them were measured over all the range in float32. */
#ifndef A1_KERNELS_VECMATH_H
#define A1_KERNELS_VECMATH_H

#include "kernels/simd.h"

/* e^x, relative error below 2e-7; x is clamped to [-87, 88], so nothing becomes infinite or denormal
 * (e^-87 is 1.6e-38). */
A1_INLINE vf vf_exp(vf x)
{
    x = vf_min(vf_max(x, vf_set1(-87.0f)), vf_set1(88.0f));
    const vf n = vf_round(x * vf_set1(1.44269504088896341f));
    /* ln 2 in two parts: the first has few enough bits for n * part to be exact. */
    vf r = vf_fnma(n, vf_set1(0.693359375f), x);
    r = vf_fnma(n, vf_set1(-2.12194440e-4f), r);
    vf p = vf_set1(0.0013814539f);
    p = vf_fma(p, r, vf_set1(0.008368745f));
    p = vf_fma(p, r, vf_set1(0.04166839f));
    p = vf_fma(p, r, vf_set1(0.16666521f));
    p = vf_fma(p, r, vf_set1(0.49999994f));
    p = vf_fma(p, r * r, r);
    return vf_scale2(p + vf_set1(1.0f), n);
}

A1_INLINE vf vf_sigmoid(vf x)
{
    return vf_set1(1.0f) / (vf_set1(1.0f) + vf_exp(vf_zero() - x));
}

/* The error function for |x| up to 3.92, absolute error below 4e-7: x P(x^2) / Q(x^2). */
A1_INLINE vf vf_erf_ratio_(vf x)
{
    const vf u = x * x;
    vf p = vf_set1(2.0488615e-06f);
    p = vf_fma(p, u, vf_set1(0.00028493235f));
    p = vf_fma(p, u, vf_set1(0.0037696606f));
    p = vf_fma(p, u, vf_set1(0.052761577f));
    p = vf_fma(p, u, vf_set1(0.19050609f));
    p = vf_fma(p, u, vf_set1(1.1283791f));
    vf q = vf_set1(3.8081438e-05f);
    q = vf_fma(q, u, vf_set1(0.0011634278f));
    q = vf_fma(q, u, vf_set1(0.014977539f));
    q = vf_fma(q, u, vf_set1(0.11414994f));
    q = vf_fma(q, u, vf_set1(0.50216436f));
    q = vf_fma(q, u, vf_set1(1.0f));
    return x * p / q;
}

/* The error function, absolute error below 4e-7. Beyond 3.92 it stays as it is there, which is +-1
 * within that error. */
A1_INLINE vf vf_erf(vf x)
{
    return vf_erf_ratio_(vf_min(vf_max(x, vf_set1(-3.92f)), vf_set1(3.92f)));
}

/* x Phi(x), the exact erf form, as max(x, 0) - a (1 - erf(a / sqrt 2)) / 2 with a = |x|, stopped at
 * 5.54: so a large x does not magnify the error of erf, and minus infinity gives 0. Absolute error
 * below 1.4e-6 (1e-6 where multiply-add is fused) and half a unit in the last place. */
A1_INLINE vf vf_gelu(vf x)
{
    const vf a = vf_min(vf_abs(x), vf_set1(5.5437172f));
    const vf twice = vf_fnma(vf_erf_ratio_(a * vf_set1(0.70710678118654752f)), a, a);
    return vf_fnma(twice, vf_set1(0.5f), vf_max(vf_zero(), x));
}

/* x for x > 0, else e^x - 1. */
A1_INLINE vf vf_elu(vf x)
{
    return vf_select_gt(x, vf_zero(), x, vf_exp(x) - vf_set1(1.0f));
}

#endif
