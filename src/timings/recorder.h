/* The spans of one context: what ran when, at whose cost.
 *
 * Spans nest strictly: the one begun last ends first. A recorder is used by one thread at a time. */
#ifndef A1_TIMINGS_RECORDER_H
#define A1_TIMINGS_RECORDER_H

#include <stdbool.h>

#include <allin1/allin1.h>

#include "base/error.h"
#include "base/instructions.h"
#include "base/threads.h"

#define A1_SPAN_DEPTH 8
#define A1_SPAN_MAX_WORK 4096 /* stretches of all threads; what is more becomes coarser */

typedef struct a1_open_span {
    allin1_span span; /* filled as far as it is known */
    uint64_t start_ns, cpu_ns, children_ns;
    uint64_t instructions; /* of the counter at the start */
    allin1_thread_work *work; /* noted so far, in order of time for each thread */
    size_t work_count, work_capacity;
} a1_open_span;

typedef struct a1_recorder {
    allin1_run run;
    allin1_span_fn callback; /* may be NULL */
    void *user;
    const char *model, *model_requested; /* borrowed, for every span */
    const char *track; /* borrowed, of the spans begun from now on; may be NULL */
    double audio_seconds; /* likewise */
    uint64_t spans_begun;
    unsigned depth;
    a1_open_span open[A1_SPAN_DEPTH];
    bool keeping;       /* those that end, from a1_recorder_restart on, until the owner says no */
    allin1_span *ended; /* since then; strings are borrowed */
    size_t ended_count, ended_capacity;
    bool lost; /* memory ran out for one that ended */
    a1_pool *pool;      /* watched; may be NULL */
    a1_thread_log *log; /* of the pool; NULL when nobody listens */
    a1_instructions instructions;
} a1_recorder;

/* Fills id, host and start of the run, which was at `start_ns` on the monotonic clock; the rest of
 * `run` is the caller's. */
void a1_recorder_start(a1_recorder *recorder, uint64_t start_ns);
void a1_recorder_finish(a1_recorder *recorder);

/* From now on the spans tell which of the pool's threads worked when. The pool is borrowed. */
allin1_status a1_recorder_watch(a1_recorder *recorder, a1_pool *pool, a1_error *err);
/* The pool is about to go. */
void a1_recorder_unwatch(a1_recorder *recorder);

/* A span at the top that is over: from start_ns to end_ns, at the cost of cpu_ns. */
void a1_span_past(a1_recorder *recorder, const char *stage, uint64_t start_ns, uint64_t end_ns,
                  uint64_t cpu_ns);

/* Forgets the spans that ended so far, and keeps those to come. */
void a1_recorder_restart(a1_recorder *recorder);

/* Begins a span; `stage` has static storage. What is known only later is set in the span that is
 * returned, which is valid until the span ends: count, mode, backends, precisions, audio_seconds,
 * operations, fallback and what a guard found. */
allin1_span *a1_span_begin(a1_recorder *recorder, const char *stage);

/* Ends the span begun last. */
void a1_span_end(a1_recorder *recorder);

/* Ends all spans above `depth`, as failed: for the way out after an error. */
void a1_spans_unwind(a1_recorder *recorder, unsigned depth);

#endif
