#include "plot/figure_draw.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "plot/label_style.h"
#include "plot/tempo_line.h"

#define INK 0x1a1a1a
#define SOFT 0x595959
#define FAINT 0xb3b3b3
#define MARGIN_LEFT 46.0
#define MARGIN_RIGHT 18.0
#define TITLE_Y 20.0
#define BAND_TOP 40.0
#define BAND_HEIGHT 31.0
#define BEATS_HEIGHT 15.0
#define TEMPO_HEIGHT 44.0
#define AXIS_HEIGHT 26.0
#define GAP 7.0
#define MIN_TICK_DISTANCE 2.5 /* points; nearer ticks run into each other in print */
#define WAVE_STEP 0.6

typedef struct chart {
    const a1_pen *pen;
    const a1_figure *figure;
    const allin1_result *result;
    double left, width; /* points */
    double seconds;     /* that the width stands for, > 0 */
    double wave_top, wave_height, beats_top, tempo_top, axis_top;
} chart;

/* Times count with the decimals of the result's file, so that a figure is the same before and after. */
static double x_of(const chart *c, double seconds)
{
    const double written = round(seconds * 100) / 100;
    return c->left + fmin(fmax(written / c->seconds, 0), 1) * c->width;
}

/* Head -------------------------------------------------------------------------------------------- */

static void draw_head(const chart *c, const char *name)
{
    const allin1_result *r = c->result;
    char facts[160], length[32], tempo[48] = "no beat", metre[24] = "";
    a1_clock_text(length, r->duration);
    if (r->bpm > 0 && isfinite(r->tempo))
        snprintf(tempo, sizeof tempo, "%.1f bpm", r->tempo);
    else if (r->bpm > 0)
        snprintf(tempo, sizeof tempo, "%d bpm", r->bpm);
    if (r->beats_per_bar > 0)
        snprintf(metre, sizeof metre, "%u/4  ·  ", r->beats_per_bar);
    snprintf(facts, sizeof facts, "%s  ·  %s%s", tempo, metre, length);
    const a1_text_style right = {.size = 10, .colour = SOFT, .align = 1};
    const double taken = a1_pen_text_width(c->pen, &right, facts);
    a1_pen_text(c->pen, c->left + c->width, TITLE_Y + 1, &right, facts);
    const a1_text_style title = {
        .size = 14, .bold = true, .colour = INK, .width = fmax(c->width - taken - 24, 40)};
    a1_pen_text(c->pen, c->left, TITLE_Y, &title, name);
}

/* Sections ---------------------------------------------------------------------------------------- */

/* The label in the box: as it is, smaller, standing upright; nothing when it fits nowhere. */
static void draw_label(const chart *c, const char *label, double x, double width, uint32_t colour)
{
    a1_text_style style = {.size = 10, .bold = true, .colour = colour, .align = 0.5};
    const double sizes[] = {10, 8.5, 7};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        style.size = sizes[i];
        if (a1_pen_text_width(c->pen, &style, label) + 5 <= width) {
            a1_pen_text(c->pen, x + width / 2, BAND_TOP + 10.5, &style, label);
            return;
        }
    }
    if (width < style.size + 1.5 ||
        a1_pen_text_width(c->pen, &style, label) + 2 > BAND_HEIGHT)
        return;
    cairo_save(c->pen->cairo);
    cairo_translate(c->pen->cairo, x + width / 2, BAND_TOP + BAND_HEIGHT / 2);
    cairo_rotate(c->pen->cairo, -M_PI / 2);
    a1_pen_text(c->pen, 0, 0, &style, label);
    cairo_restore(c->pen->cairo);
}

static void draw_sections(const chart *c)
{
    const allin1_result *r = c->result;
    for (size_t i = 0; i < r->segment_count; i++) {
        const allin1_segment *s = &r->segments[i];
        const double x = x_of(c, s->start), width = x_of(c, s->end) - x;
        const uint32_t colour = a1_label_colour(s->label), text = a1_text_colour_on(colour);
        char time[32];
        if (width <= 0)
            continue;
        a1_pen_box(c->pen, x, BAND_TOP, width, BAND_HEIGHT, colour, 1);
        draw_label(c, s->label, x, width, text);
        a1_clock_text(time, s->start);
        const a1_text_style small = {.size = 7.5, .colour = text, .align = 0.5};
        if (a1_pen_text_width(c->pen, &small, time) + 5 <= width)
            a1_pen_text(c->pen, x + width / 2, BAND_TOP + 22.5, &small, time);
    }
    for (size_t i = 0; i < r->segment_count; i++)
        a1_pen_line(c->pen, x_of(c, r->segments[i].start), BAND_TOP,
                    x_of(c, r->segments[i].start), c->axis_top, 0.8, INK, i ? 0.75 : 0);
}

/* Waveform ---------------------------------------------------------------------------------------- */

typedef struct column {
    double low, high, rms;
} column;

static column column_of(const allin1_waveform *w, double start, double end)
{
    const double last = (double)w->bins;
    const size_t from = (size_t)fmin(fmax(start * w->bins_per_second, 0), last);
    const size_t to = (size_t)fmin(fmax(ceil(end * w->bins_per_second), 0), last);
    column all = {0, 0, 0};
    double power = 0;
    for (size_t i = from; i < to; i++) {
        all.low = fmin(all.low, w->low[i]);
        all.high = fmax(all.high, w->high[i]);
        power += (double)w->rms[i] * (double)w->rms[i];
    }
    if (to > from)
        all.rms = sqrt(power / (double)(to - from));
    return all;
}

static double largest(const allin1_waveform *w)
{
    double peak = 0;
    for (size_t i = 0; i < w->bins; i++)
        peak = fmax(peak, fmax((double)w->high[i], -(double)w->low[i]));
    return peak;
}

/* One closed outline from x0 to x1: forth along the upper edge, back along the lower. */
static void fill_wave(const chart *c, double x0, double x1, double scale, bool power,
                      uint32_t colour, double opacity)
{
    const allin1_waveform *w = c->figure->waveform;
    const double middle = c->wave_top + c->wave_height / 2;
    const int steps = (int)fmax(ceil((x1 - x0) / WAVE_STEP), 1);
    cairo_t *cairo = c->pen->cairo;
    cairo_new_path(cairo);
    for (int pass = 0; pass < 2; pass++) {
        for (int k = 0; k <= steps; k++) {
            const int i = pass ? steps - k : k;
            const double x = fmin(x0 + i * WAVE_STEP, x1);
            const double time = (x - c->left) / c->width * c->seconds;
            const double span = WAVE_STEP / c->width * c->seconds;
            const column at = column_of(w, time, time + span);
            const double upper = power ? at.rms : at.high, lower = power ? -at.rms : at.low;
            cairo_line_to(cairo, x, middle - scale * (pass ? lower : upper));
        }
    }
    cairo_close_path(cairo);
    a1_pen_colour(c->pen, colour, opacity);
    cairo_fill(cairo);
}

static void draw_wave_part(const chart *c, double start, double end, double scale, uint32_t colour)
{
    const double x0 = x_of(c, start), x1 = x_of(c, end);
    if (x1 <= x0)
        return;
    a1_pen_box(c->pen, x0, c->wave_top, x1 - x0, c->wave_height, colour, 0.13);
    if (!c->figure->waveform)
        return;
    fill_wave(c, x0, x1, scale, false, colour, 0.65);
    fill_wave(c, x0, x1, scale, true, colour, 1);
    fill_wave(c, x0, x1, scale, true, 0x000000, 0.25);
}

static void draw_wave(const chart *c)
{
    const allin1_result *r = c->result;
    const double peak = c->figure->waveform ? largest(c->figure->waveform) : 0;
    const double scale = peak > 0 ? 0.48 * c->wave_height / peak : 0;
    if (r->segment_count == 0)
        draw_wave_part(c, 0, c->seconds, scale, a1_label_colour(""));
    for (size_t i = 0; i < r->segment_count; i++)
        draw_wave_part(c, r->segments[i].start, r->segments[i].end, scale,
                       a1_label_colour(r->segments[i].label));
}

/* Beats ------------------------------------------------------------------------------------------- */

/* The mean distance of neighbours on the paper. */
static double distance(const chart *c, const double *times, size_t count)
{
    if (count < 2)
        return HUGE_VAL;
    return (times[count - 1] - times[0]) / (double)(count - 1) / c->seconds * c->width;
}

static void draw_ticks(const chart *c, const double *times, size_t count, double height,
                       double width, uint32_t colour)
{
    a1_pen_colour(c->pen, colour, 1);
    cairo_set_line_width(c->pen->cairo, width);
    for (size_t i = 0; i < count; i++) {
        cairo_move_to(c->pen->cairo, x_of(c, times[i]), c->beats_top + 2);
        cairo_line_to(c->pen->cairo, x_of(c, times[i]), c->beats_top + 2 + height);
    }
    cairo_stroke(c->pen->cairo);
}

static void draw_side(const chart *c, double y, const char *text)
{
    const a1_text_style style = {.size = 7.5, .colour = SOFT, .align = 1};
    a1_pen_text(c->pen, c->left - 5, y, &style, text);
}

static void draw_beats(const chart *c)
{
    const allin1_result *r = c->result;
    const bool beats = distance(c, r->beats, r->beat_count) >= MIN_TICK_DISTANCE;
    const bool bars = distance(c, r->downbeats, r->downbeat_count) >= MIN_TICK_DISTANCE;
    if (r->beat_count == 0)
        return;
    if (beats)
        draw_ticks(c, r->beats, r->beat_count, 4.5, 0.6, SOFT);
    if (bars)
        draw_ticks(c, r->downbeats, r->downbeat_count, 10, 0.8, INK);
    draw_side(c, c->beats_top + 7, beats ? "beats" : "bars");
    if (!beats && !bars) {
        const a1_text_style style = {.size = 7.5, .colour = SOFT};
        char text[64];
        snprintf(text, sizeof text, "%zu bars, too close to be drawn", r->downbeat_count);
        a1_pen_text(c->pen, c->left + 4, c->beats_top + 7, &style, text);
    }
}

/* Tempo ------------------------------------------------------------------------------------------- */

static void draw_tempo(const chart *c)
{
    const size_t points = a1_tempo_line_points(c->result);
    double low = HUGE_VAL, high = 0;
    for (size_t i = 0; i < points; i++) {
        double time, bpm;
        a1_tempo_line_point(c->result, i, &time, &bpm);
        low = fmin(low, bpm);
        high = fmax(high, bpm);
    }
    if (points == 0)
        return;
    /* A steady tempo is a level line: the scale never shows less than a tenth. */
    const double middle = (low + high) / 2, reach = fmax((high - low) * 0.6, middle * 0.05);
    const double bottom = c->tempo_top + TEMPO_HEIGHT;
    char text[32];
    a1_pen_box(c->pen, c->left, c->tempo_top, c->width, TEMPO_HEIGHT, 0x000000, 0.035);
    for (int i = -1; i <= 1; i++) {
        const double y = bottom - TEMPO_HEIGHT * (0.5 + 0.36 * i);
        a1_pen_line(c->pen, c->left, y, c->left + c->width, y, 0.4, FAINT, 1);
        snprintf(text, sizeof text, "%.0f", middle + reach * 0.72 * i);
        draw_side(c, y, text);
    }
    cairo_new_path(c->pen->cairo);
    for (size_t i = 0; i < points; i++) {
        double time, bpm;
        a1_tempo_line_point(c->result, i, &time, &bpm);
        cairo_line_to(c->pen->cairo, x_of(c, time),
                      bottom - TEMPO_HEIGHT * (0.5 + 0.5 * (bpm - middle) / reach));
    }
    a1_pen_colour(c->pen, INK, 1);
    cairo_set_line_width(c->pen->cairo, 1.3);
    cairo_set_line_join(c->pen->cairo, CAIRO_LINE_JOIN_ROUND);
    cairo_stroke(c->pen->cairo);
    const a1_text_style style = {.size = 7.5, .colour = SOFT};
    a1_pen_text(c->pen, c->left + 4, c->tempo_top + 0.32 * TEMPO_HEIGHT, &style, "tempo, bpm");
}

/* Time -------------------------------------------------------------------------------------------- */

static void draw_axis(const chart *c)
{
    static const double steps[] = {1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600};
    const a1_text_style style = {.size = 8.5, .colour = SOFT, .align = 0.5};
    double step = steps[sizeof steps / sizeof *steps - 1];
    for (size_t i = sizeof steps / sizeof *steps; i-- > 0;)
        if (steps[i] / c->seconds * c->width >= 52)
            step = steps[i];
    a1_pen_line(c->pen, c->left, c->axis_top, c->left + c->width, c->axis_top, 0.8, INK, 1);
    for (double t = 0; t <= c->seconds; t += step) {
        char text[32];
        a1_clock_text(text, t);
        a1_pen_line(c->pen, x_of(c, t), c->axis_top, x_of(c, t), c->axis_top + 4, 0.8, INK, 1);
        a1_pen_text(c->pen, x_of(c, t), c->axis_top + 11, &style, text);
    }
}

void a1_figure_draw(const a1_pen *pen, const a1_figure *figure, const char *name)
{
    const double width = figure->width * 72, height = figure->height * 72;
    const double tempo = a1_tempo_line_points(figure->result) ? TEMPO_HEIGHT + GAP : 0;
    const double beats = figure->result->beat_count ? BEATS_HEIGHT : 0;
    chart c = {.pen = pen, .figure = figure, .result = figure->result, .left = MARGIN_LEFT};
    c.width = width - MARGIN_LEFT - MARGIN_RIGHT;
    c.seconds = fmax(round(figure->result->duration * 1e6) / 1e6, 0.01);
    c.axis_top = height - AXIS_HEIGHT;
    c.tempo_top = c.axis_top - tempo;
    c.beats_top = c.tempo_top - beats - (tempo > 0 ? 3 : 0);
    c.wave_top = BAND_TOP + BAND_HEIGHT;
    c.wave_height = c.beats_top - c.wave_top;

    a1_pen_box(pen, 0, 0, width, height, 0xffffff, 1);
    draw_head(&c, name);
    draw_wave(&c);
    draw_beats(&c);
    draw_tempo(&c);
    draw_sections(&c);
    draw_axis(&c);
}
