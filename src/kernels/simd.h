/* One thin vector of floats for every instruction set, chosen by the flags of the including file.
 *
 * A kernel's body is written once against this header and compiled once per level: VW lanes are
 * 16 with AVX-512, 8 with AVX2, 4 with NEON, and 1 in plain C, where the body reads as the scalar
 * loop it stands for. The operators + - * / work on `vf` at every level; multiply-add is fused where
 * the level has it and is asked for by name only. A file that defines A1_PLAIN_C first gets plain C
 * whatever the flags are: NEON is always on in 64-bit Arm, and users may add -march=native. */
#ifndef A1_KERNELS_SIMD_H
#define A1_KERNELS_SIMD_H

#include <math.h>
#include <stddef.h>
#include <string.h>

#define A1_INLINE static inline __attribute__((always_inline, unused))

#if defined(__AVX512F__) && !defined(A1_PLAIN_C)
#include <immintrin.h>
#define VW 16
typedef __m512 vf;

A1_INLINE __mmask16 vf_mask_(size_t count)
{
    return (__mmask16)((1u << count) - 1u);
}
A1_INLINE vf vf_set1(float x) { return _mm512_set1_ps(x); }
A1_INLINE vf vf_load(const float *p) { return _mm512_loadu_ps(p); }
A1_INLINE void vf_store(float *p, vf x) { _mm512_storeu_ps(p, x); }
/* The first `count` lanes (0..VW); the others are 0 and are not touched in memory. */
A1_INLINE vf vf_load_n(const float *p, size_t count)
{
    return _mm512_maskz_loadu_ps(vf_mask_(count), p);
}
A1_INLINE void vf_store_n(float *p, vf x, size_t count)
{
    _mm512_mask_storeu_ps(p, vf_mask_(count), x);
}
/* a * b + c and c - a * b */
A1_INLINE vf vf_fma(vf a, vf b, vf c) { return _mm512_fmadd_ps(a, b, c); }
A1_INLINE vf vf_fnma(vf a, vf b, vf c) { return _mm512_fnmadd_ps(a, b, c); }
A1_INLINE vf vf_max(vf a, vf b) { return _mm512_max_ps(a, b); }
A1_INLINE vf vf_min(vf a, vf b) { return _mm512_min_ps(a, b); }
A1_INLINE vf vf_abs(vf a) { return _mm512_abs_ps(a); }
A1_INLINE vf vf_sqrt(vf a) { return _mm512_sqrt_ps(a); }
/* To the nearest integer, ties to even. */
A1_INLINE vf vf_round(vf a) { return _mm512_roundscale_ps(a, 8); }
/* x * 2^n for integral n in [-126, 127]. */
A1_INLINE vf vf_scale2(vf x, vf n) { return _mm512_scalef_ps(x, n); }
/* a > b ? x : y */
A1_INLINE vf vf_select_gt(vf a, vf b, vf x, vf y)
{
    return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(a, b, _CMP_GT_OQ), y, x);
}
/* Adds the lanes in a fixed tree. */
A1_INLINE float vf_sum(vf x)
{
    __m256 h = _mm256_add_ps(_mm512_castps512_ps256(x), _mm512_extractf32x8_ps(x, 1));
    __m128 q = _mm_add_ps(_mm256_castps256_ps128(h), _mm256_extractf128_ps(h, 1));
    q = _mm_add_ps(q, _mm_movehl_ps(q, q));
    return _mm_cvtss_f32(_mm_add_ss(q, _mm_shuffle_ps(q, q, 1)));
}
A1_INLINE float vf_max_lane(vf x) { return _mm512_reduce_max_ps(x); }

#elif defined(__AVX2__) && defined(__FMA__) && !defined(A1_PLAIN_C)
#include <immintrin.h>
#define VW 8
typedef __m256 vf;

A1_INLINE __m256i vf_mask_(size_t count)
{
    const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)count), lanes);
}
A1_INLINE vf vf_set1(float x) { return _mm256_set1_ps(x); }
A1_INLINE vf vf_load(const float *p) { return _mm256_loadu_ps(p); }
A1_INLINE void vf_store(float *p, vf x) { _mm256_storeu_ps(p, x); }
A1_INLINE vf vf_load_n(const float *p, size_t count)
{
    return _mm256_maskload_ps(p, vf_mask_(count));
}
A1_INLINE void vf_store_n(float *p, vf x, size_t count)
{
    _mm256_maskstore_ps(p, vf_mask_(count), x);
}
A1_INLINE vf vf_fma(vf a, vf b, vf c) { return _mm256_fmadd_ps(a, b, c); }
A1_INLINE vf vf_fnma(vf a, vf b, vf c) { return _mm256_fnmadd_ps(a, b, c); }
A1_INLINE vf vf_max(vf a, vf b) { return _mm256_max_ps(a, b); }
A1_INLINE vf vf_min(vf a, vf b) { return _mm256_min_ps(a, b); }
A1_INLINE vf vf_abs(vf a) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), a); }
A1_INLINE vf vf_sqrt(vf a) { return _mm256_sqrt_ps(a); }
A1_INLINE vf vf_round(vf a) { return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
A1_INLINE vf vf_scale2(vf x, vf n)
{
    const __m256i bits = _mm256_slli_epi32(
        _mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127)), 23);
    return _mm256_mul_ps(x, _mm256_castsi256_ps(bits));
}
A1_INLINE vf vf_select_gt(vf a, vf b, vf x, vf y)
{
    return _mm256_blendv_ps(y, x, _mm256_cmp_ps(a, b, _CMP_GT_OQ));
}
A1_INLINE float vf_sum(vf x)
{
    __m128 q = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    q = _mm_add_ps(q, _mm_movehl_ps(q, q));
    return _mm_cvtss_f32(_mm_add_ss(q, _mm_shuffle_ps(q, q, 1)));
}
A1_INLINE float vf_max_lane(vf x)
{
    __m128 q = _mm_max_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    q = _mm_max_ps(q, _mm_movehl_ps(q, q));
    return _mm_cvtss_f32(_mm_max_ss(q, _mm_shuffle_ps(q, q, 1)));
}

#elif defined(__ARM_NEON) && defined(__aarch64__) && !defined(A1_PLAIN_C)
#include <arm_neon.h>
#define VW 4
typedef float32x4_t vf;

A1_INLINE vf vf_set1(float x) { return vdupq_n_f32(x); }
A1_INLINE vf vf_load(const float *p) { return vld1q_f32(p); }
A1_INLINE void vf_store(float *p, vf x) { vst1q_f32(p, x); }
A1_INLINE vf vf_load_n(const float *p, size_t count)
{
    float lanes[4] = {0, 0, 0, 0};
    for (size_t i = 0; i < count; i++)
        lanes[i] = p[i];
    return vld1q_f32(lanes);
}
A1_INLINE void vf_store_n(float *p, vf x, size_t count)
{
    float lanes[4];
    vst1q_f32(lanes, x);
    for (size_t i = 0; i < count; i++)
        p[i] = lanes[i];
}
A1_INLINE vf vf_fma(vf a, vf b, vf c) { return vfmaq_f32(c, a, b); }
A1_INLINE vf vf_fnma(vf a, vf b, vf c) { return vfmsq_f32(c, a, b); }
A1_INLINE vf vf_max(vf a, vf b) { return vmaxq_f32(a, b); }
A1_INLINE vf vf_min(vf a, vf b) { return vminq_f32(a, b); }
A1_INLINE vf vf_abs(vf a) { return vabsq_f32(a); }
A1_INLINE vf vf_sqrt(vf a) { return vsqrtq_f32(a); }
A1_INLINE vf vf_round(vf a) { return vrndnq_f32(a); }
A1_INLINE vf vf_scale2(vf x, vf n)
{
    const int32x4_t bits = vshlq_n_s32(vaddq_s32(vcvtq_s32_f32(n), vdupq_n_s32(127)), 23);
    return vmulq_f32(x, vreinterpretq_f32_s32(bits));
}
A1_INLINE vf vf_select_gt(vf a, vf b, vf x, vf y) { return vbslq_f32(vcgtq_f32(a, b), x, y); }
A1_INLINE float vf_sum(vf x)
{
    const float32x2_t pair = vadd_f32(vget_low_f32(x), vget_high_f32(x));
    return vget_lane_f32(pair, 0) + vget_lane_f32(pair, 1);
}
A1_INLINE float vf_max_lane(vf x) { return vmaxvq_f32(x); }

#else
#define VW 1
typedef float vf;

A1_INLINE vf vf_set1(float x) { return x; }
A1_INLINE vf vf_load(const float *p) { return *p; }
A1_INLINE void vf_store(float *p, vf x) { *p = x; }
A1_INLINE vf vf_load_n(const float *p, size_t count) { return count ? *p : 0.0f; }
A1_INLINE void vf_store_n(float *p, vf x, size_t count)
{
    if (count)
        *p = x;
}
A1_INLINE vf vf_fma(vf a, vf b, vf c) { return a * b + c; }
A1_INLINE vf vf_fnma(vf a, vf b, vf c) { return c - a * b; }
A1_INLINE vf vf_max(vf a, vf b) { return a > b ? a : b; }
A1_INLINE vf vf_min(vf a, vf b) { return a < b ? a : b; }
A1_INLINE vf vf_abs(vf a) { return fabsf(a); }
A1_INLINE vf vf_sqrt(vf a) { return sqrtf(a); }
A1_INLINE vf vf_round(vf a) { return nearbyintf(a); }
A1_INLINE vf vf_scale2(vf x, vf n) { return ldexpf(x, (int)n); }
A1_INLINE vf vf_select_gt(vf a, vf b, vf x, vf y) { return a > b ? x : y; }
A1_INLINE float vf_sum(vf x) { return x; }
A1_INLINE float vf_max_lane(vf x) { return x; }
#endif

A1_INLINE vf vf_zero(void) { return vf_set1(0.0f); }

#endif
