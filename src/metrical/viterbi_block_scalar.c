#include "metrical/viterbi_block.h"

typedef double vec;
#define VEC_WIDTH 1u
#define VEC_HOLD(value) ((void)0)
#define BLOCK_NAME a1_block_scalar

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

static inline vec vec_max(vec a, vec b)
{
    return a > b ? a : b;
}

#include "metrical/viterbi_block_body.h"
