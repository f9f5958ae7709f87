#include "timing_report.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "messages.h"
#include "options.h"
#include "standard_output.h"

bool timing_report_format(const char *name, allin1_report_format *format)
{
    for (allin1_report_format f = ALLIN1_REPORT_TEXT; f <= ALLIN1_REPORT_HTML; f++) {
        if (strcmp(name, allin1_report_format_string(f)) == 0) {
            *format = f;
            return true;
        }
    }
    return false;
}

/* Under a temporary name first: what is there stays when the disk is full. */
static bool write_file(const char *path, const char *text)
{
    char *temporary = NULL;
    bool good = asprintf(&temporary, "%s.%ld.part", path, (long)getpid()) > 0;
    FILE *file = good ? fopen(temporary, "wx") : NULL;
    good = file && fputs(text, file) >= 0;
    if (file && (fflush(file) != 0 || fsync(fileno(file)) != 0))
        good = false;
    int reason = errno;
    if (file && fclose(file) != 0 && good) {
        good = false;
        reason = errno;
    }
    if (good && rename(temporary, path) != 0) {
        good = false;
        reason = errno;
    }
    if (!good) {
        if (file)
            unlink(temporary);
        message_error("%s: cannot write: %s", path, strerror(reason));
    }
    free(temporary);
    return good;
}

bool timing_report_put(char *report, const char *path)
{
    bool good;
    if (path) {
        good = write_file(path, report);
    } else {
        const size_t length = strlen(report);
        fputs(report, stdout);
        if (length > 0 && report[length - 1] != '\n')
            putchar('\n');
        good = standard_output_flush();
    }
    allin1_string_free(report);
    return good;
}

void timing_report_tell_problems(allin1_timing_records *timings)
{
    allin1_timing_facts facts;
    if (allin1_timing_records_describe(timings, &facts, NULL) != ALLIN1_OK)
        return; /* memory: the report says so */
    for (size_t i = 0; i < facts.problem_count; i++)
        message_error("%s", facts.problems[i]);
    if (facts.bad_lines > facts.problem_count)
        message_error("%zu lines were skipped in all, of %zu", facts.bad_lines, facts.lines);
}

int timing_report_compare(allin1_timing_records *before, allin1_timing_records *after,
                          const char *expected, allin1_report_format format, const char *path,
                          const char *command)
{
    allin1_timing_comparison *comparison;
    allin1_error error;
    char *report;
    allin1_status status = allin1_timing_compare(before, after, expected, &comparison, &error);
    if (status == ALLIN1_OK)
        status = allin1_timing_comparison_report(comparison, format, &report, &error);
    if (status != ALLIN1_OK) {
        message_error("%s: %s", command, error.message);
        allin1_timing_comparison_free(&comparison);
        if (status != ALLIN1_ERROR_ARGUMENT)
            return EXIT_SOME_FAILED;
        message_plain("Try: allin1 %s --help", command);
        return EXIT_USAGE;
    }
    const bool kept = comparison->missed == 0;
    allin1_timing_comparison_free(&comparison);
    return timing_report_put(report, path) && kept ? EXIT_GOOD : EXIT_SOME_FAILED;
}
