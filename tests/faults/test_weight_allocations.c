/* Every allocation of the weight readers fails once: an error, no crash, no leak, nothing half. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <allin1/models.h>

#include "faults/allocations.h"
#include "support/golden.h"
#include "support/sandbox.h"
#include "support/tiny_model.h"
#include "support/weight_files.h"
#include "weights/layout.h"
#include "weights/mapped.h"
#include "weights/npz.h"
#include "weights/onnx.h"
#include "weights/torch_zip.h"
#include "weights/weights.h"

#define NPY_HEADER "{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }"

static const float six[6] = {1, 2, 3, 4, 5, 6};
static test_bytes file;            /* what the operation reads */
static const a1_tensor_set *model; /* or starts from */
static char folder[1024];          /* or where it works */

typedef allin1_status (*operation)(a1_error *err);

/* Runs it with the first allocation failing, then the second, ... until none is left to fail; every
 * `step`-th from the hundredth on. */
static void fail_each(const char *what, operation run, unsigned step)
{
    for (unsigned nth = 1;; nth += nth < 100 ? 1 : step) {
        a1_error err = {0};
        allocations_fail_at(nth);
        const allin1_status status = run(&err);
        if (!allocations_failed()) {
            if (status != ALLIN1_OK)
                fail_msg("%s: %s", what, err.message);
            assert_true(nth > 1);
            return;
        }
        if (status != ALLIN1_ERROR_MEMORY || !strstr(err.message, "memory"))
            fail_msg("%s: allocation %u failed, and the outcome is %d, \"%s\"", what, nth,
                     (int)status, err.message);
    }
}

typedef allin1_status (*parser)(const void *bytes, size_t size, const char *what,
                                a1_tensor_set *set, a1_error *err);

static allin1_status parse_with(parser parse, a1_error *err)
{
    a1_tensor_set *set = NULL;
    allin1_status status = a1_tensor_set_create(&set, err);
    if (status == ALLIN1_OK)
        status = parse(file.data, file.size, "file", set, err);
    a1_tensor_set_destroy(&set);
    return status;
}

static allin1_status run_npz(a1_error *err)
{
    return parse_with(a1_npz_parse, err);
}

static allin1_status run_torch(a1_error *err)
{
    return parse_with(a1_torch_parse, err);
}

static allin1_status run_onnx(a1_error *err)
{
    a1_tensor_set *set = NULL, *bound = NULL;
    allin1_status status = a1_tensor_set_create(&set, err);
    if (status == ALLIN1_OK)
        status = a1_onnx_parse(file.data, file.size, "file", set, err);
    if (status == ALLIN1_OK)
        status = a1_onnx_bind_htdemucs(&set, &bound, err);
    a1_tensor_set_destroy(&bound);
    a1_tensor_set_destroy(&set);
    return status;
}

static allin1_status run_adopt(a1_error *err)
{
    a1_tensor_set *set = NULL, *adopted = NULL;
    allin1_status status = a1_tensor_set_create(&set, err);
    for (size_t i = 0; status == ALLIN1_OK && i < a1_tensor_set_count(model); i++)
        status = a1_tensor_set_add(set, a1_tensor_set_at(model, i), err);
    if (status == ALLIN1_OK)
        status = a1_tensor_set_put_text(set, "key", "value", err);
    if (status == ALLIN1_OK)
        status = a1_layout_adopt("harmonix", 0, &set, &adopted, err);
    a1_tensor_set_destroy(&adopted);
    a1_tensor_set_destroy(&set);
    return status;
}

static allin1_status run_write(a1_error *err)
{
    char path[1100];
    snprintf(path, sizeof path, "%s/x.a1w", folder);
    const allin1_status status = a1_mapped_write(path, model, true, NULL, err);
    const bool there = sandbox_has("x.a1w");
    remove(path);
    char *names = sandbox_list("");
    assert_string_equal(names, "");
    free(names);
    assert_int_equal(there, status == ALLIN1_OK);
    return status;
}

static allin1_status run_load(a1_error *err)
{
    a1_tensor_set *set = NULL;
    const allin1_status status = a1_weights_load(folder, "harmonix-fold0", NULL, &set, NULL, err);
    a1_tensor_set_destroy(&set);
    return status;
}

static allin1_status run_path(a1_error *err)
{
    char path[1100];
    a1_tensor_set *set = NULL;
    snprintf(path, sizeof path, "%s/tiny-htdemucs.a1w", folder);
    const allin1_status status = a1_weights_load(NULL, path, NULL, &set, NULL, err);
    a1_tensor_set_destroy(&set);
    return status;
}

static allin1_status run_fetch(a1_error *err)
{
    allin1_error error = {0};
    char source[1100];
    allin1_models_settings settings;
    allin1_models_settings_default(&settings);
    settings.weights_dir = folder;
    snprintf(source, sizeof source, "%s", test_golden("weights/harmonix/harmonix-fold0_mlx.npz"));
    settings.from = source;
    const allin1_status status =
        allin1_models_fetch(&settings, "harmonix-fold0", NULL, NULL, &error);
    snprintf(err->message, sizeof err->message, "%s", error.message);
    char *names = sandbox_list("");
    assert_string_equal(names, status == ALLIN1_OK ? "harmonix-fold0.a1w" : "");
    free(names);
    remove(sandbox_path("harmonix-fold0.a1w"));
    return status;
}

static void test_readers(void **state)
{
    (void)state;
    a1_error err = {0};
    a1_tensor_set *tiny = NULL, *small = NULL;
    test_member members[2] = {{"a.npy", test_npy(NPY_HEADER, six, sizeof six)},
                              {"b.npy", test_npy(NPY_HEADER, six, sizeof six)}};
    file = test_zip(members, 2, 1);
    fail_each("npz", run_npz, 1);
    test_bytes_free(&file);
    const a1_tensor weight = {.name = "w", .rank = 2, .shape = {2, 3}, .data = six};
    assert_int_equal(a1_tensor_set_create(&small, &err), ALLIN1_OK);
    assert_int_equal(a1_tensor_set_add(small, &weight, &err), ALLIN1_OK);
    file = test_torch_model(small, "state_dict", "", 0, "key", 1.5);
    fail_each("torch", run_torch, 1);
    test_bytes_free(&file);
    a1_tensor_set_destroy(&small);
    assert_int_equal(test_tiny_htdemucs(&tiny, &err), ALLIN1_OK);
    file = test_onnx_htdemucs(tiny);
    fail_each("onnx", run_onnx, 13);
    test_bytes_free(&file);
    a1_tensor_set_destroy(&tiny);
}

static void test_layout_and_files(void **state)
{
    (void)state;
    a1_error err = {0};
    a1_tensor_set *tiny = NULL;
    assert_int_equal(test_tiny_harmonix(&tiny, &err), ALLIN1_OK);
    model = tiny;
    fail_each("adoption", run_adopt, 13);
    snprintf(folder, sizeof folder, "%s", sandbox_make());
    fail_each("writing", run_write, 1);
    assert_int_equal(test_write_tiny_models(folder, &err), ALLIN1_OK);
    fail_each("a path", run_path, 13);
    sandbox_remove();
    a1_tensor_set_destroy(&tiny);
}

static void test_search(void **state)
{
    (void)state;
    unsetenv("ALLIN1_WEIGHTS");
    setenv("XDG_CACHE_HOME", "/nonexistent", 1);
    snprintf(folder, sizeof folder, "%s", test_golden("weights"));
    fail_each("the search", run_load, 97);
}

static void test_fetch(void **state)
{
    (void)state;
    (void)test_golden("weights/harmonix/harmonix-fold0_mlx.npz");
    snprintf(folder, sizeof folder, "%s", sandbox_make());
    fail_each("fetching", run_fetch, 197);
    sandbox_remove();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_readers),
        cmocka_unit_test(test_layout_and_files),
        cmocka_unit_test(test_search),
        cmocka_unit_test(test_fetch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
