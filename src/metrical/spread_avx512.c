#include "metrical/spread.h"

#if defined(__x86_64__)
#include <immintrin.h>

typedef __m512d vec;
#define VEC_WIDTH 8u
#define SPREAD_NAME a1_spread_avx512

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

static inline vec vec_mul(vec a, vec b)
{
    return _mm512_mul_pd(a, b);
}

#include "metrical/spread_body.h"

#endif
