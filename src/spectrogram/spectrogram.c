#include "spectrogram/spectrogram.h"

#include <math.h>
#include <stdlib.h>

#include "base/arena.h"
#include "spectrogram/plan.h"

/* Parts of a channel whose peaks are found side by side. */
#define PEAK_PARTS 16

allin1_status a1_spectrogram_create(a1_spectrogram **out, a1_spectrogram_backend backend,
                                    const a1_cpu *cpu, a1_error *err)
{
    allin1_status status = ALLIN1_OK;
    *out = NULL;
    if (backend != A1_SPEC_AUTO && backend != A1_SPEC_REFERENCE && backend != A1_SPEC_FAST)
        return a1_fail(err, ALLIN1_ERROR_ARGUMENT, "there is no spectrogram backend %d",
                       (int)backend);
    a1_spectrogram *plan = calloc(1, sizeof *plan);
    if (!plan)
        return a1_fail_memory(err, "the spectrogram's tables");
    /* Angles from the middle, as numpy counts them: both halves get the same bits. */
    const int last = A1_SPEC_WINDOW - 1;
    for (int i = 0; i <= last; i++)
        plan->window[i] = 0.5 + 0.5 * cos(3.14159265358979323846 * (2 * i - last) / last);
    A1_CHECK(a1_filterbank_design(&plan->filterbank, err));
    plan->dense = malloc(sizeof *plan->dense * A1_SPEC_BINS * A1_SPEC_BANDS);
    if (!plan->dense) {
        status = a1_fail_memory(err, "the spectrogram's filterbank");
        goto done;
    }
    a1_filterbank_dense(&plan->filterbank, plan->dense);
    plan->kind = backend == A1_SPEC_REFERENCE ? A1_SPEC_REFERENCE : A1_SPEC_FAST;
    if (plan->kind == A1_SPEC_REFERENCE)
        A1_CHECK(a1_spec_reference_init(plan, err));
    else
        A1_CHECK(a1_spec_fast_init(plan, cpu, err));
done:
    if (status == ALLIN1_OK)
        *out = plan;
    else
        a1_spectrogram_destroy(&plan);
    return status;
}

void a1_spectrogram_destroy(a1_spectrogram **slot)
{
    a1_spectrogram *plan = *slot;
    if (!plan)
        return;
    a1_fft64_destroy(&plan->fft64);
    a1_rfft_destroy(&plan->fft);
    a1_aligned_free(plan->windows);
    free(plan->dense);
    free(plan);
    *slot = NULL;
}

a1_spectrogram_backend a1_spectrogram_backend_used(const a1_spectrogram *plan)
{
    return plan->kind;
}

size_t a1_spectrogram_frames(size_t samples)
{
    return samples / A1_SPEC_HOP + (samples % A1_SPEC_HOP != 0);
}

const double *a1_spectrogram_window(const a1_spectrogram *plan)
{
    return plan->window;
}

const float *a1_spectrogram_filterbank(const a1_spectrogram *plan)
{
    return plan->dense;
}

typedef struct spectrogram_job {
    const a1_spectrogram *plan;
    const a1_spec_signal *signals; /* one behind the other in tasks and in `out` */
    size_t frames;                 /* of each signal */
    size_t blocks;                 /* of each signal */
    float *scratch;                /* of all workers */
    float *out;
} spectrogram_job;

static void run_block(void *argument, size_t index, unsigned worker)
{
    const spectrogram_job *job = argument;
    const size_t signal = index / job->blocks;
    const size_t first = index % job->blocks * A1_SPEC_BLOCK, left = job->frames - first;
    float *out = job->out + (signal * job->frames + first) * A1_SPEC_BANDS;
    job->plan->backend.block(job->plan, &job->signals[signal], first,
                             left < A1_SPEC_BLOCK ? left : A1_SPEC_BLOCK, out,
                             job->scratch + worker * job->plan->scratch);
}

static allin1_status transform(const a1_spectrogram *plan, a1_pool *pool,
                               const a1_spec_signal *signals, size_t count, float *out,
                               a1_error *err)
{
    const size_t frames = a1_spectrogram_frames(signals[0].samples);
    spectrogram_job job = {
        .plan = plan,
        .signals = signals,
        .frames = frames,
        .blocks = (frames + A1_SPEC_BLOCK - 1) / A1_SPEC_BLOCK,
        .out = out,
    };
    job.scratch = a1_aligned_alloc(a1_pool_threads(pool) * plan->scratch * sizeof *job.scratch);
    if (!job.scratch)
        return a1_fail_memory(err, "the spectrogram's working space");
    a1_pool_run(pool, count * job.blocks, run_block, &job);
    a1_aligned_free(job.scratch);
    return ALLIN1_OK;
}

allin1_status a1_spectrogram_mono(const a1_spectrogram *plan, a1_pool *pool, const float *mono,
                                  size_t samples, float *out, a1_error *err)
{
    if (samples == 0)
        return ALLIN1_OK;
    const a1_spec_signal signal = {.left = mono, .samples = samples, .divisor = 1.0};
    return transform(plan, pool, &signal, 1, out, err);
}

typedef struct peak_job {
    const a1_spectrogram *plan;
    const float *channels[2 * A1_STEMS];
    size_t samples;
    float peaks[2 * A1_STEMS][PEAK_PARTS];
} peak_job;

static void find_peak(void *argument, size_t index, unsigned worker)
{
    (void)worker;
    peak_job *job = argument;
    const size_t channel = index / PEAK_PARTS, part = index % PEAK_PARTS;
    /* samples / PEAK_PARTS in each part, and one more in the first ones. */
    const size_t each = job->samples / PEAK_PARTS, longer = job->samples % PEAK_PARTS;
    const size_t start = part * each + (part < longer ? part : longer);
    job->peaks[channel][part] =
        job->plan->backend.peak(job->channels[channel] + start, each + (part < longer));
}

/* What the two channels of a stem are divided by. */
static double stereo_divisor(const peak_job *job, size_t stem)
{
    float peak = 0.0f;
    for (size_t part = 0; part < 2 * PEAK_PARTS; part++)
        peak = fmaxf(peak, job->peaks[2 * stem + part / PEAK_PARTS][part % PEAK_PARTS]);
    return fmax(1.01 * (double)peak, 1.0);
}

allin1_status a1_spectrogram_stems(const a1_spectrogram *plan, a1_pool *pool,
                                   const float *const stems[A1_STEMS][2], size_t samples,
                                   int quantise, float *out, a1_error *err)
{
    if (samples == 0)
        return ALLIN1_OK;
    peak_job peaks = {.plan = plan, .samples = samples};
    for (size_t c = 0; c < 2 * A1_STEMS; c++)
        peaks.channels[c] = stems[c / 2][c % 2];
    a1_pool_run(pool, 2 * A1_STEMS * PEAK_PARTS, find_peak, &peaks);

    a1_spec_signal signals[A1_STEMS];
    for (size_t s = 0; s < A1_STEMS; s++)
        signals[s] = (a1_spec_signal){
            .left = stems[s][0],
            .right = stems[s][1],
            .samples = samples,
            .divisor = stereo_divisor(&peaks, s),
            .quantise = quantise,
        };
    return transform(plan, pool, signals, A1_STEMS, out, err);
}

allin1_status a1_spectrogram_mix(const a1_spectrogram *plan, a1_pool *pool,
                                 const float *const mix[2], size_t samples, size_t views,
                                 float *out, a1_error *err)
{
    if (samples == 0)
        return ALLIN1_OK;
    peak_job peaks = {.plan = plan, .channels = {mix[0], mix[1]}, .samples = samples};
    a1_pool_run(pool, 2 * PEAK_PARTS, find_peak, &peaks);
    const double divisor = stereo_divisor(&peaks, 0);
    const a1_spec_signal signals[A1_MIX_VIEWS] = {
        {.left = mix[0], .right = mix[1], .samples = samples, .divisor = divisor},
        {.left = mix[0], .samples = samples, .divisor = divisor},
        {.left = mix[1], .samples = samples, .divisor = divisor},
    };
    return transform(plan, pool, signals, views, out, err);
}
