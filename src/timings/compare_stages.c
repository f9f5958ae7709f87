/* The table of a comparison: stage by stage what it cost, and how that is to be called. */
#include "timings/comparison.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "timings/known_stages.h"

#define NOWHERE UINT32_MAX  /* a parent that this side does not have */
#define NO_TRACK UINT32_MAX /* group of what belongs to no track */
#define FEW_TRACKS 3        /* with as many, tracks serve as repetitions */
#define NORMAL_POINT 1.96
#define HALF_PI 1.57079632679489661923

/* Estimates --------------------------------------------------------------------------------------
 */

/* One measurement, or all of one track. */
typedef struct grouped {
    uint32_t group;
    double seconds;
} grouped;

typedef struct side {
    grouped *values; /* by group */
    size_t count;
} side;

static int by_group(const void *a, const void *b)
{
    const grouped *x = a, *y = b;
    return (x->group > y->group) - (x->group < y->group);
}

/* The measurements of a stage whose tracks are compared; with `all`, of every track by itself. */
static bool collect(const allin1_timing_records *t, const a1_stage_node *node,
                    const uint32_t *group_of, bool all, side *out)
{
    *out = (side){.values = malloc((node->sample_count + 1) * sizeof *out->values)};
    if (!out->values)
        return false;
    for (size_t i = 0; i < node->sample_count; i++) {
        const a1_stage_sample *sample = &t->samples[node->first_sample + i];
        uint32_t group = NO_TRACK;
        if (sample->track)
            group = all ? sample->track : group_of[sample->track];
        if (group)
            out->values[out->count++] = (grouped){group, sample->seconds};
    }
    qsort(out->values, out->count, sizeof *out->values, by_group);
    return true;
}

static size_t group_length(const side *s, size_t at)
{
    size_t length = 1;
    while (at + length < s->count && s->values[at + length].group == s->values[at].group)
        length++;
    return length;
}

static a1_estimate estimate_group(const side *s, size_t at, size_t length, double *room)
{
    for (size_t i = 0; i < length; i++)
        room[i] = s->values[at + i].seconds;
    return a1_estimate_median(room, length);
}

/* Variances of single measurements relative to their value, pooled over all groups that have any.
 */
typedef struct pool {
    double sum, freedom;
} pool;

static void pool_group(pool *p, a1_estimate e)
{
    if (e.count < 2 || !(e.value > 0))
        return;
    const double shrink =
        (double)e.count / (e.count > 2 ? HALF_PI : 1); /* back to one measurement */
    p->sum += e.variance * shrink / (e.value * e.value) * e.freedom;
    p->freedom += e.freedom;
}

/* A single measurement takes its noise from the others. */
static a1_estimate with_pool(a1_estimate e, const pool *p)
{
    if (e.count == 1 && p->freedom > 0) {
        e.variance = p->sum / p->freedom * e.value * e.value;
        e.freedom = p->freedom;
    }
    return e;
}

static void add_to(a1_estimate *sum, a1_estimate e)
{
    *sum = sum->count == 0 ? e : a1_estimate_add(*sum, e);
}

/* Both sides of one stage, over the groups that both have; or each over all of its own when there
 * are none. */
typedef struct both_sides {
    side before, after;
    double *room;
    pool noise;
    a1_estimate before_cost, after_cost;
    double ratios, squares; /* of log(before / after), over tracks */
    size_t tracks, common;
} both_sides;

/* Calls for each group of one side, or of both. First the pool is filled, then the sums are made.
 */
static void walk_common(both_sides *b, bool sum)
{
    size_t i = 0, j = 0;
    while (i < b->before.count && j < b->after.count) {
        const uint32_t x = b->before.values[i].group, y = b->after.values[j].group;
        const size_t n = group_length(&b->before, i), m = group_length(&b->after, j);
        if (x == y) {
            const a1_estimate before = estimate_group(&b->before, i, n, b->room);
            const a1_estimate after = estimate_group(&b->after, j, m, b->room);
            b->common += !sum;
            if (!sum) {
                pool_group(&b->noise, before);
                pool_group(&b->noise, after);
            } else {
                add_to(&b->before_cost, with_pool(before, &b->noise));
                add_to(&b->after_cost, with_pool(after, &b->noise));
            }
            if (sum && before.value > 0 && after.value > 0 && x != NO_TRACK) {
                const double ratio = log(before.value / after.value);
                b->ratios += ratio;
                b->squares += ratio * ratio;
                b->tracks++;
            }
        }
        i += x <= y ? n : 0;
        j += y <= x ? m : 0;
    }
}

static a1_estimate sum_all(const side *s, double *room)
{
    a1_estimate sum = {.count = 0};
    for (size_t i = 0; i < s->count; i += group_length(s, i))
        add_to(&sum, estimate_group(s, i, group_length(s, i), room));
    return sum;
}

static bool measure_both(a1_comparison *c, a1_compared *row, bool all, both_sides *b)
{
    *b = (both_sides){.common = 0};
    if (!collect(c->before, row->before, c->before_group, all, &b->before) ||
        !collect(c->after, row->after, c->after_group, all, &b->after))
        return false;
    b->room = malloc((b->before.count + b->after.count + 1) * sizeof *b->room);
    if (!b->room)
        return false;
    if (all) {
        b->before_cost = sum_all(&b->before, b->room);
        b->after_cost = sum_all(&b->after, b->room);
    } else {
        walk_common(b, false);
        walk_common(b, true);
    }
    return true;
}

static void free_both(both_sides *b)
{
    free(b->before.values);
    free(b->after.values);
    free(b->room);
}

static bool measure_one(const allin1_timing_records *t, const a1_stage_node *node,
                        const uint32_t *group_of, a1_estimate *cost)
{
    side s;
    bool good = collect(t, node, group_of, false, &s);
    if (good && s.count == 0) {
        free(s.values);
        good = collect(t, node, group_of, true, &s);
    }
    double *room = good ? malloc((s.count + 1) * sizeof *room) : NULL;
    if (room)
        *cost = sum_all(&s, room);
    free(room);
    free(s.values);
    return room != NULL;
}

/* Costs, and the margin within which a difference is noise. */
static bool measure(a1_comparison *c, a1_compared *row)
{
    if (!row->before)
        return measure_one(c->after, row->after, c->after_group, &row->after_cost);
    if (!row->after)
        return measure_one(c->before, row->before, c->before_group, &row->before_cost);
    both_sides b;
    bool good = measure_both(c, row, false, &b);
    if (good && b.common == 0) {
        free_both(&b);
        good = measure_both(c, row, true, &b);
    }
    if (good) {
        row->before_cost = b.before_cost;
        row->after_cost = b.after_cost;
        row->margin = a1_log_ratio_margin(b.before_cost, b.after_cost);
        if (b.noise.freedom == 0 && b.tracks >= FEW_TRACKS) {
            const double n = (double)b.tracks, mean = b.ratios / n;
            const double variance = fmax(b.squares / n - mean * mean, 0) * n / (n - 1);
            row->margin = a1_student_point(n - 1) * sqrt(variance / n);
        }
    }
    free_both(&b);
    return good;
}

/* Figures and status -----------------------------------------------------------------------------
 */

static bool is_open(double high)
{
    return isnan(high);
}

bool a1_expectation_is_of(const a1_expectation *expectation, const allin1_timing_row *row)
{
    return strcmp(expectation->stage, row->stage) == 0;
}

/* Puts the alternatives of a row together; the one whose backend ran counts alone. */
static void expect(a1_comparison *c, allin1_timing_row *row)
{
    size_t alternatives = 0;
    bool only = false, open = false;
    double low = NAN, high = NAN;
    for (size_t i = 0; i < c->expected.count; i++) {
        a1_expectation *e = &c->expected.items[i];
        if (!a1_expectation_is_of(e, row))
            continue;
        e->found = true;
        const bool ran = e->backend && strcmp(e->backend, row->after_backend) == 0;
        if (only && !ran)
            continue;
        if (ran && !only) {
            only = true;
            alternatives = 0;
            low = high = NAN;
        }
        alternatives++;
        open = is_open(e->high);
        low = fmin(low, e->low); /* a NAN gives way */
        high = fmax(high, open ? e->low : e->high);
    }
    row->expected_low = low;
    row->expected_high = alternatives == 1 && open ? NAN : high;
}

static double saving(double before, double speed_up)
{
    return before - before / speed_up;
}

static void set_promise(allin1_timing_row *row)
{
    const double low = row->expected_low;
    const double high = is_open(row->expected_high) ? low : row->expected_high;
    row->promised_low = saving(row->before, low);
    row->promised_high = saving(row->before, high);
}

static void set_left(allin1_timing_row *row)
{
    row->left_low = fmax(row->promised_low - row->saved, 0);
    row->left_high = fmax(row->promised_high - row->saved, 0);
}

static bool reaches(double speed_up, double wanted)
{
    return speed_up >= wanted * (1 - 1e-9);
}

static void judge_expected(allin1_timing_row *row, const a1_compared *facts)
{
    const double low = row->expected_low, high = row->expected_high;
    set_promise(row);
    if (reaches(row->speed_up, low)) {
        row->status = !is_open(high) && row->speed_up > high * (1 + 1e-9) ? ALLIN1_TIMING_EXCELLENT
                                                                          : ALLIN1_TIMING_OK;
        return;
    }
    /* "Not slower than" is broken only by what is no noise; a promise must be shown. */
    if (low <= 1 && log(low) - log(row->speed_up) <= facts->margin) {
        row->status = ALLIN1_TIMING_NO_CHANGE;
        return;
    }
    row->missed = 1;
    set_left(row);
    if (low <= 1)
        row->status = ALLIN1_TIMING_SLOWER;
    else if (facts->changed && row->saved >= A1_PARTIAL_SHARE * row->promised_low)
        row->status = ALLIN1_TIMING_PARTIAL;
    else
        row->status = ALLIN1_TIMING_ISSUE;
}

static void judge(allin1_timing_row *row, const a1_compared *facts)
{
    if (!isnan(row->expected_low))
        judge_expected(row, facts);
    else if (!facts->changed)
        row->status = ALLIN1_TIMING_NO_CHANGE;
    else if (row->speed_up < 1)
        row->status = ALLIN1_TIMING_SLOWER;
    else
        row->status = row->speed_up >= A1_EXCELLENT ? ALLIN1_TIMING_EXCELLENT : ALLIN1_TIMING_OK;
}

/* From costs to all else. */
static void fill_row(a1_comparison *c, allin1_timing_row *row, a1_compared *facts)
{
    row->before = facts->before_cost.count ? facts->before_cost.value : NAN;
    row->after = facts->after_cost.count ? facts->after_cost.value : NAN;
    row->before_runs = facts->before_cost.count;
    row->after_runs = facts->after_cost.count;
    row->saved = row->before - row->after;
    row->speed_up = row->before / row->after; /* infinite when nothing is left of it */
    row->speed_up_low = row->speed_up_high = NAN;
    row->promised_low = row->promised_high = NAN;
    row->left_low = row->left_high = 0;
    expect(c, row);
    if (isnan(row->saved)) {
        row->status = isnan(row->before) ? ALLIN1_TIMING_NEW : ALLIN1_TIMING_GONE;
        row->missed = !isnan(row->expected_low);
        row->speed_up = NAN;
        return;
    }
    if (row->before == row->after)
        row->speed_up = 1;
    const double known = facts->margin;
    if (!isnan(known)) {
        row->speed_up_low = row->speed_up * exp(-known);
        row->speed_up_high = row->speed_up * exp(known);
    }
    facts->margin = isnan(known) ? log(A1_NOISE_UNKNOWN) : fmax(known, log(A1_NOISE_KNOWN));
    const double step = fmax(c->before->resolution, c->after->resolution);
    facts->changed = fabs(row->saved) > step * 1.000001 && fabs(log(row->speed_up)) > facts->margin;
    judge(row, facts);
}

/* Rows -------------------------------------------------------------------------------------------
 */

static bool add_row(a1_comparison *c, uint32_t before, uint32_t after, unsigned depth,
                    size_t parent)
{
    if (c->shown.row_count == c->row_capacity) {
        const size_t capacity = c->row_capacity ? 2 * c->row_capacity : 32;
        allin1_timing_row *rows = realloc(c->rows, capacity * sizeof *rows);
        if (rows)
            c->rows = rows;
        a1_compared *compared = realloc(c->compared, capacity * sizeof *compared);
        if (compared)
            c->compared = compared;
        if (!rows || !compared)
            return false;
        c->row_capacity = capacity;
    }
    const a1_stage_node *x = before ? &c->before->nodes[before] : NULL;
    const a1_stage_node *y = after ? &c->after->nodes[after] : NULL;
    a1_compared *facts = &c->compared[c->shown.row_count];
    allin1_timing_row *row = &c->rows[c->shown.row_count++];
    *facts = (a1_compared){.before = x,
                           .after = y,
                           .before_number = before,
                           .after_number = after,
                           .margin = NAN,
                           .parent = parent};
    *row = (allin1_timing_row){.depth = depth};
    row->stage = a1_comparison_string(c, x ? a1_timings_text(c->before, x->stage)
                                           : a1_timings_text(c->after, y->stage));
    row->before_backend =
        a1_comparison_string(c, x ? a1_node_fact(c->before, x, A1_FACT_BACKEND) : "");
    row->after_backend =
        a1_comparison_string(c, y ? a1_node_fact(c->after, y, A1_FACT_BACKEND) : "");
    if (!row->stage || !row->before_backend || !row->after_backend || !measure(c, facts))
        return false;
    fill_row(c, row, facts);
    return true;
}

static const char *stage_of(const allin1_timing_records *t, uint32_t node)
{
    return a1_timings_text(t, t->nodes[node].stage);
}

/* The child of `parent` with this name, or 0. */
static uint32_t child_named(const allin1_timing_records *t, uint32_t parent, const char *name)
{
    const uint32_t stage = a1_interned_find(&t->strings, name);
    for (uint32_t i = 1; parent != NOWHERE && stage && i <= t->node_count; i++)
        if (t->nodes[i].parent == parent && t->nodes[i].stage == stage)
            return i;
    return 0;
}

static bool add_children(a1_comparison *c, uint32_t before, uint32_t after, unsigned depth,
                         size_t parent);

static bool add_branch(a1_comparison *c, uint32_t before, uint32_t after, unsigned depth,
                       size_t parent)
{
    const size_t row = c->shown.row_count;
    return add_row(c, before, after, depth, parent) &&
           add_children(c, before ? before : NOWHERE, after ? after : NOWHERE, depth + 1, row);
}

/* Both sides list their children in the order of the pipeline; what only AFTER has comes where it
 * belongs there. */
static bool add_children(a1_comparison *c, uint32_t before, uint32_t after, unsigned depth,
                         size_t parent)
{
    const allin1_timing_records *x = c->before, *y = c->after;
    uint32_t next = 1; /* of AFTER's children, those below are there */
    for (uint32_t i = 1; i <= x->node_count + 1; i++) {
        const bool end = i > x->node_count;
        if (end ? after == NOWHERE : before == NOWHERE || x->nodes[i].parent != before)
            continue;
        const unsigned rank = end ? A1_KNOWN_STAGES : a1_known_stage_index(stage_of(x, i));
        for (; after != NOWHERE && next <= y->node_count; next++) {
            if (y->nodes[next].parent != after)
                continue;
            const char *name = stage_of(y, next);
            if (!end && a1_known_stage_index(name) >= rank)
                break;
            if (!child_named(x, before, name) && !add_branch(c, 0, next, depth, parent))
                return false;
        }
        if (!end && !add_branch(c, i, child_named(y, after, stage_of(x, i)), depth, parent))
            return false;
    }
    return true;
}

/* Totals -----------------------------------------------------------------------------------------
 */

/* Assumed where a single measurement says nothing about its own noise. */
static a1_estimate with_assumption(a1_estimate e)
{
    if (e.count > 0 && isnan(e.variance)) {
        const double deviation = (A1_NOISE_UNKNOWN - 1) / NORMAL_POINT * e.value;
        e.variance = deviation * deviation;
        e.freedom = 1e6;
    }
    return e;
}

static bool fill_total(a1_comparison *c)
{
    allin1_timing_row *total = &c->shown.total;
    a1_compared facts = {.margin = NAN, .parent = SIZE_MAX};
    bool noise_known = false;
    for (size_t i = 0; i < c->shown.row_count; i++) {
        const a1_compared *row = &c->compared[i];
        if (row->parent != SIZE_MAX)
            continue;
        noise_known = noise_known || !isnan(c->rows[i].speed_up_low);
        if (row->before_cost.count)
            add_to(&facts.before_cost, with_assumption(row->before_cost));
        if (row->after_cost.count)
            add_to(&facts.after_cost, with_assumption(row->after_cost));
    }
    if (noise_known)
        facts.margin = a1_log_ratio_margin(facts.before_cost, facts.after_cost);
    *total = (allin1_timing_row){.before_backend = "", .after_backend = ""};
    total->stage = a1_comparison_string(c, "total");
    if (!total->stage)
        return false;
    fill_row(c, total, &facts);
    return true;
}

/* What is missing below a row counts once: its own, or its parts'. */
static void left_below(const a1_comparison *c, size_t parent, double *low, double *high)
{
    *low = *high = 0;
    for (size_t i = parent == SIZE_MAX ? 0 : parent + 1; i < c->shown.row_count; i++) {
        double parts_low, parts_high;
        if (parent != SIZE_MAX && c->rows[i].depth <= c->rows[parent].depth)
            break;
        if (c->compared[i].parent != parent)
            continue;
        left_below(c, i, &parts_low, &parts_high);
        *low += fmax(c->rows[i].left_low, parts_low);
        *high += fmax(c->rows[i].left_high, parts_high);
    }
}

allin1_status a1_compare_stages(a1_comparison *c, a1_error *err)
{
    double low, high;
    if (!add_children(c, 0, 0, 0, SIZE_MAX) || !fill_total(c))
        return a1_fail_memory(err, "a comparison");
    left_below(c, SIZE_MAX, &low, &high);
    c->shown.would_be_low = c->shown.total.after - fmax(high, c->shown.total.left_high);
    c->shown.would_be_high = c->shown.total.after - fmax(low, c->shown.total.left_low);
    c->shown.rows = c->rows;
    for (size_t i = 0; i < c->shown.row_count; i++)
        c->shown.missed += c->rows[i].missed != 0;
    c->shown.missed += c->shown.total.missed != 0;
    for (size_t i = 0; i < c->expected.count; i++)
        c->shown.missed += !c->expected.items[i].found;
    return ALLIN1_OK;
}

const allin1_timing_row *a1_row_of(const a1_comparison *c, const char *stage)
{
    for (size_t i = 0; i < c->shown.row_count; i++)
        if (strcmp(c->rows[i].stage, stage) == 0)
            return &c->rows[i];
    return NULL;
}
