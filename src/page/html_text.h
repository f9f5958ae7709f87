/* Text that grows, and what HTML needs of it. */
#ifndef A1_PAGE_HTML_TEXT_H
#define A1_PAGE_HTML_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Writing never fails half-way: after an allocation failed, all further writing is ignored. */
typedef struct a1_html {
    char *bytes; /* ends in a zero once something was written */
    size_t used, capacity;
    bool failed;
} a1_html;

void a1_html_put(a1_html *text, const char *string);
void a1_html_put_bytes(a1_html *text, const void *bytes, size_t size);
void a1_html_format(a1_html *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* So that it can stand between tags and in attributes in quotes. */
void a1_html_put_escaped(a1_html *text, const char *string);
void a1_html_put_base64(a1_html *text, const void *bytes, size_t size);
/* JSON for a <script>: nothing in it can end the element or open a comment. */
void a1_html_put_script_json(a1_html *text, const char *json);

/* A value for a template; `name` NULL ends a list. */
typedef struct a1_slot {
    const char *name;
    const char *value;
    bool escaped; /* the value is text, not markup */
} a1_slot;

/* Copies the template with each {{name}} replaced. A name without a slot is left as it is. */
void a1_html_fill(a1_html *text, const char *pattern, const a1_slot *slots);

void a1_html_free(a1_html *text);

#endif
