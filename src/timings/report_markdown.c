/* Reports in Markdown, with tables as GitHub has them. */
#include <math.h>
#include <stdlib.h>

#include "timings/comparison.h"
#include "timings/timing_reports.h"

#define INDENT "&nbsp;&nbsp;" /* of a stage inside another */

static void put_stage(a1_text *out, const char *stage, unsigned depth)
{
    a1_text_add(out, "| ");
    for (unsigned i = 0; i < depth; i++)
        a1_text_add(out, INDENT);
    a1_text_markdown(out, stage);
    a1_text_add(out, " | ");
}

static void put_time(a1_text *out, double seconds)
{
    if (isnan(seconds))
        a1_text_add(out, "-");
    else
        a1_put_seconds(out, seconds);
    a1_text_add(out, " | ");
}

static void put_escaped(a1_text *out, a1_text *text)
{
    char *bytes = a1_text_take(text, NULL);
    out->failed = out->failed || !bytes;
    if (bytes)
        a1_text_markdown(out, bytes);
    free(bytes);
}

static void put_row(a1_text *out, const allin1_timing_row *row)
{
    a1_text text = {0};
    put_stage(out, row->stage, row->depth);
    put_time(out, row->before);
    put_time(out, row->after);
    put_time(out, row->saved);
    if (isnan(row->speed_up))
        a1_text_add(out, "-");
    else
        a1_put_speed_up(out, row->speed_up);
    if (!isnan(row->speed_up_low)) {
        a1_text_add(out, " (");
        a1_put_interval(out, row);
        a1_text_add(out, ")");
    }
    a1_text_add(out, " | ");
    a1_put_expected_briefly(&text, row);
    put_escaped(out, &text);
    a1_text_add(out, " | ");
    a1_put_backends(&text, row);
    put_escaped(out, &text);
    a1_text_format(out, row->missed ? " | **%s** |\n" : " | %s |\n",
                   allin1_timing_status_string(row->status));
}

static void put_source(a1_text *out, const char *label, const char *name,
                       const allin1_timing_facts *facts)
{
    a1_text_format(out, "* %s: ", label);
    a1_text_markdown(out, name);
    a1_text_add(out, " (");
    a1_put_facts(out, facts);
    a1_text_add(out, ")\n");
}

static void put_finding(a1_text *out, size_t number, const allin1_finding *finding)
{
    a1_text_format(out, "%zu. **%s", number,
                   finding->kind == ALLIN1_FINDING_SUSPICION ? "Suspicion: " : "");
    a1_text_markdown(out, finding->title);
    a1_text_add(out, "**\n");
    for (size_t k = 0; k < finding->cause_count; k++) {
        if (!*finding->causes[k])
            continue;
        a1_text_add(out, "   * ");
        a1_text_markdown(out, finding->causes[k]);
        a1_text_add(out, "\n");
    }
    if (*finding->command)
        a1_text_format(out, "\n   ```sh\n   %s\n   ```\n", finding->command);
}

char *a1_comparison_markdown(const allin1_timing_comparison *c)
{
    a1_text out = {0}, text = {0};
    a1_text_add(&out, "# Timings compared\n\n");
    put_source(&out, "before", c->before_name, &c->before_facts);
    put_source(&out, "after", c->after_name, &c->after_facts);
    a1_text_add(&out, "\n| stage | before | after | saved | speed-up | expected | backend | status "
                      "|\n|---|--:|--:|--:|--:|--:|---|---|\n");
    for (size_t i = 0; i < c->row_count; i++)
        put_row(&out, &c->rows[i]);
    put_row(&out, &c->total);
    a1_text_add(&out, "\n");
    for (unsigned n = 0; a1_put_conclusion(&text, c, n); n++) {
        if (text.used > 0) {
            put_escaped(&out, &text);
            a1_text_add(&out, "\n");
        }
    }
    if (c->finding_count > 0)
        a1_text_add(&out, "\n## Findings\n\n");
    for (size_t i = 0; i < c->finding_count; i++)
        put_finding(&out, i + 1, &c->findings[i]);
    out.failed = out.failed || text.failed;
    return a1_text_take(&out, NULL);
}

char *a1_table_markdown(const a1_table *table)
{
    a1_text out = {0};
    a1_text_add(&out, "# Timings\n\n");
    put_source(&out, "file", table->name, &table->facts);
    a1_text_add(&out,
                "\n| stage | count | total | median | share | real time | backend | precision "
                "|\n|---|--:|--:|--:|--:|--:|---|---|\n");
    for (size_t i = 0; i < table->row_count; i++) {
        const a1_table_row *row = &table->rows[i];
        put_stage(&out, row->stage, row->depth);
        a1_text_format(&out, "%zu | ", row->spans);
        put_time(&out, row->total);
        put_time(&out, row->median);
        a1_text_format(&out, "%.1f %% | ", row->share * 100);
        if (isnan(row->real_time_factor))
            a1_text_add(&out, "-");
        else
            a1_text_format(&out, "%.4f", row->real_time_factor);
        a1_text_add(&out, " | ");
        a1_text_markdown(&out, row->backend);
        a1_text_add(&out, " | ");
        a1_text_markdown(&out, row->precision);
        a1_text_add(&out, row->fell_back ? " (not as asked) |\n" : " |\n");
    }
    a1_text_add(&out, "| total |  | ");
    put_time(&out, table->total);
    a1_text_add(&out, " |  |  |  |  |\n");
    return a1_text_take(&out, NULL);
}
