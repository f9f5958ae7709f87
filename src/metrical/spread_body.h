/* Compiled once per CPU level under the name SPREAD_NAME. Up to four beats share a weight; with eight
 * targets that is eight sums in registers at every level. */
#include "metrical/spread.h"
#include "metrical/vec_double.h"

#define VECTORS (A1_SPREAD_GROUP / VEC_WIDTH)
#define BEATS 4

/* `pitch`: values of a beat. */
INLINE void spread_beats(const a1_spread_group *group, const size_t beats, size_t pitch,
                         const double *sources, double *targets)
{
    vec sum[BEATS][VECTORS];
    UNROLL
    for (size_t beat = 0; beat < beats; beat++)
        UNROLL
        for (size_t v = 0; v < VECTORS; v++)
            sum[beat][v] = vec_all(0);
    const double *source = sources + group->first_source;
    const double *weights = group->weights;
    for (size_t i = 0; i < group->source_count; i++) {
        UNROLL
        for (size_t beat = 0; beat < beats; beat++) {
            const vec value = vec_all(source[beat * pitch + i]);
            UNROLL
            for (size_t v = 0; v < VECTORS; v++)
                sum[beat][v] = vec_add(sum[beat][v],
                                       vec_mul(value, vec_load(weights + v * VEC_WIDTH)));
        }
        weights += A1_SPREAD_GROUP;
    }
    UNROLL
    for (size_t beat = 0; beat < beats; beat++)
        UNROLL
        for (size_t v = 0; v < VECTORS; v++)
            vec_store(targets + beat * pitch + v * VEC_WIDTH, sum[beat][v]);
}

void SPREAD_NAME(const a1_spread_plan *plan, const double *sources, double *targets)
{
    const size_t pitch = plan->group_count * A1_SPREAD_GROUP;
    for (size_t g = 0; g < plan->group_count; g++) {
        const a1_spread_group *group = &plan->groups[g];
        double *to = targets + g * A1_SPREAD_GROUP;
        size_t beat = 0;
        for (; beat + BEATS <= plan->beats; beat += BEATS)
            spread_beats(group, BEATS, pitch, sources + beat * pitch, to + beat * pitch);
        switch (plan->beats - beat) {
        case 3: spread_beats(group, 3, pitch, sources + beat * pitch, to + beat * pitch); break;
        case 2: spread_beats(group, 2, pitch, sources + beat * pitch, to + beat * pitch); break;
        case 1: spread_beats(group, 1, pitch, sources + beat * pitch, to + beat * pitch); break;
        default: break;
        }
    }
}
