#include "nn/logistic.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

/* One fused step with a single rounding. The product of two floats is exact in double; only where
 * the double sum falls within 2^-53 of the middle between two floats could rounding twice differ
 * from rounding once, and then fmaf decides. Without that detour fmaf costs a library call each. */
static inline float fused(float a, float b, float c)
{
    const double sum = (double)a * (double)b + (double)c;
    uint64_t bits;
    memcpy(&bits, &sum, sizeof bits);
    const uint64_t tail = bits & 0x1fffffffu;
    if (tail == 0x10000000u)
        return fmaf(a, b, c);
    return (float)sum;
}

static inline float power_of_two(int exponent)
{
    const uint32_t bits = (uint32_t)(exponent + 127) << 23;
    float power;
    memcpy(&power, &bits, sizeof power);
    return power;
}

float a1_exp_f32(float x)
{
    if (x != x)
        return x;
    if (x < -104.0f)
        return 0;
    if (x > 100.0f)
        return INFINITY;
    const float whole = rintf(x * 1.44269504f);
    /* ln 2 as a short float and the rest, so that the first product is exact. */
    float rest = fused(whole, -0.693145751953125f, x);
    rest = fused(whole, -1.428606765330187045e-06f, rest);
    float sum = 1.98527617612853646278e-4f;
    sum = fused(sum, rest, 1.39304355252534151077e-3f);
    sum = fused(sum, rest, 8.33336077630519866943e-3f);
    sum = fused(sum, rest, 4.16664853692054748535e-2f);
    sum = fused(sum, rest, 0.166666671633720397949f);
    sum = fused(sum, rest, 0.5f);
    sum = 1.0f + fused(rest * rest, sum, rest);
    /* In two steps: a power may lie beyond the range while the result does not. */
    const int exponent = (int)whole, half = exponent >> 1;
    return sum * power_of_two(half) * power_of_two(exponent - half);
}

float a1_logistic_f32(float x)
{
    return 1.0f / (1.0f + a1_exp_f32(-x));
}
