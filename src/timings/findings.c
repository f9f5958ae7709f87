/* What a comparison means, in words. */
#include "timings/comparison.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"

#define MOVED_SHARE 0.5  /* of a saving, that another stage costs more */
#define WORTH_WORDS 0.01 /* of the total: smaller changes stand in the table only */

/* Drafts -----------------------------------------------------------------------------------------
 */

void a1_finding_begin(a1_finding_draft *draft, a1_comparison *c, allin1_finding_kind kind,
                      const char *stage)
{
    *draft = (a1_finding_draft){.comparison = c};
    draft->finding = (allin1_finding){.kind = kind, .title = "", .command = ""};
    draft->finding.stage = a1_comparison_string(c, stage);
    draft->failed = !draft->finding.stage;
}

static const char *take(a1_finding_draft *draft, a1_text *text)
{
    char *bytes = a1_text_take(text, NULL);
    const char *kept = bytes ? a1_comparison_string(draft->comparison, bytes) : NULL;
    free(bytes);
    draft->failed = draft->failed || !kept;
    return kept ? kept : "";
}

void a1_finding_title(a1_finding_draft *draft, a1_text *text)
{
    draft->finding.title = take(draft, text);
}

void a1_finding_cause(a1_finding_draft *draft, a1_text *text)
{
    const char *cause = take(draft, text);
    if (draft->finding.cause_count < sizeof draft->causes / sizeof *draft->causes)
        draft->causes[draft->finding.cause_count++] = cause;
}

void a1_finding_command(a1_finding_draft *draft, a1_text *text)
{
    draft->finding.command = take(draft, text);
}

allin1_status a1_finding_end(a1_finding_draft *draft, a1_error *err)
{
    a1_comparison *c = draft->comparison;
    const size_t count = draft->finding.cause_count;
    const char **causes = a1_comparison_alloc(c, count * sizeof *causes);
    if (draft->failed || !causes)
        return a1_fail_memory(err, "a comparison");
    if (count > 0)
        memcpy(causes, draft->causes, count * sizeof *causes);
    draft->finding.causes = causes;
    allin1_finding *findings =
        a1_grow(c->findings, c->shown.finding_count, &c->finding_capacity, sizeof *findings);
    if (!findings)
        return a1_fail_memory(err, "a comparison");
    c->findings = findings;
    c->findings[c->shown.finding_count++] = draft->finding;
    c->shown.findings = c->findings;
    return ALLIN1_OK;
}

/* Missed expectations ----------------------------------------------------------------------------
 */

static void put_costs(a1_text *text, const allin1_timing_row *row)
{
    a1_put_seconds(text, row->before);
    a1_text_add(text, " -> ");
    a1_put_seconds(text, row->after);
}

/* What each alternative promised, and what is missing of it. */
static void put_alternatives(a1_finding_draft *draft, const allin1_timing_row *row)
{
    const a1_expectations *all = &draft->comparison->expected;
    for (size_t i = 0; i < all->count; i++) {
        const a1_expectation *e = &all->items[i];
        if (!a1_expectation_is_of(e, row) || !e->backend)
            continue;
        const double high = isnan(e->high) ? e->low : e->high;
        a1_text text = {0};
        a1_text_format(&text, "With the backend %s (", e->backend);
        a1_put_expected(&text, e->low, high);
        a1_text_add(&text, ") it would take ");
        a1_put_seconds_range(&text, row->before / high, row->before / e->low);
        a1_text_add(&text, ": ");
        a1_put_seconds_range(&text, row->after - row->before / e->low,
                             row->after - row->before / high);
        a1_text_add(&text, " less than it took.");
        a1_finding_cause(draft, &text);
    }
}

static bool row_changed(const a1_comparison *c, const allin1_timing_row *row)
{
    return row == &c->shown.total || c->compared[row - c->rows].changed;
}

static void put_promise(a1_finding_draft *draft, const allin1_timing_row *row)
{
    a1_text text = {0};
    put_costs(&text, row);
    a1_text_add(&text, row->saved < 0 ? ": it takes " : ": ");
    a1_put_seconds(&text, fabs(row->saved));
    a1_text_add(&text, row->saved < 0 ? " more" : " saved");
    a1_text_add(&text, !row_changed(draft->comparison, row) ? ", which may be noise." : ".");
    if (!isnan(row->speed_up_low))
        a1_text_format(&text, " With 95 %% confidence the speed-up lies from %.2fx to %.2fx%s.",
                       row->speed_up_low, row->speed_up_high,
                       row->speed_up_high >= row->expected_low
                           ? ", which reaches what was expected: more runs would tell"
                           : "");
    a1_finding_cause(draft, &text);
}

static void put_title_of_missed(a1_finding_draft *draft, const allin1_timing_row *row)
{
    a1_text text = {0};
    a1_text_add(&text, row->stage);
    if (row->expected_low <= 1) {
        a1_text_add(&text, " became slower, which was not to be: ");
        a1_put_speed_up(&text, row->speed_up);
        a1_text_add(&text, " where ");
        a1_put_expected(&text, row->expected_low, row->expected_high);
        a1_text_add(&text, " was expected.");
        a1_finding_title(draft, &text);
        return;
    }
    a1_text_add(&text, row->status == ALLIN1_TIMING_PARTIAL ? " kept its promise in part: "
                                                            : " is the issue: ");
    a1_put_speed_up(&text, row->speed_up);
    a1_text_add(&text, row->speed_up < 1 ? " (slower) where " : " where ");
    a1_put_expected(&text, row->expected_low, row->expected_high);
    a1_text_add(&text, " was expected; of the ");
    a1_put_seconds_range(&text, row->promised_low, row->promised_high);
    a1_text_add(&text, " promised, ");
    a1_put_seconds_range(&text, row->left_low, row->left_high);
    a1_text_add(&text, " are left on the table.");
    a1_finding_title(draft, &text);
}

static allin1_status find_missed(a1_comparison *c, const allin1_timing_row *row, size_t index,
                                 a1_error *err)
{
    a1_finding_draft draft;
    a1_finding_begin(&draft, c, ALLIN1_FINDING_MISSED, row->stage);
    if (isnan(row->saved)) {
        a1_text text = {0};
        a1_text_format(&text,
                       "%s was expected to become faster and is not measured: only %s has it.",
                       row->stage, isnan(row->after) ? "BEFORE" : "AFTER");
        a1_finding_title(&draft, &text);
        a1_text_add(&text, "Another stage did its work, or it was not needed: a kept by-product "
                           "may have been used again. That is not a like comparison.");
        a1_finding_cause(&draft, &text);
        a1_put_command(&text, c, index < c->shown.row_count ? &c->compared[index] : NULL, "");
        a1_finding_command(&draft, &text);
        return a1_finding_end(&draft, err);
    }
    put_title_of_missed(&draft, row);
    put_promise(&draft, row);
    put_alternatives(&draft, row);
    if (index < c->shown.row_count)
        a1_find_causes(&draft, index);
    return a1_finding_end(&draft, err);
}

static allin1_status find_unknown_stages(a1_comparison *c, a1_error *err)
{
    for (size_t i = 0; i < c->expected.count; i++) {
        const a1_expectation *e = &c->expected.items[i];
        if (e->found)
            continue;
        a1_finding_draft draft;
        a1_text text = {0};
        a1_finding_begin(&draft, c, ALLIN1_FINDING_MISSED, e->stage);
        a1_text_format(&text,
                       "%s was expected to become faster, and neither file has such a stage.",
                       e->stage);
        a1_finding_title(&draft, &text);
        A1_TRY(a1_finding_end(&draft, err));
    }
    return ALLIN1_OK;
}

static bool is_graver(const allin1_timing_row *a, const allin1_timing_row *b)
{
    const bool partial = a->status == ALLIN1_TIMING_PARTIAL;
    if (partial != (b->status == ALLIN1_TIMING_PARTIAL))
        return !partial;
    return a->left_high > b->left_high;
}

/* The rows whose expectation was missed: issues before what was kept in part, the most left on the
 * table first. */
static allin1_status find_all_missed(a1_comparison *c, a1_error *err)
{
    bool *told = a1_comparison_alloc(c, c->shown.row_count * sizeof *told);
    if (!told)
        return a1_fail_memory(err, "a comparison");
    while (true) {
        size_t worst = SIZE_MAX;
        for (size_t i = 0; i < c->shown.row_count; i++)
            if (c->rows[i].missed && !told[i] &&
                (worst == SIZE_MAX || is_graver(&c->rows[i], &c->rows[worst])))
                worst = i;
        if (worst == SIZE_MAX)
            break;
        told[worst] = true;
        A1_TRY(find_missed(c, &c->rows[worst], worst, err));
    }
    if (c->shown.total.missed)
        A1_TRY(find_missed(c, &c->shown.total, SIZE_MAX, err));
    return find_unknown_stages(c, err);
}

/* Changes ----------------------------------------------------------------------------------------
 */

static bool is_leaf(const a1_comparison *c, size_t row)
{
    return row + 1 >= c->shown.row_count || c->rows[row + 1].depth <= c->rows[row].depth;
}

/* Seconds that a stage costs more than before, when that is no noise. */
static double cost_more(const a1_comparison *c, size_t row)
{
    const allin1_timing_row *r = &c->rows[row];
    if (r->status == ALLIN1_TIMING_NEW)
        return r->after;
    return c->compared[row].changed && r->saved < 0 ? -r->saved : 0;
}

/* The stage that saved about as much as `more`, or NULL: where time may have come from. */
static const allin1_timing_row *came_from(const a1_comparison *c, double more)
{
    const allin1_timing_row *best = NULL;
    double distance = INFINITY;
    for (size_t i = 0; i < c->shown.row_count; i++) {
        const allin1_timing_row *r = &c->rows[i];
        const double saved = r->status == ALLIN1_TIMING_GONE ? r->before : r->saved;
        if (!is_leaf(c, i) || !(saved > 0) || more < MOVED_SHARE * saved ||
            saved < MOVED_SHARE * more)
            continue;
        if (r->status != ALLIN1_TIMING_GONE && !c->compared[i].changed)
            continue;
        if (fabs(saved - more) < distance) {
            distance = fabs(saved - more);
            best = r;
        }
    }
    return best;
}

static allin1_status find_change(a1_comparison *c, size_t row, a1_error *err)
{
    const allin1_timing_row *r = &c->rows[row];
    const double more = cost_more(c, row);
    const allin1_timing_row *from = more > 0 ? came_from(c, more) : NULL;
    a1_finding_draft draft;
    a1_text text = {0};
    a1_finding_begin(&draft, c, ALLIN1_FINDING_CHANGE, r->stage);
    if (r->status == ALLIN1_TIMING_NEW || r->status == ALLIN1_TIMING_GONE) {
        a1_text_format(&text, "%s is %s: ", r->stage,
                       r->status == ALLIN1_TIMING_NEW ? "new" : "gone");
        a1_put_seconds(&text, r->status == ALLIN1_TIMING_NEW ? r->after : r->before);
        a1_text_format(&text, " that only %s has.",
                       r->status == ALLIN1_TIMING_NEW ? "AFTER" : "BEFORE");
    } else {
        a1_text_format(&text, "%s became slower: ", r->stage);
        put_costs(&text, r);
        a1_text_add(&text, ", ");
        a1_put_speed_up(&text, r->speed_up);
        a1_text_add(&text, ".");
    }
    a1_finding_title(&draft, &text);
    if (from) {
        a1_text_add(&text, "Time may have moved here: ");
        a1_text_format(&text, "%s %s ", from->stage,
                       from->status == ALLIN1_TIMING_GONE ? "is gone with" : "saved");
        a1_put_seconds(&text, from->status == ALLIN1_TIMING_GONE ? from->before : from->saved);
        a1_text_format(&text, ", and %s costs ", r->stage);
        a1_put_seconds(&text, more);
        a1_text_add(&text, " more. Judge the two together.");
        a1_finding_cause(&draft, &text);
    }
    return a1_finding_end(&draft, err);
}

static allin1_status find_changes(a1_comparison *c, a1_error *err)
{
    const double total = fmax(c->shown.total.before, c->shown.total.after);
    for (size_t i = 0; i < c->shown.row_count; i++) {
        const allin1_timing_row *r = &c->rows[i];
        const double size = r->status == ALLIN1_TIMING_GONE ? r->before : cost_more(c, i);
        if (r->missed || !is_leaf(c, i) || size < WORTH_WORDS * total)
            continue;
        A1_TRY(find_change(c, i, err));
    }
    return ALLIN1_OK;
}

static allin1_status find_good(a1_comparison *c, a1_error *err)
{
    for (size_t i = 0; i < c->shown.row_count; i++) {
        const allin1_timing_row *r = &c->rows[i];
        const bool expected = !isnan(r->expected_low) && r->expected_low > 1;
        const bool kept = expected && !r->missed && r->saved > 0;
        if (!kept && r->status != ALLIN1_TIMING_EXCELLENT)
            continue;
        /* A part does not repeat what was said of the whole. */
        const size_t parent = c->compared[i].parent;
        if (!expected && parent != SIZE_MAX && c->rows[parent].status == ALLIN1_TIMING_EXCELLENT)
            continue;
        a1_finding_draft draft;
        a1_text text = {0};
        a1_finding_begin(&draft, c, ALLIN1_FINDING_GOOD, r->stage);
        a1_text_format(&text, "%s is %s: ", r->stage,
                       r->status == ALLIN1_TIMING_EXCELLENT ? "excellent" : "good");
        put_costs(&text, r);
        a1_text_add(&text, ", ");
        a1_put_speed_up(&text, r->speed_up);
        if (expected) {
            a1_text_add(&text, " where ");
            a1_put_expected(&text, r->expected_low, r->expected_high);
            a1_text_add(&text, " was expected");
        }
        a1_text_add(&text, "; ");
        a1_put_seconds(&text, r->saved);
        a1_text_add(&text, " saved.");
        a1_finding_title(&draft, &text);
        A1_TRY(a1_finding_end(&draft, err));
    }
    return ALLIN1_OK;
}

allin1_status a1_find_all(a1_comparison *c, a1_error *err)
{
    A1_TRY(find_all_missed(c, err));
    A1_TRY(a1_find_suspicions(c, err));
    A1_TRY(a1_find_differences(c, err));
    A1_TRY(find_changes(c, err));
    return find_good(c, err);
}
