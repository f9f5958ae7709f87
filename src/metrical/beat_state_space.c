#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "metrical/bar_model.h"

/* Whole intervals from `count` points evenly spaced in the logarithm; returns how many differ. The
 * points are monotone, so equal ones are neighbours. */
static size_t log_spaced(double min_interval, double max_interval, size_t count,
                         unsigned *intervals)
{
    const double start = log2(min_interval), stop = log2(max_interval);
    const double step = count > 1 ? (stop - start) / (double)(count - 1) : 0;
    size_t different = 0;
    for (size_t i = 0; i < count; i++) {
        const double exponent = i > 0 && i + 1 == count ? stop : (double)i * step + start;
        const unsigned interval = (unsigned)rint(exp2(exponent));
        if (different == 0 || intervals[different - 1] != interval) {
            if (different == A1_MAX_BEAT_INTERVALS)
                return different + 1;
            intervals[different++] = interval;
        }
    }
    return different;
}

static size_t choose_intervals(double min_interval, double max_interval, unsigned wanted,
                               unsigned *intervals)
{
    const unsigned shortest = (unsigned)rint(min_interval);
    const unsigned longest = (unsigned)rint(max_interval);
    const size_t every = longest - shortest + 1u;
    if (wanted == 0 || wanted >= every) {
        for (size_t i = 0; i < every && i < A1_MAX_BEAT_INTERVALS; i++)
            intervals[i] = shortest + (unsigned)i;
        return every;
    }
    if (wanted > A1_MAX_BEAT_INTERVALS)
        return wanted;
    /* Rounding makes points coincide: more and more are laid until enough intervals differ. */
    size_t count = 0;
    for (size_t points = wanted; count < wanted; points++)
        count = log_spaced(min_interval, max_interval, points, intervals);
    return count;
}

allin1_status a1_beat_space_create(a1_beat_space *space, unsigned beats, double min_interval,
                                   double max_interval, unsigned wanted, a1_error *err)
{
    memset(space, 0, sizeof *space);
    if (!(rint(min_interval) >= 1) || !(max_interval >= min_interval) ||
        !(rint(max_interval) <= A1_MAX_BEAT_INTERVAL))
        return a1_fail(err, ALLIN1_ERROR_ARGUMENT,
                       "a beat would last %g to %g frames; it must last between 1 and %u",
                       min_interval, max_interval, A1_MAX_BEAT_INTERVAL);
    space->intervals = calloc(A1_MAX_BEAT_INTERVALS, sizeof *space->intervals);
    space->first = calloc(A1_MAX_BEAT_INTERVALS, sizeof *space->first);
    if (!space->intervals || !space->first)
        goto memory;
    space->interval_count = choose_intervals(min_interval, max_interval, wanted, space->intervals);
    if (space->interval_count > A1_MAX_BEAT_INTERVALS) {
        a1_beat_space_destroy(space);
        return a1_fail(err, ALLIN1_ERROR_ARGUMENT, "more than %u tempi; limit their number",
                       A1_MAX_BEAT_INTERVALS);
    }
    for (size_t j = 0; j < space->interval_count; j++) {
        space->first[j] = space->beat_states;
        space->beat_states += space->intervals[j];
    }
    space->beats = beats;
    space->states = beats * space->beat_states;
    space->interval_of = calloc(space->beat_states, sizeof *space->interval_of);
    if (!space->interval_of)
        goto memory;
    for (size_t j = 0; j < space->interval_count; j++)
        for (size_t position = 0; position < space->intervals[j]; position++)
            space->interval_of[space->first[j] + position] = (uint16_t)j;
    return ALLIN1_OK;
memory:
    a1_beat_space_destroy(space);
    return a1_fail_memory(err, "the beat state space");
}

void a1_beat_space_destroy(a1_beat_space *space)
{
    free(space->intervals);
    free(space->first);
    free(space->interval_of);
    memset(space, 0, sizeof *space);
}
