/* What the spans of each stage add up to. */
#include "timings/collection.h"

#include <stdint.h>
#include <stdlib.h>

#include "output/result.h"

/* A row while it grows; strings of equal content are one string (collection.c). */
typedef struct row {
    allin1_stage_total shown;
    size_t parent; /* row that encloses it, SIZE_MAX at the top */
    double first;  /* when it began */
} row;

static bool belongs(const row *r, const allin1_span *span, size_t parent)
{
    const allin1_stage_total *s = &r->shown;
    return s->stage == span->stage && r->parent == parent && s->backend == span->backend &&
           s->backend_requested == span->backend_requested && s->precision == span->precision &&
           s->precision_requested == span->precision_requested && s->fallback == span->fallback;
}

static void add(allin1_stage_total *total, const allin1_span *span)
{
    total->count++;
    total->total += span->end - span->start;
    total->own += span->own;
    total->cpu_seconds += span->cpu_seconds;
    total->audio_seconds += span->audio_seconds;
    total->operations += span->operations;
}

/* Fills `rows`; parents have smaller numbers than what they enclose. */
static size_t make_rows(const allin1_timings *timings, const size_t *parents, size_t *row_of,
                        row *rows)
{
    size_t count = 0;
    for (size_t i = timings->count; i-- > 0;) {
        const allin1_span *span = &timings->spans[i];
        const size_t parent = parents[i] == SIZE_MAX ? SIZE_MAX : row_of[parents[i]];
        size_t r = 0;
        while (r < count && !belongs(&rows[r], span, parent))
            r++;
        if (r == count) {
            rows[count++] = (row){
                .shown = {.stage = span->stage,
                          .depth = parent == SIZE_MAX ? 0 : rows[parent].shown.depth + 1,
                          .backend_requested = span->backend_requested,
                          .backend = span->backend,
                          .precision_requested = span->precision_requested,
                          .precision = span->precision,
                          .fallback = span->fallback},
                .parent = parent,
                .first = span->start};
        }
        add(&rows[r].shown, span);
        rows[r].first = span->start < rows[r].first ? span->start : rows[r].first;
        row_of[i] = r;
    }
    return count;
}

/* Puts out the rows below `parent` in the order of their beginning. */
static size_t put_out(row *rows, size_t count, size_t parent, allin1_stage_total *out)
{
    size_t written = 0;
    for (;;) {
        size_t next = SIZE_MAX;
        for (size_t r = 0; r < count; r++)
            if (rows[r].parent == parent && rows[r].shown.count > 0 &&
                (next == SIZE_MAX || rows[r].first < rows[next].first))
                next = r;
        if (next == SIZE_MAX)
            return written;
        out[written++] = rows[next].shown;
        rows[next].shown.count = 0; /* done */
        written += put_out(rows, count, next, out + written);
    }
}

allin1_status allin1_timings_stages(const allin1_timings *timings, allin1_stage_total **stages,
                                    size_t *count, allin1_error *error)
{
    a1_error err = {0};
    const size_t room = timings->count + 1;
    size_t *parents = a1_timings_parents(timings);
    size_t *row_of = malloc(room * sizeof *row_of);
    row *rows = malloc(room * sizeof *rows);
    *stages = calloc(room, sizeof **stages);
    *count = 0;
    allin1_status status = ALLIN1_OK;
    if (parents && row_of && rows && *stages) {
        const size_t found = make_rows(timings, parents, row_of, rows);
        *count = put_out(rows, found, SIZE_MAX, *stages);
    } else {
        free(*stages);
        *stages = NULL;
        status = a1_fail_memory(&err, "the timings");
    }
    free(parents);
    free(row_of);
    free(rows);
    return a1_public_error(error, &err, status);
}

void allin1_stage_totals_free(allin1_stage_total **stages)
{
    if (!stages)
        return;
    free(*stages);
    *stages = NULL;
}
