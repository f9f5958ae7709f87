/* What our tests use of cmocka, for machines whose cmocka is not at hand: scripts/check_neon.sh builds
 * for a processor that this one is not. The report reads like cmocka's. */
#ifndef TEST_NEON_CMOCKA_H
#define TEST_NEON_CMOCKA_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

typedef void (*CMUnitTestFunction)(void **state);
typedef int (*CMFixtureFunction)(void **state);

struct CMUnitTest {
    const char *name;
    CMUnitTestFunction test_func;
    CMFixtureFunction setup_func, teardown_func;
    void *initial_state;
};

#define cmocka_unit_test(function) {#function, function, NULL, NULL, NULL}
#define cmocka_unit_test_setup_teardown(function, setup, teardown)                                 \
    {#function, function, setup, teardown, NULL}

enum { STAND_IN_FAILED = 1, STAND_IN_SKIPPED };

/* One for all files of a program. */
__attribute__((weak)) jmp_buf stand_in_leave;

#define print_message printf
#define print_error printf

__attribute__((noreturn, unused, format(printf, 3, 4))) static void
stand_in_fail(const char *file, int line, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    printf("\n%s:%d: error: Failure!\n", file, line);
    longjmp(stand_in_leave, STAND_IN_FAILED);
}

__attribute__((noreturn, unused)) static void stand_in_skip(void)
{
    longjmp(stand_in_leave, STAND_IN_SKIPPED);
}

#define fail_msg(...) stand_in_fail(__FILE__, __LINE__, __VA_ARGS__)
#define fail() fail_msg("fail()")
#define skip() stand_in_skip()

#define assert_true(condition)                                                                     \
    do {                                                                                           \
        if (!(condition))                                                                          \
            fail_msg("%s", #condition);                                                            \
    } while (0)
#define assert_false(condition) assert_true(!(condition))
#define assert_null(pointer) assert_true((pointer) == NULL)
#define assert_non_null(pointer) assert_true((pointer) != NULL)
#define assert_ptr_equal(a, b) assert_true((const void *)(a) == (const void *)(b))

/* cmocka compares integers as the widest unsigned type, so that signs and widths may differ. */
#define assert_int_equal(a, b)                                                                     \
    do {                                                                                           \
        const uintmax_t stand_in_a = (uintmax_t)(a), stand_in_b = (uintmax_t)(b);                  \
        if (stand_in_a != stand_in_b)                                                              \
            fail_msg("%s is %jd, %s is %jd", #a, (intmax_t)stand_in_a, #b, (intmax_t)stand_in_b);  \
    } while (0)
#define assert_int_not_equal(a, b) assert_true((uintmax_t)(a) != (uintmax_t)(b))
#define assert_string_equal(a, b)                                                                  \
    do {                                                                                           \
        const char *const stand_in_a = (a), *const stand_in_b = (b);                               \
        if (strcmp(stand_in_a, stand_in_b) != 0)                                                   \
            fail_msg("\"%s\" is not \"%s\"", stand_in_a, stand_in_b);                              \
    } while (0)
#define assert_string_not_equal(a, b) assert_true(strcmp(a, b) != 0)
#define assert_memory_equal(a, b, size) assert_true(memcmp(a, b, size) == 0)
#define assert_memory_not_equal(a, b, size) assert_true(memcmp(a, b, size) != 0)
#define assert_in_range(value, low, high) assert_true((value) >= (low) && (value) <= (high))

/* Runs the tests one after the other; returns how many failed. */
__attribute__((unused)) static int stand_in_run(const struct CMUnitTest *tests, size_t count,
                                                CMFixtureFunction setup, CMFixtureFunction teardown)
{
    static volatile size_t next, failed, skipped;
    static void *state;
    printf("[==========] Running %zu test(s).\n", count);
    if (setup && setup(&state) != 0) {
        printf("[  FAILED  ] GROUP SETUP\n");
        return 1;
    }
    for (next = 0; next < count; next++) {
        const struct CMUnitTest *test = &tests[next];
        printf("[ RUN      ] %s\n", test->name);
        fflush(stdout);
        const int outcome = setjmp(stand_in_leave);
        if (outcome == 0) {
            if (test->setup_func && test->setup_func(&state) != 0)
                stand_in_fail(test->name, 0, "set-up");
            test->test_func(&state);
            if (test->teardown_func && test->teardown_func(&state) != 0)
                stand_in_fail(test->name, 0, "tear-down");
            printf("[       OK ] %s\n", test->name);
        } else if (outcome == STAND_IN_SKIPPED) {
            skipped++;
            printf("[  SKIPPED ] %s\n", tests[next].name);
        } else {
            failed++;
            printf("[  FAILED  ] %s\n", tests[next].name);
        }
    }
    if (teardown && teardown(&state) != 0)
        failed++;
    printf("[==========] %zu test(s) run.\n[  PASSED  ] %zu test(s).\n", count,
           count - failed - skipped);
    return (int)failed;
}

#define cmocka_run_group_tests(tests, setup, teardown)                                             \
    stand_in_run(tests, sizeof(tests) / sizeof((tests)[0]), setup, teardown)

#endif
