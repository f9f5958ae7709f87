/* Moving lanes about: what the transforms need beyond simd.h, for the same levels.
 *
 * unzip and zip turn pairs in memory order into two vectors and back. mirror gives lane 0 of
 * `next`, then lanes VW-1 down to 1 of `x`. transpose turns VW rows of VW lanes into columns. With
 * one lane all of them are plain moves. */
#ifndef A1_KERNELS_SHUFFLE_H
#define A1_KERNELS_SHUFFLE_H

#include "kernels/simd.h"

/* Loops over vectors in registers must disappear, or the vectors go through memory. */
#if defined(__clang__)
#define A1_UNROLL _Pragma("clang loop unroll(full)")
#else
#define A1_UNROLL _Pragma("GCC unroll 16")
#endif

#if VW == 16

A1_INLINE void vf_unzip(vf a, vf b, vf *even, vf *odd)
{
    const __m512i e = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    const __m512i o = _mm512_setr_epi32(1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
    *even = _mm512_permutex2var_ps(a, e, b);
    *odd = _mm512_permutex2var_ps(a, o, b);
}

A1_INLINE void vf_zip(vf even, vf odd, vf *a, vf *b)
{
    const __m512i low = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    const __m512i high =
        _mm512_setr_epi32(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    *a = _mm512_permutex2var_ps(even, low, odd);
    *b = _mm512_permutex2var_ps(even, high, odd);
}

A1_INLINE vf vf_reverse(vf x)
{
    const __m512i down = _mm512_setr_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    return _mm512_permutexvar_ps(down, x);
}

A1_INLINE vf vf_mirror(vf x, vf next)
{
    const __m512i lanes = _mm512_setr_epi32(16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1);
    return _mm512_permutex2var_ps(x, lanes, next);
}

A1_INLINE vf vf_pairs_low_(vf a, vf b)
{
    return _mm512_castpd_ps(_mm512_unpacklo_pd(_mm512_castps_pd(a), _mm512_castps_pd(b)));
}
A1_INLINE vf vf_pairs_high_(vf a, vf b)
{
    return _mm512_castpd_ps(_mm512_unpackhi_pd(_mm512_castps_pd(a), _mm512_castps_pd(b)));
}

A1_INLINE void vf_transpose(vf rows[VW])
{
    vf fours[16]; /* [4 g + c]: quarter q holds column 4 q + c of the rows 4 g to 4 g + 3 */
    A1_UNROLL
    for (int g = 0; g < 16; g += 4) {
        const vf a = _mm512_unpacklo_ps(rows[g], rows[g + 1]);
        const vf b = _mm512_unpackhi_ps(rows[g], rows[g + 1]);
        const vf c = _mm512_unpacklo_ps(rows[g + 2], rows[g + 3]);
        const vf d = _mm512_unpackhi_ps(rows[g + 2], rows[g + 3]);
        fours[g] = vf_pairs_low_(a, c);
        fours[g + 1] = vf_pairs_high_(a, c);
        fours[g + 2] = vf_pairs_low_(b, d);
        fours[g + 3] = vf_pairs_high_(b, d);
    }
    A1_UNROLL
    for (int c = 0; c < 4; c++) {
        const vf even0 = _mm512_shuffle_f32x4(fours[c], fours[c + 4], 0x88);
        const vf odd0 = _mm512_shuffle_f32x4(fours[c], fours[c + 4], 0xdd);
        const vf even1 = _mm512_shuffle_f32x4(fours[c + 8], fours[c + 12], 0x88);
        const vf odd1 = _mm512_shuffle_f32x4(fours[c + 8], fours[c + 12], 0xdd);
        rows[c] = _mm512_shuffle_f32x4(even0, even1, 0x88);
        rows[c + 4] = _mm512_shuffle_f32x4(odd0, odd1, 0x88);
        rows[c + 8] = _mm512_shuffle_f32x4(even0, even1, 0xdd);
        rows[c + 12] = _mm512_shuffle_f32x4(odd0, odd1, 0xdd);
    }
}

#elif VW == 8

A1_INLINE void vf_unzip(vf a, vf b, vf *even, vf *odd)
{
    const vf e = _mm256_shuffle_ps(a, b, 0x88), o = _mm256_shuffle_ps(a, b, 0xdd);
    *even = _mm256_castpd_ps(_mm256_permute4x64_pd(_mm256_castps_pd(e), 0xd8));
    *odd = _mm256_castpd_ps(_mm256_permute4x64_pd(_mm256_castps_pd(o), 0xd8));
}

A1_INLINE void vf_zip(vf even, vf odd, vf *a, vf *b)
{
    const vf low = _mm256_unpacklo_ps(even, odd), high = _mm256_unpackhi_ps(even, odd);
    *a = _mm256_permute2f128_ps(low, high, 0x20);
    *b = _mm256_permute2f128_ps(low, high, 0x31);
}

A1_INLINE vf vf_reverse(vf x)
{
    return _mm256_permutevar8x32_ps(x, _mm256_setr_epi32(7, 6, 5, 4, 3, 2, 1, 0));
}

A1_INLINE vf vf_mirror(vf x, vf next)
{
    const __m256i lanes = _mm256_setr_epi32(0, 7, 6, 5, 4, 3, 2, 1);
    return _mm256_blend_ps(_mm256_permutevar8x32_ps(x, lanes), next, 1);
}

A1_INLINE void vf_transpose(vf rows[VW])
{
    vf fours[8];
    A1_UNROLL
    for (int g = 0; g < 8; g += 4) {
        const vf a = _mm256_unpacklo_ps(rows[g], rows[g + 1]);
        const vf b = _mm256_unpackhi_ps(rows[g], rows[g + 1]);
        const vf c = _mm256_unpacklo_ps(rows[g + 2], rows[g + 3]);
        const vf d = _mm256_unpackhi_ps(rows[g + 2], rows[g + 3]);
        fours[g] = _mm256_shuffle_ps(a, c, 0x44);
        fours[g + 1] = _mm256_shuffle_ps(a, c, 0xee);
        fours[g + 2] = _mm256_shuffle_ps(b, d, 0x44);
        fours[g + 3] = _mm256_shuffle_ps(b, d, 0xee);
    }
    A1_UNROLL
    for (int c = 0; c < 4; c++) {
        rows[c] = _mm256_permute2f128_ps(fours[c], fours[c + 4], 0x20);
        rows[c + 4] = _mm256_permute2f128_ps(fours[c], fours[c + 4], 0x31);
    }
}

#elif VW == 4

A1_INLINE void vf_unzip(vf a, vf b, vf *even, vf *odd)
{
    *even = vuzp1q_f32(a, b);
    *odd = vuzp2q_f32(a, b);
}

A1_INLINE void vf_zip(vf even, vf odd, vf *a, vf *b)
{
    *a = vzip1q_f32(even, odd);
    *b = vzip2q_f32(even, odd);
}

A1_INLINE vf vf_reverse(vf x)
{
    const vf swapped = vrev64q_f32(x);
    return vextq_f32(swapped, swapped, 2);
}

A1_INLINE vf vf_mirror(vf x, vf next)
{
    const vf reversed = vf_reverse(x); /* 3 2 1 0 */
    return vsetq_lane_f32(vgetq_lane_f32(next, 0), vextq_f32(reversed, reversed, 3), 0);
}

A1_INLINE void vf_transpose(vf rows[VW])
{
    const float64x2_t a = vreinterpretq_f64_f32(vzip1q_f32(rows[0], rows[1]));
    const float64x2_t b = vreinterpretq_f64_f32(vzip2q_f32(rows[0], rows[1]));
    const float64x2_t c = vreinterpretq_f64_f32(vzip1q_f32(rows[2], rows[3]));
    const float64x2_t d = vreinterpretq_f64_f32(vzip2q_f32(rows[2], rows[3]));
    rows[0] = vreinterpretq_f32_f64(vtrn1q_f64(a, c));
    rows[1] = vreinterpretq_f32_f64(vtrn2q_f64(a, c));
    rows[2] = vreinterpretq_f32_f64(vtrn1q_f64(b, d));
    rows[3] = vreinterpretq_f32_f64(vtrn2q_f64(b, d));
}

#else

A1_INLINE void vf_unzip(vf a, vf b, vf *even, vf *odd)
{
    *even = a;
    *odd = b;
}

A1_INLINE void vf_zip(vf even, vf odd, vf *a, vf *b)
{
    *a = even;
    *b = odd;
}

A1_INLINE vf vf_reverse(vf x)
{
    return x;
}

A1_INLINE vf vf_mirror(vf x, vf next)
{
    (void)x;
    return next;
}

A1_INLINE void vf_transpose(vf rows[VW])
{
    (void)rows;
}

#endif

#endif
