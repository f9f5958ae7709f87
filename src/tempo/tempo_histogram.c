#include "tempo/tempo.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

/* Intervals below 10 ms are faster than any frame grid in use and are left out of the histogram. */
#define MAX_BPM 6000
#define INSERTION_SIZE 16 /* parts of up to so many elements are sorted by insertion */

static void swap(uint16_t *a, uint16_t *b)
{
    const uint16_t old = *a;
    *a = *b;
    *b = old;
}

/* Sorts `order` by counts[order[i]], rising, as the reference does: its quicksort is not stable,
 * and the order in which it leaves equal counts decides ties, so each step is repeated. Median of
 * three, the larger part kept for later, insertion for short parts. (The reference turns to another
 * sort at 2 log2 n levels; histograms of tempi do not get there.) */
static void sort_by_count(uint16_t *order, size_t size, const uint32_t *counts)
{
    struct {
        size_t low, high;
    } later[64];
    size_t waiting = 0, low = 0, high = size - 1;
    for (;;) {
        while (high - low >= INSERTION_SIZE) {
            const size_t middle = low + (high - low) / 2;
            if (counts[order[middle]] < counts[order[low]])
                swap(&order[middle], &order[low]);
            if (counts[order[high]] < counts[order[middle]])
                swap(&order[high], &order[middle]);
            if (counts[order[middle]] < counts[order[low]])
                swap(&order[middle], &order[low]);
            const uint32_t pivot = counts[order[middle]];
            size_t up = low, down = high - 1;
            swap(&order[middle], &order[down]);
            for (;;) {
                do
                    up++;
                while (counts[order[up]] < pivot);
                do
                    down--;
                while (pivot < counts[order[down]]);
                if (up >= down)
                    break;
                swap(&order[up], &order[down]);
            }
            swap(&order[up], &order[high - 1]);
            if (up - low < high - up) {
                later[waiting].low = up + 1;
                later[waiting++].high = high;
                high = up - 1;
            } else {
                later[waiting].low = low;
                later[waiting++].high = up - 1;
                low = up + 1;
            }
        }
        for (size_t i = low + 1; i <= high; i++) {
            const uint16_t moved = order[i];
            size_t to = i;
            for (; to > low && counts[moved] < counts[order[to - 1]]; to--)
                order[to] = order[to - 1];
            order[to] = moved;
        }
        if (waiting == 0)
            return;
        waiting--;
        low = later[waiting].low;
        high = later[waiting].high;
    }
}

int a1_tempo_bpm(const double *beats, size_t count)
{
    uint32_t counts[MAX_BPM + 1] = {0};
    uint16_t order[MAX_BPM + 1];
    size_t size = 0;
    for (size_t i = 1; i < count; i++) {
        const double bpm = rint(60.0 / (beats[i] - beats[i - 1]));
        if (!(bpm >= 0) || bpm > MAX_BPM)
            continue;
        const size_t bin = (size_t)bpm;
        counts[bin]++;
        size = bin + 1 > size ? bin + 1 : size;
    }
    if (size == 0)
        return 0;
    for (size_t i = 0; i < size; i++)
        order[i] = (uint16_t)i;
    sort_by_count(order, size, counts);
    return order[size - 1];
}
