/* Real fast Fourier transforms of power-of-two length.
 *
 * A plan is read-only after creation and may be shared by threads; scratch belongs to the call. A
 * transform's bits depend on the plan and its input only, not on where it stands in a batch. No
 * function here fails but a1_rfft_create and a1_fft64_create. */
#ifndef A1_DSP_FFT_H
#define A1_DSP_FFT_H

#include <stddef.h>

#include "base/cpu.h"
#include "base/error.h"

typedef struct a1_rfft a1_rfft;

/* `n` is a power of two from 16 to 65,536. Twiddles are computed in double and rounded once. */
allin1_status a1_rfft_create(a1_rfft **plan, size_t n, const a1_cpu *cpu, a1_error *err);
void a1_rfft_destroy(a1_rfft **plan);

/* Floats of scratch that each transform needs; 64-byte aligned scratch is fastest, not required. */
size_t a1_rfft_scratch(const a1_rfft *plan);

/* `in`: n real samples. `out`: n/2 + 1 complex values as (re, im) pairs; out[1] and out[n+1] are 0.
 * X[k] = sum_t in[t] exp(-2 pi i k t / n). Not normalised. `in` may not overlap `out`. */
void a1_rfft_forward(const a1_rfft *plan, const float *in, float *out, float *scratch);

/* The inverse without normalisation: a forward and an inverse multiply by n. The imaginary parts of
 * bins 0 and n/2 are ignored. `in` may not overlap `out`. */
void a1_rfft_inverse(const a1_rfft *plan, const float *in, float *out, float *scratch);

/* `count` windowed frames, with real and imaginary parts apart and without bin n/2. Frame f reads n
 * samples from in + f in_stride (frames may overlap each other), multiplies them by `window` (n
 * factors; NULL means 1) and writes bins 0..n/2-1 to re + f out_stride and im + f out_stride. Bin 0
 * has an imaginary part of 0. Input and output may not overlap. */
void a1_rfft_forward_batch(const a1_rfft *plan, const float *window, const float *in,
                           size_t in_stride, size_t count, float *re, float *im, size_t out_stride,
                           float *scratch);

/* The way back, without normalisation: bin n/2 counts as 0 and im[0] is ignored. Frame f reads bins
 * 0..n/2-1 from re + f in_stride and im + f in_stride, and writes n samples, multiplied by `window`
 * (NULL means 1), to out + f out_stride: written, not added to what is there. */
void a1_rfft_inverse_batch(const a1_rfft *plan, const float *window, const float *re,
                           const float *im, size_t in_stride, size_t count, float *out,
                           size_t out_stride, float *scratch);

/* The magnitudes of bins 0..n/2-1 of one frame of n samples times `window` (NULL means 1). */
void a1_rfft_magnitudes(const a1_rfft *plan, const float *window, const float *in, float *out,
                        float *scratch);

/* A plain complex transform in double precision: radix 2, the oracle of the fast ones and the
 * reference backend's. `n` is a power of two from 2 to 65,536. */
typedef struct a1_fft64 a1_fft64;

allin1_status a1_fft64_create(a1_fft64 **plan, size_t n, a1_error *err);
void a1_fft64_destroy(a1_fft64 **plan);

/* In place on n values re[] + i im[]: X[k] = sum_t x[t] exp(-2 pi i k t / n). */
void a1_fft64_forward(const a1_fft64 *plan, double *re, double *im);

/* exp(-2 pi i k / n), correctly rounded where it is 0, +-1 or +-i; k below n, n a power of two. */
void a1_unit_root(size_t k, size_t n, double *re, double *im);

#endif
