#include <math.h>
#include <string.h>

#include "metrical/viterbi.h"

/* A way back is kept only for the first states of a beat: all others have one predecessor. */
static size_t entry_count(const a1_bar_model *bar)
{
    return bar->space.beats * bar->space.interval_count;
}

size_t a1_viterbi_plain_cost(const a1_bar_model *bar, size_t frames)
{
    const size_t states = bar->space.states;
    const size_t fixed =
        2 * a1_arena_cost(states * sizeof(double)) + a1_arena_cost(states) + A1_ARENA_ALIGNMENT;
    const size_t frame = entry_count(bar) * sizeof(uint32_t);
    return frames > (SIZE_MAX - fixed) / frame ? SIZE_MAX : fixed + frames * frame;
}

#define ENTRY_STATE 0x80u

static void describe_states(const a1_bar_model *bar, uint8_t *kind)
{
    for (size_t beat = 0; beat < bar->space.beats; beat++)
        for (size_t j = 0; j < bar->space.interval_count; j++)
            for (size_t position = 0; position < bar->space.intervals[j]; position++)
                kind[beat * bar->space.beat_states + bar->space.first[j] + position] =
                    (uint8_t)(a1_bar_density(bar, beat, j, position) |
                              (position == 0 ? ENTRY_STATE : 0));
}

double a1_viterbi_plain(const a1_bar_model *bar, const a1_densities *densities, size_t frames,
                        a1_arena *scratch, uint32_t *path)
{
    const size_t states = bar->space.states, entries = entry_count(bar);
    const a1_transitions *transitions = &bar->transitions;
    const size_t mark = a1_arena_mark(scratch);
    double *previous = a1_arena_alloc(scratch, states * sizeof *previous);
    double *current = a1_arena_alloc(scratch, states * sizeof *current);
    uint8_t *kind = a1_arena_alloc(scratch, states);
    uint32_t *back = a1_arena_alloc(scratch, frames * entries * sizeof *back);

    describe_states(bar, kind);
    for (size_t state = 0; state < states; state++)
        previous[state] = bar->log_initial;
    for (size_t t = 0; t < frames; t++) {
        const double now[A1_DENSITIES] = {densities->column[A1_DENSITY_NONE][t],
                                          densities->column[A1_DENSITY_BEAT][t],
                                          densities->column[A1_DENSITY_DOWNBEAT][t]};
        uint32_t *entry_back = back + t * entries;
        for (size_t state = 0; state < states; state++) {
            const double seen = now[kind[state] & ~ENTRY_STATE];
            const size_t start = transitions->start[state], end = transitions->start[state + 1];
            double best = -INFINITY;
            uint32_t from = transitions->source[start];
            for (size_t k = start; k < end; k++) {
                const double value =
                    previous[transitions->source[k]] + transitions->log_probability[k] + seen;
                if (value > best) {
                    best = value;
                    from = transitions->source[k];
                }
            }
            current[state] = best;
            if (kind[state] & ENTRY_STATE)
                *entry_back++ = from;
        }
        double *swap = previous;
        previous = current;
        current = swap;
    }

    size_t state = 0;
    for (size_t s = 1; s < states; s++)
        if (previous[s] > previous[state])
            state = s;
    const double log_probability = previous[state];
    if (log_probability > -INFINITY) {
        for (size_t t = frames; t-- > 0;) {
            path[t] = (uint32_t)state;
            const size_t beat = state / bar->space.beat_states;
            const size_t in_beat = state % bar->space.beat_states;
            const size_t j = bar->space.interval_of[in_beat];
            if (in_beat == bar->space.first[j])
                state = back[t * entries + beat * bar->space.interval_count + j];
            else
                state--;
        }
    }
    a1_arena_release(scratch, mark);
    return log_probability;
}
