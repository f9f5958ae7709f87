/* The network written as its definition reads, in double, one frame at a time: slow, and the oracle
 * for the fast version. */
#ifndef TEST_SUPPORT_PLAIN_NETWORK_H
#define TEST_SUPPORT_PLAIN_NETWORK_H

#include <stddef.h>

#include "network/fold_weights.h"

/* Where the windows of one-dimensional neighbourhood attention lie: for frame t of `length`, the
 * five neighbours are t + (shift + j) * dilation, j = 0..4, and their bias index is shift + j + 4.
 * Needs length >= 5 * dilation. */
long plain_window_shift(size_t t, size_t length, size_t dilation);

/* Attention of one head. q, k, v, out: [length][12] with `stride` values between frames; q is used
 * as given. */
void plain_attention_1d(const double *q, const double *k, const double *v, size_t stride,
                        size_t length, size_t dilation, const float *position, double *out);

/* The same over 5 rows and `length` >= 5 frames, dilation 1. q, k, v, out: [5][length][12] with
 * `stride` values between frames and `row_stride` between rows; position: [9][9]. */
void plain_attention_2d(const double *q, const double *k, const double *v, size_t stride,
                        size_t row_stride, size_t length, const float *position, double *out);

/* Called with the hidden state [4][frames][24] after the embeddings ("embed"), each time layer
 * ("block0_time") and each instrument layer ("block0") and the last norm ("final_norm"). */
typedef void (*plain_observer)(void *user, const char *name, const double *state, size_t frames);

/* Logits [13][frames] of one fold: beat, downbeat, section, functions. spectrogram:
 * [4][frames][81]. Returns 0, or -1 when memory is short. */
int plain_network_fold(const a1_fold_weights *weights, const float *spectrogram, size_t frames,
                       double *logits, plain_observer observer, void *user);

#endif
