/* Sums over tempo changes: what enters a bar's beats at one frame, out of what left the beats before. It
 * is the inner loop of the sums over all paths (posterior.h), as the blocks are the best path's.
 *
 * Products are added one by one, sources rising, at every CPU level, so that all give the same bits. */
#ifndef A1_METRICAL_SPREAD_H
#define A1_METRICAL_SPREAD_H

#include <stddef.h>

#include "base/cpu.h"

#define A1_SPREAD_GROUP 8u /* neighbouring targets that share the loads of their sources */

/* Eight targets and the sources that reach any of them. */
typedef struct a1_spread_group {
    size_t first_source, source_count;
    const double *weights; /* [source_count][A1_SPREAD_GROUP], probabilities */
} a1_spread_group;

typedef struct a1_spread_plan {
    size_t beats;
    size_t group_count; /* a beat has as many groups of values, of which the last may be too many */
    a1_spread_group *groups;
} a1_spread_plan;

/* Writes all of `targets`; it and `sources` are [beats][group_count * A1_SPREAD_GROUP]. Every beat is by
 * itself: the caller says which follows which. */
typedef void (*a1_spread_fn)(const a1_spread_plan *plan, const double *sources, double *targets);

void a1_spread_scalar(const a1_spread_plan *plan, const double *sources, double *targets);
#if defined(__x86_64__)
void a1_spread_avx2(const a1_spread_plan *plan, const double *sources, double *targets);
void a1_spread_avx512(const a1_spread_plan *plan, const double *sources, double *targets);
#endif

#endif
