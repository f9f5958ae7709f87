/* Reports as one page that needs nothing beside it: no script, no font, no picture. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "timings/comparison.h"
#include "timings/timing_reports.h"

static const char style[] =
    ":root{color-scheme:light dark;--page:#fff;--ink:#1b1f24;--soft:#57606a;--line:#d0d7de;"
    "--card:#f6f8fa;--before:#8c959f;--after:#0969da;--good:#116329;--bad:#a40e26;--warn:#7d4e00}"
    "@media(prefers-color-scheme:dark){:root{--page:#0d1117;--ink:#e6edf3;--soft:#9da7b3;"
    "--line:#30363d;--card:#161b22;--before:#6e7681;--after:#58a6ff;--good:#56d364;--bad:#ff7b72;"
    "--warn:#e3b341}}"
    "body{margin:0 auto;max-width:72rem;padding:1.5rem;background:var(--page);color:var(--ink);"
    "font:16px/1.5 system-ui,sans-serif}"
    "h1{font-size:1.6rem;margin:0 0 .5rem}h2{font-size:1.2rem;margin:2rem 0 .5rem}"
    ".source{color:var(--soft);margin:.1rem 0;overflow-wrap:anywhere}"
    ".whole{background:var(--card);border:1px solid var(--line);border-radius:8px;"
    "padding:.75rem 1rem;margin:1rem 0}.whole p{margin:.25rem 0}.whole "
    "p:first-child{font-size:1.25rem;"
    "font-weight:600}"
    ".wide{overflow-x:auto}table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-"
    "nums}"
    "caption{text-align:left;color:var(--soft);padding:.25rem 0}"
    "th,td{padding:.3rem .6rem;border-bottom:1px solid "
    "var(--line);text-align:right;white-space:nowrap}"
    "th:first-child,.left{text-align:left}tbody th{font-weight:400}tr.top th{font-weight:600}"
    "tfoot th,tfoot td{font-weight:600;border-bottom:0}"
    ".bars{width:9rem;min-width:5rem}.bar{display:block;height:.45rem;border-radius:2px;margin:2px "
    "0}"
    ".bar.b{background:var(--before)}.bar.a{background:var(--after)}"
    ".good{color:var(--good)}.bad{color:var(--bad);font-weight:600}.warn{color:var(--warn)}"
    "ol{padding-left:1.4rem}li{margin:.6rem 0}li p{margin:.2rem 0}.kind{font-weight:600}"
    "ul{margin:.2rem 0}ul li{margin:.15rem 0;color:var(--soft)}"
    "pre{background:var(--card);border:1px solid var(--line);border-radius:6px;padding:.5rem "
    ".75rem;"
    "overflow-x:auto;margin:.4rem 0}";

void a1_html_begin(a1_text *text, const char *title)
{
    a1_text_add(text, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                      "<title>");
    a1_text_html(text, title);
    a1_text_format(text, "</title>\n<style>%s</style>\n</head>\n<body>\n<main>\n<h1>", style);
    a1_text_html(text, title);
    a1_text_add(text, "</h1>\n");
}

void a1_html_end(a1_text *text)
{
    a1_text_add(text, "</main>\n</body>\n</html>\n");
}

/* Pieces -----------------------------------------------------------------------------------------
 */

static void put_escaped(a1_text *out, a1_text *text)
{
    char *bytes = a1_text_take(text, NULL);
    out->failed = out->failed || !bytes;
    if (bytes)
        a1_text_html(out, bytes);
    free(bytes);
}

static void put_source(a1_text *out, const char *label, const char *name,
                       const allin1_timing_facts *facts)
{
    a1_text text = {0};
    a1_text_format(out, "<p class=\"source\">%s ", label);
    a1_text_html(out, name);
    a1_text_add(out, ": ");
    a1_put_facts(&text, facts);
    put_escaped(out, &text);
    a1_text_add(out, "</p>\n");
}

static void put_time(a1_text *out, double seconds)
{
    a1_text_add(out, "<td>");
    if (isnan(seconds))
        a1_text_add(out, "&ndash;");
    else
        a1_put_seconds(out, seconds);
    a1_text_add(out, "</td>");
}

static void put_stage(a1_text *out, const char *stage, unsigned depth)
{
    a1_text_format(out, "<tr%s><th scope=\"row\" style=\"padding-left:%.1frem\">",
                   depth == 0 ? " class=\"top\"" : "", 0.6 + 1.2 * (depth < 6 ? depth : 6));
    a1_text_html(out, stage);
    a1_text_add(out, "</th>");
}

static void put_bar(a1_text *out, const char *class, double part, double whole)
{
    const double width = part > 0 && whole > 0 ? fmin(part / whole, 1) * 100 : 0;
    a1_text_format(out, "<span class=\"bar %s\" style=\"width:%.2f%%\"></span>", class, width);
}

/* The comparison ---------------------------------------------------------------------------------
 */

static const char *class_of(const allin1_timing_row *row)
{
    switch (row->status) {
    case ALLIN1_TIMING_OK:
    case ALLIN1_TIMING_EXCELLENT:
        return "left good";
    case ALLIN1_TIMING_PARTIAL:
        return "left warn";
    case ALLIN1_TIMING_ISSUE:
    case ALLIN1_TIMING_SLOWER:
        return "left bad";
    default:
        return row->missed ? "left bad" : "left";
    }
}

/* The status by a sign as well as by colour and word. */
static const char *sign_of(const allin1_timing_row *row)
{
    switch (row->status) {
    case ALLIN1_TIMING_OK:
        return "&#10003; ";
    case ALLIN1_TIMING_EXCELLENT:
        return "&#9733; ";
    case ALLIN1_TIMING_PARTIAL:
        return "&#9680; ";
    case ALLIN1_TIMING_ISSUE:
    case ALLIN1_TIMING_SLOWER:
        return "&#10007; ";
    default:
        return "";
    }
}

static void put_row(a1_text *out, const allin1_timing_row *row, double whole, bool backends)
{
    a1_text text = {0};
    put_stage(out, row->stage, row->depth);
    put_time(out, row->before);
    put_time(out, row->after);
    put_time(out, row->saved);
    a1_text_add(out, "<td>");
    if (isnan(row->speed_up))
        a1_text_add(out, "&ndash;");
    else
        a1_put_speed_up(out, row->speed_up);
    if (!isnan(row->speed_up_low)) {
        a1_text_add(out, " <small>");
        a1_put_interval(out, row);
        a1_text_add(out, "</small>");
    }
    a1_text_add(out, "</td><td>");
    a1_put_expected_briefly(&text, row);
    put_escaped(out, &text);
    a1_text_format(out, "</td><td class=\"%s\">%s%s", class_of(row), sign_of(row),
                   allin1_timing_status_string(row->status));
    if (backends) {
        a1_text_add(out, "</td><td class=\"left\">");
        a1_put_backends(&text, row);
        put_escaped(out, &text);
    }
    a1_text_add(out, "</td><td class=\"bars\" aria-hidden=\"true\">");
    put_bar(out, "b", row->before, whole);
    put_bar(out, "a", row->after, whole);
    a1_text_add(out, "</td></tr>\n");
}

static void put_comparison_table(a1_text *out, const allin1_timing_comparison *c)
{
    double whole = 0; /* the longest bar's */
    bool backends = false;
    for (size_t i = 0; i < c->row_count; i++) {
        whole = fmax(whole, fmax(c->rows[i].before, c->rows[i].after));
        backends = backends || *c->rows[i].before_backend || *c->rows[i].after_backend;
    }
    a1_text_add(
        out,
        "<h2>Stages</h2>\n<div class=\"wide\" tabindex=\"0\" role=\"region\" "
        "aria-label=\"Stages\">\n<table>\n<caption>Medians; indented stages are part of the one "
        "above. Grey bars: before, blue: after.</caption>\n<thead><tr><th "
        "scope=\"col\">Stage</th><th scope=\"col\">Before</th><th scope=\"col\">After</th><th "
        "scope=\"col\">Saved</th><th scope=\"col\">Speed-up</th><th "
        "scope=\"col\">Expected</th><th scope=\"col\" class=\"left\">Status</th>");
    if (backends)
        a1_text_add(out, "<th scope=\"col\" class=\"left\">Backend</th>");
    a1_text_add(out, "<td class=\"bars\"></td></tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < c->row_count; i++)
        put_row(out, &c->rows[i], whole, backends);
    a1_text_add(out, "</tbody>\n<tfoot>\n");
    put_row(out, &c->total, 0, backends);
    a1_text_add(out, "</tfoot>\n</table>\n</div>\n");
}

static void put_finding(a1_text *out, const allin1_finding *finding)
{
    static const char *const classes[] = {"bad", "warn", "warn", "warn", "good"};
    static const char *const words[] = {"Missed", "Suspicion", "Measured differently", "Changed",
                                        "Good"};
    a1_text_format(out, "<li><p><span class=\"kind %s\">%s:</span> ", classes[finding->kind],
                   words[finding->kind]);
    a1_text_html(out, finding->title);
    a1_text_add(out, "</p>\n");
    if (finding->cause_count > 0)
        a1_text_add(out, "<ul>\n");
    for (size_t k = 0; k < finding->cause_count; k++) {
        if (!*finding->causes[k])
            continue;
        a1_text_add(out, "<li>");
        a1_text_html(out, finding->causes[k]);
        a1_text_add(out, "</li>\n");
    }
    if (finding->cause_count > 0)
        a1_text_add(out, "</ul>\n");
    if (*finding->command) {
        a1_text_add(out, "<pre tabindex=\"0\"><code>");
        a1_text_html(out, finding->command);
        a1_text_add(out, "</code></pre>\n");
    }
    a1_text_add(out, "</li>\n");
}

char *a1_comparison_html(const allin1_timing_comparison *c)
{
    a1_text out = {0}, text = {0};
    a1_html_begin(&out, "Timings compared");
    put_source(&out, "Before:", c->before_name, &c->before_facts);
    put_source(&out, "After:", c->after_name, &c->after_facts);
    a1_text_add(&out, "<div class=\"whole\">\n");
    for (unsigned n = 0; a1_put_conclusion(&text, c, n); n++) {
        if (text.used == 0)
            continue;
        a1_text_add(&out, "<p>");
        put_escaped(&out, &text);
        a1_text_add(&out, "</p>\n");
    }
    a1_text_add(&out, "</div>\n");
    put_comparison_table(&out, c);
    if (c->finding_count > 0) {
        a1_text_add(&out, "<h2>Findings</h2>\n<ol>\n");
        for (size_t i = 0; i < c->finding_count; i++)
            put_finding(&out, &c->findings[i]);
        a1_text_add(&out, "</ol>\n");
    }
    a1_html_end(&out);
    out.failed = out.failed || text.failed;
    return a1_text_take(&out, NULL);
}

/* One file ---------------------------------------------------------------------------------------
 */

char *a1_table_html(const a1_table *table)
{
    a1_text out = {0};
    a1_html_begin(&out, "Timings");
    put_source(&out, "File:", table->name, &table->facts);
    a1_text_add(
        &out,
        "<h2>Stages</h2>\n<div class=\"wide\" tabindex=\"0\" role=\"region\" "
        "aria-label=\"Stages\">\n<table>\n<caption>Indented stages are part of the one above. "
        "Real time: cost of a second of audio.</caption>\n<thead><tr><th "
        "scope=\"col\">Stage</th><th scope=\"col\">Count</th><th scope=\"col\">Total</th><th "
        "scope=\"col\">Median</th><th scope=\"col\">Share</th><th scope=\"col\">Real "
        "time</th><th scope=\"col\" class=\"left\">Backend</th><th scope=\"col\" "
        "class=\"left\">Precision</th><td class=\"bars\"></td></tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < table->row_count; i++) {
        const a1_table_row *row = &table->rows[i];
        put_stage(&out, row->stage, row->depth);
        a1_text_format(&out, "<td>%zu</td>", row->spans);
        put_time(&out, row->total);
        put_time(&out, row->median);
        a1_text_format(&out, "<td>%.1f %%</td><td>", row->share * 100);
        if (isnan(row->real_time_factor))
            a1_text_add(&out, "&ndash;");
        else
            a1_text_format(&out, "%.4f", row->real_time_factor);
        a1_text_format(&out, "</td><td class=\"left%s\">", row->fell_back ? " bad" : "");
        a1_text_html(&out, row->backend);
        a1_text_add(&out, "</td><td class=\"left\">");
        a1_text_html(&out, row->precision);
        a1_text_format(&out, "%s</td><td class=\"bars\" aria-hidden=\"true\">",
                       row->fell_back ? " (not as asked)" : "");
        put_bar(&out, "a", row->share, 1);
        a1_text_add(&out, "</td></tr>\n");
    }
    a1_text_add(&out, "</tbody>\n<tfoot>\n<tr><th scope=\"row\">total</th><td></td>");
    put_time(&out, table->total);
    a1_text_add(&out, "<td colspan=\"6\"></td></tr>\n</tfoot>\n</table>\n</div>\n");
    a1_html_end(&out);
    return a1_text_take(&out, NULL);
}
