/* A growing text. Writing never fails half-way: after an allocation failed, all further writing is
 * ignored and a1_prose_take gives NULL. */
#ifndef A1_TIMINGS_PROSE_H
#define A1_TIMINGS_PROSE_H

#include <stdbool.h>
#include <stddef.h>

/* A zeroed struct is empty. */
typedef struct a1_prose {
    char *bytes;
    size_t used, capacity;
    bool failed;
} a1_prose;

void a1_prose_put(a1_prose *text, const char *bytes);
void a1_prose_bytes(a1_prose *text, const char *bytes, size_t length);
void a1_prose_print(a1_prose *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* With &, <, > and quotes as HTML needs them. */
void a1_prose_html(a1_prose *text, const char *bytes);
/* With what Markdown takes for its own escaped. */
void a1_prose_markdown(a1_prose *text, const char *bytes);
/* As one word of a shell's command line: in quotes where that is needed. */
void a1_prose_shell(a1_prose *text, const char *word);

/* The finished text, "" when nothing was written, to be freed by the caller; NULL when memory ran
 * out. */
char *a1_prose_take(a1_prose *text);

#endif
