/* What Reaper's Region/Marker Manager imports: sections as regions, downbeats as markers. */
#include "formats/format_table.h"

static void put_clock(a1_text *out, double seconds)
{
    a1_text_add(out, ",");
    a1_text_clock(out, seconds, 1);
}

allin1_status a1_write_reaper(const allin1_result *result, a1_text *out, a1_error *err)
{
    (void)err;
    a1_text_add(out, "#,Name,Start,End,Length\n");
    for (size_t i = 0; i < result->segment_count; i++) {
        const allin1_segment *segment = &result->segments[i];
        a1_text_format(out, "R%zu,", i + 1);
        a1_text_escaped(out, segment->label, A1_ESCAPE_CSV);
        put_clock(out, segment->start);
        put_clock(out, segment->end);
        put_clock(out, segment->end - segment->start);
        a1_text_add(out, "\n");
    }
    for (size_t i = 0; i < result->downbeat_count; i++) {
        a1_text_format(out, "M%zu,bar %zu", i + 1, i + 1);
        put_clock(out, result->downbeats[i]);
        a1_text_add(out, ",,\n");
    }
    return ALLIN1_OK;
}
