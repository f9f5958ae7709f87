/* Real fast Fourier transforms of power-of-two length.
 *
 * A plan is read-only after creation and may be shared by threads; scratch belongs to the call. */
#ifndef A1_DSP_FFT_H
#define A1_DSP_FFT_H

#include <stddef.h>

#include "base/cpu.h"
#include "base/error.h"

typedef struct a1_rfft a1_rfft;

/* `n` is a power of two from 16 to 65,536. Twiddles are computed in double and rounded once. */
allin1_status a1_rfft_create(a1_rfft **plan, size_t n, const a1_cpu *cpu, a1_error *err);
void a1_rfft_destroy(a1_rfft **plan);

/* Floats of scratch that the two transforms need; 64-byte aligned scratch is fastest, not required. */
size_t a1_rfft_scratch(const a1_rfft *plan);

/* `in`: n real samples. `out`: n/2 + 1 complex values as (re, im) pairs; out[1] and out[n+1] are 0.
 * X[k] = sum_t in[t] exp(-2 pi i k t / n). Not normalised. `in` may not overlap `out`. */
void a1_rfft_forward(const a1_rfft *plan, const float *in, float *out, float *scratch);

/* The inverse without normalisation: a forward and an inverse multiply by n. The imaginary parts of
 * bins 0 and n/2 are ignored. `in` may not overlap `out`. */
void a1_rfft_inverse(const a1_rfft *plan, const float *in, float *out, float *scratch);

#endif
