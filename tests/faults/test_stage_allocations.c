/* Every allocation of the stages after the separator, and of what they are built on, fails once. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/arena.h"
#include "base/threads.h"
#include "dsp/fft.h"
#include "faults/allocations.h"
#include "functional/functional.h"
#include "metrical/metrical.h"
#include "network/network.h"
#include "spectrogram/spectrogram.h"
#include "student/student.h"
#include "support/kernel_levels.h"
#include "support/tiny_model.h"

static a1_cpu cpu;
static a1_pool *pool;

static int set_up(void **state)
{
    (void)state;
    return a1_cpu_select(&cpu, ALLIN1_CPU_AUTO, NULL) != ALLIN1_OK ||
           a1_pool_create(&pool, 2, NULL) != ALLIN1_OK;
}

static int tear_down(void **state)
{
    (void)state;
    a1_pool_destroy(&pool);
    return 0;
}

/* ---- base --------------------------------------------------------------------------------------
 */

static allin1_status make_pool(void *user, a1_error *err)
{
    (void)user;
    a1_pool *made = NULL;
    const allin1_status status = a1_pool_create(&made, 3, err);
    assert_int_equal(made != NULL, status == ALLIN1_OK);
    a1_pool_destroy(&made);
    return status;
}

static void test_pool(void **state)
{
    (void)state;
    allocations_fail_each("a thread pool", make_pool, NULL, 1);
    for (unsigned nth = 1; nth <= 2; nth++) {
        a1_error err = {0};
        allocations_fail_at(0);
        thread_starts_fail_at(nth);
        assert_int_equal(make_pool(NULL, &err), ALLIN1_ERROR_MEMORY);
        thread_starts_fail_at(0);
        assert_int_equal(allocations_left(), 0);
        assert_non_null(strstr(err.message, "thread"));
    }
}

static allin1_status make_arena(void *user, a1_error *err)
{
    (void)user;
    a1_arena arena;
    const allin1_status status = a1_arena_create(&arena, 1000, "a test", err);
    a1_arena_destroy(&arena);
    return status;
}

static void test_arena(void **state)
{
    (void)state;
    allocations_fail_each("an arena", make_arena, NULL, 1);
    /* Sizes that no machine has are refused in words as well, without wrapping round. */
    const size_t sizes[] = {SIZE_MAX, SIZE_MAX - 4096, SIZE_MAX / 2};
    for (size_t i = 0; i < 3; i++) {
        a1_error err = {0};
        a1_arena arena;
        assert_int_equal(a1_arena_create(&arena, sizes[i], "a test", &err), ALLIN1_ERROR_MEMORY);
        assert_non_null(strstr(err.message, "a test"));
        a1_arena_destroy(&arena);
    }
    assert_null(a1_aligned_alloc(sizes[0]));
    assert_null(a1_aligned_alloc(sizes[1]));
}

static allin1_status fill_set(void *user, a1_error *err)
{
    (void)user;
    static const float value = 1;
    a1_tensor_set *set = NULL;
    allin1_status status = a1_tensor_set_create(&set, err);
    for (int i = 0; status == ALLIN1_OK && i < 40; i++) {
        char name[16];
        snprintf(name, sizeof name, "t%d", i);
        const a1_tensor tensor = {.name = name, .rank = 1, .shape = {1}, .data = &value};
        status = a1_tensor_set_add(set, &tensor, err);
        if (status == ALLIN1_OK)
            status = a1_tensor_set_put_text(set, name, "text", err);
    }
    a1_tensor_set_destroy(&set);
    return status;
}

static void test_tensor_set(void **state)
{
    (void)state;
    allocations_fail_each("a tensor set", fill_set, NULL, 1);
}

/* ---- transforms and the spectrogram ------------------------------------------------------------
 */

static allin1_status make_transforms(void *user, a1_error *err)
{
    (void)user;
    a1_rfft *real = NULL;
    a1_fft64 *plain = NULL;
    allin1_status status = a1_rfft_create(&real, 2048, &cpu, err);
    if (status == ALLIN1_OK)
        status = a1_fft64_create(&plain, 1024, err);
    a1_rfft_destroy(&real);
    a1_fft64_destroy(&plain);
    return status;
}

#define SAMPLES 5000

typedef struct spectral {
    a1_spectrogram_backend backend;
    a1_spectrogram *plan;
    float signal[8][SAMPLES];
    float out[A1_STEMS * (SAMPLES / A1_SPEC_HOP + 1) * A1_SPEC_BANDS];
    int quantise;
} spectral;

static allin1_status make_plan(void *user, a1_error *err)
{
    const spectral *s = user;
    a1_spectrogram *plan = NULL;
    const allin1_status status = a1_spectrogram_create(&plan, s->backend, &cpu, err);
    assert_int_equal(plan != NULL, status == ALLIN1_OK);
    a1_spectrogram_destroy(&plan);
    return status;
}

static allin1_status run_mono(void *user, a1_error *err)
{
    spectral *s = user;
    return a1_spectrogram_mono(s->plan, pool, s->signal[0], SAMPLES, s->out, err);
}

static allin1_status run_stems(void *user, a1_error *err)
{
    spectral *s = user;
    const float *const stems[A1_STEMS][2] = {{s->signal[0], s->signal[1]},
                                             {s->signal[2], s->signal[3]},
                                             {s->signal[4], s->signal[5]},
                                             {s->signal[6], s->signal[7]}};
    return a1_spectrogram_stems(s->plan, pool, stems, SAMPLES, s->quantise, s->out, err);
}

static void test_spectrogram(void **state)
{
    (void)state;
    allocations_fail_each("transforms", make_transforms, NULL, 1);
    spectral *s = calloc(1, sizeof *s);
    assert_non_null(s);
    uint64_t seed = 6;
    for (size_t c = 0; c < 8; c++)
        for (size_t i = 0; i < SAMPLES; i++)
            s->signal[c][i] = kernel_random(&seed);
    for (s->backend = A1_SPEC_REFERENCE; s->backend <= A1_SPEC_FAST; s->backend++) {
        a1_error err = {0};
        allocations_fail_each("a spectrogram's plan", make_plan, s, 1);
        if (a1_spectrogram_create(&s->plan, s->backend, &cpu, &err) != ALLIN1_OK)
            fail_msg("%s", err.message);
        allocations_fail_each("the spectrogram of a signal", run_mono, s, 1);
        for (s->quantise = 0; s->quantise < 2; s->quantise++)
            allocations_fail_each("the spectrogram of stems", run_stems, s, 1);
        a1_spectrogram_destroy(&s->plan);
    }
    free(s);
}

/* ---- the network -------------------------------------------------------------------------------
 */

#define FRAMES 70

typedef struct networking {
    a1_tensor_set *fold;
    a1_network *network;
    float spectrogram[A1_NETWORK_STEMS * FRAMES * A1_NETWORK_BANDS];
    float beat[FRAMES], downbeat[FRAMES], section[FRAMES], function[A1_NETWORK_LABELS * FRAMES];
    float embeddings[A1_NETWORK_STEMS * FRAMES * A1_NETWORK_EMBEDDING * 2];
} networking;

static allin1_status make_network(void *user, a1_error *err)
{
    const networking *n = user;
    const a1_tensor_set *const folds[2] = {n->fold, n->fold};
    a1_network *network = NULL;
    const allin1_status status = a1_network_create(&network, folds, 2, &cpu, NULL, err);
    assert_int_equal(network != NULL, status == ALLIN1_OK);
    a1_network_destroy(&network);
    return status;
}

static allin1_status run_network(void *user, a1_error *err)
{
    networking *n = user;
    const a1_network_output output = {n->beat, n->downbeat, n->section, n->function, n->embeddings};
    return a1_network_run(n->network, pool, n->spectrogram, FRAMES, &output, NULL, NULL, err);
}

static void test_network(void **state)
{
    (void)state;
    networking *n = calloc(1, sizeof *n);
    a1_error err = {0};
    assert_non_null(n);
    if (test_tiny_harmonix(&n->fold, &err) != ALLIN1_OK)
        fail_msg("%s", err.message);
    const a1_tensor_set *const folds[2] = {n->fold, n->fold};
    allocations_fail_each("a network", make_network, n, 1);
    if (a1_network_create(&n->network, folds, 2, &cpu, NULL, &err) != ALLIN1_OK)
        fail_msg("%s", err.message);
    allocations_fail_each("running the network", run_network, n, 1);
    a1_network_destroy(&n->network);
    a1_tensor_set_destroy(&n->fold);
    free(n);
}

/* ---- the student -------------------------------------------------------------------------------
 */

typedef struct pupil {
    a1_tensor_set *weights;
    a1_student *student;
    float spectrogram[FRAMES * A1_STUDENT_BANDS];
    float beat[FRAMES], downbeat[FRAMES], section[FRAMES], function[A1_STUDENT_LABELS * FRAMES];
} pupil;

static allin1_status make_student(void *user, a1_error *err)
{
    const pupil *p = user;
    a1_student *student = NULL;
    const allin1_status status = a1_student_create(&student, p->weights, &cpu, err);
    assert_int_equal(student != NULL, status == ALLIN1_OK);
    a1_student_destroy(&student);
    return status;
}

static allin1_status run_student(void *user, a1_error *err)
{
    pupil *p = user;
    const a1_student_output output = {p->beat, p->downbeat, p->section, p->function};
    return a1_student_run(p->student, pool, p->spectrogram, FRAMES, &output, NULL, err);
}

static void test_student(void **state)
{
    (void)state;
    pupil *p = calloc(1, sizeof *p);
    a1_error err = {0};
    assert_non_null(p);
    a1_tensor_set *plain = NULL;
    if (test_tiny_student(&(tiny_student_blocks){2, 1, 1, 2}, &plain, &err) != ALLIN1_OK ||
        a1_tensor_set_create(&p->weights, &err) != ALLIN1_OK ||
        test_eight_bits(plain, p->weights, NULL, &err) != ALLIN1_OK)
        fail_msg("%s", err.message);
    allocations_fail_each("a student", make_student, p, 1);
    if (a1_student_create(&p->student, p->weights, &cpu, &err) != ALLIN1_OK)
        fail_msg("%s", err.message);
    allocations_fail_each("running the student", run_student, p, 1);
    a1_student_destroy(&p->student);
    a1_tensor_set_destroy(&p->weights);
    a1_tensor_set_destroy(&plain);
    free(p);
}

/* ---- beats and sections ------------------------------------------------------------------------
 */

#define DECODED 800

typedef struct metre {
    a1_metrical_settings settings;
    a1_metrical *model;
    float activations[2 * DECODED];
    int plain;
} metre;

static allin1_status make_metrical(void *user, a1_error *err)
{
    const metre *m = user;
    a1_metrical *model = NULL;
    const allin1_status status = a1_metrical_create(&model, &m->settings, &cpu, err);
    assert_int_equal(model != NULL, status == ALLIN1_OK);
    a1_metrical_destroy(&model);
    return status;
}

static allin1_status decode(void *user, a1_error *err)
{
    const metre *m = user;
    a1_beats beats = {0};
    const allin1_status status =
        m->plain ? a1_metrical_decode_plain(m->model, m->activations, DECODED, &beats, err)
                 : a1_metrical_decode(m->model, pool, m->activations, DECODED, &beats, err);
    assert_int_equal(beats.count > 0, status == ALLIN1_OK);
    if (status != ALLIN1_OK)
        assert_true(!beats.times && !beats.positions);
    a1_beats_free(&beats);
    return status;
}

static void test_metrical(void **state)
{
    (void)state;
    metre *m = calloc(1, sizeof *m);
    a1_error err = {0};
    assert_non_null(m);
    a1_metrical_settings_default(&m->settings);
    m->settings.num_tempi = 20;
    for (size_t i = 0; i < DECODED; i++) {
        m->activations[2 * i] = i % 50 == 10 && i % 200 != 10 ? 0.9f : 0.01f;
        m->activations[2 * i + 1] = i % 200 == 10 ? 0.9f : 0.01f;
    }
    allocations_fail_each("a bar model", make_metrical, m, 1);
    if (a1_metrical_create(&m->model, &m->settings, &cpu, &err) != ALLIN1_OK)
        fail_msg("%s", err.message);
    for (m->plain = 0; m->plain < 2; m->plain++)
        allocations_fail_each(m->plain ? "plain decoding" : "decoding", decode, m, 1);
    a1_metrical_destroy(&m->model);
    free(m);
}

#define LOGITS 3000

typedef struct sections {
    float section[LOGITS], function[A1_NETWORK_LABELS * LOGITS], out[LOGITS];
} sections;

static allin1_status find_segments(void *user, a1_error *err)
{
    const sections *s = user;
    a1_segments segments = {0};
    const allin1_status status =
        a1_functional_segments(s->section, s->function, LOGITS, &segments, err);
    assert_int_equal(segments.count > 0, status == ALLIN1_OK);
    a1_segments_free(&segments);
    return status;
}

static allin1_status find_maxima(void *user, a1_error *err)
{
    sections *s = user;
    return a1_local_maxima(s->section, LOGITS, 97, s->out, err);
}

static allin1_status find_strength(void *user, a1_error *err)
{
    sections *s = user;
    return a1_peak_strength(s->section, LOGITS, 1200, 1000, s->out, err);
}

static void test_functional(void **state)
{
    (void)state;
    sections *s = calloc(1, sizeof *s);
    assert_non_null(s);
    uint64_t seed = 8;
    for (size_t i = 0; i < LOGITS; i++)
        s->section[i] = 3 * kernel_random(&seed) - (i % 900 == 450 ? 0.0f : 4.0f);
    for (size_t i = 0; i < A1_NETWORK_LABELS * LOGITS; i++)
        s->function[i] = 3 * kernel_random(&seed);
    allocations_fail_each("sections", find_segments, s, 1);
    allocations_fail_each("local maxima", find_maxima, s, 1);
    allocations_fail_each("peak strength", find_strength, s, 1);
    free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pool),       cmocka_unit_test(test_arena),
        cmocka_unit_test(test_tensor_set), cmocka_unit_test(test_spectrogram),
        cmocka_unit_test(test_network),    cmocka_unit_test(test_student),
        cmocka_unit_test(test_metrical),   cmocka_unit_test(test_functional),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
