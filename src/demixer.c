/* The demixer of a context: from its files to one that runs. */
#include <string.h>

#include "context.h"

bool a1_context_demixes(const allin1_context *context)
{
    return strcmp(context->settings.demix_model, A1_NO_DEMIXER) != 0;
}

const char *a1_context_precision_used(const allin1_context *context)
{
    return a1_demix_precision_string(context->demixer ? a1_htdemucs_precision(context->demixer)
                                                      : context->demix_precision);
}

allin1_status a1_context_find_demixer(allin1_context *context, a1_error *err)
{
    if (context->demix_files.count > 0)
        return ALLIN1_OK;
    const unsigned depth = context->recorder.depth;
    allin1_span *span = a1_span_begin(&context->recorder, ALLIN1_STAGE_DEMIX_INIT);
    allin1_status status;
    A1_CHECK(a1_context_find_files(context, context->settings.demix_model, "htdemucs",
                                   a1_htdemucs_layout(context->demix_precision),
                                   &context->demix_files, err));
    if (context->demix_files.count != 1) {
        status = a1_fail(err, ALLIN1_ERROR_ARGUMENT, "%s is not one model",
                         context->settings.demix_model);
        goto done;
    }
    span->mode = "read";
    a1_span_end(&context->recorder);

done:
    a1_spans_unwind(&context->recorder, depth);
    return status;
}

static allin1_status make_demixer(allin1_context *context, a1_error *err)
{
    return a1_htdemucs_create(&context->demixer, context->demix_files.sets[0], &context->cpu,
                              context->demix_precision, context->pool, err);
}

/* A packed file whose panels are not those of this program only saves time: it is passed over, as a
 * damaged one is. */
static allin1_status make_unpacked_demixer(allin1_context *context, a1_error *err)
{
    a1_log(context, ALLIN1_LOG_WARNING,
           "%s is passed over: %s. To mend it: delete it and run `allin1 models fetch %s`",
           context->demix_files.infos[0].path, err->message, context->settings.demix_model);
    a1_loaded_model_free(&context->demix_files);
    A1_TRY(a1_context_find_files(context, context->settings.demix_model, "htdemucs", NULL,
                                 &context->demix_files, err));
    return make_demixer(context, err);
}

allin1_status a1_context_build_demixer(allin1_context *context, a1_error *err)
{
    if (context->demixer)
        return ALLIN1_OK;
    A1_TRY(a1_context_find_demixer(context, err));
    const unsigned depth = context->recorder.depth;
    allin1_span *span = a1_span_begin(&context->recorder, ALLIN1_STAGE_DEMIX_INIT);
    span->mode = "build";
    allin1_status status;
    status = make_demixer(context, err);
    if (status == ALLIN1_ERROR_FORMAT && a1_htdemucs_packing(context->demix_files.sets[0]))
        status = make_unpacked_demixer(context, err);
    A1_CHECK(a1_say_damaged(status, &context->demix_files.infos[0], err));
    span->precision_requested = allin1_precision_string(context->settings.precision);
    span->precision = a1_context_precision_used(context);
    if (!a1_htdemucs_borrows(context->demixer))
        a1_loaded_model_free_sets(&context->demix_files);
    a1_span_end(&context->recorder);

done:
    a1_spans_unwind(&context->recorder, depth);
    return status;
}

allin1_status a1_context_build_exact_demixer(allin1_context *context, a1_htdemucs **demixer,
                                             a1_loaded_model *files, a1_error *err)
{
    *demixer = NULL;
    *files = (a1_loaded_model){0};
    A1_TRY(a1_context_find_files(context, context->settings.demix_model, "htdemucs", NULL, files,
                                 err));
    const allin1_status status =
        a1_say_damaged(a1_htdemucs_create(demixer, files->sets[0], &context->cpu, A1_DEMIX_FP32,
                                          context->pool, err),
                       &files->infos[0], err);
    a1_loaded_model_free_sets(files);
    return status;
}

void a1_context_take_demixer(allin1_context *context, a1_htdemucs **demixer, a1_loaded_model *files)
{
    a1_htdemucs_destroy(&context->demixer);
    a1_loaded_model_free(&context->demix_files);
    context->demixer = *demixer;
    context->demix_files = *files;
    context->demix_precision = a1_htdemucs_precision(*demixer);
    *demixer = NULL;
    *files = (a1_loaded_model){0};
}
