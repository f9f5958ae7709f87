/* Weight files that are cut anywhere or have any byte changed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/golden.h"
#include "support/sandbox.h"
#include "support/weight_files.h"
#include "weights/mapped.h"
#include "weights/npz.h"
#include "weights/onnx.h"
#include "weights/torch_zip.h"

static const float six[6] = {1, -2, 3.5f, 4, 5, 6};

#define NPY_HEADER "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }"

static a1_tensor_set *make_set(void)
{
    a1_tensor_set *set = NULL;
    assert_int_equal(a1_tensor_set_create(&set, NULL), ALLIN1_OK);
    return set;
}

static a1_tensor_set *small_model(void)
{
    a1_tensor_set *set = make_set();
    const a1_tensor weight = {.name = "layer.weight", .rank = 2, .shape = {2, 3}, .data = six};
    const a1_tensor bias = {.name = "layer.bias", .rank = 1, .shape = {2}, .data = six};
    assert_int_equal(a1_tensor_set_add(set, &weight, NULL), ALLIN1_OK);
    assert_int_equal(a1_tensor_set_add(set, &bias, NULL), ALLIN1_OK);
    assert_int_equal(a1_tensor_set_put_text(set, "name", "small", NULL), ALLIN1_OK);
    return set;
}

typedef enum format { NPY, NPZ_STORED, NPZ_DEFLATED, TORCH, ONNX, MAPPED } format;
static const char *const format_names[] = {"npy",   "stored npz", "deflated npz",
                                           "torch", "onnx",       "a1w"};

static test_bytes make_file(format f)
{
    test_bytes bytes = {0};
    if (f == NPY)
        return test_npy(NPY_HEADER, six, sizeof six);
    if (f == NPZ_STORED || f == NPZ_DEFLATED) {
        test_member members[2] = {{"a.npy", test_npy(NPY_HEADER, six, sizeof six)},
                                  {"b.npy", test_npy(NPY_HEADER, six, sizeof six)}};
        return test_zip(members, 2, f == NPZ_DEFLATED);
    }
    a1_tensor_set *set = small_model();
    if (f == TORCH) {
        bytes = test_torch_model(set, "state_dict", "", 0, NULL, 0);
    } else if (f == ONNX) {
        test_bytes graph = {0};
        for (size_t i = 0; i < a1_tensor_set_count(set); i++) {
            const a1_tensor *t = a1_tensor_set_at(set, i);
            test_bytes tensor = test_onnx_tensor(t->name, t->rank, t->shape, t->data, i == 1);
            test_onnx_add(&graph, &tensor);
        }
        bytes = test_onnx_model(&graph);
    } else {
        sandbox_make();
        assert_int_equal(a1_mapped_write(sandbox_path("x.a1w"), set, false, NULL, NULL), ALLIN1_OK);
        bytes = test_load(sandbox_path("x.a1w"));
        sandbox_remove();
    }
    a1_tensor_set_destroy(&set);
    return bytes;
}

/* From a block of exactly `size` bytes, so that a tool sees every byte that is read too many. */
static allin1_status parse(format f, const unsigned char *bytes, size_t size, a1_tensor_set *set,
                           a1_error *err)
{
    void *exact = NULL;
    allin1_status status = ALLIN1_ERROR_INTERNAL;
    /* Our own format is used in place, aligned as a mapping is. */
    assert_int_equal(posix_memalign(&exact, 64, size ? size : 1), 0);
    if (size)
        memcpy(exact, bytes, size);
    switch (f) {
    case NPY:
        status = a1_npy_parse(exact, size, "file", "a", set, err);
        break;
    case NPZ_STORED:
    case NPZ_DEFLATED:
        status = a1_npz_parse(exact, size, "file", set, err);
        break;
    case TORCH:
        status = a1_torch_parse(exact, size, "file", set, err);
        break;
    case ONNX:
        status = a1_onnx_parse(exact, size, "file", set, err);
        break;
    case MAPPED:
        status = a1_mapped_parse(exact, size, "file", true, NULL, set, err);
        break;
    }
    free(exact);
    return status;
}

static allin1_status parse_alone(format f, const unsigned char *bytes, size_t size, a1_error *err)
{
    a1_tensor_set *set = make_set();
    err->message[0] = '\0';
    const allin1_status status = parse(f, bytes, size, set, err);
    a1_tensor_set_destroy(&set);
    if (status != ALLIN1_OK && !strstr(err->message, "file"))
        fail_msg("%s: \"%s\" does not name the file", format_names[f], err->message);
    return status;
}

static void test_cut_everywhere(void **state)
{
    (void)state;
    for (format f = NPY; f <= MAPPED; f++) {
        test_bytes bytes = make_file(f);
        a1_error err = {0};
        if (parse_alone(f, bytes.data, bytes.size, &err) != ALLIN1_OK)
            fail_msg("%s: the whole file is refused: %s", format_names[f], err.message);
        for (size_t size = 0; size < bytes.size; size++)
            if (parse_alone(f, bytes.data, size, &err) == ALLIN1_OK)
                fail_msg("%s: cut to %zu of %zu bytes, and accepted", format_names[f], size,
                         bytes.size);
        /* And something after the end; zip archives are found from their end and may allow it. */
        test_put(&bytes, "", 1);
        if ((f == NPY || f == MAPPED) && parse_alone(f, bytes.data, bytes.size, &err) == ALLIN1_OK)
            fail_msg("%s: one byte too many, and accepted", format_names[f]);
        test_bytes_free(&bytes);
    }
}

/* In our own format every changed byte is noticed; in the others it must at least do no harm, and
 * the checksums of a zip archive guard the members' content. */
static void test_every_byte_changed(void **state)
{
    (void)state;
    for (format f = NPY; f <= MAPPED; f++) {
        test_bytes bytes = make_file(f);
        for (size_t at = 0; at < bytes.size; at++)
            for (int how = 0; how < 10; how++) {
                a1_error err = {0};
                const unsigned char was = bytes.data[at];
                bytes.data[at] = how < 8 ? (unsigned char)(was ^ 1u << how)
                                         : (unsigned char)(how == 8 ? 0xff : 0);
                if (bytes.data[at] != was &&
                    parse_alone(f, bytes.data, bytes.size, &err) == ALLIN1_OK && f == MAPPED)
                    fail_msg("a1w: byte %zu changed from 0x%02x to 0x%02x, and accepted", at, was,
                             bytes.data[at]);
                bytes.data[at] = was;
            }
        test_bytes_free(&bytes);
    }
}

/* A changed value inside a member's data: the zip readers must refuse it. */
static void test_member_checksums(void **state)
{
    (void)state;
    for (format f = NPZ_STORED; f <= TORCH; f++) {
        test_bytes bytes = make_file(f);
        size_t found = 0;
        for (size_t at = 0; f != NPZ_DEFLATED && at + sizeof six <= bytes.size; at++)
            if (memcmp(bytes.data + at, six, sizeof six) == 0) {
                a1_error err = {0};
                bytes.data[at + 5] ^= 0x10;
                if (parse_alone(f, bytes.data, bytes.size, &err) == ALLIN1_OK)
                    fail_msg("%s: a changed value was accepted", format_names[f]);
                bytes.data[at + 5] ^= 0x10;
                found++;
            }
        if (f != NPZ_DEFLATED)
            assert_true(found > 0);
        test_bytes_free(&bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cut_everywhere),
        cmocka_unit_test(test_every_byte_changed),
        cmocka_unit_test(test_member_checksums),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
