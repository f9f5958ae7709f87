/* A growing text or file in memory. */
#ifndef A1_BASE_TEXT_H
#define A1_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Writing never fails half-way: after an allocation failed, all further writing is ignored and
 * a1_text_take gives NULL. A zeroed struct is an empty text. */
typedef struct a1_text {
    char *bytes;
    size_t used, capacity;
    bool failed;
} a1_text;

void a1_text_put(a1_text *text, const void *bytes, size_t size);
void a1_text_add(a1_text *text, const char *string);
void a1_text_format(a1_text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The content, freed by the caller, with a zero byte after it, and its size where that is asked
 * for; NULL when memory ran out. */
char *a1_text_take(a1_text *text, size_t *size);

#endif
