#include "timings/recorder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/timer.h"

#define NS 1e-9

void a1_recorder_start(a1_recorder *recorder)
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
    recorder->run.started = (double)a1_wall_clock_ns() * NS;
}

void a1_recorder_finish(a1_recorder *recorder)
{
    free(recorder->ended);
    recorder->ended = NULL;
    recorder->ended_count = recorder->ended_capacity = 0;
}

void a1_recorder_restart(a1_recorder *recorder)
{
    recorder->ended_count = 0;
    recorder->lost = false;
}

allin1_span *a1_span_begin(a1_recorder *recorder, const char *stage)
{
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
                 .track = recorder->track,
                 .audio_seconds = recorder->audio_seconds,
                 .run = &recorder->run},
        .cpu_ns = a1_process_cpu_ns(),
        .start_ns = a1_monotonic_ns(),
    };
    return &open->span;
}

static void keep(a1_recorder *recorder, const allin1_span *span)
{
    if (recorder->ended_count == recorder->ended_capacity) {
        const size_t capacity = recorder->ended_capacity ? 2 * recorder->ended_capacity : 32;
        allin1_span *ended = realloc(recorder->ended, capacity * sizeof *ended);
        if (!ended) {
            recorder->lost = true;
            return;
        }
        recorder->ended = ended;
        recorder->ended_capacity = capacity;
    }
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
    span->start = (double)open->start_ns * NS;
    span->end = (double)end_ns * NS;
    span->own = (double)(duration_ns - open->children_ns) * NS;
    span->cpu_seconds = (double)(a1_process_cpu_ns() - open->cpu_ns) * NS;
    span->peak_memory = a1_peak_memory();
    recorder->depth--;
    if (recorder->depth > 0)
        recorder->open[recorder->depth - 1].children_ns += duration_ns;
    keep(recorder, span);
    if (recorder->callback)
        recorder->callback(recorder->user, span);
}

void a1_spans_unwind(a1_recorder *recorder, unsigned depth)
{
    while (recorder->depth > depth) {
        recorder->open[recorder->depth - 1].span.mode = "failed";
        a1_span_end(recorder);
    }
}
