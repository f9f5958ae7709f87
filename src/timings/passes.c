#include "timings/passes.h"

#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "timings/known_stages.h"

#define DEPTH_LIMIT 16

/* What was seen of one track in one run. */
typedef struct pass_state {
    uint32_t pass;
    uint32_t seen;   /* bit of each known stage */
    unsigned step;   /* the furthest */
    bool has_holder; /* an unknown stage that contains others, such as the whole analysis */
} pass_state;

typedef struct finder {
    allin1_timing_records *timings;
    a1_pair_map runs;   /* run name -> run */
    a1_pair_map tracks; /* track -> 1 */
    a1_pair_map states; /* (run, track) -> index + 1 */
    pass_state *state;
    size_t state_count, state_capacity;
    uint32_t unnamed_run; /* that records without a run belong to; 0 before the first */
} finder;

static uint64_t pair(uint32_t a, uint32_t b)
{
    return (uint64_t)a << 32 | b;
}

/* Parents that are written down. Those in a circle, or too deep, are at the top. */
static void find_parents(allin1_timing_records *t)
{
    for (size_t i = 0; i < t->count; i++)
        t->records[i].contains = false;
    for (size_t i = 0; i < t->count; i++) {
        a1_time_record *r = &t->records[i];
        r->parent_record = -1;
        if (!r->run_name || !r->parent || r->parent > UINT32_MAX)
            continue;
        const uint32_t found = a1_pair_find(&t->seen_ids, pair(r->run_name, (uint32_t)r->parent));
        r->parent_record = (int64_t)found - 1;
        if (found)
            t->records[found - 1].contains = true;
    }
    for (size_t i = 0; i < t->count; i++) {
        int depth = 0;
        for (int64_t at = (int64_t)i; at >= 0 && depth <= DEPTH_LIMIT; depth++)
            at = t->records[at].parent_record;
        if (depth > DEPTH_LIMIT)
            t->records[i].parent_record = -1;
    }
}

static bool state_of(finder *f, uint32_t run, uint32_t track, pass_state **out)
{
    uint32_t found = a1_pair_find(&f->states, pair(run, track));
    if (!found) {
        pass_state *state = a1_grow(f->state, f->state_count, &f->state_capacity, sizeof *state);
        if (!state)
            return false;
        f->state = state;
        f->state[f->state_count++] = (pass_state){0};
        found = (uint32_t)f->state_count;
        if (!a1_pair_set(&f->states, pair(run, track), found))
            return false;
    }
    *out = &f->state[found - 1];
    return true;
}

/* Whether this stage cannot belong to the pass any more. */
static bool begins_a_pass(const pass_state *state, const a1_time_record *r, unsigned known)
{
    if (known == A1_KNOWN_STAGES)
        return r->contains && state->has_holder;
    if (a1_known_stages[known].floats)
        return false;
    if (!(state->seen & 1u << known))
        return false;
    const a1_known_stage *stage = &a1_known_stages[known];
    return !stage->may_repeat || stage->step < state->step;
}

static bool find_run(finder *f, a1_time_record *r, unsigned known)
{
    allin1_timing_records *t = f->timings;
    if (r->run_name) {
        uint32_t run = a1_pair_find(&f->runs, r->run_name);
        if (!run) {
            run = (uint32_t)++t->run_count;
            if (!a1_pair_set(&f->runs, r->run_name, run))
                return false;
        }
        r->run = run;
        return true;
    }
    pass_state *state;
    if (!f->unnamed_run)
        f->unnamed_run = (uint32_t)++t->run_count;
    if (!state_of(f, f->unnamed_run, r->track, &state))
        return false;
    const bool once = !r->track && known < A1_KNOWN_STAGES && a1_known_stages[known].is_set_up &&
                      (state->seen & 1u << known);
    if (once || begins_a_pass(state, r, known))
        f->unnamed_run = (uint32_t)++t->run_count;
    r->run = f->unnamed_run;
    return true;
}

static bool find_pass(finder *f, a1_time_record *r)
{
    const unsigned known = a1_known_stage_index(a1_timings_text(f->timings, r->stage));
    pass_state *state;
    if (!find_run(f, r, known) || !state_of(f, r->run, r->track, &state))
        return false;
    /* Set-up that belongs to no track happens whenever it is needed. */
    const bool keeps =
        !r->track && known < A1_KNOWN_STAGES && a1_known_stages[known].is_set_up && state->pass;
    if (!state->pass || (!keeps && begins_a_pass(state, r, known)))
        *state = (pass_state){.pass = (uint32_t)++f->timings->pass_count};
    if (known < A1_KNOWN_STAGES && !a1_known_stages[known].floats) {
        state->seen |= 1u << known;
        if (a1_known_stages[known].step > state->step)
            state->step = a1_known_stages[known].step;
    }
    state->has_holder = state->has_holder || (known == A1_KNOWN_STAGES && r->contains);
    r->pass = state->pass;
    return true;
}

static bool find_passes(finder *f)
{
    allin1_timing_records *t = f->timings;
    for (size_t i = 0; i < t->count; i++) {
        a1_time_record *r = &t->records[i];
        if (r->track && !a1_pair_find(&f->tracks, r->track)) {
            if (!a1_pair_set(&f->tracks, r->track, 1))
                return false;
            t->track_count++;
        }
        if (r->parent_record < 0 && !find_pass(f, r))
            return false;
    }
    for (size_t i = 0; i < t->count; i++) {
        int64_t at = (int64_t)i;
        while (t->records[at].parent_record >= 0)
            at = t->records[at].parent_record;
        t->records[i].pass = t->records[at].pass;
        t->records[i].run = t->records[at].run;
    }
    return true;
}

static bool lies_in(const allin1_timing_records *t, int64_t inner, int64_t outer)
{
    while (inner >= 0 && inner != outer)
        inner = t->records[inner].parent_record;
    return inner >= 0;
}

/* Gives the stages inside `container` their parent where the file names none. */
static bool nest(allin1_timing_records *t, const char *container)
{
    const uint32_t stage = a1_interned_find(&t->strings, container);
    if (!stage)
        return true;
    uint32_t *holder = calloc(t->pass_count + 1, sizeof *holder); /* by pass: index + 1 */
    if (!holder)
        return false;
    for (size_t i = 0; i < t->count; i++)
        if (t->records[i].stage == stage)
            holder[t->records[i].pass] = (uint32_t)i + 1;
    for (size_t i = 0; i < t->count; i++) {
        a1_time_record *r = &t->records[i];
        if (r->has_parent_key || !holder[r->pass])
            continue;
        const unsigned known = a1_known_stage_index(a1_timings_text(t, r->stage));
        if (known < A1_KNOWN_STAGES && a1_known_stages[known].inside &&
            strcmp(a1_known_stages[known].inside, container) == 0 &&
            !lies_in(t, (int64_t)holder[r->pass] - 1, (int64_t)i))
            r->parent_record = (int64_t)holder[r->pass] - 1;
    }
    free(holder);
    return true;
}

allin1_status a1_passes_find(allin1_timing_records *timings, a1_error *err)
{
    finder f = {.timings = timings};
    timings->run_count = timings->pass_count = timings->track_count = 0;
    find_parents(timings);
    const bool good = find_passes(&f) && nest(timings, ALLIN1_STAGE_POSTPROCESS) &&
                      nest(timings, ALLIN1_STAGE_VISUALIZE);
    a1_pair_free(&f.runs);
    a1_pair_free(&f.tracks);
    a1_pair_free(&f.states);
    free(f.state);
    return good ? ALLIN1_OK : a1_fail_memory(err, "timings");
}
