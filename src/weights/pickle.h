/* A reader of Python pickles that executes nothing.
 *
 * It understands the opcodes of protocol 2 to 5 and builds a tree of plain values. A call that a
 * pickle asks for becomes a value that records what would have been called with what; only the
 * empty collections.OrderedDict turns into a dictionary, because state_dicts are made of them. */
#ifndef A1_WEIGHTS_PICKLE_H
#define A1_WEIGHTS_PICKLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

typedef enum a1_pickle_kind {
    A1_PICKLE_NONE = 0,
    A1_PICKLE_BOOL,
    A1_PICKLE_INT,
    A1_PICKLE_FLOAT,
    A1_PICKLE_STRING,
    A1_PICKLE_BYTES,
    A1_PICKLE_LIST,
    A1_PICKLE_TUPLE,
    A1_PICKLE_SET,
    A1_PICKLE_DICT,
    A1_PICKLE_GLOBAL,     /* text: "module name" */
    A1_PICKLE_PERSISTENT, /* items[0]: the persistent id */
    A1_PICKLE_CALL,       /* items[0]: what to call, items[1]: its arguments */
    A1_PICKLE_OPAQUE      /* a number that does not fit */
} a1_pickle_kind;

/* Values may be shared and, through the pickle's memo, contain themselves: whoever walks them must
 * bound the walk. */
typedef struct a1_pickle_value a1_pickle_value;
struct a1_pickle_value {
    a1_pickle_kind kind;
    int64_t integer;         /* A1_PICKLE_BOOL, A1_PICKLE_INT */
    double number;           /* A1_PICKLE_FLOAT */
    const char *text;        /* strings, bytes, globals: with an ending zero that is not counted */
    size_t length;           /* bytes of text */
    a1_pickle_value **items; /* of a dictionary: key, value, key, value, ... */
    size_t count, capacity;  /* of items */
};

typedef struct a1_pickle a1_pickle; /* owns all values of one pickle */

/* Reads one pickle from untrusted bytes. `what` names it in errors. Memory stays proportional to
 * `size`, which may be at most A1_PICKLE_MAX_BYTES. */
#define A1_PICKLE_MAX_BYTES ((size_t)8 << 20)
allin1_status a1_pickle_parse(a1_pickle **pickle, const void *bytes, size_t size, const char *what,
                              a1_error *err);
void a1_pickle_destroy(a1_pickle **pickle);

const a1_pickle_value *a1_pickle_root(const a1_pickle *pickle);

/* The value of a dictionary's string key, the last one if it is there several times; NULL when
 * there is none or `dict` is no dictionary or NULL. */
const a1_pickle_value *a1_pickle_get(const a1_pickle_value *dict, const char *key);

/* Whether a value is the global `text`, "module name". False for NULL. */
bool a1_pickle_is_global(const a1_pickle_value *value, const char *text);

#endif
