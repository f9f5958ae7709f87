#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "metrical/bar_model.h"

static void tempo_changes(a1_transitions *transitions, const a1_beat_space *space, double lambda)
{
    const size_t count = space->interval_count;
    for (size_t from = 0; from < count; from++) {
        double *row = transitions->log_change + from * count;
        double sum = 0;
        for (size_t to = 0; to < count; to++) {
            const double ratio = (double)space->intervals[to] / (double)space->intervals[from];
            row[to] = exp(-lambda * fabs(ratio - 1.0));
            if (row[to] <= DBL_EPSILON)
                row[to] = 0;
            sum += row[to];
        }
        for (size_t to = 0; to < count; to++) {
            transitions->changes += row[to] > 0;
            row[to] = row[to] > 0 ? log(row[to] / sum) : -INFINITY;
        }
    }
}

static void list_by_target(a1_transitions *transitions, const a1_beat_space *space)
{
    const size_t count = space->interval_count;
    size_t at = 0, state = 0;
    for (size_t beat = 0; beat < space->beats; beat++) {
        const size_t before = (beat + space->beats - 1) % space->beats * space->beat_states;
        for (size_t to = 0; to < count; to++) {
            transitions->start[state++] = at;
            for (size_t from = 0; from < count; from++) {
                const double change = transitions->log_change[from * count + to];
                if (change == -INFINITY)
                    continue;
                transitions->source[at] =
                    (uint32_t)(before + space->first[from] + space->intervals[from] - 1);
                transitions->log_probability[at++] = change;
            }
            for (size_t position = 1; position < space->intervals[to]; position++) {
                transitions->start[state] = at;
                transitions->source[at] = (uint32_t)(state - 1);
                transitions->log_probability[at++] = 0;
                state++;
            }
        }
    }
    transitions->start[state] = at;
}

allin1_status a1_transitions_create(a1_transitions *transitions, const a1_beat_space *space,
                                    double lambda, a1_error *err)
{
    const size_t count = space->interval_count;
    memset(transitions, 0, sizeof *transitions);
    transitions->log_change = calloc(count * count, sizeof *transitions->log_change);
    if (!transitions->log_change)
        goto memory;
    tempo_changes(transitions, space, lambda);
    transitions->count = space->states - space->beats * count + space->beats * transitions->changes;
    transitions->start = calloc(space->states + 1, sizeof *transitions->start);
    transitions->source = calloc(transitions->count, sizeof *transitions->source);
    transitions->log_probability = calloc(transitions->count, sizeof *transitions->log_probability);
    if (!transitions->start || !transitions->source || !transitions->log_probability)
        goto memory;
    list_by_target(transitions, space);
    return ALLIN1_OK;
memory:
    a1_transitions_destroy(transitions);
    return a1_fail_memory(err, "the tempo transitions");
}

void a1_transitions_destroy(a1_transitions *transitions)
{
    free(transitions->log_change);
    free(transitions->start);
    free(transitions->source);
    free(transitions->log_probability);
    memset(transitions, 0, sizeof *transitions);
}
