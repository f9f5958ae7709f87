#include "plot/timings_figure.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "plot/label_style.h"

#define INK 0x1a1a1a
#define SOFT 0x595959
#define FAINT 0xb3b3b3
#define MARGIN_LEFT 60.0
#define MARGIN_RIGHT 44.0
#define TITLE_Y 20.0
#define FACTS_Y 37.0
#define TRACKS_TOP 52.0
#define TRACKS_HEIGHT 16.0
#define STAGE_HEIGHT 22.0
#define GAP 8.0
#define AXIS_HEIGHT 26.0
#define LEGEND_WIDTH 172.0 /* of an entry */
#define LEGEND_HEIGHT 15.0
#define BOTTOM 8.0
#define RESOLUTION 160.0
#define INCHES_LEAST 11.0
#define INCHES_A_TRACK 0.8
#define INCHES_MOST 40.0
#define LEAST_BOX 0.4 /* points; what is shorter is drawn as long, to be seen */
#define COLUMN 0.5    /* points of the time axis in which a thread's work is added up */
#define LEVELS 16     /* heights of a thread's bar; equal neighbours are one box */

/* Colours ----------------------------------------------------------------------------------------- */

/* The hues of Okabe and Ito, as in src/plot/label_style.c. */
static const struct {
    const char *name;
    uint32_t colour;
} groups[] = {
    {"decode", 0x56b4e9},      {"demix", 0x0072b2},   {"spectrogram", 0xe6a532},
    {"nn", 0xd55e00},          {"postprocess", 0x009e73}, {"loading and set-up", 0x7b4173},
    {"saving, drawing", 0xcc79a7}, {"guards", 0xf0e442}, {"other", 0x8c8c8c},
};
#define GROUPS (sizeof groups / sizeof *groups)

static const struct {
    const char *stage;
    unsigned group;
} members[] = {
    {ALLIN1_STAGE_DECODE, 0},         {ALLIN1_STAGE_DEMIX, 1},
    {ALLIN1_STAGE_CHEAP_STEMS, 1},    {ALLIN1_STAGE_SPECTROGRAM, 2},
    {ALLIN1_STAGE_NN, 3},             {ALLIN1_STAGE_POSTPROCESS, 4},
    {ALLIN1_STAGE_MODEL_LOAD, 5},     {ALLIN1_STAGE_DEMIX_INIT, 5},
    {ALLIN1_STAGE_SPEC_INIT, 5},      {ALLIN1_STAGE_STEMS_LOAD, 5},
    {ALLIN1_STAGE_SPEC_LOAD, 5},      {ALLIN1_STAGE_OPEN, 5},
    {ALLIN1_STAGE_START_UP, 5},       {ALLIN1_STAGE_STEMS_SAVE, 6},
    {ALLIN1_STAGE_SPEC_SAVE, 6},      {ALLIN1_STAGE_SAVE, 6},
    {ALLIN1_STAGE_VISUALIZE, 6},      {ALLIN1_STAGE_SONIFY, 6},
    {ALLIN1_STAGE_SPEC_CHECK, 7},     {ALLIN1_STAGE_PRECISION_CHECK, 7},
};

static unsigned group_of(const char *stage)
{
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        if (strcmp(members[i].stage, stage) == 0)
            return members[i].group;
    return GROUPS - 1;
}

/* The colour of a group, paler for what is inside another stage. */
static uint32_t shade(unsigned group, unsigned depth)
{
    const double keep = pow(0.6, depth < 3 ? depth : 3);
    uint32_t out = 0;
    for (unsigned shift = 0; shift < 24; shift += 8) {
        const double channel = groups[group].colour >> shift & 255;
        out |= (uint32_t)lround(255 - (255 - channel) * keep) << shift;
    }
    return out;
}

/* What is drawn ----------------------------------------------------------------------------------- */

/* The spans of one input that follow each other. */
typedef struct block {
    const char *track;
    double start, end, audio_seconds;
} block;

typedef struct chart {
    const a1_timings_figure *figure;
    unsigned *depths, *top_groups; /* of each span */
    block *blocks;
    size_t block_count;
    unsigned rows, threads;  /* of the deepest span + 1; rows of threads */
    double start, seconds;   /* > 0 */
    double totals[GROUPS];   /* seconds at the top */
    double unaccounted;
    size_t columns;
    float *work;             /* columns x GROUPS, of one thread, seconds */
    double width, height;    /* points */
    double left, length;     /* of the time axis */
    double stages_top, threads_top, thread_height, axis_top;
} chart;

static double x_of(const chart *c, double seconds)
{
    return c->left + fmin(fmax((seconds - c->start) / c->seconds, 0), 1) * c->length;
}

static void find_blocks(chart *c)
{
    for (size_t i = 0; i < c->figure->count; i++) {
        const allin1_span *s = &c->figure->spans[i];
        if (!s->track)
            continue;
        if (c->block_count == 0 || strcmp(c->blocks[c->block_count - 1].track, s->track) != 0)
            c->blocks[c->block_count++] = (block){s->track, s->start, s->end, 0};
        block *b = &c->blocks[c->block_count - 1];
        b->start = fmin(b->start, s->start);
        b->end = fmax(b->end, s->end);
        b->audio_seconds = s->audio_seconds > 0 ? s->audio_seconds : b->audio_seconds;
    }
}

/* Depths, colours, sums. Backwards, a span comes after the one that encloses it. */
static void find_rows(chart *c)
{
    double accounted = 0, end = c->figure->spans[0].end;
    c->start = c->figure->spans[0].start;
    for (size_t i = c->figure->count; i-- > 0;) {
        const allin1_span *s = &c->figure->spans[i];
        const size_t parent = c->figure->parents[i];
        c->start = fmin(c->start, s->start);
        end = fmax(end, s->end);
        c->threads = s->run->threads > c->threads ? s->run->threads : c->threads;
        for (size_t k = 0; k < s->work_count; k++)
            if (s->work[k].thread >= c->threads && c->threads <= A1_TIMINGS_FIGURE_THREADS)
                c->threads = s->work[k].thread < A1_TIMINGS_FIGURE_THREADS
                                 ? s->work[k].thread + 1
                                 : A1_TIMINGS_FIGURE_THREADS + 1;
        c->depths[i] = parent == SIZE_MAX ? 0 : c->depths[parent] + 1;
        c->top_groups[i] = parent == SIZE_MAX ? group_of(s->stage) : c->top_groups[parent];
        c->rows = c->depths[i] + 1 > c->rows ? c->depths[i] + 1 : c->rows;
        if (parent == SIZE_MAX) {
            c->totals[c->top_groups[i]] += s->end - s->start;
            accounted += s->end - s->start;
        }
    }
    c->seconds = fmax(end - c->start, 1e-6);
    c->unaccounted = fmax(end - c->start - accounted, 0);
}

static void arrange(chart *c)
{
    const double inches = fmin(fmax(INCHES_A_TRACK * (double)c->block_count, INCHES_LEAST),
                               INCHES_MOST);
    c->width = inches * 72;
    c->left = MARGIN_LEFT;
    c->length = c->width - MARGIN_LEFT - MARGIN_RIGHT;
    c->columns = (size_t)ceil(c->length / COLUMN);
    c->thread_height = fmax(fmin(144.0 / fmax(c->threads, 1), 24), 3);
    c->stages_top = TRACKS_TOP + TRACKS_HEIGHT;
    c->threads_top = c->stages_top + STAGE_HEIGHT * c->rows + GAP;
    c->axis_top = c->threads_top + c->thread_height * c->threads + 3;
    size_t entries = 1;
    for (size_t g = 0; g < GROUPS; g++)
        entries += c->totals[g] > 0;
    const size_t across = (size_t)((c->width - MARGIN_LEFT) / LEGEND_WIDTH);
    c->height = c->axis_top + AXIS_HEIGHT +
                LEGEND_HEIGHT * (double)((entries + across - 1) / across) + BOTTOM;
}

/* Text that comes from outside may be anything. */
static void draw_valid(const a1_pen *pen, double x, double y, const a1_text_style *style,
                       const char *text)
{
    char *valid = g_utf8_make_valid(text, -1);
    a1_pen_text(pen, x, y, style, valid);
    g_free(valid);
}

/* Head -------------------------------------------------------------------------------------------- */

static void format_seconds(char out[32], double seconds)
{
    if (seconds >= 100)
        a1_clock_text(out, seconds);
    else
        snprintf(out, 32, seconds < 0.1 ? "%.3f s" : seconds < 10 ? "%.2f s" : "%.1f s", seconds);
}

static void draw_head(const a1_pen *pen, const chart *c)
{
    const allin1_span *last = &c->figure->spans[c->figure->count - 1];
    const allin1_run *run = last->run;
    char title[200], facts[400], took[32], music[32], started[40] = "";
    double audio = 0;
    for (size_t i = 0; i < c->block_count; i++)
        audio += c->blocks[i].audio_seconds;
    format_seconds(took, c->seconds);
    format_seconds(music, audio);
    if (audio > 0)
        snprintf(title, sizeof title, "%zu %s, %s of music in %s: %.3g times real time",
                 c->block_count, c->block_count == 1 ? "track" : "tracks", music, took,
                 audio / c->seconds);
    else
        snprintf(title, sizeof title, "a run of %s", took);
    const time_t when = (time_t)run->started;
    struct tm utc;
    if (gmtime_r(&when, &utc))
        strftime(started, sizeof started, "%Y-%m-%d %H:%M:%S UTC", &utc);
    snprintf(facts, sizeof facts, "%s  ·  %s%s%u %s  ·  %s  ·  allin1 %s%s", run->host,
             run->processor, *run->processor ? "  ·  " : "", run->threads,
             run->threads == 1 ? "thread" : "threads", started, run->version,
             c->figure->incomplete ? "  ·  memory ran out for some spans" : "");
    const a1_text_style bold = {.size = 14, .bold = true, .colour = INK, .width = c->length};
    const a1_text_style soft = {.size = 9, .colour = SOFT, .width = c->length};
    a1_pen_text(pen, c->left, TITLE_Y, &bold, title);
    draw_valid(pen, c->left, FACTS_Y, &soft, facts);
}

/* Tracks ------------------------------------------------------------------------------------------ */

static void draw_blocks(const a1_pen *pen, const chart *c)
{
    for (size_t i = 0; i < c->block_count; i++) {
        const block *b = &c->blocks[i];
        const double x = x_of(c, b->start), width = x_of(c, b->end) - x;
        a1_text_style style = {.size = 9, .bold = true, .colour = INK};
        char number[32];
        const char *slash = strrchr(b->track, '/');
        a1_pen_box(pen, x, TRACKS_TOP, width, c->axis_top - TRACKS_TOP, 0x000000,
                   i % 2 ? 0.03 : 0.075);
        a1_pen_line(pen, x, TRACKS_TOP, x, c->axis_top, 0.6, SOFT, 1);
        snprintf(number, sizeof number, "%zu", i + 1);
        char *name = g_utf8_make_valid(slash && slash[1] ? slash + 1 : b->track, -1);
        if (a1_pen_text_width(pen, &style, name) + 6 > width)
            style.size = 7.5;
        const bool whole = a1_pen_text_width(pen, &style, name) + 6 <= width;
        const bool roomy = whole || width >= 54; /* else too little would be left of it */
        style.width = roomy && !whole ? width - 6 : 0;
        if (roomy || a1_pen_text_width(pen, &style, number) + 5 <= width)
            a1_pen_text(pen, x + 3, TRACKS_TOP + TRACKS_HEIGHT / 2, &style, roomy ? name : number);
        g_free(name);
    }
}

/* Stages ------------------------------------------------------------------------------------------ */

static void draw_side(const a1_pen *pen, const chart *c, double y, const char *text)
{
    const a1_text_style style = {.size = 7.5, .colour = SOFT, .align = 1};
    a1_pen_text(pen, c->left - 5, y, &style, text);
}

/* The most that fits of: name, what it used, time; the name; nothing. */
static void draw_label(const a1_pen *pen, const allin1_span *s, double x, double y, double width,
                       uint32_t colour)
{
    char texts[3][200], time[32];
    const char *used = s->precision ? s->precision : s->backend ? s->backend : s->mode;
    format_seconds(time, s->end - s->start);
    snprintf(texts[0], sizeof texts[0], "%s%s%s%s%s  %s", s->stage, used ? " · " : "",
             used ? used : "", s->fallback ? " after " : "", s->fallback ? s->fallback : "", time);
    snprintf(texts[1], sizeof texts[1], "%s  %s", s->stage, time);
    snprintf(texts[2], sizeof texts[2], "%s", s->stage);
    const a1_text_style style = {.size = 8.5, .colour = colour, .align = 0.5};
    bool drawn = false;
    for (size_t i = 0; i < 3 && width >= 8 && !drawn; i++) {
        char *valid = g_utf8_make_valid(texts[i], -1);
        drawn = a1_pen_text_width(pen, &style, valid) + 4 <= width;
        if (drawn)
            a1_pen_text(pen, x + width / 2, y, &style, valid);
        g_free(valid);
    }
}

static void draw_stages(const a1_pen *pen, const chart *c)
{
    draw_side(pen, c, c->stages_top + STAGE_HEIGHT / 2, "stages");
    if (c->rows > 1)
        draw_side(pen, c, c->stages_top + STAGE_HEIGHT * 1.5, "inside them");
    for (size_t i = c->figure->count; i-- > 0;) {
        const allin1_span *s = &c->figure->spans[i];
        const double x = x_of(c, s->start), width = fmax(x_of(c, s->end) - x, LEAST_BOX);
        const double y = c->stages_top + STAGE_HEIGHT * c->depths[i];
        const uint32_t colour = shade(c->top_groups[i], c->depths[i]);
        a1_pen_box(pen, x, y + 1, width, STAGE_HEIGHT - 2, colour, 1);
        if (width > 3) /* neighbours of one colour stay apart */
            a1_pen_line(pen, x + 0.2, y + 1, x + 0.2, y + STAGE_HEIGHT - 1, 0.5, 0xffffff, 1);
        draw_label(pen, s, x, y + STAGE_HEIGHT / 2, width, a1_text_colour_on(colour));
    }
}

/* Threads ----------------------------------------------------------------------------------------- */

/* Spreads one stretch's busy time evenly over the columns that it covers. */
static void add_work(const chart *c, const allin1_thread_work *w, unsigned group)
{
    const double scale = (double)c->columns / c->seconds, last = (double)c->columns;
    const double from = fmin(fmax((w->start - c->start) * scale, 0), last);
    const double to = fmin(fmax((w->end - c->start) * scale, from), last);
    const double rate = to > from ? w->busy / (to - from) : 0;
    for (size_t k = (size_t)from; k < c->columns && (double)k < to; k++) {
        const double part = fmin(to, (double)k + 1) - fmax(from, (double)k);
        c->work[k * GROUPS + group] += (float)(part * rate);
    }
}

/* Heights of the groups' parts of a column, from the bottom up, in LEVELS of the row. */
static void column_levels(const chart *c, size_t column, int levels[GROUPS])
{
    const double full = c->seconds / (double)c->columns;
    double sum = 0;
    int below = 0;
    for (size_t g = 0; g < GROUPS; g++) {
        sum += (double)c->work[column * GROUPS + g];
        const int top = (int)lround(fmin(fmax(sum / full, 0), 1) * LEVELS);
        levels[g] = top - below;
        below = top;
    }
}

static void draw_columns(const a1_pen *pen, const chart *c, size_t from, size_t to,
                         const int levels[GROUPS], double bottom)
{
    const double unit = (c->thread_height - fmin(c->thread_height * 0.2, 2)) / LEVELS;
    const double step = c->length / (double)c->columns;
    for (size_t g = 0; g < GROUPS; g++) {
        const double height = unit * levels[g];
        if (levels[g] > 0)
            a1_pen_box(pen, c->left + step * (double)from, bottom - height,
                       step * (double)(to - from), height, groups[g].colour, 1);
        bottom -= height;
    }
}

static void draw_thread(const a1_pen *pen, const chart *c, unsigned thread)
{
    const double top = c->threads_top + c->thread_height * thread;
    const double bottom = top + c->thread_height;
    double busy = 0;
    memset(c->work, 0, c->columns * GROUPS * sizeof *c->work);
    for (size_t i = 0; i < c->figure->count; i++) {
        const allin1_span *s = &c->figure->spans[i];
        for (size_t k = 0; k < s->work_count; k++) {
            if (s->work[k].thread != thread)
                continue;
            busy += s->work[k].busy;
            add_work(c, &s->work[k], c->top_groups[i]);
        }
    }
    /* Half-covered pixels would show as seams between columns. */
    cairo_save(pen->cairo);
    cairo_set_antialias(pen->cairo, CAIRO_ANTIALIAS_NONE);
    int levels[GROUPS] = {0}, next[GROUPS];
    size_t begun = 0;
    for (size_t k = 0; k < c->columns; k++) {
        column_levels(c, k, next);
        if (memcmp(levels, next, sizeof next) != 0) {
            draw_columns(pen, c, begun, k, levels, bottom);
            begun = k;
            memcpy(levels, next, sizeof next);
        }
    }
    draw_columns(pen, c, begun, c->columns, levels, bottom);
    cairo_restore(pen->cairo);
    a1_pen_line(pen, c->left, bottom, c->left + c->length, bottom, 0.4, FAINT, 1);

    const unsigned every = (unsigned)ceil(9 / c->thread_height);
    char text[48];
    if (thread % every != 0)
        return;
    const double y = top + fmax(c->thread_height, 9) / 2;
    snprintf(text, sizeof text, "thread %u", thread);
    draw_side(pen, c, y, text);
    const a1_text_style style = {.size = 7.5, .colour = SOFT};
    snprintf(text, sizeof text, "%.0f %%", fmin(busy / c->seconds, 1) * 100);
    a1_pen_text(pen, c->left + c->length + 5, y, &style, text);
}

/* Axis and legend --------------------------------------------------------------------------------- */

static double choose_step(const chart *c)
{
    static const double steps[] = {1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600};
    const double least = 52 / c->length * c->seconds;
    for (size_t i = 0; least > 0.5 && i < sizeof steps / sizeof *steps; i++)
        if (steps[i] >= least)
            return steps[i];
    const double power = pow(10, floor(log10(least)));
    return least <= 1.001 * power ? power
           : least <= 2 * power   ? 2 * power
           : least <= 5 * power   ? 5 * power
                                  : 10 * power;
}

static void draw_axis(const a1_pen *pen, const chart *c)
{
    const a1_text_style style = {.size = 8.5, .colour = SOFT, .align = 0.5};
    const double step = choose_step(c);
    const int decimals = step >= 1 ? 0 : (int)ceil(-log10(step) - 1e-9);
    a1_pen_line(pen, c->left, c->axis_top, c->left + c->length, c->axis_top, 0.8, INK, 1);
    for (size_t i = 0; (double)i * step <= c->seconds; i++) {
        const double t = (double)i * step, x = x_of(c, c->start + t);
        char text[32];
        if (c->seconds >= 100)
            a1_clock_text(text, t);
        else
            snprintf(text, sizeof text, "%.*f s", decimals, t);
        a1_pen_line(pen, x, c->axis_top, x, c->axis_top + 4, 0.8, INK, 1);
        a1_pen_text(pen, x, c->axis_top + 11, &style, text);
    }
}

static void draw_legend(const a1_pen *pen, const chart *c)
{
    const a1_text_style style = {.size = 8.5, .colour = INK, .width = LEGEND_WIDTH - 22};
    const size_t across = (size_t)((c->width - MARGIN_LEFT) / LEGEND_WIDTH);
    size_t at = 0;
    for (size_t g = 0; g <= GROUPS; g++) {
        const bool rest = g == GROUPS;
        const double seconds = rest ? c->unaccounted : c->totals[g];
        char time[32], text[96];
        if (!rest && seconds <= 0)
            continue;
        const double x = c->left + LEGEND_WIDTH * (double)(at % across);
        const double y = c->axis_top + AXIS_HEIGHT + LEGEND_HEIGHT * (double)(at / across);
        format_seconds(time, seconds);
        snprintf(text, sizeof text, "%s  %s  %.1f %%", rest ? "in no stage" : groups[g].name, time,
                 seconds / c->seconds * 100);
        a1_pen_box(pen, x, y + 3, 12, 9, rest ? 0xffffff : groups[g].colour, 1);
        if (rest) {
            a1_pen_colour(pen, FAINT, 1);
            cairo_set_line_width(pen->cairo, 0.6);
            cairo_rectangle(pen->cairo, x + 0.3, y + 3.3, 11.4, 8.4);
            cairo_stroke(pen->cairo);
        }
        a1_pen_text(pen, x + 17, y + 7.5, &style, text);
        at++;
    }
}

static void draw(const a1_pen *pen, const void *user)
{
    const chart *c = user;
    a1_pen_box(pen, 0, 0, c->width, c->height, 0xffffff, 1);
    draw_head(pen, c);
    draw_blocks(pen, c);
    draw_stages(pen, c);
    for (unsigned t = 0; t < c->threads; t++)
        draw_thread(pen, c, t);
    draw_axis(pen, c);
    draw_legend(pen, c);
}

/* The whole --------------------------------------------------------------------------------------- */

static allin1_status render(chart *c, unsigned char **bytes, size_t *size, a1_error *err)
{
    const size_t count = c->figure->count;
    c->depths = calloc(count, sizeof *c->depths);
    c->top_groups = calloc(count, sizeof *c->top_groups);
    c->blocks = calloc(count, sizeof *c->blocks);
    if (!c->depths || !c->top_groups || !c->blocks)
        return a1_fail_memory(err, "a figure");
    find_blocks(c);
    find_rows(c);
    if (c->threads > A1_TIMINGS_FIGURE_THREADS)
        return a1_fail(err, ALLIN1_ERROR_UNSUPPORTED,
                       "a figure of the timings has room for %d threads, and there are more",
                       A1_TIMINGS_FIGURE_THREADS);
    arrange(c);
    c->work = malloc(c->columns * GROUPS * sizeof *c->work);
    if (!c->work)
        return a1_fail_memory(err, "a figure");
    const a1_picture picture = {.kind = c->figure->kind,
                                .width = c->width / 72,
                                .height = c->height / 72,
                                .resolution = RESOLUTION,
                                .title = "allin1: timings",
                                .draw = draw,
                                .user = c};
    return a1_picture_render(&picture, bytes, size, err);
}

allin1_status a1_timings_figure_render(const a1_timings_figure *figure, unsigned char **bytes,
                                       size_t *size, a1_error *err)
{
    chart c = {.figure = figure};
    *bytes = NULL;
    const allin1_status status = render(&c, bytes, size, err);
    free(c.depths);
    free(c.top_groups);
    free(c.blocks);
    free(c.work);
    return status;
}
