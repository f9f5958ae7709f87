#include "metrical/exact_sums.h"

#include <math.h>
#include <stdbool.h>

static size_t cell_count(size_t frames, size_t ahead)
{
    return (frames + ahead) / A1_EXACT_CELL + 1;
}

size_t a1_exact_sums_cost(size_t frames, size_t ahead)
{
    return a1_arena_cost(cell_count(frames, ahead) * sizeof(double)) +
           A1_DENSITIES * a1_arena_cost((ahead + 1) * sizeof(double));
}

/* Up to which magnitude doubles have the last bit of the float32 `density`: 2^53 times that bit,
 * which is at least density / 2^24. 0 for what is no such number. */
static double limit_of(double density)
{
    if (density == 0)
        return INFINITY;
    if (!(density < 0) || isinf(density) || (double)(float)density != density)
        return 0;
    return -density * 0x1p29;
}

void a1_exact_sums_create(a1_exact_sums *sums, const a1_densities *densities, size_t frames,
                          size_t ahead, a1_arena *scratch)
{
    const size_t cells = cell_count(frames, ahead);
    bool rising = false;
    sums->densities = densities;
    sums->ahead = ahead;
    sums->limits = a1_arena_alloc(scratch, cells * sizeof(double));
    for (size_t c = 0; c < A1_DENSITIES; c++)
        sums->column[c] = a1_arena_alloc(scratch, (ahead + 1) * sizeof(double));
    for (size_t cell = 0; cell < cells; cell++) {
        const size_t first = cell * A1_EXACT_CELL;
        double limit = INFINITY;
        for (size_t t = first; t < first + A1_EXACT_CELL && t < frames; t++) {
            for (size_t c = 0; c < A1_DENSITIES; c++) {
                const double density = densities->column[c][t], own = limit_of(density);
                limit = own < limit ? own : limit;
                rising |= density > 0;
            }
        }
        sums->limits[cell] = limit;
    }
    /* A value could be positive later: what is said above holds below 0. */
    for (size_t cell = 0; rising && cell < cells; cell++)
        sums->limits[cell] = 0;
}

double a1_exact_sums_at(a1_exact_sums *sums, size_t t)
{
    double limit = INFINITY;
    for (size_t cell = t / A1_EXACT_CELL; cell <= (t + sums->ahead - 1) / A1_EXACT_CELL; cell++)
        limit = sums->limits[cell] < limit ? sums->limits[cell] : limit;
    if (limit == 0)
        return 0;
    const double *none = sums->densities->column[A1_DENSITY_NONE] + t;
    const double *beat = sums->densities->column[A1_DENSITY_BEAT] + t;
    const double *downbeat = sums->densities->column[A1_DENSITY_DOWNBEAT] + t;
    double now[A1_DENSITIES] = {0};
    for (size_t k = 0; k <= sums->ahead; k++) {
        sums->column[A1_DENSITY_NONE][k] = now[A1_DENSITY_NONE];
        sums->column[A1_DENSITY_BEAT][k] = now[A1_DENSITY_BEAT];
        sums->column[A1_DENSITY_DOWNBEAT][k] = now[A1_DENSITY_DOWNBEAT];
        if (k == sums->ahead)
            break;
        now[A1_DENSITY_NONE] += none[k];
        now[A1_DENSITY_BEAT] += beat[k];
        now[A1_DENSITY_DOWNBEAT] += downbeat[k];
    }
    for (size_t c = 0; c < A1_DENSITIES; c++)
        if (!(now[c] > -limit))
            return 0;
    return limit;
}
