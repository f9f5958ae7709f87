/* One line of timings, checked: what every reader of them works with. */
#ifndef A1_TIMINGS_TIME_RECORD_H
#define A1_TIMINGS_TIME_RECORD_H

#include <stdbool.h>

#include "base/error.h"
#include "timings/interned.h"

/* Facts that say how a stage was computed, each a text or a number that was written. */
typedef enum a1_time_fact {
    A1_FACT_DEVICE,
    A1_FACT_MODEL,
    A1_FACT_MODE,
    A1_FACT_BACKEND_REQUESTED,
    A1_FACT_BACKEND,
    A1_FACT_PRECISION_REQUESTED,
    A1_FACT_PRECISION,
    A1_FACT_FALLBACK,
    A1_FACT_CPU_LEVEL_REQUESTED,
    A1_FACT_CPU_LEVEL,
    A1_FACT_THREADS,
    A1_FACT_HOST,
    A1_FACT_PROCESSOR,
    A1_FACT_VERSION,
    A1_FACTS
} a1_time_fact;

/* The key of the JSON object. */
const char *a1_time_fact_key(a1_time_fact fact);

/* Texts are interned; 0: not written. Times are seconds, NAN when not written. */
typedef struct a1_time_record {
    uint32_t line;
    uint32_t stage, track, run_name;
    uint32_t fact[A1_FACTS];
    bool has_parent_key; /* also when its value was null */
    uint64_t id, parent; /* 0: none */
    double start, end, duration;
    double own, audio_seconds, cpu_seconds;
    bool is_run; /* the sum that ends a run, no stage */
    /* Filled in when the whole is arranged (timings/passes.h). */
    uint32_t run, pass, node;
    int64_t parent_record; /* index, -1 at the top */
    bool contains;         /* others, by their parent's id */
} a1_time_record;

#define A1_TIME_LIMIT 1e9 /* seconds: more is not a time that was measured */

/* Takes one line (no newline in it). What is wrong with it goes to `reason` (of `size` bytes) and
 * gives ALLIN1_ERROR_FORMAT; ALLIN1_ERROR_MEMORY is the other failure. `cut_off`: the file ended in
 * this line. */
allin1_status a1_time_record_parse(a1_time_record *record, a1_interned *strings, const char *line,
                                   size_t length, bool cut_off, char *reason, size_t size);

#endif
