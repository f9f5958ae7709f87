/* Lists that grow by one item at a time. */
#ifndef A1_BASE_GROW_H
#define A1_BASE_GROW_H

#include <stddef.h>

/* The memory of a list of `count` items with room for one more: `items` itself where *capacity, in items, allows it, or
 * else a larger block with what was in it, for realloc or free, and *capacity is its own. NULL when there is no memory:
 * `items` and *capacity are what they were. */
void *a1_grow(void *items, size_t count, size_t *capacity, size_t item_size);

#endif
