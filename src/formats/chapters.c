/* Sections as chapters: FFmpeg's metadata file, WebVTT, and the podcast namespace's JSON. */
#include <math.h>
#include <stdlib.h>

#include "formats/format_table.h"
#include "output/json_text.h"

static long long milliseconds(double seconds)
{
    return llround(seconds * 1000);
}

/* Players take a chapter without length amiss. */
static bool has_length(const allin1_segment *segment)
{
    return milliseconds(segment->end) > milliseconds(segment->start);
}

static char *title_of(const allin1_result *result, a1_text *out)
{
    char *title = a1_title_of_path(result->path);
    out->failed |= !title;
    return title;
}

allin1_status a1_write_ffmetadata(const allin1_result *result, a1_text *out, a1_error *err)
{
    (void)err;
    char *title = title_of(result, out);
    a1_text_add(out, ";FFMETADATA1\n");
    if (title && *title) {
        a1_text_add(out, "title=");
        a1_text_escaped(out, title, A1_ESCAPE_FFMETADATA);
        a1_text_add(out, "\n");
    }
    free(title);
    for (size_t i = 0; i < result->segment_count; i++) {
        const allin1_segment *segment = &result->segments[i];
        if (!has_length(segment))
            continue;
        a1_text_format(out, "\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=%lld\nEND=%lld\ntitle=",
                       milliseconds(segment->start), milliseconds(segment->end));
        a1_text_escaped(out, segment->label, A1_ESCAPE_FFMETADATA);
        a1_text_add(out, "\n");
    }
    return ALLIN1_OK;
}

/* The number before each cue is its name, so that a script can find it. */
allin1_status a1_write_webvtt(const allin1_result *result, a1_text *out, a1_error *err)
{
    (void)err;
    size_t number = 0;
    a1_text_add(out, "WEBVTT\n");
    for (size_t i = 0; i < result->segment_count; i++) {
        const allin1_segment *segment = &result->segments[i];
        if (!has_length(segment))
            continue;
        a1_text_format(out, "\n%zu\n", ++number);
        a1_text_clock(out, segment->start, 2);
        a1_text_add(out, " --> ");
        a1_text_clock(out, segment->end, 2);
        a1_text_add(out, "\n");
        a1_text_escaped(out, segment->label, A1_ESCAPE_WEBVTT);
        a1_text_add(out, "\n");
    }
    return ALLIN1_OK;
}

allin1_status a1_write_podcast(const allin1_result *result, a1_text *out, a1_error *err)
{
    (void)err;
    char *title = title_of(result, out);
    a1_json json;
    a1_json_begin(&json, true);
    a1_json_open(&json, NULL, '{');
    a1_json_string(&json, "version", "1.2.0");
    if (title && *title)
        a1_json_string(&json, "title", title);
    a1_json_open(&json, "chapters", '[');
    for (size_t i = 0; i < result->segment_count; i++) {
        const allin1_segment *segment = &result->segments[i];
        if (!has_length(segment))
            continue;
        a1_json_open(&json, NULL, '{');
        a1_json_decimal(&json, "startTime", segment->start, 3);
        a1_json_decimal(&json, "endTime", segment->end, 3);
        a1_json_string(&json, "title", segment->label);
        a1_json_close(&json, '}');
    }
    a1_json_close(&json, ']');
    a1_json_close(&json, '}');
    a1_text_json(out, &json);
    free(title);
    return ALLIN1_OK;
}
