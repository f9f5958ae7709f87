/* Weights in memory that are part of the program. */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "support/golden.h"
#include "support/sandbox.h"
#include "support/tiny_model.h"
#include "weights/built_in.h"
#include "weights/mapped.h"

static unsigned char *bytes;
static size_t size;

/* A student's file, as the build would put it in. */
static int set_up(void **state)
{
    (void)state;
    a1_error err = {0};
    a1_tensor_set *set = NULL;
    sandbox_make();
    if (test_tiny_student(&(tiny_student_blocks){2, 1, 1, 1}, &set, &err) != ALLIN1_OK ||
        a1_mapped_write(sandbox_path("s.a1w"), set, true, NULL, &err) != ALLIN1_OK)
        fail_msg("%s", err.message);
    a1_tensor_set_destroy(&set);
    char *file = sandbox_read("s.a1w", &size);
    bytes = a1_aligned_alloc(size);
    assert_non_null(bytes);
    memcpy(bytes, file, size);
    free(file);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    a1_aligned_free(bytes);
    sandbox_remove();
    return 0;
}

static void test_whole(void **state)
{
    (void)state;
    for (int deep = 0; deep < 2; deep++) {
        a1_tensor_set *set;
        char digest[A1_SHA256_HEX], expected[A1_SHA256_HEX];
        a1_error err = {0};
        if (a1_built_in_read("student", bytes, size, deep, NULL, &set, digest, &err) != ALLIN1_OK)
            fail_msg("%s", err.message);
        assert_int_equal(a1_tensor_set_digest(set, expected, NULL), ALLIN1_OK);
        assert_string_equal(digest, expected);
        a1_tensor_set_destroy(&set);
    }
}

static void expect(const char *name, size_t length, bool deep, allin1_status status,
                   const char *sentence)
{
    a1_tensor_set *set;
    char digest[A1_SHA256_HEX];
    a1_error err = {0};
    assert_int_equal(a1_built_in_read(name, bytes, length, deep, NULL, &set, digest, &err), status);
    assert_null(set);
    if (!strstr(err.message, sentence))
        fail_msg("%s", err.message);
}

static void test_absent_and_damaged(void **state)
{
    (void)state;
    expect("student", 0, false, ALLIN1_ERROR_WEIGHTS_MISSING, "no student is built in");
    expect("pupil", size, false, ALLIN1_ERROR_WEIGHTS_DAMAGED, "are no pupil");
    expect("student", size - 1, false, ALLIN1_ERROR_WEIGHTS_DAMAGED, "built in");
    bytes[size - 1] ^= 1;
    expect("student", size, false, ALLIN1_ERROR_WEIGHTS_DAMAGED, "built in");
    /* With a checksum that fits, only the digest of the tensors tells. */
    assert_int_equal(a1_mapped_checksum(bytes, size, NULL, bytes + 64, NULL), ALLIN1_OK);
    expect("student", size, true, ALLIN1_ERROR_WEIGHTS_DAMAGED, "not those that it says");
}

/* What this build has, if anything, is whole; and there is a card. */
static void test_own(void **state)
{
    (void)state;
    assert_memory_equal(a1_file_STUDENT_md, "# The student\n", 14);
    assert_int_equal(strlen((const char *)a1_file_STUDENT_md), a1_size_STUDENT_md);
    if (a1_size_student_a1w == 0) {
        print_message("no student is built in\n");
        skip();
    }
    assert_true(a1_size_student_a1w <= 2000000);
    a1_tensor_set *set;
    char digest[A1_SHA256_HEX];
    a1_error err = {0};
    if (a1_built_in_read("student", a1_file_student_a1w, a1_size_student_a1w, true, NULL, &set,
                         digest, &err) != ALLIN1_OK)
        fail_msg("%s", err.message);
    a1_tensor_set_destroy(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_whole, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_absent_and_damaged, set_up, tear_down),
        cmocka_unit_test(test_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
