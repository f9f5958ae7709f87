/* The inner loops of the fast decoder: 16 frames of one metre at once, frames as vector lanes.
 *
 * Only max and add are used, on the same operands in the same order at every CPU level, so that all
 * give the same bits. */
#ifndef A1_METRICAL_VITERBI_BLOCK_H
#define A1_METRICAL_VITERBI_BLOCK_H

#include <stddef.h>
#include <stdint.h>

#define A1_BLOCK_LANES 16u
#define A1_BLOCK_GROUP 4u /* target tempi that share the loads of their sources */

/* Four neighbouring target tempi and the source tempi that reach any of them. */
typedef struct a1_block_group {
    size_t first_source, source_count;
    const double *weights; /* [source_count][A1_BLOCK_GROUP], log transition or -inf */
} a1_block_group;

typedef struct a1_block_plan {
    size_t beats, tempi;
    size_t group_count; /* the last group may have targets beyond `tempi`, which are never read */
    const a1_block_group *groups;
    const unsigned *intervals;   /* [tempi] */
    const unsigned *beat_frames; /* [beats][tempi] */
    size_t step;                 /* frames of a block; no more than the shortest interval */
    size_t ring_length;          /* a multiple of step, at least the longest interval + lanes */
    size_t ring_stride;          /* >= ring_length + lanes */
} a1_block_plan;

/* What a block sees, from its first frame on. */
typedef struct a1_block_input {
    const double *none, *beat, *downbeat;
    const double *none_sums, *beat_sums, *downbeat_sums; /* sum of the frames before each */
    double limit; /* down to which they are exact (exact_sums.h); 0: not to be used */
} a1_block_input;

/* `ring`: [beats][tempi][ring_stride]. Column u % ring_length holds the value with which a path
 * that left (beat, tempo) arrives at frame u, before the tempo change. The block reads `column` to
 * `column` + step - 1, writes the values with which its frames are entered to `entries`
 * [beats][group_count * 4][16], density included, and puts what leaves later into the ring. */
typedef void (*a1_block_fn)(const a1_block_plan *plan, double *ring, size_t column,
                            const a1_block_input *in, double *entries);

void a1_block_scalar(const a1_block_plan *plan, double *ring, size_t column,
                     const a1_block_input *in, double *entries);
#if defined(__x86_64__)
void a1_block_avx2(const a1_block_plan *plan, double *ring, size_t column, const a1_block_input *in,
                   double *entries);
void a1_block_avx512(const a1_block_plan *plan, double *ring, size_t column,
                     const a1_block_input *in, double *entries);
#endif

#endif
