#include "plot/waveform.h"

#include <math.h>

static size_t bin_start(size_t bin, double rate, size_t samples)
{
    const double start = floor((double)bin * rate / A1_WAVEFORM_BINS_PER_SECOND);
    return start < (double)samples ? (size_t)start : samples;
}

size_t a1_waveform_bins(size_t samples, double rate)
{
    size_t bins = (size_t)((double)samples * A1_WAVEFORM_BINS_PER_SECOND / rate);
    while (bin_start(bins, rate, samples) < samples)
        bins++;
    return bins;
}

void a1_waveform_measure(const float *const channel[2], size_t samples, double rate, float *low,
                         float *high, float *rms)
{
    const size_t bins = a1_waveform_bins(samples, rate);
    for (size_t bin = 0; bin < bins; bin++) {
        const size_t start = bin_start(bin, rate, samples);
        const size_t end = bin_start(bin + 1, rate, samples);
        float lowest = 0, highest = 0;
        double power = 0;
        for (int c = 0; c < 2; c++) {
            for (size_t i = start; i < end; i++) {
                const float value = channel[c][i];
                lowest = fminf(lowest, value);
                highest = fmaxf(highest, value);
                power += (double)value * (double)value;
            }
        }
        low[bin] = lowest;
        high[bin] = highest;
        rms[bin] = end > start ? (float)sqrt(power / (2.0 * (double)(end - start))) : 0;
    }
}
