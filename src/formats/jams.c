/* JAMS, the JSON of music information retrieval: one annotation each for beats, sections and tempo. */
#include <math.h>
#include <stdlib.h>

#include "formats/format_table.h"
#include "output/json_text.h"

#define JAMS_VERSION "0.3.4"
#define PROBABILITY_DECIMALS 3
#define TEMPO_DECIMALS 3

static void put_file(a1_json *json, const allin1_result *result, const char *title)
{
    a1_json_open(json, "file_metadata", '{');
    a1_json_string(json, "title", title);
    a1_json_string(json, "artist", "");
    a1_json_string(json, "release", "");
    a1_json_decimal(json, "duration", result->duration, A1_TIME_DECIMALS);
    a1_json_open(json, "identifiers", '{');
    a1_json_close(json, '}');
    a1_json_string(json, "jams_version", JAMS_VERSION);
    a1_json_close(json, '}');
}

static void open_annotation(a1_json *json, const allin1_result *result, const char *namespace,
                            const char *maker)
{
    a1_json_open(json, NULL, '{');
    a1_json_string(json, "namespace", namespace);
    a1_json_decimal(json, "time", 0, A1_TIME_DECIMALS);
    a1_json_decimal(json, "duration", result->duration, A1_TIME_DECIMALS);
    a1_json_open(json, "annotation_metadata", '{');
    a1_json_string(json, "annotation_tools", maker);
    a1_json_string(json, "data_source", "program");
    a1_json_string(json, "version", result->provenance.version ? result->provenance.version : "");
    a1_json_string(json, "corpus", "");
    a1_json_open(json, "annotator", '{');
    a1_json_close(json, '}');
    a1_json_string(json, "annotation_rules", "");
    a1_json_string(json, "validation", "");
    a1_json_close(json, '}');
    a1_json_open(json, "data", '[');
}

static void close_annotation(a1_json *json)
{
    a1_json_close(json, ']');
    a1_json_open(json, "sandbox", '{');
    a1_json_close(json, '}');
    a1_json_close(json, '}');
}

static void open_observation(a1_json *json, double time, double duration)
{
    a1_json_open(json, NULL, '{');
    a1_json_decimal(json, "time", time, A1_TIME_DECIMALS);
    a1_json_decimal(json, "duration", duration, A1_TIME_DECIMALS);
}

static void put_beats(a1_json *json, const allin1_result *result, const char *maker)
{
    open_annotation(json, result, "beat", maker);
    for (size_t i = 0; i < result->beat_count; i++) {
        open_observation(json, result->beats[i], 0);
        a1_json_unsigned(json, "value", result->beat_positions[i]);
        a1_json_null(json, "confidence");
        a1_json_close(json, '}');
    }
    close_annotation(json);
}

static void put_sections(a1_json *json, const allin1_result *result, const char *maker)
{
    open_annotation(json, result, "segment_open", maker);
    for (size_t i = 0; i < result->segment_count; i++) {
        const allin1_segment *segment = &result->segments[i];
        open_observation(json, segment->start, segment->end - segment->start);
        a1_json_string(json, "value", segment->label);
        a1_json_decimal(json, "confidence", segment->probability, PROBABILITY_DECIMALS);
        a1_json_close(json, '}');
    }
    close_annotation(json);
}

/* The namespace wants a confidence from 0 to 1, the weight among several tempi: a single one has all
 * of it. */
static void put_tempo(a1_json *json, const allin1_result *result, const char *maker)
{
    const double tempo = isfinite(result->tempo) ? result->tempo : result->bpm;
    open_annotation(json, result, "tempo", maker);
    if (tempo > 0) {
        open_observation(json, 0, result->duration);
        a1_json_decimal(json, "value", tempo, TEMPO_DECIMALS);
        a1_json_decimal(json, "confidence", 1, 1);
        a1_json_close(json, '}');
    }
    close_annotation(json);
}

allin1_status a1_write_jams(const allin1_result *result, a1_text *out, a1_error *err)
{
    (void)err;
    size_t size;
    a1_text named = {0};
    a1_put_maker(&named, result, A1_ESCAPE_LINE);
    char *maker = a1_text_take(&named, &size), *title = a1_title_of_path(result->path);
    if (maker && title) {
        a1_json json;
        a1_json_begin(&json, true);
        a1_json_open(&json, NULL, '{');
        put_file(&json, result, title);
        a1_json_open(&json, "annotations", '[');
        put_beats(&json, result, maker);
        put_sections(&json, result, maker);
        put_tempo(&json, result, maker);
        a1_json_close(&json, ']');
        a1_json_open(&json, "sandbox", '{');
        a1_json_close(&json, '}');
        a1_json_close(&json, '}');
        a1_text_json(out, &json);
    } else {
        out->failed = true;
    }
    free(title);
    free(maker);
    return ALLIN1_OK;
}
