/* allin1_timings_save_figure. */
#include <stdlib.h>

#include "output/output_file.h"
#include "output/result.h"
#include "plot/timings_figure.h"
#include "render.h"
#include "timings/collection.h"

static allin1_status save(const allin1_timings *timings, const char *path, a1_error *err)
{
    a1_timings_figure figure = {.spans = timings->spans,
                                .count = timings->count,
                                .incomplete = timings->lost};
    unsigned char *bytes = NULL;
    size_t size = 0;
    A1_TRY(a1_render_figure_kind(path, &figure.kind, err));
    if (figure.count == 0)
        return a1_fail(err, ALLIN1_ERROR_ARGUMENT, "%s: there are no timings to draw", path);
    size_t *parents = a1_timings_parents(timings);
    if (!parents)
        return a1_fail_memory(err, "a figure");
    figure.parents = parents;
    allin1_status status = a1_timings_figure_render(&figure, &bytes, &size, err);
    free(parents);
    if (status == ALLIN1_OK)
        status = a1_output_whole(path, bytes, size, err);
    free(bytes);
    return status;
}

allin1_status allin1_timings_save_figure(const allin1_timings *timings, const char *path,
                                         allin1_error *error)
{
    a1_error err = {0};
    return a1_public_error(error, &err, save(timings, path, &err));
}
