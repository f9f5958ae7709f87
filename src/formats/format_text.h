/* The ways in which formats write text and times. */
#ifndef A1_FORMATS_FORMAT_TEXT_H
#define A1_FORMATS_FORMAT_TEXT_H

#include "base/text.h"
#include "output/json_text.h"

/* Seconds or other numbers that are finite and not negative, as the JSON result rounds the finest
 * of its own: at most `decimals`, at least one. */
void a1_text_number(a1_text *text, double value, unsigned decimals);
#define A1_TIME_DECIMALS 6

/* Thousandths of a second as "1:02:03.456", the hours with at least `hour_digits`. */
void a1_text_clock(a1_text *text, double seconds, int hour_digits);

/* How a format protects characters that mean something to it. In all of them control characters
 * become blanks, and bytes that are no valid UTF-8 become U+FFFD. */
typedef enum a1_escape {
    A1_ESCAPE_LINE,       /* nothing else: a field that ends with its line */
    A1_ESCAPE_WORD,       /* blanks become "_": a field between blanks; an empty one becomes "_" */
    A1_ESCAPE_CSV,        /* in quotes when it must be (RFC 4180) */
    A1_ESCAPE_XML,        /* & < > " and the characters that XML excludes */
    A1_ESCAPE_WEBVTT,     /* & < > */
    A1_ESCAPE_FFMETADATA, /* = ; # \ with a backslash */
} a1_escape;

void a1_text_escaped(a1_text *text, const char *string, a1_escape escape);

/* "file://localhost/..." of an absolute path, its bytes percent-encoded (RFC 3986). */
void a1_text_file_url(a1_text *text, const char *path);

/* Ends the document and adds it, as lines of their own; without memory the text has failed. */
void a1_text_json(a1_text *text, a1_json *json);

/* The name of a path's file without folders and without its last suffix, freed by the caller; NULL
 * when memory ran out. */
char *a1_title_of_path(const char *path);

#endif
