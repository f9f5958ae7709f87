#include "guard.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "requirements.h"

#define SPEC_PART (10 * A1_SAMPLE_RATE) /* samples that are compared, from the middle of the song */

/* Absolute differences of two spectrograms. */
typedef struct difference {
    double mean, max;
    bool finite;
} difference;

static difference compare(const float *a, const float *b, size_t count)
{
    double sum = 0, max = 0;
    for (size_t i = 0; i < count; i++) {
        const double d = fabs((double)a[i] - (double)b[i]);
        sum += d;
        max = d > max || !isfinite(d) ? d : max;
    }
    return (difference){sum / (double)count, max, isfinite(sum)};
}

static void put_figures(allin1_span *span, const difference *d, bool breach)
{
    span->checked = 1;
    span->breach = breach;
    span->difference_mean = d->mean;
    span->difference_max = d->max;
}

/* The spectrogram of stems from sample `first` on, to be freed with a1_aligned_free. */
static allin1_status transform(const a1_analysis *a, const a1_spectrogram *plan,
                               float *const stems[A1_STEMS][2], size_t first, size_t samples,
                               float **out, a1_error *err)
{
    const float *part[A1_STEMS][2];
    for (size_t i = 0; i < 2 * A1_STEMS; i++)
        part[i / 2][i % 2] = stems[i / 2][i % 2] + first;
    *out = a1_aligned_alloc(A1_STEMS * a1_spectrogram_frames(samples) * A1_SPEC_BANDS *
                            sizeof(float));
    if (!*out)
        return a1_fail_memory(err, "a check of the spectrogram");
    return a1_spectrogram_stems(plan, a->context->pool, (const float *const(*)[2])part, samples,
                                a->context->settings.quantise_stems, *out, err);
}

/* What follows from the settings follows from others now. */
static allin1_status fall_back(a1_analysis *a, const char *reason, const char *used, a1_error *err)
{
    a1_log(a->context, ALLIN1_LOG_WARNING, "%s: %s; %s is used from here on", a->track, reason,
           used);
    A1_TRY(a1_requirements_check(a->context, err));
    return a1_keys_again(a->context, a->path, &a->request, &a->keys, err);
}

/* Spectrogram ------------------------------------------------------------------------------------ */

static allin1_status check_spectrogram(a1_analysis *a, a1_spectrogram *reference, difference *found,
                                       a1_error *err)
{
    /* Without a demixer the mix takes the place of the stems. */
    float *const mix[A1_STEMS][2] = {{(float *)a->mix[0], (float *)a->mix[1]},
                                     {(float *)a->mix[0], (float *)a->mix[1]},
                                     {(float *)a->mix[0], (float *)a->mix[1]},
                                     {(float *)a->mix[0], (float *)a->mix[1]}};
    const bool stems = a->stems.samples > 0;
    float *const(*from)[2] = stems ? (float *const(*)[2])a->stems.channel : mix;
    const size_t whole = stems ? a->stems.samples : a->samples;
    const size_t samples = whole < SPEC_PART ? whole : SPEC_PART;
    const size_t first = (whole - samples) / 2;
    const size_t values = A1_STEMS * a1_spectrogram_frames(samples) * A1_SPEC_BANDS;
    float *fast = NULL, *slow = NULL;
    allin1_status status;
    A1_CHECK(transform(a, a->context->spectrogram, from, first, samples, &fast, err));
    A1_CHECK(transform(a, reference, from, first, samples, &slow, err));
    *found = compare(fast, slow, values);

done:
    a1_aligned_free(fast);
    a1_aligned_free(slow);
    return status;
}

allin1_status a1_guard_spectrogram(a1_analysis *a, a1_error *err)
{
    allin1_context *context = a->context;
    const allin1_settings *settings = &context->settings;
    if (!(settings->spec_check || settings->spec_guard) || context->spec_checked ||
        a1_spectrogram_backend_used(context->spectrogram) != A1_SPEC_FAST ||
        (a->stems.samples == 0 && a->samples == 0))
        return ALLIN1_OK;
    context->spec_checked = true;
    const unsigned depth = context->recorder.depth;
    allin1_span *span = a1_span_begin(&context->recorder, ALLIN1_STAGE_SPEC_CHECK);
    span->backend_requested = allin1_spec_backend_string(settings->spec_backend);
    span->backend = allin1_spec_backend_string(ALLIN1_SPEC_FAST);
    a1_spectrogram *reference = NULL;
    difference d;
    allin1_status status;
    A1_CHECK(a1_spectrogram_create(&reference, A1_SPEC_REFERENCE, &context->cpu, err));
    A1_CHECK(check_spectrogram(a, reference, &d, err));
    const bool breach = !d.finite || d.mean > settings->spec_guard_mean ||
                        d.max > settings->spec_guard_max;
    put_figures(span, &d, breach);
    a1_log(context, ALLIN1_LOG_INFO,
           "spectrogram: fast differs from reference by %.3g in the mean, %.3g at most", d.mean,
           d.max);
    if (breach && settings->spec_guard) {
        snprintf(context->spec_fallback, sizeof context->spec_fallback,
                 "the fast spectrogram differs from reference by %.3g in the mean and %.3g at most "
                 "(allowed: %.3g and %.3g)",
                 d.mean, d.max, settings->spec_guard_mean, settings->spec_guard_max);
        a1_spectrogram_destroy(&context->spectrogram);
        context->spectrogram = reference;
        reference = NULL;
        A1_CHECK(fall_back(a, context->spec_fallback, "reference", err));
    }
    a1_span_end(&context->recorder);

done:
    a1_spectrogram_destroy(&reference);
    a1_spans_unwind(&context->recorder, depth);
    return status;
}

/* Precision -------------------------------------------------------------------------------------- */

/* Where the loudest segment of the song begins. */
static size_t loudest_segment(const a1_analysis *a, size_t samples)
{
    size_t best = 0;
    double most = -1;
    for (size_t first = 0; first + samples <= a->samples; first += samples) {
        double energy = 0;
        for (size_t i = first; i < first + samples; i++)
            energy += (double)a->mix[0][i] * (double)a->mix[0][i] +
                      (double)a->mix[1][i] * (double)a->mix[1][i];
        if (energy > most) {
            most = energy;
            best = first;
        }
    }
    return best;
}

static allin1_status separate(const a1_analysis *a, const a1_htdemucs *model, size_t first,
                              a1_stems *stems, a1_error *err)
{
    const float *const mix[2] = {a->mix[0] + first, a->mix[1] + first};
    const a1_demix_settings settings = {0};
    return a1_demix_track(model, a->context->pool, &settings, mix, stems->samples, stems->channel,
                          NULL, NULL, err);
}

/* Decibels of the wanted over the unwanted, for the stem where they are the fewest; a silent stem that
 * stays silent has none. */
static double lowest_snr(const a1_stems *used, const a1_stems *exact)
{
    double lowest = INFINITY;
    for (size_t s = 0; s < A1_STEMS; s++) {
        double signal = 0, error = 0;
        for (size_t c = 0; c < 2; c++) {
            for (size_t i = 0; i < exact->samples; i++) {
                const double x = (double)exact->channel[s][c][i];
                const double d = (double)used->channel[s][c][i] - x;
                signal += x * x;
                error += d * d;
            }
        }
        if (error > 0)
            lowest = fmin(lowest, 10 * log10(signal / error));
    }
    return lowest;
}

static allin1_status check_precision(a1_analysis *a, const a1_htdemucs *exact, difference *found,
                                     double *snr, a1_error *err)
{
    const size_t samples = a->samples < A1_DEMIX_SEGMENT ? a->samples : A1_DEMIX_SEGMENT;
    const size_t first = loudest_segment(a, samples);
    a1_stems stems[2] = {0};
    float *spectra[2] = {NULL, NULL};
    allin1_status status = ALLIN1_OK;
    for (int i = 0; i < 2; i++) {
        A1_CHECK(a1_stems_create(&stems[i], samples, err));
        A1_CHECK(separate(a, i ? exact : a->context->demixer, first, &stems[i], err));
        A1_CHECK(transform(a, a->context->spectrogram, stems[i].channel, 0, samples, &spectra[i],
                           err));
    }
    *snr = lowest_snr(&stems[0], &stems[1]);
    *found = compare(spectra[0], spectra[1],
                     A1_STEMS * a1_spectrogram_frames(samples) * A1_SPEC_BANDS);

done:
    for (int i = 0; i < 2; i++) {
        a1_stems_free(&stems[i]);
        a1_aligned_free(spectra[i]);
    }
    return status;
}

allin1_status a1_guard_precision(a1_analysis *a, a1_error *err)
{
    allin1_context *context = a->context;
    const allin1_settings *settings = &context->settings;
    if (!settings->precision_check || context->precision_checked ||
        a1_htdemucs_precision(context->demixer) == A1_DEMIX_FP32)
        return ALLIN1_OK;
    context->precision_checked = true;
    A1_TRY(a1_context_plan_spectrogram(context, err));
    const unsigned depth = context->recorder.depth;
    const char *used = a1_context_precision_used(context);
    allin1_span *span = a1_span_begin(&context->recorder, ALLIN1_STAGE_PRECISION_CHECK);
    span->precision_requested = allin1_precision_string(settings->precision);
    span->precision = used;
    a1_htdemucs *exact = NULL;
    a1_loaded_model exact_files = {0};
    difference d;
    double snr;
    allin1_status status;
    A1_CHECK(a1_context_build_exact_demixer(context, &exact, &exact_files, err));
    A1_CHECK(check_precision(a, exact, &d, &snr, err));
    const bool breach = !d.finite || d.mean > settings->precision_check_mean;
    put_figures(span, &d, breach);
    span->snr = snr;
    a1_log(context, ALLIN1_LOG_INFO,
           "precision: the spectrogram of %s differs from that of fp32 by %.3g in the mean, %.3g at "
           "most; the stems' lowest SNR is %.1f dB",
           used, d.mean, d.max, snr);
    if (breach) {
        snprintf(context->precision_fallback, sizeof context->precision_fallback,
                 "the spectrogram of %s differs from that of fp32 by %.3g in the mean (allowed: "
                 "%.3g), the stems' lowest SNR is %.1f dB",
                 used, d.mean, settings->precision_check_mean, snr);
        a1_context_take_demixer(context, &exact, &exact_files);
        A1_CHECK(fall_back(a, context->precision_fallback, "fp32", err));
    }
    a1_span_end(&context->recorder);

done:
    a1_htdemucs_destroy(&exact);
    a1_loaded_model_free(&exact_files);
    a1_spans_unwind(&context->recorder, depth);
    return status;
}
