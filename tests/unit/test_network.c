/* The network with random weights: against its definition, at every level, with any number of
 * threads, at awkward lengths and with bad input. */
#include "support/golden.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "network/network.h"
#include "support/network_data.h"
#include "support/plain_network.h"

typedef struct result {
    float *logits; /* [13][frames] */
    float *embeddings;
    size_t logit_count, embedding_count;
    a1_network_output output;
} result;

static result result_create(size_t frames, size_t folds)
{
    result r = {.logit_count = 13 * frames, .embedding_count = 4 * frames * 24 * folds};
    r.logits = malloc(r.logit_count * sizeof *r.logits);
    r.embeddings = malloc(r.embedding_count * sizeof *r.embeddings);
    assert_true(r.logits && r.embeddings);
    memset(r.logits, 0x7f, r.logit_count * sizeof *r.logits);
    memset(r.embeddings, 0x7f, r.embedding_count * sizeof *r.embeddings);
    r.output = (a1_network_output){.beat = r.logits,
                                   .downbeat = r.logits + frames,
                                   .section = r.logits + 2 * frames,
                                   .function = r.logits + 3 * frames,
                                   .embeddings = r.embeddings};
    return r;
}

static void result_destroy(result *r)
{
    free(r->logits);
    free(r->embeddings);
}

static a1_network *create(const test_random_fold *folds, size_t count, allin1_cpu_level level)
{
    const a1_tensor_set *sets[4];
    a1_network *network;
    a1_cpu cpu;
    a1_error err = {0};
    for (size_t i = 0; i < count; i++)
        sets[i] = folds[i].set;
    assert_int_equal(a1_cpu_select(&cpu, level, &err), ALLIN1_OK);
    if (a1_network_create(&network, sets, count, &cpu, NULL, &err) != ALLIN1_OK)
        fail_msg("%s", err.message);
    return network;
}

static float *random_spectrogram(size_t frames, uint64_t seed)
{
    float *spectrogram = malloc(4 * frames * 81 * sizeof *spectrogram);
    assert_non_null(spectrogram);
    for (size_t i = 0; i < 4 * frames * 81; i++)
        spectrogram[i] = fabsf(test_random(&seed)) * 2.0f;
    return spectrogram;
}

static void run(const a1_network *network, unsigned threads, const float *spectrogram,
                size_t frames, const result *r)
{
    a1_error err = {0};
    a1_pool *pool = NULL;
    if (threads > 0)
        assert_int_equal(a1_pool_create(&pool, threads, &err), ALLIN1_OK);
    if (a1_network_run(network, pool, spectrogram, frames, &r->output, NULL, NULL, &err) !=
        ALLIN1_OK)
        fail_msg("%s", err.message);
    a1_pool_destroy(&pool);
}

typedef struct kept {
    double *values;
} kept;

static void keep_norm(void *user, const char *name, const double *state, size_t frames)
{
    const kept *to = user;
    if (strcmp(name, "final_norm") == 0)
        memcpy(to->values, state, 4 * frames * 24 * sizeof *state);
}

/* Lengths around blocks, windows and padding: below 10 dilations the sequence is padded, and 10,240
 * frames are the last block's. */
static void test_against_definition(void **state)
{
    (void)state;
    static const size_t lengths[] = {1,  2,  3,  4,  5,  9,   10,  11,  31,  32,
                                     33, 63, 64, 65, 97, 161, 320, 641, 1291};
    test_random_fold fold = test_random_fold_create(1, NULL, NULL);
    allin1_cpu_level levels[4];
    const size_t level_count = a1_cpu_levels(levels);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        const size_t frames = lengths[i];
        float *spectrogram = random_spectrogram(frames, frames);
        double *logits = malloc(13 * frames * sizeof *logits);
        kept norm = {malloc(4 * frames * 24 * sizeof(double))};
        assert_true(logits && norm.values);
        assert_int_equal(
            plain_network_fold(fold.weights, spectrogram, frames, logits, keep_norm, &norm), 0);
        for (size_t level = 0; level < level_count; level++) {
            char name[64];
            a1_network *network = create(&fold, 1, levels[level]);
            result r = result_create(frames, 1);
            run(network, 1, spectrogram, frames, &r);
            /* Float32 with real weights is within 5.4e-6 of double; these random ones are no worse.
             */
            snprintf(name, sizeof name, "%zu frames, %s, logits", frames,
                     allin1_cpu_level_string(levels[level]));
            test_close(name, r.logits, logits, r.logit_count, 2e-5);
            snprintf(name, sizeof name, "%zu frames, %s, embeddings", frames,
                     allin1_cpu_level_string(levels[level]));
            test_close(name, r.embeddings, norm.values, r.embedding_count, 2e-5);
            result_destroy(&r);
            a1_network_destroy(&network);
        }
        free(norm.values);
        free(logits);
        free(spectrogram);
    }
    test_random_fold_destroy(&fold);
}

/* Long enough for several tasks in every stage, and for rows of strips with both window counts. */
static void test_threads(void **state)
{
    (void)state;
    const size_t frames = 11003;
    float *spectrogram = random_spectrogram(frames, 7);
    test_random_fold fold = test_random_fold_create(2, NULL, NULL);
    a1_network *network = create(&fold, 1, ALLIN1_CPU_AUTO);
    result first = result_create(frames, 1);
    run(network, 0, spectrogram, frames, &first);
    for (unsigned threads = 1; threads <= 5; threads += 2) {
        result again = result_create(frames, 1);
        run(network, threads, spectrogram, frames, &again);
        assert_memory_equal(again.logits, first.logits, first.logit_count * sizeof(float));
        assert_memory_equal(again.embeddings, first.embeddings,
                            first.embedding_count * sizeof(float));
        result_destroy(&again);
    }
    double *logits = malloc(first.logit_count * sizeof *logits);
    assert_non_null(logits);
    assert_int_equal(plain_network_fold(fold.weights, spectrogram, frames, logits, NULL, NULL), 0);
    test_close("11003 frames", first.logits, logits, first.logit_count, 2e-5);
    free(logits);
    result_destroy(&first);
    a1_network_destroy(&network);
    test_random_fold_destroy(&fold);
    free(spectrogram);
}

static void test_ensemble(void **state)
{
    (void)state;
    enum { FRAMES = 70, FOLDS = 3 };
    test_random_fold folds[FOLDS];
    result single[FOLDS], all = result_create(FRAMES, FOLDS);
    float *spectrogram = random_spectrogram(FRAMES, 3);
    for (size_t i = 0; i < FOLDS; i++) {
        folds[i] = test_random_fold_create(10 + i, NULL, NULL);
        single[i] = result_create(FRAMES, 1);
        a1_network *network = create(&folds[i], 1, ALLIN1_CPU_AUTO);
        run(network, 1, spectrogram, FRAMES, &single[i]);
        a1_network_destroy(&network);
    }
    a1_network *network = create(folds, FOLDS, ALLIN1_CPU_AUTO);
    assert_int_equal(a1_network_folds(network), FOLDS);
    run(network, 2, spectrogram, FRAMES, &all);
    for (size_t i = 0; i < all.logit_count; i++) {
        float sum = single[0].logits[i];
        for (size_t fold = 1; fold < FOLDS; fold++)
            sum += single[fold].logits[i];
        assert_true(all.logits[i] == sum / FOLDS);
    }
    for (size_t i = 0; i < all.embedding_count; i++)
        assert_true(all.embeddings[i] == single[i % FOLDS].embeddings[i / FOLDS]);
    /* Embeddings are optional. */
    result without = result_create(FRAMES, FOLDS);
    without.output.embeddings = NULL;
    run(network, 1, spectrogram, FRAMES, &without);
    assert_memory_equal(without.logits, all.logits, all.logit_count * sizeof(float));
    result_destroy(&without);
    a1_network_destroy(&network);
    for (size_t i = 0; i < FOLDS; i++) {
        test_random_fold_destroy(&folds[i]);
        result_destroy(&single[i]);
    }
    result_destroy(&all);
    free(spectrogram);
}

/* A frame that is not a number may spoil what attends to it, never a stem's neighbours in memory or
 * the process. */
static void test_bad_numbers(void **state)
{
    (void)state;
    static const float bad[] = {NAN, INFINITY, -INFINITY, 3e38f, -3e38f, 1e-44f};
    enum { FRAMES = 333 };
    test_random_fold fold = test_random_fold_create(4, NULL, NULL);
    float *spectrogram = random_spectrogram(FRAMES, 5);
    allin1_cpu_level levels[4];
    const size_t level_count = a1_cpu_levels(levels);
    for (size_t level = 0; level < level_count; level++) {
        a1_network *network = create(&fold, 1, levels[level]);
        result r = result_create(FRAMES, 1);
        for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
            for (size_t t = 0; t < FRAMES; t += 50)
                spectrogram[(2 * FRAMES + t) * 81 + t % 81] = bad[i];
            run(network, 2, spectrogram, FRAMES, &r);
        }
        for (size_t i = 0; i < 4 * (size_t)FRAMES * 81; i++)
            spectrogram[i] = NAN;
        run(network, 2, spectrogram, FRAMES, &r);
        memset(spectrogram, 0, 4 * (size_t)FRAMES * 81 * sizeof *spectrogram);
        run(network, 2, spectrogram, FRAMES, &r);
        for (size_t i = 0; i < r.logit_count; i++)
            assert_true(isfinite(r.logits[i]));
        result_destroy(&r);
        a1_network_destroy(&network);
    }
    free(spectrogram);
    test_random_fold_destroy(&fold);
}

static void expect_error(const test_random_fold *fold, const char *part)
{
    a1_network *network = (a1_network *)(void *)&network;
    a1_cpu cpu;
    a1_error err = {0};
    assert_int_equal(a1_cpu_select(&cpu, ALLIN1_CPU_AUTO, NULL), ALLIN1_OK);
    const a1_tensor_set *sets[1] = {fold->set};
    assert_int_not_equal(a1_network_create(&network, sets, 1, &cpu, NULL, &err), ALLIN1_OK);
    assert_null(network);
    if (!strstr(err.message, part) || !strstr(err.message, "fold 0"))
        fail_msg("\"%s\" does not name %s and the fold", err.message, part);
}

static void test_bad_weights(void **state)
{
    (void)state;
    static const char *const names[] = {
        "embeddings.conv0.weight",
        "embeddings.norm.bias",
        "encoder.layers.0.timelayer.attention2.self.query.weight",
        "encoder.layers.7.timelayer.attention.self.rpb",
        "encoder.layers.10.instlayer.output.dense.bias",
        "encoder.layers.10.instlayer.attention.self.rpb",
        "function_classifier.classifier.weight",
        "norm.weight",
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        test_random_fold fold = test_random_fold_create(6, names[i], NULL);
        expect_error(&fold, names[i]);
        test_random_fold_destroy(&fold);
        fold = test_random_fold_create(6, NULL, names[i]);
        expect_error(&fold, names[i]);
        test_random_fold_destroy(&fold);
    }
}

static void test_bad_arguments(void **state)
{
    (void)state;
    test_random_fold fold = test_random_fold_create(8, NULL, NULL);
    a1_network *network = create(&fold, 1, ALLIN1_CPU_AUTO), *none;
    result r = result_create(1, 1);
    a1_error err = {0};
    a1_cpu cpu;
    float spectrogram[4 * 81] = {0};
    assert_int_equal(a1_cpu_select(&cpu, ALLIN1_CPU_AUTO, NULL), ALLIN1_OK);
    assert_int_equal(a1_network_run(network, NULL, spectrogram, 0, &r.output, NULL, NULL, &err),
                     ALLIN1_ERROR_ARGUMENT);
    assert_int_equal(
        a1_network_run(network, NULL, spectrogram, SIZE_MAX / 2, &r.output, NULL, NULL, &err),
        ALLIN1_ERROR_ARGUMENT);
    assert_int_equal(a1_network_create(&none, NULL, 0, &cpu, NULL, &err), ALLIN1_ERROR_ARGUMENT);
    assert_null(none);
    a1_network_destroy(&none);
    result_destroy(&r);
    a1_network_destroy(&network);
    assert_null(network);
    test_random_fold_destroy(&fold);
}

typedef struct watch {
    unsigned calls, stop_at;
    double last;
} watch;

static int watched(void *user, double fraction)
{
    watch *w = user;
    assert_true(fraction >= w->last && fraction <= 1.0);
    w->last = fraction;
    return ++w->calls == w->stop_at;
}

static void test_progress(void **state)
{
    (void)state;
    enum { FRAMES = 40 };
    test_random_fold folds[2] = {test_random_fold_create(8, NULL, NULL),
                                 test_random_fold_create(9, NULL, NULL)};
    a1_network *network = create(folds, 2, ALLIN1_CPU_AUTO);
    result r = result_create(FRAMES, 2);
    float *spectrogram = random_spectrogram(FRAMES, 2);
    watch all = {0};
    a1_error err = {0};
    assert_int_equal(
        a1_network_run(network, NULL, spectrogram, FRAMES, &r.output, watched, &all, &err),
        ALLIN1_OK);
    assert_true(all.calls > 22 && all.last == 1.0);
    for (unsigned stop = 1; stop <= all.calls; stop++) {
        watch some = {.stop_at = stop};
        assert_int_equal(
            a1_network_run(network, NULL, spectrogram, FRAMES, &r.output, watched, &some, &err),
            ALLIN1_ERROR_CANCELLED);
        assert_int_equal(some.calls, stop);
    }
    free(spectrogram);
    result_destroy(&r);
    a1_network_destroy(&network);
    test_random_fold_destroy(&folds[0]);
    test_random_fold_destroy(&folds[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_definition), cmocka_unit_test(test_threads),
        cmocka_unit_test(test_ensemble),           cmocka_unit_test(test_bad_numbers),
        cmocka_unit_test(test_bad_weights),        cmocka_unit_test(test_bad_arguments),
        cmocka_unit_test(test_progress),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
