#include "bench_command.h"

#include <allin1/allin1.h>
#include <allin1/timings_compare.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <wordexp.h>

#include "interrupt.h"
#include "messages.h"
#include "option_value.h"
#include "options.h"
#include "progress_bar.h"
#include "standard_output.h"
#include "timing_report.h"

#define DEFAULT_RUNS 5
#define MAX_RUNS 1000

/* One of the two settings. */
typedef struct side {
    const char *name;
    options options;
    allin1_context *context;
    allin1_timing_records *timings;
    const char *lines_path; /* where the records go as well; or NULL */
    FILE *lines;
    bool recording, lost;
} side;

typedef struct bench {
    unsigned runs;
    const char *versus, *expected, *report_path;
    allin1_report_format format;
    char **words; /* of the analysis: argv without what is bench's own */
    int word_count;
    char **versus_words; /* the same with the words of --vs; owned list */
    wordexp_t expansion;
    char *versus_name;
    side sides[2];
    int side_count;
    int status; /* of a failure */
} bench;

static const char help_text[] =
    "Usage: allin1 bench [options] FILE...\n"
    "\n"
    "Analyses the files several times and tells what each stage costs. No result is\n"
    "written, and no by-product is used. Takes the options of an analysis as well:\n"
    "see allin1 --help.\n"
    "\n"
    "Options of its own, each by its full name:\n"
    "      --runs N              how often, after one run to warm up (default: 5)\n"
    "      --vs OPTIONS          also measure with these options added, in turns (A B\n"
    "                            B A ...), and compare; one word in quotes, empty\n"
    "                            to see the noise of the machine\n"
    "      --expect LIST         speed-ups that they are to bring, such as nn=1.5-2\n"
    "      --format NAME         text (default), markdown, json or html\n"
    "      --output FILE         write the report there instead of printing it\n"
    "      --timings FILE        append the records of the runs to FILE\n"
    "      --timings-vs FILE     the same for those with the other options\n"
    "  -h, --help                this text\n"
    "\n"
    "Exit status: 0 all is well; 1 an expectation was missed, or a file failed; 2\n"
    "wrong usage; 3 weights are missing or damaged; 4 what is required is not what\n"
    "runs; 130 interrupted.\n";

static int usage_error(const char *format, const char *argument)
{
    message_error(format, argument);
    message_plain("Try: allin1 bench --help");
    return EXIT_USAGE;
}

/* Options ----------------------------------------------------------------------------------------
 */

static bool set_runs(bench *b, const char *text)
{
    char *end;
    const long runs = strtol(text, &end, 10);
    if (end == text || *end || runs < 1 || runs > MAX_RUNS)
        return false;
    b->runs = (unsigned)runs;
    return true;
}

/* Takes bench's own words out of argv. -1 to go on, else the exit status. */
static int take_own(bench *b, int argc, char **argv)
{
    const char *runs = NULL, *format = NULL, *missing = NULL;
    const struct {
        const char *name;
        const char **value;
    } own[] = {{"--runs", &runs},
               {"--vs", &b->versus},
               {"--expect", &b->expected},
               {"--format", &format},
               {"--output", &b->report_path},
               {"--timings", &b->sides[0].lines_path},
               {"--timings-vs", &b->sides[1].lines_path}};
    bool ended = false;
    b->words = argv;
    b->word_count = 1;
    for (int i = 1; i < argc; i++) {
        const char *value = NULL;
        for (size_t k = 0; k < sizeof own / sizeof *own && !ended && !value; k++) {
            value = option_value(own[k].name, argc, argv, &i, &missing);
            if (value)
                *own[k].value = value;
        }
        ended = ended || strcmp(argv[i], "--") == 0;
        if (!value)
            argv[b->word_count++] = argv[i]; /* never ahead of i */
    }
    if (missing)
        return usage_error("%s needs a value", missing);
    if (runs && !set_runs(b, runs))
        return usage_error("--runs takes a whole number from 1 to 1000, not \"%s\"", runs);
    if (format && !timing_report_format(format, &b->format))
        return usage_error("--format takes text, markdown, json or html, not \"%s\"", format);
    if (!b->versus && (b->expected || b->sides[1].lines_path))
        return usage_error("%s needs --vs", b->expected ? "--expect" : "--timings-vs");
    return -1;
}

/* The words with those of --vs behind the other options. */
static int add_versus(bench *b)
{
    const int result = wordexp(b->versus, &b->expansion, WRDE_NOCMD);
    if (result == WRDE_NOSPACE)
        return EXIT_SOME_FAILED;
    if (result != 0)
        return usage_error("--vs: cannot be taken apart into words: %s", b->versus);
    const size_t more = b->expansion.we_wordc;
    b->versus_words = calloc((size_t)b->word_count + more + 1, sizeof *b->versus_words);
    b->versus_name = malloc(strlen(b->versus) + 8);
    if (!b->versus_words || !b->versus_name) {
        message_error("out of memory");
        return EXIT_SOME_FAILED;
    }
    sprintf(b->versus_name, "with %s", *b->versus ? b->versus : "the same");
    int split = 1;
    while (split < b->word_count && strcmp(b->words[split], "--") != 0)
        split++;
    size_t used = 0;
    for (int i = 0; i < split; i++)
        b->versus_words[used++] = b->words[i];
    for (size_t i = 0; i < more; i++)
        b->versus_words[used++] = b->expansion.we_wordv[i];
    for (int i = split; i < b->word_count; i++)
        b->versus_words[used++] = b->words[i];
    return -1;
}

static bool wants_files(const options *o)
{
    return o->out_dir_given || o->print_json || o->keep_byproducts || o->visualize || o->sonify ||
           o->html || o->timings.json || o->timings.trace || o->timings.figure ||
           o->timings.summary;
}

static int parse(bench *b, int argc, char **argv)
{
    b->runs = DEFAULT_RUNS;
    b->side_count = 1;
    int status = take_own(b, argc, argv);
    for (int i = 1; i < b->word_count && status < 0; i++) {
        if (strcmp(b->words[i], "--help") == 0 || strcmp(b->words[i], "-h") == 0) {
            fputs(help_text, stdout);
            return standard_output_flush() ? EXIT_GOOD : EXIT_SOME_FAILED;
        }
    }
    if (status < 0 && b->versus) {
        status = add_versus(b);
        b->side_count = 2;
    }
    if (status >= 0)
        return status;
    /* The second first: the first one's parsing reorders the words. */
    if (b->versus) {
        const int count = b->word_count + (int)b->expansion.we_wordc;
        if (!options_parse(&b->sides[1].options, count, b->versus_words))
            return EXIT_USAGE;
    }
    if (!options_parse(&b->sides[0].options, b->word_count, b->words))
        return EXIT_USAGE;
    if (b->versus && b->sides[1].options.input_count != b->sides[0].options.input_count)
        return usage_error("--vs takes options, and no files: %s", b->versus);
    for (int i = 0; i < b->side_count; i++)
        if (wants_files(&b->sides[i].options))
            return usage_error("bench writes no results: %s",
                               "-o, --json, -k, -v, -s, --html and --timings-... have no place here");
    b->sides[0].name = b->versus ? "as given" : "bench";
    b->sides[1].name = b->versus_name;
    return -1;
}

/* Measuring --------------------------------------------------------------------------------------
 */

static int on_progress(void *user, const allin1_progress *progress)
{
    (void)user;
    progress_bar_update(progress);
    return interrupted() != 0;
}

static void on_log(void *user, allin1_log_level level, const char *message)
{
    (void)user;
    if (level <= ALLIN1_LOG_WARNING)
        message_note("%s", message);
}

/* Keeps the record of a stage; what cannot be kept is told once, after the measurement. */
static void on_span(void *user, const allin1_span *span)
{
    side *s = user;
    if (!s->recording)
        return;
    char *line = allin1_span_json(span);
    if (!line || allin1_timing_records_feed(s->timings, line, strlen(line), NULL) != ALLIN1_OK ||
        allin1_timing_records_feed(s->timings, "\n", 1, NULL) != ALLIN1_OK)
        s->lost = true;
    if (line && s->lines)
        fprintf(s->lines, "%s\n", line);
    allin1_string_free(line);
}

static int status_of(allin1_status status)
{
    switch (status) {
    case ALLIN1_ERROR_ARGUMENT:
    case ALLIN1_ERROR_UNSUPPORTED:
        return EXIT_USAGE;
    case ALLIN1_ERROR_WEIGHTS_MISSING:
    case ALLIN1_ERROR_WEIGHTS_DAMAGED:
        return EXIT_WEIGHTS;
    case ALLIN1_ERROR_REQUIREMENT:
        return EXIT_REQUIREMENT;
    case ALLIN1_ERROR_CANCELLED:
        return EXIT_SIGNAL + interrupted();
    default:
        return EXIT_SOME_FAILED;
    }
}

static bool open_side(bench *b, side *s)
{
    allin1_settings *settings = &s->options.settings;
    allin1_error error;
    settings->log = on_log;
    settings->progress = on_progress;
    settings->span = on_span;
    settings->span_user = s;
    if (s->lines_path && !(s->lines = fopen(s->lines_path, "ae"))) {
        message_error("%s: cannot open: %s", s->lines_path, strerror(errno));
        b->status = EXIT_SOME_FAILED;
        return false;
    }
    allin1_status status = allin1_timing_records_create(&s->timings, s->name, &error);
    if (status == ALLIN1_OK)
        status = allin1_open(&s->context, settings, &error);
    if (status == ALLIN1_OK)
        return true;
    message_error("%s: %s", s->name, error.message);
    b->status = status_of(status);
    return false;
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* All files once. */
static bool measure(bench *b, side *s, double *seconds)
{
    const options *o = &s->options;
    const allin1_request request = {.stems_dir = o->stems_dir,
                                    .stems_pattern = o->stems_pattern,
                                    .want_activations = o->want_activations,
                                    .want_embeddings = o->want_embeddings};
    const double start = now();
    for (int i = 0; i < o->input_count; i++) {
        allin1_result *result;
        allin1_error error;
        const allin1_status status =
            allin1_analyze_file(s->context, o->inputs[i], &request, &result, &error);
        allin1_result_free(&result);
        if (status == ALLIN1_OK)
            continue;
        progress_bar_end();
        if (status != ALLIN1_ERROR_CANCELLED)
            message_error("%s: %s", s->name, error.message);
        b->status = status_of(status);
        return false;
    }
    *seconds = now() - start;
    return true;
}

static bool warm_up(bench *b)
{
    double seconds;
    for (int i = 0; i < b->side_count; i++) {
        progress_bar_input("warming up", i + 1, b->side_count);
        if (!measure(b, &b->sides[i], &seconds))
            return false;
        progress_bar_end();
    }
    return true;
}

/* A B, B A, A B, ...: what changes slowly meets both alike. */
static bool measure_all(bench *b)
{
    for (unsigned run = 0; run < b->runs; run++) {
        double seconds[2] = {0, 0};
        for (int turn = 0; turn < b->side_count; turn++) {
            const int which = run % 2 ? b->side_count - 1 - turn : turn;
            side *s = &b->sides[which];
            progress_bar_input(s->name, (int)run + 1, (int)b->runs);
            s->recording = true;
            const bool good = measure(b, s, &seconds[which]);
            s->recording = false;
            progress_bar_end();
            if (!good)
                return false;
        }
        if (b->versus)
            message_note("run %u of %u: %.3f s %s, %.3f s %s", run + 1, b->runs, seconds[0],
                         b->sides[0].name, seconds[1], b->sides[1].name);
        else
            message_note("run %u of %u: %.3f s", run + 1, b->runs, seconds[0]);
    }
    return true;
}

static bool close_lines(side *s)
{
    const bool good = !s->lines || (!ferror(s->lines) && fflush(s->lines) == 0);
    if (!good)
        message_error("%s: cannot write the timings: %s", s->lines_path, strerror(errno));
    if (s->lost)
        message_error("out of memory for timings");
    return good && !s->lost;
}

static int report(bench *b)
{
    side *a = &b->sides[0];
    if (b->versus)
        return timing_report_compare(a->timings, b->sides[1].timings, b->expected, b->format,
                                     b->report_path, "bench");
    allin1_error error;
    char *text;
    if (allin1_timing_records_report(a->timings, b->format, &text, &error) != ALLIN1_OK) {
        message_error("%s", error.message);
        return EXIT_SOME_FAILED;
    }
    return timing_report_put(text, b->report_path) ? EXIT_GOOD : EXIT_SOME_FAILED;
}

static int perform(bench *b)
{
    for (int i = 0; i < b->side_count; i++)
        if (!open_side(b, &b->sides[i]))
            return b->status;
    interrupt_watch();
    if (!warm_up(b) || !measure_all(b)) {
        if (interrupted())
            message_plain("Interrupted");
        return b->status;
    }
    bool good = true;
    for (int i = 0; i < b->side_count; i++)
        good &= close_lines(&b->sides[i]);
    const int status = report(b);
    return good ? status : EXIT_SOME_FAILED;
}

int bench_command(int argc, char **argv)
{
    bench b = {.format = ALLIN1_REPORT_TEXT};
    int status = parse(&b, argc, argv);
    if (status < 0) {
        message_set_level(b.sides[0].options.level);
        /* A line a stage, off a terminal, would be too much of many runs. */
        progress_bar_start(b.sides[0].options.level == QUIET || !isatty(STDERR_FILENO));
        status = perform(&b);
    }
    for (int i = 0; i < b.side_count; i++) {
        allin1_close(&b.sides[i].context);
        allin1_timing_records_free(&b.sides[i].timings);
        if (b.sides[i].lines)
            fclose(b.sides[i].lines);
    }
    if (b.versus_words)
        wordfree(&b.expansion);
    free(b.versus_words);
    free(b.versus_name);
    return status;
}
