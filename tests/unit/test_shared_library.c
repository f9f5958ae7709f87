/* Libraries loaded when they are needed: calls reach them, and what is missing is named. */
#include "support/golden.h"

#include <string.h>
#include <zlib.h>

#include "base/shared_library.h"
#include "base/threads.h"

extern int no_such_function(void);

#define CALLS(X) X(crc32) X(zlibVersion)
#define MORE_CALLS(X) CALLS(X) X(no_such_function)

typedef struct table {
    CALLS(A1_SHARED_MEMBER)
} table;

typedef struct longer_table {
    MORE_CALLS(A1_SHARED_MEMBER)
} longer_table;

#define A1_SHARED_TABLE table
static const a1_shared_function functions[] = {CALLS(A1_SHARED_FUNCTION)};
#undef A1_SHARED_TABLE
#define A1_SHARED_TABLE longer_table
static const a1_shared_function more_functions[] = {MORE_CALLS(A1_SHARED_FUNCTION)};

#define LIBRARY(name, major, folder, list)                                                         \
    {A1_SHARED_FILE(name, major), folder, list, sizeof(list) / sizeof *(list)}
#define GROUP(list, to)                                                                            \
    {.what = "the library of this test",                                                           \
     .libraries = list,                                                                            \
     .count = sizeof(list) / sizeof *(list),                                                       \
     .table = to,                                                                                  \
     .lock = PTHREAD_MUTEX_INITIALIZER}

static void calls_reach_the_library(void **state)
{
    (void)state;
    static const a1_shared_library libraries[] = {LIBRARY("z", "1", NULL, functions)};
    static table z;
    static a1_shared_group group = GROUP(libraries, &z);
    a1_error err = {0};
    assert_null(z.crc32);
    assert_int_equal(a1_shared_load(&group, &err), ALLIN1_OK);
    assert_int_equal(z.crc32(0, (const Bytef *)"123456789", 9), 0xcbf43926); /* its check value */
    assert_string_equal(z.zlibVersion(), zlibVersion());
    assert_int_equal(a1_shared_load(&group, NULL), ALLIN1_OK);
}

static void a_missing_library_is_named(void **state)
{
    (void)state;
    static const a1_shared_library libraries[] = {LIBRARY("z", "1", NULL, functions),
                                                  LIBRARY("none-such", "7", "/no/folder", functions)};
    static table z;
    static a1_shared_group group = GROUP(libraries, &z);
    for (int i = 0; i < 2; i++) { /* it is tried again */
        a1_error err = {0};
        assert_int_equal(a1_shared_load(&group, &err), ALLIN1_ERROR_UNSUPPORTED);
        assert_non_null(strstr(err.message, "the library of this test cannot be loaded: "));
        assert_non_null(strstr(err.message, libraries[1].file));
    }
    assert_int_equal(a1_shared_load(&group, NULL), ALLIN1_ERROR_UNSUPPORTED);
}

static void a_missing_function_is_named(void **state)
{
    (void)state;
    static const a1_shared_library libraries[] = {LIBRARY("z", "1", NULL, more_functions)};
    static longer_table z;
    static a1_shared_group group = GROUP(libraries, &z);
    a1_error err = {0};
    assert_int_equal(a1_shared_load(&group, &err), ALLIN1_ERROR_UNSUPPORTED);
    assert_non_null(strstr(err.message, "has no function no_such_function"));
    assert_non_null(strstr(err.message, libraries[0].file));
}

typedef struct callers {
    a1_shared_group *group;
    const table *z;
    unsigned long sums[64];
} callers;

static void load_and_call(void *argument, size_t index, unsigned worker)
{
    (void)worker;
    callers *all = argument;
    if (a1_shared_load(all->group, NULL) == ALLIN1_OK)
        all->sums[index] = all->z->crc32(0, (const Bytef *)"123456789", 9);
}

static void many_threads_may_come_first(void **state)
{
    (void)state;
    static const a1_shared_library libraries[] = {LIBRARY("z", "1", NULL, functions)};
    static table z;
    static a1_shared_group group = GROUP(libraries, &z);
    callers all = {.group = &group, .z = &z};
    a1_pool *pool;
    assert_int_equal(a1_pool_create(&pool, 8, NULL), ALLIN1_OK);
    a1_pool_run(pool, 64, load_and_call, &all);
    a1_pool_destroy(&pool);
    for (size_t i = 0; i < 64; i++)
        assert_int_equal(all.sums[i], 0xcbf43926);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_reach_the_library),
        cmocka_unit_test(a_missing_library_is_named),
        cmocka_unit_test(a_missing_function_is_named),
        cmocka_unit_test(many_threads_may_come_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
