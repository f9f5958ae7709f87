#include "context.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/timer.h"
#include "beat_settings.h"
#include "output/result.h"
#include "requirements.h"

#define MAX_THREADS 1024
#define MAX_SHIFTS 1000

void allin1_settings_default(allin1_settings *settings)
{
    *settings = (allin1_settings){.model = A1_MODEL_AUTO,
                                  .transition_lambda = NAN,
                                  .spec_guard_mean = 1e-5,
                                  .spec_guard_max = 1e-3,
                                  .precision_check_mean = 0.005};
}

/* Known name of the right family, or a path; what a path holds is seen when it is loaded. */
static allin1_status check_model(const char *name, const char *family, a1_error *err)
{
    const char *files[A1_WEIGHTS_MAX_FILES];
    size_t count;
    A1_TRY(a1_weights_files(name, files, &count, err));
    const a1_model *model = a1_model_find(name);
    const bool student = strcmp(name, A1_MODEL_STUDENT) == 0 && strcmp(family, "harmonix") == 0;
    if (model && !student && strcmp(model->family, family) != 0)
        return a1_fail(err, ALLIN1_ERROR_ARGUMENT, "%s is a model of the family %s, not %s", name,
                       model->family, family);
    return ALLIN1_OK;
}

static allin1_status check_models(const allin1_settings *settings, a1_error *err)
{
    const bool automatic = strcmp(settings->model, A1_MODEL_AUTO) == 0;
    if (!(settings->refine >= 0 && settings->refine <= 1))
        return a1_fail(err, ALLIN1_ERROR_ARGUMENT,
                       "the confidence below which songs are refined must be 0 to 1, not %g",
                       settings->refine);
    if (!automatic)
        A1_TRY(check_model(settings->model, "harmonix", err));
    if (settings->refine_model) {
        A1_TRY(check_model(settings->refine_model, "harmonix", err));
        if (strcmp(settings->refine_model, A1_MODEL_STUDENT) == 0)
            return a1_fail(err, ALLIN1_ERROR_ARGUMENT, "a student does not refine a student");
    }
    const a1_model *known = a1_model_find(settings->model);
    if (settings->refine > 0 && known && strcmp(known->name, A1_MODEL_STUDENT) != 0)
        return a1_fail(err, ALLIN1_ERROR_ARGUMENT,
                       "to refine is for songs of which a student is unsure: it does not go with the "
                       "model %s",
                       settings->model);
    return !settings->demix_model || strcmp(settings->demix_model, A1_NO_DEMIXER) == 0
               ? ALLIN1_OK
               : check_model(settings->demix_model, "htdemucs", err);
}

static allin1_status check_settings(const allin1_settings *settings, a1_error *err)
{
    if (!settings->model)
        return a1_fail(err, ALLIN1_ERROR_ARGUMENT, "the settings name no model");
    if (settings->threads > MAX_THREADS)
        return a1_fail(err, ALLIN1_ERROR_ARGUMENT, "%u threads are more than %d",
                       settings->threads, MAX_THREADS);
    if (settings->demix_shifts > MAX_SHIFTS)
        return a1_fail(err, ALLIN1_ERROR_ARGUMENT, "%u shifts are more than %d",
                       settings->demix_shifts, MAX_SHIFTS);
    if (settings->spec_backend != ALLIN1_SPEC_AUTO &&
        settings->spec_backend != ALLIN1_SPEC_REFERENCE &&
        settings->spec_backend != ALLIN1_SPEC_FAST)
        return a1_fail(err, ALLIN1_ERROR_ARGUMENT, "there is no spectrogram backend %d",
                       (int)settings->spec_backend);
    if (settings->precision != ALLIN1_PRECISION_AUTO &&
        settings->precision != ALLIN1_PRECISION_FP32 &&
        settings->precision != ALLIN1_PRECISION_BF16 &&
        settings->precision != ALLIN1_PRECISION_MIXED)
        return a1_fail(err, ALLIN1_ERROR_ARGUMENT, "there is no precision %d",
                       (int)settings->precision);
    if (!(settings->unknown_threshold >= 0 && settings->unknown_threshold <= 1))
        return a1_fail(err, ALLIN1_ERROR_ARGUMENT,
                       "the threshold of unknown labels must be 0 to 1, not %g",
                       settings->unknown_threshold);
    a1_metrical_settings beats;
    A1_TRY(a1_beat_settings(settings, &beats, err));
    const double thresholds[] = {settings->spec_guard_mean, settings->spec_guard_max,
                                 settings->precision_check_mean};
    for (size_t i = 0; i < sizeof thresholds / sizeof *thresholds; i++)
        if (!(thresholds[i] >= 0))
            return a1_fail(err, ALLIN1_ERROR_ARGUMENT, "a guard's threshold is negative");
    return check_models(settings, err);
}

static allin1_status copy_settings(allin1_context *context, const allin1_settings *settings,
                                   a1_error *err)
{
    context->settings = *settings;
    const char **texts[] = {&context->settings.model, &context->settings.demix_model,
                            &context->settings.weights_dir, &context->settings.require,
                            &context->settings.refine_model};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (!*texts[i])
            continue;
        context->strings[i] = strdup(*texts[i]);
        if (!context->strings[i])
            return a1_fail_memory(err, "the settings");
        *texts[i] = context->strings[i];
    }
    context->demixer_named = settings->demix_model != NULL;
    if (!context->demixer_named)
        context->settings.demix_model = "htdemucs";
    return ALLIN1_OK;
}

static a1_demix_precision choose_precision(allin1_precision asked, const a1_cpu *cpu)
{
    static const a1_demix_precision precisions[] = {
        [ALLIN1_PRECISION_FP32] = A1_DEMIX_FP32,
        [ALLIN1_PRECISION_BF16] = A1_DEMIX_BF16,
        [ALLIN1_PRECISION_MIXED] = A1_DEMIX_MIXED,
    };
    return asked == ALLIN1_PRECISION_AUTO ? a1_demix_precision_auto(cpu) : precisions[asked];
}

static allin1_status open_context(allin1_context *context, const allin1_settings *settings,
                                  a1_error *err)
{
    const uint64_t opened_ns = a1_monotonic_ns(), opened_cpu_ns = a1_process_cpu_ns();
    const bool has_start = settings->started > 0 && settings->started * 1e9 < (double)opened_ns;
    const uint64_t started_ns = has_start ? (uint64_t)(settings->started * 1e9) : 0;
    A1_TRY(copy_settings(context, settings, err));
    A1_TRY(a1_beat_settings(settings, &context->beat_settings, err));
    A1_TRY(a1_requirements_parse(&context->required, context->settings.require, err));
    A1_TRY(a1_context_choose_model(context, err));
    A1_TRY(a1_cpu_select(&context->cpu, settings->cpu_level, err));
    context->demix_precision = choose_precision(settings->precision, &context->cpu);
    if (!a1_demix_precision_available(&context->cpu, context->demix_precision))
        return a1_fail(err, ALLIN1_ERROR_UNSUPPORTED,
                       "this processor cannot demix with the precision %s at its level %s",
                       allin1_precision_string(settings->precision),
                       allin1_cpu_level_string(context->cpu.level));
    a1_recorder *recorder = &context->recorder;
    if (settings->span)
        a1_instructions_start(&recorder->instructions); /* before the threads that it shall count */
    A1_TRY(a1_pool_create(&context->pool, settings->threads, err));
    if (settings->span)
        A1_TRY(a1_recorder_watch(recorder, context->pool, err));
    recorder->callback = settings->span;
    recorder->user = settings->span_user;
    recorder->model = context->first.model;
    recorder->model_requested = context->settings.model;
    size_t length = strlen(context->cpu.name);
    while (length > 0 && context->cpu.name[length - 1] == ' ')
        length--;
    snprintf(recorder->run.processor, sizeof recorder->run.processor, "%.*s", (int)length,
             context->cpu.name);
    recorder->run.cpu_level_requested = settings->cpu_level;
    recorder->run.cpu_level = context->cpu.level;
    recorder->run.threads_requested = settings->threads;
    recorder->run.threads = a1_pool_threads(context->pool);
    A1_TRY(a1_requirements_check(context, err));
    const uint64_t now_ns = a1_monotonic_ns();
    a1_recorder_start(recorder, has_start ? started_ns : opened_ns);
    if (has_start)
        a1_span_past(recorder, ALLIN1_STAGE_START_UP, started_ns, opened_ns, opened_cpu_ns);
    a1_span_past(recorder, ALLIN1_STAGE_OPEN, opened_ns, now_ns,
                 a1_process_cpu_ns() - opened_cpu_ns);
    context->opened = true;
    return a1_context_check_refining(context, err);
}

allin1_status allin1_open(allin1_context **out, const allin1_settings *settings,
                          allin1_error *error)
{
    a1_error err = {0};
    allin1_settings defaults;
    allin1_settings_default(&defaults);
    if (!settings)
        settings = &defaults;
    *out = NULL;
    allin1_status status = check_settings(settings, &err);
    if (status != ALLIN1_OK)
        return a1_public_error(error, &err, status);
    allin1_context *context = calloc(1, sizeof *context);
    if (!context)
        return a1_public_error(error, &err, a1_fail_memory(&err, "a context"));
    status = open_context(context, settings, &err);
    if (status == ALLIN1_OK)
        *out = context;
    else
        allin1_close(&context);
    return a1_public_error(error, &err, status);
}

void allin1_close(allin1_context **slot)
{
    if (!slot || !*slot)
        return;
    allin1_context *context = *slot;
    if (context->opened) {
        a1_spans_unwind(&context->recorder, 0);
        a1_span_begin(&context->recorder, ALLIN1_STAGE_CLOSE);
    }
    a1_spectrogram_destroy(&context->spectrogram);
    a1_htdemucs_destroy(&context->demixer);
    a1_listener_free(&context->first);
    a1_listener_free(&context->second);
    a1_loaded_model_free(&context->demix_files);
    a1_recorder_unwatch(&context->recorder);
    a1_pool_destroy(&context->pool);
    if (context->opened)
        a1_span_end(&context->recorder);
    a1_instructions_stop(&context->recorder.instructions);
    a1_recorder_finish(&context->recorder);
    for (size_t i = 0; i < sizeof context->strings / sizeof *context->strings; i++)
        free(context->strings[i]);
    free(context);
    *slot = NULL;
}

const allin1_run *allin1_context_run(const allin1_context *context)
{
    return &context->recorder.run;
}

void allin1_span_begin(allin1_context *context, const char *stage, const char *mode,
                       const char *track)
{
    if (!context)
        return;
    allin1_span *span = a1_span_begin(&context->recorder, stage);
    span->mode = mode;
    if (track)
        span->track = track;
}

void allin1_span_end(allin1_context *context)
{
    if (context)
        a1_span_end(&context->recorder);
}

allin1_status a1_context_plan_spectrogram(allin1_context *context, a1_error *err)
{
    if (context->spectrogram)
        return ALLIN1_OK;
    static const a1_spectrogram_backend backends[] = {
        [ALLIN1_SPEC_AUTO] = A1_SPEC_AUTO,
        [ALLIN1_SPEC_REFERENCE] = A1_SPEC_REFERENCE,
        [ALLIN1_SPEC_FAST] = A1_SPEC_FAST,
    };
    const unsigned depth = context->recorder.depth;
    a1_span_begin(&context->recorder, ALLIN1_STAGE_SPEC_INIT);
    const allin1_status status =
        a1_spectrogram_create(&context->spectrogram, backends[context->settings.spec_backend],
                              &context->cpu, err);
    if (status == ALLIN1_OK)
        a1_span_end(&context->recorder);
    a1_spans_unwind(&context->recorder, depth);
    return status;
}
