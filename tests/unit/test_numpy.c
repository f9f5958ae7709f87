/* numpy's files: read back by our own reader of the reference's arrays, and by numpy where it is. */
#include "support/golden.h"
#include "support/sandbox.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "output/numpy.h"

static const float values[24] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11,
                                 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 1e-30f};

static void expect_array(const char *path, const char *member, unsigned rank, const size_t *shape)
{
    test_array array = test_read_array(path, member);
    assert_int_equal(array.rank, rank);
    for (unsigned i = 0; i < rank; i++)
        assert_int_equal(array.shape[i], shape[i]);
    for (size_t i = 0; i < array.count; i++)
        assert_true(array.values[i] == (double)values[i]);
    test_array_free(&array);
}

static void npy_of_every_rank(void **state)
{
    (void)state;
    static const size_t shapes[A1_NPY_MAX_RANK][4] = {{24}, {4, 6}, {2, 3, 4}, {1, 2, 3, 4}};
    sandbox_make();
    for (unsigned rank = 1; rank <= A1_NPY_MAX_RANK; rank++) {
        a1_error err = {0};
        a1_npy array = {.rank = rank, .values = values};
        memcpy(array.shape, shapes[rank - 1], sizeof array.shape);
        assert_int_equal(a1_npy_write(sandbox_path("new/x.npy"), &array, &err), ALLIN1_OK);
        expect_array(sandbox_path("new/x.npy"), NULL, rank, shapes[rank - 1]);
        size_t size;
        char *bytes = sandbox_read("new/x.npy", &size);
        assert_int_equal(size, 128 + sizeof values);
        assert_int_equal(bytes[127], '\n');
        free(bytes);
    }
    sandbox_remove();
}

static void write_npz(const char *name)
{
    a1_error err = {0};
    const a1_npy arrays[] = {{"beat", 1, {24}, values},
                             {"label", 2, {4, 6}, values},
                             {"empty", 2, {10, 0}, values}};
    if (a1_npz_write(sandbox_path("%s", name), arrays, 3, &err) != ALLIN1_OK)
        fail_msg("%s", err.message);
}

/* The same values give the same bytes, at another time and in another time zone, too. */
static void npz_is_deterministic(void **state)
{
    (void)state;
    sandbox_make();
    setenv("TZ", "UTC", 1);
    tzset();
    write_npz("a.npz");
    setenv("TZ", "Asia/Tokyo", 1);
    tzset();
    struct timespec pause = {2, 100000000}; /* dates in archives have steps of two seconds */
    nanosleep(&pause, NULL);
    write_npz("b.npz");
    size_t sizes[2];
    char *a = sandbox_read("a.npz", &sizes[0]), *b = sandbox_read("b.npz", &sizes[1]);
    assert_int_equal(sizes[0], sizes[1]);
    assert_memory_equal(a, b, sizes[0]);
    free(a);
    free(b);
    expect_array(sandbox_path("a.npz"), "beat", 1, (size_t[]){24});
    expect_array(sandbox_path("a.npz"), "label", 2, (size_t[]){4, 6});
    sandbox_remove();
}

static void numpy_reads_them(void **state)
{
    (void)state;
    if (system("/usr/bin/python3 -c 'import numpy' 2>/dev/null") != 0) {
        print_message("there is no Python with numpy here\n");
        skip();
    }
    sandbox_make();
    write_npz("a.npz");
    a1_error err = {0};
    const a1_npy array = {.rank = 4, .shape = {1, 2, 3, 4}, .values = values};
    assert_int_equal(a1_npy_write(sandbox_path("a.npy"), &array, &err), ALLIN1_OK);
    char command[2048];
    snprintf(command, sizeof command,
             "cd '%s' && /usr/bin/python3 -c \"\n"
             "import numpy as n\n"
             "z = n.load('a.npz')\n"
             "assert sorted(z.files) == ['beat', 'empty', 'label'], z.files\n"
             "assert z['beat'].dtype == n.float32 and z['beat'].shape == (24,)\n"
             "assert z['label'].shape == (4, 6) and z['label'][3, 4] == 22\n"
             "assert z['empty'].shape == (10, 0)\n"
             "a = n.load('a.npy', mmap_mode='r')\n"
             "assert a.shape == (1, 2, 3, 4) and a[0, 1, 0, 2] == 14 and a.flags['C_CONTIGUOUS']\n"
             "\"",
             sandbox_path("."));
    assert_int_equal(system(command), 0);
    sandbox_remove();
}

static void failures(void **state)
{
    (void)state;
    sandbox_make();
    sandbox_write("file", "x", 1);
    a1_error err = {0};
    const a1_npy array = {.name = "x", .rank = 1, .shape = {24}, .values = values};
    assert_int_equal(a1_npy_write(sandbox_path("file/x.npy"), &array, &err), ALLIN1_ERROR_IO);
    expect_text(err.message, "file");
    assert_int_equal(a1_npz_write(sandbox_path("file/x.npz"), &array, 1, &err), ALLIN1_ERROR_IO);
    expect_text(err.message, "file");
    char *list = sandbox_list(".");
    assert_string_equal(list, "file");
    free(list);
    sandbox_remove();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(npy_of_every_rank, sandbox_clean_up),
        cmocka_unit_test_teardown(npz_is_deterministic, sandbox_clean_up),
        cmocka_unit_test_teardown(numpy_reads_them, sandbox_clean_up),
        cmocka_unit_test_teardown(failures, sandbox_clean_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
