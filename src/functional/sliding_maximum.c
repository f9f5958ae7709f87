#include "functional/sliding_maximum.h"

#include <stdint.h>
#include <stdlib.h>

allin1_status a1_sliding_maximum(const float *values, size_t count, size_t past, size_t future,
                                 bool *is_maximum, a1_error *err)
{
    if (count == 0)
        return ALLIN1_OK;
    if (count > SIZE_MAX / sizeof(size_t))
        return a1_fail_memory(err, "a sliding maximum");
    /* Frames that can still become a maximum, their values falling: the first is the current one.
     */
    size_t *queue = malloc(count * sizeof *queue);
    if (!queue)
        return a1_fail_memory(err, "a sliding maximum");
    size_t head = 0, tail = 0, next = 0;
    for (size_t t = 0; t < count; t++) {
        for (; next < count && (next <= t || next - t <= future); next++) {
            while (tail > head && values[queue[tail - 1]] <= values[next])
                tail--;
            queue[tail++] = next;
        }
        while (queue[head] < t && t - queue[head] > past)
            head++;
        is_maximum[t] = values[t] >= values[queue[head]];
    }
    free(queue);
    return ALLIN1_OK;
}
