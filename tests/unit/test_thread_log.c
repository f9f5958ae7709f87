/* Who worked when: in order, within bounds, with no busy second lost. */
#include "support/golden.h"

#include <stdbool.h>
#include <string.h>

#include "base/thread_log.h"
#include "base/threads.h"
#include "base/timer.h"

static void stretches_are_kept_apart(void **state)
{
    (void)state;
    a1_thread_log *log;
    assert_int_equal(a1_thread_log_create(&log, 2, NULL), ALLIN1_OK);
    const a1_stretch *s;
    a1_thread_log_note(log, 1, 1000000, 2000000);
    a1_thread_log_note(log, 1, 9000000, 9500000);
    a1_thread_log_note(log, 1, 9500000, 9600000); /* goes on */
    assert_int_equal(a1_thread_log_read(log, 0, &s), 0);
    assert_int_equal(a1_thread_log_read(log, 1, &s), 2);
    assert_int_equal(s[0].start_ns, 1000000);
    assert_int_equal(s[0].busy_ns, 1000000);
    assert_int_equal(s[1].end_ns, 9600000);
    assert_int_equal(s[1].busy_ns, 600000);
    a1_thread_log_clear(log);
    assert_int_equal(a1_thread_log_read(log, 1, &s), 0);
    a1_thread_log_destroy(&log);
    assert_null(log);
}

/* However much is noted, the room is enough, the stretches stay in order, and the busy time is whole.
 */
static void much_becomes_coarser(void **state)
{
    (void)state;
    a1_thread_log *log;
    assert_int_equal(a1_thread_log_create(&log, 1, NULL), ALLIN1_OK);
    uint64_t random = 7, now = 1, busy = 0;
    for (int i = 0; i < 200000; i++) {
        const uint64_t start = now + (uint64_t)(1e5f * (1 + test_random(&random)));
        now = start + 1 + (uint64_t)(1e6f * (1 + test_random(&random)));
        a1_thread_log_note(log, 0, start, now);
        busy += now - start;
    }
    const a1_stretch *s;
    const size_t count = a1_thread_log_read(log, 0, &s);
    assert_true(count >= A1_THREAD_LOG_ROOM / 8 && count <= A1_THREAD_LOG_ROOM);
    for (size_t i = 0; i < count; i++) {
        assert_true(s[i].busy_ns > 0 && s[i].busy_ns <= s[i].end_ns - s[i].start_ns);
        assert_true(i == 0 || s[i].start_ns > s[i - 1].end_ns);
        busy -= s[i].busy_ns;
    }
    assert_int_equal(busy, 0);
    assert_int_equal(s[count - 1].end_ns, now);
    a1_thread_log_destroy(&log);
}

/* When each task ran. */
typedef struct tasks {
    uint64_t start[64], end[64];
    unsigned worker[64];
} tasks;

static void wait_a_little(void *argument, size_t index, unsigned worker)
{
    tasks *t = argument;
    t->worker[index] = worker;
    t->start[index] = a1_monotonic_ns();
    while (a1_monotonic_ns() - t->start[index] < 200000)
        ;
    t->end[index] = a1_monotonic_ns();
}

/* Every task lies in a stretch of the thread that ran it. */
static void pool_notes_all_tasks(void **state)
{
    (void)state;
    enum { THREADS = 3, TASKS = 64 };
    a1_pool *pool;
    a1_thread_log *log;
    static tasks t;
    assert_int_equal(a1_pool_create(&pool, THREADS, NULL), ALLIN1_OK);
    assert_int_equal(a1_thread_log_create(&log, THREADS, NULL), ALLIN1_OK);
    const uint64_t before = a1_monotonic_ns();
    a1_pool_watch(pool, log);
    a1_pool_run(pool, TASKS, wait_a_little, &t);
    const uint64_t after = a1_monotonic_ns();
    a1_pool_note_caller(pool, after);
    for (int i = 0; i < TASKS; i++) {
        const a1_stretch *s;
        const size_t count = a1_thread_log_read(log, t.worker[i], &s);
        bool found = false;
        for (size_t k = 0; k < count; k++) {
            assert_true(s[k].start_ns >= before && s[k].end_ns <= after);
            found |= s[k].start_ns <= t.start[i] && s[k].end_ns >= t.end[i];
        }
        assert_true(found);
    }
    a1_pool_watch(pool, NULL);
    a1_pool_run(pool, TASKS, wait_a_little, &t); /* nothing is noted */
    const a1_stretch *s;
    for (unsigned i = 0; i < THREADS; i++) {
        const size_t count = a1_thread_log_read(log, i, &s);
        assert_true(count == 0 || s[count - 1].end_ns <= after);
    }
    a1_thread_log_destroy(&log);
    a1_pool_destroy(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stretches_are_kept_apart),
        cmocka_unit_test(much_becomes_coarser),
        cmocka_unit_test(pool_notes_all_tasks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
