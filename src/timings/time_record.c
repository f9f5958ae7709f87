#include "timings/time_record.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <allin1/allin1.h>

/* The reference rounds start, end and duration to 10 ms each, so that they disagree by up to 15 ms.
 */
#define ROUNDING 0.0151

static const char *const fact_keys[A1_FACTS] = {
    "device",
    "model",
    "mode",
    "backend_requested",
    "backend",
    "precision_requested",
    "precision",
    "fallback",
    "cpu_level_requested",
    "cpu_level",
    "threads",
    "host",
    "processor",
    "version",
};

const char *a1_time_fact_key(a1_time_fact fact)
{
    return fact_keys[fact];
}

/* The number under a key, NAN when there is none. */
static double number_of(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

static uint64_t identifier_of(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    const json_int_t number = json_is_integer(value) ? json_integer_value(value) : 0;
    return number > 0 ? (uint64_t)number : 0;
}

/* A text, or a number as it would be written. */
static bool intern_value(a1_interned *strings, const json_t *value, uint32_t *number)
{
    char digits[32];
    *number = 0;
    if (json_is_string(value))
        return a1_intern(strings, json_string_value(value), number);
    if (!json_is_integer(value))
        return true;
    snprintf(digits, sizeof digits, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    return a1_intern(strings, digits, number);
}

/* "demix: demucs-mlx" is the stage demix in the mode demucs-mlx. */
static bool read_names(a1_time_record *record, a1_interned *strings, const json_t *object)
{
    char stage[A1_INTERNED_LIMIT + 1];
    const char *text = json_string_value(json_object_get(object, "stage"));
    const size_t length = strcspn(text, ":");
    const char *mode = text[length] ? text + length + 1 : NULL;
    snprintf(stage, sizeof stage, "%.*s", (int)(length < sizeof stage ? length : sizeof stage - 1),
             text);
    if (!a1_intern(strings, length > 0 ? stage : text, &record->stage) ||
        !intern_value(strings, json_object_get(object, "track"), &record->track) ||
        !intern_value(strings, json_object_get(object, "run"), &record->run_name))
        return false;
    for (int i = 0; i < A1_FACTS; i++)
        if (!intern_value(strings, json_object_get(object, fact_keys[i]), &record->fact[i]))
            return false;
    if (mode && length > 0 && !record->fact[A1_FACT_MODE])
        return a1_intern(strings, mode + strspn(mode, " "), &record->fact[A1_FACT_MODE]);
    return true;
}

/* Whether the times make sense; else says why not. */
static bool check_times(a1_time_record *r, char *reason, size_t size)
{
    if (isnan(r->duration) && (isnan(r->start) || isnan(r->end))) {
        snprintf(reason, size, "neither a duration nor a start and an end");
        return false;
    }
    if (fabs(r->start) > A1_TIME_LIMIT || fabs(r->end) > A1_TIME_LIMIT ||
        fabs(r->duration) > A1_TIME_LIMIT) {
        snprintf(reason, size, "a time is out of range");
        return false;
    }
    if (r->duration < 0) {
        snprintf(reason, size, "the duration is negative: %.6g s", r->duration);
        return false;
    }
    if (r->end < r->start) {
        snprintf(reason, size, "ends (%.6f s) before it starts (%.6f s): the clock went backwards",
                 r->end, r->start);
        return false;
    }
    const double span = r->end - r->start;
    if (isnan(r->duration))
        r->duration = span;
    if (fabs(span - r->duration) > ROUNDING + 1e-6 * r->duration) {
        snprintf(reason, size, "the duration, %.6g s, is not the end less the start, %.6g s",
                 r->duration, span);
        return false;
    }
    return true;
}

static double positive(double value)
{
    return value >= 0 && value <= A1_TIME_LIMIT ? value : NAN;
}

static allin1_status read_object(a1_time_record *record, a1_interned *strings, const json_t *object,
                                 char *reason, size_t size)
{
    const char *stage = json_string_value(json_object_get(object, "stage"));
    if (!json_is_object(object) || !stage || !*stage) {
        snprintf(reason, size, "%s: not a record of timings",
                 json_is_object(object) ? "no \"stage\"" : "not a JSON object");
        return ALLIN1_ERROR_FORMAT;
    }
    record->start = number_of(object, "start");
    record->end = number_of(object, "end");
    record->duration = number_of(object, "duration");
    if (!check_times(record, reason, size))
        return ALLIN1_ERROR_FORMAT;
    record->own = positive(number_of(object, "own"));
    record->cpu_seconds = positive(number_of(object, "cpu_seconds"));
    record->audio_seconds = positive(number_of(object, "audio_seconds"));
    record->is_run = strcmp(stage, ALLIN1_STAGE_RUN) == 0 && json_object_get(object, "accounted");
    record->id = identifier_of(object, "id");
    record->parent = identifier_of(object, "parent");
    record->has_parent_key = json_object_get(object, "parent") != NULL;
    return read_names(record, strings, object) ? ALLIN1_OK : ALLIN1_ERROR_MEMORY;
}

allin1_status a1_time_record_parse(a1_time_record *record, a1_interned *strings, const char *line,
                                   size_t length, bool cut_off, char *reason, size_t size)
{
    json_error_t error;
    *record = (a1_time_record){.parent_record = -1};
    json_t *object = json_loadb(line, length, 0, &error);
    if (!object) {
        if (json_error_code(&error) == json_error_out_of_memory)
            return ALLIN1_ERROR_MEMORY;
        const bool cut = cut_off || json_error_code(&error) == json_error_premature_end_of_input;
        snprintf(reason, size, "%snot JSON: column %d: %s", cut ? "the line is cut off: " : "",
                 error.column, error.text);
        return ALLIN1_ERROR_FORMAT;
    }
    const allin1_status status = read_object(record, strings, object, reason, size);
    json_decref(object);
    return status;
}
