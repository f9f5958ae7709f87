/* What is drawn of a song's sound: its extremes and its power, bin by bin. */
#ifndef A1_PLOT_WAVEFORM_H
#define A1_PLOT_WAVEFORM_H

#include <stddef.h>

#define A1_WAVEFORM_BINS_PER_SECOND 100

size_t a1_waveform_bins(size_t samples, double rate);

/* Fills arrays of a1_waveform_bins values: the lowest and the highest sample of both channels, and the
 * root of their mean square. */
void a1_waveform_measure(const float *const channel[2], size_t samples, double rate, float *low,
                         float *high, float *rms);

#endif
