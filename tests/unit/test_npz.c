/* NumPy arrays, and the strided copies behind them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/golden.h"
#include "support/weight_files.h"
#include "weights/npz.h"
#include "weights/strided.h"

static a1_tensor_set *make_set(void)
{
    a1_tensor_set *set = NULL;
    assert_int_equal(a1_tensor_set_create(&set, NULL), ALLIN1_OK);
    return set;
}

#define HEADER(type, order, shape)                                                                 \
    "{'descr': '" type "', 'fortran_order': " order ", 'shape': " shape ", }"

static const float six[6] = {1, 2, 3, 4, 5, 6};

static void expect_values(const a1_tensor *tensor, const float *expected, size_t count)
{
    assert_non_null(tensor);
    assert_int_equal(tensor->dtype, A1_F32);
    assert_int_equal(a1_tensor_count(tensor), count);
    assert_memory_equal(tensor->data, expected, count * sizeof *expected);
}

/* Parses one array and returns it; the set must be destroyed. */
static const a1_tensor *parse(a1_tensor_set *set, const char *dictionary, const void *values,
                              size_t size, const char *name)
{
    a1_error err = {0};
    test_bytes bytes = test_npy(dictionary, values, size);
    if (a1_npy_parse(bytes.data, bytes.size, "array.npy", name, set, &err) != ALLIN1_OK)
        fail_msg("%s", err.message);
    test_bytes_free(&bytes);
    return a1_tensor_set_find(set, name);
}

static void test_orders_and_shapes(void **state)
{
    (void)state;
    a1_tensor_set *set = make_set();
    const a1_tensor *c = parse(set, HEADER("<f4", "False", "(2, 3)"), six, sizeof six, "c");
    expect_values(c, six, 6);
    assert_int_equal(c->rank, 2);
    assert_int_equal(c->shape[0], 2);
    assert_int_equal(c->shape[1], 3);
    const float turned[6] = {1, 3, 5, 2, 4, 6};
    expect_values(parse(set, HEADER("<f4", "True", "(2, 3)"), six, sizeof six, "f"), turned, 6);
    /* (2, 1, 3) in Fortran order: the axis of length 1 changes nothing. */
    expect_values(parse(set, HEADER("<f4", "True", "(2, 1, 3)"), six, sizeof six, "f3"), turned, 6);
    expect_values(parse(set, HEADER("<f4", "True", "(6,)"), six, sizeof six, "f1"), six, 6);
    const a1_tensor *scalar = parse(set, HEADER("<f4", "False", "()"), six, 4, "scalar");
    assert_int_equal(scalar->rank, 0);
    const a1_tensor *empty = parse(set, HEADER("<f4", "True", "(0, 3)"), NULL, 0, "empty");
    assert_int_equal(a1_tensor_count(empty), 0);
    /* Keys in another order, double quotes, no last comma, Python 2's long numbers. */
    expect_values(parse(set, "{\"shape\": (3L, 2L), \"descr\": \"<f4\", \"fortran_order\": False}",
                        six, sizeof six, "quoted"),
                  six, 6);
    a1_tensor_set_destroy(&set);
}

static void test_types(void **state)
{
    (void)state;
    static const struct {
        const char *dictionary;
        a1_dtype dtype;
        size_t size;
    } types[] = {
        {HEADER("<f2", "False", "(2,)"), A1_F16, 4}, {HEADER("<f8", "False", "(2,)"), A1_F64, 16},
        {HEADER("|i1", "False", "(2,)"), A1_I8, 2},  {HEADER("|u1", "False", "(2,)"), A1_U8, 2},
        {HEADER("|b1", "False", "(2,)"), A1_U8, 2},  {HEADER("<i2", "False", "(2,)"), A1_I16, 4},
        {HEADER("<i4", "False", "(2,)"), A1_I32, 8}, {HEADER("<i8", "False", "(2,)"), A1_I64, 16}};
    const char zeros[16] = {0};
    a1_tensor_set *set = make_set();
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        char name[8];
        snprintf(name, sizeof name, "t%zu", i);
        assert_int_equal(parse(set, types[i].dictionary, zeros, types[i].size, name)->dtype,
                         types[i].dtype);
    }
    a1_tensor_set_destroy(&set);
}

static void expect_refusal(const char *dictionary, const void *values, size_t size,
                           allin1_status expected)
{
    a1_error err = {0};
    a1_tensor_set *set = make_set();
    test_bytes bytes = test_npy(dictionary, values, size);
    const allin1_status status = a1_npy_parse(bytes.data, bytes.size, "array.npy", "x", set, &err);
    if (status != expected)
        fail_msg("%s: status %d (%s), expected %d", dictionary, (int)status, err.message,
                 (int)expected);
    if (!strstr(err.message, "array.npy"))
        fail_msg("\"%s\" does not name the file", err.message);
    test_bytes_free(&bytes);
    a1_tensor_set_destroy(&set);
}

static void test_refusals(void **state)
{
    (void)state;
    static const char *const malformed[] = {
        "",
        "{",
        "{}",
        "{'descr': '<f4', 'fortran_order': False}",
        "{'descr': '<f4', 'shape': (6,)}",
        "{'descr': '<f4', 'fortran_order': Perhaps, 'shape': (6,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': 6}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (6)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (6,}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-6,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (6,), 'shape': (6,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (6,), 'more': 1}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (6,)} x",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,6)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999999,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296, 6)}",
        HEADER("<f4", "False", "(5,)"),
        HEADER("<f4", "False", "(7,)"),
        HEADER("<f4", "False", "(6, 0)"),
    };
    for (size_t i = 0; i < sizeof malformed / sizeof *malformed; i++)
        expect_refusal(malformed[i], six, sizeof six, ALLIN1_ERROR_FORMAT);
    expect_refusal(HEADER("<f4", "False", "(6,)"), six, 23, ALLIN1_ERROR_FORMAT);
    expect_refusal(HEADER(">f4", "False", "(6,)"), six, sizeof six, ALLIN1_ERROR_UNSUPPORTED);
    expect_refusal(HEADER("|O", "False", "(6,)"), six, sizeof six, ALLIN1_ERROR_UNSUPPORTED);
    expect_refusal("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (6,)}", six,
                   sizeof six, ALLIN1_ERROR_UNSUPPORTED);
}

static void test_archive(void **state)
{
    (void)state;
    a1_error err = {0};
    for (int deflated = 0; deflated < 2; deflated++) {
        test_member members[2] = {
            {"first.weight.npy", test_npy(HEADER("<f4", "False", "(2, 3)"), six, sizeof six)},
            {"second.npy", test_npy(HEADER("<f4", "False", "(1,)"), six, 4)}};
        test_bytes archive = test_zip(members, 2, deflated);
        a1_tensor_set *set = make_set();
        if (a1_npz_parse(archive.data, archive.size, "a.npz", set, &err) != ALLIN1_OK)
            fail_msg("%s", err.message);
        assert_int_equal(a1_tensor_set_count(set), 2);
        expect_values(a1_tensor_set_find(set, "first.weight"), six, 6);
        expect_values(a1_tensor_set_find(set, "second"), six, 1);
        a1_tensor_set_destroy(&set);
        test_bytes_free(&archive);
    }
}

static void test_archive_refusals(void **state)
{
    (void)state;
    a1_error err = {0};
    test_member members[1] = {{"notes.txt", {0}}};
    test_put_text(&members[0].content, "no array");
    test_bytes archive = test_zip(members, 1, 0);
    a1_tensor_set *set = make_set();
    assert_int_equal(a1_npz_parse(archive.data, archive.size, "a.npz", set, &err),
                     ALLIN1_ERROR_FORMAT);
    assert_non_null(strstr(err.message, "notes.txt"));
    test_bytes_free(&archive);
    assert_int_equal(a1_npz_parse("PK", 2, "a.npz", set, &err), ALLIN1_ERROR_FORMAT);
    assert_non_null(strstr(err.message, "a.npz"));
    a1_tensor_set_destroy(&set);
}

static void test_strided(void **state)
{
    (void)state;
    enum { A = 2, B = 3, C = 4 };
    unsigned short in[A * B * C], out[A * B * C];
    for (unsigned short i = 0; i < A * B * C; i++)
        in[i] = i;
    /* (A, B, C) seen as (C, A, B). */
    a1_copy_strided(out, in, sizeof *in, 3, (const size_t[]){C, A, B},
                    (const size_t[]){1, B * C, C});
    for (size_t c = 0; c < C; c++)
        for (size_t a = 0; a < A; a++)
            for (size_t b = 0; b < B; b++)
                assert_int_equal(out[(c * A + a) * B + b], (a * B + b) * C + c);
    assert_true(a1_strides_dense(3, (const size_t[]){2, 1, 3}, (const size_t[]){3, 77, 1}));
    assert_false(a1_strides_dense(2, (const size_t[]){2, 3}, (const size_t[]){1, 2}));
    assert_true(a1_strides_dense(0, NULL, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_orders_and_shapes), cmocka_unit_test(test_types),
        cmocka_unit_test(test_refusals),          cmocka_unit_test(test_archive),
        cmocka_unit_test(test_archive_refusals),  cmocka_unit_test(test_strided),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
