/* Every allocation of the separator fails once: loading the model, and separating with it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "demix/htdemucs.h"
#include "faults/allocations.h"
#include "support/kernel_levels.h"
#include "support/tiny_model.h"

#define SAMPLES 3000

typedef struct separation {
    a1_tensor_set *weights, *packed; /* what is loaded: the packed ones when they are there */
    a1_cpu cpu;
    a1_pool *pool;
    a1_demix_precision precision;
    a1_htdemucs *model;
    float mix[2][SAMPLES], stems[A1_DEMIX_SOURCES][2][SAMPLES];
    size_t calls; /* of the progress function */
} separation;

static allin1_status load(void *user, a1_error *err)
{
    const separation *s = user;
    a1_htdemucs *model = NULL;
    const allin1_status status =
        a1_htdemucs_create(&model, s->packed ? s->packed : s->weights, &s->cpu, s->precision,
                           s->pool, err);
    assert_int_equal(model != NULL, status == ALLIN1_OK);
    a1_htdemucs_destroy(&model);
    return status;
}

static allin1_status pack(void *user, a1_error *err)
{
    const separation *s = user;
    a1_tensor_set *packed = NULL;
    const allin1_status status =
        a1_htdemucs_pack(s->weights, &s->cpu, s->precision, s->pool, &packed, err);
    assert_int_equal(packed != NULL, status == ALLIN1_OK);
    a1_tensor_set_destroy(&packed);
    return status;
}

static int count_call(void *user, size_t done, size_t segments)
{
    (void)done;
    (void)segments;
    ((separation *)user)->calls++;
    return 0;
}

static allin1_status separate(void *user, a1_error *err)
{
    separation *s = user;
    const a1_demix_settings settings = {0};
    const float *const mix[2] = {s->mix[0], s->mix[1]};
    float *const stems[A1_DEMIX_SOURCES][2] = {{s->stems[0][0], s->stems[0][1]},
                                               {s->stems[1][0], s->stems[1][1]},
                                               {s->stems[2][0], s->stems[2][1]},
                                               {s->stems[3][0], s->stems[3][1]}};
    s->calls = 0;
    const allin1_status status =
        a1_demix_track(s->model, s->pool, &settings, mix, SAMPLES, stems, count_call, s, err);
    assert_int_equal(s->calls, status == ALLIN1_OK);
    return status;
}

static void test_separator(void **state)
{
    (void)state;
    separation *s = calloc(1, sizeof *s);
    a1_error err = {0};
    assert_non_null(s);
    if (a1_cpu_select(&s->cpu, ALLIN1_CPU_AUTO, &err) != ALLIN1_OK ||
        a1_pool_create(&s->pool, 2, &err) != ALLIN1_OK ||
        test_tiny_htdemucs(&s->weights, &err) != ALLIN1_OK)
        fail_msg("%s", err.message);
    uint64_t seed = 5;
    for (size_t i = 0; i < SAMPLES; i++)
        s->mix[0][i] = s->mix[1][i] = kernel_random(&seed);
    allocations_fail_each("loading in fp32", load, s, 3);
    if (a1_demix_precision_available(&s->cpu, A1_DEMIX_MIXED)) {
        s->precision = A1_DEMIX_MIXED;
        allocations_fail_each("loading in mixed precision", load, s, 7);
        allocations_fail_each("packing", pack, s, 7);
        if (a1_htdemucs_pack(s->weights, &s->cpu, s->precision, s->pool, &s->packed, &err) !=
            ALLIN1_OK)
            fail_msg("%s", err.message);
        allocations_fail_each("loading what is packed", load, s, 7);
        a1_tensor_set_destroy(&s->packed);
    }
    if (a1_htdemucs_create(&s->model, s->weights, &s->cpu, s->precision, s->pool, &err) !=
        ALLIN1_OK)
        fail_msg("%s", err.message);
    allocations_fail_each("separating", separate, s, 1);
    a1_htdemucs_destroy(&s->model);
    a1_tensor_set_destroy(&s->weights);
    a1_pool_destroy(&s->pool);
    free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_separator),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
