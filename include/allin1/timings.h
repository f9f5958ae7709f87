/* What a run cost, from its spans: a table, a JSON document, a trace for Perfetto or speedscope.
 *
 *     allin1_timings *timings = NULL;
 *     allin1_timings_create(&timings, &error);
 *     settings.span = allin1_timings_add;
 *     settings.span_user = timings;
 *     ... open, analyse, close ...
 *     char *text = allin1_timings_summary(timings);
 *
 * The conventions are those of allin1/allin1.h. An allin1_timings is used by one thread at a time; it
 * takes the spans of one context, or of several that are used one after the other. */
#ifndef ALLIN1_TIMINGS_H
#define ALLIN1_TIMINGS_H

#include <stddef.h>

#include <allin1/allin1.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct allin1_timings allin1_timings;

allin1_status allin1_timings_create(allin1_timings **timings, allin1_error *error);
void allin1_timings_free(allin1_timings **timings);

/* Keeps a copy of a span, with its strings, its run and who worked when. Fits allin1_settings.span;
 * `timings` is the allin1_timings. When memory runs out, the span is lost, and all that follows says
 * so. Who worked when is kept coarser the more there is of it; spans take about 300 bytes each. */
void allin1_timings_add(void *timings, const allin1_span *span);

/* A piece of work of the caller's own after its context was closed, at the top of the last run that
 * was added. `mode` may be NULL. The end adds the span, passes it to `fn` too unless that is NULL, and
 * does nothing when no run was added. They do not nest. */
void allin1_timings_begin(allin1_timings *timings, const char *stage, const char *mode);
void allin1_timings_end(allin1_timings *timings, allin1_span_fn fn, void *user);

/* The spans so far, in the order in which they ended; borrowed until the next one is added. */
const allin1_span *allin1_timings_spans(const allin1_timings *timings, size_t *count);

/* The whole as one span, ALLIN1_STAGE_RUN, from where the first run began to this call (or, once a
 * call was made with `ended` not 0, to that one). Its `own` time is what no span at the top accounts
 * for, `count` the number of inputs, `audio_seconds` the length of them all. NULL when there are no
 * spans. Borrowed until the next call with these timings. */
const allin1_span *allin1_timings_total(allin1_timings *timings, int ended);

/* Not 0: memory ran out for some spans. */
int allin1_timings_incomplete(const allin1_timings *timings);

/* What all spans with the same stage, enclosing stage, backend, precision and fall-back add up to. */
typedef struct allin1_stage_total {
    const char *stage;
    unsigned depth; /* 0: at the top */
    size_t count;   /* spans */
    double total, own;      /* seconds, with and without their children's time */
    double cpu_seconds;
    double audio_seconds;   /* of the inputs they worked on, each time; 0 when unknown */
    double operations;      /* 0 when they are not counted */
    const char *backend_requested, *backend, *precision_requested, *precision; /* or NULL */
    const char *fallback;   /* or NULL */
} allin1_stage_total;

/* In the order in which the stages began, children after their parents. The caller frees the array
 * with allin1_stage_totals_free; its strings belong to `timings`. */
allin1_status allin1_timings_stages(const allin1_timings *timings, allin1_stage_total **stages,
                                    size_t *count, allin1_error *error);
void allin1_stage_totals_free(allin1_stage_total **stages);

/* A table of the stages and the whole, with what is not accounted for. NULL when memory ran out; free
 * it, and the two texts below, with allin1_string_free. */
char *allin1_timings_summary(allin1_timings *timings);

/* One JSON document: facts about the runs, the whole, the stages, the spans (docs/FORMATS.md). */
char *allin1_timings_json(allin1_timings *timings);

/* The Chrome trace format: one row for the stages and one for each thread (docs/FORMATS.md). */
char *allin1_timings_trace(allin1_timings *timings);

/* Write the document and the trace to files, whole or not at all. */
allin1_status allin1_timings_save_json(allin1_timings *timings, const char *path,
                                       allin1_error *error);
allin1_status allin1_timings_save_trace(allin1_timings *timings, const char *path,
                                        allin1_error *error);

/* Writes a figure of what ran when, whole or not at all; .pdf, .svg or .png by the path's suffix, or
 * ALLIN1_ERROR_ARGUMENT, as for timings without spans. The time axis goes from the first span's start to
 * the last one's end. The same spans give the same bytes on one system (its fonts and libraries). */
allin1_status allin1_timings_save_figure(const allin1_timings *timings, const char *path,
                                         allin1_error *error);

#ifdef __cplusplus
}
#endif

#endif
