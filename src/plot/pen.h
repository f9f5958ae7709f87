/* Lines, boxes and text on a cairo surface, all in points from the top left. */
#ifndef A1_PLOT_PEN_H
#define A1_PLOT_PEN_H

#include <stdbool.h>
#include <stdint.h>

#include <cairo.h>
#include <pango/pangocairo.h>

typedef struct a1_pen {
    cairo_t *cairo;
    PangoLayout *layout;
} a1_pen;

typedef struct a1_text_style {
    double size; /* points */
    bool bold;
    uint32_t colour;     /* 0xRRGGBB */
    double align;        /* of x: 0 left, 0.5 centre, 1 right; y is the middle of the line */
    double width;        /* longer text is shortened in the middle; 0: never */
} a1_text_style;

void a1_pen_colour(const a1_pen *pen, uint32_t colour, double opacity);
void a1_pen_box(const a1_pen *pen, double x, double y, double width, double height, uint32_t colour,
                double opacity);
void a1_pen_line(const a1_pen *pen, double x0, double y0, double x1, double y1, double width,
                 uint32_t colour, double opacity);

/* `text` is UTF-8 of any script. */
void a1_pen_text(const a1_pen *pen, double x, double y, const a1_text_style *style,
                 const char *text);
double a1_pen_text_width(const a1_pen *pen, const a1_text_style *style, const char *text);

/* "3:07", or "1:02:03" from an hour on. */
void a1_clock_text(char out[32], double seconds);

#endif
