/* The table of a run. */
#include "timings/collection.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static double share(double part, double whole)
{
    return whole > 0 ? 100 * part / whole : 0;
}

/* "fast (asked: auto)"; nothing when the stage has no such choice. */
static void put_choice(FILE *to, const char *used, const char *requested)
{
    if (!used)
        return;
    fprintf(to, "  %s", used);
    if (requested && strcmp(used, requested) != 0)
        fprintf(to, " (asked: %s)", requested);
}

static void put_stage(FILE *to, const allin1_stage_total *stage, double wall)
{
    const int indent = 2 * (int)stage->depth;
    fprintf(to, "%*s%-*s %5zu %10.3f %10.3f %6.1f%%", indent, "", 25 - indent, stage->stage,
            stage->count, stage->total, stage->own, share(stage->own, wall));
    if (stage->audio_seconds > 0)
        fprintf(to, " %9.5f", stage->total / stage->audio_seconds);
    else
        fprintf(to, " %9s", "");
    if (stage->operations > 0 && stage->total > 0)
        fprintf(to, " %7.1f", stage->operations * 1e-9 / stage->total);
    else if (stage->backend || stage->precision || stage->fallback)
        fprintf(to, " %7s", "");
    put_choice(to, stage->backend, stage->backend_requested);
    put_choice(to, stage->precision, stage->precision_requested);
    if (stage->fallback)
        fprintf(to, "  after %s", stage->fallback);
    fputc('\n', to);
}

static void put_whole(FILE *to, const allin1_span *run, int incomplete)
{
    const double wall = run->end - run->start;
    const allin1_run *facts = run->run;
    fprintf(to, "%-25s %5s %10.3f %10.3f %6.1f%%\n", "not accounted for", "", run->own, run->own,
            share(run->own, wall));
    fprintf(to, "%-25s %5zu %10.3f %10s %6.1f%%", "the run", run->count, wall, "", 100.0);
    if (run->audio_seconds > 0)
        fprintf(to, " %9.5f", wall / run->audio_seconds);
    fprintf(to,
            "\n%.1f s of audio; processor time %.3f s: %.2f of %u threads busy; peak memory %.0f MB\n",
            run->audio_seconds, run->cpu_seconds, wall > 0 ? run->cpu_seconds / wall : 0,
            facts->threads, (double)run->peak_memory / 1e6);
    fprintf(to, "allin1 %s on %s (%s), level %s\n", facts->version, facts->host,
            *facts->processor ? facts->processor : "unknown processor",
            allin1_cpu_level_string(facts->cpu_level));
    if (incomplete)
        fputs("Memory ran out for some of the spans: the table is not complete.\n", to);
}

char *allin1_timings_summary(allin1_timings *timings)
{
    const allin1_span *run = allin1_timings_total(timings, 0);
    allin1_stage_total *stages;
    size_t count, size;
    char *text = NULL;
    if (allin1_timings_stages(timings, &stages, &count, NULL) != ALLIN1_OK)
        return NULL;
    FILE *to = open_memstream(&text, &size);
    if (to) {
        fprintf(to, "%-25s %5s %10s %10s %7s %9s %7s\n", "stage", "count", "total s", "own s",
                "share", "x length", "GFLOP/s");
        for (size_t i = 0; i < count; i++)
            put_stage(to, &stages[i], run->end - run->start);
        if (run)
            put_whole(to, run, timings->lost);
        const bool failed = ferror(to);
        if (fclose(to) != 0 || failed) {
            free(text);
            text = NULL;
        }
    }
    allin1_stage_totals_free(&stages);
    return text;
}
