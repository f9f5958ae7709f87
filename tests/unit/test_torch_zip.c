/* PyTorch's files: what is read, what is tolerated, what is refused. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/golden.h"
#include "support/weight_files.h"
#include "weights/pickle.h"
#include "weights/torch_zip.h"

#define PROTO "\x80\x02"

static a1_tensor_set *make_set(void)
{
    a1_tensor_set *set = NULL;
    assert_int_equal(a1_tensor_set_create(&set, NULL), ALLIN1_OK);
    return set;
}

static test_bytes storage_of(const float *values, size_t count)
{
    test_bytes bytes = {0};
    test_put(&bytes, values, count * sizeof *values);
    return bytes;
}

static const float six[6] = {1, 2, 3, 4, 5, 6};

/* {"w": view of storage 0} with one storage of six floats. */
static test_bytes one_view(const char *type, size_t numel, size_t offset, unsigned rank,
                           const size_t *shape, const size_t *strides)
{
    test_bytes pickle = {0}, storage = storage_of(six, 6);
    test_put(&pickle, PROTO "}", 3);
    test_pickle_text(&pickle, "w");
    test_pickle_tensor(&pickle, type, "0", numel, offset, rank, shape, strides);
    test_put_text(&pickle, "s.");
    return test_torch(&pickle, &storage, 1);
}

static allin1_status parse_and_free(test_bytes *file, a1_tensor_set *set, a1_error *err)
{
    const allin1_status status = a1_torch_parse(file->data, file->size, "m.pth", set, err);
    test_bytes_free(file);
    return status;
}

static void expect_view(size_t offset, unsigned rank, const size_t *shape, const size_t *strides,
                        const float *expected, size_t count)
{
    a1_error err = {0};
    a1_tensor_set *set = make_set();
    test_bytes file = one_view("FloatStorage", 6, offset, rank, shape, strides);
    if (parse_and_free(&file, set, &err) != ALLIN1_OK)
        fail_msg("%s", err.message);
    const a1_tensor *tensor = a1_tensor_set_find(set, "w");
    assert_non_null(tensor);
    assert_int_equal(a1_tensor_count(tensor), count);
    assert_memory_equal(tensor->data, expected, count * sizeof *expected);
    a1_tensor_set_destroy(&set);
}

static void test_views(void **state)
{
    (void)state;
    const float turned[6] = {1, 4, 2, 5, 3, 6}, column[2] = {2, 5}, again[6] = {1, 1, 1, 2, 2, 2};
    expect_view(0, 2, (const size_t[]){2, 3}, (const size_t[]){3, 1}, six, 6);
    expect_view(2, 1, (const size_t[]){4}, (const size_t[]){1}, six + 2, 4);
    expect_view(0, 2, (const size_t[]){3, 2}, (const size_t[]){1, 3}, turned, 6);
    expect_view(1, 1, (const size_t[]){2}, (const size_t[]){3}, column, 2);
    expect_view(5, 0, NULL, NULL, six + 5, 1);
    expect_view(0, 2, (const size_t[]){2, 3}, (const size_t[]){1, 0}, again, 6);
    expect_view(6, 1, (const size_t[]){0}, (const size_t[]){1}, six, 0);
    /* The stride of an axis of length 1 may be anything. */
    expect_view(0, 2, (const size_t[]){1, 6}, (const size_t[]){999, 1}, six, 6);
}

static void expect_refused_view(const char *type, size_t numel, size_t offset, unsigned rank,
                                const size_t *shape, const size_t *strides, const char *word)
{
    a1_error err = {0};
    a1_tensor_set *set = make_set();
    test_bytes file = one_view(type, numel, offset, rank, shape, strides);
    assert_int_not_equal(parse_and_free(&file, set, &err), ALLIN1_OK);
    if (!strstr(err.message, word) || !strstr(err.message, "m.pth") ||
        !strstr(err.message, "\"w\""))
        fail_msg("\"%s\" does not say \"%s\", the file and the tensor", err.message, word);
    a1_tensor_set_destroy(&set);
}

static void test_refused_views(void **state)
{
    (void)state;
    const size_t two_three[2] = {2, 3}, dense[2] = {3, 1},
                 huge[2] = {(size_t)1 << 40, (size_t)1 << 40};
    expect_refused_view("FloatStorage", 6, 1, 2, two_three, dense, "outside");
    expect_refused_view("FloatStorage", 6, (size_t)1 << 62, 2, two_three, dense, "outside");
    expect_refused_view("FloatStorage", 6, 0, 2, huge, dense, "outside");
    expect_refused_view("FloatStorage", 6, 0, 2, two_three, huge, "outside");
    /* Strides of zero that would unfold six numbers to a million. */
    expect_refused_view("FloatStorage", 6, 0, 2, (const size_t[]){1000, 1000},
                        (const size_t[]){0, 0}, "repeats");
    expect_refused_view("FloatStorage", 7, 0, 2, two_three, dense, "bytes");
    expect_refused_view("HalfStorage", 6, 0, 2, two_three, dense, "bytes");
    expect_refused_view("FloatStorage", (size_t)1 << 62, 0, 2, two_three, dense, "outside");
    expect_refused_view("QInt8Storage", 6, 0, 2, two_three, dense, "type");
    expect_refused_view("FloatStorage", 6, 0, 9, (const size_t[]){1, 1, 1, 1, 1, 1, 1, 1, 1},
                        (const size_t[]){1, 1, 1, 1, 1, 1, 1, 1, 1}, "malformed");
    const size_t negative[2] = {(size_t)-2, 3};
    expect_refused_view("FloatStorage", 6, 0, 2, negative, dense, "malformed");
}

static void test_missing_storage(void **state)
{
    (void)state;
    a1_error err = {0};
    a1_tensor_set *set = make_set();
    test_bytes pickle = {0}, storage = storage_of(six, 6);
    test_put(&pickle, PROTO "}", 3);
    test_pickle_text(&pickle, "w");
    test_pickle_tensor(&pickle, "FloatStorage", "../0", 6, 0, 1, (const size_t[]){6},
                       (const size_t[]){1});
    test_put_text(&pickle, "s.");
    test_bytes file = test_torch(&pickle, &storage, 1);
    assert_int_equal(parse_and_free(&file, set, &err), ALLIN1_ERROR_FORMAT);
    assert_non_null(strstr(err.message, "missing"));
    a1_tensor_set_destroy(&set);
}

/* A small set: "a.weight" (2, 3), "a.bias" (2). */
static a1_tensor_set *small_model(void)
{
    a1_tensor_set *set = make_set();
    const a1_tensor weight = {
        .name = "a.weight", .dtype = A1_F32, .rank = 2, .shape = {2, 3}, .data = six};
    const a1_tensor bias = {
        .name = "a.bias", .dtype = A1_F32, .rank = 1, .shape = {2}, .data = six};
    assert_int_equal(a1_tensor_set_add(set, &weight, NULL), ALLIN1_OK);
    assert_int_equal(a1_tensor_set_add(set, &bias, NULL), ALLIN1_OK);
    return set;
}

static void test_wrappers(void **state)
{
    (void)state;
    static const char *const wrappers[] = {NULL, "state_dict", "state", "model"};
    a1_tensor_set *model = small_model();
    for (size_t i = 0; i < 4; i++) {
        a1_error err = {0};
        a1_tensor_set *set = make_set();
        const int half = i == 2;
        test_bytes file = test_torch_model(model, wrappers[i], i == 1 ? "model." : "", half,
                                           i == 1 ? "best_threshold_downbeat" : NULL, 0.24);
        if (parse_and_free(&file, set, &err) != ALLIN1_OK)
            fail_msg("%s", err.message);
        assert_int_equal(a1_tensor_set_count(set), 2);
        const a1_tensor *weight = a1_tensor_set_find(set, i == 1 ? "model.a.weight" : "a.weight");
        assert_non_null(weight);
        assert_int_equal(weight->dtype, half ? A1_F16 : A1_F32);
        assert_int_equal(weight->shape[1], 3);
        float values[6];
        assert_int_equal(a1_tensor_to_f32(weight, values, NULL), ALLIN1_OK);
        assert_memory_equal(values, six, sizeof six);
        if (i == 1)
            assert_true(strtod(a1_tensor_set_text(set, "config.best_threshold_downbeat"), NULL) ==
                        0.24);
        a1_tensor_set_destroy(&set);
    }
    a1_tensor_set_destroy(&model);
}

/* Nested dictionaries, a parameter instead of a tensor, a shared storage, memoised values, an
 * unknown object that takes items and state, and the opcodes of protocol 4. */
static void test_unusual_but_good(void **state)
{
    (void)state;
    a1_error err = {0};
    a1_tensor_set *set = make_set();
    test_bytes pickle = {0}, storage = storage_of(six, 6);
    const size_t whole[1] = {6}, part[1] = {2}, one[1] = {1};
    test_put(&pickle, "\x80\x04\x95\0\0\0\0\0\0\0\0}\x94(", 14);
    test_put(&pickle,
             "\x8c\x05"
             "outer\x94",
             8);
    test_put_text(&pickle, "}(");
    test_pickle_text(&pickle, "parameter");
    test_pickle_global(&pickle, "torch._utils", "_rebuild_parameter");
    test_put_text(&pickle, "(");
    test_pickle_tensor(&pickle, "FloatStorage", "0", 6, 0, 1, whole, one);
    test_put_text(&pickle, "\x88");
    test_pickle_global(&pickle, "collections", "OrderedDict");
    test_put_text(&pickle, ")RtR");
    test_pickle_text(&pickle, "part");
    test_pickle_tensor(&pickle, "FloatStorage", "0", 6, 4, 1, part, one);
    test_put_text(&pickle, "u");
    test_pickle_text(&pickle, "thing");
    /* STACK_GLOBAL, NEWOBJ, items, attributes: an object of a class that we do not know. */
    test_pickle_text(&pickle, "some.module");
    test_pickle_text(&pickle, "Thing");
    test_put(&pickle, "\x93)\x81(", 4);
    test_pickle_text(&pickle, "k");
    test_put_text(&pickle, "Nu}b");
    test_pickle_text(&pickle, "step");
    test_put(&pickle, "\x8a\x0a\1\2\3\4\5\6\7\x08\x09\x0a", 12);
    test_pickle_text(&pickle, "set");
    test_put(&pickle, "\x8f(K\x01\x90", 5);
    test_pickle_text(&pickle, "self");
    test_put(&pickle, "h\x00", 2); /* the root itself: a cycle */
    test_put_text(&pickle, "u.");
    test_bytes file = test_torch(&pickle, &storage, 1);
    const allin1_status status = parse_and_free(&file, set, &err);
    /* The cycle repeats every name until the depth ends, or is refused as a name that is there
     * twice: either way it ends. */
    if (status != ALLIN1_OK)
        fail_msg("%s", err.message);
    const a1_tensor *parameter = a1_tensor_set_find(set, "outer.parameter");
    assert_non_null(parameter);
    assert_memory_equal(parameter->data, six, sizeof six);
    const a1_tensor *tail = a1_tensor_set_find(set, "outer.part");
    assert_non_null(tail);
    assert_memory_equal(tail->data, six + 4, 2 * sizeof *six);
    a1_tensor_set_destroy(&set);
}

static allin1_status parse_pickle(const void *bytes, size_t size, a1_error *err)
{
    a1_pickle *pickle = NULL;
    const allin1_status status = a1_pickle_parse(&pickle, bytes, size, "p", err);
    assert_true((status == ALLIN1_OK) == (pickle != NULL));
    a1_pickle_destroy(&pickle);
    return status;
}

static void test_pickle_refusals(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
    } bad[] = {
        {"", 0},
        {"\x80", 1},
        {"\x80\x01N.", 4},
        {"\x80\x06N.", 4},
        {".", 1},
        {"NN.", 3},
        {"(N.", 3},
        {"N", 1},
        {"}N.s", 4},
        {"}Ns.", 4},
        {"}(Nu.", 5},
        {"]e.", 3},
        {"K.", 2},
        {"X\xff\xff\xff\xff"
         "a.",
         7},
        {"\x8d\xff\xff\xff\xff\xff\xff\xff\xff.", 10},
        {"h\0.", 3},
        {"j\xff\xff\xff\xff.", 6},
        {"Nr\xff\xff\xff\xff.", 7},
        {"q\0N.", 4},
        {"cos\nsystem", 10},
        {"R.", 2},
        {"NR.", 3},
        {"\x86.", 2},
        {"(N\x86.", 4},
        {"0.", 2},
        {"2.", 2},
        {"b.", 2},
        {"Nb.", 3},
        {"\x93.", 2},
        {"NN\x93.", 4},
        {"Q.", 2},
        {"e.", 2},
        {"Na.", 3},
        {"]NNu.", 5},
        {"\x8b\xff\xff\xff\x7f.", 6},
        {"I1\n.", 4},
        {"ios\nsystem\n.", 13},
        {"\x82\x01.", 3},
        {"G1234567", 8},
        {"\xff.", 2},
        {"d.", 2},
        {"(Nd.", 4},
        {"K\x01K\x02s.", 6},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        a1_error err = {0};
        if (parse_pickle(bad[i].bytes, bad[i].size, &err) != ALLIN1_ERROR_FORMAT)
            fail_msg("pickle %zu was not refused: %s", i, err.message);
    }
}

static void test_pickle_values(void **state)
{
    (void)state;
    a1_error err = {0};
    a1_pickle *pickle = NULL;
    static const char bytes[] = "\x80\x02}(X\x01\0\0\0aJ\xfe\xff\xff\xffX\x01\0\0\0bM\x34\x12"
                                "X\x01\0\0\0cG\x3f\xf8\0\0\0\0\0\0X\x01\0\0\0d\x8a\x02\x00\x80"
                                "X\x01\0\0\0eU\x02hiX\x01\0\0\0f\x88X\x01\0\0\0gK\x01K\x02\x86u.";
    if (a1_pickle_parse(&pickle, bytes, sizeof bytes - 1, "p", &err) != ALLIN1_OK)
        fail_msg("%s", err.message);
    const a1_pickle_value *root = a1_pickle_root(pickle);
    assert_int_equal(a1_pickle_get(root, "a")->integer, -2);
    assert_int_equal(a1_pickle_get(root, "b")->integer, 0x1234);
    assert_true(a1_pickle_get(root, "c")->number == 1.5);
    assert_int_equal(a1_pickle_get(root, "d")->integer, -32768);
    assert_string_equal(a1_pickle_get(root, "e")->text, "hi");
    assert_int_equal(a1_pickle_get(root, "f")->integer, 1);
    assert_int_equal(a1_pickle_get(root, "g")->kind, A1_PICKLE_TUPLE);
    assert_int_equal(a1_pickle_get(root, "g")->items[1]->integer, 2);
    assert_null(a1_pickle_get(root, "h"));
    assert_null(a1_pickle_get(a1_pickle_get(root, "a"), "h"));
    a1_pickle_destroy(&pickle);
    a1_pickle_destroy(&pickle);
}

static void expect_refused_file(test_bytes *file, allin1_status expected, const char *word)
{
    a1_error err = {0};
    a1_tensor_set *set = make_set();
    const allin1_status status = parse_and_free(file, set, &err);
    if (status != expected || !strstr(err.message, word))
        fail_msg("status %d, \"%s\"; expected %d and \"%s\"", (int)status, err.message,
                 (int)expected, word);
    a1_tensor_set_destroy(&set);
}

static void test_refused_files(void **state)
{
    (void)state;
    test_bytes legacy = {0};
    test_put(&legacy, "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", 15);
    expect_refused_file(&legacy, ALLIN1_ERROR_UNSUPPORTED, "before 1.6");
    test_member other[1] = {{"readme", {0}}};
    test_put_text(&other[0].content, "hello");
    test_bytes no_pickle = test_zip(other, 1, 0);
    expect_refused_file(&no_pickle, ALLIN1_ERROR_FORMAT, "data.pkl");
    test_bytes empty_dict = {0};
    test_put(&empty_dict, PROTO "}.", 4);
    test_bytes no_state = test_torch(&empty_dict, NULL, 0);
    expect_refused_file(&no_state, ALLIN1_ERROR_FORMAT, "state_dict");
    test_member big[2] = {{"m/data.pkl", {0}}, {"m/byteorder", {0}}};
    test_put(&big[0].content, PROTO "}.", 4);
    test_put_text(&big[1].content, "big");
    test_bytes big_endian = test_zip(big, 2, 0);
    expect_refused_file(&big_endian, ALLIN1_ERROR_UNSUPPORTED, "little-endian");
}

/* Dictionaries that contain each other many times over: the walk must end soon. */
static void test_explosion(void **state)
{
    (void)state;
    test_bytes pickle = {0};
    test_put(&pickle, PROTO, 2);
    test_put_text(&pickle, "}");
    for (unsigned char level = 0; level < 20; level++) {
        test_put_text(&pickle, "q");
        test_put_number(&pickle, 1, level);
        test_put_text(&pickle, "}(");
        for (int i = 0; i < 30; i++) {
            char key[8];
            snprintf(key, sizeof key, "k%d", i);
            test_pickle_text(&pickle, key);
            test_put_text(&pickle, "h");
            test_put_number(&pickle, 1, level);
        }
        test_put_text(&pickle, "u");
    }
    /* The values below the last one are still on the stack. */
    test_put_text(&pickle, "q\xff");
    for (int i = 0; i < 21; i++)
        test_put_text(&pickle, "0");
    test_put_text(&pickle, "h\xff.");
    test_bytes file = test_torch(&pickle, NULL, 0);
    a1_error err = {0};
    a1_tensor_set *set = make_set();
    assert_int_not_equal(parse_and_free(&file, set, &err), ALLIN1_OK);
    a1_tensor_set_destroy(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_views),
        cmocka_unit_test(test_refused_views),
        cmocka_unit_test(test_missing_storage),
        cmocka_unit_test(test_wrappers),
        cmocka_unit_test(test_unusual_but_good),
        cmocka_unit_test(test_pickle_refusals),
        cmocka_unit_test(test_pickle_values),
        cmocka_unit_test(test_refused_files),
        cmocka_unit_test(test_explosion),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
