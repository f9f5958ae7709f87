/* Two measurements side by side, inside the library. */
#ifndef A1_TIMINGS_COMPARISON_H
#define A1_TIMINGS_COMPARISON_H

#include "timings/expectation.h"
#include "timings/escape.h"
#include "timings/time_records.h"
#include "timings/timing_statistics.h"

/* Thresholds of docs/TIMINGS.md. */
#define A1_NOISE_KNOWN 1.01   /* speed-ups below it are noise, however sure */
#define A1_NOISE_UNKNOWN 1.03 /* the same for one run of each */
#define A1_EXCELLENT 2.0      /* without an expectation */
#define A1_PARTIAL_SHARE (1.0 / 3)

/* What stands behind a row. */
typedef struct a1_compared {
    const a1_stage_node *before, *after; /* NULL: not there */
    uint32_t before_number, after_number;
    a1_estimate before_cost, after_cost;
    double margin; /* of log(speed-up): confidence or assumption; differences within it are noise */
    bool changed;  /* beyond that */
    size_t parent; /* row, SIZE_MAX at the top */
} a1_compared;

/* How the tracks of both sides were brought together. */
typedef enum a1_track_match {
    A1_TRACKS_BY_PATH,
    A1_TRACKS_BY_NAME,  /* of the file, in different folders */
    A1_TRACKS_ONE_EACH, /* of different names */
    A1_TRACKS_DIFFER    /* nothing in common: passes are compared as if over one track */
} a1_track_match;

typedef struct a1_comparison {
    allin1_timing_comparison shown;              /* first: freed through it */
    const allin1_timing_records *before, *after; /* during the comparison only */
    a1_expectations expected;
    allin1_timing_row *rows;
    a1_compared *compared; /* of each row */
    size_t row_capacity;
    allin1_finding *findings;
    size_t finding_capacity;
    a1_track_match match;
    size_t tracks_compared;
    uint32_t *before_group, *after_group; /* by the number of the track's name; 0: left out */
    void **kept;                          /* blocks that live as long as this */
    size_t kept_count, kept_capacity;
} a1_comparison;

/* NULL when memory ran out. */
void *a1_comparison_alloc(a1_comparison *c, size_t size);
const char *a1_comparison_string(a1_comparison *c, const char *text);

/* Groups of tracks, rows, figures, status (timings/compare_stages.c). */
allin1_status a1_compare_tracks(a1_comparison *c, a1_error *err);
allin1_status a1_compare_stages(a1_comparison *c, a1_error *err);

/* Whether `expectation` speaks of this row. */
bool a1_expectation_is_of(const a1_expectation *expectation, const allin1_timing_row *row);

/* The row of a stage, or NULL. */
const allin1_timing_row *a1_row_of(const a1_comparison *c, const char *stage);

/* Findings (timings/findings.c, causes.c, differences.c, suspicion.c). A sentence may be NULL:
 * memory ran out. */
allin1_status a1_find_all(a1_comparison *c, a1_error *err);

/* A finding being written. */
typedef struct a1_finding_draft {
    a1_comparison *comparison;
    allin1_finding finding;
    const char *causes[16];
    bool failed;
} a1_finding_draft;

void a1_finding_begin(a1_finding_draft *draft, a1_comparison *c, allin1_finding_kind kind,
                      const char *stage);
/* These take the text over and free it. */
void a1_finding_title(a1_finding_draft *draft, a1_text *text);
void a1_finding_cause(a1_finding_draft *draft, a1_text *text);
void a1_finding_command(a1_finding_draft *draft, a1_text *text);
allin1_status a1_finding_end(a1_finding_draft *draft, a1_error *err);

/* Adds the causes of a missed expectation that the records show, and the command. */
void a1_find_causes(a1_finding_draft *draft, size_t row);
allin1_status a1_find_differences(a1_comparison *c, a1_error *err);
allin1_status a1_find_suspicions(a1_comparison *c, a1_error *err);

/* "376.9 ms", "12.34 s", "45 us". */
#define A1_SHORT_TIME 1e-4 /* seconds: below it in microseconds */
void a1_put_seconds(a1_text *text, double seconds);
/* "241.8 ms", or "241.8 to 324.0 ms" where they differ. */
void a1_put_seconds_range(a1_text *text, double low, double high);
/* "1.07x". */
void a1_put_speed_up(a1_text *text, double speed_up);
/* "2.5x to 5x", "at least 2x". */
void a1_put_expected(a1_text *text, double low, double high);
/* A program's word for running again, "--timings new.jsonl SONG" at its end. `options` is inserted.
 */
void a1_put_command(a1_text *text, const a1_comparison *c, const a1_compared *row,
                    const char *options);

#endif
