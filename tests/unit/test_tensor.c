/* Tensor sets and the 16-bit floats. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/golden.h"
#include "tensor/half.h"
#include "tensor/tensor.h"

static a1_tensor_set *make_set(void)
{
    a1_tensor_set *set = NULL;
    assert_int_equal(a1_tensor_set_create(&set, NULL), ALLIN1_OK);
    return set;
}

static void test_add_and_find(void **state)
{
    (void)state;
    enum { COUNT = 2000 };
    static float values[COUNT];
    a1_tensor_set *set = make_set();
    assert_null(a1_tensor_set_find(set, "nothing"));
    for (size_t i = 0; i < COUNT; i++) {
        char name[32];
        snprintf(name, sizeof name, "layer.%zu.weight", i);
        const a1_tensor tensor = {
            .name = name, .dtype = A1_F32, .rank = 1, .shape = {1}, .data = &values[i]};
        assert_int_equal(a1_tensor_set_add(set, &tensor, NULL), ALLIN1_OK);
    }
    assert_int_equal(a1_tensor_set_count(set), COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        char name[32];
        snprintf(name, sizeof name, "layer.%zu.weight", i);
        const a1_tensor *found = a1_tensor_set_find(set, name);
        assert_non_null(found);
        assert_ptr_equal(found->data, &values[i]);
        assert_ptr_equal(found, a1_tensor_set_at(set, i));
        assert_string_equal(found->name, name);
    }
    assert_null(a1_tensor_set_find(set, "layer.2000.weight"));
    assert_null(a1_tensor_set_find(set, ""));
    assert_null(a1_tensor_set_at(set, COUNT));
    a1_tensor_set_destroy(&set);
    assert_null(set);
    a1_tensor_set_destroy(&set);
    a1_tensor_set_destroy(NULL);
}

static void expect_refusal(a1_tensor_set *set, const a1_tensor *tensor, const char *word)
{
    a1_error err = {0};
    const size_t count = a1_tensor_set_count(set);
    assert_int_not_equal(a1_tensor_set_add(set, tensor, &err), ALLIN1_OK);
    if (!strstr(err.message, word))
        fail_msg("\"%s\" does not mention \"%s\"", err.message, word);
    assert_int_equal(a1_tensor_set_count(set), count);
}

static void test_refusals(void **state)
{
    (void)state;
    double storage[4] = {0};
    a1_tensor_set *set = make_set();
    a1_tensor tensor = {.name = "a", .dtype = A1_F32, .rank = 1, .shape = {2}, .data = storage};
    assert_int_equal(a1_tensor_set_add(set, &tensor, NULL), ALLIN1_OK);
    expect_refusal(set, &tensor, "twice");
    tensor.name = "b";
    tensor.rank = A1_MAX_RANK + 1;
    expect_refusal(set, &tensor, "axes");
    tensor.rank = 2;
    tensor.shape[0] = (size_t)1 << 62;
    tensor.shape[1] = 4;
    expect_refusal(set, &tensor, "overflows");
    /* Overflow hidden behind a length of zero, in either order. */
    a1_tensor hidden = {.name = "c", .rank = 3, .shape = {0, SIZE_MAX, 3}, .data = storage};
    expect_refusal(set, &hidden, "overflows");
    hidden.shape[0] = SIZE_MAX;
    hidden.shape[1] = 3;
    hidden.shape[2] = 0;
    expect_refusal(set, &hidden, "overflows");
    a1_tensor crooked = {
        .name = "d", .dtype = A1_F32, .rank = 1, .shape = {1}, .data = (char *)storage + 1};
    expect_refusal(set, &crooked, "misaligned");
    crooked.data = NULL;
    expect_refusal(set, &crooked, "missing");
    crooked.dtype = (a1_dtype)99;
    expect_refusal(set, &crooked, "type");
    /* An empty tensor needs no data; a scalar has one element. */
    const a1_tensor empty = {.name = "e", .dtype = A1_F32, .rank = 2, .shape = {0, 3}};
    assert_int_equal(a1_tensor_set_add(set, &empty, NULL), ALLIN1_OK);
    const a1_tensor scalar = {.name = "s", .dtype = A1_F64, .rank = 0, .data = storage};
    assert_int_equal(a1_tensor_set_add(set, &scalar, NULL), ALLIN1_OK);
    assert_int_equal(a1_tensor_count(a1_tensor_set_find(set, "s")), 1);
    assert_int_equal(a1_tensor_count(a1_tensor_set_find(set, "e")), 0);
    a1_tensor_set_destroy(&set);
}

static void test_require(void **state)
{
    (void)state;
    float values[6] = {0};
    a1_error err = {0};
    const a1_tensor *found;
    a1_tensor_set *set = make_set();
    const a1_tensor tensor = {
        .name = "w", .dtype = A1_F32, .rank = 2, .shape = {2, 3}, .data = values};
    assert_int_equal(a1_tensor_set_add(set, &tensor, NULL), ALLIN1_OK);
    assert_int_equal(a1_tensor_set_require(set, "w", 2, (const size_t[]){2, 3}, &found, &err),
                     ALLIN1_OK);
    assert_non_null(found);
    assert_int_equal(
        a1_tensor_set_require(set, "w", 2, (const size_t[]){SIZE_MAX, 3}, &found, &err), ALLIN1_OK);
    assert_int_equal(a1_tensor_set_require(set, "w", 2, (const size_t[]){3, 2}, &found, &err),
                     ALLIN1_ERROR_FORMAT);
    assert_null(found);
    assert_string_equal(err.message, "tensor \"w\" has shape (2, 3), expected (3, 2)");
    assert_int_equal(a1_tensor_set_require(set, "w", 1, (const size_t[]){SIZE_MAX}, &found, &err),
                     ALLIN1_ERROR_FORMAT);
    assert_string_equal(err.message, "tensor \"w\" has shape (2, 3), expected (any)");
    assert_int_equal(a1_tensor_set_require(set, "v", 1, (const size_t[]){1}, &found, &err),
                     ALLIN1_ERROR_FORMAT);
    assert_string_equal(err.message, "tensor \"v\" is missing");
    a1_tensor_set_destroy(&set);
}

static unsigned released;

static void count_release(void *block, size_t size)
{
    released += (unsigned)size;
    free(block);
}

static void test_ownership_and_texts(void **state)
{
    (void)state;
    a1_tensor_set *set = make_set();
    released = 0;
    for (size_t i = 1; i <= 40; i++)
        assert_int_equal(a1_tensor_set_own(set, malloc(8), i, count_release, NULL), ALLIN1_OK);
    for (int i = 0; i < 40; i++) {
        char key[16];
        snprintf(key, sizeof key, "key%d", i % 20);
        assert_int_equal(a1_tensor_set_put_text(set, key, i < 20 ? "old" : "new", NULL), ALLIN1_OK);
    }
    assert_int_equal(a1_tensor_set_text_count(set), 20);
    assert_string_equal(a1_tensor_set_text(set, "key7"), "new");
    assert_null(a1_tensor_set_text(set, "key20"));
    const char *key, *value;
    a1_tensor_set_text_at(set, 3, &key, &value);
    assert_string_equal(key, "key3");
    a1_tensor_set_text_at(set, 20, &key, &value);
    assert_null(key);
    assert_null(value);
    a1_tensor_set_destroy(&set);
    assert_int_equal(released, 40 * 41 / 2);
}

/* What the bits of a float16 mean, straight from the definition. */
static double half_value(unsigned half)
{
    const int exponent = (int)(half >> 10 & 31);
    const double sign = half & 0x8000 ? -1 : 1, fraction = half & 1023;
    if (exponent == 31)
        return fraction != 0 ? NAN : sign * INFINITY;
    return exponent ? sign * ldexp(1024 + fraction, exponent - 25) : sign * ldexp(fraction, -24);
}

static void test_half_exhaustive(void **state)
{
    (void)state;
    for (unsigned half = 0; half < 65536; half++) {
        const float value = a1_half_to_f32((uint16_t)half);
        const double expected = half_value(half);
        if (isnan(expected)) {
            assert_true(isnan(value));
            assert_int_equal(a1_f32_bits(value) & 0x7fffff, (half & 1023) << 13);
            assert_true(isnan(a1_half_to_f32(a1_f32_to_half(value))));
        } else {
            if ((double)value != expected || !signbit(value) != !(half & 0x8000))
                fail_msg("half 0x%04x became %a, expected %a", half, (double)value, expected);
            assert_int_equal(a1_f32_to_half(value), half);
        }
    }
    /* Between two neighbours: to the nearer one, from the middle to the even one. */
    for (unsigned half = 0; half < 0x7bff; half++) {
        const float low = a1_half_to_f32((uint16_t)half),
                    high = a1_half_to_f32((uint16_t)(half + 1));
        const float middle = low + (high - low) / 2;
        assert_int_equal(a1_f32_to_half(middle), half & 1 ? half + 1 : half);
        assert_int_equal(a1_f32_to_half(nextafterf(middle, -INFINITY)), half);
        assert_int_equal(a1_f32_to_half(nextafterf(middle, INFINITY)), half + 1);
        assert_int_equal(a1_f32_to_half(-middle), (half & 1 ? half + 1 : half) | 0x8000);
    }
    assert_int_equal(a1_f32_to_half(65519.996f), 0x7bff);
    assert_int_equal(a1_f32_to_half(65520.0f), 0x7c00);
    assert_int_equal(a1_f32_to_half(INFINITY), 0x7c00);
    assert_int_equal(a1_f32_to_half(0x1p-149f), 0);
}

static void test_to_f32(void **state)
{
    (void)state;
    const double doubles[2] = {0.1, -3e300};
    const uint16_t halves[2] = {0x3c00, 0x0001}, bfloats[2] = {0x3f80, 0xc040};
    const int32_t integers[2] = {1, 2};
    float out[2];
    a1_tensor tensor = {.name = "x", .dtype = A1_F64, .rank = 1, .shape = {2}, .data = doubles};
    assert_int_equal(a1_tensor_to_f32(&tensor, out, NULL), ALLIN1_OK);
    assert_true(out[0] == 0.1f && out[1] == -INFINITY);
    tensor.dtype = A1_F16;
    tensor.data = halves;
    assert_int_equal(a1_tensor_to_f32(&tensor, out, NULL), ALLIN1_OK);
    assert_true(out[0] == 1.0f && out[1] == 0x1p-24f);
    tensor.dtype = A1_BF16;
    tensor.data = bfloats;
    assert_int_equal(a1_tensor_to_f32(&tensor, out, NULL), ALLIN1_OK);
    assert_true(out[0] == 1.0f && out[1] == -3.0f);
    tensor.dtype = A1_I32;
    tensor.data = integers;
    assert_int_equal(a1_tensor_to_f32(&tensor, out, NULL), ALLIN1_ERROR_FORMAT);
    static const struct {
        a1_dtype dtype;
        size_t size;
        const char *name;
    } types[] = {{A1_F32, 4, "float32"}, {A1_F16, 2, "float16"}, {A1_BF16, 2, "bfloat16"},
                 {A1_F64, 8, "float64"}, {A1_I8, 1, "int8"},     {A1_U8, 1, "uint8"},
                 {A1_I16, 2, "int16"},   {A1_I32, 4, "int32"},   {A1_I64, 8, "int64"}};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        assert_int_equal(a1_dtype_size(types[i].dtype), types[i].size);
        assert_string_equal(a1_dtype_string(types[i].dtype), types[i].name);
    }
    assert_int_equal(a1_dtype_size((a1_dtype)77), 0);
    assert_non_null(a1_dtype_string((a1_dtype)77));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_add_and_find),    cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_require),         cmocka_unit_test(test_ownership_and_texts),
        cmocka_unit_test(test_half_exhaustive), cmocka_unit_test(test_to_f32),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
