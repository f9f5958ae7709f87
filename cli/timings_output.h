/* What the program writes about its own timings. */
#ifndef CLI_TIMINGS_OUTPUT_H
#define CLI_TIMINGS_OUTPUT_H

#include <allin1/timings.h>

#include <stdbool.h>

/* What is wanted; NULL and false: not. */
typedef struct timings_wishes {
    const char *lines;  /* a file to append JSON lines to */
    const char *json;   /* a file for one JSON document */
    const char *trace;  /* a file in the Chrome trace format */
    const char *figure; /* a PDF, SVG or PNG file */
    bool summary;       /* a table on the error stream */
} timings_wishes;

typedef struct timings_output {
    timings_wishes wishes;
    int descriptor;          /* of the lines; -1 for none */
    allin1_timings *timings; /* NULL when nothing needs it */
    bool lost;               /* something could not be written, which was said */
} timings_output;

bool timings_wanted(const timings_wishes *wishes);

/* Opens what is wanted; on failure says why and returns false. */
bool timings_output_open(timings_output *output, const timings_wishes *wishes);

/* For allin1_settings.span; `user` is the timings_output. */
void timings_output_span(void *user, const allin1_span *span);

/* After the context was closed: writes the documents, the line of the whole run, and the table. Returns
 * whether nothing was lost. */
bool timings_output_finish(timings_output *output);

#endif
