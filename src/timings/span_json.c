#include <allin1/allin1.h>

#include <math.h>
#include <stdio.h>
#include <time.h>

#include "output/json_text.h"

#define MICROSECONDS 6 /* decimals */

/* "2024-01-31T12:00:00.123456Z". */
static void format_time(char *out, size_t size, double seconds)
{
    const double whole = floor(seconds);
    const time_t clock = (time_t)whole;
    const int micro = (int)fmin(floor((seconds - whole) * 1e6), 999999);
    struct tm utc;
    if (!gmtime_r(&clock, &utc))
        utc = (struct tm){.tm_mday = 1, .tm_year = 70};
    snprintf(out, size, "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", utc.tm_year + 1900, utc.tm_mon + 1,
             utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec, micro);
}

static void put_positive(a1_json *json, const char *key, double value)
{
    a1_json_decimal(json, key, value > 0 ? value : NAN, MICROSECONDS);
}

char *allin1_span_json(const allin1_span *span)
{
    const double duration = span->end - span->start;
    const allin1_run *run = span->run;
    char wall_start[80];
    format_time(wall_start, sizeof wall_start, span->wall_start);

    a1_json json;
    a1_json_begin(&json, false);
    a1_json_open(&json, NULL, '{');
    a1_json_string(&json, "stage", span->stage);
    a1_json_decimal(&json, "start", span->start, MICROSECONDS);
    a1_json_decimal(&json, "end", span->end, MICROSECONDS);
    a1_json_decimal(&json, "duration", duration, MICROSECONDS);
    a1_json_string(&json, "device", span->device);
    a1_json_string(&json, "model", span->model);
    /* The reference leaves these three out where they have no meaning. */
    if (span->track)
        a1_json_string(&json, "track", span->track);
    if (span->count > 0)
        a1_json_unsigned(&json, "count", span->count);
    if (span->mode)
        a1_json_string(&json, "mode", span->mode);

    a1_json_string(&json, "run", run->id);
    a1_json_unsigned(&json, "id", span->id);
    if (span->parent > 0)
        a1_json_unsigned(&json, "parent", span->parent);
    else
        a1_json_null(&json, "parent");
    a1_json_decimal(&json, "own", span->own, MICROSECONDS);
    a1_json_string(&json, "wall_start", wall_start);
    a1_json_string(&json, "host", run->host);
    a1_json_string(&json, "processor", run->processor);
    a1_json_string(&json, "version", run->version);
    a1_json_string(&json, "cpu_level_requested", allin1_cpu_level_string(run->cpu_level_requested));
    a1_json_string(&json, "cpu_level", allin1_cpu_level_string(run->cpu_level));
    a1_json_unsigned(&json, "threads_requested", run->threads_requested);
    a1_json_unsigned(&json, "threads", run->threads);
    a1_json_string(&json, "backend_requested", span->backend_requested);
    a1_json_string(&json, "backend", span->backend);
    a1_json_string(&json, "precision_requested", span->precision_requested);
    a1_json_string(&json, "precision", span->precision);
    put_positive(&json, "audio_seconds", span->audio_seconds);
    put_positive(&json, "real_time_factor",
                 span->audio_seconds > 0 ? duration / span->audio_seconds : 0);
    a1_json_decimal(&json, "cpu_seconds", span->cpu_seconds, MICROSECONDS);
    a1_json_unsigned(&json, "peak_memory", span->peak_memory);
    a1_json_close(&json, '}');
    return a1_json_take(&json);
}
