#include "timings/collection.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define MICROSECONDS 6 /* decimals */
#define DIFFERENCE_DECIMALS 9

void a1_format_time(char out[A1_TIME_SIZE], double seconds)
{
    const double whole = floor(seconds);
    const time_t clock = (time_t)whole;
    const int micro = (int)fmin(floor((seconds - whole) * 1e6), 999999);
    struct tm utc;
    if (!gmtime_r(&clock, &utc))
        utc = (struct tm){.tm_mday = 1, .tm_year = 70};
    snprintf(out, A1_TIME_SIZE, "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", utc.tm_year + 1900, utc.tm_mon + 1,
             utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec, micro);
}

/* Seconds that each thread worked, in the order of the threads. */
static void put_work(a1_json *json, const allin1_span *span)
{
    if (span->work_count == 0)
        return;
    a1_json_open(json, "thread_busy", '[');
    size_t i = 0;
    for (unsigned thread = 0; thread < span->run->threads; thread++) {
        double busy = 0;
        for (; i < span->work_count && span->work[i].thread == thread; i++)
            busy += span->work[i].busy;
        a1_json_decimal(json, NULL, busy, MICROSECONDS);
    }
    a1_json_close(json, ']');
}

static void put_check(a1_json *json, const allin1_span *span)
{
    if (!span->checked)
        return;
    a1_json_decimal(json, "difference_mean", span->difference_mean, DIFFERENCE_DECIMALS);
    a1_json_decimal(json, "difference_max", span->difference_max, DIFFERENCE_DECIMALS);
    a1_json_decimal(json, "snr", span->snr, 2);
    a1_json_bool(json, "breach", span->breach != 0);
}

static void put_positive(a1_json *json, const char *key, double value)
{
    a1_json_decimal(json, key, value > 0 ? value : NAN, MICROSECONDS);
}

void a1_run_put(a1_json *json, const allin1_run *run)
{
    a1_json_string(json, "host", run->host);
    a1_json_string(json, "processor", run->processor);
    a1_json_string(json, "version", run->version);
    a1_json_string(json, "cpu_level_requested", allin1_cpu_level_string(run->cpu_level_requested));
    a1_json_string(json, "cpu_level", allin1_cpu_level_string(run->cpu_level));
    a1_json_unsigned(json, "threads_requested", run->threads_requested);
    a1_json_unsigned(json, "threads", run->threads);
}

/* The reference leaves track, count and mode out where they have no meaning. */
static void put_reference_keys(a1_json *json, const allin1_span *span)
{
    a1_json_string(json, "stage", span->stage);
    a1_json_decimal(json, "start", span->start, MICROSECONDS);
    a1_json_decimal(json, "end", span->end, MICROSECONDS);
    a1_json_decimal(json, "duration", span->end - span->start, MICROSECONDS);
    a1_json_string(json, "device", span->device);
    a1_json_string(json, "model", span->model);
    if (span->track)
        a1_json_string(json, "track", span->track);
    if (span->count > 0)
        a1_json_unsigned(json, "count", span->count);
    if (span->mode)
        a1_json_string(json, "mode", span->mode);
}

void a1_span_put(a1_json *json, const allin1_span *span)
{
    const double duration = span->end - span->start;
    char wall_start[A1_TIME_SIZE];
    a1_format_time(wall_start, span->wall_start);
    put_reference_keys(json, span);
    a1_json_string(json, "run", span->run->id);
    a1_json_unsigned(json, "id", span->id);
    if (span->parent > 0)
        a1_json_unsigned(json, "parent", span->parent);
    else
        a1_json_null(json, "parent");
    a1_json_decimal(json, "own", span->own, MICROSECONDS);
    a1_json_string(json, "wall_start", wall_start);
    a1_run_put(json, span->run);
    a1_json_string(json, "model_requested", span->model_requested);
    a1_json_string(json, "backend_requested", span->backend_requested);
    a1_json_string(json, "backend", span->backend);
    a1_json_string(json, "precision_requested", span->precision_requested);
    a1_json_string(json, "precision", span->precision);
    put_positive(json, "audio_seconds", span->audio_seconds);
    put_positive(json, "real_time_factor",
                 span->audio_seconds > 0 ? duration / span->audio_seconds : 0);
    a1_json_decimal(json, "cpu_seconds", span->cpu_seconds, MICROSECONDS);
    a1_json_unsigned(json, "peak_memory", span->peak_memory);
    if (span->instructions > 0)
        a1_json_unsigned(json, "instructions", span->instructions);
    else
        a1_json_null(json, "instructions");
    put_positive(json, "gflop", span->operations * 1e-9);
    put_positive(json, "gflops", duration > 0 ? span->operations * 1e-9 / duration : 0);
    a1_json_string(json, "fallback", span->fallback);
    put_work(json, span);
    put_check(json, span);
    if (strcmp(span->stage, ALLIN1_STAGE_RUN) == 0) {
        a1_json_decimal(json, "accounted", duration - span->own, MICROSECONDS);
        a1_json_decimal(json, "unaccounted", span->own, MICROSECONDS);
    }
}

char *allin1_span_json(const allin1_span *span)
{
    a1_json json;
    a1_json_begin(&json, false);
    a1_json_open(&json, NULL, '{');
    a1_span_put(&json, span);
    a1_json_close(&json, '}');
    return a1_json_take(&json);
}
