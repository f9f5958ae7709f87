/* A thin vector of doubles for the decoder's inner loops, chosen by the flags of the including file as
 * kernels/simd.h does for floats: 8 lanes with AVX-512, 4 with AVX2, else 1. A file that defines A1_PLAIN_C
 * first gets plain C whatever the flags are. No operation rounds otherwise at one level than at another. */
#ifndef A1_METRICAL_VEC_DOUBLE_H
#define A1_METRICAL_VEC_DOUBLE_H

#include <stdint.h>
#include <string.h>

#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 8")
#endif

#define INLINE static inline __attribute__((always_inline, unused))

#if defined(__AVX512F__) && !defined(A1_PLAIN_C)
#include <immintrin.h>
#define VEC_WIDTH 8u
#define VEC_HOLD(value) __asm__("" : "+v"(value)) /* keeps it in a register */
typedef __m512d vec;

INLINE vec vec_load(const double *at) { return _mm512_loadu_pd(at); }
INLINE void vec_store(double *at, vec value) { _mm512_storeu_pd(at, value); }
INLINE vec vec_all(double value) { return _mm512_set1_pd(value); }
INLINE vec vec_add(vec a, vec b) { return _mm512_add_pd(a, b); }
INLINE vec vec_sub(vec a, vec b) { return _mm512_sub_pd(a, b); }
INLINE vec vec_mul(vec a, vec b) { return _mm512_mul_pd(a, b); }
INLINE vec vec_max(vec a, vec b) { return _mm512_max_pd(a, b); }
INLINE vec vec_min(vec a, vec b) { return _mm512_min_pd(a, b); }
/* vec_add where maxima are taken in the same loop; `one` holds ones. On Zen 5 additions share two units with
 * maxima; multiply-adds have two others. */
INLINE vec vec_add_beside(vec a, vec one, vec b) { return _mm512_fmadd_pd(a, one, b); }

/* The bits in which pairs of values differ. */
typedef __m512i vec_bits;
INLINE vec_bits vec_unchanged(void) { return _mm512_setzero_si512(); }
INLINE vec_bits vec_changed(vec_bits so_far, vec a, vec b)
{
    /* so_far | (a ^ b) */
    return _mm512_ternarylogic_epi64(so_far, _mm512_castpd_si512(a), _mm512_castpd_si512(b), 0xf6);
}
/* None of them is in sign and exponent. */
INLINE int vec_one_binade(vec_bits changed)
{
    return _mm512_test_epi64_mask(changed, _mm512_set1_epi64(~((1LL << 52) - 1))) == 0;
}
/* All lanes are greater. */
INLINE int vec_above(vec a, double limit)
{
    return _mm512_cmp_pd_mask(a, _mm512_set1_pd(limit), _CMP_GT_OQ) == 0xff;
}

#elif defined(__AVX2__) && !defined(A1_PLAIN_C)
#include <immintrin.h>
#define VEC_WIDTH 4u
#define VEC_HOLD(value) __asm__("" : "+x"(value))
typedef __m256d vec;

INLINE vec vec_load(const double *at) { return _mm256_loadu_pd(at); }
INLINE void vec_store(double *at, vec value) { _mm256_storeu_pd(at, value); }
INLINE vec vec_all(double value) { return _mm256_set1_pd(value); }
INLINE vec vec_add(vec a, vec b) { return _mm256_add_pd(a, b); }
INLINE vec vec_sub(vec a, vec b) { return _mm256_sub_pd(a, b); }
INLINE vec vec_mul(vec a, vec b) { return _mm256_mul_pd(a, b); }
INLINE vec vec_max(vec a, vec b) { return _mm256_max_pd(a, b); }
INLINE vec vec_min(vec a, vec b) { return _mm256_min_pd(a, b); }
INLINE vec vec_add_beside(vec a, vec one, vec b)
{
    (void)one;
    return vec_add(a, b);
}

typedef __m256d vec_bits;
INLINE vec_bits vec_unchanged(void) { return _mm256_setzero_pd(); }
INLINE vec_bits vec_changed(vec_bits so_far, vec a, vec b)
{
    return _mm256_or_pd(so_far, _mm256_xor_pd(a, b));
}
INLINE int vec_one_binade(vec_bits changed)
{
    return _mm256_testz_si256(_mm256_castpd_si256(changed), _mm256_set1_epi64x(~((1LL << 52) - 1)));
}
INLINE int vec_above(vec a, double limit)
{
    return _mm256_movemask_pd(_mm256_cmp_pd(a, _mm256_set1_pd(limit), _CMP_GT_OQ)) == 0xf;
}

#else
#define VEC_WIDTH 1u
#define VEC_HOLD(value) ((void)0)
typedef double vec;

INLINE vec vec_load(const double *at) { return *at; }
INLINE void vec_store(double *at, vec value) { *at = value; }
INLINE vec vec_all(double value) { return value; }
INLINE vec vec_add(vec a, vec b) { return a + b; }
INLINE vec vec_sub(vec a, vec b) { return a - b; }
INLINE vec vec_mul(vec a, vec b) { return a * b; }
INLINE vec vec_max(vec a, vec b) { return a > b ? a : b; }
INLINE vec vec_min(vec a, vec b) { return a < b ? a : b; }
INLINE vec vec_add_beside(vec a, vec one, vec b)
{
    (void)one;
    return vec_add(a, b);
}

typedef uint64_t vec_bits;
INLINE vec_bits vec_unchanged(void) { return 0; }
INLINE vec_bits vec_changed(vec_bits so_far, vec a, vec b)
{
    uint64_t x, y;
    memcpy(&x, &a, sizeof x);
    memcpy(&y, &b, sizeof y);
    return so_far | (x ^ y);
}
INLINE int vec_one_binade(vec_bits changed) { return changed >> 52 == 0; }
INLINE int vec_above(vec a, double limit) { return a > limit; }
#endif

#endif
