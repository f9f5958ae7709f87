/* A run as one JSON document. */
#include "timings/collection.h"

#include <math.h>
#include <string.h>

#include "output/output_file.h"
#include "output/result.h"

#define MICROSECONDS 6 /* decimals */
#define FORMAT_VERSION 1

static void put_runs(a1_json *json, const allin1_timings *timings)
{
    char started[A1_TIME_SIZE];
    a1_json_open(json, "runs", '[');
    for (const a1_kept_run *r = timings->runs; r; r = r->next) {
        a1_json_open(json, NULL, '{');
        a1_json_string(json, "run", r->run.id);
        a1_format_time(started, r->run.started);
        a1_json_string(json, "started", started);
        a1_run_put(json, &r->run);
        a1_json_close(json, '}');
    }
    a1_json_close(json, ']');
}

static void put_total(a1_json *json, const allin1_span *run)
{
    a1_json_open(json, "total", '{');
    if (run)
        a1_span_put(json, run);
    a1_json_close(json, '}');
}

static void put_stage(a1_json *json, const allin1_stage_total *stage, double wall)
{
    a1_json_open(json, NULL, '{');
    a1_json_string(json, "stage", stage->stage);
    a1_json_unsigned(json, "depth", stage->depth);
    a1_json_unsigned(json, "count", stage->count);
    a1_json_decimal(json, "total", stage->total, MICROSECONDS);
    a1_json_decimal(json, "own", stage->own, MICROSECONDS);
    a1_json_decimal(json, "share", wall > 0 ? stage->own / wall : NAN, MICROSECONDS);
    a1_json_decimal(json, "real_time_factor",
                    stage->audio_seconds > 0 ? stage->total / stage->audio_seconds : NAN,
                    MICROSECONDS);
    a1_json_decimal(json, "cpu_seconds", stage->cpu_seconds, MICROSECONDS);
    a1_json_decimal(json, "gflops",
                    stage->operations > 0 && stage->total > 0
                        ? stage->operations * 1e-9 / stage->total
                        : NAN,
                    MICROSECONDS);
    a1_json_string(json, "backend_requested", stage->backend_requested);
    a1_json_string(json, "backend", stage->backend);
    a1_json_string(json, "precision_requested", stage->precision_requested);
    a1_json_string(json, "precision", stage->precision);
    a1_json_string(json, "fallback", stage->fallback);
    a1_json_close(json, '}');
}

static void put_work(a1_json *json, const allin1_span *span)
{
    a1_json_open(json, "work", '[');
    for (size_t i = 0; i < span->work_count; i++) {
        const allin1_thread_work *work = &span->work[i];
        a1_json_open(json, NULL, '[');
        a1_json_unsigned(json, NULL, work->thread);
        a1_json_decimal(json, NULL, work->start, MICROSECONDS);
        a1_json_decimal(json, NULL, work->end, MICROSECONDS);
        a1_json_decimal(json, NULL, work->busy, MICROSECONDS);
        a1_json_close(json, ']');
    }
    a1_json_close(json, ']');
}

char *allin1_timings_json(allin1_timings *timings)
{
    const allin1_span *run = allin1_timings_total(timings, 0);
    allin1_stage_total *stages;
    size_t count;
    if (allin1_timings_stages(timings, &stages, &count, NULL) != ALLIN1_OK)
        return NULL;
    a1_json json;
    a1_json_begin(&json, false);
    a1_json_open(&json, NULL, '{');
    a1_json_string(&json, "format", "allin1 timings");
    a1_json_unsigned(&json, "format_version", FORMAT_VERSION);
    a1_json_bool(&json, "incomplete", timings->lost);
    put_runs(&json, timings);
    put_total(&json, run);
    a1_json_open(&json, "stages", '[');
    for (size_t i = 0; i < count; i++)
        put_stage(&json, &stages[i], run->end - run->start);
    a1_json_close(&json, ']');
    a1_json_open(&json, "spans", '[');
    for (size_t i = 0; i < timings->count; i++) {
        a1_json_open(&json, NULL, '{');
        a1_span_put(&json, &timings->spans[i]);
        put_work(&json, &timings->spans[i]);
        a1_json_close(&json, '}');
    }
    a1_json_close(&json, ']');
    a1_json_close(&json, '}');
    allin1_stage_totals_free(&stages);
    return a1_json_take(&json);
}

static allin1_status save(char *text, const char *path, allin1_error *error)
{
    a1_error err = {0};
    const allin1_status status = text ? a1_output_whole(path, text, strlen(text), &err)
                                      : a1_fail_memory(&err, "the timings");
    allin1_string_free(text);
    return a1_public_error(error, &err, status);
}

allin1_status allin1_timings_save_json(allin1_timings *timings, const char *path,
                                       allin1_error *error)
{
    return save(allin1_timings_json(timings), path, error);
}

allin1_status allin1_timings_save_trace(allin1_timings *timings, const char *path,
                                        allin1_error *error)
{
    return save(allin1_timings_trace(timings), path, error);
}
