/* What ran when in one or several runs, as one figure. */
#ifndef A1_PLOT_TIMINGS_FIGURE_H
#define A1_PLOT_TIMINGS_FIGURE_H

#include <stdbool.h>
#include <stddef.h>

#include <allin1/allin1.h>

#include "plot/picture.h"

#define A1_TIMINGS_FIGURE_THREADS 1024 /* most rows */

typedef struct a1_timings_figure {
    a1_figure_kind kind;
    const allin1_span *spans; /* in the order in which they ended */
    size_t count;             /* > 0 */
    const size_t *parents;    /* of each the index of the enclosing one, later; SIZE_MAX at the top */
    bool incomplete;          /* some spans are missing, which the figure says */
} a1_timings_figure;

/* The file's bytes, freed by the caller; as a1_picture_render. */
allin1_status a1_timings_figure_render(const a1_timings_figure *figure, unsigned char **bytes,
                                       size_t *size, a1_error *err);

#endif
