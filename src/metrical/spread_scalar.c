#include "metrical/spread.h"

typedef double vec;
#define VEC_WIDTH 1u
#define SPREAD_NAME a1_spread_scalar

static inline vec vec_load(const double *at)
{
    return *at;
}

static inline void vec_store(double *at, vec value)
{
    *at = value;
}

static inline vec vec_all(double value)
{
    return value;
}

static inline vec vec_add(vec a, vec b)
{
    return a + b;
}

static inline vec vec_mul(vec a, vec b)
{
    return a * b;
}

#include "metrical/spread_body.h"
