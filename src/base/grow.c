#include "base/grow.h"

#include <stdint.h>
#include <stdlib.h>

#define FIRST_CAPACITY 32

void *a1_grow(void *items, size_t count, size_t *capacity, size_t item_size)
{
    if (count < *capacity)
        return items;
    if (*capacity > SIZE_MAX / 2 / item_size)
        return NULL;
    const size_t wanted = *capacity ? 2 * *capacity : FIRST_CAPACITY;
    void *larger = realloc(items, wanted * item_size);
    if (larger)
        *capacity = wanted;
    return larger;
}
