/* Boundaries of sections, as mir_eval.segment.detection scores them. */
#include <math.h>
#include <stdlib.h>

#include "evaluation/scores.h"

/* The labels that mir_eval gives to what it adds. */
#define BEFORE "__T_MIN"
#define AFTER "__T_MAX"

size_t a1_adjust_sections(const allin1_segment *sections, size_t count, double end,
                          a1_section *out)
{
    /* Comparisons with NAN are false, and fmin passes it over. */
    size_t used = 0;
    if (count == 0) {
        out[0] = (a1_section){0, end, BEFORE};
        return end > 0;
    }
    if (sections[0].start > 0)
        out[used++] = (a1_section){0, fmin(sections[0].start, end), BEFORE};
    double last = used > 0 ? out[0].end : 0;
    for (size_t i = 0; i < count && !(sections[i].start >= end); i++) {
        out[used] = (a1_section){sections[i].start, fmin(sections[i].end, end), sections[i].label};
        last = fmax(last, out[used++].end);
    }
    if (last < end)
        out[used++] = (a1_section){last, end, AFTER};
    return used;
}

static int compare_times(const void *a, const void *b)
{
    const double one = *(const double *)a, two = *(const double *)b;
    return one < two ? -1 : one > two;
}

/* Starts and ends, rounded to five decimals, each once. `out` has room for twice the sections. */
static size_t boundaries_of(const a1_section *sections, size_t count, double *out)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        out[2 * i] = rint(sections[i].start * 1e5) / 1e5;
        out[2 * i + 1] = rint(sections[i].end * 1e5) / 1e5;
    }
    qsort(out, 2 * count, sizeof *out, compare_times);
    for (size_t i = 0; i < 2 * count; i++)
        if (kept == 0 || out[i] != out[kept - 1])
            out[kept++] = out[i];
    return kept;
}

static void put_hits(a1_times reference, a1_times estimate, double window, double values[3])
{
    values[0] = values[1] = values[2] = 0;
    if (reference.count == 0 || estimate.count == 0)
        return;
    const double hits = (double)a1_match_count(reference, estimate, window);
    values[0] = hits / (double)estimate.count;
    values[1] = hits / (double)reference.count;
    values[2] = a1_f_measure(values[0], values[1]);
}

static a1_times without_ends(a1_times times)
{
    if (times.count < 2)
        return (a1_times){times.at, 0};
    return (a1_times){times.at + 1, times.count - 2};
}

allin1_status a1_score_boundaries(const a1_section *reference, size_t reference_count,
                                  const a1_section *estimate, size_t estimate_count,
                                  double *values, a1_error *err)
{
    static const double windows[] = {0.5, 3};
    double *room = calloc(2 * (reference_count + estimate_count) + 1, sizeof *room);
    if (!room)
        return a1_fail_memory(err, "an evaluation");
    double *second = room + 2 * reference_count;
    const a1_times whole[2] = {
        {room, boundaries_of(reference, reference_count, room)},
        {second, boundaries_of(estimate, estimate_count, second)},
    };
    for (size_t w = 0; w < 2; w++) {
        put_hits(whole[0], whole[1], windows[w], values + 3 * w);
        put_hits(without_ends(whole[0]), without_ends(whole[1]), windows[w], values + 6 + 3 * w);
    }
    free(room);
    return ALLIN1_OK;
}
