/* Values in double that carry a bound of what float32 may make of them: running error analysis, for
 * oracles of kernels. Every operation adds half a unit in the last place of its result for its own
 * rounding and passes on what its operands bring along, so no tolerance has to be guessed. */
#ifndef TEST_SUPPORT_BOUNDED_H
#define TEST_SUPPORT_BOUNDED_H

#include <math.h>

#define ROUNDING 0x1p-24   /* relative, of one operation in float32 */
#define UNDERFLOW 0x1p-149 /* absolute, where a result is subnormal */

typedef struct bounded {
    double value, error;
} bounded;

static inline bounded bounded_exact(double value)
{
    return (bounded){value, 0};
}

static inline bounded bounded_rounded(double value, double error)
{
    return (bounded){value, error + ROUNDING * (fabs(value) + error) + UNDERFLOW};
}

static inline bounded bounded_add(bounded a, bounded b)
{
    return bounded_rounded(a.value + b.value, a.error + b.error);
}

static inline bounded bounded_multiply(bounded a, bounded b)
{
    return bounded_rounded(a.value * b.value,
                           fabs(a.value) * b.error + fabs(b.value) * a.error + a.error * b.error);
}

/* a b + c, rounded once or twice. */
static inline bounded bounded_fma(bounded a, bounded b, bounded c)
{
    return bounded_add(bounded_multiply(a, b), c);
}

/* vecmath.h bounds the relative error of vf_exp by 2e-7; below -87 it stays at e^-87. */
static inline bounded bounded_exp(bounded x)
{
    const double value = exp(x.value);
    const double clamp = x.value - x.error < -87 ? exp(-87.0) * (1 + 2e-7) : 0;
    return (bounded){value, exp(x.value + x.error) * (1 + 2e-7) - value + clamp};
}

/* 1 / (1 + vf_exp(-x)): the exponential's error, one rounding of the sum and one of the quotient.
 * Its slope is the sigmoid times its complement, and no larger than 1/4. */
static inline bounded bounded_sigmoid(bounded x)
{
    const double value = 1 / (1 + exp(-x.value));
    const double clamp = x.value - x.error < -87 ? exp(-87.0) * (1 + 2e-7) : 0;
    const double slope = fmin(0.25, value * exp(x.error));
    return (bounded){value, slope * x.error + value * (2e-7 + 2 * ROUNDING) + clamp + UNDERFLOW};
}

/* vecmath.h bounds the error of vf_gelu by 1.4e-6 and one rounding. The slope lies between -0.13
 * and 1.13. */
static inline bounded bounded_gelu(bounded x)
{
    const double value = 0.5 * x.value * erfc(-x.value * 0.70710678118654752440);
    return bounded_rounded(value, 1.13 * x.error + 1.4e-6);
}

#endif
