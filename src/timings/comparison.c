#include "timings/comparison.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "output/result.h"

#define LONG_TIME 10.0 /* seconds: from here on not in milliseconds */

/* Memory -----------------------------------------------------------------------------------------
 */

void *a1_comparison_alloc(a1_comparison *c, size_t size)
{
    void **kept = a1_grow(c->kept, c->kept_count, &c->kept_capacity, sizeof *kept);
    if (!kept)
        return NULL;
    c->kept = kept;
    void *block = calloc(1, size ? size : 1);
    if (block)
        c->kept[c->kept_count++] = block;
    return block;
}

const char *a1_comparison_string(a1_comparison *c, const char *text)
{
    const size_t size = strlen(text) + 1;
    char *copy = a1_comparison_alloc(c, size);
    return copy ? memcpy(copy, text, size) : NULL;
}

static void destroy(a1_comparison *c)
{
    for (size_t i = 0; i < c->kept_count; i++)
        free(c->kept[i]);
    a1_expectations_free(&c->expected);
    free(c->kept);
    free(c->rows);
    free(c->compared);
    free(c->findings);
    free(c);
}

void allin1_timing_comparison_free(allin1_timing_comparison **comparison)
{
    if (!comparison || !*comparison)
        return;
    destroy((a1_comparison *)*comparison);
    *comparison = NULL;
}

/* Words ------------------------------------------------------------------------------------------
 */

const char *allin1_timing_status_string(allin1_timing_status status)
{
    static const char *const names[] = {"no change", "OK",     "excellent", "partial",
                                        "issue",     "slower", "new",       "gone"};
    return (size_t)status < sizeof names / sizeof *names ? names[status] : "unknown";
}

const char *allin1_finding_kind_string(allin1_finding_kind kind)
{
    static const char *const names[] = {"missed", "suspicion", "difference", "change", "good"};
    return (size_t)kind < sizeof names / sizeof *names ? names[kind] : "unknown";
}

void a1_put_seconds(a1_text *text, double seconds)
{
    if (seconds != 0 && fabs(seconds) < A1_SHORT_TIME)
        a1_text_format(text, "%.0f us", seconds * 1e6);
    else if (fabs(seconds) < LONG_TIME)
        a1_text_format(text, "%.1f ms", seconds * 1e3);
    else
        a1_text_format(text, "%.2f s", seconds);
}

void a1_put_seconds_range(a1_text *text, double low, double high)
{
    if (fabs(high - low) < 5e-5) {
        a1_put_seconds(text, low);
    } else if (fabs(high) < LONG_TIME) {
        a1_text_format(text, "%.1f to ", low * 1e3);
        a1_put_seconds(text, high);
    } else {
        a1_text_format(text, "%.2f to %.2f s", low, high);
    }
}

void a1_put_speed_up(a1_text *text, double speed_up)
{
    if (speed_up >= 1e4)
        a1_text_add(text, "over 9999x");
    else
        a1_text_format(text, speed_up < 100 ? "%.2fx" : "%.0fx", speed_up);
}

void a1_put_expected(a1_text *text, double low, double high)
{
    if (isnan(high))
        a1_text_format(text, "at least %gx", low);
    else if (high > low)
        a1_text_format(text, "%gx to %gx", low, high);
    else
        a1_text_format(text, "%gx", low);
}

/* The whole --------------------------------------------------------------------------------------
 */

static allin1_status compare(a1_comparison *c, allin1_timing_records *before,
                             allin1_timing_records *after, const char *expected, a1_error *err)
{
    A1_TRY(a1_expectations_parse(&c->expected, expected, err));
    A1_TRY(a1_timings_arrange(before, err));
    A1_TRY(a1_timings_arrange(after, err));
    if (before->count == 0 || after->count == 0)
        return a1_fail(err, ALLIN1_ERROR_ARGUMENT, "%s: there are no records to compare",
                       before->count == 0 ? before->name : after->name);
    c->before = before;
    c->after = after;
    c->shown.before_name = a1_comparison_string(c, before->name);
    c->shown.after_name = a1_comparison_string(c, after->name);
    if (!c->shown.before_name || !c->shown.after_name)
        return a1_fail_memory(err, "a comparison");
    a1_timings_facts(before, &c->shown.before_facts);
    a1_timings_facts(after, &c->shown.after_facts);
    c->shown.before_facts.problems = c->shown.after_facts.problems = NULL;
    c->shown.before_facts.problem_count = c->shown.after_facts.problem_count = 0;
    A1_TRY(a1_compare_tracks(c, err));
    A1_TRY(a1_compare_stages(c, err));
    A1_TRY(a1_find_all(c, err));
    c->before = c->after = NULL;
    return ALLIN1_OK;
}

allin1_status allin1_timing_compare(allin1_timing_records *before, allin1_timing_records *after,
                                    const char *expected, allin1_timing_comparison **comparison,
                                    allin1_error *error)
{
    a1_error err = {0};
    if (comparison)
        *comparison = NULL;
    if (!before || !after || !comparison)
        return a1_public_error(error, &err,
                               a1_fail(&err, ALLIN1_ERROR_ARGUMENT,
                                       "two timings and a place for the comparison are needed"));
    a1_comparison *c = calloc(1, sizeof *c);
    if (!c)
        return a1_public_error(error, &err, a1_fail_memory(&err, "a comparison"));
    const allin1_status status = compare(c, before, after, expected, &err);
    if (status == ALLIN1_OK)
        *comparison = &c->shown;
    else
        destroy(c);
    return a1_public_error(error, &err, status);
}
