#include "render_outputs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "messages.h"

static const char *const sound_suffixes[] = {"wav", "flac", "mp3", "opus"};

/* As the reference implementation: the song's own format; FLAC where it is none of ours. */
static const char *sound_suffix(const options *o, const char *path)
{
    const char *dot = strrchr(path, '.');
    if (o->sonif_format)
        return o->sonif_format;
    for (size_t i = 0; dot && i < sizeof sound_suffixes / sizeof *sound_suffixes; i++)
        if (strcasecmp(dot + 1, sound_suffixes[i]) == 0)
            return sound_suffixes[i];
    return "flac";
}

static allin1_status out_of_memory(allin1_error *error)
{
    error->status = ALLIN1_ERROR_MEMORY;
    snprintf(error->message, sizeof error->message, "out of memory");
    return ALLIN1_ERROR_MEMORY;
}

static void say_made(const allin1_rendered *rendered, const char *file)
{
    if (!rendered->made) {
        message_detail("  %s: is there already", file);
        return;
    }
    message_note("  -> %s", file);
    if (rendered->sample_rate > 0)
        message_detail("     encoder %s, %d Hz, gain %.3f", rendered->encoder,
                       rendered->sample_rate, rendered->gain);
    else if (*rendered->encoder)
        message_detail("     sound: %s", rendered->encoder);
}

static allin1_status save_figure(allin1_context *context, const options *o,
                                 const allin1_result *result, const char *name,
                                 allin1_error *error)
{
    allin1_figure_settings settings;
    allin1_rendered rendered;
    char *file = NULL;
    if (asprintf(&file, "%s/%s.%s", o->viz_dir, name, o->viz_format) < 0)
        return out_of_memory(error);
    allin1_figure_settings_default(&settings);
    settings.only_when_needed = 1;
    const allin1_status status =
        allin1_save_figure(context, result, &settings, file, &rendered, error);
    if (status == ALLIN1_OK)
        say_made(&rendered, file);
    free(file);
    return status;
}

static allin1_status save_sonification(allin1_context *context, const options *o,
                                       const allin1_result *result, const char *path,
                                       const char *name, allin1_error *error)
{
    allin1_sonification_settings settings;
    allin1_rendered rendered;
    char *file = NULL;
    if (asprintf(&file, "%s/%s.sonif.%s", o->sonif_dir, name, sound_suffix(o, path)) < 0)
        return out_of_memory(error);
    allin1_sonification_settings_default(&settings);
    settings.only_when_needed = 1;
    const allin1_status status =
        allin1_save_sonification(context, result, &settings, file, &rendered, error);
    if (status == ALLIN1_OK)
        say_made(&rendered, file);
    free(file);
    return status;
}

bool renders_anything(const options *o)
{
    return o->visualize || o->html || o->sonify;
}

/* A song named "index" makes way for the index. */
static allin1_status save_page(allin1_context *context, const options *o,
                               const allin1_result *result, const char *name, allin1_index *index,
                               allin1_error *error)
{
    allin1_page_settings settings;
    allin1_rendered rendered;
    char *page = NULL, *file = NULL;
    const char *format = strcmp(name, "index") == 0 ? "%s.song.html" : "%s.html";
    allin1_status status = ALLIN1_OK;
    if (asprintf(&page, format, name) < 0)
        page = NULL;
    if (!page || asprintf(&file, "%s/%s", o->html_dir, page) < 0) {
        free(page);
        return out_of_memory(error);
    }
    allin1_page_settings_default(&settings);
    settings.audio = o->html_audio;
    settings.only_when_needed = 1;
    status = allin1_save_page(context, result, &settings, file, &rendered, error);
    if (status == ALLIN1_OK)
        say_made(&rendered, file);
    if (status == ALLIN1_OK && index)
        status = allin1_index_add(index, result, page, error);
    free(file);
    free(page);
    return status;
}

allin1_status render_outputs(allin1_context *context, const options *o, const allin1_result *result,
                             const char *path, const char *name, allin1_index *index,
                             allin1_error *error)
{
    allin1_status status = ALLIN1_OK;
    if (o->visualize)
        status = save_figure(context, o, result, name, error);
    if (status == ALLIN1_OK && o->html)
        status = save_page(context, o, result, name, index, error);
    if (status == ALLIN1_OK && o->sonify)
        status = save_sonification(context, o, result, path, name, error);
    return status;
}

allin1_status render_index(allin1_context *context, const options *o, const allin1_index *index,
                           allin1_error *error)
{
    allin1_rendered rendered;
    char *file = NULL;
    if (asprintf(&file, "%s/index.html", o->html_dir) < 0)
        return out_of_memory(error);
    const allin1_status status =
        allin1_save_index(context, index, 1, file, &rendered, error);
    if (status == ALLIN1_OK)
        say_made(&rendered, file);
    free(file);
    return status;
}
