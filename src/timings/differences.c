/* What keeps two measurements from being alike, whatever stage one looks at. */
#include "timings/comparison.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* One value of a fact for the whole of a side: "" when it is nowhere recorded, "mixed". */
static const char *fact_of_all(const allin1_timing_records *t, a1_time_fact fact)
{
    uint32_t value = 0;
    for (size_t i = 1; i <= t->node_count; i++) {
        const uint32_t here = t->nodes[i].fact[fact];
        if (!here)
            continue;
        if (value && here != value)
            return "mixed";
        value = here;
    }
    return value == A1_FACT_MIXED ? "mixed" : a1_timings_text(t, value);
}

static allin1_status say(a1_comparison *c, a1_text *title, a1_text *cause, a1_text *command,
                         a1_error *err)
{
    a1_finding_draft draft;
    a1_finding_begin(&draft, c, ALLIN1_FINDING_DIFFERENCE, "");
    a1_finding_title(&draft, title);
    if (cause->used || cause->failed)
        a1_finding_cause(&draft, cause);
    if (command->used || command->failed)
        a1_finding_command(&draft, command);
    return a1_finding_end(&draft, err);
}

static allin1_status find_facts(a1_comparison *c, a1_error *err)
{
    static const struct {
        a1_time_fact fact;
        const char *what, *meaning, *option;
    } all[] = {
        {A1_FACT_HOST, "machine", "Figures of two machines say little about two programs.", NULL},
        {A1_FACT_PROCESSOR, "processor", "Figures of two processors say little about two programs.",
         NULL},
        {A1_FACT_CPU_LEVEL, "level of the processor", "Every stage with vector code feels it.",
         "--cpu-level"},
        {A1_FACT_THREADS, "number of threads", "Every stage that works in parallel feels it.",
         "--threads"},
        {A1_FACT_MODEL, "model", "The network's cost goes with the number of its folds.",
         "--model"},
        {A1_FACT_DEVICE, "device", "", NULL},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        const char *before = fact_of_all(c->before, all[i].fact);
        const char *after = fact_of_all(c->after, all[i].fact);
        a1_text title = {0}, cause = {0}, command = {0};
        if (!*before || !*after || strcmp(before, after) == 0)
            continue;
        a1_text_format(&title, "The %s differs: %s before, %s after.", all[i].what, before, after);
        a1_text_add(&cause, all[i].meaning);
        if (all[i].option && strcmp(before, "mixed") != 0) {
            a1_text option = {0};
            a1_text_format(&option, " %s ", all[i].option);
            a1_text_shell(&option, before);
            char *bytes = a1_text_take(&option, NULL);
            if (bytes)
                a1_put_command(&command, c, NULL, bytes);
            command.failed |= !bytes;
            free(bytes);
        }
        A1_TRY(say(c, &title, &cause, &command, err));
    }
    return ALLIN1_OK;
}

static allin1_status find_tracks(a1_comparison *c, a1_error *err)
{
    const size_t before = c->before->track_count, after = c->after->track_count;
    a1_text title = {0}, cause = {0}, none = {0};
    if (before == 0 || after == 0 ||
        (before == after && c->tracks_compared == before && c->match <= A1_TRACKS_BY_NAME))
        return ALLIN1_OK;
    switch (c->match) {
    case A1_TRACKS_BY_PATH:
    case A1_TRACKS_BY_NAME:
        a1_text_format(&title, "%zu of the tracks are in both files (%zu before, %zu after).",
                       c->tracks_compared, before, after);
        a1_text_add(&cause, "Stages of tracks are compared over those only; what belongs to no "
                            "track is compared as it is.");
        break;
    case A1_TRACKS_ONE_EACH:
        a1_text_add(&title, "The tracks have different names.");
        a1_text_add(&cause, "They are taken for the same song.");
        break;
    case A1_TRACKS_DIFFER:
        a1_text_add(&title, "The files have no track in common.");
        a1_text_add(&cause, "Each analysis is taken for a measurement of the same thing: the "
                            "differences between the songs are in the figures.");
        break;
    }
    return say(c, &title, &cause, &none, err);
}

/* Mean length of the audio behind the first stage that tells it on both sides. */
static allin1_status find_length(a1_comparison *c, a1_error *err)
{
    for (size_t i = 0; i < c->shown.row_count && c->match != A1_TRACKS_DIFFER; i++) {
        const a1_stage_node *x = c->compared[i].before, *y = c->compared[i].after;
        if (!x || !y || !x->audio_spans || !y->audio_spans)
            continue;
        const double before = x->audio_seconds / (double)x->audio_spans;
        const double after = y->audio_seconds / (double)y->audio_spans;
        if (c->before->track_count != c->after->track_count ||
            fabs(after - before) <= 0.01 * before)
            return ALLIN1_OK;
        a1_text title = {0}, cause = {0}, none = {0};
        a1_text_format(&title, "The audio is not as long: %.1f s before, %.1f s after.", before,
                       after);
        a1_text_format(&cause,
                       "All stages but the loading of models go with the length: %.2fx of "
                       "every speed-up may come from it.",
                       before / after);
        return say(c, &title, &cause, &none, err);
    }
    return ALLIN1_OK;
}

allin1_status a1_find_differences(a1_comparison *c, a1_error *err)
{
    A1_TRY(find_facts(c, err));
    A1_TRY(find_tracks(c, err));
    return find_length(c, err);
}
