/* A test signal whose place can be measured after lossy coding: short bursts of a tone. */
#ifndef TEST_SUPPORT_BURSTS_H
#define TEST_SUPPORT_BURSTS_H

#include <stddef.h>

/* The value at `seconds`: bursts of 2 kHz under a bell of 1 ms, at 0.1, 0.35, 0.6, ... s, with
 * amplitude 0.5. Nothing of it lies above 3 kHz, so that files at 8 kHz hold it, too. */
double test_burst_at(double seconds);

/* `samples` values at `rate`, scaled. The caller frees them. */
float *test_bursts(size_t samples, int rate, double scale);

/* By how many samples the bursts in `samples` (44.1 kHz) lie late: the shift of the best
 * correlation with the signal, over all bursts that are whole, between -1,500 and 1,500.
 * `*similarity` is the correlation there, 1 for the same shape. */
int test_burst_lag(const float *samples, size_t count, double *similarity);

#endif
