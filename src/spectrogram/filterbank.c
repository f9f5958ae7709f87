#include "spectrogram/filterbank.h"

#include <math.h>
#include <string.h>

#define BANDS_PER_OCTAVE 12
#define LOWEST_HZ 30.0
#define HIGHEST_HZ 17000.0
#define TUNING_HZ 440.0
#define BIN_HZ ((double)A1_SPEC_SAMPLE_RATE / A1_SPEC_WINDOW)

/* The bin nearest to a frequency; halfway, the upper one. Bins 0 to A1_SPEC_BINS - 1. */
static size_t nearest_bin(double hz)
{
    size_t above = 1;
    while (above < A1_SPEC_BINS - 1 && (double)above * BIN_HZ < hz)
        above++;
    const double below = (double)(above - 1) * BIN_HZ;
    return hz - below < (double)above * BIN_HZ - hz ? above - 1 : above;
}

/* Bins of the scale's tones from LOWEST_HZ to HIGHEST_HZ, each bin once; returns how many. */
static size_t tone_bins(size_t *bins, size_t limit)
{
    const int first = (int)floor(log2(LOWEST_HZ / TUNING_HZ) * BANDS_PER_OCTAVE);
    const int end = (int)ceil(log2(HIGHEST_HZ / TUNING_HZ) * BANDS_PER_OCTAVE);
    size_t count = 0;
    for (int tone = first; tone < end && count < limit; tone++) {
        const double hz = TUNING_HZ * exp2((double)tone / BANDS_PER_OCTAVE);
        if (hz < LOWEST_HZ || hz > HIGHEST_HZ)
            continue;
        const size_t bin = nearest_bin(hz);
        if (count == 0 || bin != bins[count - 1])
            bins[count++] = bin;
    }
    return count;
}

/* The sum of a triangle's heights in the order in which numpy adds single precision: eight running
 * sums over whole groups of eight, then the rest. Values equal to madmom's in every bit need it. */
static float sum_by_eights(const float *values, size_t count)
{
    float sums[8] = {0.0f};
    const size_t whole = count - count % 8;
    for (size_t i = 0; i < whole; i++)
        sums[i % 8] += values[i];
    float sum =
        ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
    for (size_t i = whole; i < count; i++)
        sum += values[i];
    return sum;
}

/* A triangle that is 0 at `start`, 1 at `center` and 0 at `stop`, divided by its sum. Writes
 * stop - start weights; the first, which is 0, is not part of the band. */
static void triangle(size_t start, size_t center, size_t stop, a1_band *band, float *weights)
{
    const size_t width = stop - start;
    if (width < 2) {
        /* Neighbouring tones in neighbouring bins leave a triangle no room: a single bin is left.
         */
        *band = (a1_band){.first = start, .count = 1};
        weights[0] = 1.0f;
        return;
    }
    const double rise = 1.0 / (double)(center - start), fall = 1.0 / (double)(stop - center);
    for (size_t i = 0; i < width; i++)
        weights[i] = (float)(start + i < center ? (double)i * rise
                                                : 1.0 - (double)(start + i - center) * fall);
    const float sum = sum_by_eights(weights, width);
    for (size_t i = 0; i < width; i++)
        weights[i] /= sum;
    *band = (a1_band){.first = start + 1, .count = width - 1, .offset = 1};
}

allin1_status a1_filterbank_design(a1_filterbank *filterbank, a1_error *err)
{
    size_t bins[A1_SPEC_BANDS + 3];
    const size_t count = tone_bins(bins, sizeof bins / sizeof *bins);
    if (count != A1_SPEC_BANDS + 2)
        return a1_fail(err, ALLIN1_ERROR_INTERNAL, "the filterbank came out with %zu tones, not %d",
                       count, A1_SPEC_BANDS + 2);
    size_t offset = 0;
    for (size_t b = 0; b < A1_SPEC_BANDS; b++) {
        /* Each bin lies under two triangles at most: twice the bins are room enough. */
        a1_band *band = &filterbank->bands[b];
        triangle(bins[b], bins[b + 1], bins[b + 2], band, filterbank->weights + offset);
        band->offset += offset;
        offset = band->offset + band->count;
        filterbank->bin_count = band->first + band->count;
    }
    return ALLIN1_OK;
}

void a1_filterbank_dense(const a1_filterbank *filterbank, float *out)
{
    memset(out, 0, sizeof *out * A1_SPEC_BINS * A1_SPEC_BANDS);
    for (size_t b = 0; b < A1_SPEC_BANDS; b++) {
        const a1_band *band = &filterbank->bands[b];
        for (size_t i = 0; i < band->count; i++)
            out[(band->first + i) * A1_SPEC_BANDS + b] = filterbank->weights[band->offset + i];
    }
}
