/* JSON text in the layouts of Python's json.dumps: indented by two, or on one line. */
#ifndef A1_OUTPUT_JSON_TEXT_H
#define A1_OUTPUT_JSON_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define A1_JSON_DEPTH 16

/* Decodes the first character of a text that ends with a zero; returns its length, or 0 when the bytes
 * are not valid UTF-8. */
size_t a1_utf8_decode(const char *text, uint32_t *code);

/* A growing text. Writing never fails half-way: after an allocation failed, all further writing is
 * ignored and a1_json_take gives NULL. */
typedef struct a1_json {
    char *text;
    size_t used, capacity;
    bool failed;
    bool pretty; /* indented; else one line */
    unsigned depth;
    bool empty[A1_JSON_DEPTH]; /* nothing was written yet at this depth */
} a1_json;

void a1_json_begin(a1_json *json, bool pretty);

/* The finished text, to be freed by the caller, or NULL when memory ran out. */
char *a1_json_take(a1_json *json);

/* Containers and values. `key` is NULL inside arrays and for the outermost container. */
void a1_json_open(a1_json *json, const char *key, char bracket);
void a1_json_close(a1_json *json, char bracket);
void a1_json_null(a1_json *json, const char *key);
void a1_json_bool(a1_json *json, const char *key, bool value);
void a1_json_integer(a1_json *json, const char *key, int64_t value);
void a1_json_unsigned(a1_json *json, const char *key, uint64_t value);
/* As Python prints round(value, decimals); null when it is not finite. */
void a1_json_decimal(a1_json *json, const char *key, double value, unsigned decimals);
/* All but printable ASCII is escaped. A byte that is not valid UTF-8 becomes U+FFFD: JSON has no form
 * for it. NULL becomes null. */
void a1_json_string(a1_json *json, const char *key, const char *value);

/* Arrays of numbers as the reference lays them out: two or more stand on one line without spaces, a
 * single one on a line of its own. */
void a1_json_decimals(a1_json *json, const char *key, const double *values, size_t count,
                      unsigned decimals);
void a1_json_unsigneds(a1_json *json, const char *key, const unsigned *values, size_t count);

#endif
