/* Which model listens to a song, and the way from its files to a network that runs. */
#include <math.h>
#include <string.h>

#include "beat_settings.h"
#include "context.h"
#include "output/decimal.h"

void a1_listener_free(a1_listener *listener)
{
    a1_metrical_destroy(&listener->metrical);
    a1_network_destroy(&listener->network);
    a1_student_destroy(&listener->student);
    a1_loaded_model_free(&listener->files);
}

/* Choice ----------------------------------------------------------------------------------------- */

bool a1_context_refines(const allin1_context *context)
{
    return context->settings.refine > 0;
}

/* What a student, or none, can do in this place. */
static allin1_status check_role(const allin1_context *context, const a1_listener *listener,
                                a1_error *err)
{
    const bool refines = a1_context_refines(context), first = listener == &context->first;
    if (!first && listener->hears_mix)
        return a1_fail(err, ALLIN1_ERROR_ARGUMENT, "a student does not refine a student");
    if (first && refines && !listener->hears_mix)
        return a1_fail(err, ALLIN1_ERROR_ARGUMENT,
                       "to refine is for songs of which a student is unsure: %s is none",
                       listener->model);
    if (first && !refines && listener->hears_mix && context->demixer_named)
        return a1_fail(err, ALLIN1_ERROR_ARGUMENT,
                       "the model %s hears the mix and needs no demixer: %s and it do not go together",
                       listener->model, context->settings.demix_model);
    if (first && refines && listener->files.count > 0 && !listener->calibration.known)
        return a1_fail(err, ALLIN1_ERROR_ARGUMENT,
                       "the weights of %s do not tell how sure it is: nothing can be refined by that",
                       listener->model);
    return ALLIN1_OK;
}

/* The student, unless all that the full pipeline needs is there. */
static allin1_status choose_automatically(allin1_context *context, a1_error *err)
{
    const allin1_settings *settings = &context->settings;
    bool network = false, demixer = false, student = false;
    A1_TRY(a1_weights_there(settings->weights_dir, A1_MODEL_STUDENT, &student, err));
    A1_TRY(a1_weights_there(settings->weights_dir, A1_MODEL_FULL, &network, err));
    A1_TRY(a1_weights_there(settings->weights_dir, settings->demix_model, &demixer, err));
    context->student_taken = student && !(network && demixer);
    context->first.model = context->student_taken ? A1_MODEL_STUDENT : A1_MODEL_FULL;
    context->second.model = context->student_taken ? A1_MODEL_FULL : NULL;
    return ALLIN1_OK;
}

allin1_status a1_context_choose_model(allin1_context *context, a1_error *err)
{
    const allin1_settings *settings = &context->settings;
    const bool automatic = strcmp(settings->model, A1_MODEL_AUTO) == 0;
    context->first.model = settings->model;
    if (a1_context_refines(context)) {
        context->first.model = automatic ? A1_MODEL_STUDENT : settings->model;
        context->second.model = settings->refine_model ? settings->refine_model : A1_MODEL_FULL;
    } else if (automatic && context->demixer_named) {
        context->first.model = A1_MODEL_FULL;
    } else if (automatic) {
        A1_TRY(choose_automatically(context, err));
    }
    context->first.hears_mix = strcmp(context->first.model, A1_MODEL_STUDENT) == 0;
    return context->first.hears_mix ? check_role(context, &context->first, err) : ALLIN1_OK;
}

void a1_context_say_choice(allin1_context *context, const a1_listener *listener)
{
    if (context->student_taken && !context->choice_told && listener == &context->first)
        a1_log(context, ALLIN1_LOG_WARNING,
               "the weights of " A1_MODEL_FULL
               " and %s are not all here: the student built in is used, quicker "
               "and not as good; `allin1 models fetch` gets them",
               context->settings.demix_model);
    context->choice_told |= listener == &context->first;
}

allin1_status a1_context_check_refining(allin1_context *context, a1_error *err)
{
    if (!a1_context_refines(context))
        return ALLIN1_OK;
    A1_TRY(a1_context_find_network(context, &context->first, err));
    A1_TRY(a1_context_find_network(context, &context->second, err));
    return a1_context_demixes(context) ? a1_context_find_demixer(context, err) : ALLIN1_OK;
}

a1_listener *a1_context_listener(allin1_context *context, bool stems)
{
    return stems && context->student_taken ? &context->second : &context->first;
}

/* Files ------------------------------------------------------------------------------------------ */

/* The ensemble's threshold is the mean of its folds'. */
static allin1_status mean_threshold(const a1_loaded_model *model, double *mean, a1_error *err)
{
    double sum = 0;
    for (size_t i = 0; i < model->count; i++) {
        const char *text = a1_tensor_set_text(model->sets[i], "best_threshold_downbeat");
        double value;
        if (!text || !a1_read_decimal(text, strlen(text), &value) || value > 1)
            return a1_fail(err, ALLIN1_ERROR_FORMAT,
                           "%s: the text value best_threshold_downbeat is missing or not between 0 "
                           "and 1",
                           model->infos[i].path);
        sum += value;
    }
    *mean = sum / (double)model->count;
    return ALLIN1_OK;
}

/* The caller's wish, or the student's; else the reference's. */
static allin1_status choose_lambda(const allin1_context *context, a1_listener *listener,
                                   a1_error *err)
{
    double *lambda = &listener->transition_lambda;
    const char *text = a1_tensor_set_text(listener->files.sets[0], "transition_lambda");
    *lambda = context->beat_settings.transition_lambda;
    if (!listener->hears_mix || !isnan(context->settings.transition_lambda) || !text)
        return ALLIN1_OK;
    if (!a1_read_decimal(text, strlen(text), lambda) || *lambda > A1_MAX_TRANSITION_LAMBDA)
        return a1_fail(err, ALLIN1_ERROR_FORMAT,
                       "%s: the text value transition_lambda is \"%.64s\", not a number from 0 "
                       "to %g",
                       listener->files.infos[0].path, text, A1_MAX_TRANSITION_LAMBDA);
    return ALLIN1_OK;
}

allin1_status a1_context_find_network(allin1_context *context, a1_listener *listener,
                                      a1_error *err)
{
    a1_loaded_model *files = &listener->files;
    if (files->count > 0)
        return ALLIN1_OK;
    const unsigned depth = context->recorder.depth;
    allin1_span *span = a1_span_begin(&context->recorder, ALLIN1_STAGE_MODEL_LOAD);
    allin1_status status;
    A1_CHECK(a1_context_find_files(context, listener->model, "harmonix", NULL, files, err));
    listener->hears_mix = a1_loaded_model_has_family(files, 0, "student");
    status = mean_threshold(files, &listener->downbeat_threshold, err);
    if (status == ALLIN1_OK)
        status = choose_lambda(context, listener, err);
    if (status == ALLIN1_OK && listener->hears_mix)
        status = a1_calibration_read(&listener->calibration,
                                     a1_tensor_set_text(files->sets[0], "confidence"),
                                     files->infos[0].path, err);
    if (status == ALLIN1_ERROR_FORMAT)
        status = ALLIN1_ERROR_WEIGHTS_DAMAGED; /* as for all that is wrong with weights */
    if (status == ALLIN1_OK)
        status = check_role(context, listener, err);
    if (status != ALLIN1_OK) {
        a1_loaded_model_free(files);
        goto done;
    }
    span->mode = "read";
    span->count = files->count;
    a1_span_end(&context->recorder);

done:
    a1_spans_unwind(&context->recorder, depth);
    return status;
}

static allin1_status make_student(allin1_context *context, a1_listener *listener, a1_error *err)
{
    const a1_loaded_model *files = &listener->files;
    return a1_say_damaged(
        a1_student_create(&listener->student, files->sets[0], &context->cpu, err),
        &files->infos[0], err);
}

static allin1_status make_network(allin1_context *context, a1_listener *listener, a1_error *err)
{
    const a1_loaded_model *files = &listener->files;
    size_t bad_fold = 0;
    const allin1_status status =
        a1_network_create(&listener->network, (const a1_tensor_set *const *)files->sets,
                          files->count, &context->cpu, &bad_fold, err);
    return a1_say_damaged(status, &files->infos[bad_fold], err);
}

allin1_status a1_context_build_network(allin1_context *context, a1_listener *listener,
                                       a1_error *err)
{
    if ((listener->network || listener->student) && listener->metrical)
        return ALLIN1_OK;
    A1_TRY(a1_context_find_network(context, listener, err));
    const unsigned depth = context->recorder.depth;
    allin1_span *span = a1_span_begin(&context->recorder, ALLIN1_STAGE_MODEL_LOAD);
    span->mode = "build";
    span->count = listener->files.count;
    allin1_status status;
    if (listener->hears_mix && !listener->student) {
        A1_CHECK(make_student(context, listener, err));
        a1_loaded_model_free_sets(&listener->files);
    } else if (!listener->hears_mix && !listener->network) {
        A1_CHECK(make_network(context, listener, err));
        a1_loaded_model_free_sets(&listener->files);
    }
    a1_metrical_settings settings = context->beat_settings;
    settings.threshold = listener->downbeat_threshold;
    settings.transition_lambda = listener->transition_lambda;
    A1_CHECK(a1_metrical_create(&listener->metrical, &settings, &context->cpu, err));
    a1_span_end(&context->recorder);

done:
    a1_spans_unwind(&context->recorder, depth);
    return status;
}

