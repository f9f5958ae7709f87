/* The transform's passes, compiled once per instruction set; see fft_kernels.h for the method. The
 * including file defines FFT_KERNELS, the name of the table. */
#include "kernels/fft_kernels.h"
#include "kernels/shuffle.h"

/* With vectors, the first pass transposes squares of VW x VW. */
#if VW == 1
#define FIRST_RADIX 8
#define MIN_N 16
#else
#define FIRST_RADIX VW
#define MIN_N (2 * VW * VW)
#endif

/* Four-point transform in place of elements 0, step, 2 step and 3 step. */
A1_INLINE void dft4(vf *re, vf *im, int step)
{
    const vf s0r = re[0] + re[2 * step], s0i = im[0] + im[2 * step];
    const vf d0r = re[0] - re[2 * step], d0i = im[0] - im[2 * step];
    const vf s1r = re[step] + re[3 * step], s1i = im[step] + im[3 * step];
    const vf d1r = re[step] - re[3 * step], d1i = im[step] - im[3 * step];
    re[0] = s0r + s1r;
    im[0] = s0i + s1i;
    re[step] = d0r + d1i;
    im[step] = d0i - d1r;
    re[2 * step] = s0r - s1r;
    im[2 * step] = s0i - s1i;
    re[3 * step] = d0r - d1i;
    im[3 * step] = d0i + d1r;
}

A1_INLINE void dft2(vf *re, vf *im)
{
    const vf r = re[1], i = im[1];
    re[1] = re[0] - r;
    im[1] = im[0] - i;
    re[0] = re[0] + r;
    im[0] = im[0] + i;
}

A1_INLINE void dft8(vf *re, vf *im)
{
    const vf h = vf_set1(0.70710678118654752f); /* cos(pi/4) */
    dft4(re, im, 2);
    dft4(re + 1, im + 1, 2);
    /* Odd outputs now at 1, 3, 5, 7; their twiddles are 1, (1-i)h, -i and (-1-i)h. */
    const vf ar = re[0], ai = im[0], br = re[2], bi = im[2];
    const vf cr = re[4], ci = im[4], dr = re[6], di = im[6];
    const vf er = re[1], ei = im[1], fr = re[3] + im[3], fi = im[3] - re[3];
    const vf gr = im[5], gi = re[5], hr = im[7] - re[7], hi = im[7] + re[7];
    re[0] = ar + er;
    im[0] = ai + ei;
    re[4] = ar - er;
    im[4] = ai - ei;
    re[1] = vf_fma(h, fr, br);
    im[1] = vf_fma(h, fi, bi);
    re[5] = vf_fnma(h, fr, br);
    im[5] = vf_fnma(h, fi, bi);
    re[2] = cr + gr;
    im[2] = ci - gi;
    re[6] = cr - gr;
    im[6] = ci + gi;
    re[3] = vf_fma(h, hr, dr);
    im[3] = vf_fnma(h, hi, di);
    re[7] = vf_fnma(h, hr, dr);
    im[7] = vf_fma(h, hi, di);
}

/* Multiplies element j by c - i s. */
A1_INLINE void turn(vf *re, vf *im, float c, float s)
{
    const vf cosine = vf_set1(c), sine = vf_set1(s), r = *re;
    *re = vf_fma(*im, sine, r * cosine);
    *im = vf_fnma(r, sine, *im * cosine);
}

A1_INLINE void dft16(vf *re, vf *im)
{
    const float c1 = 0.92387953251128676f; /* cos(pi/8), sin(pi/8) */
    const float s1 = 0.38268343236508977f;
    const float h = 0.70710678118654752f;
    A1_UNROLL
    for (int j = 0; j < 4; j++)
        dft4(re + j, im + j, 4);
    /* Element 4 q + j gets exp(-2 pi i j q / 16). */
    turn(re + 5, im + 5, c1, s1);
    turn(re + 6, im + 6, h, h);
    turn(re + 7, im + 7, s1, c1);
    turn(re + 9, im + 9, h, h);
    const vf swap = re[10];
    re[10] = im[10];
    im[10] = vf_zero() - swap;
    turn(re + 11, im + 11, -h, h);
    turn(re + 13, im + 13, s1, c1);
    turn(re + 14, im + 14, -h, h);
    turn(re + 15, im + 15, -c1, -s1);
    A1_UNROLL
    for (int q = 0; q < 4; q++)
        dft4(re + 4 * q, im + 4 * q, 1);
    /* Output q + 4 p is at 4 q + p. */
    A1_UNROLL
    for (int q = 0; q < 4; q++) {
        A1_UNROLL
        for (int p = q + 1; p < 4; p++) {
            const vf r = re[4 * q + p], i = im[4 * q + p];
            re[4 * q + p] = re[4 * p + q];
            im[4 * q + p] = im[4 * p + q];
            re[4 * p + q] = r;
            im[4 * p + q] = i;
        }
    }
}

A1_INLINE void dft(int radix, vf *re, vf *im)
{
    if (radix == 2)
        dft2(re, im);
    else if (radix == 4)
        dft4(re, im, 1);
    else if (radix == 8)
        dft8(re, im);
    else
        dft16(re, im);
}

A1_INLINE void store_first(vf *re, vf *im, float *out_re, float *out_im)
{
    dft(FIRST_RADIX, re, im);
    vf_transpose(re);
    A1_UNROLL
    for (int j = 0; j < FIRST_RADIX; j++)
        vf_store(out_re + j * FIRST_RADIX / (VW == 1 ? FIRST_RADIX : 1), re[j]);
    vf_transpose(im);
    A1_UNROLL
    for (int j = 0; j < FIRST_RADIX; j++)
        vf_store(out_im + j * FIRST_RADIX / (VW == 1 ? FIRST_RADIX : 1), im[j]);
}

/* The first pass on pairs of real samples, each multiplied by its window. */
static void first_pass_pairs(size_t points, const float *window, const float *in, float *out_re,
                             float *out_im)
{
    const size_t step = points / FIRST_RADIX;
    for (size_t c = 0; c < step; c += VW) {
        vf re[FIRST_RADIX], im[FIRST_RADIX];
        A1_UNROLL
        for (size_t j = 0; j < FIRST_RADIX; j++) {
            const size_t at = 2 * (c + j * step);
            vf a = vf_load(in + at), b = vf_load(in + at + VW);
            if (window) {
                a = a * vf_load(window + at);
                b = b * vf_load(window + at + VW);
            }
            vf_unzip(a, b, &re[j], &im[j]);
        }
        store_first(re, im, out_re + c * FIRST_RADIX, out_im + c * FIRST_RADIX);
    }
}

static void first_pass_planes(size_t points, const float *in_re, const float *in_im, float *out_re,
                              float *out_im)
{
    const size_t step = points / FIRST_RADIX;
    for (size_t c = 0; c < step; c += VW) {
        vf re[FIRST_RADIX], im[FIRST_RADIX];
        A1_UNROLL
        for (size_t j = 0; j < FIRST_RADIX; j++) {
            re[j] = vf_load(in_re + c + j * step);
            im[j] = vf_load(in_im + c + j * step);
        }
        store_first(re, im, out_re + c * FIRST_RADIX, out_im + c * FIRST_RADIX);
    }
}

A1_INLINE void later_pass(int radix, size_t points, const a1_fft_pass *pass, const float *in_re,
                          const float *in_im, float *out_re, float *out_im)
{
    const size_t length = pass->length, step = points / (size_t)radix;
    for (size_t c = 0; c < step; c += length) {
        const float *twiddle = pass->twiddles;
        float *to_re = out_re + c * (size_t)radix, *to_im = out_im + c * (size_t)radix;
        for (size_t k = 0; k < length; k += VW) {
            vf re[16], im[16];
            re[0] = vf_load(in_re + c + k);
            im[0] = vf_load(in_im + c + k);
            A1_UNROLL
            for (int j = 1; j < radix; j++) {
                const size_t at = c + k + (size_t)j * step;
                const vf r = vf_load(in_re + at), i = vf_load(in_im + at);
                const vf cosine = vf_load(twiddle), sine = vf_load(twiddle + VW);
                re[j] = vf_fnma(i, sine, r * cosine);
                im[j] = vf_fma(r, sine, i * cosine);
                twiddle += 2 * VW;
            }
            dft(radix, re, im);
            A1_UNROLL
            for (int q = 0; q < radix; q++) {
                vf_store(to_re + k + (size_t)q * length, re[q]);
                vf_store(to_im + k + (size_t)q * length, im[q]);
            }
        }
    }
}

static void pass2(size_t points, const a1_fft_pass *pass, const float *in_re, const float *in_im,
                  float *out_re, float *out_im)
{
    later_pass(2, points, pass, in_re, in_im, out_re, out_im);
}

static void pass4(size_t points, const a1_fft_pass *pass, const float *in_re, const float *in_im,
                  float *out_re, float *out_im)
{
    later_pass(4, points, pass, in_re, in_im, out_re, out_im);
}

static void pass8(size_t points, const a1_fft_pass *pass, const float *in_re, const float *in_im,
                  float *out_re, float *out_im)
{
    later_pass(8, points, pass, in_re, in_im, out_re, out_im);
}

static void pass16(size_t points, const a1_fft_pass *pass, const float *in_re, const float *in_im,
                   float *out_re, float *out_im)
{
    later_pass(16, points, pass, in_re, in_im, out_re, out_im);
}

/* All passes after the first one, from planes 0 and 1 of the scratch; returns the first of the two
 * planes that hold the result. */
static float *later_passes(const a1_fft_tables *tables, float *scratch)
{
    const size_t points = tables->points, plane = tables->plane;
    float *from = scratch, *to = scratch + 2 * plane;
    for (unsigned p = 0; p < tables->passes; p++) {
        const a1_fft_pass *pass = &tables->pass[p];
        if (pass->radix == 8)
            pass8(points, pass, from, from + plane, to, to + plane);
        else if (pass->radix == 4)
            pass4(points, pass, from, from + plane, to, to + plane);
        else if (pass->radix == 16)
            pass16(points, pass, from, from + plane, to, to + plane);
        else
            pass2(points, pass, from, from + plane, to, to + plane);
        float *swap = from;
        from = to;
        to = swap;
    }
    return from;
}

/* Spectrum of the real samples at VW bins from k up and at their mirror images points - k, kept in
 * the order of falling bins. */
typedef struct bins {
    vf re, im, mirror_re, mirror_im;
} bins;

A1_INLINE bins separate(const a1_fft_tables *tables, const float *z_re, const float *z_im, size_t k)
{
    const size_t mirror = tables->points - k - (VW - 1);
    const vf a_re = vf_load(z_re + k), a_im = vf_load(z_im + k);
    const vf b_re = vf_reverse(vf_load(z_re + mirror)), b_im = vf_reverse(vf_load(z_im + mirror));
    const vf c = vf_load(tables->half_cos + k - 1), s = vf_load(tables->half_sin + k - 1);
    const vf half = vf_set1(0.5f);
    const vf sum_re = a_re + b_re, sum_im = a_im - b_im;
    const vf dif_re = a_re - b_re, dif_im = a_im + b_im;
    const vf t_re = vf_fnma(dif_re, s, dif_im * c), t_im = vf_fma(dif_im, s, dif_re * c);
    bins x;
    x.re = vf_fma(half, sum_re, t_re);
    x.im = vf_fma(half, sum_im, vf_zero() - t_im);
    x.mirror_re = vf_fma(half, sum_re, vf_zero() - t_re);
    x.mirror_im = vf_fnma(half, sum_im, vf_zero() - t_im);
    return x;
}

static void forward(const a1_fft_tables *tables, const float *window, const float *in, float *out,
                    float *scratch)
{
    const size_t points = tables->points;
    first_pass_pairs(points, window, in, scratch, scratch + tables->plane);
    const float *re = later_passes(tables, scratch), *im = re + tables->plane;
    for (size_t k = 1; k <= points / 2; k += VW) {
        const bins x = separate(tables, re, im, k);
        float *mirror = out + 2 * (points - k - (VW - 1));
        vf a, b;
        vf_zip(x.re, x.im, &a, &b);
        vf_store(out + 2 * k, a);
        vf_store(out + 2 * k + VW, b);
        vf_zip(vf_reverse(x.mirror_re), vf_reverse(x.mirror_im), &a, &b);
        vf_store(mirror, a);
        vf_store(mirror + VW, b);
    }
    out[0] = re[0] + im[0];
    out[2 * points] = re[0] - im[0];
    out[1] = out[2 * points + 1] = 0.0f;
}

static void forward_planes(const a1_fft_tables *tables, const float *window, const float *in,
                           float *out_re, float *out_im, float *scratch)
{
    const size_t points = tables->points;
    first_pass_pairs(points, window, in, scratch, scratch + tables->plane);
    const float *re = later_passes(tables, scratch), *im = re + tables->plane;
    for (size_t k = 1; k <= points / 2; k += VW) {
        const bins x = separate(tables, re, im, k);
        const size_t mirror = points - k - (VW - 1);
        vf_store(out_re + k, x.re);
        vf_store(out_im + k, x.im);
        vf_store(out_re + mirror, vf_reverse(x.mirror_re));
        vf_store(out_im + mirror, vf_reverse(x.mirror_im));
    }
    out_re[0] = re[0] + im[0];
    out_im[0] = 0.0f;
}

static void magnitudes(const a1_fft_tables *tables, const float *window, const float *in,
                       float *out, float *scratch)
{
    const size_t points = tables->points;
    first_pass_pairs(points, window, in, scratch, scratch + tables->plane);
    const float *re = later_passes(tables, scratch), *im = re + tables->plane;
    for (size_t k = 1; k <= points / 2; k += VW) {
        const bins x = separate(tables, re, im, k);
        vf_store(out + k, vf_sqrt(vf_fma(x.re, x.re, x.im * x.im)));
        vf_store(out + points - k - (VW - 1),
                 vf_reverse(vf_sqrt(vf_fma(x.mirror_re, x.mirror_re, x.mirror_im * x.mirror_im))));
    }
    out[0] = fabsf(re[0] + im[0]);
}

/* The opposite of separate: twice the spectrum of the pairs, with real and imaginary parts changed
 * over, which makes the passes compute the inverse. */
A1_INLINE void join(const a1_fft_tables *tables, bins x, size_t k, float *z_re, float *z_im)
{
    const size_t mirror = tables->points - k - (VW - 1);
    const vf c = vf_load(tables->half_cos + k - 1), s = vf_load(tables->half_sin + k - 1);
    const vf two = vf_set1(2.0f);
    const vf sum_re = x.re + x.mirror_re, sum_im = x.im - x.mirror_im;
    const vf dif_re = x.re - x.mirror_re, dif_im = x.im + x.mirror_im;
    const vf t_re = vf_fnma(dif_im, s, dif_re * c), t_im = vf_fma(dif_re, s, dif_im * c);
    vf_store(z_im + k, vf_fnma(two, t_im, sum_re));
    vf_store(z_re + k, vf_fma(two, t_re, sum_im));
    vf_store(z_im + mirror, vf_reverse(vf_fma(two, t_im, sum_re)));
    vf_store(z_re + mirror, vf_reverse(vf_fma(two, t_re, vf_zero() - sum_im)));
}

/* From planes 2 and 3 of the scratch to samples. */
static void finish_inverse(const a1_fft_tables *tables, const float *window, float *out,
                           float *scratch)
{
    const size_t points = tables->points, plane = tables->plane;
    first_pass_planes(points, scratch + 2 * plane, scratch + 3 * plane, scratch, scratch + plane);
    const float *re = later_passes(tables, scratch), *im = re + plane;
    for (size_t k = 0; k < points; k += VW) {
        vf a, b;
        vf_zip(vf_load(im + k), vf_load(re + k), &a, &b);
        if (window) {
            a = a * vf_load(window + 2 * k);
            b = b * vf_load(window + 2 * k + VW);
        }
        vf_store(out + 2 * k, a);
        vf_store(out + 2 * k + VW, b);
    }
}

static void inverse(const a1_fft_tables *tables, const float *in, float *out, float *scratch)
{
    const size_t points = tables->points;
    float *z_re = scratch + 2 * tables->plane, *z_im = z_re + tables->plane;
    for (size_t k = 1; k <= points / 2; k += VW) {
        const float *mirror = in + 2 * (points - k - (VW - 1));
        bins x;
        vf_unzip(vf_load(in + 2 * k), vf_load(in + 2 * k + VW), &x.re, &x.im);
        vf_unzip(vf_load(mirror), vf_load(mirror + VW), &x.mirror_re, &x.mirror_im);
        x.mirror_re = vf_reverse(x.mirror_re);
        x.mirror_im = vf_reverse(x.mirror_im);
        join(tables, x, k, z_re, z_im);
    }
    z_im[0] = in[0] + in[2 * points];
    z_re[0] = in[0] - in[2 * points];
    finish_inverse(tables, NULL, out, scratch);
}

static void inverse_planes(const a1_fft_tables *tables, const float *window, const float *re,
                           const float *im, float *out, float *scratch)
{
    const size_t points = tables->points;
    float *z_re = scratch + 2 * tables->plane, *z_im = z_re + tables->plane;
    for (size_t k = 1; k <= points / 2; k += VW) {
        const size_t mirror = points - k - (VW - 1);
        const bins x = {vf_load(re + k), vf_load(im + k), vf_reverse(vf_load(re + mirror)),
                        vf_reverse(vf_load(im + mirror))};
        join(tables, x, k, z_re, z_im);
    }
    z_im[0] = z_re[0] = re[0];
    finish_inverse(tables, window, out, scratch);
}

const a1_fft_kernels FFT_KERNELS = {
    .lanes = VW,
    .first_radix = FIRST_RADIX,
    .min_n = MIN_N,
    .forward = forward,
    .forward_planes = forward_planes,
    .magnitudes = magnitudes,
    .inverse = inverse,
    .inverse_planes = inverse_planes,
};
