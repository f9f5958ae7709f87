/* Why a stage did not become as fast as was promised, as far as the records show it. */
#include "timings/comparison.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <allin1/allin1.h>

#define COLD_FACTOR 1.5    /* a first pass that is so much slower than the others is a cold one */
#define COLD_SECONDS 0.005 /* and by at least this */
#define BUSY_FACTOR 0.75   /* of the share of the processor that it had before */
#define UNTOUCHED 1.15     /* speed-ups below it look like the same code */
#define CONTRAST 1.5       /* beside neighbours at least so much faster */

/* Commands ---------------------------------------------------------------------------------------
 */

static bool is_of_the_reference(const allin1_timing_records *t)
{
    return t->count > 0 && !t->records[0].run_name && !t->records[0].fact[A1_FACT_VERSION];
}

static const char *track_of(const allin1_timing_records *t, const a1_stage_node *node)
{
    for (size_t i = 0; node && i < node->sample_count; i++)
        if (t->samples[node->first_sample + i].track)
            return a1_timings_text(t, t->samples[node->first_sample + i].track);
    for (size_t i = 0; i < t->count; i++)
        if (t->records[i].track)
            return a1_timings_text(t, t->records[i].track);
    return "SONG";
}

void a1_put_command(a1_text *text, const a1_comparison *c, const a1_compared *row,
                    const char *options)
{
    const allin1_timing_records *t = c->after;
    const bool reference = is_of_the_reference(t);
    a1_text_format(text, "%s%s --overwrite %s new.jsonl ", reference ? "allin1-mlx" : "allin1",
                   options, reference ? "--timings-path" : "--timings");
    a1_text_shell(text, track_of(t, row ? row->after : NULL));
}

/* Options of the command that is being put together. */
typedef struct remedy {
    a1_text options;
    bool repeat; /* measuring again is the remedy */
} remedy;

static const char *expected_backend(const a1_comparison *c, const allin1_timing_row *row)
{
    const char *backend = NULL;
    double high = 0;
    for (size_t i = 0; i < c->expected.count; i++) {
        const a1_expectation *e = &c->expected.items[i];
        if (a1_expectation_is_of(e, row) && e->backend && e->low > high) {
            backend = e->backend;
            high = e->low;
        }
    }
    return backend;
}

static bool is_spectrogram(const allin1_timing_row *row)
{
    return strcmp(row->stage, ALLIN1_STAGE_SPECTROGRAM) == 0;
}

static bool is_demix(const allin1_timing_row *row)
{
    return strcmp(row->stage, ALLIN1_STAGE_DEMIX) == 0;
}

static void ask_for_backend(remedy *r, const a1_comparison *c, const allin1_timing_row *row,
                            const char *backend)
{
    if (!is_spectrogram(row))
        return;
    const bool reference = is_of_the_reference(c->after);
    if (!backend)
        backend = reference ? "mlx_fast" : "fast";
    if (reference)
        a1_text_format(&r->options, " --device mlx --spec-backend ");
    else
        a1_text_format(&r->options, " --spec-backend ");
    a1_text_shell(&r->options, backend);
}

/* Causes -----------------------------------------------------------------------------------------
 */

static void say(a1_finding_draft *draft, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void say(a1_finding_draft *draft, const char *format, ...)
{
    char line[2048];
    a1_text text = {0};
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    a1_text_add(&text, line);
    a1_finding_cause(draft, &text);
}

static bool is_set(const char *fact)
{
    return *fact != '\0';
}

static bool differs(const char *a, const char *b)
{
    return is_set(a) && is_set(b) && strcmp(a, b) != 0;
}

/* Whether another stage at hand became clearly faster while this one did not: the most, or 0. */
static double best_neighbour(const a1_comparison *c, size_t row)
{
    double best = 0;
    for (size_t i = 0; i < c->shown.row_count; i++)
        if (i != row && c->compared[i].changed && isfinite(c->rows[i].speed_up))
            best = fmax(best, c->rows[i].speed_up);
    return best;
}

/* The backend, in the order of how sure it is. True when it explains the miss. */
static bool blame_backend(a1_finding_draft *draft, remedy *r, size_t index)
{
    const a1_comparison *c = draft->comparison;
    const allin1_timing_row *row = &c->rows[index];
    const a1_compared *facts = &c->compared[index];
    const char *requested = a1_node_fact(c->after, facts->after, A1_FACT_BACKEND_REQUESTED);
    const char *expected = expected_backend(c, row);
    const char *before = row->before_backend, *after = row->after_backend;
    const char *guard = a1_node_fact(c->after, facts->after, A1_FACT_FALLBACK);
    if (is_set(guard)) {
        say(draft,
            "A guard made the stage run otherwise than asked: %s found a difference that is too "
            "large. "
            "See the figures in its own lines.",
            guard);
        return true;
    }
    if (facts->after->backend_fell_back > 0) {
        say(draft,
            "The backend that was asked for did not run: asked for was %s, and %s ran in %zu of "
            "%zu spans.",
            requested, after, facts->after->backend_fell_back, facts->after->spans);
        ask_for_backend(r, c, row, strcmp(requested, "mixed") ? requested : expected);
        return true;
    }
    if (expected && is_set(after) && strcmp(expected, after) != 0) {
        say(draft, "The speed-up was expected of the backend %s, and %s ran (asked for was %s).",
            expected, after, is_set(requested) ? requested : "nothing that is recorded");
        ask_for_backend(r, c, row, expected);
        return true;
    }
    if (is_set(after) && strcmp(before, after) == 0) {
        say(draft, "The same backend ran before and after: %s. Nothing was switched.", after);
        ask_for_backend(r, c, row, expected);
        return true;
    }
    return false;
}

/* Records without a backend: what the figures say about it. */
static bool suspect_backend(a1_finding_draft *draft, remedy *r, size_t index)
{
    const a1_comparison *c = draft->comparison;
    const allin1_timing_row *row = &c->rows[index];
    const a1_compared *facts = &c->compared[index];
    const double best = best_neighbour(c, index);
    if (is_set(row->after_backend) || !(row->speed_up < UNTOUCHED) || best < CONTRAST)
        return false;
    const char *before = a1_node_fact(c->before, facts->before, A1_FACT_DEVICE);
    const char *after = a1_node_fact(c->after, facts->after, A1_FACT_DEVICE);
    say(draft,
        "Most likely the new code did not run here: the stage took %.0f %% of its old time while "
        "others became up to %.2fx faster. Which backend ran is not recorded%s%s%s.",
        100 / row->speed_up, best,
        is_set(after) && strcmp(before, after) == 0 ? "; the device is the same in both files, "
                                                    : "",
        is_set(after) && strcmp(before, after) == 0 ? after : "",
        differs(before, after) ? "; the devices differ" : "");
    ask_for_backend(r, c, row, expected_backend(c, row));
    return true;
}

static bool blame_precision(a1_finding_draft *draft, remedy *r, size_t index)
{
    const a1_comparison *c = draft->comparison;
    const a1_compared *facts = &c->compared[index];
    const char *before = a1_node_fact(c->before, facts->before, A1_FACT_PRECISION);
    const char *after = a1_node_fact(c->after, facts->after, A1_FACT_PRECISION);
    const char *requested = a1_node_fact(c->after, facts->after, A1_FACT_PRECISION_REQUESTED);
    if (facts->after->precision_fell_back > 0)
        say(draft, "The precision that was asked for did not run: asked for was %s, and %s ran.",
            requested, after);
    else if (differs(before, after))
        say(draft, "The precision differs: %s before, %s after.", before, after);
    else
        return false;
    if (is_demix(&c->rows[index])) {
        a1_text_add(&r->options, " --precision ");
        a1_text_shell(&r->options, is_set(requested) ? requested : before);
    }
    return true;
}

static bool blame_machine(a1_finding_draft *draft, remedy *r, size_t index)
{
    const a1_comparison *c = draft->comparison;
    const a1_compared *facts = &c->compared[index];
    static const struct {
        a1_time_fact fact;
        const char *what, *option;
    } all[] = {{A1_FACT_THREADS, "number of threads", "--threads"},
               {A1_FACT_CPU_LEVEL, "level of the processor", "--cpu-level"},
               {A1_FACT_PROCESSOR, "processor", NULL},
               {A1_FACT_DEVICE, "device", NULL}};
    bool found = false;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        const char *before = a1_node_fact(c->before, facts->before, all[i].fact);
        const char *after = a1_node_fact(c->after, facts->after, all[i].fact);
        if (!differs(before, after))
            continue;
        say(draft, "The %s differs: %s before, %s after.", all[i].what, before, after);
        found = true;
        if (all[i].option && strcmp(before, "mixed") != 0) {
            a1_text_format(&r->options, " %s ", all[i].option);
            a1_text_shell(&r->options, before);
        }
    }
    return found;
}

/* The first pass over a track against those that follow; NAN when there are too few. */
static double cold_factor(a1_finding_draft *draft, const allin1_timing_records *t,
                          const a1_stage_node *node, double *first)
{
    if (node->sample_count < 3)
        return NAN;
    const a1_stage_sample *samples = &t->samples[node->first_sample];
    double *rest = malloc(node->sample_count * sizeof *rest);
    size_t count = 0;
    if (!rest) {
        draft->failed = true;
        return NAN;
    }
    for (size_t i = 1; i < node->sample_count; i++)
        if (samples[i].track == samples[0].track)
            rest[count++] = samples[i].seconds;
    const double usual = count >= 2 ? a1_median(rest, count) : NAN;
    free(rest);
    *first = samples[0].seconds;
    return *first - usual > COLD_SECONDS ? *first / usual : NAN;
}

static bool blame_cold(a1_finding_draft *draft, remedy *r, size_t index)
{
    const a1_comparison *c = draft->comparison;
    const a1_stage_node *after = c->compared[index].after;
    double first;
    const double factor = cold_factor(draft, c->after, after, &first);
    if (!(factor > COLD_FACTOR))
        return false;
    say(draft,
        "The first pass was cold: %.1f ms, %.1f times as much as the later ones. Medians over few "
        "passes feel it.",
        first * 1e3, factor);
    r->repeat = true;
    return true;
}

static bool blame_load(a1_finding_draft *draft, remedy *r, size_t index)
{
    const a1_stage_node *before = draft->comparison->compared[index].before;
    const a1_stage_node *after = draft->comparison->compared[index].after;
    if (!(before->cpu_capacity > 0) || !(after->cpu_capacity > 0))
        return false;
    const double had = before->cpu_seconds / before->cpu_capacity;
    const double has = after->cpu_seconds / after->cpu_capacity;
    if (!(has < BUSY_FACTOR * had))
        return false;
    say(draft,
        "The machine was loaded, or the stage waited: it had %.0f %% of its threads' time before "
        "and %.0f %% after.",
        100 * had, 100 * has);
    r->repeat = true;
    return true;
}

static bool blame_length(a1_finding_draft *draft, size_t index)
{
    const a1_stage_node *before = draft->comparison->compared[index].before;
    const a1_stage_node *after = draft->comparison->compared[index].after;
    if (before->audio_spans == 0 || after->audio_spans == 0)
        return false;
    const double had = before->audio_seconds / (double)before->audio_spans;
    const double has = after->audio_seconds / (double)after->audio_spans;
    if (fabs(has - had) <= 0.01 * had)
        return false;
    say(draft,
        "The audio is not as long: %.1f s before, %.1f s after. For each second of audio the "
        "speed-up is %.2fx.",
        had, has, draft->comparison->rows[index].speed_up * has / had);
    return true;
}

void a1_find_causes(a1_finding_draft *draft, size_t index)
{
    const a1_comparison *c = draft->comparison;
    const a1_compared *facts = &c->compared[index];
    const bool is_whole =
        index + 1 < c->shown.row_count && c->rows[index + 1].depth > c->rows[index].depth;
    remedy r = {.repeat = false};
    bool found = blame_backend(draft, &r, index);
    found |= blame_precision(draft, &r, index);
    found |= blame_machine(draft, &r, index);
    found |= blame_length(draft, index);
    found |= blame_cold(draft, &r, index);
    found |= blame_load(draft, &r, index);
    if (!found && !is_whole)
        found = suspect_backend(draft, &r, index);
    if (!found)
        say(draft, is_whole ? "It is the sum of the stages inside it: look at those."
                            : "The records do not show why.");
    char *options = a1_text_take(&r.options, NULL);
    a1_text command = {0};
    if (!options)
        draft->failed = true;
    else if (*options)
        a1_put_command(&command, c, facts, options);
    if (options && !*options && r.repeat) {
        a1_text_add(&command, "allin1 bench ");
        a1_text_shell(&command, track_of(c->after, facts->after));
    }
    if (options && (*options || r.repeat))
        a1_finding_command(draft, &command);
    free(options);
}
