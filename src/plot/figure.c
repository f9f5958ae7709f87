#include "plot/figure.h"

#include <stdlib.h>
#include <string.h>

#include "plot/figure_draw.h"

char *a1_song_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *valid = g_utf8_make_valid(slash && slash[1] ? slash + 1 : path, -1);
    for (char *at = valid; *at; at++)
        if ((unsigned char)*at < 0x20 || *at == 0x7f)
            *at = ' ';
    char *name = strdup(*valid ? valid : "(no name)");
    g_free(valid);
    return name;
}

typedef struct named_figure {
    const a1_figure *figure;
    const char *name;
} named_figure;

static void draw(const a1_pen *pen, const void *user)
{
    const named_figure *named = user;
    a1_figure_draw(pen, named->figure, named->name);
}

allin1_status a1_figure_render(const a1_figure *figure, unsigned char **bytes, size_t *size,
                               a1_error *err)
{
    *bytes = NULL;
    char *name = a1_song_name(figure->result->path);
    if (!name)
        return a1_fail_memory(err, "a figure");
    const named_figure named = {figure, name};
    const a1_picture picture = {.kind = figure->kind,
                                .width = figure->width,
                                .height = figure->height,
                                .resolution = figure->resolution,
                                .title = name,
                                .mark = figure->mark,
                                .draw = draw,
                                .user = &named};
    const allin1_status status = a1_picture_render(&picture, bytes, size, err);
    free(name);
    return status;
}
