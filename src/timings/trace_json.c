/* A run in the Chrome trace format ("Trace Event Format"), which Perfetto and speedscope read: an object
 * with "traceEvents"; complete events (ph "X") with ts and dur in microseconds, which nest on each
 * thread; metadata events (ph "M") that name process and threads. */
#include "timings/collection.h"

#include <stdio.h>

#define PROCESS 1
#define STAGES_THREAD 1       /* the row of the stages */
#define FIRST_WORKER_THREAD 2 /* thread 0 of the pool, and so on */
#define NANOSECONDS 3         /* decimals of a microsecond */

static void put_head(a1_json *json, const char *name, const char *phase, unsigned thread)
{
    a1_json_open(json, NULL, '{');
    a1_json_string(json, "name", name);
    a1_json_string(json, "ph", phase);
    a1_json_unsigned(json, "pid", PROCESS);
    a1_json_unsigned(json, "tid", thread);
}

static void put_name(a1_json *json, const char *what, unsigned thread, const char *name)
{
    put_head(json, what, "M", thread);
    a1_json_open(json, "args", '{');
    a1_json_string(json, "name", name);
    a1_json_close(json, '}');
    a1_json_close(json, '}');
}

static void put_names(a1_json *json, unsigned threads)
{
    put_name(json, "process_name", STAGES_THREAD, "allin1");
    put_name(json, "thread_name", STAGES_THREAD, "stages");
    for (unsigned t = 0; t < threads; t++) {
        char name[48];
        snprintf(name, sizeof name, t ? "thread %u" : "thread %u (the caller's)", t);
        put_name(json, "thread_name", FIRST_WORKER_THREAD + t, name);
    }
}

/* Both ends are rounded before they are subtracted, so that what nests still does. */
static void put_interval(a1_json *json, const char *category, double start, double end)
{
    const double from = (double)(long long)(start * 1e9 + 0.5) / 1e3;
    const double to = (double)(long long)(end * 1e9 + 0.5) / 1e3;
    a1_json_string(json, "cat", category);
    a1_json_decimal(json, "ts", from, NANOSECONDS);
    a1_json_decimal(json, "dur", to > from ? to - from : 0, NANOSECONDS);
}

static void put_span(a1_json *json, const allin1_span *span, double origin)
{
    put_head(json, span->stage, "X", STAGES_THREAD);
    put_interval(json, "stage", span->start - origin, span->end - origin);
    a1_json_open(json, "args", '{');
    a1_span_put(json, span);
    a1_json_close(json, '}');
    a1_json_close(json, '}');
}

static void put_work(a1_json *json, const allin1_span *span, double origin)
{
    for (size_t i = 0; i < span->work_count; i++) {
        const allin1_thread_work *work = &span->work[i];
        put_head(json, span->stage, "X", FIRST_WORKER_THREAD + work->thread);
        put_interval(json, "work", work->start - origin, work->end - origin);
        a1_json_open(json, "args", '{');
        if (span->track)
            a1_json_string(json, "track", span->track);
        a1_json_decimal(json, "busy", work->busy, 6);
        a1_json_close(json, '}');
        a1_json_close(json, '}');
    }
}

char *allin1_timings_trace(allin1_timings *timings)
{
    const allin1_span *run = allin1_timings_total(timings, 0);
    unsigned threads = 0;
    for (const a1_kept_run *r = timings->runs; r; r = r->next)
        threads = r->run.threads > threads ? r->run.threads : threads;
    a1_json json;
    a1_json_begin(&json, false);
    a1_json_open(&json, NULL, '{');
    a1_json_string(&json, "displayTimeUnit", "ms");
    a1_json_open(&json, "otherData", '{');
    if (run) {
        char started[A1_TIME_SIZE];
        a1_format_time(started, run->wall_start);
        a1_json_string(&json, "started", started);
        a1_run_put(&json, run->run);
    }
    a1_json_close(&json, '}');
    a1_json_open(&json, "traceEvents", '[');
    put_names(&json, threads);
    for (size_t i = 0; i < timings->count; i++) {
        put_span(&json, &timings->spans[i], run->start);
        put_work(&json, &timings->spans[i], run->start);
    }
    a1_json_close(&json, ']');
    a1_json_close(&json, '}');
    return a1_json_take(&json);
}
