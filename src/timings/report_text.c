/* Reports for a terminal. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "timings/comparison.h"
#include "timings/timing_reports.h"

#define WIDTH 98
#define STAGE_COLUMNS 28
#define BACKEND_COLUMNS 22
#define MAX_INDENT 5

/* Pieces -----------------------------------------------------------------------------------------
 */

/* Characters of UTF-8, as good as columns for the names of stages. */
static int columns_of(const char *text)
{
    int columns = 0;
    for (; *text; text++)
        columns += ((unsigned char)*text & 0xc0) != 0x80;
    return columns;
}

static void put_spaces(a1_text *out, int count)
{
    for (; count > 0; count--)
        a1_text_add(out, " ");
}

/* At most `columns` wide, and filled up to it unless it is the last of its line. */
static void put_cell(a1_text *out, const char *text, int columns, bool last)
{
    const int width = columns_of(text);
    if (width <= columns) {
        a1_text_add(out, text);
        put_spaces(out, last ? 0 : columns - width);
        return;
    }
    int left = columns - 2;
    for (; left > 0; left--) {
        size_t length = 1;
        while (((unsigned char)text[length] & 0xc0) == 0x80)
            length++;
        a1_text_put(out, text, length);
        text += length;
    }
    a1_text_add(out, "..");
}

static void put_stage(a1_text *out, const char *stage, unsigned depth)
{
    const int indent = 2 * (int)(depth < 5 ? depth : 5);
    put_spaces(out, indent);
    put_cell(out, stage, STAGE_COLUMNS - indent, false);
}

/* The text of a small buffer, right-aligned; empties it. */
static void put_right(a1_text *out, a1_text *cell, int columns)
{
    char *text = a1_text_take(cell, NULL);
    if (!text) {
        out->failed = true;
        return;
    }
    put_spaces(out, columns - columns_of(text));
    a1_text_add(out, text);
    free(text);
}

/* A paragraph of words, the first line after `lead`, the others indented as far. */
static void put_wrapped(a1_text *out, const char *lead, const char *text)
{
    const int indent = columns_of(lead) > MAX_INDENT ? 3 : columns_of(lead);
    int at = columns_of(lead);
    bool any = false;
    a1_text_add(out, lead);
    while (*text) {
        const size_t length = strcspn(text, " ");
        char *word = strndup(text, length);
        if (!word) {
            out->failed = true;
            return;
        }
        const int width = columns_of(word);
        if (any && at + 1 + width > WIDTH) {
            a1_text_add(out, "\n");
            put_spaces(out, indent);
            at = indent;
        } else if (any) {
            a1_text_add(out, " ");
            at++;
        }
        any = true;
        a1_text_add(out, word);
        free(word);
        at += width;
        text += length;
        text += strspn(text, " ");
    }
    a1_text_add(out, "\n");
}

static void put_wrapped_text(a1_text *out, const char *lead, a1_text *text)
{
    char *bytes = a1_text_take(text, NULL);
    if (!bytes) {
        out->failed = true;
        return;
    }
    if (*bytes)
        put_wrapped(out, lead, bytes);
    free(bytes);
}

static void put_source(a1_text *out, const char *label, const char *name,
                       const allin1_timing_facts *facts)
{
    a1_text_add(out, label);
    a1_text_add(out, name);
    a1_text_add(out, ": ");
    a1_put_facts(out, facts);
    a1_text_add(out, "\n");
}

/* Milliseconds while all of a table stays below ten seconds. */
static bool in_milliseconds(double largest)
{
    return largest < 10;
}

static void put_time(a1_text *cell, double seconds, bool milliseconds)
{
    if (isnan(seconds))
        a1_text_add(cell, "-");
    else if (milliseconds && seconds != 0 && fabs(seconds) < A1_SHORT_TIME)
        a1_text_format(cell, "%.0f us", seconds * 1e6);
    else if (milliseconds)
        a1_text_format(cell, "%.1f ms", seconds * 1e3);
    else
        a1_text_format(cell, "%.3f s", seconds);
}

/* The comparison ---------------------------------------------------------------------------------
 */

static void put_row(a1_text *out, const allin1_timing_row *row, bool milliseconds, bool intervals)
{
    a1_text cell = {0};
    put_stage(out, row->stage, row->depth);
    put_time(&cell, row->before, milliseconds);
    put_right(out, &cell, 11);
    put_time(&cell, row->after, milliseconds);
    put_right(out, &cell, 11);
    put_time(&cell, row->saved, milliseconds);
    put_right(out, &cell, 11);
    if (isnan(row->speed_up))
        a1_text_add(&cell, "-");
    else
        a1_put_speed_up(&cell, row->speed_up);
    put_right(out, &cell, 9);
    if (intervals) {
        a1_put_interval(&cell, row);
        put_right(out, &cell, 12);
    }
    a1_put_expected_briefly(&cell, row);
    put_right(out, &cell, 10);
    a1_text_format(out, "  %s\n", allin1_timing_status_string(row->status));
}

static void put_table(a1_text *out, const allin1_timing_comparison *c)
{
    bool intervals = !isnan(c->total.speed_up_low);
    const bool milliseconds = in_milliseconds(fmax(c->total.before, c->total.after));
    for (size_t i = 0; i < c->row_count; i++)
        intervals = intervals || !isnan(c->rows[i].speed_up_low);
    put_cell(out, "stage", STAGE_COLUMNS, false);
    a1_text_format(out, "%11s%11s%11s%9s", "before", "after", "saved", "speed-up");
    if (intervals)
        a1_text_format(out, "%12s", "95 %");
    a1_text_format(out, "%10s  status\n", "expected");
    for (size_t i = 0; i < c->row_count; i++)
        put_row(out, &c->rows[i], milliseconds, intervals);
    put_row(out, &c->total, milliseconds, intervals);
}

/* The backends, where they are recorded. */
static void put_backend_lines(a1_text *out, const allin1_timing_comparison *c)
{
    bool any = false;
    for (size_t i = 0; i < c->row_count; i++) {
        const allin1_timing_row *row = &c->rows[i];
        if (!*row->before_backend && !*row->after_backend)
            continue;
        a1_text_format(out, "%s%s ", any ? "; " : "\nBackends: ", row->stage);
        a1_put_backends(out, row);
        any = true;
    }
    if (any)
        a1_text_add(out, "\n");
}

static void put_findings(a1_text *out, const allin1_timing_comparison *c)
{
    for (size_t i = 0; i < c->finding_count; i++) {
        const allin1_finding *finding = &c->findings[i];
        char lead[48];
        snprintf(lead, sizeof lead, "%zu. %s", i + 1,
                 finding->kind == ALLIN1_FINDING_SUSPICION ? "Suspicion: " : "");
        if (i == 0)
            a1_text_add(out, "\nFindings\n");
        put_wrapped(out, lead, finding->title);
        for (size_t k = 0; k < finding->cause_count; k++)
            if (*finding->causes[k])
                put_wrapped(out, "   - ", finding->causes[k]);
        if (*finding->command)
            a1_text_format(out, "     $ %s\n", finding->command);
    }
}

char *a1_comparison_text(const allin1_timing_comparison *c)
{
    a1_text out = {0}, sentence = {0};
    put_source(&out, "before  ", c->before_name, &c->before_facts);
    put_source(&out, "after   ", c->after_name, &c->after_facts);
    a1_text_add(&out, "\n");
    put_table(&out, c);
    put_backend_lines(&out, c);
    put_findings(&out, c);
    a1_text_add(&out, "\n");
    for (unsigned n = 0; a1_put_conclusion(&sentence, c, n); n++)
        put_wrapped_text(&out, "", &sentence);
    return a1_text_take(&out, NULL);
}

/* One file ---------------------------------------------------------------------------------------
 */

static void put_table_facts(a1_text *out, const a1_table *table)
{
    static const struct {
        a1_time_fact fact;
        const char *before, *behind;
    } shown[] = {{A1_FACT_PROCESSOR, "", ""},       {A1_FACT_CPU_LEVEL, "level ", ""},
                 {A1_FACT_THREADS, "", " threads"}, {A1_FACT_DEVICE, "device ", ""},
                 {A1_FACT_MODEL, "model ", ""},     {A1_FACT_VERSION, "version ", ""}};
    bool any = false;
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
        const char *value = table->facts_of_all[shown[i].fact];
        if (!*value)
            continue;
        a1_text_format(out, "%s%s%s%s", any ? ", " : "", shown[i].before, value, shown[i].behind);
        any = true;
    }
    if (any)
        a1_text_add(out, "\n");
}

/* "fast", "bf16", the mode when there is nothing else; a mark when it is not what was asked for. */
static void put_how(a1_text *cell, const a1_table_row *row)
{
    a1_text_add(cell, row->backend);
    if (*row->precision)
        a1_text_format(cell, "%s%s", *row->backend ? ", " : "", row->precision);
    if (!*row->backend && !*row->precision)
        a1_text_add(cell, row->mode);
    if (row->fell_back)
        a1_text_add(cell, " (not as asked)");
}

static void put_table_row(a1_text *out, const a1_table_row *row, bool milliseconds)
{
    a1_text cell = {0};
    put_stage(out, row->stage, row->depth);
    if (row->spans > 0) {
        a1_text_format(&cell, "%zu", row->spans);
        put_right(out, &cell, 6);
    } else {
        put_spaces(out, 6);
    }
    put_time(&cell, row->total, milliseconds);
    put_right(out, &cell, 12);
    put_time(&cell, row->median, milliseconds);
    put_right(out, &cell, 12);
    a1_text_format(&cell, "%.1f %%", row->share * 100);
    put_right(out, &cell, 9);
    if (isnan(row->real_time_factor))
        a1_text_add(&cell, "-");
    else
        a1_text_format(&cell, "%.4f", row->real_time_factor);
    put_right(out, &cell, 10);
    put_how(&cell, row);
    char *how = a1_text_take(&cell, NULL);
    if (how && *how) {
        a1_text_add(out, "  ");
        put_cell(out, how, BACKEND_COLUMNS, true);
    }
    out->failed = out->failed || !how;
    free(how);
    a1_text_add(out, "\n");
}

char *a1_table_text(const a1_table *table)
{
    a1_text out = {0}, cell = {0};
    const bool milliseconds = in_milliseconds(table->total);
    put_source(&out, "", table->name, &table->facts);
    put_table_facts(&out, table);
    a1_text_add(&out, "\n");
    put_cell(&out, "stage", STAGE_COLUMNS, false);
    a1_text_format(&out, "%6s%12s%12s%9s%10s  %s\n", "count", "total", "median", "share",
                   "real time", "how");
    for (size_t i = 0; i < table->row_count; i++)
        put_table_row(&out, &table->rows[i], milliseconds);
    put_cell(&out, "total", STAGE_COLUMNS + 6, false);
    put_time(&cell, table->total, milliseconds);
    put_right(&out, &cell, 12);
    a1_text_add(&out, "\n\nInner stages are part of the one above them. ");
    a1_text_add(&out, "Real time: cost of a second of audio.\n");
    if (table->run_lines > 0 && table->run_wall > 0) {
        a1_text_add(&out, "The runs lasted ");
        a1_put_seconds(&out, table->run_wall);
        a1_text_format(&out, "; %.2f %% of that no stage explains.\n",
                       table->run_unaccounted / table->run_wall * 100);
    } else if (!isnan(table->covered))
        a1_text_format(&out,
                       "Spans cover %.1f %% of the time from each run's first start to its "
                       "last end.\n",
                       floor(table->covered * 1000) / 10);
    return a1_text_take(&out, NULL);
}
