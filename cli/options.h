/* The command line of an analysis. */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <allin1/allin1.h>
#include <allin1/render.h>

#include <stdbool.h>
#include <stdio.h>

#include "format_list.h"
#include "timings_output.h"

enum {
    EXIT_GOOD = 0,
    EXIT_SOME_FAILED = 1,
    EXIT_USAGE = 2,
    EXIT_WEIGHTS = 3,
    EXIT_REQUIREMENT = 4,   /* what --require asks for is not what runs */
    EXIT_SIGNAL = 128,      /* plus the number of the signal that ended the work */
    EXIT_INTERRUPTED = 130  /* the interrupt from the keyboard */
};

typedef enum verbosity { QUIET = -1, NORMAL = 0, VERBOSE = 1 } verbosity;

typedef struct options {
    allin1_settings settings; /* strings point into argv */
    const char *out_dir;      /* never NULL */
    bool out_dir_given;
    const char *array_dir; /* NULL: out_dir */
    const char *demix_dir, *spec_dir;
    const char *stems_dir, *stems_pattern;
    format_list formats; /* json unless others were asked for */
    timings_wishes timings;
    bool keep_byproducts, want_activations, want_embeddings, print_json;
    bool overwrite_demix, overwrite_spec, overwrite_json;
    bool visualize, sonify, html;
    const char *html_dir; /* never NULL */
    allin1_page_audio html_audio;
    const char *viz_dir, *viz_format;     /* never NULL; the format is a suffix */
    const char *sonif_dir, *sonif_format; /* the format NULL: the song's own */
    verbosity level;
    bool help, version;
    const char *device;   /* of the reference, without meaning here */
    bool no_multiprocess; /* likewise */
    char **inputs;        /* into argv, in order */
    int input_count;
} options;

/* Sorts argv into `options`; argv itself is reordered. On failure prints what is wrong to the error
 * stream and returns false. */
bool options_parse(options *out, int argc, char **argv);

/* The whole help text, at most 80 columns wide. */
void options_help(FILE *stream);

#endif
