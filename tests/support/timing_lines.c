#include "support/timing_lines.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/golden.h"
#include "support/sandbox.h"

void feed_line(allin1_timing_records *timings, const char *format, ...)
{
    char line[4096];
    va_list arguments;
    va_start(arguments, format);
    const int length = vsnprintf(line, sizeof line - 1, format, arguments);
    va_end(arguments);
    assert_true(length > 0 && (size_t)length < sizeof line - 1);
    strcpy(line + length, "\n");
    assert_int_equal(allin1_timing_records_feed(timings, line, (size_t)length + 1, NULL),
                     ALLIN1_OK);
}

void feed_stage(allin1_timing_records *timings, const char *stage, double start, double seconds,
                const char *track)
{
    feed_line(timings,
              "{\"stage\": \"%s\", \"start\": %.7f, \"end\": %.7f, \"duration\": %.7f, \"device\": "
              "\"cpu\", \"model\": \"harmonix-all\"%s%s%s}",
              stage, start, start + seconds, seconds, track ? ", \"track\": \"" : "",
              track ? track : "", track ? "\"" : "");
}

const char *test_data(const char *name)
{
    static char path[4096];
    const char *source = getenv("ALLIN1_SOURCE");
    snprintf(path, sizeof path, "%s/tests/data/%s", source ? source : ".", name);
    return path;
}

allin1_timing_records *read_test_timings(const char *name)
{
    allin1_timing_records *timings;
    allin1_error error;
    if (allin1_timing_records_read(&timings, test_data(name), &error) != ALLIN1_OK)
        fail_msg("%s", error.message);
    return timings;
}

allin1_timing_records *new_timings(const char *name)
{
    allin1_timing_records *timings;
    assert_int_equal(allin1_timing_records_create(&timings, name, NULL), ALLIN1_OK);
    return timings;
}

allin1_timing_comparison *compare_timings(allin1_timing_records *before,
                                          allin1_timing_records *after, const char *expected)
{
    allin1_timing_comparison *comparison;
    allin1_error error;
    if (allin1_timing_compare(before, after, expected, &comparison, &error) != ALLIN1_OK)
        fail_msg("%s", error.message);
    return comparison;
}

const allin1_timing_row *row_of(const allin1_timing_comparison *comparison, const char *stage)
{
    if (strcmp(stage, "total") == 0)
        return &comparison->total;
    for (size_t i = 0; i < comparison->row_count; i++)
        if (strcmp(comparison->rows[i].stage, stage) == 0)
            return &comparison->rows[i];
    fail_msg("there is no row %s", stage);
    return NULL;
}

const allin1_finding *finding_of(const allin1_timing_comparison *comparison,
                                 allin1_finding_kind kind, const char *stage)
{
    for (size_t i = 0; i < comparison->finding_count; i++) {
        const allin1_finding *finding = &comparison->findings[i];
        if (finding->kind == kind && (!stage || strcmp(finding->stage, stage) == 0))
            return finding;
    }
    return NULL;
}

int has_cause(const allin1_finding *finding, const char *part)
{
    for (size_t i = 0; i < finding->cause_count; i++)
        if (strstr(finding->causes[i], part))
            return 1;
    return 0;
}

void expect_cause(const allin1_finding *finding, const char *part)
{
    assert_non_null(finding);
    if (has_cause(finding, part))
        return;
    print_error("%s\n", finding->title);
    for (size_t i = 0; i < finding->cause_count; i++)
        print_error("- %s\n", finding->causes[i]);
    fail_msg("no cause holds \"%s\"", part);
}
