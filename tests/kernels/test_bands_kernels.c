/* The spectrogram's kernels at every level of this machine against their definitions in double:
 * lengths that leave tails, places at either end, and what lies beyond. */
#include "support/golden.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/cpu.h"
#include "kernels/bands_kernels.h"

#define GUARD 4711.5f
#define LONGEST 150

typedef struct level {
    const char *name;
    const a1_bands_kernels *kernels;
} level;

static size_t find_levels(level found[4])
{
    allin1_cpu_level levels[4];
    const size_t count = a1_cpu_levels(levels);
    for (size_t i = 0; i < count; i++) {
        found[i].name = allin1_cpu_level_string(levels[i]);
        found[i].kernels = &a1_bands_kernels_scalar;
#if defined(__x86_64__)
        if (levels[i] == ALLIN1_CPU_AVX2)
            found[i].kernels = &a1_bands_kernels_avx2;
        if (levels[i] == ALLIN1_CPU_AVX512)
            found[i].kernels = &a1_bands_kernels_avx512;
#elif defined(__aarch64__)
        if (levels[i] == ALLIN1_CPU_NEON)
            found[i].kernels = &a1_bands_kernels_neon;
#endif
    }
    return count;
}

static void peaks(void **state)
{
    (void)state;
    level levels[4];
    const size_t level_count = find_levels(levels);
    float in[LONGEST + 1];
    for (size_t l = 0; l < level_count; l++) {
        for (size_t count = 0; count <= LONGEST; count++) {
            for (size_t at = 0; at < count; at++) {
                uint64_t seed = count;
                for (size_t i = 0; i < count; i++)
                    in[i] = test_random(&seed);
                in[at] = at % 2 ? 3.0f : -3.0f;
                in[count] = 1000.0f; /* beyond */
                if (at + 1 < count)
                    in[at + 1] = NAN;
                const float peak = levels[l].kernels->peak(in, count);
                if (peak != 3.0f)
                    fail_msg("%s: peak of %zu values is %g with 3 at %zu", levels[l].name, count,
                             (double)peak, at);
            }
        }
        assert_true(levels[l].kernels->peak(in, 0) == 0.0f);
    }
}

static double to_pcm(float x, float divisor)
{
    return rint(fmin(fmax((double)(x / divisor) * 32768.0, -32768.0), 32767.0));
}

static void mixing(void **state)
{
    (void)state;
    level levels[4];
    const size_t level_count = find_levels(levels);
    const float gain = 0.4321f, divisor = 1.37f;
    float left[LONGEST], right[LONGEST], out[LONGEST + 1];
    uint64_t seed = 6;
    for (size_t l = 0; l < level_count; l++) {
        for (size_t count = 0; count <= LONGEST; count++) {
            for (size_t i = 0; i < count; i++) {
                left[i] = 1.6f * test_random(&seed); /* some beyond full scale */
                right[i] = i % 5 ? 1.6f * test_random(&seed) : -left[i];
            }
            out[count] = GUARD;
            levels[l].kernels->mix(left, right, gain, out, count);
            for (size_t i = 0; i < count; i++) {
                const double expected = (double)gain * ((double)left[i] + (double)right[i]);
                /* Two products of at most 0.7, rounded, and their sum: three halves of 2^-23. */
                if (!(fabs((double)out[i] - expected) <= 1.5 * ldexp(1.0, -23)))
                    fail_msg("%s: mix of %zu, sample %zu is %.9g, not %.9g", levels[l].name, count,
                             i, (double)out[i], expected);
            }
            assert_true(out[count] == GUARD);
            levels[l].kernels->mix_pcm(left, right, divisor, out, count);
            for (size_t i = 0; i < count; i++) {
                const double expected =
                    trunc((to_pcm(left[i], divisor) + to_pcm(right[i], divisor)) / 2.0);
                if ((double)out[i] != expected)
                    fail_msg("%s: 16-bit mix of %zu, sample %zu is %.9g, not %.9g", levels[l].name,
                             count, i, (double)out[i], expected);
            }
            assert_true(out[count] == GUARD);
        }
    }
}

/* Bands of many widths over random magnitudes, for every number of frames. */
static void filtering(void **state)
{
    (void)state;
    enum { BANDS = 37, BINS = 300, STRIDE = 331 };
    level levels[4];
    const size_t level_count = find_levels(levels);
    a1_band bands[BANDS];
    float weights[BANDS * 40];
    uint64_t seed = 8;
    size_t offset = 0, bin_count = 0;
    for (size_t b = 0; b < BANDS; b++) {
        bands[b] = (a1_band){.first = 7 * b, .count = 1 + b, .offset = offset};
        offset += bands[b].count;
        if (bands[b].first + bands[b].count > bin_count)
            bin_count = bands[b].first + bands[b].count;
    }
    assert_true(bin_count <= BINS && offset <= BANDS * 40);
    for (size_t i = 0; i < offset; i++)
        weights[i] = fabsf(test_random(&seed));
    for (size_t l = 0; l < level_count; l++) {
        const size_t lanes = levels[l].kernels->lanes;
        const size_t work_size = lanes * (bin_count + BANDS + 2 * lanes);
        float *magnitudes = a1_aligned_alloc(lanes * STRIDE * sizeof *magnitudes);
        float *work = a1_aligned_alloc((work_size + 1) * sizeof *work);
        float *out = a1_aligned_alloc((lanes * BANDS + 1) * sizeof *out);
        assert_non_null(magnitudes);
        assert_non_null(work);
        assert_non_null(out);
        for (size_t frames = 1; frames <= lanes; frames++) {
            for (size_t i = 0; i < lanes * STRIDE; i++) {
                /* From nearly nothing to a loud frame's magnitudes. */
                const float r = test_random(&seed);
                magnitudes[i] = i < frames * STRIDE ? powf(10.0f, 4.0f * r - 1.0f) : NAN;
            }
            out[frames * BANDS] = GUARD;
            work[work_size] = GUARD;
            levels[l].kernels->filter(bands, BANDS, weights, bin_count, magnitudes, STRIDE, frames,
                                      work, out);
            for (size_t f = 0; f < frames; f++) {
                for (size_t b = 0; b < BANDS; b++) {
                    double sum = 0.0;
                    for (size_t i = 0; i < bands[b].count; i++)
                        sum += (double)weights[bands[b].offset + i] *
                               (double)magnitudes[f * STRIDE + bands[b].first + i];
                    /* A sum of 37 positive terms, each step rounded: 37 x 2^-24 at most in
                     * proportion, 0.434 of that in the logarithm; its own error is 1.6e-7, and
                     * rounding values up to 4.3 adds half of 2^-21. */
                    const double expected = log10(1.0 + sum);
                    const double bound = 0.434 * 37 * ldexp(1.0, -24) + 1.6e-7 + ldexp(1.0, -22);
                    const double off = fabs((double)out[f * BANDS + b] - expected);
                    if (!(off <= bound))
                        fail_msg("%s: %zu frames, frame %zu, band %zu is %.9g, not %.9g",
                                 levels[l].name, frames, f, b, (double)out[f * BANDS + b],
                                 expected);
                }
            }
            assert_true(out[frames * BANDS] == GUARD);
            assert_true(work[work_size] == GUARD);
        }
        a1_aligned_free(magnitudes);
        a1_aligned_free(work);
        a1_aligned_free(out);
    }
}

/* One bin of weight 1 makes the filter the logarithm alone. */
static void logarithm(void **state)
{
    (void)state;
    level levels[4];
    const size_t level_count = find_levels(levels);
    const a1_band band = {.count = 1};
    const float weight = 1.0f;
    float magnitudes[16 * 16], work[16 * (1 + 1 + 32)], out[16];
    for (size_t l = 0; l < level_count; l++) {
        const size_t lanes = levels[l].kernels->lanes;
        for (double x = 1e-12; x < 1e38; x *= 1.0007) {
            memset(magnitudes, 0, sizeof magnitudes);
            magnitudes[0] = (float)x;
            levels[l].kernels->filter(&band, 1, &weight, 1, magnitudes, 16, 1, work, out);
            const double expected = log1p((double)(float)x) / log(10.0);
            /* As veclog.h states: 1.6e-7 up to 4,096, then a unit in the last place. */
            const double bound = x <= 4096.0 ? 1.6e-7 : ldexp(1.0, ilogb(expected) - 23);
            if (!(fabs((double)out[0] - expected) <= bound))
                fail_msg("%s: log10(1 + %.9g) is %.9g, not %.9g", levels[l].name, x, (double)out[0],
                         expected);
        }
        const float special[] = {0.0f, INFINITY, NAN};
        for (size_t i = 0; i < 3; i++) {
            for (size_t f = 0; f < lanes; f++)
                magnitudes[f * 16] = special[i];
            levels[l].kernels->filter(&band, 1, &weight, 1, magnitudes, 16, lanes, work, out);
            for (size_t f = 0; f < lanes; f++)
                assert_true(i == 2 ? isnan(out[f]) : out[f] == special[i]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(peaks),
        cmocka_unit_test(mixing),
        cmocka_unit_test(filtering),
        cmocka_unit_test(logarithm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
