#include "plot/tempo_line.h"

#include <math.h>

/* Beats lie on frames of 10 ms: over fewer of them the line would show that grid. */
#define REACH 8

/* With the decimals of the result's file, so that the line is the same before and after. */
static double as_written(double value, double parts)
{
    return round(value * parts) / parts;
}

size_t a1_tempo_line_points(const allin1_result *result)
{
    if (result->tempo_curve_count > 0)
        return result->tempo_curve_count;
    return result->beat_count > 1 ? result->beat_count : 0;
}

void a1_tempo_line_point(const allin1_result *result, size_t index, double *time, double *bpm)
{
    if (result->tempo_curve_count > 0) {
        *time = as_written(result->tempo_curve_times[index], 100);
        *bpm = as_written(result->tempo_curve[index], 1000);
        return;
    }
    const size_t last = result->beat_count - 1;
    const size_t from = index > REACH ? index - REACH : 0;
    const size_t to = index + REACH < last ? index + REACH : last;
    const double seconds = result->beats[to] - result->beats[from];
    *time = result->beats[index];
    *bpm = seconds > 0 ? 60.0 * (double)(to - from) / seconds : 0;
}
