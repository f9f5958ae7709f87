#include "base/thread_log.h"

#include <stdlib.h>

/* Pauses up to this are swallowed from the start. */
#define FIRST_GRAIN_NS 20000u

typedef struct thread_entries {
    _Alignas(64) size_t count;
    uint64_t grain_ns; /* what lies within it becomes one stretch */
    a1_stretch stretches[A1_THREAD_LOG_ROOM];
} thread_entries;

struct a1_thread_log {
    unsigned threads;
    thread_entries *entries; /* [threads] */
};

allin1_status a1_thread_log_create(a1_thread_log **out, unsigned threads, a1_error *err)
{
    *out = NULL;
    a1_thread_log *log = calloc(1, sizeof *log);
    thread_entries *entries = aligned_alloc(64, threads * sizeof *entries);
    if (!log || !entries) {
        free(log);
        free(entries);
        return a1_fail_memory(err, "the log of the threads");
    }
    log->threads = threads;
    log->entries = entries;
    a1_thread_log_clear(log);
    *out = log;
    return ALLIN1_OK;
}

void a1_thread_log_destroy(a1_thread_log **slot)
{
    if (!*slot)
        return;
    free((*slot)->entries);
    free(*slot);
    *slot = NULL;
}

unsigned a1_thread_log_threads(const a1_thread_log *log)
{
    return log->threads;
}

void a1_thread_log_clear(a1_thread_log *log)
{
    for (unsigned i = 0; i < log->threads; i++) {
        log->entries[i].count = 0;
        log->entries[i].grain_ns = FIRST_GRAIN_NS;
    }
}

/* Adds to the last stretch when both fit into one grain, or nothing lies between them. */
static int extend(thread_entries *e, const a1_stretch *next)
{
    if (e->count == 0)
        return 0;
    a1_stretch *last = &e->stretches[e->count - 1];
    if (next->start_ns > last->end_ns && next->end_ns - last->start_ns > e->grain_ns)
        return 0;
    last->end_ns = next->end_ns;
    last->busy_ns += next->busy_ns;
    return 1;
}

/* Doubles the grain until half of the room is free. */
static void coarsen(thread_entries *e)
{
    while (e->count > A1_THREAD_LOG_ROOM / 2) {
        const size_t count = e->count;
        e->grain_ns *= 2;
        e->count = 0;
        for (size_t i = 0; i < count; i++) {
            const a1_stretch next = e->stretches[i];
            if (!extend(e, &next))
                e->stretches[e->count++] = next;
        }
    }
}

void a1_thread_log_note(a1_thread_log *log, unsigned thread, uint64_t start_ns, uint64_t end_ns)
{
    thread_entries *e = &log->entries[thread];
    const a1_stretch next = {start_ns, end_ns, end_ns - start_ns};
    if (extend(e, &next))
        return;
    if (e->count == A1_THREAD_LOG_ROOM) {
        coarsen(e);
        if (extend(e, &next))
            return;
    }
    e->stretches[e->count++] = next;
}

size_t a1_thread_log_read(const a1_thread_log *log, unsigned thread, const a1_stretch **stretches)
{
    *stretches = log->entries[thread].stretches;
    return log->entries[thread].count;
}
