/* Every allocation of reading, comparing and reporting timings fails once. */
#include "support/golden.h"
#include "support/timing_lines.h"

#include <stdlib.h>
#include <string.h>

#include "faults/allocations.h"

static const char *path_of[2];

static allin1_status take_over(a1_error *err, const allin1_error *error, allin1_status status)
{
    return status == ALLIN1_OK ? status : a1_fail(err, status, "%s", error->message);
}

static allin1_status report_all(allin1_timing_comparison *c, allin1_timing_records *t,
                                a1_error *err)
{
    allin1_error error = {0};
    for (allin1_report_format f = ALLIN1_REPORT_TEXT; f <= ALLIN1_REPORT_HTML; f++) {
        char *text;
        allin1_status status = allin1_timing_comparison_report(c, f, &text, &error);
        A1_TRY(take_over(err, &error, status));
        allin1_string_free(text);
        status = allin1_timing_records_report(t, f, &text, &error);
        A1_TRY(take_over(err, &error, status));
        allin1_string_free(text);
    }
    return ALLIN1_OK;
}

static allin1_status whole(void *user, a1_error *err)
{
    (void)user;
    allin1_timing_records *before = NULL, *after = NULL;
    allin1_timing_comparison *c = NULL;
    allin1_error error = {0};
    allin1_status status = allin1_timing_records_read(&before, path_of[0], &error);
    if (status == ALLIN1_OK)
        status = allin1_timing_records_read(&after, path_of[1], &error);
    /* A line that is none, and one that makes the two differ. */
    const char *more = "x\n{\"stage\": \"save\", \"duration\": 1, \"device\": \"gpu\"}\n";
    if (status == ALLIN1_OK)
        status = allin1_timing_records_feed(after, more, strlen(more), &error);
    if (status == ALLIN1_OK)
        status = allin1_timing_compare(
            before, after, "spectrogram=2.5@torch,spectrogram=5.1@mlx,postprocess=2,no=1", &c,
            &error);
    take_over(err, &error, status);
    if (status == ALLIN1_OK)
        status = report_all(c, after, err);
    allin1_timing_comparison_free(&c);
    allin1_timing_records_free(&before);
    allin1_timing_records_free(&after);
    return status;
}

static void every_allocation(void **state)
{
    (void)state;
    char *first = strdup(test_data("timings_before.jsonl"));
    char *second = strdup(test_data("timings_after.jsonl"));
    path_of[0] = first;
    path_of[1] = second;
    allocations_fail_each("timings", whole, NULL, 3);
    free(first);
    free(second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_allocation)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
