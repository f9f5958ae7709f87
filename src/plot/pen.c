#include "plot/pen.h"

#include <math.h>
#include <stdio.h>

void a1_pen_colour(const a1_pen *pen, uint32_t colour, double opacity)
{
    cairo_set_source_rgba(pen->cairo, (colour >> 16 & 255) / 255.0, (colour >> 8 & 255) / 255.0,
                          (colour & 255) / 255.0, opacity);
}

void a1_pen_box(const a1_pen *pen, double x, double y, double width, double height, uint32_t colour,
                double opacity)
{
    a1_pen_colour(pen, colour, opacity);
    cairo_rectangle(pen->cairo, x, y, width, height);
    cairo_fill(pen->cairo);
}

void a1_pen_line(const a1_pen *pen, double x0, double y0, double x1, double y1, double width,
                 uint32_t colour, double opacity)
{
    a1_pen_colour(pen, colour, opacity);
    cairo_set_line_width(pen->cairo, width);
    cairo_move_to(pen->cairo, x0, y0);
    cairo_line_to(pen->cairo, x1, y1);
    cairo_stroke(pen->cairo);
}

static void set_text(const a1_pen *pen, const a1_text_style *style, const char *text)
{
    PangoFontDescription *font = pango_font_description_new();
    pango_font_description_set_family_static(font, "Sans");
    pango_font_description_set_absolute_size(font, style->size * PANGO_SCALE);
    pango_font_description_set_weight(font, style->bold ? PANGO_WEIGHT_BOLD : PANGO_WEIGHT_NORMAL);
    pango_layout_set_font_description(pen->layout, font);
    pango_font_description_free(font);
    pango_layout_set_single_paragraph_mode(pen->layout, TRUE);
    pango_layout_set_width(pen->layout,
                           style->width > 0 ? (int)(style->width * PANGO_SCALE) : -1);
    pango_layout_set_ellipsize(pen->layout, style->width > 0 ? PANGO_ELLIPSIZE_MIDDLE
                                                             : PANGO_ELLIPSIZE_NONE);
    pango_layout_set_text(pen->layout, text, -1);
}

static PangoRectangle extents(const a1_pen *pen)
{
    PangoRectangle logical;
    pango_layout_get_extents(pen->layout, NULL, &logical);
    return logical;
}

double a1_pen_text_width(const a1_pen *pen, const a1_text_style *style, const char *text)
{
    set_text(pen, style, text);
    return (double)extents(pen).width / PANGO_SCALE;
}

void a1_pen_text(const a1_pen *pen, double x, double y, const a1_text_style *style,
                 const char *text)
{
    set_text(pen, style, text);
    const PangoRectangle size = extents(pen);
    a1_pen_colour(pen, style->colour, 1);
    /* Text that runs from right to left would stand at the right end of its width. */
    cairo_move_to(pen->cairo, x - (style->align * size.width + size.x) / PANGO_SCALE,
                  y - 0.5 * size.height / PANGO_SCALE);
    pango_cairo_show_layout(pen->cairo, pen->layout);
}

void a1_clock_text(char out[32], double seconds)
{
    const long whole = lround(fmax(seconds, 0));
    if (whole >= 3600)
        snprintf(out, 32, "%ld:%02ld:%02ld", whole / 3600, whole / 60 % 60, whole % 60);
    else
        snprintf(out, 32, "%ld:%02ld", whole / 60, whole % 60);
}
