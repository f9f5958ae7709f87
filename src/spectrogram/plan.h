/* What the two backends of the spectrogram share. Internal to this folder. */
#ifndef A1_SPECTROGRAM_PLAN_H
#define A1_SPECTROGRAM_PLAN_H

#include "dsp/fft.h"
#include "kernels/bands_kernels.h"
#include "spectrogram/filterbank.h"
#include "spectrogram/spectrogram.h"

/* Frames of one task. Fixed, so that the split is the same for any number of threads. */
#define A1_SPEC_BLOCK 64

/* Full scale of the 16-bit path: madmom divides the window by the largest 16-bit value. */
#define A1_SPEC_PCM_SCALE 32767.0

/* One signal: stereo, or mono when `right` is NULL. Each sample is divided by `divisor`; then the
 * mean of the channels is taken, in 16-bit steps when `quantise`. */
typedef struct a1_spec_signal {
    const float *left;
    const float *right;
    size_t samples;
    double divisor;
    int quantise;
} a1_spec_signal;

typedef struct a1_spec_backend {
    float (*peak)(const float *in, size_t count);
    /* Frames first to first + count - 1 (count up to A1_SPEC_BLOCK) to out[count][81]. */
    void (*block)(const a1_spectrogram *plan, const a1_spec_signal *signal, size_t first,
                  size_t count, float *out, float *scratch);
} a1_spec_backend;

struct a1_spectrogram {
    a1_spectrogram_backend kind;
    a1_spec_backend backend;
    size_t scratch; /* floats of scratch of one worker, a multiple of 16 */
    double window[A1_SPEC_WINDOW];
    a1_filterbank filterbank;
    float *dense; /* [1024][81] */

    a1_fft64 *fft64; /* reference only */

    a1_rfft *fft; /* fast only */
    const a1_bands_kernels *kernels;
    float *windows; /* [2][2048]: for samples as they are, and for 16-bit values */
};

allin1_status a1_spec_reference_init(a1_spectrogram *plan, a1_error *err);
allin1_status a1_spec_fast_init(a1_spectrogram *plan, const a1_cpu *cpu, a1_error *err);

#endif
