/* A list of formats as it is typed: "json,midi". */
#ifndef CLI_FORMAT_LIST_H
#define CLI_FORMAT_LIST_H

#include <allin1/formats.h>

#include <stdbool.h>
#include <stdio.h>

#define MAX_FORMATS 32

typedef struct format_list {
    const allin1_format *items[MAX_FORMATS]; /* each once, in the order of the list */
    size_t count;
    bool given; /* by the user */
} format_list;

/* json alone. */
void format_list_default(format_list *list);

/* Prints what is wrong to the error stream and returns false on failure. */
bool format_list_parse(format_list *list, const char *text);

bool format_list_has(const format_list *list, const char *name);

/* A table of all formats with their suffixes, for a help text. */
void format_list_help(FILE *stream);

#endif
