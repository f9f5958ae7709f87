/* Tables of stages and comparisons as documents. NULL when memory ran out. */
#ifndef A1_TIMINGS_TIMING_REPORTS_H
#define A1_TIMINGS_TIMING_REPORTS_H

#include <allin1/timings_compare.h>

#include "timings/escape.h"
#include "timings/time_records.h"

/* One stage of the table. */
typedef struct a1_table_row {
    const char *stage;
    unsigned depth;
    size_t spans, passes;
    double total, median, own; /* seconds */
    double share;              /* of the sum of the top rows */
    double real_time_factor;   /* cost of a second of audio; NAN when the length is unknown */
    const char *backend, *precision, *device, *mode; /* "" when not recorded */
    bool fell_back; /* the backend or the precision is not the one requested */
} a1_table_row;

typedef struct a1_table {
    const char *name;
    allin1_timing_facts facts;
    a1_table_row *rows;
    size_t row_count;
    double total;     /* of the top rows */
    double covered;   /* share of the time from a run's first start to its last end that lies in
                         spans,   over all runs; NAN when the clocks do not tell */
    size_t run_lines; /* runs that say themselves how long they lasted: */
    double run_wall, run_unaccounted; /* seconds of those */
    const char *facts_of_all[A1_FACTS];
} a1_table;

/* Strings are the timings'. The caller frees the rows. */
allin1_status a1_table_make(const allin1_timing_records *timings, a1_table *table, a1_error *err);

char *a1_table_text(const a1_table *table);
char *a1_table_markdown(const a1_table *table);
char *a1_table_json(const a1_table *table);
char *a1_table_html(const a1_table *table);

char *a1_comparison_text(const allin1_timing_comparison *c);
char *a1_comparison_markdown(const allin1_timing_comparison *c);
char *a1_comparison_json(const allin1_timing_comparison *c);
char *a1_comparison_html(const allin1_timing_comparison *c);

/* Pieces that several of them share. */

/* "1 run, 2 tracks, 30 spans"; with the skipped lines when there are any. */
void a1_put_facts(a1_text *text, const allin1_timing_facts *facts);
/* "2.5-5x", ">=2x", "" when nothing is expected. */
void a1_put_expected_briefly(a1_text *text, const allin1_timing_row *row);
/* "1.05-1.09" or "". */
void a1_put_interval(a1_text *text, const allin1_timing_row *row);
/* The backends of a row: "reference", "reference -> fast", or "". */
void a1_put_backends(a1_text *text, const allin1_timing_row *row);
/* The n-th sentence about the whole, from 0 on, without markup; some are empty. False after the
 * last. */
bool a1_put_conclusion(a1_text *text, const allin1_timing_comparison *c, unsigned n);

/* The start and the end of a page. */
void a1_html_begin(a1_text *text, const char *title);
void a1_html_end(a1_text *text);

#endif
