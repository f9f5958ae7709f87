/* What repeated measurements of one thing say about it. */
#ifndef A1_TIMINGS_TIMING_STATISTICS_H
#define A1_TIMINGS_TIMING_STATISTICS_H

#include <stddef.h>

/* The middle value, or the mean of the two in the middle; `values` is reordered. NAN for none. */
double a1_median(double *values, size_t count);

/* The median as an estimate: its standard error, and the degrees of freedom behind that. */
typedef struct a1_estimate {
    size_t count;
    double value;
    double variance; /* of `value`; NAN for fewer than two measurements */
    double freedom;
} a1_estimate;

/* Of repeated measurements; `values` is reordered.
 *
 * The variance is Yuen's (1974) of a mean without the highest and the lowest fifth, in which a
 * single disturbed measurement of five does not count, times pi / 2: the variance of a median of
 * normal measurements is at most that much of their mean's. With fewer than five nothing is left
 * out. */
a1_estimate a1_estimate_median(double *values, size_t count);

/* The sum of two independent estimates, degrees of freedom after Welch and Satterthwaite. */
a1_estimate a1_estimate_add(a1_estimate a, a1_estimate b);

/* Half the width of the 95 % confidence interval of log(a / b), to first order in the relative
 * errors; NAN when the variance of either is unknown or a value is not positive. */
double a1_log_ratio_margin(a1_estimate a, a1_estimate b);

/* The 97.5 % point of Student's t. `freedom` >= 1. Within 1.5 %. */
double a1_student_point(double freedom);

#endif
