/* The kernels behind dsp/fft.h: what they share with the plan. Internal to the transform.
 *
 * A real transform of n samples is a complex one of n/2 points on pairs of samples, then one pass
 * that separates the spectra of the even and the odd samples (Cooley and Tukey 1965; Sorensen et
 * al. 1987). The complex one is Stockham's self-sorting form (see Van Loan, Computational
 * Frameworks for the FFT, 1992, section 1.7), decimation in time: before pass p there are
 * points/length transforms of `length` points, stored one behind the other. The first pass has no
 * twiddles, reads with the vector across the transforms and transposes; in all later ones length is
 * a multiple of the vector, and every access is a plain load or store. */
#ifndef A1_KERNELS_FFT_KERNELS_H
#define A1_KERNELS_FFT_KERNELS_H

#include <stddef.h>

#define A1_FFT_MAX_PASSES 8

typedef struct a1_fft_pass {
    unsigned radix; /* 2, 4, 8 or 16 */
    size_t length;  /* points of the transforms that it combines */
    /* exp(-2 pi i j k / (radix length)) for each vector of k, each j = 1..radix-1: cosines, then
     * sines with their sign, VW of each. */
    const float *twiddles;
} a1_fft_pass;

typedef struct a1_fft_tables {
    size_t points; /* n/2 */
    unsigned passes;
    a1_fft_pass pass[A1_FFT_MAX_PASSES]; /* the passes after the first one */
    /* cos(2 pi k / n) / 2, then sin(2 pi k / n) / 2, VW of each, for each vector of k < n/4 */
    const float *half_turns;
} a1_fft_tables;

/* Scratch: 2 n floats. `window` is NULL or n factors. */
typedef struct a1_fft_kernels {
    unsigned lanes;
    unsigned first_radix;
    size_t min_n; /* the shortest transform that they compute */
    /* n samples to n/2 + 1 pairs */
    void (*forward)(const a1_fft_tables *tables, const float *window, const float *in, float *out,
                    float *scratch);
    /* n samples to n/2 real and n/2 imaginary parts */
    void (*forward_planes)(const a1_fft_tables *tables, const float *window, const float *in,
                           float *re, float *im, float *scratch);
    /* n samples to n/2 magnitudes */
    void (*magnitudes)(const a1_fft_tables *tables, const float *window, const float *in,
                       float *out, float *scratch);
    void (*inverse)(const a1_fft_tables *tables, const float *in, float *out, float *scratch);
    void (*inverse_planes)(const a1_fft_tables *tables, const float *window, const float *re,
                           const float *im, float *out, float *scratch);
} a1_fft_kernels;

extern const a1_fft_kernels a1_fft_kernels_scalar;
#if defined(__x86_64__)
extern const a1_fft_kernels a1_fft_kernels_avx2;
extern const a1_fft_kernels a1_fft_kernels_avx512;
#elif defined(__aarch64__)
extern const a1_fft_kernels a1_fft_kernels_neon;
#endif

#endif
