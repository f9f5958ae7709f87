#include "timings_command.h"

#include <allin1/timings_compare.h>

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "bad_option.h"
#include "messages.h"
#include "options.h"
#include "standard_output.h"
#include "timing_report.h"

typedef struct request {
    bool compare;
    const char *expected, *path;
    allin1_report_format format;
    char **files;
    int file_count;
} request;

static const char help_text[] =
    "Usage: allin1 timings show    [options] FILE...\n"
    "       allin1 timings compare [options] BEFORE AFTER\n"
    "\n"
    "Reads the JSON lines that an analysis writes about its timings, and those of the\n"
    "reference implementation.\n"
    "\n"
    "  show      what each stage cost: count, total, median, share, cost of a second\n"
    "            of audio, backend and precision that ran\n"
    "  compare   stage by stage what changed, whether that is more than noise, which\n"
    "            expectation was missed and why, and what is left on the table\n"
    "\n"
    "Options:\n"
    "      --expect LIST         speed-ups that were promised, separated by commas:\n"
    "                            STAGE=LOW, STAGE=LOW-HIGH, either with @BACKEND; for\n"
    "                            example spectrogram=2.5-5,metrical_dbn=1.5-3. total=1\n"
    "                            means: not slower as a whole\n"
    "  -f, --format NAME         text (default), markdown, json or html\n"
    "  -o, --output FILE         write the report there instead of printing it\n"
    "  -h, --help                this text\n"
    "\n"
    "Exit status: 0 all is well; 1 an expectation was missed, or a file cannot be\n"
    "read or written; 2 wrong usage. Lines that are no records are named and skipped.\n";

static int usage_error(const char *format, const char *argument)
{
    message_error(format, argument);
    message_plain("Try: allin1 timings --help");
    return EXIT_USAGE;
}

/* -1 to go on, else the exit status. */
static int parse(request *r, int argc, char **argv)
{
    enum { EXPECT = 256 };
    static const struct option known[] = {{"expect", required_argument, NULL, EXPECT},
                                          {"format", required_argument, NULL, 'f'},
                                          {"output", required_argument, NULL, 'o'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    opterr = 0;
    optind = 1;
    for (int option; (option = getopt_long(argc, argv, ":f:o:h", known, NULL)) != -1;) {
        switch (option) {
        case EXPECT:
            r->expected = optarg;
            break;
        case 'f':
            if (!timing_report_format(optarg, &r->format))
                return usage_error("--format takes text, markdown, json or html, not \"%s\"",
                                   optarg);
            break;
        case 'o':
            r->path = optarg;
            break;
        case 'h':
            fputs(help_text, stdout);
            return standard_output_flush() ? EXIT_GOOD : EXIT_SOME_FAILED;
        case ':':
            return usage_error("%s needs a value", argv[optind - 1]);
        default:
            return usage_error("unknown option %s", bad_option(argv));
        }
    }
    if (optind == argc)
        return usage_error("timings %s", "needs one of show, compare");
    r->compare = strcmp(argv[optind], "compare") == 0;
    if (!r->compare && strcmp(argv[optind], "show") != 0)
        return usage_error("there is no command timings %s", argv[optind]);
    r->files = argv + optind + 1;
    r->file_count = argc - optind - 1;
    if (r->compare && r->file_count != 2)
        return usage_error("timings compare %s", "takes two files, BEFORE and AFTER");
    if (!r->compare && r->file_count == 0)
        return usage_error("timings show %s", "takes a file");
    if (!r->compare && r->expected)
        return usage_error("--expect belongs to timings %s", "compare");
    if (!r->compare && r->file_count > 1 && (r->path || r->format != ALLIN1_REPORT_TEXT))
        return usage_error("timings show %s",
                           "takes one file with --output, or a --format other than text");
    return -1;
}

static bool read_timings(const char *path, allin1_timing_records **timings)
{
    allin1_error error;
    if (allin1_timing_records_read(timings, path, &error) != ALLIN1_OK) {
        message_error("%s", error.message);
        return false;
    }
    timing_report_tell_problems(*timings);
    return true;
}

static bool show(const request *r, const char *path)
{
    allin1_timing_records *timings;
    allin1_error error;
    char *report;
    if (!read_timings(path, &timings))
        return false;
    bool good = allin1_timing_records_report(timings, r->format, &report, &error) == ALLIN1_OK;
    if (good)
        good = timing_report_put(report, r->path);
    else
        message_error("%s: %s", path, error.message);
    allin1_timing_records_free(&timings);
    return good;
}

static int compare(const request *r)
{
    allin1_timing_records *before = NULL, *after = NULL;
    int status = EXIT_SOME_FAILED;
    bool good = read_timings(r->files[0], &before);
    good &= read_timings(r->files[1], &after);
    if (good)
        status = timing_report_compare(before, after, r->expected, r->format, r->path, "timings");
    allin1_timing_records_free(&before);
    allin1_timing_records_free(&after);
    return status;
}

int timings_command(int argc, char **argv)
{
    request r = {.compare = false};
    const int status = parse(&r, argc, argv);
    if (status >= 0)
        return status;
    if (r.compare)
        return compare(&r);
    bool good = true;
    for (int i = 0; i < r.file_count; i++) {
        if (i > 0)
            putchar('\n');
        good &= show(&r, r.files[i]);
    }
    return good ? EXIT_GOOD : EXIT_SOME_FAILED;
}
