/* What each stage of one file cost. */
#include "timings/timing_reports.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "output/result.h"
#include "timings/timing_statistics.h"

static const char *fact_of_all(const allin1_timing_records *t, int fact)
{
    uint32_t value = 0;
    for (size_t i = 0; i < t->count; i++) {
        const uint32_t here = t->records[i].fact[fact];
        if (here && value && here != value)
            return "mixed";
        value = here ? here : value;
    }
    return a1_timings_text(t, value);
}

/* Intervals of the top spans, by run and start. */
typedef struct interval {
    uint32_t run;
    double start, end;
} interval;

static int by_start(const void *a, const void *b)
{
    const interval *x = a, *y = b;
    if (x->run != y->run)
        return x->run < y->run ? -1 : 1;
    return (x->start > y->start) - (x->start < y->start);
}

static allin1_status find_cover(const allin1_timing_records *t, double *covered, a1_error *err)
{
    interval *all = malloc((t->count + 1) * sizeof *all);
    size_t count = 0;
    double inside = 0, whole = 0;
    if (!all)
        return a1_fail_memory(err, "a table");
    for (size_t i = 0; i < t->count; i++)
        if (t->records[i].parent_record < 0 && !isnan(t->records[i].start + t->records[i].end))
            all[count++] = (interval){t->records[i].run, t->records[i].start, t->records[i].end};
    qsort(all, count, sizeof *all, by_start);
    for (size_t i = 0; i < count;) {
        const uint32_t run = all[i].run;
        const double first = all[i].start;
        double reached = first;
        for (; i < count && all[i].run == run; i++) {
            inside += fmax(all[i].end - fmax(all[i].start, reached), 0);
            reached = fmax(reached, all[i].end);
        }
        whole += reached - first;
    }
    free(all);
    *covered = whole > 0 ? inside / whole : NAN;
    return ALLIN1_OK;
}

static allin1_status fill_row(const allin1_timing_records *t, uint32_t number, double total,
                              a1_table_row *row, a1_error *err)
{
    const a1_stage_node *node = &t->nodes[number];
    double *values = malloc((node->sample_count + 1) * sizeof *values);
    if (!values)
        return a1_fail_memory(err, "a table");
    for (size_t i = 0; i < node->sample_count; i++)
        values[i] = t->samples[node->first_sample + i].seconds;
    *row = (a1_table_row){
        .stage = a1_timings_text(t, node->stage),
        .depth = a1_node_depth(t, number),
        .spans = node->spans,
        .passes = node->sample_count,
        .total = node->total,
        .median = a1_median(values, node->sample_count),
        .own = node->own,
        .share = total > 0 ? node->total / total : 0,
        .real_time_factor = node->audio_seconds > 0 ? node->audio_cost / node->audio_seconds : NAN,
        .backend = a1_node_fact(t, node, A1_FACT_BACKEND),
        .precision = a1_node_fact(t, node, A1_FACT_PRECISION),
        .device = a1_node_fact(t, node, A1_FACT_DEVICE),
        .mode = a1_node_fact(t, node, A1_FACT_MODE),
        .fell_back = node->backend_fell_back > 0 || node->precision_fell_back > 0,
    };
    free(values);
    return ALLIN1_OK;
}

allin1_status a1_table_make(const allin1_timing_records *t, a1_table *table, a1_error *err)
{
    *table = (a1_table){.name = t->name,
                        .row_count = t->node_count,
                        .run_lines = t->run_lines,
                        .run_wall = t->run_wall,
                        .run_unaccounted = t->run_unaccounted};
    a1_timings_facts(t, &table->facts);
    for (size_t i = 1; i <= t->node_count; i++)
        table->total += t->nodes[i].parent ? 0 : t->nodes[i].total;
    for (int i = 0; i < A1_FACTS; i++)
        table->facts_of_all[i] = fact_of_all(t, i);
    A1_TRY(find_cover(t, &table->covered, err));
    table->rows = calloc(t->node_count + 1, sizeof *table->rows);
    if (!table->rows)
        return a1_fail_memory(err, "a table");
    for (uint32_t i = 1; i <= t->node_count; i++)
        A1_TRY(fill_row(t, i, table->total, &table->rows[i - 1], err));
    return ALLIN1_OK;
}

const char *allin1_report_format_string(allin1_report_format format)
{
    static const char *const names[] = {"text", "markdown", "json", "html"};
    return (size_t)format < sizeof names / sizeof *names ? names[format] : "unknown";
}

static allin1_status report(allin1_timing_records *timings, allin1_report_format format, char **out,
                            a1_error *err)
{
    static char *(*const writers[])(const a1_table *) = {a1_table_text, a1_table_markdown,
                                                         a1_table_json, a1_table_html};
    a1_table table = {0};
    if ((size_t)format >= sizeof writers / sizeof *writers)
        return a1_fail(err, ALLIN1_ERROR_ARGUMENT, "there is no such format of reports");
    A1_TRY(a1_timings_arrange(timings, err));
    const allin1_status status = a1_table_make(timings, &table, err);
    if (status == ALLIN1_OK)
        *out = writers[format](&table);
    free(table.rows);
    return status == ALLIN1_OK && !*out ? a1_fail_memory(err, "a report") : status;
}

allin1_status allin1_timing_records_report(allin1_timing_records *timings,
                                           allin1_report_format format, char **out,
                                           allin1_error *error)
{
    a1_error err = {0};
    if (out)
        *out = NULL;
    if (!timings || !out)
        return a1_public_error(
            error, &err,
            a1_fail(&err, ALLIN1_ERROR_ARGUMENT, "timings and a place for the report are needed"));
    return a1_public_error(error, &err, report(timings, format, out, &err));
}

allin1_status allin1_timing_comparison_report(const allin1_timing_comparison *comparison,
                                              allin1_report_format format, char **out,
                                              allin1_error *error)
{
    static char *(*const writers[])(const allin1_timing_comparison *) = {
        a1_comparison_text, a1_comparison_markdown, a1_comparison_json, a1_comparison_html};
    a1_error err = {0};
    if (out)
        *out = NULL;
    if (!comparison || !out || (size_t)format >= sizeof writers / sizeof *writers)
        return a1_public_error(error, &err,
                               a1_fail(&err, ALLIN1_ERROR_ARGUMENT,
                                       "a comparison, a format and a place for the report are "
                                       "needed"));
    *out = writers[format](comparison);
    return a1_public_error(error, &err, *out ? ALLIN1_OK : a1_fail_memory(&err, "a report"));
}
