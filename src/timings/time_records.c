#include "timings/time_records.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/grow.h"
#include "output/result.h"

#define READ_SIZE ((size_t)256 << 10)
#define MAX_RECORDS ((size_t)1 << 31)
#define CLOCK_SLACK 1e-3 /* seconds that a line may be late behind the next one */

const char *a1_timings_text(const allin1_timing_records *timings, uint32_t number)
{
    return a1_interned_text(&timings->strings, number);
}

/* Problems ---------------------------------------------------------------------------------------
 */

static allin1_status out_of_memory(a1_error *err)
{
    return a1_fail_memory(err, "timings");
}

/* The first few are kept in words. */
static allin1_status note_problem(allin1_timing_records *t, a1_error *err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static allin1_status note_problem(allin1_timing_records *t, a1_error *err, const char *format, ...)
{
    char reason[512], whole[4096 + 600];
    if (t->problem_count >= A1_PROBLEMS_NAMED)
        return ALLIN1_OK;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reason, sizeof reason, format, arguments);
    va_end(arguments);
    snprintf(whole, sizeof whole, "%.4096s:%u: %s", t->name, t->line, reason);
    char *copy = strdup(whole);
    if (!copy)
        return out_of_memory(err);
    t->problems[t->problem_count++] = copy;
    return ALLIN1_OK;
}

/* Lines ------------------------------------------------------------------------------------------
 */

static uint64_t pair(uint32_t a, uint32_t b)
{
    return (uint64_t)a << 32 | b;
}

/* Whether the same span stands in the file already; its index + 1. */
static uint32_t earlier_span(const allin1_timing_records *t, const a1_time_record *r)
{
    if (!r->run_name || !r->id || r->id > UINT32_MAX)
        return 0;
    const uint32_t found = a1_pair_find(&t->seen_ids, pair(r->run_name, (uint32_t)r->id));
    return found && t->records[found - 1].start == r->start ? found : 0;
}

/* Keeps what later lines are checked against. */
static bool remember(allin1_timing_records *t, const a1_time_record *r)
{
    const uint32_t place = (uint32_t)t->count; /* index + 1 of the record just added */
    if (r->run_name && r->id && r->id <= UINT32_MAX &&
        !a1_pair_set(&t->seen_ids, pair(r->run_name, (uint32_t)r->id), place))
        return false;
    if (!a1_pair_find(&t->seen_stages, r->stage)) {
        if (!a1_pair_set(&t->seen_stages, r->stage, 1))
            return false;
    }
    return !r->run_name || a1_pair_set(&t->run_clocks, r->run_name, place);
}

static allin1_status add_record(allin1_timing_records *t, const a1_time_record *r, a1_error *err)
{
    a1_time_record *records =
        t->count < MAX_RECORDS ? a1_grow(t->records, t->count, &t->capacity, sizeof *records) : NULL;
    if (!records)
        return out_of_memory(err);
    t->records = records;
    /* Spans of one run are written as they end: an earlier end is a clock that was set back. */
    const uint32_t last = r->run_name ? a1_pair_find(&t->run_clocks, r->run_name) : 0;
    if (last && r->end < t->records[last - 1].end - CLOCK_SLACK) {
        t->clock_steps++;
        A1_TRY(note_problem(t, err,
                            "ends %.3f s earlier than the line before it in the same run: the "
                            "clock went backwards, or lines were moved; kept",
                            t->records[last - 1].end - r->end));
    }
    t->records[t->count++] = *r;
    t->arranged = false;
    return remember(t, r) ? ALLIN1_OK : out_of_memory(err);
}

static bool is_blank(const char *line, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (!strchr(" \t\r", line[i]) || line[i] == '\0')
            return false;
    return true;
}

static allin1_status skip_line(allin1_timing_records *t, const char *reason, a1_error *err)
{
    t->bad_lines++;
    return note_problem(t, err, "%s; skipped", reason);
}

static allin1_status take_line(allin1_timing_records *t, const char *line, size_t length,
                               bool cut_off, a1_error *err)
{
    a1_time_record record;
    char reason[400];
    t->line++;
    if (t->line == 1 && length >= 3 && memcmp(line, "\xef\xbb\xbf", 3) == 0) {
        line += 3;
        length -= 3;
    }
    if (is_blank(line, length))
        return ALLIN1_OK;
    t->lines_with_text++;
    const allin1_status status =
        a1_time_record_parse(&record, &t->strings, line, length, cut_off, reason, sizeof reason);
    if (status == ALLIN1_ERROR_MEMORY)
        return out_of_memory(err);
    if (status != ALLIN1_OK)
        return skip_line(t, reason, err);
    record.line = t->line;
    if (record.is_run) {
        t->run_lines++;
        t->run_wall += record.duration;
        t->run_unaccounted += isnan(record.own) ? 0 : record.own;
        return ALLIN1_OK;
    }
    const uint32_t earlier = earlier_span(t, &record);
    if (earlier) {
        snprintf(reason, sizeof reason, "the same span as in line %u",
                 t->records[earlier - 1].line);
        return skip_line(t, reason, err);
    }
    if (t->seen_stages.used >= A1_STAGE_LIMIT && !a1_pair_find(&t->seen_stages, record.stage)) {
        snprintf(reason, sizeof reason, "more than %d different stages: not those of a pipeline",
                 A1_STAGE_LIMIT);
        return skip_line(t, reason, err);
    }
    return add_record(t, &record, err);
}

static allin1_status skip_long_line(allin1_timing_records *t, a1_error *err)
{
    char reason[80];
    t->line++;
    t->lines_with_text++;
    t->too_long = false;
    t->partial_length = 0;
    snprintf(reason, sizeof reason, "longer than %zu bytes", A1_LINE_LIMIT);
    return skip_line(t, reason, err);
}

allin1_status a1_timings_end_line(allin1_timing_records *t, a1_error *err)
{
    if (t->too_long)
        return skip_long_line(t, err);
    if (t->partial_length == 0)
        return ALLIN1_OK;
    const size_t length = t->partial_length;
    t->partial_length = 0;
    return take_line(t, t->partial, length, true, err);
}

static void keep_part(allin1_timing_records *t, const char *text, size_t length)
{
    if (t->too_long || length > A1_LINE_LIMIT - t->partial_length) {
        t->too_long = true;
        return;
    }
    memcpy(t->partial + t->partial_length, text, length);
    t->partial_length += length;
}

static allin1_status feed(allin1_timing_records *t, const char *text, size_t size, a1_error *err)
{
    if (!t->partial && !(t->partial = malloc(A1_LINE_LIMIT)))
        return out_of_memory(err);
    while (size > 0) {
        const char *end = memchr(text, '\n', size);
        const size_t length = end ? (size_t)(end - text) : size;
        if (!end || t->partial_length > 0 || t->too_long || length > A1_LINE_LIMIT)
            keep_part(t, text, length);
        if (!end)
            return ALLIN1_OK;
        if (t->too_long) {
            A1_TRY(skip_long_line(t, err));
        } else if (t->partial_length > 0) {
            const size_t whole = t->partial_length;
            t->partial_length = 0;
            A1_TRY(take_line(t, t->partial, whole, false, err));
        } else {
            A1_TRY(take_line(t, text, length, false, err));
        }
        text += length + 1;
        size -= length + 1;
    }
    return ALLIN1_OK;
}

/* Whole files ------------------------------------------------------------------------------------
 */

static allin1_status feed_descriptor(allin1_timing_records *t, int descriptor, a1_error *err)
{
    struct stat info;
    allin1_status status = ALLIN1_OK;
    if (fstat(descriptor, &info) != 0)
        return a1_fail(err, ALLIN1_ERROR_IO, "%s: %s", t->name, strerror(errno));
    if (S_ISDIR(info.st_mode))
        return a1_fail(err, ALLIN1_ERROR_IO, "%s: is a folder", t->name);
    if (!S_ISREG(info.st_mode) && !S_ISFIFO(info.st_mode))
        return a1_fail(err, ALLIN1_ERROR_IO, "%s: is neither a file nor a pipe", t->name);
    char *block = malloc(READ_SIZE);
    if (!block)
        return out_of_memory(err);
    while (status == ALLIN1_OK) {
        const ssize_t got = read(descriptor, block, READ_SIZE);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            status = a1_fail(err, ALLIN1_ERROR_IO, "%s: %s", t->name, strerror(errno));
        if (got <= 0)
            break;
        status = feed(t, block, (size_t)got, err);
    }
    free(block);
    return status == ALLIN1_OK ? a1_timings_end_line(t, err) : status;
}

static allin1_status read_whole(allin1_timing_records *t, const char *path, a1_error *err)
{
    const int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
        return a1_fail(err, ALLIN1_ERROR_IO, "%s: %s", path, strerror(errno));
    const allin1_status status = feed_descriptor(t, descriptor, err);
    close(descriptor);
    A1_TRY(status);
    if (t->lines_with_text == 0)
        return a1_fail(err, ALLIN1_ERROR_FORMAT, "%s: is empty", path);
    if (t->count == 0 && t->problem_count == 0)
        return a1_fail(err, ALLIN1_ERROR_FORMAT, "%s: tells of runs, and of no stage", path);
    if (t->count == 0)
        return a1_fail(err, ALLIN1_ERROR_FORMAT,
                       "%s: none of its %zu lines is a record of timings; the first: %s", path,
                       t->lines_with_text, t->problems[0]);
    return ALLIN1_OK;
}

/* Public -----------------------------------------------------------------------------------------
 */

static allin1_status create(allin1_timing_records **out, const char *name, a1_error *err)
{
    *out = calloc(1, sizeof **out);
    if (*out && ((*out)->name = strdup(name)))
        return ALLIN1_OK;
    free(*out);
    *out = NULL;
    return out_of_memory(err);
}

allin1_status allin1_timing_records_create(allin1_timing_records **timings, const char *name,
                                           allin1_error *error)
{
    a1_error err = {0};
    if (!timings)
        return a1_public_error(error, &err,
                               a1_fail(&err, ALLIN1_ERROR_ARGUMENT, "no place for the timings"));
    return a1_public_error(error, &err, create(timings, name ? name : "timings", &err));
}

allin1_status allin1_timing_records_feed(allin1_timing_records *timings, const char *text,
                                         size_t size, allin1_error *error)
{
    a1_error err = {0};
    if (!timings || (!text && size > 0))
        return a1_public_error(error, &err,
                               a1_fail(&err, ALLIN1_ERROR_ARGUMENT, "timings and text are needed"));
    return a1_public_error(error, &err, feed(timings, text, size, &err));
}

allin1_status allin1_timing_records_read(allin1_timing_records **timings, const char *path,
                                         allin1_error *error)
{
    a1_error err = {0};
    if (timings)
        *timings = NULL;
    if (!timings || !path || !*path)
        return a1_public_error(
            error, &err,
            a1_fail(&err, ALLIN1_ERROR_ARGUMENT, "a path and a place for the timings are needed"));
    allin1_status status = create(timings, path, &err);
    if (status == ALLIN1_OK)
        status = read_whole(*timings, path, &err);
    if (status != ALLIN1_OK)
        allin1_timing_records_free(timings);
    return a1_public_error(error, &err, status);
}

void allin1_timing_records_free(allin1_timing_records **timings)
{
    if (!timings || !*timings)
        return;
    allin1_timing_records *t = *timings;
    for (size_t i = 0; i < t->problem_count; i++)
        free(t->problems[i]);
    a1_interned_free(&t->strings);
    a1_pair_free(&t->seen_ids);
    a1_pair_free(&t->seen_stages);
    a1_pair_free(&t->run_clocks);
    free(t->records);
    free(t->nodes);
    free(t->samples);
    free(t->partial);
    free(t->name);
    free(t);
    *timings = NULL;
}

void a1_timings_facts(const allin1_timing_records *t, allin1_timing_facts *facts)
{
    *facts = (allin1_timing_facts){.lines = t->lines_with_text,
                                   .spans = t->count,
                                   .bad_lines = t->bad_lines,
                                   .runs = t->run_count,
                                   .tracks = t->track_count,
                                   .resolution = t->resolution,
                                   .problems = (const char *const *)t->problems,
                                   .problem_count = t->problem_count};
}

allin1_status allin1_timing_records_describe(allin1_timing_records *timings,
                                             allin1_timing_facts *facts, allin1_error *error)
{
    a1_error err = {0};
    if (!timings || !facts)
        return a1_public_error(
            error, &err,
            a1_fail(&err, ALLIN1_ERROR_ARGUMENT, "timings and a place for the facts are needed"));
    const allin1_status status = a1_timings_arrange(timings, &err);
    if (status == ALLIN1_OK)
        a1_timings_facts(timings, facts);
    return a1_public_error(error, &err, status);
}
