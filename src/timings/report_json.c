/* Reports for programs. */
#include <math.h>

#include "output/json_text.h"
#include "timings/timing_reports.h"

#define MICROSECONDS 6 /* decimals of times */
#define RATIO 4        /* decimals of speed-ups and shares */

static void put_facts(a1_json *json, const char *key, const char *name,
                      const allin1_timing_facts *facts)
{
    a1_json_open(json, key, '{');
    a1_json_string(json, "name", name);
    a1_json_unsigned(json, "runs", facts->runs);
    a1_json_unsigned(json, "tracks", facts->tracks);
    a1_json_unsigned(json, "spans", facts->spans);
    a1_json_unsigned(json, "bad_lines", facts->bad_lines);
    a1_json_decimal(json, "resolution", facts->resolution, MICROSECONDS);
    a1_json_close(json, '}');
}

static void put_row(a1_json *json, const char *key, const allin1_timing_row *row)
{
    a1_json_open(json, key, '{');
    a1_json_string(json, "stage", row->stage);
    a1_json_unsigned(json, "depth", row->depth);
    a1_json_decimal(json, "before", row->before, MICROSECONDS);
    a1_json_decimal(json, "after", row->after, MICROSECONDS);
    a1_json_decimal(json, "saved", row->saved, MICROSECONDS);
    a1_json_decimal(json, "speed_up", row->speed_up, RATIO);
    a1_json_decimal(json, "speed_up_low", row->speed_up_low, RATIO);
    a1_json_decimal(json, "speed_up_high", row->speed_up_high, RATIO);
    a1_json_unsigned(json, "before_runs", row->before_runs);
    a1_json_unsigned(json, "after_runs", row->after_runs);
    a1_json_decimal(json, "expected_low", row->expected_low, RATIO);
    a1_json_decimal(json, "expected_high", row->expected_high, RATIO);
    a1_json_decimal(json, "promised_low", row->promised_low, MICROSECONDS);
    a1_json_decimal(json, "promised_high", row->promised_high, MICROSECONDS);
    a1_json_decimal(json, "left_low", row->left_low, MICROSECONDS);
    a1_json_decimal(json, "left_high", row->left_high, MICROSECONDS);
    a1_json_string(json, "status", allin1_timing_status_string(row->status));
    a1_json_bool(json, "missed", row->missed != 0);
    a1_json_string(json, "before_backend", row->before_backend);
    a1_json_string(json, "after_backend", row->after_backend);
    a1_json_close(json, '}');
}

char *a1_comparison_json(const allin1_timing_comparison *c)
{
    a1_json json;
    a1_json_begin(&json, true);
    a1_json_open(&json, NULL, '{');
    put_facts(&json, "before", c->before_name, &c->before_facts);
    put_facts(&json, "after", c->after_name, &c->after_facts);
    a1_json_open(&json, "stages", '[');
    for (size_t i = 0; i < c->row_count; i++)
        put_row(&json, NULL, &c->rows[i]);
    a1_json_close(&json, ']');
    put_row(&json, "total", &c->total);
    a1_json_decimal(&json, "would_be_low", c->would_be_low, MICROSECONDS);
    a1_json_decimal(&json, "would_be_high", c->would_be_high, MICROSECONDS);
    a1_json_unsigned(&json, "missed", c->missed);
    a1_json_open(&json, "findings", '[');
    for (size_t i = 0; i < c->finding_count; i++) {
        const allin1_finding *finding = &c->findings[i];
        a1_json_open(&json, NULL, '{');
        a1_json_string(&json, "kind", allin1_finding_kind_string(finding->kind));
        a1_json_string(&json, "stage", finding->stage);
        a1_json_string(&json, "title", finding->title);
        a1_json_open(&json, "causes", '[');
        for (size_t k = 0; k < finding->cause_count; k++)
            a1_json_string(&json, NULL, finding->causes[k]);
        a1_json_close(&json, ']');
        a1_json_string(&json, "command", finding->command);
        a1_json_close(&json, '}');
    }
    a1_json_close(&json, ']');
    a1_json_close(&json, '}');
    return a1_json_take(&json);
}

char *a1_table_json(const a1_table *table)
{
    a1_json json;
    a1_json_begin(&json, true);
    a1_json_open(&json, NULL, '{');
    put_facts(&json, "file", table->name, &table->facts);
    a1_json_open(&json, "stages", '[');
    for (size_t i = 0; i < table->row_count; i++) {
        const a1_table_row *row = &table->rows[i];
        a1_json_open(&json, NULL, '{');
        a1_json_string(&json, "stage", row->stage);
        a1_json_unsigned(&json, "depth", row->depth);
        a1_json_unsigned(&json, "count", row->spans);
        a1_json_unsigned(&json, "passes", row->passes);
        a1_json_decimal(&json, "total", row->total, MICROSECONDS);
        a1_json_decimal(&json, "median", row->median, MICROSECONDS);
        a1_json_decimal(&json, "own", row->own, MICROSECONDS);
        a1_json_decimal(&json, "share", row->share, RATIO);
        a1_json_decimal(&json, "real_time_factor", row->real_time_factor, MICROSECONDS);
        a1_json_string(&json, "device", row->device);
        a1_json_string(&json, "mode", row->mode);
        a1_json_string(&json, "backend", row->backend);
        a1_json_string(&json, "precision", row->precision);
        a1_json_bool(&json, "as_asked", !row->fell_back);
        a1_json_close(&json, '}');
    }
    a1_json_close(&json, ']');
    a1_json_decimal(&json, "total", table->total, MICROSECONDS);
    a1_json_decimal(&json, "covered", table->covered, RATIO);
    a1_json_decimal(&json, "wall", table->run_lines > 0 ? table->run_wall : NAN, MICROSECONDS);
    a1_json_decimal(&json, "unaccounted", table->run_lines > 0 ? table->run_unaccounted : NAN,
                    MICROSECONDS);
    a1_json_close(&json, '}');
    return a1_json_take(&json);
}
