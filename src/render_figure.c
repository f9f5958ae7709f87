/* allin1_save_figure. */
#include <stdlib.h>

#include "output/output_file.h"
#include "plot/figure.h"
#include "render.h"

void allin1_figure_settings_default(allin1_figure_settings *settings)
{
    *settings = (allin1_figure_settings){.width = 11, .height = 4, .resolution = 160};
}

allin1_status a1_render_figure_kind(const char *path, a1_figure_kind *kind, a1_error *err)
{
    static const char *const suffixes[] = {"pdf", "svg", "png"};
    static const a1_figure_kind kinds[] = {A1_FIGURE_PDF, A1_FIGURE_SVG, A1_FIGURE_PNG};
    const int index = a1_render_suffix(path, suffixes, 3);
    if (index < 0)
        return a1_fail(err, ALLIN1_ERROR_ARGUMENT, "%s: a figure ends in .pdf, .svg or .png", path);
    *kind = kinds[index];
    return ALLIN1_OK;
}

static allin1_status choose_kind(const allin1_figure_settings *settings, const char *path,
                                 a1_figure_kind *kind, a1_error *err)
{
    static const a1_figure_kind kinds[] = {A1_FIGURE_PDF, A1_FIGURE_SVG, A1_FIGURE_PNG};
    const int index = (int)settings->format - ALLIN1_FIGURE_PDF;
    if (settings->format == ALLIN1_FIGURE_BY_SUFFIX)
        return a1_render_figure_kind(path, kind, err);
    if (index < 0 || index > 2)
        return a1_fail(err, ALLIN1_ERROR_ARGUMENT, "%s: a figure ends in .pdf, .svg or .png", path);
    *kind = kinds[index];
    return ALLIN1_OK;
}

static bool within(double value, double least, double most)
{
    return value >= least && value <= most;
}

static allin1_status make_figure(a1_rendering *r, const void *settings, a1_error *err)
{
    a1_figure figure = *(const a1_figure *)settings;
    allin1_waveform waveform;
    float *values;
    unsigned char *bytes = NULL;
    size_t size = 0;
    A1_TRY(a1_render_waveform(r->result, &waveform, &values, err));
    figure.waveform = &waveform;
    figure.mark = r->mark;
    allin1_status status = a1_figure_render(&figure, &bytes, &size, err);
    if (status == ALLIN1_OK)
        status = a1_output_whole(r->path, bytes, size, err);
    free(bytes);
    free(values);
    return status;
}

static allin1_status save_figure(a1_rendering *r, const void *given, a1_error *err)
{
    allin1_figure_settings settings;
    allin1_figure_settings_default(&settings);
    if (given)
        settings = *(const allin1_figure_settings *)given;
    a1_figure figure = {.result = r->result,
                        .width = settings.width,
                        .height = settings.height,
                        .resolution = settings.resolution};
    if (!within(figure.width, 4, 100) || !within(figure.height, 2.5, 100) ||
        !within(figure.resolution, 36, 600))
        return a1_fail(err, ALLIN1_ERROR_ARGUMENT,
                       "%s: a figure is 4 to 100 inches wide, 2.5 to 100 high, with 36 to 600 dots "
                       "an inch",
                       r->path);
    A1_TRY(choose_kind(&settings, r->path, &figure.kind, err));
    a1_hash *hash;
    A1_TRY(a1_mark_begin(&hash, r->result, err));
    a1_hash_format(hash, "figure %d %.6g %.6g %.6g\n", (int)figure.kind, figure.width,
                   figure.height, figure.resolution);
    return a1_render(r, ALLIN1_STAGE_VISUALIZE, "figure", settings.only_when_needed, hash,
                     make_figure, &figure, err);
}

allin1_status allin1_save_figure(allin1_context *context, const allin1_result *result,
                                 const allin1_figure_settings *settings, const char *path,
                                 allin1_rendered *rendered, allin1_error *error)
{
    return a1_render_result(context, result, path, save_figure, settings, rendered, error);
}
