/* Names and shapes of the two models, digests, and the model table. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/golden.h"
#include "support/tiny_model.h"
#include "support/weight_files.h"
#include "tensor/half.h"
#include "weights/digest.h"
#include "weights/layout.h"
#include "weights/model_table.h"
#include "weights/torch_zip.h"

typedef struct tally {
    size_t tensors, values;
} tally;

static allin1_status count_tensor(void *user, const char *name, unsigned rank, const size_t *shape,
                                  a1_error *err)
{
    tally *t = user;
    (void)err;
    assert_true(name[0] != '\0');
    size_t count = 1;
    for (unsigned axis = 0; axis < rank; axis++)
        count *= shape[axis];
    t->tensors++;
    t->values += count;
    return ALLIN1_OK;
}

static allin1_status stop_at_third(void *user, const char *name, unsigned rank, const size_t *shape,
                                   a1_error *err)
{
    (void)name;
    (void)rank;
    (void)shape;
    return ++*(int *)user == 3 ? a1_fail(err, ALLIN1_ERROR_CANCELLED, "third") : ALLIN1_OK;
}

static void test_sizes(void **state)
{
    (void)state;
    const a1_htdemucs_widths real = {48, 512, 2048, 512};
    tally t = {0};
    assert_int_equal(a1_layout_htdemucs(&real, count_tensor, &t, NULL), ALLIN1_OK);
    assert_int_equal(t.tensors, 533);
    assert_int_equal(t.values, 41984456);
    t = (tally){0};
    assert_int_equal(a1_layout_harmonix(count_tensor, &t, NULL), ALLIN1_OK);
    assert_int_equal(t.tensors, 491);
    assert_int_equal(t.values, 300631);
    int calls = 0;
    assert_int_equal(a1_layout_harmonix(stop_at_third, &calls, NULL), ALLIN1_ERROR_CANCELLED);
    assert_int_equal(calls, 3);
}

/* The harmonix set as PyTorch stores it: convolutions (out, in, time, frequency). */
static a1_tensor_set *to_torch(const a1_tensor_set *set, float memory[16384])
{
    a1_tensor_set *torch = NULL;
    assert_int_equal(a1_tensor_set_create(&torch, NULL), ALLIN1_OK);
    for (size_t i = 0; i < a1_tensor_set_count(set); i++) {
        a1_tensor tensor = *a1_tensor_set_at(set, i);
        if (tensor.rank == 4) {
            const float *in = tensor.data;
            const size_t out = tensor.shape[0], h = tensor.shape[1], w = tensor.shape[2],
                         channels = tensor.shape[3];
            size_t at = 0;
            for (size_t o = 0; o < out; o++)
                for (size_t c = 0; c < channels; c++)
                    for (size_t y = 0; y < h; y++)
                        for (size_t x = 0; x < w; x++)
                            memory[at++] = in[((o * h + y) * w + x) * channels + c];
            tensor.data = memory;
            memory += at;
            tensor.shape[1] = channels;
            tensor.shape[2] = h;
            tensor.shape[3] = w;
        }
        assert_int_equal(a1_tensor_set_add(torch, &tensor, NULL), ALLIN1_OK);
    }
    return torch;
}

static void test_harmonix_from_torch(void **state)
{
    (void)state;
    a1_error err = {0};
    static float memory[16384];
    a1_tensor_set *model = NULL, *read = NULL, *adopted = NULL;
    assert_int_equal(test_tiny_harmonix(&model, &err), ALLIN1_OK);
    a1_tensor_set *torch = to_torch(model, memory);
    test_bytes file =
        test_torch_model(torch, "state_dict", "model.", 0, "best_threshold_downbeat", 0.24);
    assert_int_equal(a1_tensor_set_create(&read, NULL), ALLIN1_OK);
    assert_int_equal(a1_torch_parse(file.data, file.size, "m.pth", read, &err), ALLIN1_OK);
    test_bytes_free(&file);
    if (a1_layout_adopt("harmonix", 1, &read, &adopted, &err) != ALLIN1_OK)
        fail_msg("%s", err.message);
    assert_null(read);
    char expected[A1_SHA256_HEX], is[A1_SHA256_HEX], other[A1_SHA256_HEX];
    assert_int_equal(a1_tensor_set_digest(model, expected, &err), ALLIN1_OK);
    assert_int_equal(a1_tensor_set_digest(adopted, is, &err), ALLIN1_OK);
    assert_int_equal(a1_tensor_set_digest(torch, other, &err), ALLIN1_OK);
    assert_string_equal(is, expected);
    assert_string_not_equal(other, expected);
    assert_non_null(a1_tensor_set_text(adopted, "config.best_threshold_downbeat"));
    a1_tensor_set_destroy(&adopted);
    a1_tensor_set_destroy(&torch);
    a1_tensor_set_destroy(&model);
}

/* What a model does not have is left out; what it lacks is named. */
static void test_adoption(void **state)
{
    (void)state;
    a1_error err = {0};
    static const float one[1] = {1};
    static const int64_t integer[24] = {1};
    a1_tensor_set *model = NULL, *adopted = NULL, *partial = NULL;
    assert_int_equal(test_tiny_harmonix(&model, &err), ALLIN1_OK);
    const size_t count = a1_tensor_set_count(model);
    const a1_tensor extra = {
        .name = "num_batches", .dtype = A1_F32, .rank = 1, .shape = {1}, .data = one};
    assert_int_equal(a1_tensor_set_add(model, &extra, NULL), ALLIN1_OK);
    assert_int_equal(a1_layout_adopt("harmonix", 0, &model, &adopted, &err), ALLIN1_OK);
    assert_int_equal(a1_tensor_set_count(adopted), count);
    assert_string_equal(a1_tensor_set_text(adopted, "family"), "harmonix");
    for (int how = 0; how < 3; how++) {
        a1_tensor_set *none = NULL;
        assert_int_equal(a1_tensor_set_create(&partial, NULL), ALLIN1_OK);
        for (size_t i = 0; i < count; i++) {
            a1_tensor tensor = *a1_tensor_set_at(adopted, i);
            const int victim = strcmp(tensor.name, "norm.bias") == 0;
            if (victim && how == 0)
                continue;
            if (victim && how == 1)
                tensor.shape[0] = 23;
            if (victim && how == 2) {
                tensor.dtype = A1_I64;
                tensor.data = integer;
            }
            assert_int_equal(a1_tensor_set_add(partial, &tensor, NULL), ALLIN1_OK);
        }
        assert_int_equal(a1_layout_adopt("harmonix", how == 0, &partial, &none, &err),
                         ALLIN1_ERROR_FORMAT);
        if (how != 0) /* with torch layouts the convolutions differ first */
            assert_non_null(strstr(err.message, "\"norm.bias\""));
        assert_null(none);
        assert_non_null(partial);
        a1_tensor_set_destroy(&partial);
    }
    a1_tensor_set_destroy(&adopted);
}

static void test_htdemucs_widths(void **state)
{
    (void)state;
    a1_error err = {0};
    a1_tensor_set *model = NULL, *adopted = NULL;
    a1_htdemucs_widths widths;
    assert_int_equal(test_tiny_htdemucs(&model, &err), ALLIN1_OK);
    assert_int_equal(a1_layout_htdemucs_widths(model, &widths, &err), ALLIN1_OK);
    assert_int_equal(widths.channels, 8);
    assert_int_equal(widths.bottom, 32);
    assert_int_equal(widths.feed_forward, 64);
    assert_int_equal(widths.rows, 512);
    assert_int_equal(a1_layout_adopt("htdemucs", 1, &model, &adopted, &err), ALLIN1_OK);
    assert_int_equal(a1_tensor_set_count(adopted), 533);
    a1_tensor_set_destroy(&adopted);
}

static void test_digests(void **state)
{
    (void)state;
    char hex[A1_SHA256_HEX], text[17];
    unsigned char long_digest[A1_SHA512_BYTES];
    /* FIPS 180-4, "abc". */
    assert_int_equal(a1_sha256_hex("abc", 3, hex, NULL), ALLIN1_OK);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_int_equal(a1_sha512("abc", 3, long_digest, NULL), ALLIN1_OK);
    a1_hex(long_digest, 8, text);
    assert_string_equal(text, "ddaf35a193617aba");
    /* RFC 4648. */
    static const char *const pairs[][2] = {{"", ""},
                                           {"f", "Zg=="},
                                           {"fo", "Zm8="},
                                           {"foo", "Zm9v"},
                                           {"foob", "Zm9vYg=="},
                                           {"fooba", "Zm9vYmE="},
                                           {"foobar", "Zm9vYmFy"}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        a1_base64((const unsigned char *)pairs[i][0], strlen(pairs[i][0]), text);
        assert_string_equal(text, pairs[i][1]);
    }
}

/* The tensor digest, byte by byte from its description; the order of adding and the element type do
 * not matter, names, shapes and values do. */
static void test_tensor_digest(void **state)
{
    (void)state;
    static const float values[6] = {-1, 2, 3, 4, 5, -0.0f};
    static const int8_t whole = -1;
    uint16_t halves[6];
    for (size_t i = 0; i < 6; i++)
        halves[i] = a1_f32_to_half(values[i]);
    const a1_tensor b = {.name = "b", .dtype = A1_F32, .rank = 2, .shape = {2, 3}, .data = values};
    const a1_tensor a = {.name = "a.x", .dtype = A1_F32, .rank = 0, .data = values};
    test_bytes bytes = {0};
    test_put(&bytes, "allin1 tensors", 15);
    test_put(&bytes, "a.x", 4);
    test_put_number(&bytes, 4, 0);
    test_put(&bytes, values, 4);
    test_put(&bytes, "b", 2);
    test_put_number(&bytes, 4, 2);
    test_put_number(&bytes, 8, 2);
    test_put_number(&bytes, 8, 3);
    test_put(&bytes, values, sizeof values);
    char expected[A1_SHA256_HEX], is[A1_SHA256_HEX];
    assert_int_equal(a1_sha256_hex(bytes.data, bytes.size, expected, NULL), ALLIN1_OK);
    test_bytes_free(&bytes);
    for (int how = 0; how < 6; how++) {
        a1_tensor_set *set = NULL;
        a1_tensor first = how == 1 ? a : b, second = how == 1 ? b : a;
        assert_int_equal(a1_tensor_set_create(&set, NULL), ALLIN1_OK);
        if (how == 2) {
            first.dtype = A1_F16;
            first.data = halves;
        }
        if (how == 3) {
            second.dtype = A1_I8;
            second.data = &whole;
        }
        if (how == 4)
            first.name = "c";
        if (how == 5) {
            first.shape[0] = 3;
            first.shape[1] = 2;
        }
        assert_int_equal(a1_tensor_set_add(set, &first, NULL), ALLIN1_OK);
        assert_int_equal(a1_tensor_set_add(set, &second, NULL), ALLIN1_OK);
        assert_int_equal(a1_tensor_set_digest(set, is, NULL), ALLIN1_OK);
        if (how < 4)
            assert_string_equal(is, expected);
        else
            assert_string_not_equal(is, expected);
        a1_tensor_set_destroy(&set);
    }
}

static void expect_hex(const char *text, size_t length)
{
    assert_int_equal(strlen(text), length);
    for (; *text; text++)
        assert_true(isdigit((unsigned char)*text) || (*text >= 'a' && *text <= 'f'));
}

static void test_table(void **state)
{
    (void)state;
    size_t parts = 0;
    assert_int_equal(a1_model_count, 11);
    for (size_t m = 0; m < a1_model_count; m++) {
        const a1_model *model = &a1_models[m];
        assert_ptr_equal(a1_model_find(model->name), model);
        assert_non_null(model->licence);
        assert_non_null(model->description);
        for (size_t f = 0; f < model->file_count; f++) {
            const a1_model_file *file = &model->files[f];
            parts++;
            assert_string_equal(file->family, model->family);
            assert_ptr_equal(a1_model_file_find(file->name), file);
            if (file->built_in) {
                assert_string_equal(file->digest, "");
                assert_int_equal(file->source_count, 0);
                continue;
            }
            expect_hex(file->digest, 64);
            assert_ptr_equal(a1_model_file_by_digest(file->digest), file);
            assert_true(file->source_count > 0);
            for (size_t s = 0; s < file->source_count; s++) {
                const a1_source_file *source = &file->sources[s];
                if (source->url) {
                    const size_t length = strlen(source->url), tail = strlen(source->name);
                    assert_memory_equal(source->url, "https://", 8);
                    assert_string_equal(source->url + length - tail, source->name);
                }
                if (source->form == A1_FORM_NPZ)
                    expect_hex(source->sha256, 64);
            }
            if (file->package)
                expect_hex(file->package->source->sha256, 64);
        }
    }
    assert_int_equal(parts, 8 + 8 + 1 + 1);
    assert_null(a1_model_find("harmonix"));
    assert_null(a1_model_file_find("harmonix-all"));
    assert_null(a1_model_file_by_digest(""));
    assert_null(a1_family_licence("nobody"));
    a1_error err = {0};
    assert_int_equal(a1_model_unknown("foo", &err), ALLIN1_ERROR_ARGUMENT);
    for (size_t m = 0; m < a1_model_count; m++)
        assert_non_null(strstr(err.message, a1_models[m].name));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),    cmocka_unit_test(test_harmonix_from_torch),
        cmocka_unit_test(test_adoption), cmocka_unit_test(test_htdemucs_widths),
        cmocka_unit_test(test_digests),  cmocka_unit_test(test_tensor_digest),
        cmocka_unit_test(test_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
