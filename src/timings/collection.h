/* The inside of an allin1_timings. */
#ifndef A1_TIMINGS_COLLECTION_H
#define A1_TIMINGS_COLLECTION_H

#include <stdbool.h>

#include <allin1/timings.h>

#include "base/error.h"
#include "output/json_text.h"

#define A1_STRING_BUCKETS 1024

typedef struct a1_kept_run {
    struct a1_kept_run *next; /* older */
    allin1_run run;
} a1_kept_run;

typedef struct a1_kept_string {
    struct a1_kept_string *next;
    char text[];
} a1_kept_string;

struct allin1_timings {
    allin1_span *spans; /* `work` is owned, strings and runs are the collection's */
    size_t count, capacity;
    a1_kept_run *runs;  /* the newest first */
    a1_kept_string *strings[A1_STRING_BUCKETS];
    size_t work_total; /* stretches in all spans */
    size_t work_limit; /* most stretches of a span */
    bool lost;
    const char *stage, *mode; /* of the caller's piece of work */
    double begun, begun_cpu;
    double ended; /* 0: the run goes on */
    allin1_span total;
};

#define A1_TIME_SIZE 80

/* "2024-01-31T12:00:00.123456Z" of seconds since 1970. */
void a1_format_time(char out[A1_TIME_SIZE], double seconds);

/* The members of a span's JSON object. */
void a1_span_put(a1_json *json, const allin1_span *span);
/* What it tells about its run. */
void a1_run_put(a1_json *json, const allin1_run *run);

/* "song.mp3" of "/music/song.mp3". */
const char *a1_timings_track_name(const char *track);

/* For each span the index of the one that encloses it, SIZE_MAX at the top, to be freed; NULL when
 * memory ran out. */
size_t *a1_timings_parents(const allin1_timings *timings);

#endif
