/* ONNX initialisers, and the way of HTDemucs' back to PyTorch's names. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/golden.h"
#include "support/tiny_model.h"
#include "support/weight_files.h"
#include "weights/digest.h"
#include "weights/onnx.h"

static a1_tensor_set *make_set(void)
{
    a1_tensor_set *set = NULL;
    assert_int_equal(a1_tensor_set_create(&set, NULL), ALLIN1_OK);
    return set;
}

static const float six[6] = {1, 2, 3, 4, 5, 6};

static allin1_status parse_and_free(test_bytes *file, a1_tensor_set *set, a1_error *err)
{
    const allin1_status status = a1_onnx_parse(file->data, file->size, "m.onnx", set, err);
    test_bytes_free(file);
    return status;
}

static void test_forms_of_values(void **state)
{
    (void)state;
    a1_error err = {0};
    a1_tensor_set *set = make_set();
    test_bytes graph = {0}, tensor;
    const size_t shape[2] = {2, 3};
    tensor = test_onnx_tensor("raw", 2, shape, six, 0);
    test_onnx_add(&graph, &tensor);
    tensor = test_onnx_tensor("floats", 2, shape, six, 1);
    test_onnx_add(&graph, &tensor);
    /* Packed dimensions; floats one by one and in two packs. */
    tensor = (test_bytes){0};
    test_field(&tensor, 1, "\x02\x03", 2);
    test_varint(&tensor, 2 << 3);
    test_varint(&tensor, 1);
    test_field(&tensor, 4, six, 8);
    for (int i = 2; i < 4; i++) {
        test_varint(&tensor, 4 << 3 | 5);
        test_put(&tensor, &six[i], 4);
    }
    test_field(&tensor, 4, six + 4, 8);
    test_field(&tensor, 8, "mixed", 5);
    test_onnx_add(&graph, &tensor);
    /* A scalar, and float16. */
    tensor = test_onnx_tensor("scalar", 0, NULL, six, 0);
    test_onnx_add(&graph, &tensor);
    tensor = (test_bytes){0};
    test_varint(&tensor, 1 << 3);
    test_varint(&tensor, 3);
    test_varint(&tensor, 2 << 3);
    test_varint(&tensor, 10);
    test_field(&tensor, 8, "half", 4);
    test_field(&tensor, 9, six, 6);
    test_onnx_add(&graph, &tensor);
    test_field(&graph, 1, "a node, of no interest", 22);
    test_bytes model = test_onnx_model(&graph);
    if (parse_and_free(&model, set, &err) != ALLIN1_OK)
        fail_msg("%s", err.message);
    assert_int_equal(a1_tensor_set_count(set), 5);
    static const char *const names[] = {"raw", "floats", "mixed"};
    for (size_t i = 0; i < 3; i++) {
        const a1_tensor *found = a1_tensor_set_find(set, names[i]);
        assert_non_null(found);
        assert_int_equal(found->rank, 2);
        assert_int_equal(found->shape[0], 2);
        assert_int_equal(found->shape[1], 3);
        assert_memory_equal(found->data, six, sizeof six);
    }
    assert_int_equal(a1_tensor_set_find(set, "scalar")->rank, 0);
    assert_int_equal(a1_tensor_set_find(set, "half")->dtype, A1_F16);
    a1_tensor_set_destroy(&set);
}

/* A graph with the one initialiser `tensor`. */
static void expect_refusal(test_bytes tensor, allin1_status expected, const char *word)
{
    a1_error err = {0};
    a1_tensor_set *set = make_set();
    test_bytes graph = {0};
    test_onnx_add(&graph, &tensor);
    test_bytes model = test_onnx_model(&graph);
    const allin1_status status = parse_and_free(&model, set, &err);
    if (status != expected || !strstr(err.message, word) || !strstr(err.message, "m.onnx"))
        fail_msg("status %d, \"%s\"; expected %d, \"%s\" and the file's name", (int)status,
                 err.message, (int)expected, word);
    a1_tensor_set_destroy(&set);
}

static void test_refused_initialisers(void **state)
{
    (void)state;
    const size_t shape[2] = {2, 3};
    test_bytes tensor = test_onnx_tensor("w", 2, shape, six, 0);
    test_field(&tensor, 13, "location", 8);
    expect_refusal(tensor, ALLIN1_ERROR_UNSUPPORTED, "not in this file");
    tensor = test_onnx_tensor("w", 2, shape, six, 0);
    test_varint(&tensor, 14 << 3);
    test_varint(&tensor, 1);
    expect_refusal(tensor, ALLIN1_ERROR_UNSUPPORTED, "not in this file");
    tensor = test_onnx_tensor("w", 2, shape, six, 0);
    test_varint(&tensor, 1 << 3);
    test_varint(&tensor, 2);
    expect_refusal(tensor, ALLIN1_ERROR_FORMAT, "\"w\"");
    tensor = test_onnx_tensor("w", 2, shape, six, 0);
    test_varint(&tensor, 1 << 3);
    test_varint(&tensor, (uint64_t)1 << 62);
    expect_refusal(tensor, ALLIN1_ERROR_FORMAT, "overflows");
    tensor = test_onnx_tensor("w", 2, shape, six, 0);
    test_varint(&tensor, 1 << 3);
    test_varint(&tensor, UINT64_MAX);
    expect_refusal(tensor, ALLIN1_ERROR_FORMAT, "malformed");
    tensor = test_onnx_tensor("w", 2, shape, six, 0);
    test_field(&tensor, 4, six, sizeof six);
    expect_refusal(tensor, ALLIN1_ERROR_FORMAT, "\"w\"");
    tensor = test_onnx_tensor("w", 2, shape, six, 0);
    test_varint(&tensor, 2 << 3);
    test_varint(&tensor, 8); /* strings */
    expect_refusal(tensor, ALLIN1_ERROR_UNSUPPORTED, "type 8");
    tensor = (test_bytes){0};
    test_field(&tensor, 8, "untyped", 7);
    expect_refusal(tensor, ALLIN1_ERROR_FORMAT, "malformed");
    tensor = test_onnx_tensor("w", 2, shape, six, 0);
    test_varint(&tensor, 1 << 3 | 3); /* a group */
    expect_refusal(tensor, ALLIN1_ERROR_FORMAT, "malformed");
    tensor = test_onnx_tensor("w", 2, shape, six, 0);
    test_put(&tensor, "\x48\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 11); /* a number too long */
    expect_refusal(tensor, ALLIN1_ERROR_FORMAT, "malformed");
}

static void test_refused_models(void **state)
{
    (void)state;
    a1_error err = {0};
    a1_tensor_set *set = make_set();
    assert_int_equal(a1_onnx_parse("", 0, "m.onnx", set, &err), ALLIN1_ERROR_FORMAT);
    assert_non_null(strstr(err.message, "no graph"));
    assert_int_equal(a1_onnx_parse("\x3a\x7f", 2, "m.onnx", set, &err), ALLIN1_ERROR_FORMAT);
    assert_non_null(strstr(err.message, "byte 0"));
    test_bytes graph = {0}, tensor = test_onnx_tensor("w", 1, (const size_t[]){6}, six, 0);
    test_onnx_add(&graph, &tensor);
    tensor = test_onnx_tensor("w", 1, (const size_t[]){6}, six, 0);
    test_onnx_add(&graph, &tensor);
    test_bytes model = test_onnx_model(&graph);
    assert_int_equal(parse_and_free(&model, set, &err), ALLIN1_ERROR_FORMAT);
    assert_non_null(strstr(err.message, "twice"));
    a1_tensor_set_destroy(&set);
    set = make_set();
    graph = (test_bytes){0};
    test_field(&graph, 15, "", 0);
    model = test_onnx_model(&graph);
    assert_int_equal(parse_and_free(&model, set, &err), ALLIN1_ERROR_UNSUPPORTED);
    a1_tensor_set_destroy(&set);
}

static a1_tensor_set *export_and_read(const a1_tensor_set *model)
{
    a1_error err = {0};
    a1_tensor_set *onnx = make_set();
    test_bytes file = test_onnx_htdemucs(model);
    if (parse_and_free(&file, onnx, &err) != ALLIN1_OK)
        fail_msg("%s", err.message);
    return onnx;
}

static void test_binding(void **state)
{
    (void)state;
    a1_error err = {0};
    a1_tensor_set *model = NULL, *bound = NULL;
    assert_int_equal(test_tiny_htdemucs(&model, &err), ALLIN1_OK);
    a1_tensor_set *onnx = export_and_read(model);
    if (a1_onnx_bind_htdemucs(&onnx, &bound, &err) != ALLIN1_OK)
        fail_msg("%s", err.message);
    assert_null(onnx);
    assert_int_equal(a1_tensor_set_count(bound), 533);
    for (size_t i = 0; i < a1_tensor_set_count(model); i++) {
        const a1_tensor *expected = a1_tensor_set_at(model, i), *found;
        if (a1_tensor_set_require(bound, expected->name, expected->rank, expected->shape, &found,
                                  &err) != ALLIN1_OK)
            fail_msg("%s", err.message);
        if (memcmp(found->data, expected->data, a1_tensor_count(expected) * sizeof(float)) != 0)
            fail_msg("tensor %s has other values", expected->name);
    }
    char before[A1_SHA256_HEX], after[A1_SHA256_HEX];
    assert_int_equal(a1_tensor_set_digest(model, before, &err), ALLIN1_OK);
    assert_int_equal(a1_tensor_set_digest(bound, after, &err), ALLIN1_OK);
    assert_string_equal(before, after);
    a1_tensor_set_destroy(&bound);
    a1_tensor_set_destroy(&model);
}

/* Leaves out, adds or renames one initialiser, or changes its shape: the binding must notice. */
static void test_binding_refusals(void **state)
{
    (void)state;
    a1_error err = {0};
    a1_tensor_set *model = NULL, *bound = NULL;
    assert_int_equal(test_tiny_htdemucs(&model, &err), ALLIN1_OK);
    a1_tensor_set *onnx = export_and_read(model);
    const size_t count = a1_tensor_set_count(onnx);
    assert_int_equal(count, 537);
    for (size_t victim = 0; victim < count; victim += 7)
        for (int how = 0; how < 4; how++) {
            a1_tensor_set *changed = make_set();
            for (size_t i = 0; i < count; i++) {
                a1_tensor tensor = *a1_tensor_set_at(onnx, i);
                if (i == victim && how == 0)
                    continue;
                if (i == victim && how == 1)
                    tensor.name = "onnx::Mul_999999"; /* to the end of the order */
                if (i == victim && how == 2)
                    tensor.shape[tensor.rank++] = 1;
                assert_int_equal(a1_tensor_set_add(changed, &tensor, NULL), ALLIN1_OK);
                if (i == victim && how == 3) {
                    tensor.name = "one.too.many";
                    assert_int_equal(a1_tensor_set_add(changed, &tensor, NULL), ALLIN1_OK);
                }
            }
            err.message[0] = '\0';
            if (a1_onnx_bind_htdemucs(&changed, &bound, &err) != ALLIN1_ERROR_FORMAT)
                fail_msg("initialiser %s, change %d: not noticed (%s)",
                         a1_tensor_set_at(onnx, victim)->name, how, err.message);
            assert_non_null(changed);
            assert_null(bound);
            assert_true(err.message[0] != '\0');
            a1_tensor_set_destroy(&changed);
        }
    a1_tensor_set_destroy(&onnx);
    a1_tensor_set_destroy(&model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms_of_values),  cmocka_unit_test(test_refused_initialisers),
        cmocka_unit_test(test_refused_models),   cmocka_unit_test(test_binding),
        cmocka_unit_test(test_binding_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
