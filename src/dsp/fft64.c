#include <math.h>
#include <stdlib.h>

#include "dsp/fft.h"

struct a1_fft64 {
    size_t n;
    double *cosine; /* cos(2 pi k / n) for k < n/2 */
    double *sine;   /* -sin(2 pi k / n) */
    unsigned short *reversed;
};

void a1_unit_root(size_t k, size_t n, double *re, double *im)
{
    /* Angles in eighths of a turn, so that symmetric roots have the same bits. */
    const size_t eighth = 8 * k / n;
    const double unit = 6.28318530717958647692 / (double)n;
    double c, s;
    switch (eighth) {
    case 0:
        c = cos(unit * (double)k), s = sin(unit * (double)k);
        break;
    case 1:
    case 2: {
        /* sin and cos of a quarter turn less this angle */
        const double rest = unit * ((double)n / 4 - (double)k);
        c = sin(rest), s = cos(rest);
        break;
    }
    case 3:
    case 4: {
        const double rest = unit * ((double)n / 2 - (double)k);
        c = -cos(rest), s = sin(rest);
        break;
    }
    case 5:
    case 6: {
        const double rest = unit * ((double)n * 3 / 4 - (double)k);
        c = -sin(rest), s = -cos(rest);
        break;
    }
    default: {
        const double rest = unit * ((double)n - (double)k);
        c = cos(rest), s = -sin(rest);
        break;
    }
    }
    *re = c;
    *im = -s;
}

allin1_status a1_fft64_create(a1_fft64 **out, size_t n, a1_error *err)
{
    *out = NULL;
    if (n < 2 || n > 65536 || (n & (n - 1)) != 0)
        return a1_fail(
            err, ALLIN1_ERROR_ARGUMENT,
            "a transform of %zu points was asked for; powers of two from 2 to 65536 work", n);
    a1_fft64 *plan = calloc(1, sizeof *plan);
    if (!plan)
        return a1_fail_memory(err, "a transform's tables");
    plan->n = n;
    plan->cosine = malloc(n / 2 * sizeof *plan->cosine);
    plan->sine = malloc(n / 2 * sizeof *plan->sine);
    plan->reversed = calloc(n, sizeof *plan->reversed);
    if (!plan->cosine || !plan->sine || !plan->reversed) {
        a1_fft64_destroy(&plan);
        return a1_fail_memory(err, "a transform's tables");
    }
    for (size_t k = 0; k < n / 2; k++)
        a1_unit_root(k, n, &plan->cosine[k], &plan->sine[k]);
    for (size_t k = 1; k < n; k++)
        plan->reversed[k] = (unsigned short)(plan->reversed[k / 2] / 2 + (k & 1) * n / 2);
    *out = plan;
    return ALLIN1_OK;
}

void a1_fft64_destroy(a1_fft64 **slot)
{
    a1_fft64 *plan = *slot;
    if (!plan)
        return;
    free(plan->cosine);
    free(plan->sine);
    free(plan->reversed);
    free(plan);
    *slot = NULL;
}

void a1_fft64_forward(const a1_fft64 *plan, double *re, double *im)
{
    const size_t n = plan->n;
    for (size_t k = 0; k < n; k++) {
        const size_t other = plan->reversed[k];
        if (other > k) {
            const double r = re[k], i = im[k];
            re[k] = re[other];
            im[k] = im[other];
            re[other] = r;
            im[other] = i;
        }
    }
    for (size_t half = 1; half < n; half *= 2) {
        const size_t stride = n / 2 / half;
        for (size_t start = 0; start < n; start += 2 * half) {
            for (size_t k = 0; k < half; k++) {
                const size_t a = start + k, b = a + half;
                const double c = plan->cosine[k * stride], s = plan->sine[k * stride];
                const double r = re[b] * c - im[b] * s, i = re[b] * s + im[b] * c;
                re[b] = re[a] - r;
                im[b] = im[a] - i;
                re[a] += r;
                im[a] += i;
            }
        }
    }
}
