/* Where weights are looked for, what is taken, and what is said when nothing is. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/golden.h"
#include "support/sandbox.h"
#include "support/tiny_model.h"
#include "support/weight_files.h"
#include "weights/mapped.h"
#include "weights/weights.h"

/* No variable of this machine's user gets in; the cache is <sandbox>/cache/allin1. */
static void make_place(void)
{
    sandbox_make();
    setenv("HOME", sandbox_path("home"), 1);
    setenv("XDG_CACHE_HOME", sandbox_path("cache"), 1);
    unsetenv("ALLIN1_WEIGHTS");
    sandbox_folder("cache");
    sandbox_folder("cache/allin1");
    sandbox_folder("cache/allin1/harmonix");
    sandbox_folder("one");
    sandbox_folder("one/harmonix");
    sandbox_folder("two");
    sandbox_folder("two/harmonix");
}

static void copy_to(const char *from, const char *to)
{
    test_bytes bytes = test_load(from);
    sandbox_write(to, bytes.data, bytes.size);
    test_bytes_free(&bytes);
}

static const char *published(void)
{
    return test_golden("weights/harmonix/harmonix-fold3_mlx.npz");
}

static void expect_path(const a1_weights_info *info, const char *expected)
{
    assert_string_equal(info->path, sandbox_path("%s", expected));
}

static a1_weights_info info;

static allin1_status load(const char *folder, a1_error *err)
{
    a1_tensor_set *set = NULL;
    const allin1_status status = a1_weights_load(folder ? sandbox_path("%s", folder) : NULL,
                                                 "harmonix-fold3", NULL, &set, &info, err);
    if (status == ALLIN1_OK) {
        assert_int_equal(a1_tensor_set_count(set), 491);
        assert_string_equal(a1_tensor_set_text(set, "best_threshold_downbeat"), "0.28");
        assert_string_equal(a1_tensor_set_text(set, "family"), "harmonix");
        assert_string_equal(a1_tensor_set_text(set, "name"), "harmonix-fold3");
        assert_string_equal(a1_tensor_set_text(set, "digest"), info.digest);
        assert_string_equal(info.name, "harmonix-fold3");
        assert_non_null(strstr(info.licence, "MIT"));
    } else {
        assert_null(set);
    }
    a1_tensor_set_destroy(&set);
    return status;
}

static void test_order(void **state)
{
    (void)state;
    const char *npz = published();
    a1_error err = {0};
    make_place();
    /* From the last place to the first: each new file takes over. */
    copy_to(npz, "cache/allin1/harmonix/harmonix-fold3_mlx.npz");
    assert_int_equal(load("one", &err), ALLIN1_OK);
    expect_path(&info, "cache/allin1/harmonix/harmonix-fold3_mlx.npz");
    assert_string_equal(info.format, "npz");
    copy_to(npz, "cache/allin1/harmonix-fold3_mlx.npz");
    assert_int_equal(load("one", &err), ALLIN1_OK);
    expect_path(&info, "cache/allin1/harmonix-fold3_mlx.npz");
    copy_to(npz, "two/harmonix/harmonix-fold3_mlx.npz");
    setenv("ALLIN1_WEIGHTS", sandbox_path("two"), 1);
    assert_int_equal(load("one", &err), ALLIN1_OK);
    expect_path(&info, "two/harmonix/harmonix-fold3_mlx.npz");
    copy_to(npz, "one/harmonix/harmonix-fold3_mlx.npz");
    assert_int_equal(load("one", &err), ALLIN1_OK);
    expect_path(&info, "one/harmonix/harmonix-fold3_mlx.npz");
    assert_int_equal(load(NULL, &err), ALLIN1_OK);
    expect_path(&info, "two/harmonix/harmonix-fold3_mlx.npz");
    /* Our own format comes first in its place. */
    a1_tensor_set *set = NULL;
    assert_int_equal(
        a1_weights_load(sandbox_path("one"), "harmonix-fold3", NULL, &set, &info, &err), ALLIN1_OK);
    assert_int_equal(
        a1_mapped_write(sandbox_path("one/harmonix/harmonix-fold3.a1w"), set, false, NULL, &err),
        ALLIN1_OK);
    a1_tensor_set_destroy(&set);
    assert_int_equal(load("one", &err), ALLIN1_OK);
    expect_path(&info, "one/harmonix/harmonix-fold3.a1w");
    assert_string_equal(info.format, "a1w");
    assert_string_equal(info.warning, "");
    sandbox_remove();
}

static void test_damage(void **state)
{
    (void)state;
    const char *npz = published();
    a1_error err = {0};
    make_place();
    /* Damaged, and nothing else there: named, with the command that mends it. */
    test_bytes bytes = test_load(npz);
    bytes.data[bytes.size / 2] ^= 1;
    sandbox_write("one/harmonix-fold3_mlx.npz", bytes.data, bytes.size);
    assert_int_equal(load("one", &err), ALLIN1_ERROR_WEIGHTS_DAMAGED);
    expect_text(err.message, sandbox_path("one/harmonix-fold3_mlx.npz"));
    expect_text(err.message, "allin1 models fetch harmonix-fold3");
    expect_text(err.message, "SHA-256");
    sandbox_write("one/harmonix-fold3_mlx.npz", bytes.data, bytes.size - 1);
    assert_int_equal(load("one", &err), ALLIN1_ERROR_WEIGHTS_DAMAGED);
    expect_text(err.message, "bytes");
    /* A good one further on is taken, and the damage is told. */
    copy_to(npz, "cache/allin1/harmonix/harmonix-fold3_mlx.npz");
    assert_int_equal(load("one", &err), ALLIN1_OK);
    expect_path(&info, "cache/allin1/harmonix/harmonix-fold3_mlx.npz");
    expect_text(info.warning, sandbox_path("one/harmonix-fold3_mlx.npz"));
    /* A damaged configuration beside the weights counts as well. */
    copy_to(npz, "two/harmonix-fold3_mlx.npz");
    sandbox_write("two/harmonix-fold3_mlx.yaml", "best_threshold_downbeat: 0.5\n", 29);
    assert_int_equal(load("two", &err), ALLIN1_OK);
    expect_text(info.warning, "harmonix-fold3_mlx.yaml");
    copy_to(test_golden("weights/harmonix/harmonix-fold3_mlx.yaml"), "two/harmonix-fold3_mlx.yaml");
    assert_int_equal(load("two", &err), ALLIN1_OK);
    expect_path(&info, "two/harmonix-fold3_mlx.npz");
    test_bytes_free(&bytes);
    sandbox_remove();
}

/* Files that are whole but not what their name says. */
static void test_impostors(void **state)
{
    (void)state;
    a1_error err = {0};
    a1_tensor_set *tiny = NULL, *set = NULL;
    make_place();
    assert_int_equal(test_tiny_harmonix(&tiny, &err), ALLIN1_OK);
    const char *path = sandbox_path("one/harmonix-fold3.a1w");
    assert_int_equal(a1_mapped_write(path, tiny, false, NULL, &err), ALLIN1_OK);
    assert_int_equal(load("one", &err), ALLIN1_ERROR_WEIGHTS_DAMAGED);
    expect_text(err.message, "not those of this model");
    /* One that also lies about its digest passes the quick look, but not the deep one. */
    const a1_model_file *file = a1_model_file_find("harmonix-fold3");
    char digest[A1_SHA256_HEX];
    assert_int_equal(a1_tensor_set_put_text(tiny, "digest", file->digest, &err), ALLIN1_OK);
    assert_int_equal(a1_mapped_write(path, tiny, false, NULL, &err), ALLIN1_OK);
    assert_int_equal(a1_weights_read(path, file, NULL, true, NULL, &set, digest, &err),
                     ALLIN1_ERROR_WEIGHTS_DAMAGED);
    expect_text(err.message, "says it holds");
    assert_null(set);
    remove(path);
    /* Without a published digest the tensors decide. */
    test_bytes torch = test_torch_model(tiny, "state_dict", "", 0, NULL, 0);
    sandbox_write("one/harmonix-fold3-i92b7m8p.pth", torch.data, torch.size);
    assert_int_equal(load("one", &err), ALLIN1_ERROR_WEIGHTS_DAMAGED);
    expect_text(err.message, "harmonix-fold3-i92b7m8p.pth");
    test_bytes_free(&torch);
    a1_tensor_set_destroy(&tiny);
    sandbox_remove();
}

/* The published tensors in a PyTorch checkpoint as the authors wrap theirs. */
static void test_torch_checkpoint(void **state)
{
    (void)state;
    a1_error err = {0};
    a1_tensor_set *set = NULL, *torch = NULL;
    const char *npz = published();
    make_place();
    copy_to(npz, "two/harmonix-fold3_mlx.npz");
    assert_int_equal(a1_weights_load(sandbox_path("two"), "harmonix-fold3", NULL, &set, NULL, &err),
                     ALLIN1_OK);
    static float memory[16384];
    float *at = memory;
    assert_int_equal(a1_tensor_set_create(&torch, &err), ALLIN1_OK);
    for (size_t i = 0; i < a1_tensor_set_count(set); i++) {
        a1_tensor tensor = *a1_tensor_set_at(set, i);
        if (tensor.rank == 4) {
            /* (out, time, frequency, in) to (out, in, time, frequency). */
            const size_t plane = tensor.shape[1] * tensor.shape[2], in = tensor.shape[3];
            const float *values = tensor.data;
            tensor.data = at;
            for (size_t o = 0; o < tensor.shape[0]; o++)
                for (size_t c = 0; c < in; c++)
                    for (size_t p = 0; p < plane; p++)
                        *at++ = values[(o * plane + p) * in + c];
            tensor.shape[3] = tensor.shape[2];
            tensor.shape[2] = tensor.shape[1];
            tensor.shape[1] = in;
        }
        assert_int_equal(a1_tensor_set_add(torch, &tensor, &err), ALLIN1_OK);
    }
    for (int how = 0; how < 3; how++) {
        /* The last has a threshold that is not the published one. */
        test_bytes file =
            test_torch_model(torch, "state_dict", how ? "model." : "", 0,
                             how ? "best_threshold_downbeat" : NULL, how == 2 ? 0.3 : 0.28);
        sandbox_write("one/harmonix-fold3-i92b7m8p.pth", file.data, file.size);
        test_bytes_free(&file);
        const allin1_status status = load("one", &err);
        if (how == 2) {
            assert_int_equal(status, ALLIN1_ERROR_WEIGHTS_DAMAGED);
            expect_text(err.message, "best_threshold_downbeat");
        } else if (status != ALLIN1_OK) {
            fail_msg("%s", err.message);
        } else {
            assert_string_equal(info.format, "torch");
        }
    }
    a1_tensor_set_destroy(&torch);
    a1_tensor_set_destroy(&set);
    sandbox_remove();
}

static void test_missing(void **state)
{
    (void)state;
    a1_error err = {0};
    a1_tensor_set *set = NULL, *sets[A1_WEIGHTS_MAX_FILES];
    size_t count;
    make_place();
    setenv("ALLIN1_WEIGHTS", sandbox_path("two"), 1);
    assert_int_equal(load("one", &err), ALLIN1_ERROR_WEIGHTS_MISSING);
    static const char *const parts[] = {"one", "two", "cache/allin1", NULL};
    for (size_t i = 0; parts[i]; i++)
        expect_text(err.message, sandbox_path("%s", parts[i]));
    expect_text(err.message, "harmonix-fold3.a1w, harmonix-fold3_mlx.npz or "
                             "harmonix-fold3-i92b7m8p.pth");
    expect_text(err.message, "allin1 models fetch harmonix-fold3");
    assert_int_equal(a1_weights_load_model(NULL, "harmonix-all", NULL, NULL, sets, NULL, &count, &err),
                     ALLIN1_ERROR_WEIGHTS_MISSING);
    for (int fold = 0; fold < 8; fold++) {
        char name[32];
        snprintf(name, sizeof name, "harmonix-fold%d", fold);
        expect_text(err.message, name);
        assert_null(sets[fold]);
    }
    expect_text(err.message, "allin1 models fetch harmonix-all");
    assert_int_equal(a1_weights_load(NULL, "harmonix", NULL, &set, NULL, &err),
                     ALLIN1_ERROR_ARGUMENT);
    expect_text(err.message, "harmonix-all");
    /* Without a home there is still an answer. */
    unsetenv("HOME");
    unsetenv("XDG_CACHE_HOME");
    unsetenv("ALLIN1_WEIGHTS");
    assert_int_equal(load(NULL, &err), ALLIN1_ERROR_WEIGHTS_MISSING);
    expect_text(err.message, "HOME");
    setenv("HOME", "relative", 1);
    assert_int_equal(load(NULL, &err), ALLIN1_ERROR_WEIGHTS_MISSING);
    expect_text(err.message, "HOME");
    char deep[5000];
    memset(deep, 'a', sizeof deep - 1);
    deep[sizeof deep - 1] = '\0';
    assert_int_equal(a1_weights_load(deep, "htdemucs", NULL, &set, NULL, &err),
                     ALLIN1_ERROR_ARGUMENT);
    sandbox_remove();
}

static void test_paths(void **state)
{
    (void)state;
    a1_error err = {0};
    a1_tensor_set *set = NULL;
    const char *names[A1_WEIGHTS_MAX_FILES];
    size_t count;
    make_place();
    assert_int_equal(test_write_tiny_models(sandbox_path("one"), &err), ALLIN1_OK);
    const char *path = sandbox_path("one/tiny-htdemucs.a1w");
    assert_int_equal(a1_weights_load(NULL, path, NULL, &set, &info, &err), ALLIN1_OK);
    assert_int_equal(a1_tensor_set_count(set), 533);
    assert_string_equal(info.path, path);
    assert_string_equal(info.format, "a1w");
    assert_null(info.name); /* not in the table */
    assert_null(info.licence);
    assert_string_equal(info.digest, a1_tensor_set_text(set, "digest"));
    a1_tensor_set_destroy(&set);
    assert_int_equal(a1_weights_load(NULL, sandbox_path("none.a1w"), NULL, &set, &info, &err),
                     ALLIN1_ERROR_IO);
    assert_int_equal(a1_weights_files(path, names, &count, &err), ALLIN1_OK);
    assert_int_equal(count, 1);
    assert_string_equal(names[0], path);
    assert_int_equal(a1_weights_files("harmonix-all", names, &count, &err), ALLIN1_OK);
    assert_int_equal(count, 8);
    assert_string_equal(names[7], "harmonix-fold7");
    assert_int_equal(a1_weights_files("htdemucs", names, &count, &err), ALLIN1_OK);
    assert_int_equal(count, 1);
    assert_int_equal(a1_weights_files("htdemucs_ft", names, &count, &err), ALLIN1_ERROR_ARGUMENT);
    sandbox_remove();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),     cmocka_unit_test(test_damage),
        cmocka_unit_test(test_impostors), cmocka_unit_test(test_torch_checkpoint),
        cmocka_unit_test(test_missing),   cmocka_unit_test(test_paths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
