/* From records to stages: the tree of what contains what, and each stage's measurements. */
#include "timings/time_records.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "timings/known_stages.h"
#include "timings/passes.h"

#define NODE_LIMIT ((size_t)4 * A1_STAGE_LIMIT)
#define MIN_FOR_RESOLUTION 8 /* durations, before their common step is believed */
#define MAX_DECIMALS 6
#define SUM "functional"
#define SUM_OF "functional_"

/* Nodes ------------------------------------------------------------------------------------------
 */

static bool add_node(allin1_timing_records *t, uint32_t stage, uint32_t parent, uint32_t *number)
{
    a1_stage_node *nodes = a1_grow(t->nodes, t->node_count + 1, &t->node_capacity, sizeof *nodes);
    if (!nodes)
        return false;
    t->nodes = nodes;
    *number = (uint32_t)++t->node_count;
    t->nodes[*number] = (a1_stage_node){.stage = stage, .parent = parent};
    return true;
}

static bool find_node(allin1_timing_records *t, a1_pair_map *known, uint32_t stage, uint32_t parent,
                      uint32_t *number)
{
    const uint64_t key = (uint64_t)parent << 32 | stage;
    *number = a1_pair_find(known, key);
    if (*number)
        return true;
    if (parent && t->node_count >= NODE_LIMIT)
        return find_node(t, known, stage, 0, number);
    return add_node(t, stage, parent, number) && a1_pair_set(known, key, *number);
}

/* Of the record and of what it lies in. The depth is bounded (passes.c). */
static bool place(allin1_timing_records *t, a1_pair_map *known, size_t index)
{
    a1_time_record *r = &t->records[index];
    uint32_t parent = 0;
    if (r->node)
        return true;
    if (r->parent_record >= 0) {
        if (!place(t, known, (size_t)r->parent_record))
            return false;
        parent = t->records[r->parent_record].node;
    }
    return find_node(t, known, r->stage, parent, &r->node);
}

static bool is_part(const allin1_timing_records *t, const a1_stage_node *node)
{
    return strncmp(a1_timings_text(t, node->stage), SUM_OF, strlen(SUM_OF)) == 0;
}

/* The functional stages get a sum, for each parent that has two or more of them. */
static bool add_sums(allin1_timing_records *t)
{
    const size_t recorded = t->node_count;
    uint32_t name;
    if (!a1_intern(&t->strings, SUM, &name))
        return false;
    for (uint32_t parent = 0; parent <= recorded; parent++) {
        size_t parts = 0;
        bool taken = false;
        for (size_t i = 1; i <= recorded; i++) {
            parts += t->nodes[i].parent == parent && is_part(t, &t->nodes[i]);
            taken = taken || (t->nodes[i].parent == parent && t->nodes[i].stage == name);
        }
        uint32_t sum;
        if (parts < 2 || taken)
            continue;
        if (!add_node(t, name, parent, &sum))
            return false;
        t->nodes[sum].is_sum = true;
        for (size_t i = 1; i <= recorded; i++)
            if (t->nodes[i].parent == parent && is_part(t, &t->nodes[i]))
                t->nodes[i].parent = sum;
    }
    return true;
}

/* Appends the children of `parent`, each followed by its own, in the order of the pipeline. */
static void append_children(const allin1_timing_records *t, const unsigned *rank, uint32_t parent,
                            uint32_t *order, size_t *count)
{
    for (unsigned wanted = 0; wanted <= A1_KNOWN_STAGES; wanted++)
        for (uint32_t i = 1; i <= t->node_count; i++)
            if (rank[i] == wanted && t->nodes[i].parent == parent) {
                order[(*count)++] = i;
                append_children(t, rank, i, order, count);
            }
}

static bool order_nodes(allin1_timing_records *t)
{
    uint32_t *order = malloc((t->node_count + 1) * sizeof *order);
    uint32_t *number = calloc(t->node_count + 1, sizeof *number);
    unsigned *rank = calloc(t->node_count + 1, sizeof *rank);
    a1_stage_node *nodes = malloc((t->node_count + 1) * sizeof *nodes);
    const bool good = order && number && rank && nodes;
    if (good) {
        size_t count = 0;
        for (size_t i = 1; i <= t->node_count; i++)
            rank[i] = a1_known_stage_index(a1_timings_text(t, t->nodes[i].stage));
        append_children(t, rank, 0, order, &count);
        for (size_t i = 0; i < count; i++)
            number[order[i]] = (uint32_t)i + 1;
        nodes[0] = (a1_stage_node){0};
        for (size_t i = 0; i < count; i++) {
            nodes[i + 1] = t->nodes[order[i]];
            nodes[i + 1].parent = number[nodes[i + 1].parent];
        }
        for (size_t i = 0; i < t->count; i++)
            t->records[i].node = number[t->records[i].node];
        free(t->nodes);
        t->nodes = nodes;
        t->node_capacity = t->node_count + 1;
    } else {
        free(nodes);
    }
    free(order);
    free(number);
    free(rank);
    return good;
}

static bool build_tree(allin1_timing_records *t)
{
    a1_pair_map known = {0};
    bool good = true;
    uint32_t unused;
    t->node_count = 0;
    for (size_t i = 0; i < t->count; i++)
        t->records[i].node = 0;
    for (size_t i = 0; good && i < t->count; i++)
        good = place(t, &known, i);
    a1_pair_free(&known);
    if (good && t->node_count == 0) {
        good = add_node(t, 0, 0, &unused); /* so that there is a list */
        t->node_count = 0;
    }
    return good && add_sums(t) && order_nodes(t);
}

/* Sums -------------------------------------------------------------------------------------------
 */

static double number_in(const allin1_timing_records *t, uint32_t text)
{
    const double value = text ? strtod(a1_timings_text(t, text), NULL) : 0;
    return value >= 1 ? value : 1;
}

static bool fell_back(const allin1_timing_records *t, uint32_t requested, uint32_t used)
{
    return requested && used && requested != used &&
           strcmp(a1_timings_text(t, requested), "auto") != 0;
}

static void add_facts(const allin1_timing_records *t, a1_stage_node *node, const a1_time_record *r)
{
    for (int i = 0; i < A1_FACTS; i++) {
        if (!r->fact[i])
            continue;
        if (!node->fact[i])
            node->fact[i] = r->fact[i];
        else if (node->fact[i] != r->fact[i])
            node->fact[i] = A1_FACT_MIXED;
    }
    node->backend_fell_back +=
        fell_back(t, r->fact[A1_FACT_BACKEND_REQUESTED], r->fact[A1_FACT_BACKEND]);
    node->precision_fell_back +=
        fell_back(t, r->fact[A1_FACT_PRECISION_REQUESTED], r->fact[A1_FACT_PRECISION]);
}

static void add_costs(const allin1_timing_records *t, a1_stage_node *node, const a1_time_record *r)
{
    node->spans++;
    node->total += r->duration;
    if (r->audio_seconds > 0) {
        node->audio_spans++;
        node->audio_seconds += r->audio_seconds;
        node->audio_cost += r->duration;
    }
    if (!isnan(r->cpu_seconds)) {
        node->cpu_seconds += r->cpu_seconds;
        node->cpu_cost += r->duration;
        node->cpu_capacity += r->duration * number_in(t, r->fact[A1_FACT_THREADS]);
    }
}

static bool add_up(allin1_timing_records *t)
{
    double *inside = calloc(t->count + 1, sizeof *inside); /* cost of each record's children */
    if (!inside)
        return false;
    for (size_t i = 0; i < t->count; i++)
        if (t->records[i].parent_record >= 0)
            inside[t->records[i].parent_record] += t->records[i].duration;
    for (size_t i = 0; i < t->count; i++) {
        const a1_time_record *r = &t->records[i];
        a1_stage_node *node = &t->nodes[r->node];
        add_costs(t, node, r);
        add_facts(t, node, r);
        const double rest = fmax(r->duration - inside[i], 0);
        node->own += isnan(r->own) ? rest : r->own;
        if (t->nodes[node->parent].is_sum) {
            add_costs(t, &t->nodes[node->parent], r);
            add_facts(t, &t->nodes[node->parent], r);
        }
    }
    free(inside);
    return true;
}

/* Measurements -----------------------------------------------------------------------------------
 */

/* Where the current node's sample of each pass is. */
typedef struct sampler {
    allin1_timing_records *timings;
    uint32_t *owner, *place; /* by pass */
    size_t *first;           /* of each node's records in `sorted` */
    uint32_t *sorted;
} sampler;

static void take(sampler *s, uint32_t node, const a1_time_record *r)
{
    allin1_timing_records *t = s->timings;
    if (s->owner[r->pass] != node) {
        s->owner[r->pass] = node;
        s->place[r->pass] = (uint32_t)t->sample_count;
        t->samples[t->sample_count++] =
            (a1_stage_sample){.node = node, .track = r->track, .pass = r->pass};
    }
    t->samples[s->place[r->pass]].seconds += r->duration;
}

static void take_all_of(sampler *s, uint32_t node, uint32_t from)
{
    for (size_t i = s->first[from]; i < s->first[from + 1]; i++)
        take(s, node, &s->timings->records[s->sorted[i]]);
}

/* Record numbers by node, in the order of the file. */
static void sort_by_node(sampler *s)
{
    const allin1_timing_records *t = s->timings;
    for (size_t i = 0; i < t->count; i++)
        s->first[t->records[i].node + 1]++;
    for (size_t i = 1; i <= t->node_count + 1; i++)
        s->first[i] += s->first[i - 1];
    /* Filled from each node's start; the starts are moved back by one place afterwards. */
    for (size_t i = 0; i < t->count; i++)
        s->sorted[s->first[t->records[i].node]++] = (uint32_t)i;
    for (size_t i = t->node_count + 1; i > 0; i--)
        s->first[i] = s->first[i - 1];
    s->first[0] = 0;
}

static bool find_samples(allin1_timing_records *t)
{
    sampler s = {.timings = t,
                 .owner = calloc(t->pass_count + 1, sizeof *s.owner),
                 .place = calloc(t->pass_count + 1, sizeof *s.place),
                 .first = calloc(t->node_count + 3, sizeof *s.first),
                 .sorted = calloc(t->count + 1, sizeof *s.sorted)};
    free(t->samples);
    t->samples = calloc(2 * t->count + 1, sizeof *t->samples); /* twice: the sums */
    t->sample_count = 0;
    const bool good = s.owner && s.place && s.first && s.sorted && t->samples;
    if (good) {
        sort_by_node(&s);
        for (uint32_t node = 1; node <= t->node_count; node++) {
            t->nodes[node].first_sample = (uint32_t)t->sample_count;
            take_all_of(&s, node, node);
            for (uint32_t part = 1; t->nodes[node].is_sum && part <= t->node_count; part++)
                if (t->nodes[part].parent == node)
                    take_all_of(&s, node, part);
            t->nodes[node].sample_count = (uint32_t)t->sample_count - t->nodes[node].first_sample;
        }
    }
    free(s.owner);
    free(s.place);
    free(s.first);
    free(s.sorted);
    return good;
}

/* The step of which all durations are multiples. */
static double find_resolution(const allin1_timing_records *t)
{
    double scale = 1;
    size_t counted = 0;
    for (size_t i = 0; i < t->count; i++)
        counted += t->records[i].duration > 0;
    if (counted < MIN_FOR_RESOLUTION)
        return 1e-6;
    for (int decimals = 0; decimals < MAX_DECIMALS; decimals++, scale *= 10) {
        bool fits = true;
        for (size_t i = 0; i < t->count && fits; i++) {
            const double steps = t->records[i].duration * scale;
            fits = fabs(steps - round(steps)) < 1e-6 + 1e-12 * steps;
        }
        if (fits)
            return 1 / scale;
    }
    return 1e-6;
}

allin1_status a1_timings_arrange(allin1_timing_records *t, a1_error *err)
{
    A1_TRY(a1_timings_end_line(t, err));
    if (t->arranged)
        return ALLIN1_OK;
    A1_TRY(a1_passes_find(t, err));
    if (!build_tree(t) || !add_up(t) || !find_samples(t))
        return a1_fail_memory(err, "timings");
    t->resolution = find_resolution(t);
    t->arranged = true;
    return ALLIN1_OK;
}

/* Questions --------------------------------------------------------------------------------------
 */

const char *a1_node_fact(const allin1_timing_records *t, const a1_stage_node *node,
                         a1_time_fact fact)
{
    const uint32_t value = node->fact[fact];
    return value == A1_FACT_MIXED ? "mixed" : a1_timings_text(t, value);
}

unsigned a1_node_depth(const allin1_timing_records *t, uint32_t node)
{
    unsigned depth = 0;
    for (node = t->nodes[node].parent; node; node = t->nodes[node].parent)
        depth++;
    return depth;
}
