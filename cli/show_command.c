#include "show_command.h"

#include <allin1/allin1.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "messages.h"
#include "option_value.h"
#include "options.h"
#include "standard_output.h"
#include "terminal.h"

#define MARGIN 2
#define TEXT_ROOM 1024

/* Colours of the 256-colour palette, near those of Okabe and Ito, which colour-blind people tell
 * apart; and black or white for the text on them. */
typedef struct paint {
    const char *label;
    int back, text;
} paint;

static const paint paints[] = {
    {"intro", 117, 16},  {"verse", 25, 231}, {"chorus", 166, 231}, {"bridge", 221, 16},
    {"inst", 36, 231},   {"solo", 175, 16},  {"break", 186, 16},   {"outro", 67, 231},
    {"start", 250, 16},  {"end", 250, 16},
};

static const paint other_paint = {"", 245, 16};

typedef struct page {
    int width; /* columns for the bar */
    bool colour;
} page;

static const paint *paint_of(const char *label)
{
    for (size_t i = 0; i < sizeof paints / sizeof *paints; i++)
        if (strcmp(paints[i].label, label) == 0)
            return &paints[i];
    return &other_paint;
}

static void put_spaces(int count)
{
    printf("%*s", count > 0 ? count : 0, "");
}

/* A cell of the bar: a mark at its start, then as much of the label as fits. */
static void put_cell(const page *p, const char *label, int columns)
{
    char text[TEXT_ROOM];
    const paint *colours = paint_of(label);
    text_cut(text, sizeof text, label, columns - 1);
    const int rest = columns - 1 - text_width(text);
    if (p->colour)
        printf("\033[48;5;%d;38;5;%dm", colours->back, colours->text);
    printf("|%s", text);
    for (int i = 0; i < rest; i++)
        putchar(p->colour ? ' ' : '-');
    if (p->colour)
        fputs("\033[0m", stdout);
}

/* The column at which a time stands, 0 to p->width. */
static int column_of(const page *p, const allin1_result *result, double seconds)
{
    if (!(result->duration > 0))
        return 0;
    const double column = seconds / result->duration * p->width;
    return column > p->width ? p->width : (int)lround(column);
}

static void put_bar(const page *p, const allin1_result *result)
{
    put_spaces(MARGIN);
    int at = 0;
    for (size_t i = 0; i < result->segment_count; i++) {
        const allin1_segment *segment = &result->segments[i];
        const int start = column_of(p, result, segment->start);
        const int end = column_of(p, result, segment->end);
        const int from = start > at ? start : at;
        if (end <= from)
            continue;
        put_spaces(from - at);
        put_cell(p, segment->label, end - from);
        at = end;
    }
    puts(p->colour ? "" : "|");
}

/* Start times below the cells, as many as fit without touching. */
static void put_scale(const page *p, const allin1_result *result)
{
    int at = 0;
    put_spaces(MARGIN);
    for (size_t i = 0; i <= result->segment_count; i++) {
        const bool last = i == result->segment_count;
        const double seconds = last ? result->duration : result->segments[i].start;
        char text[64];
        text_time(text, sizeof text, seconds, false);
        const int length = (int)strlen(text);
        int column = column_of(p, result, seconds);
        if (column + length > p->width)
            column = p->width - length;
        if (column < at + (at > 0))
            continue;
        /* The end of the song is worth more than the start of its last section. */
        if (!last && column + length + 1 > p->width - 5 && column > 0)
            continue;
        put_spaces(column - at);
        fputs(text, stdout);
        at = column + length;
    }
    putchar('\n');
}

static size_t count_between(const double *times, size_t count, double start, double end)
{
    size_t found = 0;
    /* Beats stand on frames, boundaries on the same grid: half a frame settles which side. */
    for (size_t i = 0; i < count; i++)
        found += times[i] >= start - 0.005 && times[i] < end - 0.005;
    return found;
}

static void put_table(const page *p, const allin1_result *result)
{
    printf("%*s%10s %10s %9s %6s  %s\n", MARGIN, "", "start", "end", "length", "bars", "section");
    for (size_t i = 0; i < result->segment_count; i++) {
        const allin1_segment *segment = &result->segments[i];
        const paint *colours = paint_of(segment->label);
        char start[64], end[64], label[TEXT_ROOM];
        text_time(start, sizeof start, segment->start, true);
        text_time(end, sizeof end, segment->end, true);
        text_fit(label, sizeof label, segment->label, p->width > 60 ? p->width - 45 : 15);
        const size_t bars = count_between(result->downbeats, result->downbeat_count,
                                          segment->start, segment->end);
        printf("%*s%10s %10s %7.2f s %6zu  ", MARGIN, "", start, end,
               segment->end - segment->start, bars);
        if (p->colour)
            printf("\033[48;5;%dm  \033[0m ", colours->back);
        fputs(label, stdout);
        if (isfinite(segment->probability))
            printf("  %.0f%%", segment->probability * 100);
        putchar('\n');
    }
}

static void put_count(size_t count, const char *what, const char *tail)
{
    printf("%zu %s%s%s", count, what, count == 1 ? "" : "s", tail);
}

static void put_facts(const allin1_result *result)
{
    char length[64];
    text_time(length, sizeof length, result->duration, true);
    put_spaces(MARGIN);
    if (result->bpm == 0)
        printf("tempo none, ");
    else if (isfinite(result->tempo))
        printf("tempo %.2f bpm (%d), ", result->tempo, result->bpm);
    else
        printf("tempo %d bpm, ", result->bpm);
    if (result->beats_per_bar > 0)
        printf("metre %u/4, ", result->beats_per_bar);
    printf("length %s, ", length);
    put_count(result->beat_count, "beat", ", ");
    put_count(result->downbeat_count, "downbeat", "\n");
}

/* Of tempo and beats, where the result tells it. */
static void put_confidences(const allin1_result *result)
{
    if (!isfinite(result->tempo_confidence))
        return;
    printf("%*stempo %.0f%% sure", MARGIN, "", result->tempo_confidence * 100);
    for (size_t i = 0; i < result->tempo_alternative_count; i++) {
        const allin1_tempo_alternative *alternative = &result->tempo_alternatives[i];
        char relation[32];
        text_fit(relation, sizeof relation, alternative->relation, 16);
        printf(", %s (%.2f) %.0f%%", relation, alternative->bpm, alternative->confidence * 100);
    }
    double sum = 0;
    size_t doubtful = 0;
    for (size_t i = 0; result->beat_confidences && i < result->beat_count; i++) {
        sum += result->beat_confidences[i];
        doubtful += result->beat_confidences[i] < 0.5;
    }
    if (result->beat_confidences && result->beat_count > 0)
        printf("; beats %.0f%%, %zu doubtful", sum / (double)result->beat_count * 100, doubtful);
    putchar('\n');
}

/* Who heard the song, where it was not the full pipeline from the beginning. */
static void put_student(const allin1_student *student)
{
    char confidence[64] = "";
    if (!student)
        return;
    if (student->confidence >= 0)
        snprintf(confidence, sizeof confidence, ", expected to agree with the full models on %.0f%% of beats",
                 student->confidence * 100);
    if (student->refined)
        printf("%*sby the full models, since the student was unsure (%.0f%%)\n", MARGIN, "",
               student->confidence * 100);
    else
        printf("%*sby the student%s\n", MARGIN, "", confidence);
}

static const char *file_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash && slash[1] ? slash + 1 : path;
}

static void put_result(const page *p, const allin1_result *result)
{
    char name[TEXT_ROOM];
    text_fit(name, sizeof name, file_name(result->path), p->width);
    put_spaces(MARGIN);
    printf(p->colour ? "\033[1m%s\033[0m\n" : "%s\n", name);
    put_facts(result);
    put_confidences(result);
    put_student(result->student);
    if (result->segment_count == 0) {
        printf("%*sno sections\n", MARGIN, "");
        return;
    }
    putchar('\n');
    put_bar(p, result);
    put_scale(p, result);
    putchar('\n');
    put_table(p, result);
}

static void put_help(void)
{
    fputs("Usage: allin1 show [--color auto|always|never] [--width N] RESULT.json...\n"
          "\n"
          "Shows the structure of songs: tempo, metre, and their sections as a bar and a\n"
          "table. Reads the results of this program and of the reference implementation.\n"
          "\n"
          "  --color WHEN  colours: auto (default: on a terminal, unless NO_COLOR is set),\n"
          "                always or never\n"
          "  --width N     columns (default: as wide as the terminal)\n"
          "  -h, --help    this text\n"
          "\n"
          "Exit status: 0 all is well; 1 a file cannot be shown; 2 wrong usage.\n",
          stdout);
}

static int usage(const char *problem, const char *word)
{
    message_error("show: %s%s", problem, word);
    message_plain("Try: allin1 show --help");
    return EXIT_USAGE;
}

static bool set_colour(page *p, const char *when)
{
    if (strcmp(when, "auto") == 0)
        p->colour = terminal_has_colour(stdout);
    else if (strcmp(when, "always") == 0 || strcmp(when, "never") == 0)
        p->colour = when[0] == 'a';
    else
        return false;
    return true;
}

static bool set_width(page *p, const char *text)
{
    char *end;
    const long width = strtol(text, &end, 10);
    if (*end || width < 20 || width > 1000)
        return false;
    p->width = (int)width - 2 * MARGIN;
    return true;
}

static bool show_file(const page *p, const char *path, bool first)
{
    allin1_result *result;
    allin1_error error;
    if (allin1_load_json(path, &result, NULL, &error) != ALLIN1_OK) {
        message_error("%s", error.message);
        return false;
    }
    if (!first)
        putchar('\n');
    put_result(p, result);
    allin1_result_free(&result);
    return true;
}

int show_command(int argc, char **argv)
{
    page p = {.width = terminal_width(stdout) - 2 * MARGIN,
              .colour = terminal_has_colour(stdout)};
    int files = 0;
    bool options_end = false;
    for (int i = 1; i < argc; i++) {
        const char *value, *missing = NULL;
        if (options_end || argv[i][0] != '-' || argv[i][1] == '\0') {
            argv[++files] = argv[i]; /* never ahead of i */
        } else if (strcmp(argv[i], "--") == 0) {
            options_end = true;
        } else if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            put_help();
            return standard_output_flush() ? EXIT_GOOD : EXIT_SOME_FAILED;
        } else if ((value = option_value("--color", argc, argv, &i, &missing))) {
            if (!missing && !set_colour(&p, value))
                return usage("--color takes auto, always or never, not ", value);
        } else if ((value = option_value("--width", argc, argv, &i, &missing))) {
            if (!missing && !set_width(&p, value))
                return usage("--width takes a number from 20 to 1000, not ", value);
        } else {
            return usage("unknown option ", argv[i]);
        }
        if (missing)
            return usage("a value is missing after ", missing);
    }
    if (files == 0)
        return usage("no file was given", "");
    bool good = true, first = true;
    for (int i = 1; i <= files; i++) {
        if (show_file(&p, argv[i], first))
            first = false;
        else
            good = false;
        good &= standard_output_flush();
    }
    return good ? EXIT_GOOD : EXIT_SOME_FAILED;
}
