/* The short-time Fourier transforms around the separator and its two normalisations.
 *
 * Frame j windows samples 1024 j - 1536 ... 1024 j + 2559, reflected at the edges of the segment; the
 * transform is divided by 64, the square root of its length. */
#include "demix/segment.h"

#include <math.h>
#include <string.h>

#define FRAME_BLOCK 16
#define FRAME_BLOCKS ((SPEC_FRAMES + FRAME_BLOCK - 1) / FRAME_BLOCK)
#define FRAME_OFFSET 1536
#define SPECTRUM_FLOATS (FFT_SIZE + 2)
#define SYNTHESIS_CHANNELS (A1_DEMIX_SOURCES * AUDIO_CHANNELS)
#define SAMPLE_BLOCK (FFT_HOP * 8)
#define SAMPLE_BLOCKS ((A1_DEMIX_SEGMENT + SAMPLE_BLOCK - 1) / SAMPLE_BLOCK)

typedef struct spectral_pass {
    segment_work *work;
    const float *const *mix;
    const map *frequency, *time;
    const segment_statistics *statistics;
    float *windowed; /* [8][frames][4096] */
    float *const (*stems)[2];
} spectral_pass;

static size_t reflect(long position)
{
    const long last = A1_DEMIX_SEGMENT - 1;
    if (position < 0)
        position = -position;
    return (size_t)(position > last ? 2 * last - position : position);
}

static void analyse_block(void *argument, size_t task, unsigned worker)
{
    const spectral_pass *pass = argument;
    const a1_htdemucs *model = pass->work->model;
    const size_t first = task * FRAME_BLOCK;
    const size_t frames = SPEC_FRAMES - first < FRAME_BLOCK ? SPEC_FRAMES - first : FRAME_BLOCK;
    float *spectra = pass->work->thread_scratch + worker * pass->work->thread_stride;
    float *windowed = spectra + FRAME_BLOCK * AUDIO_CHANNELS * SPECTRUM_FLOATS;
    float *scratch = windowed + FFT_SIZE;
    for (size_t f = 0; f < frames; f++) {
        const long start = (long)((first + f) * FFT_HOP) - FRAME_OFFSET;
        for (size_t c = 0; c < AUDIO_CHANNELS; c++) {
            const float *mix = pass->mix[c];
            if (start >= 0 && start + FFT_SIZE <= A1_DEMIX_SEGMENT) {
                for (size_t i = 0; i < FFT_SIZE; i++)
                    windowed[i] = mix[(size_t)start + i] * model->window[i];
            } else {
                for (size_t i = 0; i < FFT_SIZE; i++)
                    windowed[i] = mix[reflect(start + (long)i)] * model->window[i];
            }
            a1_rfft_forward(model->fft, windowed,
                            spectra + (f * AUDIO_CHANNELS + c) * SPECTRUM_FLOATS, scratch);
        }
    }
    a1_moments *moments = &pass->work->moments[task];
    *moments = (a1_moments){0, 0};
    for (size_t bin = 0; bin < SPEC_ROWS; bin++) {
        float *out = map_at(pass->frequency, bin, first);
        for (size_t f = 0; f < frames; f++) {
            const float *left = spectra + f * AUDIO_CHANNELS * SPECTRUM_FLOATS + 2 * bin;
            const float *right = left + SPECTRUM_FLOATS;
            out[4 * f] = left[0] * 0.015625f;
            out[4 * f + 1] = left[1] * 0.015625f;
            out[4 * f + 2] = right[0] * 0.015625f;
            out[4 * f + 3] = right[1] * 0.015625f;
        }
        model->layers->moments(out, 1, 4 * frames, 4 * frames, moments);
    }
}

static void standardise_rows(void *argument, size_t task, unsigned worker)
{
    (void)worker;
    const spectral_pass *pass = argument;
    const segment_statistics *s = &pass->statistics[0];
    for (size_t row = task * 64; row < (task + 1) * 64; row++) {
        float *at = map_at(pass->frequency, row, 0);
        pass->work->model->layers->standardise(at, 4 * SPEC_FRAMES, s->mean, 1e-5f + s->std, at);
    }
}

static void interleave_block(void *argument, size_t task, unsigned worker)
{
    (void)worker;
    const spectral_pass *pass = argument;
    const segment_statistics *s = &pass->statistics[1];
    const size_t first = task * SAMPLE_BLOCK;
    const size_t last =
        first + SAMPLE_BLOCK < A1_DEMIX_SEGMENT ? first + SAMPLE_BLOCK : A1_DEMIX_SEGMENT;
    const float divisor = 1e-5f + s->std;
    float *out = map_at(pass->time, 0, 0);
    for (size_t i = first; i < last; i++) {
        out[2 * i] = (pass->mix[0][i] - s->mean) / divisor;
        out[2 * i + 1] = (pass->mix[1][i] - s->mean) / divisor;
    }
}

/* Mean and unbiased deviation from sums over `count` values. */
static segment_statistics finish_statistics(const a1_moments *moments, size_t parts, size_t count)
{
    a1_moments total = {0, 0};
    for (size_t i = 0; i < parts; i++) {
        total.sum += moments[i].sum;
        total.square_sum += moments[i].square_sum;
    }
    const double n = (double)count, mean = total.sum / n;
    const double variance = fmax(total.square_sum - n * mean * mean, 0.0) / (n - 1.0);
    return (segment_statistics){(float)mean, (float)sqrt(variance)};
}

allin1_status spectral_analyse(segment_work *work, const float *const mix[2], map *frequency,
                               map *time, segment_statistics statistics[2], a1_error *err)
{
    *frequency = map_create(work, SPEC_ROWS, SPEC_FRAMES, 2 * AUDIO_CHANNELS, 0);
    *time = map_create(work, 1, A1_DEMIX_SEGMENT, AUDIO_CHANNELS, 0);
    if (!frequency->data || !time->data)
        return a1_fail_memory(err, "a segment of the separator");
    spectral_pass pass = {.work = work,
                          .mix = mix,
                          .frequency = frequency,
                          .time = time,
                          .statistics = statistics};
    a1_pool_run(work->pool, FRAME_BLOCKS, analyse_block, &pass);
    segment_note_map(work, "spec", frequency);
    statistics[0] = finish_statistics(work->moments, FRAME_BLOCKS,
                                      (size_t)SPEC_ROWS * SPEC_FRAMES * 2 * AUDIO_CHANNELS);
    a1_moments moments[2] = {{0, 0}, {0, 0}};
    for (size_t c = 0; c < AUDIO_CHANNELS; c++)
        work->model->layers->moments(mix[c], 1, A1_DEMIX_SEGMENT, A1_DEMIX_SEGMENT, &moments[c]);
    statistics[1] = finish_statistics(moments, 2, (size_t)A1_DEMIX_SEGMENT * AUDIO_CHANNELS);
    a1_pool_run(work->pool, SPEC_ROWS / 64, standardise_rows, &pass);
    a1_pool_run(work->pool, SAMPLE_BLOCKS, interleave_block, &pass);
    map_zero_pads(frequency);
    map_zero_pads(time);
    const float values[4] = {statistics[0].mean, statistics[0].std, statistics[1].mean,
                             statistics[1].std};
    segment_note(work, "norm_stats", 0, 0, 1, 4, values, 4);
    segment_note_map(work, "in_f", frequency);
    segment_note_map(work, "in_t", time);
    return ALLIN1_OK;
}

static void synthesise_block(void *argument, size_t task, unsigned worker)
{
    const spectral_pass *pass = argument;
    const a1_htdemucs *model = pass->work->model;
    const float mean = pass->statistics[0].mean, std = pass->statistics[0].std;
    const size_t first = task * FRAME_BLOCK;
    const size_t frames = SPEC_FRAMES - first < FRAME_BLOCK ? SPEC_FRAMES - first : FRAME_BLOCK;
    float *spectra = pass->work->thread_scratch + worker * pass->work->thread_stride;
    float *scratch = spectra + FRAME_BLOCK * SYNTHESIS_CHANNELS * SPECTRUM_FLOATS;
    for (size_t bin = 0; bin < SPEC_ROWS; bin++) {
        for (size_t f = 0; f < frames; f++) {
            const float *in = map_at(pass->frequency, bin, first + f);
            float *out = spectra + f * SYNTHESIS_CHANNELS * SPECTRUM_FLOATS + 2 * bin;
            for (size_t c = 0; c < SYNTHESIS_CHANNELS; c++) {
                out[c * SPECTRUM_FLOATS] = in[2 * c] * std + mean;
                out[c * SPECTRUM_FLOATS + 1] = in[2 * c + 1] * std + mean;
            }
        }
    }
    /* 64 undoes the division, 4096 normalises the inverse, and the squared windows of the four frames
     * over a sample add up to 1.5. */
    const float factor = 64.0f / ((float)FFT_SIZE * 1.5f);
    for (size_t f = 0; f < frames; f++) {
        for (size_t c = 0; c < SYNTHESIS_CHANNELS; c++) {
            float *spectrum = spectra + (f * SYNTHESIS_CHANNELS + c) * SPECTRUM_FLOATS;
            spectrum[FFT_SIZE] = spectrum[FFT_SIZE + 1] = 0.0f;
            float *out = pass->windowed + (c * SPEC_FRAMES + first + f) * FFT_SIZE;
            a1_rfft_inverse(model->fft, spectrum, out, scratch);
            for (size_t i = 0; i < FFT_SIZE; i++)
                out[i] = out[i] * (model->window[i] * factor);
        }
    }
}

/* Adds the four frames over each sample, in the order of the frames, and the time branch. */
static void overlap_block(void *argument, size_t task, unsigned worker)
{
    (void)worker;
    const spectral_pass *pass = argument;
    const float mean = pass->statistics[1].mean, std = pass->statistics[1].std;
    const size_t c = task % SYNTHESIS_CHANNELS, block = task / SYNTHESIS_CHANNELS;
    float *stem = pass->stems[c / AUDIO_CHANNELS][c % AUDIO_CHANNELS];
    const float *frames = pass->windowed + c * SPEC_FRAMES * FFT_SIZE;
    const size_t begin = block * SAMPLE_BLOCK;
    const size_t end =
        begin + SAMPLE_BLOCK < A1_DEMIX_SEGMENT ? begin + SAMPLE_BLOCK : A1_DEMIX_SEGMENT;
    for (size_t at = begin; at < end;) {
        /* Between two multiples of the hop the same frames cover every sample. */
        const size_t shifted = at + FRAME_OFFSET, newest = shifted / FFT_HOP;
        size_t next = (newest + 1) * FFT_HOP - FRAME_OFFSET;
        if (next > end)
            next = end;
        const float *time = map_at(pass->time, 0, at) + c;
        for (size_t i = at; i < next; i++)
            stem[i] = time[(i - at) * SYNTHESIS_CHANNELS] * std + mean;
        const size_t oldest = newest >= 3 ? newest - 3 : 0;
        for (size_t j = oldest; j <= newest && j < SPEC_FRAMES; j++) {
            const float *frame = frames + j * FFT_SIZE + (shifted - j * FFT_HOP);
            for (size_t i = at; i < next; i++)
                stem[i] += frame[i - at];
        }
        at = next;
    }
}

allin1_status spectral_synthesise(segment_work *work, const map *frequency, const map *time,
                                  const segment_statistics statistics[2],
                                  float *const stems[A1_DEMIX_SOURCES][2], a1_error *err)
{
    const size_t mark = a1_arena_mark(&work->arena);
    spectral_pass pass = {.work = work,
                          .frequency = frequency,
                          .time = time,
                          .statistics = statistics,
                          .stems = stems};
    pass.windowed =
        a1_arena_floats(&work->arena, (size_t)SYNTHESIS_CHANNELS * SPEC_FRAMES * FFT_SIZE);
    if (!pass.windowed)
        return a1_fail_memory(err, "the separator's output");
    a1_pool_run(work->pool, FRAME_BLOCKS, synthesise_block, &pass);
    a1_pool_run(work->pool, SAMPLE_BLOCKS * SYNTHESIS_CHANNELS, overlap_block, &pass);
    a1_arena_release(&work->arena, mark);
    return ALLIN1_OK;
}
