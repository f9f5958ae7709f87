#include "base/threads.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/cpu.h"
#include "base/timer.h"

/* How often a waiting thread looks before it sleeps: some tens of microseconds, as long as the gaps
 * between two layers last. */
#define SPINS 20000
#define YIELD_AFTER 2000

typedef struct worker_start {
    a1_pool *pool;
    unsigned number;
} worker_start;

struct a1_pool {
    unsigned threads;
    unsigned started; /* threads besides the caller */
    pthread_t *handles;
    worker_start *starts;
    pthread_mutex_t mutex;
    pthread_cond_t work_ready;
    atomic_uint generation; /* goes up when work is published */
    atomic_uint running;    /* workers that have not finished the current work */
    atomic_bool stop;
    a1_task_fn task;
    void *argument;
    size_t count;
    atomic_size_t next;
    a1_thread_log *log;     /* NULL when nobody watches */
    uint64_t caller_since;  /* the caller has worked since then, with nothing noted */
};

static void relax(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* Returns how many. */
static size_t run_tasks(a1_pool *pool, unsigned worker)
{
    for (size_t done = 0;; done++) {
        const size_t index = atomic_fetch_add_explicit(&pool->next, 1, memory_order_relaxed);
        if (index >= pool->count)
            return done;
        pool->task(pool->argument, index, worker);
    }
}

/* What a thread besides the caller did for the current work is noted before it says that it has
 * finished, so that the caller sees it. */
static void run_tasks_noted(a1_pool *pool, unsigned worker)
{
    if (!pool->log) {
        run_tasks(pool, worker);
        return;
    }
    const uint64_t start = a1_monotonic_ns();
    if (run_tasks(pool, worker) > 0)
        a1_thread_log_note(pool->log, worker, start, a1_monotonic_ns());
}

static void *worker_main(void *argument)
{
    const worker_start *start = argument;
    a1_pool *pool = start->pool;
    unsigned seen = 0;
    for (;;) {
        unsigned now = seen;
        for (int spin = 0; spin < SPINS && now == seen; spin++) {
            now = atomic_load_explicit(&pool->generation, memory_order_acquire);
            relax();
        }
        if (now == seen) {
            pthread_mutex_lock(&pool->mutex);
            while ((now = atomic_load_explicit(&pool->generation, memory_order_acquire)) == seen)
                pthread_cond_wait(&pool->work_ready, &pool->mutex);
            pthread_mutex_unlock(&pool->mutex);
        }
        seen = now;
        if (atomic_load_explicit(&pool->stop, memory_order_acquire))
            return NULL;
        run_tasks_noted(pool, start->number);
        atomic_fetch_sub_explicit(&pool->running, 1, memory_order_release);
    }
}

static void publish(a1_pool *pool)
{
    pthread_mutex_lock(&pool->mutex);
    atomic_fetch_add_explicit(&pool->generation, 1, memory_order_release);
    pthread_cond_broadcast(&pool->work_ready);
    pthread_mutex_unlock(&pool->mutex);
}

allin1_status a1_pool_create(a1_pool **out, unsigned threads, a1_error *err)
{
    *out = NULL;
    if (threads == 0)
        threads = a1_cpu_count();
    a1_pool *pool = calloc(1, sizeof *pool);
    if (!pool)
        return a1_fail_memory(err, "the thread pool");
    pool->threads = threads;
    pthread_mutex_init(&pool->mutex, NULL);
    pthread_cond_init(&pool->work_ready, NULL);
    pool->handles = calloc(threads, sizeof *pool->handles);
    pool->starts = calloc(threads, sizeof *pool->starts);
    if (!pool->handles || !pool->starts) {
        a1_pool_destroy(&pool);
        return a1_fail_memory(err, "the thread pool");
    }
    while (pool->started + 1 < threads) {
        worker_start *start = &pool->starts[pool->started];
        *start = (worker_start){.pool = pool, .number = pool->started + 1};
        if (pthread_create(&pool->handles[pool->started], NULL, worker_main, start) != 0) {
            const unsigned number = start->number;
            a1_pool_destroy(&pool);
            return a1_fail(err, ALLIN1_ERROR_MEMORY, "the system refused to start thread %u of %u",
                           number + 1, threads);
        }
        pool->started++;
    }
    *out = pool;
    return ALLIN1_OK;
}

void a1_pool_destroy(a1_pool **slot)
{
    a1_pool *pool = *slot;
    if (!pool)
        return;
    atomic_store_explicit(&pool->stop, true, memory_order_release);
    publish(pool);
    for (unsigned i = 0; i < pool->started; i++)
        pthread_join(pool->handles[i], NULL);
    pthread_cond_destroy(&pool->work_ready);
    pthread_mutex_destroy(&pool->mutex);
    free(pool->handles);
    free(pool->starts);
    free(pool);
    *slot = NULL;
}

unsigned a1_pool_threads(const a1_pool *pool)
{
    return pool ? pool->threads : 1;
}

void a1_pool_watch(a1_pool *pool, a1_thread_log *log)
{
    pool->log = log;
    pool->caller_since = a1_monotonic_ns();
}

void a1_pool_note_caller(a1_pool *pool, uint64_t now_ns)
{
    if (pool->log && now_ns > pool->caller_since)
        a1_thread_log_note(pool->log, 0, pool->caller_since, now_ns);
    pool->caller_since = now_ns;
}

void a1_pool_run(a1_pool *pool, size_t count, a1_task_fn task, void *argument)
{
    if (count == 0)
        return;
    if (!pool || pool->started == 0 || count == 1) {
        for (size_t index = 0; index < count; index++)
            task(argument, index, 0);
        return;
    }
    pool->task = task;
    pool->argument = argument;
    pool->count = count;
    atomic_store_explicit(&pool->next, 0, memory_order_relaxed);
    atomic_store_explicit(&pool->running, pool->started, memory_order_relaxed);
    publish(pool);
    run_tasks(pool, 0);
    if (pool->log)
        a1_pool_note_caller(pool, a1_monotonic_ns());
    for (unsigned spin = 0; atomic_load_explicit(&pool->running, memory_order_acquire) != 0;) {
        relax();
        /* On a loaded machine the last task may wait for this very processor. */
        if (++spin > YIELD_AFTER)
            sched_yield();
    }
    if (pool->log)
        pool->caller_since = a1_monotonic_ns();
}
