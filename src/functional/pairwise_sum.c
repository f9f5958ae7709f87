#include "functional/pairwise_sum.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define SHORT 128
#define MAX_PARTS 512 /* different lengths of parts; a window of 2^40 has fewer than 200 */

static size_t left_part(size_t count)
{
    const size_t half = count / 2;
    return half - half % 8;
}

float a1_pairwise_sum(const float *values, size_t count)
{
    if (count > SHORT) {
        const size_t left = left_part(count);
        return a1_pairwise_sum(values, left) + a1_pairwise_sum(values + left, count - left);
    }
    float total = 0;
    size_t i = 0;
    if (count >= 8) {
        float sum[8];
        memcpy(sum, values, sizeof sum);
        for (i = 8; i + 8 <= count; i += 8)
            for (size_t k = 0; k < 8; k++)
                sum[k] += values[i + k];
        total = ((sum[0] + sum[1]) + (sum[2] + sum[3])) + ((sum[4] + sum[5]) + (sum[6] + sum[7]));
    }
    for (; i < count; i++)
        total += values[i];
    return total;
}

/* All short sums of `length` values. `columns` holds a row of interleaved sums. */
static void short_sums(const float *values, size_t count, size_t length, float *columns,
                       float *sums)
{
    const size_t windows = count - length + 1, eighths = length / 8;
    if (eighths == 0) {
        for (size_t s = 0; s < windows; s++)
            sums[s] = a1_pairwise_sum(values + s, length);
        return;
    }
    const size_t column_count = windows + 7;
    memcpy(columns, values, column_count * sizeof *columns);
    for (size_t q = 1; q < eighths; q++)
        for (size_t s = 0; s < column_count; s++)
            columns[s] += values[s + 8 * q];
    for (size_t s = 0; s < windows; s++)
        sums[s] = ((columns[s] + columns[s + 1]) + (columns[s + 2] + columns[s + 3])) +
                  ((columns[s + 4] + columns[s + 5]) + (columns[s + 6] + columns[s + 7]));
    for (size_t k = 8 * eighths; k < length; k++)
        for (size_t s = 0; s < windows; s++)
            sums[s] += values[s + k];
}

static size_t find_part(const size_t *lengths, size_t parts, size_t length)
{
    size_t at = 0;
    while (at < parts && lengths[at] != length)
        at++;
    return at;
}

static int by_length(const void *a, const void *b)
{
    const size_t left = *(const size_t *)a, right = *(const size_t *)b;
    return (left > right) - (left < right);
}

/* The lengths of all parts of a window, rising; 0 when there are too many. */
static size_t list_parts(size_t window, size_t lengths[MAX_PARTS])
{
    size_t parts = 1;
    lengths[0] = window;
    for (size_t at = 0; at < parts; at++) {
        if (lengths[at] <= SHORT)
            continue;
        const size_t left = left_part(lengths[at]);
        const size_t halves[2] = {left, lengths[at] - left};
        for (size_t h = 0; h < 2; h++) {
            if (find_part(lengths, parts, halves[h]) < parts)
                continue;
            if (parts == MAX_PARTS)
                return 0;
            lengths[parts++] = halves[h];
        }
    }
    qsort(lengths, parts, sizeof *lengths, by_length);
    return parts;
}

allin1_status a1_sliding_pairwise_sums(const float *values, size_t count, size_t window,
                                       float *sums, a1_error *err)
{
    size_t lengths[MAX_PARTS];
    const size_t parts = list_parts(window, lengths);
    if (parts == 0 || count > SIZE_MAX / sizeof(float) / (parts + 1))
        return a1_fail(err, ALLIN1_ERROR_ARGUMENT, "a window of %zu frames cannot be summed",
                       window);
    /* A row for each length but the whole window's, and one for interleaved sums. */
    float *rows = malloc(parts * count * sizeof *rows);
    if (!rows)
        return a1_fail_memory(err, "the sums of windows");
    float *columns = rows + (parts - 1) * count;
    for (size_t at = 0; at < parts; at++) {
        const size_t length = lengths[at], left = left_part(length);
        float *row = at + 1 == parts ? sums : rows + at * count;
        if (length <= SHORT) {
            short_sums(values, count, length, columns, row);
            continue;
        }
        const float *first = rows + find_part(lengths, parts, left) * count;
        const float *second = rows + find_part(lengths, parts, length - left) * count;
        for (size_t s = 0; s + length <= count; s++)
            row[s] = first[s] + second[s + left];
    }
    free(rows);
    return ALLIN1_OK;
}
