/* Timings written for a test, as the reference implementation and this program write them. */
#ifndef TEST_SUPPORT_TIMING_LINES_H
#define TEST_SUPPORT_TIMING_LINES_H

#include <allin1/timings_compare.h>

/* Adds one line, formatted as by printf, without its newline. */
void feed_line(allin1_timing_records *timings, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A stage of the reference implementation: no run, no parent. */
void feed_stage(allin1_timing_records *timings, const char *stage, double start, double seconds,
                const char *track);

/* A file of tests/data. Fails the test when it cannot be read. */
allin1_timing_records *read_test_timings(const char *name);
const char *test_data(const char *name);

allin1_timing_records *new_timings(const char *name);

/* Fails the test when it fails. */
allin1_timing_comparison *compare_timings(allin1_timing_records *before,
                                          allin1_timing_records *after, const char *expected);

/* The row of a stage, "total" too; fails the test when there is none. */
const allin1_timing_row *row_of(const allin1_timing_comparison *comparison, const char *stage);
/* The n-th finding of this kind about this stage (NULL: any), or NULL. */
const allin1_finding *finding_of(const allin1_timing_comparison *comparison,
                                 allin1_finding_kind kind, const char *stage);
/* Fails unless one of its causes holds `part`. */
void expect_cause(const allin1_finding *finding, const char *part);
int has_cause(const allin1_finding *finding, const char *part);

#endif
