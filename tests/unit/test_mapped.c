/* Our own file format. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "support/golden.h"
#include "support/sandbox.h"
#include "support/tiny_model.h"
#include "support/weight_files.h"
#include "tensor/half.h"
#include "weights/byte_reader.h"
#include "weights/digest.h"
#include "weights/mapped.h"

static a1_tensor_set *make_set(void)
{
    a1_tensor_set *set = NULL;
    assert_int_equal(a1_tensor_set_create(&set, NULL), ALLIN1_OK);
    return set;
}

static const float exact[6] = {1, -2, 0.5f, 0x1p-24f, 65504, -0.0f};
static const float inexact[3] = {0.1f, 1, 2};
static const uint16_t halves[4] = {0x3c00, 1, 2, 3};
static const int64_t integers[2] = {INT64_MIN, 7};

static a1_tensor_set *small_set(void)
{
    static const a1_tensor tensors[] = {
        {.name = "z.last", .dtype = A1_F32, .rank = 2, .shape = {2, 3}, .data = exact},
        {.name = "a.first", .dtype = A1_F32, .rank = 1, .shape = {3}, .data = inexact},
        {.name = "m.half", .dtype = A1_F16, .rank = 3, .shape = {2, 1, 2}, .data = halves},
        {.name = "m.integers", .dtype = A1_I64, .rank = 1, .shape = {2}, .data = integers},
        {.name = "scalar", .dtype = A1_F32, .rank = 0, .data = inexact},
    };
    a1_tensor_set *set = make_set();
    for (size_t i = 0; i < sizeof tensors / sizeof *tensors; i++)
        assert_int_equal(a1_tensor_set_add(set, &tensors[i], NULL), ALLIN1_OK);
    assert_int_equal(a1_tensor_set_put_text(set, "name", "small", NULL), ALLIN1_OK);
    assert_int_equal(a1_tensor_set_put_text(set, "empty", "", NULL), ALLIN1_OK);
    assert_int_equal(a1_tensor_set_put_text(set, "family", "h\xc3\xa9", NULL), ALLIN1_OK);
    return set;
}

/* Writes the small set into the sandbox and gives its path. */
static const char *write_small(const char *name, bool half)
{
    a1_error err = {0};
    a1_tensor_set *set = small_set();
    const char *path = sandbox_path("%s", name);
    if (a1_mapped_write(path, set, half, NULL, &err) != ALLIN1_OK)
        fail_msg("%s", err.message);
    a1_tensor_set_destroy(&set);
    return path;
}

static void test_round_trip(void **state)
{
    (void)state;
    sandbox_make();
    for (int half = 0; half < 2; half++) {
        a1_error err = {0};
        const char *path = write_small("small.a1w", half);
        a1_tensor_set *set = make_set(), *original = small_set();
        if (a1_mapped_open(path, NULL, set, &err) != ALLIN1_OK)
            fail_msg("%s", err.message);
        assert_int_equal(a1_tensor_set_count(set), 5);
        for (size_t i = 0; i < 5; i++) {
            const a1_tensor *was = a1_tensor_set_at(original, i);
            const a1_tensor *is = a1_tensor_set_find(set, was->name);
            assert_non_null(is);
            assert_int_equal(is->rank, was->rank);
            assert_memory_equal(is->shape, was->shape, was->rank * sizeof *was->shape);
            assert_int_equal((uintptr_t)is->data % 64, 0);
            if (is->dtype == was->dtype) {
                assert_memory_equal(is->data, was->data,
                                    a1_tensor_count(was) * a1_dtype_size(was->dtype));
                continue;
            }
            float values[6];
            assert_int_equal(is->dtype, A1_F16);
            assert_int_equal(a1_tensor_to_f32(is, values, NULL), ALLIN1_OK);
            assert_memory_equal(values, was->data, a1_tensor_count(was) * sizeof *values);
        }
        /* Only what float16 holds exactly is stored so; -0 and subnormals count as exact. */
        assert_int_equal(a1_tensor_set_find(set, "z.last")->dtype, half ? A1_F16 : A1_F32);
        assert_int_equal(a1_tensor_set_find(set, "a.first")->dtype, A1_F32);
        assert_string_equal(a1_tensor_set_text(set, "name"), "small");
        assert_string_equal(a1_tensor_set_text(set, "empty"), "");
        assert_string_equal(a1_tensor_set_text(set, "family"), "h\xc3\xa9");
        assert_int_equal(a1_tensor_set_text_count(set), 3);
        a1_tensor_set_destroy(&set);
        a1_tensor_set_destroy(&original);
    }
    sandbox_remove();
}

/* The bytes do not depend on the order of adding, nor on the number of threads. */
static void test_same_bytes(void **state)
{
    (void)state;
    a1_error err = {0};
    sandbox_make();
    write_small("one.a1w", true);
    a1_tensor_set *set = small_set(), *reversed = make_set();
    for (size_t i = a1_tensor_set_count(set); i-- > 0;)
        assert_int_equal(a1_tensor_set_add(reversed, a1_tensor_set_at(set, i), NULL), ALLIN1_OK);
    for (size_t i = a1_tensor_set_text_count(set); i-- > 0;) {
        const char *key, *value;
        a1_tensor_set_text_at(set, i, &key, &value);
        assert_int_equal(a1_tensor_set_put_text(reversed, key, value, NULL), ALLIN1_OK);
    }
    a1_pool *pool = NULL;
    assert_int_equal(a1_pool_create(&pool, 3, &err), ALLIN1_OK);
    assert_int_equal(a1_mapped_write(sandbox_path("two.a1w"), reversed, true, pool, &err),
                     ALLIN1_OK);
    test_bytes one = test_load(sandbox_path("one.a1w")), two = test_load(sandbox_path("two.a1w"));
    assert_int_equal(one.size, two.size);
    assert_memory_equal(one.data, two.data, one.size);
    char *names = sandbox_list("");
    assert_string_equal(names, "one.a1w two.a1w");
    free(names);
    test_bytes_free(&one);
    test_bytes_free(&two);
    a1_tensor_set_destroy(&set);
    a1_tensor_set_destroy(&reversed);
    a1_pool_destroy(&pool);
    sandbox_remove();
}

/* The checksum of a file of several chunks is what the description says, with any number of
 * threads. */
static void test_checksum_definition(void **state)
{
    (void)state;
    enum { CHUNK = 4 << 20, SIZE = 2 * CHUNK + 12345 };
    unsigned char *file = a1_aligned_alloc(SIZE), digests[3][32], expected[32], is[32];
    assert_non_null(file);
    uint64_t random = 1;
    for (size_t i = 0; i < SIZE; i++)
        file[i] = (unsigned char)(int)(128 * test_random(&random));
    unsigned char saved[32];
    memcpy(saved, file + 64, 32);
    memset(file + 64, 0, 32);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(
            a1_sha256(file + i * CHUNK, i < 2 ? CHUNK : SIZE - 2 * CHUNK, digests[i], NULL),
            ALLIN1_OK);
    assert_int_equal(a1_sha256(digests, sizeof digests, expected, NULL), ALLIN1_OK);
    memcpy(file + 64, saved, 32);
    for (unsigned threads = 1; threads <= 3; threads++) {
        a1_pool *pool = NULL;
        assert_int_equal(a1_pool_create(&pool, threads, NULL), ALLIN1_OK);
        assert_int_equal(a1_mapped_checksum(file, SIZE, pool, is, NULL), ALLIN1_OK);
        assert_memory_equal(is, expected, sizeof is);
        a1_pool_destroy(&pool);
    }
    a1_aligned_free(file);
}

typedef struct image {
    unsigned char *bytes;
    size_t size;
} image;

static image load_small(void)
{
    sandbox_make();
    test_bytes loaded = test_load(write_small("small.a1w", false));
    sandbox_remove();
    image i = {a1_aligned_alloc(loaded.size + 64), loaded.size};
    assert_non_null(i.bytes);
    memcpy(i.bytes, loaded.data, loaded.size);
    test_bytes_free(&loaded);
    return i;
}

static void sign(image *i)
{
    unsigned char checksum[32];
    assert_int_equal(a1_mapped_checksum(i->bytes, i->size, NULL, checksum, NULL), ALLIN1_OK);
    memcpy(i->bytes + 64, checksum, sizeof checksum);
}

/* Changes a field, makes the checksum right again, and expects a refusal. */
static void expect_refusal(size_t at, unsigned width, uint64_t value, const char *word)
{
    a1_error err = {0};
    image i = load_small();
    a1_tensor_set *set = make_set();
    a1_put_number(i.bytes + at, width, value);
    sign(&i);
    const allin1_status status =
        a1_mapped_parse(i.bytes, i.size, "small.a1w", true, NULL, set, &err);
    if (status == ALLIN1_OK)
        fail_msg("%llu at byte %zu was accepted", (unsigned long long)value, at);
    if (!strstr(err.message, word) || !strstr(err.message, "small.a1w"))
        fail_msg("byte %zu: \"%s\" does not say \"%s\" and the file", at, err.message, word);
    a1_tensor_set_destroy(&set);
    a1_aligned_free(i.bytes);
}

static void test_refused_fields(void **state)
{
    (void)state;
    image i = load_small();
    const uint64_t size = i.size;
    /* The texts: empty, family, name; then the first tensor's entry. */
    const size_t texts = 128, entry = texts + (8 + 6 + 1) + (8 + 7 + 4) + (8 + 5 + 6);
    assert_memory_equal(i.bytes + entry + 32 + 8, "a.first", 8);
    a1_aligned_free(i.bytes);
    expect_refusal(0, 1, 'x', "not a .a1w");
    expect_refusal(8, 4, 0x04030201, "malformed");
    expect_refusal(12, 4, 2, "version 2");
    expect_refusal(16, 8, size + 1, "bytes");
    expect_refusal(24, 4, 32, "malformed");
    expect_refusal(28, 4, 1, "malformed");
    expect_refusal(32, 4, 4, "text value");
    expect_refusal(32, 4, 2, "malformed");
    expect_refusal(36, 4, 4, "longer");
    expect_refusal(36, 4, 6, "malformed");
    expect_refusal(36, 4, UINT32_MAX, "malformed");
    expect_refusal(40, 8, UINT64_MAX, "malformed");
    expect_refusal(40, 8, 64, "malformed");
    expect_refusal(48, 1, 1, "malformed");
    expect_refusal(127, 1, 1, "malformed");
    expect_refusal(texts, 4, 0, "text value");
    expect_refusal(texts, 4, UINT32_MAX, "text value");
    expect_refusal(texts + 4, 4, 5, "text value");
    expect_refusal(texts + 8, 1, 0, "text value");
    expect_refusal(entry, 4, 6, "malformed");
    expect_refusal(entry, 4, UINT32_MAX, "malformed");
    expect_refusal(entry + 4, 4, 9, "malformed");
    expect_refusal(entry + 4, 4, A1_F16, "does not lie");
    expect_refusal(entry + 8, 4, 9, "malformed");
    expect_refusal(entry + 12, 4, 1, "malformed");
    expect_refusal(entry + 16, 8, 0, "does not lie");
    expect_refusal(entry + 16, 8, 65, "does not lie");
    expect_refusal(entry + 16, 8, size / 64 * 64 + 64, "does not lie");
    expect_refusal(entry + 16, 8, UINT64_MAX - 63, "does not lie");
    expect_refusal(entry + 24, 8, 8, "does not lie");
    expect_refusal(entry + 32, 8, 0, "malformed");
    expect_refusal(entry + 32, 8, UINT64_MAX / 2, "malformed");
    expect_refusal(entry + 40, 1, 'z', "malformed"); /* names out of order */
}

static void test_write_failures(void **state)
{
    (void)state;
    a1_error err = {0};
    sandbox_make();
    a1_tensor_set *set = small_set();
    assert_int_equal(a1_mapped_write(sandbox_path("no/such/folder.a1w"), set, false, NULL, &err),
                     ALLIN1_ERROR_IO);
    assert_non_null(strstr(err.message, "folder.a1w"));
    /* A folder in the way: the temporary file must go, too. */
    sandbox_folder("taken.a1w");
    assert_int_equal(a1_mapped_write(sandbox_path("taken.a1w"), set, false, NULL, &err),
                     ALLIN1_ERROR_IO);
    char *names = sandbox_list("");
    assert_string_equal(names, "taken.a1w");
    free(names);
    const a1_tensor empty = {.name = "none", .dtype = A1_F32, .rank = 1, .shape = {0}};
    assert_int_equal(a1_tensor_set_add(set, &empty, NULL), ALLIN1_OK);
    assert_int_equal(a1_mapped_write(sandbox_path("x.a1w"), set, false, NULL, &err),
                     ALLIN1_ERROR_ARGUMENT);
    a1_tensor_set_destroy(&set);
    sandbox_remove();
}

static void test_not_files(void **state)
{
    (void)state;
    a1_error err = {0};
    a1_tensor_set *set = make_set();
    sandbox_make();
    assert_int_equal(a1_mapped_open(sandbox_path("absent.a1w"), NULL, set, &err), ALLIN1_ERROR_IO);
    sandbox_folder("folder.a1w");
    assert_int_equal(a1_mapped_open(sandbox_path("folder.a1w"), NULL, set, &err), ALLIN1_ERROR_IO);
    sandbox_write("empty.a1w", "", 0);
    assert_int_equal(a1_mapped_open(sandbox_path("empty.a1w"), NULL, set, &err),
                     ALLIN1_ERROR_FORMAT);
    assert_non_null(strstr(err.message, "empty.a1w"));
    sandbox_remove();
    a1_tensor_set_destroy(&set);
}

/* The tiny models are the same numbers on every machine and every run. */
static void test_tiny_models(void **state)
{
    (void)state;
    a1_error err = {0};
    char digest[A1_SHA256_HEX];
    sandbox_make();
    if (test_write_tiny_models(sandbox_path("."), &err) != ALLIN1_OK)
        fail_msg("%s", err.message);
    static const struct {
        const char *file;
        size_t count;
        const char *key, *value;
    } models[] = {{"tiny-htdemucs.a1w", 533, "heads", "2"},
                  {"tiny-harmonix.a1w", 491, "best_threshold_downbeat", "0.24"}};
    for (size_t i = 0; i < 2; i++) {
        a1_tensor_set *set = make_set();
        assert_int_equal(a1_mapped_open(sandbox_path("%s", models[i].file), NULL, set, &err),
                         ALLIN1_OK);
        assert_int_equal(a1_tensor_set_count(set), models[i].count);
        assert_string_equal(a1_tensor_set_text(set, models[i].key), models[i].value);
        /* float16 in the file, and yet the digest of the float32 numbers. */
        assert_int_equal(a1_tensor_set_digest(set, digest, &err), ALLIN1_OK);
        assert_string_equal(digest, a1_tensor_set_text(set, "digest"));
        for (size_t t = 0; i == 0 && t < a1_tensor_set_count(set); t++)
            assert_int_equal(a1_tensor_set_at(set, t)->dtype, A1_F16);
        a1_tensor_set_destroy(&set);
    }
    sandbox_remove();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),          cmocka_unit_test(test_same_bytes),
        cmocka_unit_test(test_checksum_definition), cmocka_unit_test(test_refused_fields),
        cmocka_unit_test(test_write_failures),      cmocka_unit_test(test_not_files),
        cmocka_unit_test(test_tiny_models),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
