#include "loaded_model.h"

#include <stdlib.h>
#include <string.h>

#include "context.h"

void a1_loaded_model_free_sets(a1_loaded_model *model)
{
    for (size_t i = 0; i < model->count; i++)
        a1_tensor_set_destroy(&model->sets[i]);
}

void a1_loaded_model_free(a1_loaded_model *model)
{
    a1_loaded_model_free_sets(model);
    free(model->infos);
    *model = (a1_loaded_model){0};
}

bool a1_loaded_model_has_family(const a1_loaded_model *model, size_t index, const char *family)
{
    const char *found = a1_tensor_set_text(model->sets[index], "family");
    return found && strcmp(found, family) == 0;
}

/* A student may stand where a harmonix network does, alone. */
static allin1_status check_family(const a1_loaded_model *model, const char *family, a1_error *err)
{
    if (strcmp(family, "harmonix") == 0 && model->count == 1 &&
        a1_loaded_model_has_family(model, 0, "student"))
        return ALLIN1_OK;
    for (size_t i = 0; i < model->count; i++) {
        const char *found = a1_tensor_set_text(model->sets[i], "family");
        if (!a1_loaded_model_has_family(model, i, family))
            return a1_fail(err, ALLIN1_ERROR_ARGUMENT,
                           "%s: holds a model of the family \"%s\", not \"%s\"",
                           model->infos[i].path, found ? found : "", family);
    }
    return ALLIN1_OK;
}

allin1_status a1_context_find_files(allin1_context *context, const char *name, const char *family,
                                    const char *packing, a1_loaded_model *model, a1_error *err)
{
    a1_weights_info *infos = calloc(A1_WEIGHTS_MAX_FILES, sizeof *infos);
    if (!infos)
        return a1_fail_memory(err, "a model");
    allin1_status status =
        a1_weights_load_model(context->settings.weights_dir, name, packing, context->pool,
                              model->sets, infos, &model->count, err);
    if (status != ALLIN1_OK) {
        model->count = 0;
        free(infos);
        /* Whatever keeps a weight file from being used, callers have the same two cases. */
        if (status == ALLIN1_ERROR_IO)
            status = ALLIN1_ERROR_WEIGHTS_MISSING;
        else if (status == ALLIN1_ERROR_FORMAT)
            status = ALLIN1_ERROR_WEIGHTS_DAMAGED;
        return status;
    }
    model->infos = infos;
    status = check_family(model, family, err);
    if (status != ALLIN1_OK) {
        a1_loaded_model_free(model);
        return status;
    }
    for (size_t i = 0; i < model->count; i++) {
        if (infos[i].warning[0])
            a1_log(context, ALLIN1_LOG_WARNING, "%s", infos[i].warning);
        a1_log(context, ALLIN1_LOG_DEBUG, "weights: %s (%s, digest %.16s)", infos[i].path,
               infos[i].format, infos[i].digest);
    }
    return ALLIN1_OK;
}

allin1_status a1_say_damaged(allin1_status status, const a1_weights_info *file, a1_error *err)
{
    return status == ALLIN1_ERROR_FORMAT
               ? a1_fail_prefix(err, ALLIN1_ERROR_WEIGHTS_DAMAGED, "%s", file->path)
               : status;
}
