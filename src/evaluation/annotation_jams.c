/* JAMS: the first annotation each of beats, of sections and of tempo. */
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "evaluation/annotation.h"

#define MAX_SECONDS 1e9

typedef struct jams_reading {
    const char *path;
    a1_annotation *annotation;
    a1_error *err;
} jams_reading;

static allin1_status malformed(const jams_reading *in, const char *namespace, size_t index,
                               const char *what)
{
    return a1_fail(in->err, ALLIN1_ERROR_FORMAT, "%s: not JAMS: %s, item %zu: %s", in->path,
                   namespace, index, what);
}

/* Observations are a list of objects, or in old files an object of lists. */
static size_t count_items(const json_t *data)
{
    return json_is_array(data) ? json_array_size(data)
                               : json_array_size(json_object_get(data, "time"));
}

static const json_t *field(const json_t *data, size_t index, const char *key)
{
    return json_is_array(data) ? json_object_get(json_array_get(data, index), key)
                               : json_array_get(json_object_get(data, key), index);
}

static bool good_time(const json_t *value, double *seconds)
{
    *seconds = json_is_number(value) ? json_number_value(value) : NAN;
    return *seconds >= 0 && *seconds <= MAX_SECONDS;
}

/* The position of a `beat` is its value, of a `beat_position` a member of that; NAN: not told. */
static double position_of(const json_t *value)
{
    if (json_is_object(value))
        value = json_object_get(value, "position");
    return json_is_number(value) ? json_number_value(value) : NAN;
}

static allin1_status read_beats(const jams_reading *in, const char *namespace, const json_t *data)
{
    const size_t count = count_items(data);
    double *beats = malloc((2 * count + 1) * sizeof *beats);
    if (!beats)
        return a1_fail_memory(in->err, "an annotation");
    double *positions = beats + count;
    bool all_told = true;
    allin1_status status = ALLIN1_OK;
    for (size_t i = 0; i < count && status == ALLIN1_OK; i++) {
        positions[i] = position_of(field(data, i, "value"));
        all_told &= !isnan(positions[i]);
        if (!good_time(field(data, i, "time"), &beats[i]))
            status = malformed(in, namespace, i, "has no time in seconds");
        else if (i > 0 && beats[i] < beats[i - 1])
            status = malformed(in, namespace, i, "is earlier than the one before it");
    }
    if (status == ALLIN1_OK)
        status = a1_annotation_set_beats(in->annotation, beats, all_told ? positions : NULL, count,
                                         in->err);
    free(beats);
    return status;
}

static allin1_status read_sections(const jams_reading *in, const char *namespace,
                                   const json_t *data)
{
    allin1_annotation *shown = &in->annotation->shown;
    const size_t count = count_items(data);
    allin1_segment *sections =
        a1_result_alloc(in->annotation->memory, (count + 1) * sizeof *sections);
    if (!sections)
        return a1_fail_memory(in->err, "an annotation");
    size_t kept = 0;
    double last = 0;
    for (size_t i = 0; i < count; i++) {
        double start, duration;
        const json_t *label = field(data, i, "value");
        if (!good_time(field(data, i, "time"), &start) ||
            !good_time(field(data, i, "duration"), &duration))
            return malformed(in, namespace, i, "has no time and duration in seconds");
        if (!json_is_string(label))
            return malformed(in, namespace, i, "has no label");
        if (start < last)
            return malformed(in, namespace, i, "is earlier than the one before it");
        last = start;
        if (!(start + duration > start))
            continue;
        sections[kept] = (allin1_segment){start, start + duration, NULL, NAN, NULL};
        sections[kept].label = a1_result_string(in->annotation->memory, json_string_value(label));
        if (!sections[kept++].label)
            return a1_fail_memory(in->err, "an annotation");
    }
    shown->has_sections = 1;
    shown->sections = sections;
    shown->section_count = kept;
    return ALLIN1_OK;
}

/* Of several, that with the most confidence. */
static void read_tempo(const jams_reading *in, const json_t *data)
{
    double best = -1;
    for (size_t i = 0; i < count_items(data); i++) {
        const json_t *value = field(data, i, "value"), *weight = field(data, i, "confidence");
        const double confidence = json_is_number(weight) ? json_number_value(weight) : 0;
        if (!json_is_number(value) || !(json_number_value(value) > 0) || !(confidence > best))
            continue;
        best = confidence;
        in->annotation->shown.tempo = json_number_value(value);
    }
}

static const json_t *find(const json_t *annotations, const char *beginning, const char **namespace)
{
    size_t index;
    const json_t *item;
    json_array_foreach(annotations, index, item)
    {
        const char *name = json_string_value(json_object_get(item, "namespace"));
        const json_t *data = json_object_get(item, "data");
        if (name && data && strncmp(name, beginning, strlen(beginning)) == 0) {
            *namespace = name;
            return data;
        }
    }
    return NULL;
}

allin1_status a1_annotation_read_jams(const char *path, const json_t *root,
                                      a1_annotation *annotation, a1_error *err)
{
    const jams_reading in = {path, annotation, err};
    const json_t *annotations = json_object_get(root, "annotations");
    if (!json_is_array(annotations))
        return a1_fail(err, ALLIN1_ERROR_FORMAT, "%s: not JAMS: \"annotations\" is not a list",
                       path);
    const char *name;
    const json_t *tempo = find(annotations, "tempo", &name);
    if (tempo)
        read_tempo(&in, tempo);
    const json_t *beats = find(annotations, "beat", &name);
    if (beats)
        A1_TRY(read_beats(&in, name, beats));
    const json_t *sections = find(annotations, "segment_", &name);
    if (sections)
        A1_TRY(read_sections(&in, name, sections));
    if (!beats && !sections && !tempo)
        return a1_fail(err, ALLIN1_ERROR_FORMAT, "%s: holds neither beats nor sections nor tempo",
                       path);
    return ALLIN1_OK;
}
