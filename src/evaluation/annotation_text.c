/* Annotations of one item a line. What they are, the first line tells:
 *
 *     0.53                    a beat
 *     0.53 2                  a beat and its position, or
 *     0.53 2 1                also its bar
 *     0.0 14.12 intro         a section (mir_eval, Audacity)
 *     0.53 0.53 2             a point with its position (Audacity)
 *     14.12 verse             where a section begins (Harmonix Set); the last line says where it ends
 *
 * Columns stand between blanks. Empty lines, and those that begin with "#" or, as Audacity's about
 * frequencies, with "\", do not count. */
#include <ctype.h>
#include <locale.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "evaluation/annotation.h"

#define MAX_SECONDS 1e9
#define START "start"
#define END "end"

typedef enum line_kind { UNKNOWN, BEATS, POINTS, SECTIONS, BOUNDARIES } line_kind;

typedef struct text_reading {
    const char *path;
    a1_annotation *annotation;
    a1_error *err;
    locale_t c_locale; /* numbers have a point whatever the user's language */
    size_t line;
    line_kind kind;
    /* Beats, or starts and ends of sections. */
    double *first, *second;
    const char **labels;
    size_t count, capacity;
    bool no_position; /* of some beat */
} text_reading;

/* Columns of a line, in place. The rest is the line from the column on, without blanks at its end. */
typedef struct columns {
    const char *at[3], *end[3];
    size_t count; /* at most 4: more than three */
    const char *line_end;
} columns;

static allin1_status malformed(const text_reading *in, const char *what)
{
    return a1_fail(in->err, ALLIN1_ERROR_FORMAT, "%s: line %zu: %s", in->path, in->line, what);
}

static columns split(const char *line, const char *end)
{
    columns found = {.count = 0};
    while (end > line && isspace((unsigned char)end[-1]))
        end--;
    found.line_end = end;
    while (line < end) {
        while (line < end && isspace((unsigned char)*line))
            line++;
        if (line == end)
            break;
        const char *from = line;
        while (line < end && !isspace((unsigned char)*line))
            line++;
        if (found.count == 3) {
            found.count++;
            break;
        }
        found.at[found.count] = from;
        found.end[found.count++] = line;
    }
    return found;
}

/* A decimal number that is a whole column. */
static bool number_of(const text_reading *in, const columns *of, size_t column, double *number)
{
    if (column >= of->count || column >= 3)
        return false;
    const size_t length = (size_t)(of->end[column] - of->at[column]);
    char digits[64], *end;
    if (length >= sizeof digits || strspn(of->at[column], "+-.0123456789eE") < length)
        return false;
    memcpy(digits, of->at[column], length);
    digits[length] = '\0';
    *number = strtod_l(digits, &end, in->c_locale);
    return *end == '\0' && end != digits && isfinite(*number);
}

static bool is_whole(const columns *of, size_t column)
{
    for (const char *c = of->at[column]; c < of->end[column]; c++)
        if (!isdigit((unsigned char)*c))
            return false;
    return true;
}

static line_kind kind_of(const text_reading *in, const columns *of)
{
    double numbers[3];
    const size_t length = strlen(in->path);
    if (length > 4 && strcasecmp(in->path + length - 4, ".lab") == 0)
        return SECTIONS;
    if (!number_of(in, of, 0, &numbers[0]))
        return UNKNOWN;
    if (of->count == 1)
        return BEATS;
    if (!number_of(in, of, 1, &numbers[1]))
        return BOUNDARIES;
    if (of->count == 2)
        return BEATS;
    if (of->count == 3 && is_whole(of, 1) && is_whole(of, 2))
        return BEATS;
    return numbers[0] == numbers[1] ? POINTS : SECTIONS;
}

static bool make_room(text_reading *in)
{
    if (in->count < in->capacity)
        return true;
    const size_t capacity = in->capacity ? in->capacity * 2 : 256;
    double *first = realloc(in->first, capacity * sizeof *first);
    in->first = first ? first : in->first;
    double *second = realloc(in->second, capacity * sizeof *second);
    in->second = second ? second : in->second;
    const char **labels = realloc(in->labels, capacity * sizeof *labels);
    in->labels = labels ? labels : in->labels;
    if (!first || !second || !labels)
        return false;
    in->capacity = capacity;
    return true;
}

static allin1_status put_label(text_reading *in, const char *from, const char *end)
{
    char *label = a1_result_alloc(in->annotation->memory, (size_t)(end - from) + 1);
    if (!label)
        return a1_fail_memory(in->err, "an annotation");
    memcpy(label, from, (size_t)(end - from));
    in->labels[in->count] = label;
    return ALLIN1_OK;
}

static allin1_status read_line(text_reading *in, const columns *of)
{
    double position, *first, *second;
    if (in->kind == UNKNOWN)
        in->kind = kind_of(in, of);
    if (!make_room(in))
        return a1_fail_memory(in->err, "an annotation");
    first = &in->first[in->count];
    second = &in->second[in->count];
    *second = NAN;
    if (!number_of(in, of, 0, first) || *first < 0 || *first > MAX_SECONDS)
        return malformed(in, "does not begin with a time in seconds");
    if (in->count > 0 && *first < in->first[in->count - 1])
        return malformed(in, "is earlier than the one before it");
    switch (in->kind) {
    case UNKNOWN:
        return malformed(in, "is no beat and no section");
    case BEATS:
    case POINTS:
        if (number_of(in, of, in->kind == BEATS ? 1 : 2, &position))
            *second = position;
        else if (in->kind == BEATS && of->count > 1)
            return malformed(in, "has no position in the bar as its second column");
        in->no_position |= isnan(*second);
        break;
    case SECTIONS:
        if (!number_of(in, of, 1, second) || *second > MAX_SECONDS)
            return malformed(in, "has no end in seconds as its second column");
        if (!(*second > *first))
            return malformed(in, "ends where it begins, or before");
        A1_TRY(put_label(in, of->count > 2 ? of->at[2] : of->line_end, of->line_end));
        break;
    case BOUNDARIES:
        if (of->count < 2)
            return malformed(in, "has no label");
        A1_TRY(put_label(in, of->at[1], of->line_end));
        break;
    }
    in->count++;
    return ALLIN1_OK;
}

/* Each boundary is where the one before ends; before the first is the start. */
static allin1_status put_boundaries(const text_reading *in)
{
    allin1_annotation *shown = &in->annotation->shown;
    if (strcmp(in->labels[in->count - 1], END) != 0)
        return a1_fail(in->err, ALLIN1_ERROR_FORMAT,
                       "%s: the last line is not \"%s\": where the last section ends is not known",
                       in->path, END);
    allin1_segment *sections =
        a1_result_alloc(in->annotation->memory, (in->count + 1) * sizeof *sections);
    if (!sections)
        return a1_fail_memory(in->err, "an annotation");
    if (in->first[0] > 0)
        sections[shown->section_count++] = (allin1_segment){0, in->first[0], START, NAN, NULL};
    for (size_t i = 0; i + 1 < in->count; i++)
        if (in->first[i + 1] > in->first[i])
            sections[shown->section_count++] =
                (allin1_segment){in->first[i], in->first[i + 1], in->labels[i], NAN, NULL};
    shown->has_sections = 1;
    shown->sections = sections;
    return ALLIN1_OK;
}

static allin1_status put_sections(const text_reading *in)
{
    allin1_annotation *shown = &in->annotation->shown;
    allin1_segment *sections =
        a1_result_alloc(in->annotation->memory, (in->count + 1) * sizeof *sections);
    if (!sections)
        return a1_fail_memory(in->err, "an annotation");
    for (size_t i = 0; i < in->count; i++)
        sections[i] = (allin1_segment){in->first[i], in->second[i], in->labels[i], NAN, NULL};
    shown->has_sections = 1;
    shown->sections = sections;
    shown->section_count = in->count;
    return ALLIN1_OK;
}

static allin1_status put_all(const text_reading *in)
{
    switch (in->kind) {
    case SECTIONS:
        return put_sections(in);
    case BOUNDARIES:
        return put_boundaries(in);
    default:
        return a1_annotation_set_beats(in->annotation, in->first,
                                       in->no_position ? NULL : in->second, in->count, in->err);
    }
}

/* An empty file tells by its name which list is empty. */
static allin1_status put_nothing(const text_reading *in)
{
    const size_t length = strlen(in->path);
    allin1_annotation *shown = &in->annotation->shown;
    if (length > 4 && strcasecmp(in->path + length - 4, ".lab") == 0)
        shown->has_sections = 1;
    else if (length > 6 && strcasecmp(in->path + length - 6, ".beats") == 0)
        shown->has_beats = shown->has_downbeats = 1;
    else
        return a1_fail(in->err, ALLIN1_ERROR_FORMAT, "%s: is empty", in->path);
    return ALLIN1_OK;
}

allin1_status a1_annotation_read_text(const char *path, const char *text, size_t size,
                                      a1_annotation *annotation, a1_error *err)
{
    text_reading in = {.path = path, .annotation = annotation, .err = err};
    in.c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (!in.c_locale)
        return a1_fail_memory(err, "an annotation");
    allin1_status status = ALLIN1_OK;
    const char *end = text + size;
    if (memchr(text, '\0', size))
        status = a1_fail(err, ALLIN1_ERROR_FORMAT, "%s: is not text", path);
    for (const char *line = text; line < end && status == ALLIN1_OK;) {
        const char *stop = memchr(line, '\n', (size_t)(end - line));
        const columns of = split(line, stop ? stop : end);
        in.line++;
        if (of.count > 0 && *of.at[0] != '#' && *of.at[0] != '\\')
            status = read_line(&in, &of);
        line = stop ? stop + 1 : end;
    }
    if (status == ALLIN1_OK)
        status = in.count > 0 ? put_all(&in) : put_nothing(&in);
    free(in.first);
    free(in.second);
    free(in.labels);
    freelocale(in.c_locale);
    return status;
}
