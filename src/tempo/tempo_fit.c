#include <math.h>
#include <stdbool.h>

#include "tempo/tempo.h"

/* The tempo is the common slope of lines through runs of beats: time against beat index, least
 * squares, one slope for all runs and an intercept for each. A run goes on while beats stay near
 * its line, so jumps, pauses and passages in another tempo begin new runs; these are short, and
 * since a run's weight grows with the cube of its length, they hardly count. */

#define MAX_MISSED 3   /* beats that may be missing between two of a run */
#define TOLERANCE 0.12 /* of a beat, for one beat against its neighbour and against the line */
#define GRID 0.010     /* seconds: beats lie on frames */
#define START_TOLERANCE 0.05 /* of a beat, for the intervals that begin the search */
#define ROUNDS 12

typedef struct run {
    double count, index, time; /* beats, and the means of their indices and times */
    double index_squares;      /* sum of squared deviations of the index */
    double products;           /* sum of products of deviations of index and time */
    double last_index, last_time;
} run;

static void run_add(run *r, double index, double time)
{
    r->count += 1;
    const double index_before = index - r->index;
    r->index += index_before / r->count;
    r->time += (time - r->time) / r->count;
    r->index_squares += index_before * (index - r->index);
    r->products += index_before * (time - r->time);
    r->last_index = index;
    r->last_time = time;
}

/* The common slope of all runs that beats of about `period` seconds form; 0 without any. */
static double common_slope(const double *beats, size_t count, double period)
{
    const double tolerance = TOLERANCE * period + GRID;
    double index_squares = 0, products = 0;
    run r = {0};
    run_add(&r, 0, beats[0]);
    for (size_t i = 1; i <= count; i++) {
        if (i < count) {
            const double passed = beats[i] - r.last_time;
            const double steps = rint(passed / period);
            if (passed < period - tolerance)
                continue; /* one beat too many */
            const double index = r.last_index + steps;
            const double expected = r.time + period * (index - r.index);
            if (steps <= MAX_MISSED + 1 && fabs(passed - steps * period) <= tolerance &&
                fabs(beats[i] - expected) <= tolerance) {
                run_add(&r, index, beats[i]);
                continue;
            }
        }
        index_squares += r.index_squares;
        products += r.products;
        if (i < count) {
            r = (run){0};
            run_add(&r, 0, beats[i]);
        }
    }
    return index_squares > 0 ? products / index_squares : 0;
}

/* The mean of the intervals near the most frequent tempo; 0 without any. */
static double start_period(const double *beats, size_t count, int bpm)
{
    const double around = 60.0 / bpm, tolerance = START_TOLERANCE * around + GRID;
    double sum = 0, used = 0;
    for (size_t i = 1; i < count; i++) {
        const double interval = beats[i] - beats[i - 1];
        if (fabs(interval - around) <= tolerance) {
            sum += interval;
            used += 1;
        }
    }
    return used > 0 ? sum / used : 0;
}

double a1_tempo_precise(const double *beats, size_t count)
{
    const int bpm = a1_tempo_bpm(beats, count);
    if (bpm <= 0)
        return 0;
    double period = start_period(beats, count, bpm);
    if (!(period > 0))
        return bpm;
    for (int round = 0; round < ROUNDS; round++) {
        const double slope = common_slope(beats, count, period);
        if (!(slope > 0) || slope == period)
            break;
        period = slope;
    }
    return 60.0 / period;
}
