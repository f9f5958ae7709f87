/* A growing text. Writing never fails half-way: after an allocation failed, all further writing is
 * ignored and a1_text_take gives NULL. */
#ifndef A1_TIMINGS_TEXT_BUFFER_H
#define A1_TIMINGS_TEXT_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

/* A zeroed struct is empty. */
typedef struct a1_text {
    char *bytes;
    size_t used, capacity;
    bool failed;
} a1_text;

void a1_text_put(a1_text *text, const char *bytes);
void a1_text_bytes(a1_text *text, const char *bytes, size_t length);
void a1_text_print(a1_text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* With &, <, > and quotes as HTML needs them. */
void a1_text_html(a1_text *text, const char *bytes);
/* With what Markdown takes for its own escaped. */
void a1_text_markdown(a1_text *text, const char *bytes);
/* As one word of a shell's command line: in quotes where that is needed. */
void a1_text_shell(a1_text *text, const char *word);

/* The finished text, "" when nothing was written, to be freed by the caller; NULL when memory ran
 * out. */
char *a1_text_take(a1_text *text);

#endif
