/* Lists of sections and of beats, one a line. */
#include <string.h>

#include "formats/format_table.h"

static void put_time(a1_text *out, double seconds, const char *after)
{
    a1_text_number(out, seconds, A1_TIME_DECIMALS);
    a1_text_add(out, after);
}

/* start, end and label between tabs. A section without length is none for readers of intervals. */
static void put_sections(const allin1_result *result, a1_text *out)
{
    for (size_t i = 0; i < result->segment_count; i++) {
        const allin1_segment *segment = &result->segments[i];
        if (!(segment->end > segment->start))
            continue;
        put_time(out, segment->start, "\t");
        put_time(out, segment->end, "\t");
        a1_text_escaped(out, segment->label, A1_ESCAPE_LINE);
        a1_text_add(out, "\n");
    }
}

allin1_status a1_write_lab(const allin1_result *result, a1_text *out, a1_error *err)
{
    (void)err;
    put_sections(result, out);
    return ALLIN1_OK;
}

allin1_status a1_write_audacity(const allin1_result *result, a1_text *out, a1_error *err)
{
    (void)err;
    put_sections(result, out);
    return ALLIN1_OK;
}

/* A label whose start is its end is a point; its text is the position in the bar. */
allin1_status a1_write_audacity_beats(const allin1_result *result, a1_text *out, a1_error *err)
{
    (void)err;
    for (size_t i = 0; i < result->beat_count; i++) {
        put_time(out, result->beats[i], "\t");
        put_time(out, result->beats[i], "\t");
        a1_text_format(out, "%u\n", result->beat_positions[i]);
    }
    return ALLIN1_OK;
}

allin1_status a1_write_beats(const allin1_result *result, a1_text *out, a1_error *err)
{
    (void)err;
    for (size_t i = 0; i < result->beat_count; i++) {
        put_time(out, result->beats[i], "\t");
        a1_text_format(out, "%u\n", result->beat_positions[i]);
    }
    return ALLIN1_OK;
}

/* Bars are counted from 1; beats before the first downbeat belong to the first bar. */
allin1_status a1_write_harmonix_beats(const allin1_result *result, a1_text *out, a1_error *err)
{
    (void)err;
    size_t bar = 1;
    for (size_t i = 0; i < result->beat_count; i++) {
        bar += i > 0 && result->beat_positions[i] == 1;
        put_time(out, result->beats[i], "\t");
        a1_text_format(out, "%u\t%zu\n", result->beat_positions[i], bar);
    }
    return ALLIN1_OK;
}

/* Boundaries with the label of what begins there. The set has no "start" before the first section, and
 * its last line, "end", is where the last one ends. */
allin1_status a1_write_harmonix(const allin1_result *result, a1_text *out, a1_error *err)
{
    (void)err;
    const allin1_segment *segments = result->segments;
    size_t count = result->segment_count, first = 0;
    if (count == 0)
        return ALLIN1_OK;
    const bool closed = count > 1 && strcmp(segments[count - 1].label, "end") == 0;
    const double end = closed ? segments[count - 1].start : segments[count - 1].end;
    count -= closed;
    if (count > 1 && strcmp(segments[0].label, "start") == 0)
        first = 1;
    for (size_t i = first; i < count; i++) {
        put_time(out, segments[i].start, " ");
        a1_text_escaped(out, segments[i].label, A1_ESCAPE_WORD);
        a1_text_add(out, "\n");
    }
    put_time(out, end, " end\n");
    return ALLIN1_OK;
}
