#include <string.h>

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

static inline vec vec_add_beside(vec a, vec one, vec b)
{
    (void)one;
    return a + b;
}

static inline vec vec_sub(vec a, vec b)
{
    return a - b;
}

static inline vec vec_min(vec a, vec b)
{
    return a < b ? a : b;
}

typedef uint64_t vec_bits;

static inline vec_bits vec_unchanged(void)
{
    return 0;
}

static inline vec_bits vec_changed(vec_bits so_far, vec a, vec b)
{
    uint64_t x, y;
    memcpy(&x, &a, sizeof x);
    memcpy(&y, &b, sizeof y);
    return so_far | (x ^ y);
}

static inline int vec_one_binade(vec_bits changed)
{
    return changed >> 52 == 0;
}

static inline int vec_above(vec a, double limit)
{
    return a > limit;
}

#include "metrical/viterbi_block_body.h"
