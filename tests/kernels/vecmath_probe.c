/* Compiled once per level; VECMATH_PROBE names the table. */
#include "kernels/vecmath_probe.h"

#include "kernels/veclog.h"
#include "kernels/vecmath.h"

static size_t lanes_at(size_t i, size_t count)
{
    return count - i < VW ? count - i : VW;
}

#define UNARY(name, expression)                                                                    \
    static void name(const float *in, size_t count, float *out)                                    \
    {                                                                                              \
        for (size_t i = 0; i < count; i += VW) {                                                   \
            const size_t n = lanes_at(i, count);                                                   \
            const vf x = n == VW ? vf_load(in + i) : vf_load_n(in + i, n);                         \
            const vf y = (expression);                                                             \
            if (n == VW)                                                                           \
                vf_store(out + i, y);                                                              \
            else                                                                                   \
                vf_store_n(out + i, y, n);                                                         \
        }                                                                                          \
    }

#define BINARY(name, expression)                                                                   \
    static void name(const float *in_a, const float *in_b, size_t count, float *out)               \
    {                                                                                              \
        for (size_t i = 0; i < count; i += VW) {                                                   \
            const size_t n = lanes_at(i, count);                                                   \
            const vf a = vf_load_n(in_a + i, n), b = vf_load_n(in_b + i, n);                       \
            const vf c = vf_load_n(out + i, n);                                                    \
            (void)c;                                                                               \
            vf_store_n(out + i, (expression), n);                                                  \
        }                                                                                          \
    }

UNARY(probe_exp, vf_exp(x))
UNARY(probe_sigmoid, vf_sigmoid(x))
UNARY(probe_erf, vf_erf(x))
UNARY(probe_gelu, vf_gelu(x))
UNARY(probe_elu, vf_elu(x))
UNARY(probe_log10_1p, vf_log10_1p(x))
UNARY(probe_absolute, vf_abs(x))
UNARY(probe_root, vf_sqrt(x))
UNARY(probe_round, vf_round(x))
UNARY(probe_copy, x)
BINARY(probe_add, a + b)
BINARY(probe_subtract, a - b)
BINARY(probe_multiply, a *b)
BINARY(probe_divide, a / b)
BINARY(probe_maximum, vf_max(a, b))
BINARY(probe_minimum, vf_min(a, b))
BINARY(probe_scale2, vf_scale2(a, b))
BINARY(probe_select_gt, vf_select_gt(a, b, a - vf_set1(1.0f), b + vf_set1(1.0f)))
BINARY(probe_fma, vf_fma(a, b, c))
BINARY(probe_fnma, vf_fnma(a, b, c))

static float probe_sum(const float *in)
{
    return vf_sum(vf_load(in));
}

static float probe_max_lane(const float *in)
{
    return vf_max_lane(vf_load(in));
}

const vecmath_probe VECMATH_PROBE = {
    .lanes = VW,
    .exp = probe_exp,
    .sigmoid = probe_sigmoid,
    .erf = probe_erf,
    .gelu = probe_gelu,
    .elu = probe_elu,
    .log10_1p = probe_log10_1p,
    .absolute = probe_absolute,
    .root = probe_root,
    .round = probe_round,
    .copy = probe_copy,
    .add = probe_add,
    .subtract = probe_subtract,
    .multiply = probe_multiply,
    .divide = probe_divide,
    .maximum = probe_maximum,
    .minimum = probe_minimum,
    .scale2 = probe_scale2,
    .select_gt = probe_select_gt,
    .fma = probe_fma,
    .fnma = probe_fnma,
    .sum = probe_sum,
    .max_lane = probe_max_lane,
};
