/* Reading timings (docs/TIMINGS.md): what each stage cost, and why two measurements differ.
 *
 * Reads the JSON lines of this program (allin1_span_json) and of the reference implementation.
 *
 * Functions follow the conventions of allin1.h. An allin1_timing_records is used by one thread at a
 * time. */
#ifndef ALLIN1_TIMINGS_COMPARE_H
#define ALLIN1_TIMINGS_COMPARE_H

#include <stddef.h>

#include <allin1/allin1.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ------------------------------------------------------------------------------------------------
 * Records */

/* The records of one file, or of one setting that was measured. */
typedef struct allin1_timing_records allin1_timing_records;

/* No records yet. `name` is what reports call it. */
allin1_status allin1_timing_records_create(allin1_timing_records **timings, const char *name,
                                           allin1_error *error);

/* Adds lines of text, one record each. A line may be continued by the next call; the last one is
 * taken when the records are first looked at. A line that is no record is counted and skipped: it
 * is no failure. `size` bytes, borrowed during the call. */
allin1_status allin1_timing_records_feed(allin1_timing_records *timings, const char *text,
                                         size_t size, allin1_error *error);

/* Reads a whole file. One without a single record is an ALLIN1_ERROR_FORMAT that says why. */
allin1_status allin1_timing_records_read(allin1_timing_records **timings, const char *path,
                                         allin1_error *error);

void allin1_timing_records_free(allin1_timing_records **timings);

/* What was read. Strings are owned by the timings and valid until more is fed. */
typedef struct allin1_timing_facts {
    size_t lines;     /* with text in them */
    size_t spans;     /* records that were taken */
    size_t bad_lines; /* skipped */
    size_t runs;      /* processes, by their run identifier; docs/TIMINGS.md says how runs are told
                         apart that have none */
    size_t tracks;
    double resolution; /* seconds: the step of the recorded durations, at least 1e-6 */
    /* What is wrong with the first few lines, "FILE:LINE: reason". */
    const char *const *problems;
    size_t problem_count;
} allin1_timing_facts;

/* Not const: it takes an unfinished last line. ALLIN1_ERROR_MEMORY is the only failure. */
allin1_status allin1_timing_records_describe(allin1_timing_records *timings,
                                             allin1_timing_facts *facts, allin1_error *error);

/* ------------------------------------------------------------------------------------------------
 * Reports */

typedef enum allin1_report_format {
    ALLIN1_REPORT_TEXT = 0, /* plain text for a terminal, at most 100 columns */
    ALLIN1_REPORT_MARKDOWN,
    ALLIN1_REPORT_JSON,
    ALLIN1_REPORT_HTML /* one page, nothing beside it */
} allin1_report_format;

/* "text", "markdown", "json", "html". Never NULL; static storage. */
const char *allin1_report_format_string(allin1_report_format format);

/* A table of the stages. The caller frees *report with allin1_string_free. */
allin1_status allin1_timing_records_report(allin1_timing_records *timings,
                                           allin1_report_format format, char **report,
                                           allin1_error *error);

/* ------------------------------------------------------------------------------------------------
 * Comparison */

/* docs/TIMINGS.md defines each exactly. */
typedef enum allin1_timing_status {
    ALLIN1_TIMING_NO_CHANGE = 0, /* the difference is noise */
    ALLIN1_TIMING_OK,            /* as expected; or faster, and nothing was expected */
    ALLIN1_TIMING_EXCELLENT,     /* better than expected; or at least 2 times faster */
    ALLIN1_TIMING_PARTIAL,       /* at least a third of the promised saving */
    ALLIN1_TIMING_ISSUE,         /* less than that */
    ALLIN1_TIMING_SLOWER,
    ALLIN1_TIMING_NEW, /* only in AFTER */
    ALLIN1_TIMING_GONE /* only in BEFORE */
} allin1_timing_status;

/* "no change", "OK", "excellent", "partial", "issue", "slower", "new", "gone". Never NULL; static
 * storage. */
const char *allin1_timing_status_string(allin1_timing_status status);

/* One stage, or the total. Times in seconds, NAN where there is none. */
typedef struct allin1_timing_row {
    const char *stage; /* "metrical_dbn"; "total" */
    unsigned depth;    /* 0: at the top; else inside the last row of one less */
    double before, after, saved;
    double speed_up;                    /* before / after */
    double speed_up_low, speed_up_high; /* 95 % confidence interval; NAN: one run, noise unknown */
    size_t before_runs, after_runs;     /* measurements behind the figures */
    double expected_low, expected_high; /* speed-ups; NAN: none expected, or no upper bound */
    double promised_low, promised_high; /* seconds that the expectation would have saved */
    double left_low, left_high;         /* of these, what is missing; 0 when nothing is */
    allin1_timing_status status;
    int missed;                                 /* not 0: an expectation is not met */
    const char *before_backend, *after_backend; /* "" when not recorded, "mixed" */
} allin1_timing_row;

typedef enum allin1_finding_kind {
    ALLIN1_FINDING_MISSED = 0, /* an expectation was missed */
    ALLIN1_FINDING_SUSPICION,  /* figures that cannot mean what their names say */
    ALLIN1_FINDING_DIFFERENCE, /* the two were not measured alike */
    ALLIN1_FINDING_CHANGE,     /* a stage became slower, new, or gone; time moved */
    ALLIN1_FINDING_GOOD
} allin1_finding_kind;

/* "missed", "suspicion", "difference", "change", "good". Never NULL; static storage. */
const char *allin1_finding_kind_string(allin1_finding_kind kind);

typedef struct allin1_finding {
    allin1_finding_kind kind;
    const char *stage;         /* "" when it concerns the whole */
    const char *title;         /* one sentence */
    const char *const *causes; /* further sentences: causes and reasons */
    size_t cause_count;
    const char *command; /* what mends or shows it, a line for the shell; "" when there is none */
} allin1_finding;

typedef struct allin1_timing_comparison {
    const char *before_name, *after_name;
    allin1_timing_facts before_facts, after_facts; /* without the problems */
    const allin1_timing_row *rows; /* in the order of the pipeline, children after their parent */
    size_t row_count;
    allin1_timing_row total;            /* of the rows at the top */
    double would_be_low, would_be_high; /* the total without what is left on the table */
    const allin1_finding *findings;     /* the gravest first */
    size_t finding_count;
    size_t missed; /* expectations that were not met */
} allin1_timing_comparison;

/* `expected` is NULL or a list such as "spectrogram=2.5-5,metrical_dbn=1.5-3,total=1":
 * STAGE=LOW[-HIGH][@BACKEND]. A stage named twice has alternatives, usually with different
 * backends. A list that is not like that is an ALLIN1_ERROR_ARGUMENT. The comparison is independent
 * of the timings. */
allin1_status allin1_timing_compare(allin1_timing_records *before, allin1_timing_records *after,
                                    const char *expected, allin1_timing_comparison **comparison,
                                    allin1_error *error);

void allin1_timing_comparison_free(allin1_timing_comparison **comparison);

/* The caller frees *report with allin1_string_free. */
allin1_status allin1_timing_comparison_report(const allin1_timing_comparison *comparison,
                                              allin1_report_format format, char **report,
                                              allin1_error *error);

#ifdef __cplusplus
}
#endif

#endif
