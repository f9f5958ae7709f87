/* Measures of beats, as mir_eval.beat defines them (Davies, Degara and Plumbley 2009). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "evaluation/scores.h"

#define F_WINDOW 0.07
#define GOTO_ERROR 0.35 /* of half an interval: a beat is right */
#define GOTO_MEAN 0.2
#define GOTO_DEVIATION 0.2
#define GOTO_SHARE 0.25
#define PHASE 0.175 /* of an interval: continuity */
#define PERIOD 0.175
#define BINS 41 /* of the histogram of errors, one of them about 0 */

/* The index of the first of `times` that is not before `at`; their count when all are. */
static size_t first_from(a1_times times, double at)
{
    size_t low = 0, high = times.count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (times.at[middle] < at)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The nearest of `times`, the first of two that are equally near. */
static size_t nearest(a1_times times, double at)
{
    size_t low = first_from(times, at);
    if (low == times.count)
        low--;
    else if (low > 0 && fabs(at - times.at[low - 1]) <= fabs(at - times.at[low]))
        low--;
    while (low > 0 && times.at[low - 1] == times.at[low])
        low--;
    return low;
}

/* times[index], where an index below 0 counts from the end, as in the definitions' Python. */
static double wrapped(a1_times times, size_t index, bool before)
{
    if (!before)
        return times.at[index];
    return times.at[index > 0 ? index - 1 : times.count - 1];
}

/* Continuity --------------------------------------------------------------------------------------- */

/* Whether an estimated beat is in phase and in period with its nearest annotation. At the start of
 * either sequence the intervals after them count, else those before. */
static bool goes_with(a1_times reference, a1_times estimate, size_t m, size_t near)
{
    const double difference = fabs(estimate.at[m] - reference.at[near]);
    double reference_interval, estimated_interval;
    if (m > 0 && near > 0) {
        reference_interval = reference.at[near] - reference.at[near - 1];
        estimated_interval = estimate.at[m] - estimate.at[m - 1];
        return fabs(difference / reference_interval) < PHASE &&
               fabs(1 - estimated_interval / reference_interval) < PERIOD;
    }
    if (near + 1 < reference.count)
        reference_interval = reference.at[near + 1] - reference.at[near];
    else
        reference_interval = reference.at[near] - wrapped(reference, near, true);
    if (m + 1 < estimate.count)
        estimated_interval = estimate.at[m + 1] - estimate.at[m];
    else
        estimated_interval = estimate.at[m] - estimate.at[m - 1];
    /* Without an interval nothing is in phase. */
    return reference_interval != 0 && fabs(difference / reference_interval) < PHASE &&
           fabs(1 - estimated_interval / reference_interval) < PERIOD;
}

allin1_status a1_continuity_score(a1_times reference, a1_times estimate, a1_continuity *score,
                                  a1_error *err)
{
    *score = (a1_continuity){0, 0};
    if (reference.count == 0 || estimate.count == 0)
        return ALLIN1_OK;
    bool *used = calloc(reference.count, sizeof *used);
    if (!used)
        return a1_fail_memory(err, "an evaluation");
    size_t stretch = 0, longest = 0, total = 0;
    for (size_t m = 0; m < estimate.count; m++) {
        const size_t near = nearest(reference, estimate.at[m]);
        const bool success = !used[near] && goes_with(reference, estimate, m, near);
        used[near] |= success;
        stretch = success ? stretch + 1 : 0;
        longest = stretch > longest ? stretch : longest;
        total += success;
    }
    const size_t count = reference.count > estimate.count ? reference.count : estimate.count;
    *score = (a1_continuity){(double)longest / (double)count, (double)total / (double)count};
    free(used);
    return ALLIN1_OK;
}

/* At the annotated metrical level; then the best of that, the off-beat, the double and the two halves.
 * `room` has space for the double: 2 count - 1. */
static allin1_status continuity(a1_times reference, a1_times estimate, double *room,
                                double values[4], a1_error *err)
{
    const size_t count = reference.count;
    a1_continuity exact, best, other;
    A1_TRY(a1_continuity_score(reference, estimate, &exact, err));
    best = exact;
    for (int variation = 0; variation < 4; variation++) {
        size_t used = 0;
        for (size_t i = 0; i < 2 * count - 1; i++) {
            const bool between = i % 2 == 1;
            const bool wanted = variation == 0   ? between        /* off-beat */
                                : variation == 1 ? true           /* double */
                                : variation == 2 ? i % 4 == 0     /* half, from the first */
                                                 : i % 4 == 2;    /* half, from the second */
            const double at = reference.at[i / 2];
            if (wanted)
                room[used++] = between ? (reference.at[i / 2 + 1] - at) * 0.5 + at : at;
        }
        A1_TRY(a1_continuity_score((a1_times){room, used}, estimate, &other, err));
        best.longest = fmax(best.longest, other.longest);
        best.total = fmax(best.total, other.total);
    }
    values[0] = exact.longest;
    values[1] = exact.total;
    values[2] = best.longest;
    values[3] = best.total;
    return ALLIN1_OK;
}

/* Goto --------------------------------------------------------------------------------------------- */

/* Each annotation's error: that of the one estimated beat nearer to it than to its neighbours, of half
 * the interval on that side; 1 when there is none or several, and at both ends. */
static void beat_errors(a1_times reference, a1_times estimate, double *errors)
{
    for (size_t n = 0; n < reference.count; n++)
        errors[n] = 1;
    for (size_t n = 1; n + 1 < reference.count; n++) {
        const double before = 0.5 * (reference.at[n] - reference.at[n - 1]);
        const double after = 0.5 * (reference.at[n + 1] - reference.at[n]);
        const size_t first = first_from(estimate, reference.at[n] - before);
        const size_t end = first_from(estimate, reference.at[n] + after);
        if (end != first + 1)
            continue;
        const double offset = estimate.at[first] - reference.at[n];
        errors[n] = offset / (offset < 0 ? before : after);
    }
}

/* Mean of the sizes, and deviation of the values, of a stretch. */
static bool is_steady(const double *errors, size_t count)
{
    double sum = 0, size = 0, squares = 0;
    if (count < 2)
        return false; /* a single value has no deviation */
    for (size_t i = 0; i < count; i++) {
        sum += errors[i];
        size += fabs(errors[i]);
    }
    for (size_t i = 0; i < count; i++) {
        const double d = errors[i] - sum / (double)count;
        squares += d * d;
    }
    return size / (double)count < GOTO_MEAN &&
           sqrt(squares / (double)(count - 1)) < GOTO_DEVIATION;
}

/* `room` has space for reference.count numbers. */
double a1_goto_score(a1_times reference, a1_times estimate, double *room)
{
    double *errors = room;
    size_t wrong = 0, last = 0, longest = 0, start = 0;
    if (reference.count == 0 || estimate.count == 0)
        return 0;
    beat_errors(reference, estimate, errors);
    for (size_t n = 0; n < reference.count; n++) {
        if (!(fabs(errors[n]) > GOTO_ERROR))
            continue;
        if (wrong > 0 && n - last > longest) {
            longest = n - last;
            start = last;
        }
        last = n;
        wrong++;
    }
    if (wrong < 3) {
        /* All but the ends are right; the definition leaves the last of these out. */
        const size_t count = reference.count > 3 ? reference.count - 3 : 0;
        return is_steady(errors + 1, count);
    }
    if (!((double)(longest - 1) > GOTO_SHARE * (double)(reference.count - 2)))
        return 0;
    return is_steady(errors + start, longest + 1);
}

/* Information gain --------------------------------------------------------------------------------- */

/* Entropy of the histogram of the errors, in intervals from -1/2 to 1/2, of `times` about `grid`. */
static double error_entropy(a1_times grid, a1_times times)
{
    size_t bins[BINS] = {0}, sum = 0;
    for (size_t n = 0; n < times.count; n++) {
        const size_t near = nearest(grid, times.at[n]);
        const double error = times.at[n] - grid.at[near];
        double interval;
        if (near == grid.count - 1)
            interval = 0.5 * (grid.at[near] - grid.at[near - 1]);
        else if (error < 0)
            interval = 0.5 * (grid.at[near] - wrapped(grid, near, true));
        else
            interval = 0.5 * (grid.at[near + 1] - grid.at[near]);
        /* Into (-1/2, 1/2]. */
        double place = fmod(0.5 * error / interval + 0.5, 1);
        place = (place > 0 ? place - 1 : place) + 0.5;
        for (size_t bin = 0; bin < BINS; bin++) {
            const double low = (double)bin * (1.0 / BINS) - 0.5;
            const double high = bin + 1 == BINS ? 0.5 : (double)(bin + 1) * (1.0 / BINS) - 0.5;
            if (place >= low && (place < high || (bin + 1 == BINS && place <= high))) {
                bins[bin]++;
                sum++;
            }
        }
    }
    double entropy = 0;
    for (size_t bin = 0; bin < BINS; bin++) {
        const double share = (double)bins[bin] / (double)sum;
        if (bins[bin] > 0)
            entropy -= share * log2(share);
    }
    return entropy;
}

double a1_information_gain(a1_times reference, a1_times estimate)
{
    if (reference.count < 2 || estimate.count < 2)
        return 0;
    const double norm = log2(BINS);
    return (norm - fmax(error_entropy(reference, estimate), error_entropy(estimate, reference))) /
           norm;
}

/* All ---------------------------------------------------------------------------------------------- */

allin1_status a1_score_beats(a1_times reference, a1_times estimate, double *values, a1_error *err)
{
    memset(values, 0, A1_BEAT_MEASURES * sizeof *values);
    if (reference.count == 0 || estimate.count == 0)
        return ALLIN1_OK;
    double *room = malloc(2 * reference.count * sizeof *room);
    if (!room)
        return a1_fail_memory(err, "an evaluation");
    const double hits = (double)a1_match_count(reference, estimate, F_WINDOW);
    allin1_status status = ALLIN1_OK;
    values[0] = a1_f_measure(hits / (double)estimate.count, hits / (double)reference.count);
    if (reference.count > 1 && estimate.count > 1)
        status = continuity(reference, estimate, room, values + 1, err);
    values[5] = a1_goto_score(reference, estimate, room);
    values[6] = a1_information_gain(reference, estimate);
    free(room);
    return status;
}
