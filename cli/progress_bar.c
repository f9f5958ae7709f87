#include "progress_bar.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "messages.h"
#include "terminal.h"

#define REDRAW_SECONDS 0.1
#define MIN_BAR 10
#define MAX_BAR 40
#define MAX_NAME 40
/* A guess from less would jump. */
#define MIN_SHARE_FOR_TIME 0.03
#define MIN_SECONDS_FOR_TIME 2.0

/* Stages by the words that a user sees. */
static const struct {
    const char *stage, *words;
} stage_words[] = {
    {ALLIN1_STAGE_MODEL_LOAD, "loading the models"},
    {ALLIN1_STAGE_DEMIX_INIT, "loading the demixer"},
    {ALLIN1_STAGE_DECODE, "decoding"},
    {ALLIN1_STAGE_DEMIX, "demixing"},
    {ALLIN1_STAGE_STEMS_LOAD, "reading the stems"},
    {ALLIN1_STAGE_SPECTROGRAM, "spectrogram"},
    {ALLIN1_STAGE_NN, "network"},
    {ALLIN1_STAGE_POSTPROCESS, "beats and sections"},
};

static struct {
    bool shown, on_terminal;
    bool drawn; /* a bar stands on the screen */
    const char *name;
    int index, count;
    const char *stage; /* announced last, static storage */
    double overall;
    double input_started, last_drawn; /* seconds */
} bar;

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static const char *words_of(const char *stage)
{
    for (size_t i = 0; i < sizeof stage_words / sizeof *stage_words; i++)
        if (strcmp(stage_words[i].stage, stage) == 0)
            return stage_words[i].words;
    return stage;
}

static void wipe(void)
{
    if (bar.drawn) {
        fputs("\r\033[K", stderr);
        fflush(stderr);
    }
    bar.drawn = false;
}

static void put_cells(int cells, double share)
{
    const bool unicode = terminal_is_unicode();
    const int full = (int)floor(share * cells);
    for (int i = 0; i < cells; i++)
        fputs(i < full ? (unicode ? "\u2588" : "#") : (unicode ? "\u2591" : "-"), stderr);
}

static void draw(void)
{
    if (!bar.shown || !bar.on_terminal || !bar.stage)
        return;
    const double time = now(), spent = time - bar.input_started;
    char lead[32] = "", name[MAX_NAME * 4 + 4], tail[64] = "", left[32];
    const int width = terminal_width(stderr) - 1;
    if (bar.count > 1)
        snprintf(lead, sizeof lead, "[%d/%d] ", bar.index, bar.count);
    if (bar.overall > MIN_SHARE_FOR_TIME && spent > MIN_SECONDS_FOR_TIME) {
        text_time(left, sizeof left, spent / bar.overall * (1 - bar.overall), false);
        snprintf(tail, sizeof tail, ", %s left", left);
    }
    text_fit(name, sizeof name, bar.name, MAX_NAME < width / 3 ? MAX_NAME : width / 3);
    const char *words = words_of(bar.stage);
    const int text = (int)strlen(lead) + text_width(name) + 2 + (int)strlen(words) + 2 + 5 +
                     (int)strlen(tail);
    int cells = width - text;
    cells = cells > MAX_BAR ? MAX_BAR : cells;
    fprintf(stderr, "\r\033[K%s%s  ", lead, name);
    if (cells >= MIN_BAR)
        put_cells(cells, bar.overall);
    if (text - 2 <= width || cells >= MIN_BAR)
        fprintf(stderr, " %3.0f%%  %s%s", floor(bar.overall * 100), words, tail);
    fflush(stderr);
    bar.drawn = true;
    bar.last_drawn = time;
}

static void redraw(void)
{
    if (bar.name)
        draw();
}

void progress_bar_start(bool quiet)
{
    memset(&bar, 0, sizeof bar);
    bar.shown = !quiet;
    bar.on_terminal = isatty(STDERR_FILENO) != 0;
    message_set_hooks(wipe, redraw);
}

void progress_bar_input(const char *name, int index, int count)
{
    bar.name = name;
    bar.index = index;
    bar.count = count;
    bar.stage = NULL;
    bar.overall = 0;
    bar.input_started = now();
}

void progress_bar_update(const allin1_progress *progress)
{
    if (!bar.shown || !bar.name)
        return;
    const bool new_stage = !bar.stage || strcmp(bar.stage, progress->stage) != 0;
    bar.stage = progress->stage;
    bar.overall = progress->overall;
    if (bar.on_terminal) {
        if (new_stage || now() - bar.last_drawn > REDRAW_SECONDS)
            draw();
    } else if (new_stage) {
        if (bar.count > 1)
            fprintf(stderr, "[%d/%d] ", bar.index, bar.count);
        fprintf(stderr, "%s: %s\n", bar.name, words_of(progress->stage));
        fflush(stderr);
    }
}

void progress_bar_end(void)
{
    wipe();
    bar.name = NULL;
    bar.stage = NULL;
}
