#include "timings/recorder.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/grow.h"
#include "base/timer.h"

#define NS 1e-9

void a1_recorder_start(a1_recorder *recorder, uint64_t start_ns)
{
    unsigned char random[16];
    if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random) {
        const uint64_t clocks[2] = {a1_wall_clock_ns(), a1_monotonic_ns() ^ (uint64_t)getpid()};
        memcpy(random, clocks, sizeof random);
    }
    for (size_t i = 0; i < sizeof random; i++)
        snprintf(recorder->run.id + 2 * i, 3, "%02x", random[i]);
    if (gethostname(recorder->run.host, sizeof recorder->run.host - 1) != 0)
        recorder->run.host[0] = '\0';
    recorder->run.host[sizeof recorder->run.host - 1] = '\0';
    recorder->run.version = ALLIN1_VERSION_STRING;
    recorder->run.started = (double)(a1_wall_clock_ns() - (a1_monotonic_ns() - start_ns)) * NS;
    recorder->run.clock_started = (double)start_ns * NS;
}

void a1_recorder_finish(a1_recorder *recorder)
{
    free(recorder->ended);
    recorder->ended = NULL;
    recorder->ended_count = recorder->ended_capacity = 0;
    for (size_t i = 0; i < A1_SPAN_DEPTH; i++)
        free(recorder->open[i].work);
    memset(recorder->open, 0, sizeof recorder->open);
    a1_recorder_unwatch(recorder);
    a1_thread_log_destroy(&recorder->log);
}

allin1_status a1_recorder_watch(a1_recorder *recorder, a1_pool *pool, a1_error *err)
{
    A1_TRY(a1_thread_log_create(&recorder->log, a1_pool_threads(pool), err));
    recorder->pool = pool;
    a1_pool_watch(pool, recorder->log);
    return ALLIN1_OK;
}

void a1_recorder_unwatch(a1_recorder *recorder)
{
    if (recorder->pool)
        a1_pool_watch(recorder->pool, NULL);
    recorder->pool = NULL;
}

void a1_recorder_restart(a1_recorder *recorder)
{
    recorder->ended_count = 0;
    recorder->lost = false;
    recorder->keeping = true;
}

/* Room for one more stretch of a span, or NULL: then the thread's last one is made longer. */
static allin1_thread_work *add_work(a1_open_span *open)
{
    allin1_thread_work *work =
        open->work_count < A1_SPAN_MAX_WORK
            ? a1_grow(open->work, open->work_count, &open->work_capacity, sizeof *work)
            : NULL;
    if (!work)
        return NULL;
    open->work = work;
    return &open->work[open->work_count++];
}

static void take_stretch(a1_open_span *open, unsigned thread, const a1_stretch *stretch)
{
    const double start = (double)stretch->start_ns * NS, end = (double)stretch->end_ns * NS;
    const double busy = (double)stretch->busy_ns * NS;
    allin1_thread_work *work = add_work(open);
    if (work) {
        *work = (allin1_thread_work){thread, start, end, busy};
        return;
    }
    for (size_t i = open->work_count; i-- > 0;) {
        if (open->work[i].thread == thread) {
            open->work[i].end = end;
            open->work[i].busy += busy;
            return;
        }
    }
}

/* What the threads did up to now belongs to the span that is open, if there is one. */
static void collect_work(a1_recorder *recorder, uint64_t now_ns)
{
    if (!recorder->log)
        return;
    if (recorder->pool)
        a1_pool_note_caller(recorder->pool, now_ns);
    if (recorder->depth > 0) {
        a1_open_span *open = &recorder->open[recorder->depth - 1];
        for (unsigned t = 0; t < a1_thread_log_threads(recorder->log); t++) {
            const a1_stretch *stretches;
            const size_t count = a1_thread_log_read(recorder->log, t, &stretches);
            for (size_t i = 0; i < count; i++)
                take_stretch(open, t, &stretches[i]);
        }
    }
    a1_thread_log_clear(recorder->log);
}

static int by_thread_and_time(const void *a, const void *b)
{
    const allin1_thread_work *x = a, *y = b;
    if (x->thread != y->thread)
        return x->thread < y->thread ? -1 : 1;
    return x->start < y->start ? -1 : x->start > y->start;
}

allin1_span *a1_span_begin(a1_recorder *recorder, const char *stage)
{
    const uint64_t now_ns = a1_monotonic_ns();
    collect_work(recorder, now_ns);
    /* Depth is fixed by the pipeline's code; the last place is shared rather than overrun. */
    if (recorder->depth < A1_SPAN_DEPTH)
        recorder->depth++;
    a1_open_span *open = &recorder->open[recorder->depth - 1];
    const uint64_t parent = recorder->depth > 1 ? recorder->open[recorder->depth - 2].span.id : 0;
    *open = (a1_open_span){
        .span = {.id = ++recorder->spans_begun,
                 .parent = parent,
                 .stage = stage,
                 .wall_start = (double)a1_wall_clock_ns() * NS,
                 .device = "cpu",
                 .model = recorder->model,
        .model_requested = recorder->model_requested,
                 .track = recorder->track,
                 .audio_seconds = recorder->audio_seconds,
                 .run = &recorder->run,
                 .snr = NAN},
        .work = open->work, /* its memory is used again */
        .work_capacity = open->work_capacity,
        .instructions = a1_instructions_read(&recorder->instructions),
        .cpu_ns = a1_process_cpu_ns(),
        .start_ns = now_ns,
    };
    return &open->span;
}

static void keep(a1_recorder *recorder, const allin1_span *span)
{
    allin1_span *ended = a1_grow(recorder->ended, recorder->ended_count, &recorder->ended_capacity,
                                 sizeof *ended);
    if (!ended) {
        recorder->lost = true;
        return;
    }
    recorder->ended = ended;
    recorder->ended[recorder->ended_count++] = *span;
}

void a1_span_end(a1_recorder *recorder)
{
    const uint64_t end_ns = a1_monotonic_ns();
    if (recorder->depth == 0)
        return;
    a1_open_span *open = &recorder->open[recorder->depth - 1];
    const uint64_t duration_ns = end_ns - open->start_ns;
    allin1_span *span = &open->span;
    collect_work(recorder, end_ns);
    const uint64_t instructions = a1_instructions_read(&recorder->instructions);
    if (open->instructions > 0 && instructions > open->instructions)
        span->instructions = instructions - open->instructions;
    span->start = (double)open->start_ns * NS;
    span->end = (double)end_ns * NS;
    span->own = (double)(duration_ns - open->children_ns) * NS;
    span->cpu_seconds = (double)(a1_process_cpu_ns() - open->cpu_ns) * NS;
    span->peak_memory = a1_peak_memory();
    recorder->depth--;
    if (recorder->depth > 0)
        recorder->open[recorder->depth - 1].children_ns += duration_ns;
    if (recorder->keeping)
        keep(recorder, span);
    if (!recorder->callback)
        return;
    if (open->work_count > 0) {
        qsort(open->work, open->work_count, sizeof *open->work, by_thread_and_time);
        span->work = open->work;
        span->work_count = open->work_count;
    }
    recorder->callback(recorder->user, span);
}

void a1_span_past(a1_recorder *recorder, const char *stage, uint64_t start_ns, uint64_t end_ns,
                  uint64_t cpu_ns)
{
    const double start = (double)start_ns * NS;
    const allin1_span span = {
        .id = ++recorder->spans_begun,
        .stage = stage,
        .start = start,
        .end = (double)end_ns * NS,
        .wall_start = recorder->run.started + (start - recorder->run.clock_started),
        .own = (double)(end_ns - start_ns) * NS,
        .cpu_seconds = (double)cpu_ns * NS,
        .peak_memory = a1_peak_memory(),
        .device = "cpu",
        .model = recorder->model,
        .model_requested = recorder->model_requested,
        .run = &recorder->run,
        .snr = NAN,
    };
    if (recorder->callback)
        recorder->callback(recorder->user, &span);
}

void a1_spans_unwind(a1_recorder *recorder, unsigned depth)
{
    while (recorder->depth > depth) {
        recorder->open[recorder->depth - 1].span.mode = "failed";
        a1_span_end(recorder);
    }
}
