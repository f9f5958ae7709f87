/* Kernels of the log spectrogram: from stereo stems to one channel, and from magnitudes to bands.
 */
#ifndef A1_KERNELS_BANDS_KERNELS_H
#define A1_KERNELS_BANDS_KERNELS_H

#include <stddef.h>

/* Where a band's weights lie: `count` bins from `first` up, weights from `offset` in the table. */
typedef struct a1_band {
    size_t first;
    size_t count;
    size_t offset;
} a1_band;

typedef struct a1_bands_kernels {
    unsigned lanes;
    /* The largest absolute value; values that are no numbers are passed over. 0 for count 0. */
    float (*peak)(const float *in, size_t count);
    /* out = gain left + gain right */
    void (*mix)(const float *left, const float *right, float gain, float *out, size_t count);
    /* Both channels divided by `divisor` and rounded to 16 bits, then their mean, cut toward zero;
     * in steps of 1/32768 of full scale, so the values are integers. */
    void (*mix_pcm)(const float *left, const float *right, float divisor, float *out, size_t count);
    /* log10(1 + filtered magnitudes) of `frames` (1 to lanes) frames. The frames' magnitudes lie
     * `stride` floats apart, lanes rows of them are readable, and of bins 0 to bin_count - 1,
     * rounded up to lanes, all. `work` holds lanes (bin_count + bands + 2 lanes) floats;
     * out[frame][bands]. */
    void (*filter)(const a1_band *bands, size_t band_count, const float *weights, size_t bin_count,
                   const float *magnitudes, size_t stride, size_t frames, float *work, float *out);
} a1_bands_kernels;

extern const a1_bands_kernels a1_bands_kernels_scalar;
#if defined(__x86_64__)
extern const a1_bands_kernels a1_bands_kernels_avx2;
extern const a1_bands_kernels a1_bands_kernels_avx512;
#elif defined(__aarch64__)
extern const a1_bands_kernels a1_bands_kernels_neon;
#endif

#endif
