#include "plot/picture.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cairo-pdf.h>
#include <cairo-svg.h>
#include <zlib.h>

#include <allin1/version.h>

#define PNG_MAX_PIXELS 32000 /* cairo draws up to 32,767 a side */

typedef struct buffer {
    unsigned char *bytes;
    size_t used, capacity;
    bool failed;
} buffer;

static void append(buffer *b, const void *data, size_t size)
{
    if (!b->failed && b->used + size > b->capacity) {
        const size_t room = b->used + size + b->capacity / 2 + 65536;
        unsigned char *more = realloc(b->bytes, room);
        b->failed = !more;
        if (more) {
            b->bytes = more;
            b->capacity = room;
        }
    }
    if (!b->failed && size > 0) {
        memcpy(b->bytes + b->used, data, size);
        b->used += size;
    }
}

static cairo_status_t receive(void *user, const unsigned char *data, unsigned size)
{
    append(user, data, size);
    return ((buffer *)user)->failed ? CAIRO_STATUS_NO_MEMORY : CAIRO_STATUS_SUCCESS;
}

/* The mark ---------------------------------------------------------------------------------------- */

static void append_number(buffer *b, uint32_t value)
{
    const unsigned char bytes[4] = {(unsigned char)(value >> 24), (unsigned char)(value >> 16),
                                    (unsigned char)(value >> 8), (unsigned char)value};
    append(b, bytes, sizeof bytes);
}

/* A tEXt chunk after PNG's first chunk, which is always 8 + 25 bytes from the start. */
static void mark_png(buffer *to, const buffer *from, const char *mark)
{
    static const char keyword[] = "tEXtComment"; /* the type and the key, with its zero */
    const size_t head = 33, length = strlen(mark);
    append(to, from->bytes, head);
    append_number(to, (uint32_t)(sizeof keyword - 4 + length));
    const size_t start = to->used;
    append(to, keyword, sizeof keyword);
    append(to, mark, length);
    if (!to->failed)
        append_number(to, (uint32_t)crc32(0, to->bytes + start, (unsigned)(to->used - start)));
    append(to, from->bytes + head, from->used - head);
}

/* Copies without the number that cairo puts into id="surface12": it counts all surfaces of the
 * process. There is one such name in a file, and nothing refers to it. */
static void append_svg(buffer *to, const unsigned char *bytes, size_t size)
{
    static const char name[] = "id=\"surface";
    const unsigned char *found = memmem(bytes, size, name, sizeof name - 1);
    if (!found) {
        append(to, bytes, size);
        return;
    }
    const unsigned char *end = bytes + size, *digits = found + sizeof name - 1;
    append(to, bytes, (size_t)(digits - bytes));
    while (digits < end && *digits >= '0' && *digits <= '9')
        digits++;
    append(to, digits, (size_t)(end - digits));
}

/* A comment after the line <?xml ...?>. */
static void mark_svg(buffer *to, const buffer *from, const char *mark)
{
    const unsigned char *line = memchr(from->bytes, '\n', from->used);
    const size_t head = line ? (size_t)(line - from->bytes) + 1 : 0;
    append(to, from->bytes, head);
    if (mark) {
        append(to, "<!-- ", 5);
        append(to, mark, strlen(mark));
        append(to, " -->\n", 5);
    }
    append_svg(to, from->bytes + head, from->used - head);
}

/* Surfaces ---------------------------------------------------------------------------------------- */

static cairo_surface_t *create_surface(const a1_picture *p, buffer *bytes)
{
    const double width = p->width * 72, height = p->height * 72;
    if (p->kind == A1_FIGURE_PNG)
        return cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)lround(p->width * p->resolution),
                                          (int)lround(p->height * p->resolution));
    if (p->kind == A1_FIGURE_SVG)
        return cairo_svg_surface_create_for_stream(receive, bytes, width, height);
    cairo_surface_t *surface = cairo_pdf_surface_create_for_stream(receive, bytes, width, height);
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_TITLE, p->title);
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATOR,
                                   "allin1 " ALLIN1_VERSION_STRING);
    if (p->mark)
        cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_KEYWORDS, p->mark);
    /* cairo's default is the time of the call: the same figure would have other bytes each time. */
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATE_DATE, "");
    return surface;
}

/* Glyphs stand where their outlines say, whatever the surface's pixels. */
static cairo_status_t draw_on(cairo_surface_t *surface, const a1_picture *p)
{
    cairo_t *cairo = cairo_create(surface);
    cairo_font_options_t *options = cairo_font_options_create();
    cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE);
    cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
    cairo_font_options_set_antialias(options, CAIRO_ANTIALIAS_GRAY);
    if (p->kind == A1_FIGURE_PNG)
        cairo_scale(cairo, p->resolution / 72, p->resolution / 72);
    a1_pen pen = {.cairo = cairo, .layout = pango_cairo_create_layout(cairo)};
    pango_cairo_context_set_font_options(pango_layout_get_context(pen.layout), options);
    p->draw(&pen, p->user);
    g_object_unref(pen.layout);
    cairo_font_options_destroy(options);
    const cairo_status_t status = cairo_status(cairo);
    cairo_destroy(cairo);
    return status;
}

static cairo_status_t draw_to_buffer(const a1_picture *p, buffer *bytes)
{
    cairo_surface_t *surface = create_surface(p, bytes);
    cairo_status_t status = cairo_surface_status(surface);
    if (status == CAIRO_STATUS_SUCCESS)
        status = draw_on(surface, p);
    if (status == CAIRO_STATUS_SUCCESS && p->kind == A1_FIGURE_PNG)
        status = cairo_surface_write_to_png_stream(surface, receive, bytes);
    cairo_surface_finish(surface);
    if (status == CAIRO_STATUS_SUCCESS)
        status = cairo_surface_status(surface);
    cairo_surface_destroy(surface);
    return status;
}

allin1_status a1_picture_render(const a1_picture *picture, unsigned char **bytes, size_t *size,
                                a1_error *err)
{
    const double pixels = fmax(picture->width, picture->height) * picture->resolution;
    buffer drawn = {0}, marked = {0};
    *bytes = NULL;
    if (picture->kind == A1_FIGURE_PNG && pixels > PNG_MAX_PIXELS)
        return a1_fail(err, ALLIN1_ERROR_ARGUMENT, "a figure of %.0f pixels a side is too large",
                       pixels);
    const cairo_status_t status = draw_to_buffer(picture, &drawn);
    if (status == CAIRO_STATUS_SUCCESS && picture->kind == A1_FIGURE_PNG && picture->mark)
        mark_png(&marked, &drawn, picture->mark);
    else if (status == CAIRO_STATUS_SUCCESS && picture->kind == A1_FIGURE_SVG)
        mark_svg(&marked, &drawn, picture->mark);
    else
        marked = drawn;
    if (marked.bytes != drawn.bytes)
        free(drawn.bytes);
    if (status != CAIRO_STATUS_SUCCESS || marked.failed) {
        free(marked.bytes);
        return status == CAIRO_STATUS_NO_MEMORY || marked.failed
                   ? a1_fail_memory(err, "a figure")
                   : a1_fail(err, ALLIN1_ERROR_UNSUPPORTED, "the figure cannot be drawn: %s",
                             cairo_status_to_string(status));
    }
    *bytes = marked.bytes;
    *size = marked.used;
    return ALLIN1_OK;
}
