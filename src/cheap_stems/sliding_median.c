#include "cheap_stems/sliding_median.h"

typedef struct window {
    float sorted[2 * A1_MEDIAN_MAX_HALF + 2]; /* the oldest value goes after the newest has come */
    size_t count;
} window;

static void insert(window *w, float value)
{
    size_t place = w->count++;
    for (; place > 0 && w->sorted[place - 1] > value; place--)
        w->sorted[place] = w->sorted[place - 1];
    w->sorted[place] = value;
}

/* Takes away one value that equals `value`. */
static void take_away(window *w, float value)
{
    size_t place = 0;
    while (place + 1 < w->count && w->sorted[place] < value)
        place++;
    w->count--;
    for (; place < w->count; place++)
        w->sorted[place] = w->sorted[place + 1];
}

void a1_sliding_median(const float *in, size_t stride, size_t length, size_t first, size_t count,
                       size_t half, float *out, size_t out_stride)
{
    window w = {.count = 0};
    size_t next = first > half ? first - half : 0; /* the first value that is not in the window yet */
    for (size_t i = first; i < first + count; i++) {
        for (; next < length && next <= i + half; next++)
            insert(&w, in[next * stride]);
        if (i > first && i > half)
            take_away(&w, in[(i - half - 1) * stride]);
        out[(i - first) * out_stride] = w.sorted[w.count / 2];
    }
}
