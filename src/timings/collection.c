#include "timings/collection.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "base/timer.h"
#include "output/result.h"
#include "timings/recorder.h"

#define NS 1e-9
#define MOST_WORK ((size_t)1 << 18)      /* stretches that are kept in all: 8 MB */
#define MOST_WORK_OF_SPAN ((size_t)4096) /* until there is too much in all */

allin1_status allin1_timings_create(allin1_timings **out, allin1_error *error)
{
    a1_error err = {0};
    allin1_timings *timings = calloc(1, sizeof *timings);
    *out = timings;
    if (!timings)
        return a1_public_error(error, &err, a1_fail_memory(&err, "the timings"));
    timings->work_limit = MOST_WORK_OF_SPAN;
    return a1_public_error(error, &err, ALLIN1_OK);
}

void allin1_timings_free(allin1_timings **slot)
{
    if (!slot || !*slot)
        return;
    allin1_timings *timings = *slot;
    for (size_t i = 0; i < timings->count; i++)
        free((void *)timings->spans[i].work);
    free(timings->spans);
    while (timings->runs) {
        a1_kept_run *next = timings->runs->next;
        free(timings->runs);
        timings->runs = next;
    }
    for (size_t i = 0; i < A1_STRING_BUCKETS; i++) {
        while (timings->strings[i]) {
            a1_kept_string *next = timings->strings[i]->next;
            free(timings->strings[i]);
            timings->strings[i] = next;
        }
    }
    free(timings);
    *slot = NULL;
}

/* A copy that lives as long as the timings, one for equal strings; NULL for NULL. */
static const char *keep_string(allin1_timings *timings, const char *text, bool *failed)
{
    if (!text)
        return NULL;
    uint32_t hash = 2166136261u; /* FNV-1a */
    for (const unsigned char *c = (const unsigned char *)text; *c; c++)
        hash = (hash ^ *c) * 16777619u;
    a1_kept_string **bucket = &timings->strings[hash % A1_STRING_BUCKETS];
    for (a1_kept_string *s = *bucket; s; s = s->next)
        if (strcmp(s->text, text) == 0)
            return s->text;
    const size_t size = strlen(text) + 1;
    a1_kept_string *kept = malloc(sizeof *kept + size);
    if (!kept) {
        *failed = true;
        return NULL;
    }
    memcpy(kept->text, text, size);
    kept->next = *bucket;
    *bucket = kept;
    return kept->text;
}

static const allin1_run *keep_run(allin1_timings *timings, const allin1_run *run, bool *failed)
{
    for (const a1_kept_run *r = timings->runs; r; r = r->next)
        if (strcmp(r->run.id, run->id) == 0)
            return &r->run;
    a1_kept_run *kept = malloc(sizeof *kept);
    if (!kept) {
        *failed = true;
        return NULL;
    }
    *kept = (a1_kept_run){.next = timings->runs, .run = *run};
    kept->run.version = keep_string(timings, run->version, failed);
    timings->runs = kept;
    return &kept->run;
}

/* Joins neighbours of one thread until at most `limit` are left, or one for each thread. */
static size_t shorten(allin1_thread_work *work, size_t count, size_t limit)
{
    while (count > limit) {
        size_t left = 0;
        for (size_t i = 0; i < count; left++) {
            allin1_thread_work joined = work[i++];
            if (i < count && work[i].thread == joined.thread) {
                joined.end = work[i].end;
                joined.busy += work[i].busy;
                i++;
            }
            work[left] = joined;
        }
        if (left == count)
            break;
        count = left;
    }
    return count;
}

/* Makes what is kept coarser until half of the room is free; gives the finest up altogether when even
 * one stretch a thread is too much. */
static void make_room(allin1_timings *timings)
{
    while (timings->work_total > MOST_WORK / 2 && timings->work_limit > 0) {
        timings->work_limit /= 2;
        timings->work_total = 0;
        for (size_t i = 0; i < timings->count; i++) {
            allin1_span *span = &timings->spans[i];
            allin1_thread_work *work = (allin1_thread_work *)span->work;
            span->work_count = shorten(work, span->work_count, timings->work_limit);
            if (timings->work_limit == 0)
                span->work_count = 0;
            timings->work_total += span->work_count;
            if (span->work_count == 0) {
                free(work);
                span->work = NULL;
            }
        }
    }
}

static void keep_work(allin1_timings *timings, allin1_span *kept, const allin1_span *span)
{
    kept->work = NULL;
    kept->work_count = 0;
    if (span->work_count == 0 || timings->work_limit == 0)
        return;
    const size_t size = span->work_count * sizeof *span->work;
    allin1_thread_work *work = malloc(size);
    if (!work) {
        timings->lost = true;
        return;
    }
    memcpy(work, span->work, size);
    kept->work_count = shorten(work, span->work_count, timings->work_limit);
    allin1_thread_work *smaller = realloc(work, kept->work_count * sizeof *work);
    kept->work = smaller ? smaller : work;
    timings->work_total += kept->work_count;
}

void allin1_timings_add(void *user, const allin1_span *span)
{
    allin1_timings *timings = user;
    allin1_span *spans =
        a1_grow(timings->spans, timings->count, &timings->capacity, sizeof *spans);
    if (!spans) {
        timings->lost = true;
        return;
    }
    timings->spans = spans;
    bool failed = false;
    allin1_span kept = *span;
    const char **const strings[] = {&kept.stage, &kept.device, &kept.model, &kept.track, &kept.mode,
                                    &kept.backend_requested, &kept.backend,
                                    &kept.precision_requested, &kept.precision, &kept.fallback,
                                    &kept.model_requested};
    for (size_t i = 0; i < sizeof strings / sizeof *strings; i++)
        *strings[i] = keep_string(timings, *strings[i], &failed);
    kept.run = keep_run(timings, span->run, &failed);
    if (failed) {
        timings->lost = true;
        return;
    }
    keep_work(timings, &kept, span);
    timings->spans[timings->count++] = kept;
    if (timings->work_total > MOST_WORK)
        make_room(timings);
}

void allin1_timings_begin(allin1_timings *timings, const char *stage, const char *mode)
{
    timings->stage = stage;
    timings->mode = mode;
    timings->begun = (double)a1_monotonic_ns() * NS;
    timings->begun_cpu = (double)a1_process_cpu_ns() * NS;
}

void allin1_timings_end(allin1_timings *timings, allin1_span_fn fn, void *user)
{
    if (timings->count == 0 || !timings->stage)
        return;
    const allin1_span *last = &timings->spans[timings->count - 1];
    allin1_span span = {.stage = timings->stage,
                        .start = timings->begun,
                        .end = (double)a1_monotonic_ns() * NS,
                        .cpu_seconds = (double)a1_process_cpu_ns() * NS - timings->begun_cpu,
                        .peak_memory = a1_peak_memory(),
                        .device = last->device,
                        .model = last->model,
                        .model_requested = last->model_requested,
                        .mode = timings->mode,
                        .run = last->run,
                        .snr = NAN};
    for (size_t i = 0; i < timings->count; i++)
        if (timings->spans[i].run == span.run && timings->spans[i].id > span.id)
            span.id = timings->spans[i].id;
    span.id++;
    span.own = span.end - span.start;
    span.wall_start = span.run->started + (span.start - span.run->clock_started);
    timings->stage = NULL;
    allin1_timings_add(timings, &span);
    if (fn)
        fn(user, &span);
}

const allin1_span *allin1_timings_spans(const allin1_timings *timings, size_t *count)
{
    *count = timings->count;
    return timings->spans;
}

int allin1_timings_incomplete(const allin1_timings *timings)
{
    return timings->lost;
}

const char *a1_timings_track_name(const char *track)
{
    const char *slash = strrchr(track, '/');
    return slash && slash[1] ? slash + 1 : track;
}

size_t *a1_timings_parents(const allin1_timings *timings)
{
    size_t open[A1_SPAN_DEPTH + 1], depth = 0;
    size_t *parents = malloc((timings->count + 1) * sizeof *parents);
    /* Backwards, a span comes before all that it encloses. */
    for (size_t i = timings->count; parents && i-- > 0;) {
        const allin1_span *span = &timings->spans[i];
        while (depth > 0 && (timings->spans[open[depth - 1]].id != span->parent ||
                             timings->spans[open[depth - 1]].run != span->run))
            depth--;
        parents[i] = depth > 0 ? open[depth - 1] : SIZE_MAX;
        if (depth <= A1_SPAN_DEPTH)
            open[depth++] = i;
    }
    return parents;
}

/* Inputs come one after the other; each counts with the length that was known in the end. */
static void sum_tracks(const allin1_timings *timings, allin1_span *total)
{
    const char *track = NULL;
    double seconds = 0;
    for (size_t i = 0; i < timings->count; i++) {
        const allin1_span *span = &timings->spans[i];
        if (!span->track)
            continue;
        if (span->track != track) { /* equal strings are one string */
            total->audio_seconds += seconds;
            total->count++;
            track = span->track;
            seconds = 0;
        }
        seconds = span->audio_seconds > 0 ? span->audio_seconds : seconds;
    }
    total->audio_seconds += seconds;
}

const allin1_span *allin1_timings_total(allin1_timings *timings, int ended)
{
    if (timings->count == 0)
        return NULL;
    const allin1_span *first = &timings->spans[0], *last = &timings->spans[timings->count - 1];
    allin1_span total = {.stage = ALLIN1_STAGE_RUN,
                         .start = first->start,
                         .device = last->device,
                         .model = last->model,
                         .model_requested = last->model_requested,
                         .run = last->run,
                         .peak_memory = a1_peak_memory(),
                         .snr = NAN};
    double accounted = 0;
    for (size_t i = 0; i < timings->count; i++) {
        const allin1_span *span = &timings->spans[i];
        total.start = fmin(total.start, span->start);
        if (span->run == total.run && span->id >= total.id)
            total.id = span->id + 1;
        total.operations += span->operations;
        if (span->parent > 0)
            continue;
        accounted += span->end - span->start;
        total.cpu_seconds += span->cpu_seconds;
        total.instructions += span->instructions;
    }
    sum_tracks(timings, &total);
    if (ended && timings->ended == 0)
        timings->ended = (double)a1_monotonic_ns() * NS;
    total.end = fmax(timings->ended > 0 ? timings->ended : (double)a1_monotonic_ns() * NS, last->end);
    total.wall_start = total.run->started + (total.start - total.run->clock_started);
    total.own = fmax(total.end - total.start - accounted, 0);
    timings->total = total;
    return &timings->total;
}
