/* The spans of one context: what ran when, at whose cost.
 *
 * Spans nest strictly: the one begun last ends first. A recorder is used by one thread at a time. */
#ifndef A1_TIMINGS_RECORDER_H
#define A1_TIMINGS_RECORDER_H

#include <stdbool.h>

#include <allin1/allin1.h>

#include "base/error.h"

#define A1_SPAN_DEPTH 8

typedef struct a1_open_span {
    allin1_span span; /* filled as far as it is known */
    uint64_t start_ns, cpu_ns, children_ns;
} a1_open_span;

typedef struct a1_recorder {
    allin1_run run;
    allin1_span_fn callback; /* may be NULL */
    void *user;
    const char *model; /* borrowed, for every span */
    const char *track; /* borrowed, of the spans begun from now on; may be NULL */
    double audio_seconds; /* likewise */
    uint64_t spans_begun;
    unsigned depth;
    a1_open_span open[A1_SPAN_DEPTH];
    allin1_span *ended; /* since a1_recorder_restart; strings are borrowed */
    size_t ended_count, ended_capacity;
    bool lost; /* memory ran out for one that ended */
} a1_recorder;

/* Fills id, host and start of the run; the rest of `run` is the caller's. */
void a1_recorder_start(a1_recorder *recorder);
void a1_recorder_finish(a1_recorder *recorder);

/* Forgets the spans that ended so far. */
void a1_recorder_restart(a1_recorder *recorder);

/* Begins a span; `stage` has static storage. What is known only later is set in the span that is
 * returned, which is valid until the span ends: count, mode, backends, precisions, audio_seconds. */
allin1_span *a1_span_begin(a1_recorder *recorder, const char *stage);

/* Ends the span begun last. */
void a1_span_end(a1_recorder *recorder);

/* Ends all spans above `depth`, as failed: for the way out after an error. */
void a1_spans_unwind(a1_recorder *recorder, unsigned depth);

#endif
