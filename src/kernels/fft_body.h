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

/* Complex points lie in blocks: VW real parts, then VW imaginary parts. One stream of memory is
 * enough then, and the two halves share an address. */
#define BLOCK (2 * VW)

A1_INLINE void store_first(vf *re, vf *im, float *out)
{
    dft(FIRST_RADIX, re, im);
    vf_transpose(re);
    vf_transpose(im);
    A1_UNROLL
    for (int j = 0; j < FIRST_RADIX; j++) {
        vf_store(out + j * BLOCK, re[j]);
        vf_store(out + j * BLOCK + VW, im[j]);
    }
}

/* The first pass on pairs of real samples, each multiplied by its window. */
static void first_pass_pairs(size_t points, const float *window, const float *in, float *out)
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
        store_first(re, im, out + 2 * c * FIRST_RADIX);
    }
}

static void first_pass_blocks(size_t points, const float *in, float *out)
{
    const size_t step = points / FIRST_RADIX;
    for (size_t c = 0; c < step; c += VW) {
        vf re[FIRST_RADIX], im[FIRST_RADIX];
        A1_UNROLL
        for (size_t j = 0; j < FIRST_RADIX; j++) {
            re[j] = vf_load(in + 2 * (c + j * step));
            im[j] = vf_load(in + 2 * (c + j * step) + VW);
        }
        store_first(re, im, out + 2 * c * FIRST_RADIX);
    }
}

/* The offset of the next row. Left to itself gcc computes the offsets of all rows before the loop,
 * runs out of registers and fetches them back one by one. */
A1_INLINE size_t next_row(size_t offset, size_t step)
{
    offset += step;
    __asm__("" : "+r"(offset));
    return offset;
}

A1_INLINE void later_pass(size_t radix, size_t points, const a1_fft_pass *pass, const float *in,
                          float *out)
{
    const size_t length = 2 * pass->length, step = 2 * points / radix;
    for (size_t c = 0; c < step; c += length) {
        const float *twiddle = pass->twiddles;
        for (size_t k = 0; k < length; k += BLOCK) {
            vf re[16], im[16];
            size_t at = 0;
            re[0] = vf_load(in);
            im[0] = vf_load(in + VW);
            A1_UNROLL
            for (size_t j = 1; j < radix; j++) {
                at = next_row(at, step);
                const vf r = vf_load(in + at), i = vf_load(in + at + VW);
                const vf cosine = vf_load(twiddle), sine = vf_load(twiddle + VW);
                re[j] = vf_fnma(i, sine, r * cosine);
                im[j] = vf_fma(r, sine, i * cosine);
                twiddle += BLOCK;
            }
            dft((int)radix, re, im);
            at = 0;
            A1_UNROLL
            for (size_t q = 0; q < radix; q++) {
                vf_store(out + at, re[q]);
                vf_store(out + at + VW, im[q]);
                at = next_row(at, length);
            }
            in += BLOCK;
            out += BLOCK;
        }
        out += length * (radix - 1);
    }
}

static void pass2(size_t points, const a1_fft_pass *pass, const float *in, float *out)
{
    later_pass(2, points, pass, in, out);
}

static void pass4(size_t points, const a1_fft_pass *pass, const float *in, float *out)
{
    later_pass(4, points, pass, in, out);
}

static void pass8(size_t points, const a1_fft_pass *pass, const float *in, float *out)
{
    later_pass(8, points, pass, in, out);
}

static void pass16(size_t points, const a1_fft_pass *pass, const float *in, float *out)
{
    later_pass(16, points, pass, in, out);
}

/* All passes after the first one, from the first half of the scratch; returns the half that holds
 * the result. */
static const float *later_passes(const a1_fft_tables *tables, float *scratch)
{
    const size_t points = tables->points;
    float *from = scratch, *to = scratch + 2 * points;
    for (unsigned p = 0; p < tables->passes; p++) {
        const a1_fft_pass *pass = &tables->pass[p];
        if (pass->radix == 8)
            pass8(points, pass, from, to);
        else if (pass->radix == 4)
            pass4(points, pass, from, to);
        else if (pass->radix == 16)
            pass16(points, pass, from, to);
        else
            pass2(points, pass, from, to);
        float *swap = from;
        from = to;
        to = swap;
    }
    return from;
}

/* Values at VW bins from k up and at their mirror images points - k, in the order of falling bins.
 * Mirrored blocks overlap two blocks of memory by one lane: vf_mirror takes it from the block that
 * was visited before. */
typedef struct bins {
    vf re, im, mirror_re, mirror_im;
} bins;

/* The spectrum of the real samples from that of the pairs, `z`. `before` carries the last mirror
 * block; it starts as block 0, for bin `points` of the pairs is bin 0. */
A1_INLINE bins separate(const a1_fft_tables *tables, const float *z, size_t k, vf before[2])
{
    const float *block = z + 2 * (tables->points - k - VW);
    const float *turn_by = tables->half_turns + 2 * k;
    const vf a_re = vf_load(z + 2 * k), a_im = vf_load(z + 2 * k + VW);
    const vf next_re = vf_load(block), next_im = vf_load(block + VW);
    const vf b_re = vf_mirror(next_re, before[0]), b_im = vf_mirror(next_im, before[1]);
    const vf c = vf_load(turn_by), s = vf_load(turn_by + VW);
    const vf half = vf_set1(0.5f);
    const vf sum_re = a_re + b_re, sum_im = a_im - b_im;
    const vf dif_re = a_re - b_re, dif_im = a_im + b_im;
    const vf t_re = vf_fnma(dif_re, s, dif_im * c), t_im = vf_fma(dif_im, s, dif_re * c);
    bins x;
    x.re = vf_fma(half, sum_re, t_re);
    x.im = vf_fma(half, sum_im, vf_zero() - t_im);
    x.mirror_re = vf_fma(half, sum_re, vf_zero() - t_re);
    x.mirror_im = vf_fnma(half, sum_im, vf_zero() - t_im);
    before[0] = next_re;
    before[1] = next_im;
    return x;
}

/* Stores to[points - k - VW + 1 ...], but never to[points], which is beyond the row. */
A1_INLINE void store_mirror(float *to, vf x, size_t points, size_t k)
{
    float *at = to + (points - k - (VW - 1));
    if (k == 0)
        vf_store_n(at, vf_reverse(x), VW - 1);
    else
        vf_store(at, vf_reverse(x));
}

static void forward(const a1_fft_tables *tables, const float *window, const float *in, float *out,
                    float *scratch)
{
    const size_t points = tables->points;
    first_pass_pairs(points, window, in, scratch);
    const float *z = later_passes(tables, scratch);
    vf before[2] = {vf_load(z), vf_load(z + VW)};
    for (size_t k = 0; k < points / 2; k += VW) {
        const bins x = separate(tables, z, k, before);
        float *mirror = out + 2 * (points - k - (VW - 1));
        vf a, b;
        vf_zip(x.re, x.im, &a, &b);
        vf_store(out + 2 * k, a);
        vf_store(out + 2 * k + VW, b);
        vf_zip(vf_reverse(x.mirror_re), vf_reverse(x.mirror_im), &a, &b);
        vf_store(mirror, a);
        vf_store(mirror + VW, b);
    }
    out[1] = out[2 * points + 1] = 0.0f;
    out[points] = z[points];
    out[points + 1] = -z[points + VW];
}

static void forward_planes(const a1_fft_tables *tables, const float *window, const float *in,
                           float *out_re, float *out_im, float *scratch)
{
    const size_t points = tables->points;
    first_pass_pairs(points, window, in, scratch);
    const float *z = later_passes(tables, scratch);
    vf before[2] = {vf_load(z), vf_load(z + VW)};
    for (size_t k = 0; k < points / 2; k += VW) {
        const bins x = separate(tables, z, k, before);
        vf_store(out_re + k, x.re);
        vf_store(out_im + k, x.im);
        store_mirror(out_re, x.mirror_re, points, k);
        store_mirror(out_im, x.mirror_im, points, k);
    }
    out_im[0] = 0.0f;
    out_re[points / 2] = z[points];
    out_im[points / 2] = -z[points + VW];
}

static void magnitudes(const a1_fft_tables *tables, const float *window, const float *in,
                       float *out, float *scratch)
{
    const size_t points = tables->points;
    first_pass_pairs(points, window, in, scratch);
    const float *z = later_passes(tables, scratch);
    vf before[2] = {vf_load(z), vf_load(z + VW)};
    for (size_t k = 0; k < points / 2; k += VW) {
        const bins x = separate(tables, z, k, before);
        const vf mirror = vf_fma(x.mirror_re, x.mirror_re, x.mirror_im * x.mirror_im);
        vf_store(out + k, vf_sqrt(vf_fma(x.re, x.re, x.im * x.im)));
        store_mirror(out, vf_sqrt(mirror), points, k);
    }
    const float middle_re = z[points], middle_im = z[points + VW];
    out[points / 2] = sqrtf(middle_re * middle_re + middle_im * middle_im);
}

/* The opposite of separate: twice the spectrum of the pairs, with real and imaginary parts changed
 * over, which makes the passes compute the inverse. `before` carries the mirrored values of the
 * last call, whose block is complete only with this one's first lane. */
A1_INLINE void join(const a1_fft_tables *tables, bins x, size_t k, float *z, vf before[2])
{
    const float *turn_by = tables->half_turns + 2 * k;
    const vf c = vf_load(turn_by), s = vf_load(turn_by + VW);
    const vf two = vf_set1(2.0f);
    const vf sum_re = x.re + x.mirror_re, sum_im = x.im - x.mirror_im;
    const vf dif_re = x.re - x.mirror_re, dif_im = x.im + x.mirror_im;
    const vf t_re = vf_fnma(dif_im, s, dif_re * c), t_im = vf_fma(dif_re, s, dif_im * c);
    vf_store(z + 2 * k, vf_fma(two, t_re, sum_im));
    vf_store(z + 2 * k + VW, vf_fnma(two, t_im, sum_re));
    const vf mirror_im = vf_fma(two, t_re, vf_zero() - sum_im);
    const vf mirror_re = vf_fma(two, t_im, sum_re);
    if (k > 0) {
        float *block = z + 2 * (tables->points - k);
        vf_store(block, vf_mirror(before[0], mirror_im));
        vf_store(block + VW, vf_mirror(before[1], mirror_re));
    }
    before[0] = mirror_im;
    before[1] = mirror_re;
}

/* The bins that are their own mirror images, then from the scratch's second half to samples. */
static void finish_inverse(const a1_fft_tables *tables, const float *window, float first,
                           float last, float middle_re, float middle_im, vf before[2], float *out,
                           float *scratch)
{
    const size_t points = tables->points;
    float *z = scratch + 2 * points;
    vf_store(z + points, vf_mirror(before[0], before[0]));
    vf_store(z + points + VW, vf_mirror(before[1], before[1]));
    z[points] = -2.0f * middle_im;
    z[points + VW] = 2.0f * middle_re;
    z[0] = first - last;
    z[VW] = first + last;
    first_pass_blocks(points, z, scratch);
    const float *pairs = later_passes(tables, scratch);
    for (size_t k = 0; k < 2 * points; k += BLOCK) {
        vf a, b;
        vf_zip(vf_load(pairs + k + VW), vf_load(pairs + k), &a, &b);
        if (window) {
            a = a * vf_load(window + k);
            b = b * vf_load(window + k + VW);
        }
        vf_store(out + k, a);
        vf_store(out + k + VW, b);
    }
}

static void inverse(const a1_fft_tables *tables, const float *in, float *out, float *scratch)
{
    const size_t points = tables->points;
    vf before[2] = {vf_zero(), vf_zero()};
    for (size_t k = 0; k < points / 2; k += VW) {
        const float *mirror = in + 2 * (points - k - (VW - 1));
        bins x;
        vf_unzip(vf_load(in + 2 * k), vf_load(in + 2 * k + VW), &x.re, &x.im);
        vf_unzip(vf_load(mirror), vf_load(mirror + VW), &x.mirror_re, &x.mirror_im);
        x.mirror_re = vf_reverse(x.mirror_re);
        x.mirror_im = vf_reverse(x.mirror_im);
        join(tables, x, k, scratch + 2 * points, before);
    }
    finish_inverse(tables, NULL, in[0], in[2 * points], in[points], in[points + 1], before, out,
                   scratch);
}

A1_INLINE vf load_mirror(const float *from, size_t points, size_t k)
{
    const float *at = from + (points - k - (VW - 1));
    return vf_reverse(k == 0 ? vf_load_n(at, VW - 1) : vf_load(at));
}

static void inverse_planes(const a1_fft_tables *tables, const float *window, const float *re,
                           const float *im, float *out, float *scratch)
{
    const size_t points = tables->points;
    vf before[2] = {vf_zero(), vf_zero()};
    for (size_t k = 0; k < points / 2; k += VW) {
        const bins x = {vf_load(re + k), vf_load(im + k), load_mirror(re, points, k),
                        load_mirror(im, points, k)};
        join(tables, x, k, scratch + 2 * points, before);
    }
    finish_inverse(tables, window, re[0], 0.0f, re[points / 2], im[points / 2], before, out,
                   scratch);
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
