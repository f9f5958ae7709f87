#include <math.h>
#include <stdlib.h>

#include "metrical/bar_model.h"

allin1_status a1_beat_frames_create(unsigned **beat_frames, const a1_beat_space *space,
                                    double lambda, a1_error *err)
{
    unsigned *frames = calloc(space->beats * space->interval_count, sizeof *frames);
    *beat_frames = frames;
    if (!frames)
        return a1_fail_memory(err, "the observation ranges");
    const double border = 1.0 / lambda;
    for (size_t beat = 0; beat < space->beats; beat++) {
        for (size_t j = 0; j < space->interval_count; j++) {
            /* The position in the bar goes through the rounding of beat + fraction and back, as in
             * the reference: where interval / lambda is whole, this decides about one frame. */
            const double step = 1.0 / (double)space->intervals[j];
            unsigned count = 0;
            while (count < space->intervals[j] &&
                   fmod((double)count * step + (double)beat, 1.0) < border)
                count++;
            frames[beat * space->interval_count + j] = count;
        }
    }
    return ALLIN1_OK;
}

static double log_density(float density)
{
    return density > 0 ? (double)(float)log((double)density) : -INFINITY;
}

void a1_log_densities(const float *activations, size_t frames, double lambda, double *none,
                      double *beat, double *downbeat)
{
    const float parts = (float)(lambda - 1.0);
    for (size_t t = 0; t < frames; t++) {
        const float *now = activations + 2 * t;
        none[t] = log_density((1.0f - (now[0] + now[1])) / parts);
        beat[t] = log_density(now[0]);
        downbeat[t] = log_density(now[1]);
    }
}
