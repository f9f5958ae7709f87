#include "cheap_stems/cheap_stems.h"

#include <math.h>

#include "base/arena.h"
#include "cheap_stems/sliding_median.h"

#define BANDS A1_CHEAP_BANDS
#define BLOCK 256 /* frames of a task */

/* 0.21 s along time, longer than a drum's stroke; an octave along the bands, wider than a partial. */
#define TIME_HALF 10
#define BAND_HALF 6
#define HALO TIME_HALF

/* Bands are one bin of the transform, 21.5 Hz, apart up to the 15th: the bass is whole up to 190 Hz and
 * gone at 320 Hz. The voice lies above that and below 10 kHz. */
#define BASS_WHOLE 7
#define BASS_GONE 13
#define VOICE_END 73
/* Of what both channels share, the part that goes to the voice. */
#define VOICE_SHARE 0.7f

typedef struct scratch {
    float middle[(BLOCK + 2 * HALO) * BANDS]; /* log values, with the neighbours that the median needs */
    float harmonic[BLOCK * BANDS];
    float percussive[BANDS];
} scratch;

typedef struct job {
    const float *views;
    size_t frames;
    float *out;
    scratch *workers;
} job;

static float bass_part(size_t band)
{
    if (band <= BASS_WHOLE)
        return 1.0f;
    return band >= BASS_GONE ? 0.0f
                             : (float)(BASS_GONE - band) / (float)(BASS_GONE - BASS_WHOLE);
}

/* 10^x - 1; nothing for what is not a number. */
static float magnitude(float x)
{
    return isfinite(x) ? expm1f(x * 2.30258509299404568402f) : 0.0f;
}

static float logarithm(float x)
{
    return log1pf(x > 0 ? x : 0) * 0.43429448190325182765f;
}

static float square(float x)
{
    return x * x;
}

/* How much of this band both channels share: 1 in the middle, 0 on one side. */
static float shared(float left, float right)
{
    const float sum = left + right;
    return sum > 0 ? 1.0f - fabsf(left - right) / sum : 1.0f;
}

static void split_frame(const job *j, size_t frame, const float *middle, const float *harmonic,
                        const float *percussive)
{
    const size_t view = j->frames * BANDS;
    for (size_t b = 0; b < BANDS; b++) {
        const size_t at = frame * BANDS + b;
        const float mix = magnitude(middle[b]);
        const float h = square(magnitude(harmonic[b])), p = square(magnitude(percussive[b]));
        const float drums = h + p > 0 ? mix * (p / (h + p)) : 0.0f;
        const float harmony = mix - drums, bass = harmony * bass_part(b), rest = harmony - bass;
        const float common = shared(magnitude(j->views[view + at]), magnitude(j->views[2 * view + at]));
        const float voice = b < VOICE_END ? rest * VOICE_SHARE * square(common) : 0.0f;
        j->out[at] = logarithm(bass);
        j->out[view + at] = logarithm(drums);
        j->out[2 * view + at] = logarithm(rest - voice);
        j->out[3 * view + at] = logarithm(voice);
    }
}

static void split_block(void *argument, size_t index, unsigned worker)
{
    const job *j = argument;
    scratch *s = &j->workers[worker];
    const size_t first = index * BLOCK, left = j->frames - first;
    const size_t count = left < BLOCK ? left : BLOCK;
    const size_t before = first < HALO ? first : HALO;
    const size_t after = left - count < HALO ? left - count : HALO;
    const size_t rows = before + count + after;
    for (size_t i = 0; i < rows * BANDS; i++) {
        const float value = j->views[(first - before) * BANDS + i];
        s->middle[i] = isfinite(value) ? value : 0.0f;
    }
    for (size_t b = 0; b < BANDS; b++)
        a1_sliding_median(s->middle + b, BANDS, rows, before, count, TIME_HALF, s->harmonic + b,
                          BANDS);
    for (size_t t = 0; t < count; t++) {
        const float *middle = s->middle + (before + t) * BANDS;
        a1_sliding_median(middle, 1, BANDS, 0, BANDS, BAND_HALF, s->percussive, 1);
        split_frame(j, first + t, middle, s->harmonic + t * BANDS, s->percussive);
    }
}

allin1_status a1_cheap_stems(a1_pool *pool, const float *views, size_t frames, float *out,
                             a1_error *err)
{
    job j = {.views = views, .frames = frames, .out = out};
    j.workers = a1_aligned_alloc(a1_pool_threads(pool) * sizeof *j.workers);
    if (!j.workers)
        return a1_fail_memory(err, "the cheap stems");
    a1_pool_run(pool, (frames + BLOCK - 1) / BLOCK, split_block, &j);
    a1_aligned_free(j.workers);
    return ALLIN1_OK;
}
