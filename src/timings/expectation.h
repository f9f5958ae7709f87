/* What was promised of a change: "spectrogram=2.5-5,metrical_dbn=1.5-3". */
#ifndef A1_TIMINGS_EXPECTATION_H
#define A1_TIMINGS_EXPECTATION_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

typedef struct a1_expectation {
    char *stage;
    double low, high; /* speed-ups; high is NAN when there is no upper bound */
    char *backend;    /* that was to bring it; NULL for any */
    bool found;       /* the stage was recorded */
} a1_expectation;

typedef struct a1_expectations {
    a1_expectation *items;
    size_t count;
} a1_expectations;

/* `list` may be NULL: nothing is expected. What is wrong is an ALLIN1_ERROR_ARGUMENT. */
allin1_status a1_expectations_parse(a1_expectations *expected, const char *list, a1_error *err);
void a1_expectations_free(a1_expectations *expected);

#endif
