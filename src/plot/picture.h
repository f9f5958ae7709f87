/* What is drawn with a pen, as the bytes of a PDF, SVG or PNG file. */
#ifndef A1_PLOT_PICTURE_H
#define A1_PLOT_PICTURE_H

#include <stddef.h>

#include "base/error.h"
#include "plot/pen.h"

typedef enum a1_figure_kind { A1_FIGURE_PDF, A1_FIGURE_SVG, A1_FIGURE_PNG } a1_figure_kind;

typedef struct a1_picture {
    a1_figure_kind kind;
    double width, height; /* inches */
    double resolution;    /* of a PNG, dots an inch */
    const char *title;    /* UTF-8 */
    const char *mark;     /* ASCII that the file carries unseen, without "--"; or NULL */
    void (*draw)(const a1_pen *pen, const void *user);
    const void *user;
} a1_picture;

/* The file's bytes, freed by the caller. The same picture gives the same bytes on one system (its
 * fonts and libraries): no date is in them. */
allin1_status a1_picture_render(const a1_picture *picture, unsigned char **bytes, size_t *size,
                                a1_error *err);

#endif
