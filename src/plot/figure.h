/* One song as one figure: its sections, waveform, beats and tempo over time. */
#ifndef A1_PLOT_FIGURE_H
#define A1_PLOT_FIGURE_H

#include <allin1/allin1.h>

#include "base/error.h"
#include "plot/picture.h"

typedef struct a1_figure {
    a1_figure_kind kind;
    const allin1_result *result;
    const allin1_waveform *waveform; /* NULL: none is drawn */
    double width, height;            /* inches */
    double resolution;               /* of a PNG, dots an inch */
    const char *mark;                /* ASCII that the file carries unseen, without "--" */
} a1_figure;

/* The file's bytes, freed by the caller. The same figure gives the same bytes on one system (its
 * fonts and libraries): no date is in them. */
allin1_status a1_figure_render(const a1_figure *figure, unsigned char **bytes, size_t *size,
                               a1_error *err);

/* The name that a figure or a page shows: that of the file without its folder, as valid UTF-8 without
 * control characters. The caller frees it. NULL when memory ran out. */
char *a1_song_name(const char *path);

#endif
