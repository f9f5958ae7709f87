#include "metrical/viterbi_block.h"

#if defined(__x86_64__)
#include <immintrin.h>

typedef __m256d vec;
#define VEC_WIDTH 4u
#define VEC_HOLD(value) __asm__("" : "+x"(value))
#define BLOCK_NAME a1_block_avx2

static inline vec vec_load(const double *at)
{
    return _mm256_loadu_pd(at);
}

static inline void vec_store(double *at, vec value)
{
    _mm256_storeu_pd(at, value);
}

static inline vec vec_all(double value)
{
    return _mm256_set1_pd(value);
}

static inline vec vec_add(vec a, vec b)
{
    return _mm256_add_pd(a, b);
}

static inline vec vec_max(vec a, vec b)
{
    return _mm256_max_pd(a, b);
}

static inline vec vec_add_beside(vec a, vec one, vec b)
{
    (void)one;
    return _mm256_add_pd(a, b);
}

static inline vec vec_sub(vec a, vec b)
{
    return _mm256_sub_pd(a, b);
}

static inline vec vec_min(vec a, vec b)
{
    return _mm256_min_pd(a, b);
}

typedef __m256d vec_bits;

static inline vec_bits vec_unchanged(void)
{
    return _mm256_setzero_pd();
}

static inline vec_bits vec_changed(vec_bits so_far, vec a, vec b)
{
    return _mm256_or_pd(so_far, _mm256_xor_pd(a, b));
}

static inline int vec_one_binade(vec_bits changed)
{
    return _mm256_testz_si256(_mm256_castpd_si256(changed), _mm256_set1_epi64x(~((1LL << 52) - 1)));
}

static inline int vec_above(vec a, double limit)
{
    return _mm256_movemask_pd(_mm256_cmp_pd(a, _mm256_set1_pd(limit), _CMP_GT_OQ)) == 0xf;
}

#include "metrical/viterbi_block_body.h"

#endif
