/* The drawing itself, on any cairo surface. */
#ifndef A1_PLOT_FIGURE_DRAW_H
#define A1_PLOT_FIGURE_DRAW_H

#include "plot/figure.h"
#include "plot/pen.h"

/* Draws on a surface of figure->width x figure->height inches, in points. */
void a1_figure_draw(const a1_pen *pen, const a1_figure *figure, const char *name);

#endif
