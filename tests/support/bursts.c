#include "support/bursts.h"

#include <math.h>
#include <stdlib.h>

#include "support/golden.h"

#define FIRST 0.1
#define EVERY 0.25
#define REACH 256 /* samples at 44.1 kHz on each side of a burst: 5.8 bells */
#define FARTHEST 1500
#define TWO_PI 6.283185307179586

double test_burst_at(double seconds)
{
    const double nearest = FIRST + EVERY * round((seconds - FIRST) / EVERY);
    const double away = nearest < FIRST ? seconds - FIRST : seconds - nearest;
    if (fabs(away) > 0.01)
        return 0;
    return 0.5 * cos(TWO_PI * 2000 * away) * exp(-0.5 * away * away / (0.001 * 0.001));
}

float *test_bursts(size_t samples, int rate, double scale)
{
    float *values = malloc((samples ? samples : 1) * sizeof *values);
    assert_non_null(values);
    for (size_t i = 0; i < samples; i++)
        values[i] = (float)(scale * test_burst_at((double)i / rate));
    return values;
}

int test_burst_lag(const float *samples, size_t count, double *similarity)
{
    /* Bursts start on whole samples at 44.1 kHz, so one shape serves for all. */
    double shape[2 * REACH + 1], shape_energy = 0;
    for (int i = -REACH; i <= REACH; i++) {
        shape[i + REACH] = test_burst_at(FIRST + i / 44100.0);
        shape_energy += shape[i + REACH] * shape[i + REACH];
    }
    int best = 0;
    *similarity = -1;
    for (int lag = -FARTHEST; lag <= FARTHEST; lag++) {
        double product = 0, energy = 0, expected_energy = 0;
        for (int burst = 0; FIRST + EVERY * burst < (double)count / 44100; burst++) {
            const long centre = lround((FIRST + EVERY * burst) * 44100);
            if (centre - REACH - FARTHEST < 0 || centre + REACH + FARTHEST >= (long)count)
                continue;
            const float *at = samples + centre + lag;
            for (int i = -REACH; i <= REACH; i++) {
                product += shape[i + REACH] * (double)at[i];
                energy += (double)at[i] * (double)at[i];
            }
            expected_energy += shape_energy;
        }
        const double correlation = product / sqrt(energy * expected_energy + 1e-30);
        if (correlation > *similarity) {
            *similarity = correlation;
            best = lag;
        }
    }
    return best;
}
