/* Weights packed once: the same bits as packed at every start, and nothing else is taken for them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "demix/htdemucs.h"
#include "support/kernel_levels.h"
#include "support/sandbox.h"
#include "support/tiny_model.h"
#include "support/weight_files.h"
#include "weights/mapped.h"
#include "weights/packed.h"
#include "weights/weights.h"

#define SAMPLES 20000

static a1_tensor_set *weights;
static a1_pool *pool;
static a1_cpu cpu;
static a1_demix_precision best; /* the lowest precision that this machine has */

static const a1_model_file *real_model(void)
{
    return a1_model_file_find("htdemucs");
}

static int set_up(void **state)
{
    a1_error err = {0};
    if (a1_cpu_select(&cpu, ALLIN1_CPU_AUTO, &err) != ALLIN1_OK ||
        a1_pool_create(&pool, 2, &err) != ALLIN1_OK ||
        test_tiny_htdemucs(&weights, &err) != ALLIN1_OK ||
        a1_tensor_set_put_text(weights, "digest", real_model()->digest, &err) != ALLIN1_OK) {
        print_message("%s\n", err.message);
        return -1;
    }
    for (best = A1_DEMIX_MIXED; !a1_demix_precision_available(&cpu, best);)
        best--;
    if (sandbox_set_up(state) != 0)
        return -1;
    /* The weights of this machine are not to be found. */
    unsetenv("ALLIN1_WEIGHTS");
    return setenv("XDG_CACHE_HOME", sandbox_path("cache"), 1);
}

static int tear_down(void **state)
{
    a1_pool_destroy(&pool);
    a1_tensor_set_destroy(&weights);
    return sandbox_clean_up(state);
}

static a1_tensor_set *pack(a1_demix_precision precision)
{
    a1_error err = {0};
    a1_tensor_set *packed = NULL;
    if (a1_htdemucs_pack(weights, &cpu, precision, pool, &packed, &err) != ALLIN1_OK)
        fail_msg("%s", err.message);
    return packed;
}

/* All stems of a short song, freed by the caller. */
static float *separate(const a1_tensor_set *set, a1_demix_precision precision, bool borrows)
{
    a1_error err = {0};
    a1_htdemucs *model = NULL;
    float *mix = malloc(2 * SAMPLES * sizeof *mix), *stems = malloc(8 * SAMPLES * sizeof *stems);
    float *out[A1_DEMIX_SOURCES][2];
    uint64_t seed = 3;
    assert_true(mix && stems);
    for (size_t i = 0; i < 2 * SAMPLES; i++)
        mix[i] = kernel_random(&seed);
    for (size_t i = 0; i < 8; i++)
        out[i / 2][i % 2] = stems + i * SAMPLES;
    if (a1_htdemucs_create(&model, set, &cpu, precision, pool, &err) != ALLIN1_OK)
        fail_msg("%s", err.message);
    assert_int_equal(a1_htdemucs_borrows(model), borrows);
    const a1_demix_settings settings = {0};
    const float *const channels[2] = {mix, mix + SAMPLES};
    assert_int_equal(a1_demix_track(model, pool, &settings, channels, SAMPLES, out, NULL, NULL, &err),
                     ALLIN1_OK);
    a1_htdemucs_destroy(&model);
    free(mix);
    return stems;
}

static void test_same_bits(void **state)
{
    (void)state;
    for (a1_demix_precision p = A1_DEMIX_FP32; p <= best; p++) {
        a1_error err = {0};
        a1_tensor_set *packed = pack(p), *mapped = NULL;
        const char *path = sandbox_path("same.%s.packed", a1_htdemucs_layout(p));
        if (a1_packed_write(path, packed, real_model(), pool, &err) != ALLIN1_OK ||
            a1_packed_read(path, real_model(), a1_htdemucs_layout(p), pool, &mapped, &err) != ALLIN1_OK)
            fail_msg("%s", err.message);
        float *plain = separate(weights, p, false), *with = separate(mapped, p, true);
        assert_memory_equal(plain, with, 8 * SAMPLES * sizeof *plain);
        free(plain);
        free(with);
        /* Packing what is packed changes nothing. */
        a1_tensor_set *again = NULL;
        assert_int_equal(a1_htdemucs_pack(mapped, &cpu, p, pool, &again, &err), ALLIN1_OK);
        const char *other = sandbox_path("again.%d", (int)p);
        assert_int_equal(a1_packed_write(other, again, real_model(), pool, &err), ALLIN1_OK);
        test_bytes first = test_load(path), second = test_load(other);
        assert_int_equal(first.size, second.size);
        assert_memory_equal(first.data, second.data, first.size);
        test_bytes_free(&first);
        test_bytes_free(&second);
        a1_tensor_set_destroy(&again);
        a1_tensor_set_destroy(&packed);
        a1_tensor_set_destroy(&mapped);
    }
}

/* A packed file of the past must not be taken for one of now: when these bytes change, so must the layout's
 * number (src/demix/packed_set.c), and then the digests here. */
static void test_layout(void **state)
{
    (void)state;
    static const char *const digests[][2] = {
        {"fp32-1", "bd587e17040a9551751bc803de30549cfae58eeb43d1ad37abbc89a067506a51"},
        {"bf16-1", "5ef653a1b21cc86b700f2d2f8a2c86f1b98d25701a59882476baf6d0a8e7d958"},
        {"mixed-1", "87420a0f7c49f0d314d00f9ab0b5f501262ba82a57e97a823b918a77d2d91e64"},
    };
    for (a1_demix_precision p = A1_DEMIX_FP32; p <= best; p++) {
        a1_error err = {0};
        a1_tensor_set *packed = pack(p);
        char is[A1_SHA256_HEX];
        assert_string_equal(a1_htdemucs_layout(p), digests[p][0]);
        const char *path = sandbox_path("layout");
        assert_int_equal(a1_packed_write(path, packed, real_model(), pool, &err), ALLIN1_OK);
        test_bytes bytes = test_load(path);
        assert_int_equal(a1_sha256_hex(bytes.data, bytes.size, is, &err), ALLIN1_OK);
        assert_string_equal(is, digests[p][1]);
        test_bytes_free(&bytes);
        a1_tensor_set_destroy(&packed);
    }
}

static void refuse(const a1_tensor_set *set, a1_demix_precision precision, allin1_status wanted,
                   const char *needle)
{
    a1_error err = {0};
    a1_htdemucs *model = NULL;
    const allin1_status status = a1_htdemucs_create(&model, set, &cpu, precision, pool, &err);
    assert_null(model);
    if (status != wanted || !strstr(err.message, needle))
        fail_msg("wanted status %d and \"%s\", got %d and \"%s\"", (int)wanted, needle, (int)status,
                 err.message);
}

/* The packed set with one tensor missing, shorter, or of another type. */
static a1_tensor_set *spoil(const a1_tensor_set *packed, size_t which, int how)
{
    a1_error err = {0};
    a1_tensor_set *set = NULL;
    assert_int_equal(a1_tensor_set_create(&set, &err), ALLIN1_OK);
    for (size_t i = 0; i < a1_tensor_set_count(packed); i++) {
        a1_tensor tensor = *a1_tensor_set_at(packed, i);
        if (i == which && how == 0)
            continue;
        if (i == which && how == 1 && tensor.shape[tensor.rank - 1]-- == 1)
            tensor.rank++, tensor.shape[tensor.rank - 1] = tensor.shape[tensor.rank - 2] = 1;
        if (i == which && how == 2)
            tensor.dtype = tensor.dtype == A1_I8 ? A1_U8 : A1_I8;
        assert_int_equal(a1_tensor_set_add(set, &tensor, &err), ALLIN1_OK);
    }
    assert_int_equal(a1_tensor_set_put_text(set, "heads", "2", &err), ALLIN1_OK);
    assert_int_equal(a1_tensor_set_put_text(set, A1_PACKING, a1_tensor_set_text(packed, A1_PACKING),
                                            &err),
                     ALLIN1_OK);
    return set;
}

static void test_wrong_panels(void **state)
{
    (void)state;
    a1_tensor_set *packed = pack(best);
    for (size_t i = 0; i < a1_tensor_set_count(packed); i++)
        for (int how = 0; how < 3; how++) {
            a1_tensor_set *set = spoil(packed, i, how);
            refuse(set, best, ALLIN1_ERROR_FORMAT, "");
            a1_tensor_set_destroy(&set);
        }
    a1_tensor_set_destroy(&packed);
}

static void test_wrong_precision(void **state)
{
    (void)state;
    a1_error err = {0};
    a1_tensor_set *packed = pack(A1_DEMIX_FP32);
    if (best > A1_DEMIX_FP32)
        refuse(packed, best, ALLIN1_ERROR_UNSUPPORTED, a1_htdemucs_layout(best));
    assert_int_equal(a1_tensor_set_put_text(packed, A1_PACKING, "fp32-0", &err), ALLIN1_OK);
    refuse(packed, A1_DEMIX_FP32, ALLIN1_ERROR_UNSUPPORTED, "fp32-0");
    a1_tensor_set_destroy(&packed);
}

static void test_paths(void **state)
{
    (void)state;
    char path[A1_PATH_ROOM], full[A1_PATH_ROOM];
    assert_true(a1_packed_path(path, "/w/htdemucs.a1w", "mixed-1"));
    assert_string_equal(path, "/w/htdemucs.mixed-1.packed");
    assert_false(a1_packed_path(path, "/w/htdemucs.onnx", "mixed-1"));
    assert_false(a1_packed_path(path, "a1w", "mixed-1"));
    memset(full, 'x', sizeof full);
    memcpy(full + sizeof full - 5, ".a1w", 5);
    assert_false(a1_packed_path(path, full, "mixed-1"));
}

/* What the search for weights finds. */
static a1_weights_info found;

static allin1_status search(const char *packing, a1_error *err)
{
    a1_tensor_set *set = NULL;
    const allin1_status status = a1_weights_load_packed(sandbox_path("place"), "htdemucs", packing,
                                                        pool, &set, &found, err);
    if (status == ALLIN1_OK)
        assert_string_equal(found.digest, real_model()->digest);
    a1_tensor_set_destroy(&set);
    return status;
}

static void expect_found(const char *packing, const char *name, const char *format)
{
    a1_error err = {0};
    if (search(packing, &err) != ALLIN1_OK)
        fail_msg("%s", err.message);
    assert_string_equal(found.path, sandbox_path("place/%s", name));
    assert_string_equal(found.format, format);
}

static void test_search(void **state)
{
    (void)state;
    a1_error err = {0};
    a1_tensor_set *packed = pack(best), *set = NULL;
    const char *packing = a1_htdemucs_layout(best);
    char digest[A1_SHA256_HEX], name[64];
    snprintf(name, sizeof name, "place/htdemucs.%s.packed", packing);
    sandbox_folder("place");
    assert_int_equal(a1_packed_write(sandbox_path("%s", name), packed, real_model(), pool, &err), ALLIN1_OK);
    /* Alone it is nothing: what it was made from must be there. */
    assert_int_equal(search(packing, &err), ALLIN1_ERROR_WEIGHTS_MISSING);
    const char *plain = sandbox_path("place/htdemucs.a1w");
    assert_int_equal(a1_mapped_write(plain, weights, false, pool, &err), ALLIN1_OK);
    expect_found(packing, name + 6, "packed");
    assert_string_equal(found.warning, "");
    expect_found(NULL, "htdemucs.a1w", "a1w");
    expect_found("other-7", "htdemucs.a1w", "a1w");
    /* Under another layout's name, and of another model: told, and passed over. */
    test_bytes bytes = test_load(sandbox_path("%s", name));
    sandbox_write("place/htdemucs.other-7.packed", bytes.data, bytes.size);
    expect_found("other-7", "htdemucs.a1w", "a1w");
    expect_text(found.warning, "not packed as its name says");
    assert_int_equal(a1_tensor_set_put_text(packed, "digest", "0123", &err), ALLIN1_OK);
    assert_int_equal(a1_mapped_write(sandbox_path("%s", name), packed, false, pool, &err), ALLIN1_OK);
    expect_found(packing, "htdemucs.a1w", "a1w");
    expect_text(found.warning, "what was packed is not this model");
    /* Damaged anywhere: the same. */
    for (size_t at = 0; at < bytes.size; at += bytes.size / 7) {
        bytes.data[at] ^= 4;
        sandbox_write(name, bytes.data, bytes.size);
        bytes.data[at] ^= 4;
        expect_found(packing, "htdemucs.a1w", "a1w");
        expect_text(found.warning, name);
        expect_text(found.warning, "models fetch htdemucs");
    }
    /* It is not taken for the model's own file. */
    sandbox_write("place/htdemucs.a1w", bytes.data, bytes.size);
    assert_int_equal(search(NULL, &err), ALLIN1_ERROR_WEIGHTS_DAMAGED);
    expect_text(err.message, "holds packed weights");
    plain = sandbox_path("place/htdemucs.a1w");
    assert_int_equal(a1_weights_read(plain, NULL, NULL, true, pool, &set, digest, &err),
                     ALLIN1_ERROR_ARGUMENT);
    assert_null(set);
    test_bytes_free(&bytes);
    a1_tensor_set_destroy(&packed);
}

/* A write that cannot be done leaves nothing. */
static void test_no_folder(void **state)
{
    (void)state;
    a1_error err = {0};
    a1_tensor_set *packed = pack(best);
    assert_int_equal(a1_packed_write(sandbox_path("none/x.packed"), packed, real_model(), pool, &err),
                     ALLIN1_ERROR_IO);
    expect_text(err.message, "none/x.packed");
    a1_tensor_set_destroy(&packed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_bits), cmocka_unit_test(test_layout),
        cmocka_unit_test(test_wrong_panels), cmocka_unit_test(test_wrong_precision),
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_search), cmocka_unit_test(test_no_folder),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
