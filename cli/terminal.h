/* What the terminal can do, and text that fits it. */
#ifndef CLI_TERMINAL_H
#define CLI_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Columns of the terminal behind the stream; else $COLUMNS, else 80. At least 20. */
int terminal_width(FILE *stream);

/* Whether colours should go there: a terminal that is not dumb, and NO_COLOR is not set. */
bool terminal_has_colour(FILE *stream);

/* Whether the user's locale encodes text as UTF-8. setlocale must have been called. */
bool terminal_is_unicode(void);

/* Columns that UTF-8 text takes: wide characters two, combining ones none. A byte that is not UTF-8
 * counts one. */
int text_width(const char *text);

/* Copies text so that it is safe to print: control characters, those that turn the direction of text,
 * and bytes that are not UTF-8 become '?'. At most `columns` wide; what is cut is marked by "...".
 * The result is cut further when it does not fit `size`. */
void text_fit(char *out, size_t size, const char *text, int columns);

/* The same without the mark: what does not fit is missing. */
void text_cut(char *out, size_t size, const char *text, int columns);

/* "3:07", or "1:02:03" from an hour on; with two decimals when `fine`. */
void text_time(char *out, size_t size, double seconds, bool fine);

#endif
