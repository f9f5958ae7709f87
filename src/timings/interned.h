/* Strings that occur many times, kept once and named by small numbers. */
#ifndef A1_TIMINGS_INTERNED_H
#define A1_TIMINGS_INTERNED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Number 0 is "not there", and the text "". A zeroed struct is empty. */
typedef struct a1_interned {
    char **texts; /* [count]; texts[0] is not used */
    uint32_t count, capacity;
    uint32_t *slots; /* open addressing; 0 is free */
    uint32_t slot_count;
} a1_interned;

/* The number of this text; false when memory ran out. What could steer a terminal is replaced by
 * '?', and what is longer than A1_INTERNED_LIMIT bytes is cut. NULL is number 0. */
#define A1_INTERNED_LIMIT 1024
bool a1_intern(a1_interned *strings, const char *text, uint32_t *number);

/* The number of a text that is there already, else 0. */
uint32_t a1_interned_find(const a1_interned *strings, const char *text);

/* Never NULL. */
const char *a1_interned_text(const a1_interned *strings, uint32_t number);

void a1_interned_free(a1_interned *strings);

/* Numbers found by numbers: for pairs (run, track) and the like. A zeroed struct is empty. */
typedef struct a1_pair_map {
    uint64_t *keys;
    uint32_t *values; /* 0 is a free slot */
    size_t slot_count, used;
} a1_pair_map;

/* 0 when it is not there. */
uint32_t a1_pair_find(const a1_pair_map *map, uint64_t key);
/* Adds or replaces; `value` is not 0. False when memory ran out. */
bool a1_pair_set(a1_pair_map *map, uint64_t key, uint32_t value);
void a1_pair_free(a1_pair_map *map);

#endif
