/* What reports of all formats say in the same words. */
#include "timings/timing_reports.h"

#include <math.h>
#include <string.h>

#include "timings/comparison.h"

static void put_count(a1_text *text, size_t count, const char *what)
{
    a1_text_format(text, "%zu %s%s", count, what, count == 1 ? "" : "s");
}

void a1_put_facts(a1_text *text, const allin1_timing_facts *facts)
{
    put_count(text, facts->runs, "run");
    a1_text_add(text, ", ");
    put_count(text, facts->tracks, "track");
    a1_text_add(text, ", ");
    put_count(text, facts->spans, "span");
    if (facts->resolution > 1.5e-6)
        a1_text_format(text, ", in steps of %g ms", facts->resolution * 1e3);
    if (facts->bad_lines > 0) {
        a1_text_add(text, ", ");
        put_count(text, facts->bad_lines, "line");
        a1_text_add(text, " skipped");
    }
}

void a1_put_expected_briefly(a1_text *text, const allin1_timing_row *row)
{
    if (isnan(row->expected_low))
        return;
    if (isnan(row->expected_high))
        a1_text_format(text, ">=%gx", row->expected_low);
    else if (row->expected_high > row->expected_low)
        a1_text_format(text, "%g-%gx", row->expected_low, row->expected_high);
    else
        a1_text_format(text, "%gx", row->expected_low);
}

void a1_put_interval(a1_text *text, const allin1_timing_row *row)
{
    if (isnan(row->speed_up_low))
        return;
    if (row->speed_up_high < 100)
        a1_text_format(text, "%.2f-%.2f", row->speed_up_low, row->speed_up_high);
    else
        a1_text_format(text, "over %.2f", row->speed_up_low);
}

void a1_put_backends(a1_text *text, const allin1_timing_row *row)
{
    a1_text_add(text, row->before_backend);
    if (strcmp(row->before_backend, row->after_backend) == 0)
        return;
    if (*row->before_backend)
        a1_text_add(text, " -> ");
    a1_text_add(text, *row->after_backend ? row->after_backend : "?");
}

static void put_total(a1_text *text, const allin1_timing_comparison *c)
{
    const allin1_timing_row *total = &c->total;
    a1_text_add(text, "Total: ");
    a1_put_seconds(text, total->before);
    a1_text_add(text, " -> ");
    a1_put_seconds(text, total->after);
    a1_text_add(text, ", ");
    a1_put_speed_up(text, total->speed_up);
    if (total->status == ALLIN1_TIMING_NO_CHANGE) {
        a1_text_add(text, ", which is no change beyond the noise.");
        return;
    }
    a1_text_add(text, total->saved < 0 ? "; lost: " : "; saved: ");
    a1_put_seconds(text, fabs(total->saved));
    if (total->speed_up_low < 1 && total->speed_up_high > 1)
        a1_text_add(text, ", which may be noise");
    a1_text_add(text, ".");
}

static void put_left(a1_text *text, const allin1_timing_comparison *c)
{
    const double low = c->total.after - c->would_be_high, high = c->total.after - c->would_be_low;
    if (!(high > 0)) {
        a1_text_add(text, "Nothing that was promised is left on the table.");
        return;
    }
    a1_text_add(text, "Left on the table: ");
    a1_put_seconds_range(text, low, high);
    a1_text_add(text, ". Without that the total would be ");
    a1_put_seconds_range(text, c->would_be_low, c->would_be_high);
    a1_text_add(text, ", ");
    a1_put_speed_up(text, c->total.before / c->would_be_high);
    if (c->would_be_high - c->would_be_low > 5e-5) {
        a1_text_add(text, " to ");
        a1_put_speed_up(text, c->total.before / c->would_be_low);
    }
    a1_text_add(text, ".");
}

/* Stages that contain others have totals of their own. */
static void put_parts(a1_text *text, const allin1_timing_comparison *c)
{
    bool any = false;
    for (size_t i = 0; i + 1 < c->row_count; i++) {
        const allin1_timing_row *row = &c->rows[i];
        if (row->depth > 0 || c->rows[i + 1].depth == 0 || isnan(row->saved))
            continue;
        a1_text_format(text, "%s%s total: ", any ? " " : "", row->stage);
        a1_put_seconds(text, row->before);
        a1_text_add(text, " -> ");
        a1_put_seconds(text, row->after);
        a1_text_add(text, ", ");
        a1_put_speed_up(text, row->speed_up);
        a1_text_add(text, ".");
        any = true;
    }
}

static void put_noise(a1_text *text, const allin1_timing_comparison *c)
{
    if (isnan(c->total.speed_up_low)) {
        a1_text_format(text,
                       "One run of each: how much they scatter is not known, and differences below "
                       "%.0f %% are taken for noise.",
                       (A1_NOISE_UNKNOWN - 1) * 100);
        return;
    }
    a1_text_format(text, "With 95 %% confidence the total's speed-up lies from %.2fx to %.2fx.",
                   c->total.speed_up_low, c->total.speed_up_high);
}

bool a1_put_conclusion(a1_text *text, const allin1_timing_comparison *c, unsigned n)
{
    bool expected = c->missed > 0;
    for (size_t i = 0; i < c->row_count; i++)
        expected = expected || !isnan(c->rows[i].expected_low);
    switch (n) {
    case 0:
        put_total(text, c);
        return true;
    case 1:
        if (expected)
            put_left(text, c);
        return true;
    case 2:
        put_parts(text, c);
        return true;
    case 3:
        put_noise(text, c);
        return true;
    default:
        return false;
    }
}
