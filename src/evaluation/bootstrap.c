/* Means over songs, and how far they can be relied on. */
#include <math.h>
#include <stdlib.h>

#include "evaluation/scores.h"
#include "output/result.h"

#define RESAMPLES 10000
#define TAIL 0.025

/* SplitMix64 (Steele, Lea and Flood 2014). */
static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static size_t random_below(uint64_t *state, size_t limit)
{
    return (size_t)((unsigned __int128)next_random(state) * limit >> 64);
}

static int compare_numbers(const void *a, const void *b)
{
    const double one = *(const double *)a, two = *(const double *)b;
    return one < two ? -1 : one > two;
}

/* Linear between the ordered values, as numpy.percentile. */
static double quantile(const double *sorted, size_t count, double share)
{
    const double place = share * (double)(count - 1);
    const size_t below = (size_t)place;
    const double rest = place - (double)below;
    return below + 1 < count ? sorted[below] + rest * (sorted[below + 1] - sorted[below])
                             : sorted[below];
}

static void fill(const double *values, size_t count, uint64_t seed, double *room, allin1_mean *out)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += values[i];
    out->mean = sum / (double)count;
    for (size_t r = 0; r < RESAMPLES; r++) {
        room[r] = 0;
        for (size_t i = 0; i < count; i++)
            room[r] += values[random_below(&seed, count)];
        room[r] /= (double)count;
    }
    qsort(room, RESAMPLES, sizeof *room, compare_numbers);
    out->low = quantile(room, RESAMPLES, TAIL);
    out->high = quantile(room, RESAMPLES, 1 - TAIL);
}

allin1_status allin1_mean_scores(const allin1_scores *songs, size_t count, uint64_t seed,
                                 allin1_mean means[ALLIN1_MEASURES], allin1_error *error)
{
    a1_error err = {0};
    double *values = malloc((count + 1 + RESAMPLES) * sizeof *values);
    if (!values)
        return a1_public_error(error, &err, a1_fail_memory(&err, "an evaluation"));
    for (size_t m = 0; m < ALLIN1_MEASURES; m++) {
        means[m] = (allin1_mean){0, NAN, NAN, NAN};
        for (size_t i = 0; i < count; i++)
            if (!isnan(songs[i].values[m]))
                values[means[m].count++] = songs[i].values[m];
        if (means[m].count > 0)
            fill(values, means[m].count, seed, values + count + 1, &means[m]);
    }
    free(values);
    return a1_public_error(error, &err, ALLIN1_OK);
}
