/* Compiled once per CPU level under the name BLOCK_NAME. Two vectors of lanes are worked on at a time:
 * with four rows that keeps eight sums in registers at every level. */
#include "metrical/viterbi_block.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "metrical/vec_double.h"

#define PASS_LANES (2 * VEC_WIDTH)
#define ROWS 4

/* The best way into each of four tempi at each frame: maximum over the tempi before. */
INLINE void enter_group(const a1_block_group *group, const double *sources, size_t stride,
                        const double *density, double *entries)
{
    vec one = vec_all(1);
    VEC_HOLD(one); /* else a compiler sees through a multiplication by it */
    for (size_t lane = 0; lane < A1_BLOCK_LANES; lane += PASS_LANES) {
        vec best[A1_BLOCK_GROUP][2];
        UNROLL
        for (size_t to = 0; to < A1_BLOCK_GROUP; to++)
            best[to][0] = best[to][1] = vec_all(-INFINITY);
        const double *source = sources + group->first_source * stride + lane;
        const double *weight = group->weights;
        for (size_t i = 0; i < group->source_count; i++) {
            const vec low = vec_load(source), high = vec_load(source + VEC_WIDTH);
            UNROLL
            for (size_t to = 0; to < A1_BLOCK_GROUP; to++) {
                const vec change = vec_all(weight[to]);
                best[to][0] = vec_max(vec_add_beside(low, one, change), best[to][0]);
                best[to][1] = vec_max(vec_add_beside(high, one, change), best[to][1]);
            }
            source += stride;
            weight += A1_BLOCK_GROUP;
        }
        const vec low = vec_load(density + lane), high = vec_load(density + lane + VEC_WIDTH);
        UNROLL
        for (size_t to = 0; to < A1_BLOCK_GROUP; to++) {
            vec_store(entries + to * A1_BLOCK_LANES + lane, vec_add(best[to][0], low));
            vec_store(entries + to * A1_BLOCK_LANES + lane + VEC_WIDTH, vec_add(best[to][1], high));
        }
    }
}

typedef struct {
    const double *entry;
    const double *density; /* inside the beat range */
    size_t beat_frames;
    double *leaving; /* where the sum goes in the ring's row */
} block_row;

/* Adds up the densities of the rest of the beat for rows of one tempo in several beats of the bar,
 * which share the loads outside the beat range. */
INLINE void carry_rows(const block_row *rows, const size_t count, size_t interval,
                       const double *none)
{
    size_t most = 0;
    for (size_t r = 0; r < count; r++)
        most = rows[r].beat_frames > most ? rows[r].beat_frames : most;
    for (size_t lane = 0; lane < A1_BLOCK_LANES; lane += PASS_LANES) {
        vec sum[ROWS][2];
        UNROLL
        for (size_t r = 0; r < count; r++) {
            sum[r][0] = vec_load(rows[r].entry + lane);
            sum[r][1] = vec_load(rows[r].entry + lane + VEC_WIDTH);
        }
        size_t position = 1;
        for (; position < most; position++) {
            UNROLL
            for (size_t r = 0; r < count; r++) {
                const double *density =
                    (position < rows[r].beat_frames ? rows[r].density : none) + position + lane;
                sum[r][0] = vec_add(sum[r][0], vec_load(density));
                sum[r][1] = vec_add(sum[r][1], vec_load(density + VEC_WIDTH));
            }
        }
        for (; position < interval; position++) {
            vec low = vec_load(none + position + lane);
            vec high = vec_load(none + position + lane + VEC_WIDTH);
            /* Else some compilers load anew for each sum, and these loads cross cache lines. */
            VEC_HOLD(low);
            VEC_HOLD(high);
            UNROLL
            for (size_t r = 0; r < count; r++) {
                sum[r][0] = vec_add(sum[r][0], low);
                sum[r][1] = vec_add(sum[r][1], high);
            }
        }
        UNROLL
        for (size_t r = 0; r < count; r++) {
            vec_store(rows[r].leaving + lane, sum[r][0]);
            vec_store(rows[r].leaving + lane + VEC_WIDTH, sum[r][1]);
        }
    }
}

/* The same with one addition a row, where it gives the same bits; else false, and what was written
 * means nothing. sums[r]: [A1_BLOCK_LANES], of the rest of the beat. */
INLINE bool carry_at_once(const block_row *rows, const double *const *sums, const size_t count,
                          double limit)
{
    vec_bits changed = vec_unchanged();
    vec least = vec_all(0);
    UNROLL
    for (size_t r = 0; r < count; r++) {
        UNROLL
        for (size_t lane = 0; lane < A1_BLOCK_LANES; lane += VEC_WIDTH) {
            const vec entry = vec_load(rows[r].entry + lane);
            const vec left = vec_add(entry, vec_load(sums[r] + lane));
            changed = vec_changed(changed, entry, left);
            least = vec_min(least, left);
            vec_store(rows[r].leaving + lane, left);
        }
    }
    return vec_one_binade(changed) && vec_above(least, -limit);
}

INLINE void carry(const block_row *rows, const double *const *sums, const size_t count,
                  size_t interval, const a1_block_input *in)
{
    if (!(in->limit > 0) || !carry_at_once(rows, sums, count, in->limit))
        carry_rows(rows, count, interval, in->none);
}

/* Exact, as all differences of these sums are. */
INLINE void sum_beat(const double *inside, const double *none, size_t beat_frames, size_t interval,
                     double *sums)
{
    UNROLL
    for (size_t lane = 0; lane < A1_BLOCK_LANES; lane += VEC_WIDTH) {
        const vec before =
            vec_sub(vec_load(inside + beat_frames + lane), vec_load(inside + 1 + lane));
        const vec after =
            vec_sub(vec_load(none + interval + lane), vec_load(none + beat_frames + lane));
        vec_store(sums + lane, vec_add(before, after));
    }
}

static void carry_tempo(const a1_block_plan *plan, double *ring, size_t column, size_t tempo,
                        const a1_block_input *in, const double *entries)
{
    const size_t interval = plan->intervals[tempo];
    const size_t targets = plan->group_count * A1_BLOCK_GROUP;
    const size_t arrival = (column + interval) % plan->ring_length;
    const size_t fitting = plan->ring_length - arrival;
    _Alignas(64) double sums[ROWS][A1_BLOCK_LANES];
    for (size_t first = 0; first < plan->beats; first += ROWS) {
        const size_t left = plan->beats - first;
        const size_t count = left < ROWS ? left : ROWS;
        block_row rows[ROWS];
        const double *sum[ROWS];
        for (size_t r = 0; r < count; r++) {
            const size_t row = (first + r) * plan->tempi + tempo;
            rows[r] = (block_row){
                .entry = entries + ((first + r) * targets + tempo) * A1_BLOCK_LANES,
                .density = first + r == 0 ? in->downbeat : in->beat,
                .beat_frames = plan->beat_frames[row],
                .leaving = ring + row * plan->ring_stride + arrival,
            };
            sum[r] = sums[r];
            if (in->limit > 0) {
                if (r > 0 && rows[r].density == rows[r - 1].density &&
                    rows[r].beat_frames == rows[r - 1].beat_frames)
                    sum[r] = sum[r - 1];
                else
                    sum_beat(first + r == 0 ? in->downbeat_sums : in->beat_sums, in->none_sums,
                             rows[r].beat_frames, interval, sums[r]);
            }
        }
        switch (count) {
        case 4:
            carry(rows, sum, 4, interval, in);
            break;
        case 3:
            carry(rows, sum, 3, interval, in);
            break;
        case 2:
            carry(rows, sum, 2, interval, in);
            break;
        default:
            carry(rows, sum, 1, interval, in);
        }
        if (fitting >= A1_BLOCK_LANES)
            continue;
        for (size_t r = 0; r < count; r++)
            memcpy(rows[r].leaving - arrival, rows[r].leaving + fitting,
                   (A1_BLOCK_LANES - fitting) * sizeof(double));
    }
}

void BLOCK_NAME(const a1_block_plan *plan, double *ring, size_t column, const a1_block_input *in,
                double *entries)
{
    const size_t targets = plan->group_count * A1_BLOCK_GROUP;
    for (size_t to = 0; to < plan->beats; to++) {
        const size_t from = (to + plan->beats - 1) % plan->beats;
        const double *sources = ring + from * plan->tempi * plan->ring_stride + column;
        for (size_t g = 0; g < plan->group_count; g++)
            enter_group(&plan->groups[g], sources, plan->ring_stride,
                        to == 0 ? in->downbeat : in->beat,
                        entries + (to * targets + g * A1_BLOCK_GROUP) * A1_BLOCK_LANES);
    }
    for (size_t tempo = 0; tempo < plan->tempi; tempo++)
        carry_tempo(plan, ring, column, tempo, in, entries);
}
