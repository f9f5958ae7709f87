/* What the commands that report timings share: formats, places, problems of files. */
#ifndef CLI_TIMING_REPORT_H
#define CLI_TIMING_REPORT_H

#include <allin1/timings_compare.h>

#include <stdbool.h>

/* The format of that name. */
bool timing_report_format(const char *name, allin1_report_format *format);

/* Prints a report, or writes it to a file that appears whole; frees it. False, with a message, when
 * that failed. `path` may be NULL. */
bool timing_report_put(char *report, const char *path);

/* Tells on the error stream what is wrong with lines of the file. */
void timing_report_tell_problems(allin1_timing_records *timings);

/* Compares, reports and judges; returns the exit status. */
int timing_report_compare(allin1_timing_records *before, allin1_timing_records *after,
                          const char *expected, allin1_report_format format, const char *path,
                          const char *command);

#endif
