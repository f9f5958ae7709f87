#include "student/level.h"

#include <math.h>
#include <stdlib.h>

#include "student/student.h"

#define LOUD_SHARE 10 /* one frame in so many is as loud as the level, or louder */
#define LARGEST_GAIN 100.0f
#define TASK 256 /* frames */
#define LN10 ((float)M_LN10)

static int rising(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static float magnitude(float value)
{
    return expm1f(value * LN10);
}

allin1_status a1_student_gain(const float *spectrogram, size_t frames, float *gain, a1_error *err)
{
    float *loudest = malloc(frames * sizeof *loudest);
    if (!loudest)
        return a1_fail_memory(err, "the student");
    for (size_t t = 0; t < frames; t++) {
        const float *bands = spectrogram + t * A1_STUDENT_BANDS;
        float most = bands[0];
        for (size_t i = 1; i < A1_STUDENT_BANDS; i++)
            most = bands[i] > most ? bands[i] : most;
        loudest[t] = most;
    }
    qsort(loudest, frames, sizeof *loudest, rising);
    const float level = loudest[frames - 1 - (frames - 1) / LOUD_SHARE];
    free(loudest);
    *gain = 1;
    if (level > 0 && level < A1_STUDENT_QUIET) {
        const float wanted = magnitude(A1_STUDENT_QUIET), there = magnitude(level);
        *gain = there * LARGEST_GAIN > wanted ? wanted / there : LARGEST_GAIN;
    }
    return ALLIN1_OK;
}

typedef struct raising {
    const float *spectrogram;
    float *out;
    size_t frames;
    float gain;
} raising;

static void raise_frames(void *argument, size_t index, unsigned worker)
{
    (void)worker;
    const raising *r = argument;
    const size_t first = index * TASK;
    const size_t count = r->frames - first < TASK ? r->frames - first : TASK;
    const float *in = r->spectrogram + first * A1_STUDENT_BANDS;
    float *out = r->out + first * A1_STUDENT_BANDS;
    for (size_t i = 0; i < count * A1_STUDENT_BANDS; i++)
        out[i] = log1pf(r->gain * magnitude(in[i])) / LN10;
}

void a1_student_raise(a1_pool *pool, const float *spectrogram, size_t frames, float gain, float *out)
{
    raising r = {spectrogram, out, frames, gain};
    a1_pool_run(pool, (frames + TASK - 1) / TASK, raise_frames, &r);
}
