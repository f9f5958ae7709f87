#include "metrical/viterbi_block.h"

#if defined(__x86_64__)
#include <immintrin.h>

typedef __m512d vec;
#define VEC_WIDTH 8u
#define VEC_HOLD(value) __asm__("" : "+v"(value))
#define BLOCK_NAME a1_block_avx512

static inline vec vec_load(const double *at)
{
    return _mm512_loadu_pd(at);
}

static inline void vec_store(double *at, vec value)
{
    _mm512_storeu_pd(at, value);
}

static inline vec vec_all(double value)
{
    return _mm512_set1_pd(value);
}

static inline vec vec_add(vec a, vec b)
{
    return _mm512_add_pd(a, b);
}

static inline vec vec_max(vec a, vec b)
{
    return _mm512_max_pd(a, b);
}

/* The same bits. On Zen 5 additions share two units with maxima; multiply-adds have two others. */
static inline vec vec_add_beside(vec a, vec one, vec b)
{
    return _mm512_fmadd_pd(a, one, b);
}

static inline vec vec_sub(vec a, vec b)
{
    return _mm512_sub_pd(a, b);
}

static inline vec vec_min(vec a, vec b)
{
    return _mm512_min_pd(a, b);
}

typedef __m512i vec_bits;

static inline vec_bits vec_unchanged(void)
{
    return _mm512_setzero_si512();
}

static inline vec_bits vec_changed(vec_bits so_far, vec a, vec b)
{
    /* so_far | (a ^ b) */
    return _mm512_ternarylogic_epi64(so_far, _mm512_castpd_si512(a), _mm512_castpd_si512(b), 0xf6);
}

static inline int vec_one_binade(vec_bits changed)
{
    return _mm512_test_epi64_mask(changed, _mm512_set1_epi64(~((1LL << 52) - 1))) == 0;
}

static inline int vec_above(vec a, double limit)
{
    return _mm512_cmp_pd_mask(a, _mm512_set1_pd(limit), _CMP_GT_OQ) == 0xff;
}

#include "metrical/viterbi_block_body.h"

#endif
