#include "support/golden.h"

#include <float.h>
#include <math.h>

#include "nn/logistic.h"

/* Distance in units in the last place of the float nearest to the truth. */
static double ulps(float found, double truth)
{
    int exponent;
    (void)frexp(truth, &exponent);
    const double ulp = ldexp(1, exponent - 24 < -149 ? -149 : exponent - 24);
    return fabs((double)found - truth) / ulp;
}

static void test_exponential(void **state)
{
    (void)state;
    double worst = 0;
    uint64_t random = 3;
    for (int i = 0; i < 400000; i++) {
        const float x = test_random(&random) * (i % 4 == 0 ? 88.0f : i % 4 == 1 ? 10.0f : 1.0f);
        const double off = ulps(a1_exp_f32(x), exp((double)x));
        worst = off > worst ? off : worst;
    }
    print_message("[ NOTE     ] exponential: off by %.3f ulp at most\n", worst);
    assert_true(worst < 1.0);
    /* Below the normal floats: one step of the smallest. */
    for (float x = -103.9f; x < -87.0f; x += 0.01f)
        assert_true(fabs((double)a1_exp_f32(x) - exp((double)x)) <=
                    ldexp(1, -149) + 1e-7 * exp((double)x));
    assert_true(a1_exp_f32(0.0f) == 1.0f);
    assert_true(a1_exp_f32(-0.0f) == 1.0f);
    assert_true(a1_exp_f32(-INFINITY) == 0.0f);
    assert_true(a1_exp_f32(-1e30f) == 0.0f);
    assert_true(a1_exp_f32(INFINITY) == INFINITY);
    assert_true(a1_exp_f32(89.0f) == INFINITY);
    assert_true(a1_exp_f32(FLT_MAX) == INFINITY);
    assert_true(isnan(a1_exp_f32(NAN)));
}

static void test_logistic(void **state)
{
    (void)state;
    assert_true(a1_logistic_f32(0.0f) == 0.5f);
    assert_true(a1_logistic_f32(200.0f) == 1.0f);
    assert_true(a1_logistic_f32(-200.0f) == 0.0f);
    assert_true(a1_logistic_f32(INFINITY) == 1.0f);
    assert_true(a1_logistic_f32(-INFINITY) == 0.0f);
    assert_true(isnan(a1_logistic_f32(NAN)));
    /* Exponential below 1 ulp, a sum and a quotient at half an ulp each; where exp(-x) dominates
     * the sum all of it counts. */
    for (float x = -80.0f; x < 30.0f; x += 0.001f)
        assert_true(ulps(a1_logistic_f32(x), 1 / (1 + exp(-(double)x))) < 2.6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exponential),
        cmocka_unit_test(test_logistic),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
