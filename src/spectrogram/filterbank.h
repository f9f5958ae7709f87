/* The logarithmic filterbank: triangles on a 12-tone scale, tuned to A = 440 Hz.
 *
 * Source: madmom (Boeck et al., 2016), LogarithmicFilterbank with its frequency, bin and triangle
 * rules; values agree with it to the bit. Internal to the spectrogram. */
#ifndef A1_SPECTROGRAM_FILTERBANK_H
#define A1_SPECTROGRAM_FILTERBANK_H

#include "kernels/bands_kernels.h"
#include "spectrogram/spectrogram.h"

typedef struct a1_filterbank {
    a1_band bands[A1_SPEC_BANDS];
    float weights[2 * A1_SPEC_BINS]; /* of all bands, behind one another */
    size_t bin_count;                /* bins from 0 up that any band uses */
} a1_filterbank;

/* Fails with ALLIN1_ERROR_INTERNAL if this machine's mathematics gave another number of bands. */
allin1_status a1_filterbank_design(a1_filterbank *filterbank, a1_error *err);

/* The same values bin-major, [A1_SPEC_BINS][A1_SPEC_BANDS], zeros included. */
void a1_filterbank_dense(const a1_filterbank *filterbank, float *out);

#endif
