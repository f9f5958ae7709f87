#include "timings/timing_statistics.h"

#include <math.h>
#include <stdlib.h>

#define CUT 5 /* one in so many at each end */
#define PI 3.14159265358979323846
#define NORMAL_POINT 1.959963985 /* 97.5 % point of the normal distribution */

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double a1_median(double *values, size_t count)
{
    if (count == 0)
        return NAN;
    qsort(values, count, sizeof *values, compare);
    return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

/* Sum of squares around the mean after the `cut` values at each end were set to their inner
 * neighbour; `values` is sorted. */
static double winsorised_squares(const double *values, size_t count, size_t cut)
{
    double sum = 0, squares = 0;
    for (int pass = 0; pass < 2; pass++) {
        const double mean = sum / (double)count;
        for (size_t i = 0; i < count; i++) {
            const size_t at = i < cut ? cut : i >= count - cut ? count - cut - 1 : i;
            if (pass == 0)
                sum += values[at];
            else
                squares += (values[at] - mean) * (values[at] - mean);
        }
    }
    return squares;
}

a1_estimate a1_estimate_median(double *values, size_t count)
{
    a1_estimate e = {.count = count, .variance = NAN};
    e.value = a1_median(values, count);
    if (count < 2)
        return e;
    const size_t cut = count / CUT, rest = count - 2 * cut;
    e.freedom = (double)(rest - 1);
    e.variance = winsorised_squares(values, count, cut) / ((double)rest * e.freedom);
    if (count > 2) /* of two, the median is the mean */
        e.variance *= PI / 2;
    return e;
}

a1_estimate a1_estimate_add(a1_estimate a, a1_estimate b)
{
    a1_estimate sum = {.count = a.count < b.count ? a.count : b.count,
                       .value = a.value + b.value,
                       .variance = a.variance + b.variance};
    const double parts = a.variance * a.variance / a.freedom + b.variance * b.variance / b.freedom;
    sum.freedom = parts > 0 ? sum.variance * sum.variance / parts : a.freedom + b.freedom;
    return sum;
}

double a1_log_ratio_margin(a1_estimate a, a1_estimate b)
{
    if (!(a.value > 0) || !(b.value > 0) || isnan(a.variance) || isnan(b.variance))
        return NAN;
    const double x = a.variance / (a.value * a.value), y = b.variance / (b.value * b.value);
    const double parts = x * x / a.freedom + y * y / b.freedom;
    const double freedom = parts > 0 ? (x + y) * (x + y) / parts : a.freedom + b.freedom;
    return a1_student_point(freedom) * sqrt(x + y);
}

double a1_student_point(double freedom)
{
    /* From five on, the expansion of Cornish and Fisher around the normal distribution; below,
     * between the whole numbers, linear in a power of 1 / freedom that straightens the curve. */
    static const double whole[] = {12.7062, 4.3027, 3.1824, 2.7764, 2.5706};
    if (!(freedom > 1))
        return whole[0];
    if (freedom < 5) {
        const int below = (int)freedom;
        const double power = below < 2 ? -2.9 : -1.8;
        const double from = pow(below, power), to = pow(below + 1, power);
        return whole[below - 1] +
               (from - pow(freedom, power)) / (from - to) * (whole[below] - whole[below - 1]);
    }
    const double z = NORMAL_POINT, z3 = z * z * z, z5 = z3 * z * z, z7 = z5 * z * z, n = freedom;
    return z + (z3 + z) / (4 * n) + (5 * z5 + 16 * z3 + 3 * z) / (96 * n * n) +
           (3 * z7 + 19 * z5 + 17 * z3 - 15 * z) / (384 * n * n * n);
}
