/* The vector functions of every level against double precision: dense sweeps over all floats,
 * special values, and the operations they are built from. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "kernels/vecmath_probe.h"
#include "support/bounded.h"
#include "support/guarded.h"
#include "support/kernel_levels.h"

#define BLOCK 4096

static const vecmath_probe *probe_of(const a1_cpu *cpu)
{
    switch (cpu->level) {
#if defined(__x86_64__)
    case ALLIN1_CPU_AVX512:
        return &vecmath_probe_avx512;
    case ALLIN1_CPU_AVX2:
        return &vecmath_probe_avx2;
#elif defined(__aarch64__)
    case ALLIN1_CPU_NEON:
        return &vecmath_probe_neon;
#endif
    default:
        return &vecmath_probe_scalar;
    }
}

static float float_of(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static uint32_t bits_of(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* ---- functions of one number -------------------------------------------------------------------
 */

static double exact_exp(double x)
{
    return exp(x < -87 ? -87 : x > 88 ? 88 : x);
}
static double exact_sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}
static double exact_gelu(double x)
{
    return 0.5 * x * erfc(-x * 0.70710678118654752440);
}
static double exact_elu(double x)
{
    return x > 0 ? x : expm1(x);
}
static double exact_log10_1p(double x)
{
    return log1p(x) / 2.30258509299404568402;
}

/* As vecmath.h says. */
static double exp_bound(double x, double exact)
{
    (void)x;
    return 2e-7 * exact;
}

/* The exponential's 2e-7, one rounding each of the sum and the quotient. Below -87 the exponential
 * stays where it is, which is below e^-87. */
static double sigmoid_bound(double x, double exact)
{
    return (2e-7 + 2 * ROUNDING) * exact + (x < -87 ? exp(-87.0) : 0) + UNDERFLOW;
}

static double erf_bound(double x, double exact)
{
    (void)x;
    (void)exact;
    return 4e-7;
}

static double gelu_bound(double x, double exact)
{
    (void)x;
    return 1.4e-6 + ROUNDING * fabs(exact) + UNDERFLOW;
}

/* The exponential's error of a number up to 1, and one rounding of e^x - 1. */
static double elu_bound(double x, double exact)
{
    return x > 0 ? 0 : 2e-7 * exp(x) + ROUNDING * fabs(exact);
}

/* veclog.h: 1.6e-7 up to 4,096, one unit in the last place beyond. */
static double log_bound(double x, double exact)
{
    return x <= 4096 ? 1.6e-7 : 2 * ROUNDING * exact;
}

typedef struct unary_case {
    const char *name;
    size_t place; /* of the function in vecmath_probe */
    double (*exact)(double x);
    double (*bound)(double x, double exact);
    double lowest;
} unary_case;

static const unary_case unary_cases[] = {
    {"exp", offsetof(vecmath_probe, exp), exact_exp, exp_bound, -INFINITY},
    {"sigmoid", offsetof(vecmath_probe, sigmoid), exact_sigmoid, sigmoid_bound, -INFINITY},
    {"erf", offsetof(vecmath_probe, erf), erf, erf_bound, -INFINITY},
    {"gelu", offsetof(vecmath_probe, gelu), exact_gelu, gelu_bound, -INFINITY},
    {"elu", offsetof(vecmath_probe, elu), exact_elu, elu_bound, -INFINITY},
    {"log10_1p", offsetof(vecmath_probe, log10_1p), exact_log10_1p, log_bound, 0},
};
#define UNARY_CASES (sizeof unary_cases / sizeof *unary_cases)

static probe_unary function_of(const vecmath_probe *probe, const unary_case *item)
{
    probe_unary function;
    memcpy(&function, (const char *)probe + item->place, sizeof function);
    return function;
}

typedef struct sweep {
    const a1_cpu *cpu;
    const vecmath_probe *probe;
    const unary_case *item;
    float in[BLOCK], out[BLOCK];
    size_t count, checked;
    double worst, worst_x; /* as a part of the bound */
} sweep;

static void flush_sweep(sweep *s)
{
    if (s->count == 0)
        return;
    function_of(s->probe, s->item)(s->in, s->count, s->out);
    for (size_t i = 0; i < s->count; i++) {
        const double x = (double)s->in[i], exact = s->item->exact(x);
        const double bound = s->item->bound(x, exact);
        const double error = fabs((double)s->out[i] - exact);
        if (!(error <= bound))
            fail_msg("%s at level %s: f(%.9g) = %.9g, exactly %.17g: off by %.3g, allowed %.3g",
                     s->item->name, allin1_cpu_level_string(s->cpu->level), x, (double)s->out[i],
                     exact, error, bound);
        if (bound > 0 && error / bound > s->worst) {
            s->worst = error / bound;
            s->worst_x = x;
        }
    }
    s->checked += s->count;
    s->count = 0;
}

static void put(sweep *s, float x)
{
    if ((double)x < s->item->lowest)
        return;
    s->in[s->count++] = x;
    if (s->count == BLOCK)
        flush_sweep(s);
}

/* Every 1,511th float of both signs, and 200,001 evenly spaced numbers where the functions bend. */
static void test_functions(void **state)
{
    (void)state;
    a1_cpu levels[MAX_KERNEL_LEVELS];
    const size_t count = kernel_levels(levels);
    static sweep s;
    for (size_t l = 0; l < count; l++) {
        for (size_t c = 0; c < UNARY_CASES; c++) {
            s = (sweep){.cpu = &levels[l], .probe = probe_of(&levels[l]), .item = &unary_cases[c]};
            for (uint32_t sign = 0; sign < 2; sign++)
                for (uint32_t bits = 0; bits < 0x7f800000u; bits += 1511)
                    put(&s, float_of(bits | sign << 31));
            for (int i = -100000; i <= 100000; i++)
                put(&s, (float)i * 1e-3f);
            flush_sweep(&s);
            assert_true(s.checked > 1500000);
            print_message("%-7s %-13s worst %.2f of the bound at %.7g\n",
                          allin1_cpu_level_string(levels[l].level), s.item->name, s.worst,
                          s.worst_x);
        }
    }
}

static float apply(const vecmath_probe *probe, probe_unary function, float x)
{
    float in[16], out[16];
    for (size_t i = 0; i < probe->lanes; i++)
        in[i] = x;
    function(in, probe->lanes, out);
    for (size_t i = 1; i < probe->lanes; i++)
        assert_int_equal(bits_of(out[i]), bits_of(out[0]));
    return out[0];
}

static void test_special_values(void **state)
{
    (void)state;
    static const float tiny[] = {0.0f, -0.0f, 0x1p-149f, -0x1p-149f, 0x1p-126f, -0x1p-126f, 1e-20f};
    static const float large[] = {88.0f, 89.0f, 1e4f, 1e20f, 3.4028235e38f};
    a1_cpu levels[MAX_KERNEL_LEVELS];
    const size_t count = kernel_levels(levels);
    for (size_t l = 0; l < count; l++) {
        const vecmath_probe *p = probe_of(&levels[l]);
        for (size_t i = 0; i < sizeof tiny / sizeof *tiny; i++) {
            assert_true(apply(p, p->exp, tiny[i]) == 1.0f);
            assert_true(apply(p, p->sigmoid, tiny[i]) == 0.5f);
            /* Odd functions keep the sign; their slopes here are 1.13 and a half. */
            const float e = apply(p, p->erf, tiny[i]), g = apply(p, p->gelu, tiny[i]);
            assert_true(fabsf(e) <= 1.2f * fabsf(tiny[i]) + 0x1p-149f);
            assert_true(fabsf(g) <= 0.6f * fabsf(tiny[i]) + 0x1p-149f);
            assert_true(tiny[i] >= 0 ? e >= 0 && g >= 0 : e <= 0 && g <= 0);
            assert_true(fabsf(apply(p, p->elu, tiny[i])) <= fabsf(tiny[i]));
        }
        for (size_t i = 0; i <= sizeof large / sizeof *large; i++) {
            const float x = i < sizeof large / sizeof *large ? large[i] : INFINITY;
            /* Nothing overflows and nothing becomes 0: the clamps hold. */
            const float top = apply(p, p->exp, x), bottom = apply(p, p->exp, -x);
            assert_true(top <= 1.6517e38f && top >= 1.6515e38f);
            assert_true(bottom >= 0x1p-126f && bottom <= 1.65e-38f);
            assert_true(apply(p, p->sigmoid, x) == 1.0f);
            assert_true(apply(p, p->sigmoid, -x) >= 0 && apply(p, p->sigmoid, -x) < 1.2e-38f);
            assert_true(fabsf(apply(p, p->erf, x) - 1.0f) <= 4e-7f);
            assert_true(fabsf(apply(p, p->erf, -x) + 1.0f) <= 4e-7f);
            assert_true(apply(p, p->gelu, x) == x);
            assert_true(fabsf(apply(p, p->gelu, -x)) <= 1.4e-6f);
            assert_true(apply(p, p->elu, x) == x);
            assert_true(apply(p, p->elu, -x) == -1.0f);
        }
        assert_true(apply(p, p->log10_1p, INFINITY) == INFINITY);
        /* What is not a number must not crash. The clamps of exp may swallow it, gelu passes it on.
         */
        for (size_t c = 0; c < UNARY_CASES; c++)
            (void)apply(p, function_of(p, &unary_cases[c]), NAN);
        assert_true(isnan(apply(p, p->gelu, NAN)));
    }
}

/* ---- the operations below ----------------------------------------------------------------------
 */

static float pick_number(uint64_t *state)
{
    static const float special[] = {0.0f, -0.0f, 1.0f, -1.0f, 0x1p-126f, 3e38f, -3e38f, 0.5f, 2.5f};
    const float a = kernel_random(state), b = kernel_random(state);
    const float size = kernel_random(state);
    if (size > 0.9f)
        return special[(size_t)((a + 1) * 4.5f)];
    return size > 0.5f ? a * 1e10f * b : a * 10.0f;
}

static int same(float a, float b)
{
    return a == b || (isnan(a) && isnan(b));
}

/* Lane by lane what C says, at every number of lanes from 0 to two vectors; beyond them nothing is
 * read or written. */
static void test_operations(void **state)
{
    (void)state;
    a1_cpu levels[MAX_KERNEL_LEVELS];
    const size_t level_count = kernel_levels(levels);
    uint64_t seed = 7;
    for (size_t l = 0; l < level_count; l++) {
        const vecmath_probe *p = probe_of(&levels[l]);
        for (size_t n = 0; n <= 2 * p->lanes + 1; n++) {
            float *a = guarded_floats(n), *b = guarded_floats(n), *out = guarded_floats(n);
            float before[40];
            const probe_binary binary[] = {p->add,     p->subtract, p->multiply,  p->divide,
                                           p->maximum, p->minimum,  p->select_gt, p->fma,
                                           p->fnma,    p->scale2};
            for (int round = 0; round < 40; round++) {
                for (size_t i = 0; i < n; i++) {
                    a[i] = pick_number(&seed);
                    b[i] = pick_number(&seed);
                    before[i] = out[i] = pick_number(&seed);
                }
                const size_t which = (size_t)round % 10;
                if (which == 9)
                    for (size_t i = 0; i < n; i++)
                        b[i] = rintf(kernel_random(&seed) * 126.4f);
                binary[which](a, b, n, out);
                for (size_t i = 0; i < n; i++) {
                    const float x = a[i], y = b[i];
                    const double c = (double)before[i], xy = (double)x * (double)y;
                    const float expected[] = {x + y,
                                              x - y,
                                              x * y,
                                              x / y,
                                              x > y ? x : y,
                                              x < y ? x : y,
                                              x > y ? x - 1 : y + 1};
                    int good;
                    if (which < 7) {
                        good = same(out[i], expected[which]);
                    } else if (which == 9) {
                        /* Exact unless the result is subnormal or infinite. */
                        const float scaled = ldexpf(x, (int)y);
                        good = same(out[i], scaled) || (scaled != 0 && fabsf(scaled) < 0x1p-126f);
                    } else {
                        const double exact = which == 7 ? xy + c : c - xy;
                        /* One rounding of the product and one of the sum at most. */
                        const double room = ROUNDING * (fabs(xy) * 1.01 + fabs(exact)) + UNDERFLOW;
                        good = fabs((double)out[i] - exact) <= room || fabs(xy) > 3e38 ||
                               fabs(exact) > 3e38;
                    }
                    if (!good)
                        fail_msg("level %s, operation %zu, lane %zu of %zu: %.9g and %.9g (%.9g) "
                                 "gave %.9g",
                                 allin1_cpu_level_string(levels[l].level), which, i, n, (double)x,
                                 (double)y, c, (double)out[i]);
                }
                p->copy(a, n, out);
                assert_int_equal(n ? memcmp(a, out, n * sizeof *a) : 0, 0);
            }
            guarded_free(a, n);
            guarded_free(b, n);
            guarded_free(out, n);
        }
    }
}

static void test_rounding_and_reductions(void **state)
{
    (void)state;
    static const float ties[] = {0.5f,   1.5f,    2.5f,        -0.5f, -1.5f,
                                 126.5f, -125.5f, 0.49999997f, 0.0f};
    a1_cpu levels[MAX_KERNEL_LEVELS];
    const size_t count = kernel_levels(levels);
    uint64_t seed = 11;
    for (size_t l = 0; l < count; l++) {
        const vecmath_probe *p = probe_of(&levels[l]);
        for (size_t i = 0; i < sizeof ties / sizeof *ties; i++)
            assert_true(apply(p, p->round, ties[i]) == rintf(ties[i]));
        for (int round = 0; round < 200; round++) {
            float x[16];
            double sum = 0, magnitude = 0;
            float top = -INFINITY;
            for (size_t i = 0; i < p->lanes; i++) {
                x[i] = kernel_random(&seed) * 200.0f;
                sum += (double)x[i];
                magnitude += fabs((double)x[i]);
                top = x[i] > top ? x[i] : top;
            }
            assert_true(apply(p, p->round, x[0]) == rintf(x[0]));
            assert_true(apply(p, p->root, fabsf(x[0])) == sqrtf(fabsf(x[0])));
            assert_true(apply(p, p->absolute, x[0]) == fabsf(x[0]));
            /* A tree of up to 16 lanes is four additions deep. */
            assert_true(fabs((double)p->sum(x) - sum) <= 4 * ROUNDING * magnitude);
            assert_true(p->max_lane(x) == top);
            for (size_t i = 0; i < p->lanes; i++) {
                float one[16] = {0};
                one[i] = 3.0f;
                assert_true(p->sum(one) == 3.0f && p->max_lane(one) == 3.0f);
                for (size_t j = 0; j < p->lanes; j++)
                    one[j] = j == i ? -2.0f : -5.0f;
                assert_true(p->max_lane(one) == -2.0f);
            }
        }
        assert_int_equal(bits_of(apply(p, p->absolute, -0.0f)), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_functions),
        cmocka_unit_test(test_special_values),
        cmocka_unit_test(test_operations),
        cmocka_unit_test(test_rounding_and_reductions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
