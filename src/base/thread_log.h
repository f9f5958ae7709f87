/* When each thread of a pool worked, in bounded memory: the longer it is watched, the more of the
 * short pauses are swallowed. */
#ifndef A1_BASE_THREAD_LOG_H
#define A1_BASE_THREAD_LOG_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* The most stretches that are kept of one thread. */
#define A1_THREAD_LOG_ROOM 256

typedef struct a1_stretch {
    uint64_t start_ns, end_ns; /* monotonic */
    uint64_t busy_ns;          /* without the pauses inside */
} a1_stretch;

typedef struct a1_thread_log a1_thread_log;

allin1_status a1_thread_log_create(a1_thread_log **log, unsigned threads, a1_error *err);
void a1_thread_log_destroy(a1_thread_log **log);
unsigned a1_thread_log_threads(const a1_thread_log *log);

/* Forgets all stretches. Nobody may be noting. */
void a1_thread_log_clear(a1_thread_log *log);

/* A thread worked from start to end. Each thread notes its own, in order of time. */
void a1_thread_log_note(a1_thread_log *log, unsigned thread, uint64_t start_ns, uint64_t end_ns);

/* What was noted of a thread, in order; valid until the next note or clear. */
size_t a1_thread_log_read(const a1_thread_log *log, unsigned thread, const a1_stretch **stretches);

#endif
