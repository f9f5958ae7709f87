/* One table for spreadsheets and data frames: sections first, then beats. */
#include <math.h>

#include "formats/format_table.h"

#define PROBABILITY_DECIMALS 3

static void put_section(const allin1_segment *segment, a1_text *out)
{
    a1_text_add(out, "section,");
    a1_text_number(out, segment->start, A1_TIME_DECIMALS);
    a1_text_add(out, ",");
    a1_text_number(out, segment->end, A1_TIME_DECIMALS);
    a1_text_add(out, ",");
    a1_text_escaped(out, segment->label, A1_ESCAPE_CSV);
    a1_text_add(out, ",,,");
    if (isfinite(segment->probability))
        a1_text_number(out, segment->probability, PROBABILITY_DECIMALS);
    a1_text_add(out, "\n");
}

/* Beats before the first downbeat are in bar 0. */
allin1_status a1_write_csv(const allin1_result *result, a1_text *out, a1_error *err)
{
    (void)err;
    size_t bar = 0;
    a1_text_add(out, "type,start,end,label,position,bar,probability\n");
    for (size_t i = 0; i < result->segment_count; i++)
        put_section(&result->segments[i], out);
    for (size_t i = 0; i < result->beat_count; i++) {
        bar += result->beat_positions[i] == 1;
        a1_text_add(out, "beat,");
        a1_text_number(out, result->beats[i], A1_TIME_DECIMALS);
        a1_text_format(out, ",,,%u,%zu,\n", result->beat_positions[i], bar);
    }
    return ALLIN1_OK;
}
