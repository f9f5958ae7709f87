/* The transforms against their definition in double, at every size and CPU level. */
#include "support/golden.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "dsp/fft.h"

#define SMALLEST 16
#define LARGEST 65536
#define GUARD 4711.5f
#define GUARDS 16

/* The rounding errors of one level of a transform are independent and about 2^-24 of the signal, so
 * log2(n) levels leave sqrt(log2(n)) 2^-24. Measured: 0.4 to 0.7 of that. A wrong twiddle shows at
 * 1e-4 at least. */
static double rms_bound(size_t n)
{
    return sqrt(log2((double)n)) * ldexp(1.0, -24);
}

/* Of some 1e5 values with a normal spread, none lies six deviations out. */
#define WORST_BIN 6.0

typedef struct workspace {
    size_t n;
    const char *level;
    a1_rfft *plan;
    float *in, *out, *back, *scratch; /* n, n + 2, n, a1_rfft_scratch; guarded */
} workspace;

static float *guarded(size_t count)
{
    float *memory = a1_aligned_alloc((count + GUARDS) * sizeof *memory);
    assert_non_null(memory);
    for (size_t i = 0; i < count + GUARDS; i++)
        memory[i] = GUARD;
    return memory;
}

static void check_guard(const workspace *w, const char *what, const float *memory, size_t count)
{
    for (size_t i = count; i < count + GUARDS; i++) {
        if (memory[i] != GUARD)
            fail_msg("%s, n = %zu: %s was written %zu floats beyond its end", w->level, w->n, what,
                     i - count);
    }
}

static workspace open_workspace(size_t n, allin1_cpu_level level)
{
    workspace w = {.n = n, .level = allin1_cpu_level_string(level)};
    a1_cpu cpu;
    assert_int_equal(a1_cpu_select(&cpu, level, NULL), ALLIN1_OK);
    assert_int_equal(a1_rfft_create(&w.plan, n, &cpu, NULL), ALLIN1_OK);
    w.in = guarded(n);
    w.out = guarded(n + 2);
    w.back = guarded(n);
    w.scratch = guarded(a1_rfft_scratch(w.plan));
    return w;
}

static void close_workspace(workspace *w)
{
    check_guard(w, "the input", w->in, w->n);
    check_guard(w, "the spectrum", w->out, w->n + 2);
    check_guard(w, "the inverse", w->back, w->n);
    check_guard(w, "the scratch", w->scratch, a1_rfft_scratch(w->plan));
    a1_aligned_free(w->in);
    a1_aligned_free(w->out);
    a1_aligned_free(w->back);
    a1_aligned_free(w->scratch);
    a1_rfft_destroy(&w->plan);
    assert_null(w->plan);
}

/* Runs `test` at every size and level. */
static void everywhere(void (*test)(workspace *w))
{
    allin1_cpu_level levels[4];
    const size_t count = a1_cpu_levels(levels);
    for (size_t i = 0; i < count; i++) {
        for (size_t n = SMALLEST; n <= LARGEST; n *= 2) {
            workspace w = open_workspace(n, levels[i]);
            test(&w);
            close_workspace(&w);
        }
    }
}

static void fill_random(float *values, size_t count, uint64_t seed)
{
    for (size_t i = 0; i < count; i++)
        values[i] = test_random(&seed);
}

/* Bin k of n samples as the sum reads; `roots` holds cos(2 pi i / n) at i and sin behind them. */
static void direct_bin(const float *in, size_t n, const double *roots, size_t k, double *re,
                       double *im)
{
    double sum_re = 0, sum_im = 0;
    for (size_t t = 0; t < n; t++) {
        sum_re += (double)in[t] * roots[k * t % n];
        sum_im -= (double)in[t] * roots[n + k * t % n];
    }
    *re = sum_re;
    *im = sum_im;
}

static double *roots_of(size_t n)
{
    double *roots = malloc(2 * n * sizeof *roots);
    assert_non_null(roots);
    for (size_t i = 0; i < n; i++) {
        roots[i] = cos(6.28318530717958647692 * (double)i / (double)n);
        roots[n + i] = sin(6.28318530717958647692 * (double)i / (double)n);
    }
    return roots;
}

/* All bins of short transforms; of long ones the ends, the middle and some in between. */
static size_t next_bin(size_t n, size_t k)
{
    if (n <= 2048 || k < 40 || k + 40 >= n / 2 || (k > n / 4 - 40 && k < n / 4 + 40))
        return k + 1;
    return k + n / 64 + 1 < n / 2 - 40 ? k + n / 64 + 1 : n / 2 - 40;
}

static void definition(workspace *w)
{
    const size_t n = w->n;
    fill_random(w->in, n, n);
    a1_rfft_forward(w->plan, w->in, w->out, w->scratch);
    assert_true(w->out[1] == 0.0f && w->out[n + 1] == 0.0f);
    double *roots = roots_of(n), error = 0, power = 0, worst = 0;
    size_t bins = 0, worst_bin = 0;
    for (size_t k = 0; k <= n / 2; k = next_bin(n, k)) {
        double re, im;
        direct_bin(w->in, n, roots, k, &re, &im);
        const double off = hypot((double)w->out[2 * k] - re, (double)w->out[2 * k + 1] - im);
        if (!(off <= worst)) {
            worst = off;
            worst_bin = k;
        }
        error += off * off;
        power += re * re + im * im;
        bins++;
    }
    free(roots);
    const double rms = sqrt(error / power), level = sqrt(power / (double)bins);
    if (!(rms <= rms_bound(n)) || !(worst <= WORST_BIN * rms_bound(n) * level))
        fail_msg("%s, n = %zu: relative rms error %.3g (allowed %.3g), bin %zu off by %.3g of the "
                 "rms level (allowed %.3g)",
                 w->level, n, rms, rms_bound(n), worst_bin, worst / level,
                 WORST_BIN * rms_bound(n));
}

static void forward_is_the_definition(void **state)
{
    (void)state;
    everywhere(definition);
}

/* An impulse at 0 and the two constant-magnitude signals below need no rounding: exact. */
static void exact(workspace *w)
{
    const size_t n = w->n;
    memset(w->in, 0, n * sizeof *w->in);
    w->in[0] = 1.0f;
    a1_rfft_forward(w->plan, w->in, w->out, w->scratch);
    for (size_t k = 0; k <= n / 2; k++) {
        if (w->out[2 * k] != 1.0f || w->out[2 * k + 1] != 0.0f)
            fail_msg("%s, n = %zu: impulse, bin %zu is %g %+g i", w->level, n, k,
                     (double)w->out[2 * k], (double)w->out[2 * k + 1]);
    }
    for (int nyquist = 0; nyquist < 2; nyquist++) {
        for (size_t i = 0; i < n; i++)
            w->in[i] = nyquist && i % 2 ? -1.0f : 1.0f;
        a1_rfft_forward(w->plan, w->in, w->out, w->scratch);
        for (size_t k = 0; k <= n / 2; k++) {
            const float expected = k == (nyquist ? n / 2 : 0) ? (float)n : 0.0f;
            if (w->out[2 * k] != expected || w->out[2 * k + 1] != 0.0f)
                fail_msg("%s, n = %zu: %s, bin %zu is %g %+g i", w->level, n,
                         nyquist ? "Nyquist" : "constant", k, (double)w->out[2 * k],
                         (double)w->out[2 * k + 1]);
        }
    }
}

static void impulse_constant_and_nyquist(void **state)
{
    (void)state;
    everywhere(exact);
}

/* An impulse elsewhere turns the phase: each bin is a root of unity, good to the bound. */
static void shifted_impulse(workspace *w)
{
    const size_t n = w->n;
    static const size_t places[] = {1, 2, 3, 7, 8, 15};
    for (size_t p = 0; p < sizeof places / sizeof *places; p++) {
        const size_t at = n - places[p];
        memset(w->in, 0, n * sizeof *w->in);
        w->in[at] = 1.0f;
        a1_rfft_forward(w->plan, w->in, w->out, w->scratch);
        for (size_t k = 0; k <= n / 2; k++) {
            const double angle = 6.28318530717958647692 * (double)(k * at % n) / (double)n;
            const double off =
                hypot((double)w->out[2 * k] - cos(angle), (double)w->out[2 * k + 1] + sin(angle));
            if (!(off <= WORST_BIN * rms_bound(n)))
                fail_msg("%s, n = %zu: impulse at %zu, bin %zu off by %.3g", w->level, n, at, k,
                         off);
        }
    }
}

static void impulses_elsewhere(void **state)
{
    (void)state;
    everywhere(shifted_impulse);
}

static void round_trip(workspace *w)
{
    const size_t n = w->n;
    fill_random(w->in, n, 3 * n);
    a1_rfft_forward(w->plan, w->in, w->out, w->scratch);
    a1_rfft_inverse(w->plan, w->out, w->back, w->scratch);
    double error = 0, power = 0, worst = 0;
    for (size_t i = 0; i < n; i++) {
        const double off = (double)w->back[i] / (double)n - (double)w->in[i];
        error += off * off;
        power += (double)w->in[i] * (double)w->in[i];
        worst = fabs(off) <= worst ? worst : fabs(off);
    }
    /* Two transforms' errors, independent. */
    const double bound = sqrt(2.0) * rms_bound(n), level = sqrt(power / (double)n);
    if (!(sqrt(error / power) <= bound) || !(worst <= WORST_BIN * bound * level))
        fail_msg("%s, n = %zu: there and back is off by %.3g rms and %.3g at worst", w->level, n,
                 sqrt(error / power), worst);
    /* What the inverse must not look at: not even not-a-number may come through. */
    float *again = guarded(n);
    w->out[1] = NAN;
    w->out[n + 1] = NAN;
    a1_rfft_inverse(w->plan, w->out, again, w->scratch);
    assert_memory_equal(again, w->back, n * sizeof *again);
    check_guard(w, "the inverse", again, n);
    a1_aligned_free(again);
}

static void inverse_undoes_forward(void **state)
{
    (void)state;
    everywhere(round_trip);
}

/* The inverse on its own: one bin is one cosine, which a forward with the same mistake would hide.
 */
static void single_bins(workspace *w)
{
    const size_t n = w->n;
    const size_t bins[] = {0, 1, 2, n / 4 - 1, n / 4, n / 4 + 1, n / 2 - 1, n / 2};
    for (size_t b = 0; b < sizeof bins / sizeof *bins; b++) {
        const size_t k = bins[b];
        const int real = k == 0 || k == n / 2;
        const float re = 0.75f, im = real ? 0.0f : -0.5f;
        memset(w->out, 0, (n + 2) * sizeof *w->out);
        w->out[2 * k] = re;
        w->out[2 * k + 1] = im;
        a1_rfft_inverse(w->plan, w->out, w->back, w->scratch);
        for (size_t t = 0; t < n; t++) {
            const double angle = 6.28318530717958647692 * (double)(k * t % n) / (double)n;
            const double expected =
                (real ? 1.0 : 2.0) * ((double)re * cos(angle) - (double)im * sin(angle));
            if (!(fabs((double)w->back[t] - expected) <= WORST_BIN * rms_bound(n) * 2.0))
                fail_msg("%s, n = %zu: bin %zu gives %.9g at sample %zu, not %.9g", w->level, n, k,
                         (double)w->back[t], t, expected);
        }
    }
}

static void inverse_of_single_bins(void **state)
{
    (void)state;
    everywhere(single_bins);
}

/* The batches are the single transforms: the same bits, frame by frame, with windows and strides.
 */
static void batches(workspace *w)
{
    enum { FRAMES = 3 };
    const size_t n = w->n, bins = n / 2, hop = n / 4 + 1, stride = bins + 3, out_stride = n + 5;
    const size_t samples = (FRAMES - 1) * hop + n;
    float *signal = guarded(samples), *window = guarded(n);
    float *re = guarded(FRAMES * stride), *im = guarded(FRAMES * stride);
    float *magnitudes = guarded(bins), *frames = guarded(FRAMES * out_stride);
    fill_random(signal, samples, 5 * n);
    fill_random(window, n, 7 * n);
    for (int windowed = 0; windowed < 2; windowed++) {
        const float *factors = windowed ? window : NULL;
        a1_rfft_forward_batch(w->plan, factors, signal, hop, FRAMES, re, im, stride, w->scratch);
        a1_rfft_inverse_batch(w->plan, factors, re, im, stride, FRAMES, frames, out_stride,
                              w->scratch);
        for (size_t f = 0; f < FRAMES; f++) {
            for (size_t i = 0; i < n; i++)
                w->in[i] = signal[f * hop + i] * (windowed ? window[i] : 1.0f);
            a1_rfft_forward(w->plan, w->in, w->out, w->scratch);
            a1_rfft_magnitudes(w->plan, factors, signal + f * hop, magnitudes, w->scratch);
            for (size_t k = 0; k < bins; k++) {
                const float *x = w->out + 2 * k;
                if (re[f * stride + k] != x[0] || im[f * stride + k] != x[1])
                    fail_msg("%s, n = %zu: frame %zu, bin %zu is %.9g %+.9g i in the batch and "
                             "%.9g %+.9g i alone",
                             w->level, n, f, k, (double)re[f * stride + k],
                             (double)im[f * stride + k], (double)x[0], (double)x[1]);
                /* Three roundings: of the two squares' sum and of the root. */
                const double size = hypot((double)x[0], (double)x[1]);
                if (!(fabs((double)magnitudes[k] - size) <= 3 * ldexp(size, -24)))
                    fail_msg("%s, n = %zu: magnitude of bin %zu is %.9g, not %.9g", w->level, n, k,
                             (double)magnitudes[k], size);
            }
            check_guard(w, "a row of magnitudes", magnitudes, bins);
            /* The row's gap, of three floats, must be as it was. */
            for (size_t i = bins; i < stride; i++)
                assert_true(re[f * stride + i] == GUARD && im[f * stride + i] == GUARD);
            w->out[n] = 0.0f; /* the batch has no bin n/2 */
            a1_rfft_inverse(w->plan, w->out, w->back, w->scratch);
            for (size_t i = 0; i < n; i++) {
                const float expected = w->back[i] * (windowed ? window[i] : 1.0f);
                if (frames[f * out_stride + i] != expected)
                    fail_msg("%s, n = %zu: frame %zu, sample %zu is %.9g in the batch and %.9g "
                             "alone",
                             w->level, n, f, i, (double)frames[f * out_stride + i],
                             (double)expected);
            }
            for (size_t i = n; i < out_stride; i++)
                assert_true(frames[f * out_stride + i] == GUARD);
        }
    }
    /* im[0] is ignored. */
    float *again = guarded(n);
    im[0] = NAN;
    a1_rfft_inverse_batch(w->plan, window, re, im, stride, 1, again, n, w->scratch);
    assert_memory_equal(again, frames, n * sizeof *again);
    check_guard(w, "re", re, FRAMES * stride);
    check_guard(w, "im", im, FRAMES * stride);
    float *all[] = {signal, window, re, im, magnitudes, frames, again};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        a1_aligned_free(all[i]);
}

static void batches_are_single_transforms(void **state)
{
    (void)state;
    everywhere(batches);
}

/* Nothing needs alignment, and the bits do not depend on it. */
static void unaligned(workspace *w)
{
    const size_t n = w->n;
    float *in = guarded(n + 1), *out = guarded(n + 3);
    float *scratch = guarded(a1_rfft_scratch(w->plan) + 1);
    fill_random(w->in, n, 11 * n);
    memcpy(in + 1, w->in, n * sizeof *in);
    a1_rfft_forward(w->plan, w->in, w->out, w->scratch);
    a1_rfft_forward(w->plan, in + 1, out + 1, scratch + 1);
    assert_memory_equal(out + 1, w->out, (n + 2) * sizeof *out);
    a1_rfft_inverse(w->plan, w->out, w->back, w->scratch);
    a1_rfft_inverse(w->plan, out + 1, in + 1, scratch + 1);
    assert_memory_equal(in + 1, w->back, n * sizeof *in);
    a1_aligned_free(in);
    a1_aligned_free(out);
    a1_aligned_free(scratch);
}

static void alignment_is_free(void **state)
{
    (void)state;
    everywhere(unaligned);
}

static void double_transform(void **state)
{
    (void)state;
    for (size_t n = 2; n <= LARGEST; n *= 2) {
        a1_fft64 *plan;
        assert_int_equal(a1_fft64_create(&plan, n, NULL), ALLIN1_OK);
        float *in = malloc(2 * n * sizeof *in);
        double *re = malloc(n * sizeof *re), *im = malloc(n * sizeof *im), *roots = roots_of(n);
        assert_non_null(in);
        assert_non_null(re);
        assert_non_null(im);
        fill_random(in, 2 * n, 13 * n);
        for (size_t i = 0; i < n; i++) {
            re[i] = (double)in[i];
            im[i] = (double)in[n + i];
        }
        a1_fft64_forward(plan, re, im);
        for (size_t k = 0; k < n; k = next_bin(n, k % (n / 2)) + k / (n / 2) * (n / 2)) {
            double a_re, a_im, b_re, b_im;
            direct_bin(in, n, roots, k, &a_re, &a_im);
            direct_bin(in + n, n, roots, k, &b_re, &b_im);
            /* The sum of n terms in a row errs by about n 2^-53 at most, the roots' angles too. */
            const double off = hypot(re[k] - (a_re - b_im), im[k] - (a_im + b_re));
            if (!(off <= (double)n * 1e-15))
                fail_msg("n = %zu: bin %zu is off by %.3g", n, k, off);
        }
        free(in);
        free(re);
        free(im);
        free(roots);
        a1_fft64_destroy(&plan);
        assert_null(plan);
    }
}

static void unit_roots(void **state)
{
    (void)state;
    for (size_t n = 1; n <= LARGEST; n *= 2) {
        for (size_t k = 0; k<n; k += n> 4096 ? 7 : 1) {
            double re, im;
            a1_unit_root(k, n, &re, &im);
            const double angle = 6.28318530717958647692 * (double)k / (double)n;
            /* The comparison's own angle is rounded: half a unit in the last place of 2 pi. */
            assert_true(fabs(re - cos(angle)) <= 1e-15 && fabs(im + sin(angle)) <= 1e-15);
            if (4 * k % n == 0)
                assert_true(fabs(re) + fabs(im) == 1.0 && re * im == 0.0);
        }
    }
}

static void lengths_that_do_not_work(void **state)
{
    (void)state;
    static const size_t wrong[] = {0, 1, 8, 15, 17, 24, 48, 65535, 131072, (size_t)1 << 40};
    a1_cpu cpu;
    assert_int_equal(a1_cpu_select(&cpu, ALLIN1_CPU_AUTO, NULL), ALLIN1_OK);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        a1_error err = {0};
        a1_rfft *plan = (a1_rfft *)&err;
        assert_int_equal(a1_rfft_create(&plan, wrong[i], &cpu, &err), ALLIN1_ERROR_ARGUMENT);
        assert_null(plan);
        assert_int_equal(err.status, ALLIN1_ERROR_ARGUMENT);
        assert_true(err.message[0] != '\0');
        a1_rfft_destroy(&plan); /* takes NULL */
    }
    a1_fft64 *plan = NULL;
    assert_int_equal(a1_fft64_create(&plan, 0, NULL), ALLIN1_ERROR_ARGUMENT);
    assert_int_equal(a1_fft64_create(&plan, 1, NULL), ALLIN1_ERROR_ARGUMENT);
    assert_int_equal(a1_fft64_create(&plan, 12, NULL), ALLIN1_ERROR_ARGUMENT);
    assert_int_equal(a1_fft64_create(&plan, 131072, NULL), ALLIN1_ERROR_ARGUMENT);
    assert_null(plan);
    a1_fft64_destroy(&plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forward_is_the_definition),
        cmocka_unit_test(impulse_constant_and_nyquist),
        cmocka_unit_test(impulses_elsewhere),
        cmocka_unit_test(inverse_undoes_forward),
        cmocka_unit_test(inverse_of_single_bins),
        cmocka_unit_test(batches_are_single_transforms),
        cmocka_unit_test(alignment_is_free),
        cmocka_unit_test(double_transform),
        cmocka_unit_test(unit_roots),
        cmocka_unit_test(lengths_that_do_not_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
