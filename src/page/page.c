#include "page/page.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "output/decimal.h"
#include "output/json_text.h"
#include "page/resources.h"
#include "plot/label_style.h"
#include "plot/tempo_line.h"

#define TEXT(file) ((const char *)a1_file_##file)

/* Data -------------------------------------------------------------------------------------------- */

static void put_colour(a1_json *json, const char *key, uint32_t colour)
{
    char text[8];
    snprintf(text, sizeof text, "#%06x", (unsigned)colour);
    a1_json_string(json, key, text);
}

static void put_segments(a1_json *json, const allin1_result *result)
{
    a1_json_open(json, "segments", '[');
    for (size_t i = 0; i < result->segment_count; i++) {
        const allin1_segment *segment = &result->segments[i];
        const uint32_t colour = a1_label_colour(segment->label);
        a1_json_open(json, NULL, '{');
        a1_json_decimal(json, "start", segment->start, 2);
        a1_json_decimal(json, "end", segment->end, 2);
        a1_json_string(json, "label", segment->label);
        a1_json_decimal(json, "probability", segment->probability, 3);
        put_colour(json, "colour", colour);
        put_colour(json, "text", a1_text_colour_on(colour));
        a1_json_close(json, '}');
    }
    a1_json_close(json, ']');
}

static void put_tempo(a1_json *json, const allin1_result *result)
{
    for (int pass = 0; pass < 2; pass++) {
        if (pass == 0)
            a1_json_open(json, "tempo_curve", '{');
        a1_json_open(json, pass == 0 ? "times" : "bpm", '[');
        for (size_t i = 0; i < a1_tempo_line_points(result); i++) {
            double time, bpm;
            a1_tempo_line_point(result, i, &time, &bpm);
            a1_json_decimal(json, NULL, pass == 0 ? time : bpm, pass == 0 ? 2 : 3);
        }
        a1_json_close(json, ']');
    }
    a1_json_close(json, '}');
}

/* Values from 0 to `most` as bytes from 0 to 255, in base64. */
static void put_curve(a1_json *json, a1_html *scratch, const char *key, const float *values,
                      size_t count, double most)
{
    uint8_t *bytes = malloc(count + 1);
    if (!bytes) {
        scratch->failed = true;
        return;
    }
    for (size_t i = 0; i < count; i++) {
        const double share = most > 0 ? fabs((double)values[i]) / most : 0;
        bytes[i] = (uint8_t)lround(255 * fmin(share, 1));
    }
    scratch->used = 0;
    a1_html_put(scratch, "");
    a1_html_put_base64(scratch, bytes, count);
    free(bytes);
    if (!scratch->failed)
        a1_json_string(json, key, scratch->bytes);
}

static void put_waveform(a1_json *json, a1_html *scratch, const allin1_waveform *wave)
{
    float peak = 0;
    if (!wave) {
        a1_json_null(json, "waveform");
        return;
    }
    for (size_t i = 0; i < wave->bins; i++)
        peak = fmaxf(peak, fmaxf(wave->high[i], -wave->low[i]));
    a1_json_open(json, "waveform", '{');
    a1_json_decimal(json, "rate", wave->bins_per_second, 3);
    put_curve(json, scratch, "low", wave->low, wave->bins, (double)peak);
    put_curve(json, scratch, "high", wave->high, wave->bins, (double)peak);
    put_curve(json, scratch, "rms", wave->rms, wave->bins, (double)peak);
    a1_json_close(json, '}');
}

static void put_activations(a1_json *json, a1_html *scratch, const allin1_activations *from)
{
    if (!from) {
        a1_json_null(json, "activations");
        return;
    }
    a1_json_open(json, "activations", '{');
    a1_json_decimal(json, "rate", from->frames_per_second, 3);
    put_curve(json, scratch, "beat", from->beat, from->frames, 1);
    put_curve(json, scratch, "downbeat", from->downbeat, from->frames, 1);
    put_curve(json, scratch, "section", from->segment, from->frames, 1);
    a1_json_close(json, '}');
}

static char *make_data(const a1_page *page, a1_html *scratch)
{
    const allin1_result *result = page->result;
    a1_json json;
    a1_json_begin(&json, false);
    a1_json_open(&json, NULL, '{');
    a1_json_string(&json, "name", page->name);
    a1_json_decimal(&json, "duration", result->duration, 6);
    a1_json_integer(&json, "bpm", result->bpm);
    a1_json_decimal(&json, "tempo", result->tempo, 3);
    a1_json_unsigned(&json, "beats_per_bar", result->beats_per_bar);
    a1_json_decimals(&json, "beats", result->beats, result->beat_count, 2);
    a1_json_unsigneds(&json, "positions", result->beat_positions, result->beat_count);
    put_segments(&json, result);
    put_tempo(&json, result);
    put_waveform(&json, scratch, page->waveform);
    put_activations(&json, scratch, result->activations);
    a1_json_open(&json, "sound", '{');
    a1_json_string(&json, "type", page->sound ? page->sound_type : NULL);
    a1_json_string(&json, "link", page->sound_link);
    a1_json_close(&json, '}');
    a1_json_close(&json, '}');
    return a1_json_take(&json);
}

/* Words ------------------------------------------------------------------------------------------- */

static void length_text(char out[32], double seconds)
{
    const long whole = lround(fmax(seconds, 0));
    if (whole >= 3600)
        snprintf(out, 32, "%ld:%02ld:%02ld", whole / 3600, whole / 60 % 60, whole % 60);
    else
        snprintf(out, 32, "%ld:%02ld", whole / 60, whole % 60);
}

static void tempo_text(char out[32], const allin1_result *result)
{
    if (result->bpm > 0 && isfinite(result->tempo))
        snprintf(out, 32, "%.1f bpm", result->tempo);
    else if (result->bpm > 0)
        snprintf(out, 32, "%d bpm", result->bpm);
    else
        snprintf(out, 32, "no beat");
}

static void metre_text(char out[16], const allin1_result *result)
{
    out[0] = '\0';
    if (result->beats_per_bar > 0)
        snprintf(out, 16, "%u/4", result->beats_per_bar % 100);
}

/* Documents --------------------------------------------------------------------------------------- */

allin1_status a1_page_write(const a1_page *page, a1_html *text, a1_error *err)
{
    a1_html scratch = {0}, data = {0}, sound = {0}, script = {0};
    char facts[128], tempo[32], length[32], metre[16];
    *text = (a1_html){0};
    char *json = make_data(page, &scratch);
    if (json)
        a1_html_put_script_json(&data, json);
    a1_html_put(&sound, "");
    a1_html_put_base64(&sound, page->sound, page->sound ? page->sound_size : 0);
    a1_html_put(&script, TEXT(page_data_js));
    a1_html_put(&script, TEXT(page_draw_js));
    a1_html_put(&script, TEXT(page_player_js));
    a1_html_put(&script, TEXT(page_main_js));
    tempo_text(tempo, page->result);
    metre_text(metre, page->result);
    length_text(length, page->result->duration);
    snprintf(facts, sizeof facts, "%s · %s%s%s", tempo, metre, *metre ? " · " : "", length);
    const bool failed = !json || scratch.failed || data.failed || sound.failed || script.failed;
    if (!failed) {
        const a1_slot slots[] = {
            {"version", ALLIN1_VERSION_STRING, true}, {"mark", page->mark, true},
            {"title", page->name, true},              {"facts", facts, true},
            {"style", TEXT(page_css), false},         {"data", data.bytes, false},
            {"sound", sound.bytes, false},            {"script", script.bytes, false},
            {NULL, NULL, false}};
        a1_html_fill(text, TEXT(page_html), slots);
    }
    free(json);
    a1_html_free(&scratch);
    a1_html_free(&data);
    a1_html_free(&sound);
    a1_html_free(&script);
    return failed || text->failed ? a1_fail_memory(err, "a page") : ALLIN1_OK;
}

/* Numbers in markup have a point, whatever the locale. */
static void put_number(a1_html *text, const char *before, double value)
{
    char number[A1_DECIMAL_SIZE];
    a1_format_decimal(number, value, 3);
    a1_html_put(text, before);
    a1_html_put(text, number);
    a1_html_put(text, "\"");
}

static void put_strip(a1_html *rows, const allin1_result *result)
{
    const double scale = 1000 / fmax(result->duration, 0.01);
    a1_html_put(rows, "<svg viewBox=\"0 0 1000 10\" preserveAspectRatio=\"none\" role=\"img\" "
                      "aria-label=\"");
    for (size_t i = 0; i < result->segment_count; i++) {
        a1_html_put(rows, i ? ", " : "");
        a1_html_put_escaped(rows, result->segments[i].label);
    }
    a1_html_put(rows, "\">");
    for (size_t i = 0; i < result->segment_count; i++) {
        const allin1_segment *s = &result->segments[i];
        put_number(rows, "<rect x=\"", s->start * scale);
        put_number(rows, " width=\"", fmax((s->end - s->start) * scale - 1.5, 0.5));
        a1_html_format(rows, " height=\"10\" fill=\"#%06x\"><title>",
                       (unsigned)a1_label_colour(s->label));
        a1_html_put_escaped(rows, s->label);
        a1_html_put(rows, "</title></rect>");
    }
    a1_html_put(rows, "</svg>");
}

void a1_index_row(a1_html *rows, const allin1_result *result, const char *name, const char *link)
{
    char tempo[32], length[32], metre[16];
    tempo_text(tempo, result);
    metre_text(metre, result);
    length_text(length, result->duration);
    a1_html_put(rows, "<tr data-name=\"");
    a1_html_put_escaped(rows, name);
    put_number(rows, "\" data-tempo=\"",
               result->bpm > 0 && isfinite(result->tempo) ? result->tempo : result->bpm);
    a1_html_format(rows, " data-metre=\"%u\"", result->beats_per_bar);
    put_number(rows, " data-length=\"", result->duration);
    a1_html_put(rows, " data-labels=\"");
    for (size_t i = 0; i < result->segment_count; i++) {
        a1_html_put(rows, i ? " " : "");
        a1_html_put_escaped(rows, result->segments[i].label);
    }
    a1_html_put(rows, "\"><td><a dir=\"auto\" href=\"");
    a1_html_put_escaped(rows, link);
    a1_html_put(rows, "\">");
    a1_html_put_escaped(rows, name);
    a1_html_format(rows, "</a></td><td>%s</td><td>%s</td><td>%s</td><td>", tempo, metre, length);
    put_strip(rows, result);
    a1_html_put(rows, "</td></tr>\n");
}

allin1_status a1_index_write(const char *rows, size_t songs, const char *mark, a1_html *text,
                             a1_error *err)
{
    a1_html style = {0};
    char facts[32];
    *text = (a1_html){0};
    a1_html_put(&style, TEXT(page_css));
    a1_html_put(&style, TEXT(index_css));
    snprintf(facts, sizeof facts, "%zu song%s", songs, songs == 1 ? "" : "s");
    if (!style.failed) {
        const a1_slot slots[] = {
            {"version", ALLIN1_VERSION_STRING, true}, {"mark", mark, true},
            {"title", "Songs", true},                 {"facts", facts, true},
            {"style", style.bytes, false},            {"rows", rows, false},
            {"script", TEXT(index_js), false},        {NULL, NULL, false}};
        a1_html_fill(text, TEXT(index_html), slots);
    }
    const bool failed = style.failed || text->failed;
    a1_html_free(&style);
    return failed ? a1_fail_memory(err, "an index") : ALLIN1_OK;
}

void a1_put_relative_link(a1_html *text, const char *from, const char *to)
{
    size_t same = 0; /* length of the folders that both have, with the last slash */
    for (size_t i = 0; from[i] && from[i] == to[i]; i++)
        if (from[i] == '/')
            same = i + 1;
    const size_t length = strlen(from);
    if (strncmp(from, to, length) == 0 && to[length] == '/')
        same = length + 1;
    if (same <= length)
        for (const char *at = from + same; *at; at += strcspn(at, "/"), at += *at == '/')
            a1_html_put(text, "../");
    for (const char *at = to + same; *at; at++) {
        const unsigned char c = (unsigned char)*at;
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                           (c >= '0' && c <= '9') || strchr("-._~/", c);
        if (plain)
            a1_html_put_bytes(text, at, 1);
        else
            a1_html_format(text, "%%%02X", c);
    }
}
