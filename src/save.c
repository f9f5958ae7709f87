/* The results' files. */
#include <stdlib.h>
#include <string.h>

#include <allin1/formats.h>

#include "context.h"
#include "formats/format_table.h"
#include "output/numpy.h"
#include "output/output_file.h"
#include "output/result.h"

/* `more` is what the kind of file needs besides: the arrays of a JSON result, the name of a format. */
typedef allin1_status (*write_fn)(const allin1_result *result, const void *more, const char *path,
                                  a1_error *err);

static allin1_status write_json(const allin1_result *result, const void *more, const char *path,
                                a1_error *err)
{
    const allin1_arrays *arrays = more;
    char *text = a1_result_json(result, arrays);
    if (!text)
        return a1_fail_memory(err, "the result's text");
    const allin1_status status = a1_output_whole(path, text, strlen(text), err);
    free(text);
    return status;
}

static allin1_status write_activations(const allin1_result *result, const void *more,
                                       const char *path, a1_error *err)
{
    (void)more;
    const allin1_activations *from = result->activations;
    if (!from)
        return a1_fail(err, ALLIN1_ERROR_ARGUMENT, "%s: the result holds no activations", path);
    const float rate = (float)from->frames_per_second;
    const a1_npy parts[] = {
        {.name = "beat", .rank = 1, .shape = {from->frames}, .values = from->beat},
        {.name = "downbeat", .rank = 1, .shape = {from->frames}, .values = from->downbeat},
        {.name = "segment", .rank = 1, .shape = {from->frames}, .values = from->segment},
        {.name = "label", .rank = 2, .shape = {from->labels, from->frames}, .values = from->label},
        {.name = "frames_per_second", .rank = 0, .values = &rate},
    };
    return a1_npz_write(path, parts, sizeof parts / sizeof *parts, err);
}

static allin1_status write_embeddings(const allin1_result *result, const void *more,
                                      const char *path, a1_error *err)
{
    (void)more;
    const allin1_embeddings *from = result->embeddings;
    if (!from)
        return a1_fail(err, ALLIN1_ERROR_ARGUMENT, "%s: the result holds no embeddings", path);
    /* A single fold has no ensemble axis in the reference's files. */
    const a1_npy array = {.rank = from->folds > 1 ? 4 : 3,
                          .shape = {from->stems, from->frames, from->width, from->folds},
                          .values = from->values};
    return a1_npy_write(path, &array, err);
}

static allin1_status save(allin1_context *context, const char *mode, write_fn fn,
                          const allin1_result *result, const void *more, const char *path,
                          allin1_error *error)
{
    a1_error err = {0};
    if (!result || !path)
        return a1_public_error(
            error, &err, a1_fail(&err, ALLIN1_ERROR_ARGUMENT, "no result or no path was given"));
    const unsigned depth = context ? context->recorder.depth : 0;
    if (context) {
        context->recorder.track = result->path;
        context->recorder.audio_seconds = result->duration;
        a1_span_begin(&context->recorder, ALLIN1_STAGE_SAVE)->mode = mode;
    }
    const allin1_status status = fn(result, more, path, &err);
    if (context) {
        if (status == ALLIN1_OK)
            a1_span_end(&context->recorder);
        a1_spans_unwind(&context->recorder, depth);
        context->recorder.track = NULL;
        context->recorder.audio_seconds = 0;
    }
    return a1_public_error(error, &err, status);
}

allin1_status allin1_save_json(allin1_context *context, const allin1_result *result,
                               const allin1_arrays *arrays, const char *path, allin1_error *error)
{
    return save(context, "json", write_json, result, arrays, path, error);
}

allin1_status allin1_save_activations(allin1_context *context, const allin1_result *result,
                                      const char *path, allin1_error *error)
{
    return save(context, "activations", write_activations, result, NULL, path, error);
}

allin1_status allin1_save_embeddings(allin1_context *context, const allin1_result *result,
                                     const char *path, allin1_error *error)
{
    return save(context, "embeddings", write_embeddings, result, NULL, path, error);
}

static allin1_status write_format(const allin1_result *result, const void *more, const char *path,
                                  a1_error *err)
{
    char *content;
    size_t size;
    A1_TRY(a1_format_result(result, more, &content, &size, err));
    const allin1_status status = a1_output_whole(path, content, size, err);
    free(content);
    return status;
}

allin1_status allin1_save_format(allin1_context *context, const allin1_result *result,
                                 const char *format, const char *path, allin1_error *error)
{
    const allin1_format *found = allin1_format_find(format);
    a1_error err = {0};
    if (!found)
        return a1_public_error(error, &err,
                               a1_fail(&err, ALLIN1_ERROR_ARGUMENT, "there is no format \"%s\"",
                                       format ? format : ""));
    return save(context, found->name, write_format, result, found->name, path, error);
}
