/* All records of one file or setting: read line by line, then arranged once. */
#ifndef A1_TIMINGS_TIME_RECORDS_H
#define A1_TIMINGS_TIME_RECORDS_H

#include <allin1/timings_compare.h>

#include "timings/time_record.h"

#define A1_PROBLEMS_NAMED 5
#define A1_LINE_LIMIT ((size_t)64 << 10)
#define A1_STAGE_LIMIT 500 /* different names: more are not a pipeline's */

/* A stage in its place: "metrical_dbn" inside "postprocess". */
typedef struct a1_stage_node {
    uint32_t stage, parent; /* parent: number of the node, 0 at the top */
    bool is_sum;            /* of its children, not recorded itself */
    size_t spans;
    double total, own;                /* seconds of all its spans */
    size_t audio_spans;               /* those whose audio is known */
    double audio_seconds, audio_cost; /* of these */
    double cpu_seconds, cpu_cost;     /* of the spans whose processor time is known */
    double cpu_capacity;              /* the same times their threads */
    uint32_t fact[A1_FACTS];          /* A1_FACT_MIXED when they differ */
    size_t backend_fell_back;         /* spans whose backend is not the one requested */
    size_t precision_fell_back;
    uint32_t first_sample, sample_count; /* in .samples */
} a1_stage_node;

#define A1_FACT_MIXED UINT32_MAX

/* What one stage cost in one pass over one track, or in one run when it belongs to no track. */
typedef struct a1_stage_sample {
    uint32_t node, track, pass; /* track 0: none */
    double seconds;
} a1_stage_sample;

struct allin1_timing_records {
    char *name;
    a1_interned strings;
    a1_time_record *records;
    size_t count, capacity;

    /* Reading. */
    char *partial; /* a line whose end has not come; [A1_LINE_LIMIT] */
    size_t partial_length;
    bool too_long; /* the rest of this line is skipped */
    uint32_t line;
    size_t lines_with_text, bad_lines;
    char *problems[A1_PROBLEMS_NAMED + 1];
    size_t problem_count;
    a1_pair_map seen_ids;             /* (run name, id) -> index + 1 */
    a1_pair_map seen_stages;          /* names, to count them */
    a1_pair_map run_clocks;           /* run name -> index + 1 of its last record */
    double run_wall, run_unaccounted; /* sums over the lines that end runs */
    size_t run_lines;
    size_t clock_steps; /* records that end before the one before them in their run */

    /* Arranged. */
    bool arranged;
    size_t run_count, pass_count, track_count;
    double resolution;
    a1_stage_node *nodes; /* [1..node_count], in the order of the pipeline, parents first */
    size_t node_count, node_capacity;
    a1_stage_sample *samples; /* by node, in the order of the file */
    size_t sample_count;
};

/* Takes the last line and finds runs, passes and stages (timings/arrange.c). Does nothing when that
 * is done. */
allin1_status a1_timings_arrange(allin1_timing_records *timings, a1_error *err);

/* Takes a last line that has no end (timings/time_records.c). */
allin1_status a1_timings_end_line(allin1_timing_records *timings, a1_error *err);

void a1_timings_facts(const allin1_timing_records *timings, allin1_timing_facts *facts);

const char *a1_timings_text(const allin1_timing_records *timings, uint32_t number);

/* "" when not recorded, "mixed". */
const char *a1_node_fact(const allin1_timing_records *timings, const a1_stage_node *node,
                         a1_time_fact fact);

/* Levels above it. */
unsigned a1_node_depth(const allin1_timing_records *timings, uint32_t node);

#endif
