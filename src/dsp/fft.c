#include "dsp/fft.h"

#include <stdlib.h>

#include "base/arena.h"
#include "kernels/fft_kernels.h"

#define MIN_POINTS 16
#define MAX_POINTS 65536

struct a1_rfft {
    size_t n;
    const a1_fft_kernels *kernels;
    a1_fft_tables tables;
    float *memory; /* all tables */
};

/* The widest kernels of this level that are not too wide for n. */
static const a1_fft_kernels *choose_kernels(size_t n, const a1_cpu *cpu)
{
#if defined(__x86_64__)
    if (cpu->level >= ALLIN1_CPU_AVX512 && n >= a1_fft_kernels_avx512.min_n)
        return &a1_fft_kernels_avx512;
    if (cpu->level >= ALLIN1_CPU_AVX2 && n >= a1_fft_kernels_avx2.min_n)
        return &a1_fft_kernels_avx2;
#elif defined(__aarch64__)
    if (cpu->level == ALLIN1_CPU_NEON && n >= a1_fft_kernels_neon.min_n)
        return &a1_fft_kernels_neon;
#endif
    (void)cpu;
    return &a1_fft_kernels_scalar;
}

/* Splits points / first radix into radices, most of them 8. What is left is 2 or 4, or 16 where
 * there are enough registers to beat two passes of 4 (32 vectors: measured, 10 % of 4,096 samples).
 */
static void plan_passes(a1_fft_tables *tables, unsigned first_radix)
{
    size_t length = first_radix;
    while (length < tables->points) {
        const size_t rest = tables->points / length;
        unsigned radix = 8;
        if (rest == 2 || rest == 4)
            radix = (unsigned)rest;
        else if (rest == 16)
            radix = first_radix == 16 ? 16 : 4;
        tables->pass[tables->passes++] = (a1_fft_pass){.radix = radix, .length = length};
        length *= radix;
    }
}

static void fill_twiddles(const a1_fft_pass *pass, unsigned lanes, float *out)
{
    const size_t length = pass->length, total = length * pass->radix;
    for (size_t k = 0; k < length; k += lanes) {
        for (size_t j = 1; j < pass->radix; j++) {
            for (size_t lane = 0; lane < lanes; lane++) {
                double re, im;
                a1_unit_root(j * (k + lane), total, &re, &im);
                out[lane] = (float)re;
                out[lanes + lane] = (float)im;
            }
            out += 2 * lanes;
        }
    }
}

allin1_status a1_rfft_create(a1_rfft **out, size_t n, const a1_cpu *cpu, a1_error *err)
{
    *out = NULL;
    if (n < MIN_POINTS || n > MAX_POINTS || (n & (n - 1)) != 0)
        return a1_fail(err, ALLIN1_ERROR_ARGUMENT,
                       "a transform of %zu samples was asked for; powers of two from %d to %d work",
                       n, MIN_POINTS, MAX_POINTS);
    a1_rfft *plan = calloc(1, sizeof *plan);
    if (!plan)
        return a1_fail_memory(err, "a transform's tables");
    plan->n = n;
    plan->kernels = choose_kernels(n, cpu);
    a1_fft_tables *tables = &plan->tables;
    tables->points = n / 2;
    plan_passes(tables, plan->kernels->first_radix);

    size_t floats = n / 2;
    for (unsigned p = 0; p < tables->passes; p++)
        floats += 2 * tables->pass[p].length * (tables->pass[p].radix - 1);
    plan->memory = a1_aligned_alloc(floats * sizeof *plan->memory);
    if (!plan->memory) {
        a1_rfft_destroy(&plan);
        return a1_fail_memory(err, "a transform's tables");
    }
    float *next = plan->memory;
    tables->half_turns = next;
    const size_t lanes = plan->kernels->lanes;
    for (size_t k = 0; k < n / 4; k++) {
        double re, im;
        a1_unit_root(k, n, &re, &im);
        float *block = next + 2 * (k - k % lanes) + k % lanes;
        block[0] = (float)(0.5 * re);
        block[lanes] = (float)(-0.5 * im);
    }
    next += n / 2;
    for (unsigned p = 0; p < tables->passes; p++) {
        a1_fft_pass *pass = &tables->pass[p];
        fill_twiddles(pass, plan->kernels->lanes, next);
        pass->twiddles = next;
        next += 2 * pass->length * (pass->radix - 1);
    }
    *out = plan;
    return ALLIN1_OK;
}

void a1_rfft_destroy(a1_rfft **slot)
{
    a1_rfft *plan = *slot;
    if (!plan)
        return;
    a1_aligned_free(plan->memory);
    free(plan);
    *slot = NULL;
}

size_t a1_rfft_scratch(const a1_rfft *plan)
{
    return 2 * plan->n;
}

void a1_rfft_forward(const a1_rfft *plan, const float *in, float *out, float *scratch)
{
    plan->kernels->forward(&plan->tables, NULL, in, out, scratch);
}

void a1_rfft_inverse(const a1_rfft *plan, const float *in, float *out, float *scratch)
{
    plan->kernels->inverse(&plan->tables, in, out, scratch);
}

void a1_rfft_forward_batch(const a1_rfft *plan, const float *window, const float *in,
                           size_t in_stride, size_t count, float *re, float *im, size_t out_stride,
                           float *scratch)
{
    for (size_t f = 0; f < count; f++)
        plan->kernels->forward_planes(&plan->tables, window, in + f * in_stride,
                                      re + f * out_stride, im + f * out_stride, scratch);
}

void a1_rfft_inverse_batch(const a1_rfft *plan, const float *window, const float *re,
                           const float *im, size_t in_stride, size_t count, float *out,
                           size_t out_stride, float *scratch)
{
    for (size_t f = 0; f < count; f++)
        plan->kernels->inverse_planes(&plan->tables, window, re + f * in_stride, im + f * in_stride,
                                      out + f * out_stride, scratch);
}

void a1_rfft_magnitudes(const a1_rfft *plan, const float *window, const float *in, float *out,
                        float *scratch)
{
    plan->kernels->magnitudes(&plan->tables, window, in, out, scratch);
}
