/* A pool of threads that runs numbered tasks.
 *
 * Which thread runs a task is left to chance, so a task must compute the same bits wherever it runs:
 * it writes only its own part of the output, and the split into tasks must not depend on the number
 * of threads wherever it changes a sum's order. */
#ifndef A1_BASE_THREADS_H
#define A1_BASE_THREADS_H

#include <stddef.h>

#include "base/error.h"
#include "base/thread_log.h"

typedef struct a1_pool a1_pool;

/* `index` is the task's number, `worker` (below a1_pool_threads) selects per-thread scratch. Tasks
 * cannot fail: what can fail is done before. */
typedef void (*a1_task_fn)(void *argument, size_t index, unsigned worker);

/* `threads` counts the calling thread; 0 means one per available processor. */
allin1_status a1_pool_create(a1_pool **pool, unsigned threads, a1_error *err);
void a1_pool_destroy(a1_pool **pool);

/* 1 for NULL. */
unsigned a1_pool_threads(const a1_pool *pool);

/* From now on, notes in `log` when each thread works; NULL: no more. The log is borrowed and has room
 * for all threads. The calling thread counts as working unless it waits for the others: what it does
 * between runs is noted with the next run, or by a1_pool_note_caller. */
void a1_pool_watch(a1_pool *pool, a1_thread_log *log);

/* Notes what the calling thread did up to `now_ns`, and goes on from there. */
void a1_pool_note_caller(a1_pool *pool, uint64_t now_ns);

/* Runs tasks 0..count-1 and returns when all are done. A NULL pool runs them in order on the calling
 * thread. Tasks must not call a1_pool_run on the same pool; one caller at a time. */
void a1_pool_run(a1_pool *pool, size_t count, a1_task_fn task, void *argument);

#endif
