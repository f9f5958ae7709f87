#include <allin1/allin1.h>

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "output/result.h"
#include "output/result_read.h"

#define MAX_FILE_SIZE ((off_t)256 << 20)
#define MAX_SECONDS 1e9
#define MIN_BPM 0.001 /* what the decimals of a result hold */
#define MAX_BPM 1e6
#define MAX_GAIN_DB 100
#define MAX_POSITION 1000
#define MAX_RATE 100000000

typedef struct reading {
    const char *path;
    a1_result *result;
    a1_error *err;
} reading;

static allin1_status malformed(const reading *in, const char *what)
{
    return a1_fail(in->err, ALLIN1_ERROR_FORMAT, "%s: not a result of an analysis: %s", in->path,
                   what);
}

static allin1_status malformed_item(const reading *in, const char *list, size_t index,
                                    const char *what)
{
    return a1_fail(in->err, ALLIN1_ERROR_FORMAT, "%s: not a result of an analysis: %s[%zu] %s",
                   in->path, list, index, what);
}

static bool good_time(const json_t *value, double *seconds)
{
    if (!json_is_number(value))
        return false;
    *seconds = json_number_value(value);
    return isfinite(*seconds) && *seconds >= 0 && *seconds <= MAX_SECONDS;
}

static allin1_status copy_string(const reading *in, const json_t *object, const char *key,
                                 const char **out)
{
    const char *text = json_string_value(json_object_get(object, key));
    *out = a1_result_string(in->result, text);
    return *out ? ALLIN1_OK : a1_fail_memory(in->err, "a result");
}

static allin1_status read_times(const reading *in, const json_t *root, const char *key,
                                const double **out, size_t *out_count)
{
    const json_t *list = json_object_get(root, key);
    if (!json_is_array(list))
        return a1_fail(in->err, ALLIN1_ERROR_FORMAT,
                       "%s: not a result of an analysis: \"%s\" is not a list", in->path, key);
    const size_t count = json_array_size(list);
    double *times = a1_result_alloc(in->result, (count ? count : 1) * sizeof *times);
    if (!times)
        return a1_fail_memory(in->err, "a result");
    for (size_t i = 0; i < count; i++) {
        if (!good_time(json_array_get(list, i), &times[i]))
            return malformed_item(in, key, i, "is not a time in seconds");
        if (i > 0 && times[i] < times[i - 1])
            return malformed_item(in, key, i, "is earlier than the one before it");
    }
    *out = count ? times : NULL;
    *out_count = count;
    return ALLIN1_OK;
}

/* Absent in results of other programs: empty. */
static allin1_status read_tempo_curve(const reading *in, const json_t *root)
{
    allin1_result *result = &in->result->shown;
    const json_t *curve = json_object_get(root, "tempo_curve");
    if (!curve || json_is_null(curve))
        return ALLIN1_OK;
    size_t count;
    A1_TRY(read_times(in, curve, "times", &result->tempo_curve_times, &count));
    const json_t *list = json_object_get(curve, "bpm");
    if (!json_is_array(list) || json_array_size(list) != count)
        return malformed(in, "the \"bpm\" of \"tempo_curve\" is not a list as long as its \"times\"");
    double *values = a1_result_alloc(in->result, (count ? count : 1) * sizeof *values);
    if (!values)
        return a1_fail_memory(in->err, "a result");
    for (size_t i = 0; i < count; i++) {
        const json_t *value = json_array_get(list, i);
        values[i] = json_is_number(value) ? json_number_value(value) : 0;
        if (!(values[i] >= MIN_BPM && values[i] <= MAX_BPM))
            return malformed_item(in, "tempo_curve.bpm", i, "is not a tempo");
    }
    result->tempo_curve = count ? values : NULL;
    result->tempo_curve_count = count;
    return ALLIN1_OK;
}

static allin1_status read_positions(const reading *in, const json_t *root)
{
    allin1_result *result = &in->result->shown;
    const json_t *list = json_object_get(root, "beat_positions");
    if (!json_is_array(list) || json_array_size(list) != result->beat_count)
        return malformed(in, "\"beat_positions\" is not a list as long as \"beats\"");
    if (result->beat_count == 0)
        return ALLIN1_OK;
    unsigned *positions = a1_result_alloc(in->result, result->beat_count * sizeof *positions);
    if (!positions)
        return a1_fail_memory(in->err, "a result");
    for (size_t i = 0; i < result->beat_count; i++) {
        const json_t *value = json_array_get(list, i);
        const json_int_t position = json_is_integer(value) ? json_integer_value(value) : 0;
        if (position < 1 || position > MAX_POSITION)
            return malformed_item(in, "beat_positions", i, "is not a position in a bar");
        positions[i] = (unsigned)position;
    }
    result->beat_positions = positions;
    return ALLIN1_OK;
}

/* Of one segment: a list of as many numbers as there are labels, or null. */
static allin1_status read_label_probabilities(const reading *in, const json_t *list, size_t index,
                                              const double **out)
{
    double values[32];
    size_t count = 0;
    if (!list || json_is_null(list))
        return ALLIN1_OK;
    for (; allin1_label(count); count++) {
        const json_t *value = json_array_get(list, count);
        values[count] = json_is_number(value) ? json_number_value(value) : NAN;
        if (!(values[count] >= 0 && values[count] <= 1))
            break;
    }
    if (allin1_label(count) || json_array_size(list) != count)
        return malformed_item(in, "segment_label_probabilities.values", index,
                              "is not a list of one probability for each label");
    double *copy = a1_result_alloc(in->result, count * sizeof *copy);
    if (!copy)
        return a1_fail_memory(in->err, "a result");
    memcpy(copy, values, count * sizeof *copy);
    *out = copy;
    return ALLIN1_OK;
}

/* The lists of all segments, NULL when there are none. The labels must be ours, in our order. */
static allin1_status find_label_probabilities(const reading *in, const json_t *root, size_t count,
                                              const json_t **out)
{
    const json_t *object = json_object_get(root, "segment_label_probabilities");
    const json_t *labels = json_object_get(object, "labels");
    *out = json_object_get(object, "values");
    if (!object || json_is_null(object))
        return ALLIN1_OK;
    if (!json_is_array(*out) || json_array_size(*out) != count)
        return malformed(in, "the \"values\" of \"segment_label_probabilities\" are not a list as long "
                             "as \"segments\"");
    size_t label = 0;
    for (; allin1_label(label); label++) {
        const char *name = json_string_value(json_array_get(labels, label));
        if (!name || strcmp(name, allin1_label(label)) != 0)
            break;
    }
    if (allin1_label(label) || json_array_size(labels) != label)
        return malformed(in, "the \"labels\" of \"segment_label_probabilities\" are not the ten labels "
                             "in their order");
    return ALLIN1_OK;
}

static allin1_status read_segments(const reading *in, const json_t *root)
{
    allin1_result *result = &in->result->shown;
    const json_t *list = json_object_get(root, "segments");
    const json_t *probabilities = json_object_get(root, "segment_probabilities");
    if (!json_is_array(list))
        return malformed(in, "\"segments\" is not a list");
    const size_t count = json_array_size(list);
    const json_t *of_labels;
    A1_TRY(find_label_probabilities(in, root, count, &of_labels));
    if (count == 0)
        return ALLIN1_OK;
    allin1_segment *segments = a1_result_alloc(in->result, count * sizeof *segments);
    if (!segments)
        return a1_fail_memory(in->err, "a result");
    for (size_t i = 0; i < count; i++) {
        const json_t *item = json_array_get(list, i);
        allin1_segment *segment = &segments[i];
        const json_t *label = json_object_get(item, "label");
        if (!good_time(json_object_get(item, "start"), &segment->start) ||
            !good_time(json_object_get(item, "end"), &segment->end) || !json_is_string(label))
            return malformed_item(in, "segments", i, "lacks start, end or label");
        if (segment->end < segment->start || (i > 0 && segment->start < segments[i - 1].start))
            return malformed_item(in, "segments", i, "is out of order");
        segment->label = a1_result_string(in->result, json_string_value(label));
        if (!segment->label)
            return a1_fail_memory(in->err, "a result");
        const json_t *probability = json_array_get(probabilities, i);
        segment->probability = json_is_number(probability) ? json_number_value(probability) : NAN;
        A1_TRY(read_label_probabilities(in, json_array_get(of_labels, i), i,
                                        &segment->probabilities));
    }
    result->segments = segments;
    result->segment_count = count;
    return ALLIN1_OK;
}

/* A positive number below `limit`, or `otherwise` for null and a key that is absent. */
static allin1_status read_optional(const reading *in, const json_t *root, const char *key,
                                   double limit, double otherwise, double *out)
{
    const json_t *value = json_object_get(root, key);
    *out = otherwise;
    if (!value || json_is_null(value))
        return ALLIN1_OK;
    *out = json_is_number(value) ? json_number_value(value) : NAN;
    if (isnan(*out) || *out < 0 || *out > limit)
        return a1_fail(in->err, ALLIN1_ERROR_FORMAT,
                       "%s: not a result of an analysis: \"%s\" is out of range", in->path, key);
    return ALLIN1_OK;
}

/* A list of `count` numbers from 0 to 1, or nothing. */
static allin1_status read_confidences(const reading *in, const json_t *root, const char *key,
                                      size_t count, const double **out)
{
    const json_t *list = json_object_get(root, key);
    if (!list || json_is_null(list))
        return ALLIN1_OK;
    if (!json_is_array(list) || json_array_size(list) != count)
        return a1_fail(in->err, ALLIN1_ERROR_FORMAT,
                       "%s: not a result of an analysis: \"%s\" is not a list of %zu", in->path, key,
                       count);
    if (count == 0)
        return ALLIN1_OK;
    double *values = a1_result_alloc(in->result, count * sizeof *values);
    if (!values)
        return a1_fail_memory(in->err, "a result");
    for (size_t i = 0; i < count; i++) {
        const json_t *value = json_array_get(list, i);
        values[i] = json_is_number(value) ? json_number_value(value) : NAN;
        if (!(values[i] >= 0 && values[i] <= 1))
            return malformed_item(in, key, i, "is not a confidence");
    }
    *out = values;
    return ALLIN1_OK;
}

static allin1_status read_alternatives(const reading *in, const json_t *root)
{
    allin1_result *result = &in->result->shown;
    A1_TRY(read_optional(in, root, "tempo_confidence", 1, NAN, &result->tempo_confidence));
    const json_t *list = json_object_get(root, "tempo_alternatives");
    if (!list || json_is_null(list))
        return ALLIN1_OK;
    if (!json_is_array(list))
        return malformed(in, "\"tempo_alternatives\" is not a list");
    const size_t count = json_array_size(list);
    if (count == 0)
        return ALLIN1_OK;
    allin1_tempo_alternative *items = a1_result_alloc(in->result, count * sizeof *items);
    if (!items)
        return a1_fail_memory(in->err, "a result");
    for (size_t i = 0; i < count; i++) {
        const json_t *item = json_array_get(list, i);
        const json_t *bpm = json_object_get(item, "bpm");
        const json_t *confidence = json_object_get(item, "confidence");
        items[i].bpm = json_is_number(bpm) ? json_number_value(bpm) : 0;
        items[i].confidence = json_is_number(confidence) ? json_number_value(confidence) : NAN;
        if (!(items[i].bpm >= MIN_BPM && items[i].bpm <= MAX_BPM) ||
            !(items[i].confidence >= 0 && items[i].confidence <= 1))
            return malformed_item(in, "tempo_alternatives", i, "lacks bpm or confidence");
        A1_TRY(copy_string(in, item, "relation", &items[i].relation));
    }
    result->tempo_alternatives = items;
    result->tempo_alternative_count = count;
    return ALLIN1_OK;
}

static allin1_status read_student(const reading *in, const json_t *root)
{
    const json_t *student = json_object_get(root, "student");
    const json_t *evidence = json_object_get(student, "evidence");
    allin1_student *out = &in->result->student;
    if (!json_is_object(student))
        return ALLIN1_OK;
    A1_TRY(copy_string(in, student, "model", &out->model));
    A1_TRY(copy_string(in, student, "digest", &out->digest));
    A1_TRY(read_optional(in, student, "confidence", 1, NAN, &out->confidence));
    A1_TRY(read_optional(in, student, "gain_db", MAX_GAIN_DB, 0, &out->gain_db));
    A1_TRY(read_optional(in, student, "refine", 1, 0, &out->refine));
    for (size_t i = 0; i < ALLIN1_EVIDENCE; i++)
        A1_TRY(read_optional(in, evidence, allin1_evidence_name(i), 1, 0, &out->evidence[i]));
    out->refined = json_is_true(json_object_get(student, "refined"));
    in->result->shown.student = out;
    return ALLIN1_OK;
}

/* Only what a later reader needs: whether the result still holds, and what it came from. */
static allin1_status read_provenance(const reading *in, const json_t *root, allin1_arrays *arrays)
{
    allin1_provenance *from = &in->result->shown.provenance;
    const json_t *provenance = json_object_get(root, "provenance");
    const json_t *kept = json_object_get(provenance, "arrays");
    A1_TRY(copy_string(in, provenance, "version", &from->version));
    A1_TRY(copy_string(in, provenance, "key", &from->key));
    const json_t *input = json_object_get(provenance, "input");
    const json_int_t rate = json_integer_value(json_object_get(input, "sample_rate"));
    from->sample_rate = rate > 0 && rate <= MAX_RATE ? (int)rate : 0;
    A1_TRY(copy_string(in, input, "sha256", &from->input_sha256));
    const json_t *network = json_object_get(provenance, "network");
    A1_TRY(copy_string(in, network, "model_requested", &from->model_requested));
    A1_TRY(copy_string(in, network, "model", &from->model));
    A1_TRY(copy_string(in, json_object_get(provenance, "stems"), "model", &from->demix_model));
    if (arrays) {
        A1_TRY(copy_string(in, kept, "activations", &arrays->activations));
        A1_TRY(copy_string(in, kept, "embeddings", &arrays->embeddings));
        if (!*arrays->activations)
            arrays->activations = NULL;
        if (!*arrays->embeddings)
            arrays->embeddings = NULL;
    }
    return ALLIN1_OK;
}

static allin1_status read_root(const reading *in, const json_t *root, allin1_arrays *arrays)
{
    allin1_result *result = &in->result->shown;
    if (!json_is_object(root))
        return malformed(in, "not an object");
    if (!json_is_string(json_object_get(root, "path")))
        return malformed(in, "\"path\" is not a string");
    A1_TRY(copy_string(in, root, "path", &result->path));
    A1_TRY(read_times(in, root, "beats", &result->beats, &result->beat_count));
    A1_TRY(read_times(in, root, "downbeats", &result->downbeats, &result->downbeat_count));
    A1_TRY(read_positions(in, root));
    A1_TRY(read_segments(in, root));
    A1_TRY(read_tempo_curve(in, root));
    A1_TRY(read_alternatives(in, root));
    A1_TRY(read_confidences(in, root, "beat_confidences", result->beat_count,
                            &result->beat_confidences));
    A1_TRY(read_confidences(in, root, "downbeat_confidences", result->downbeat_count,
                            &result->downbeat_confidences));

    double number;
    A1_TRY(read_optional(in, root, "bpm", MAX_BPM, 0, &number));
    result->bpm = (int)lround(number);
    A1_TRY(read_optional(in, root, "tempo", MAX_BPM, NAN, &result->tempo));
    A1_TRY(read_optional(in, root, "beats_per_bar", MAX_POSITION, 0, &number));
    result->beats_per_bar = (unsigned)lround(number);

    /* The reference tells no duration: its segments and beats end where the song does. */
    double last = 0;
    if (result->segment_count > 0)
        last = result->segments[result->segment_count - 1].end;
    if (result->beat_count > 0)
        last = fmax(last, result->beats[result->beat_count - 1]);
    A1_TRY(read_optional(in, root, "duration", MAX_SECONDS, last, &result->duration));
    for (size_t i = 0; i < result->beat_count; i++)
        if (!json_object_get(root, "beats_per_bar") &&
            result->beat_positions[i] > result->beats_per_bar)
            result->beats_per_bar = result->beat_positions[i];
    A1_TRY(read_student(in, root));
    return read_provenance(in, root, arrays);
}

allin1_status a1_read_document(const char *path, char **out, size_t *size, a1_error *err)
{
    *out = NULL;
    const int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat info;
    if (descriptor < 0 || fstat(descriptor, &info) != 0) {
        const allin1_status status =
            a1_fail(err, ALLIN1_ERROR_IO, "%s: %s", path, strerror(errno));
        if (descriptor >= 0)
            close(descriptor);
        return status;
    }
    allin1_status status = ALLIN1_OK;
    char *text = NULL;
    size_t used = 0;
    if (S_ISDIR(info.st_mode))
        status = a1_fail(err, ALLIN1_ERROR_IO, "%s: is a folder", path);
    else if (!S_ISREG(info.st_mode))
        status = a1_fail(err, ALLIN1_ERROR_IO, "%s: is not a regular file", path);
    else if (info.st_size > MAX_FILE_SIZE)
        status = a1_fail(err, ALLIN1_ERROR_FORMAT, "%s: is too large for a result", path);
    else if (!(text = malloc((size_t)info.st_size + 1)))
        status = a1_fail_memory(err, "a result");
    while (status == ALLIN1_OK && used < (size_t)info.st_size) {
        const ssize_t got = read(descriptor, text + used, (size_t)info.st_size - used);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            status = a1_fail(err, ALLIN1_ERROR_IO, "%s: %s", path, strerror(errno));
        if (got <= 0)
            break;
        used += (size_t)got;
    }
    close(descriptor);
    if (status != ALLIN1_OK) {
        free(text);
        return status;
    }
    *out = text;
    *size = used;
    return ALLIN1_OK;
}

allin1_status a1_parse_document(const char *path, const char *text, size_t size, json_t **root,
                                a1_error *err)
{
    json_error_t reason;
    *root = NULL;
    if (size == 0)
        return a1_fail(err, ALLIN1_ERROR_FORMAT, "%s: is empty", path);
    *root = json_loadb(text, size, 0, &reason);
    if (*root)
        return ALLIN1_OK;
    if (json_error_code(&reason) == json_error_out_of_memory)
        return a1_fail_memory(err, "a result");
    return a1_fail(err, ALLIN1_ERROR_FORMAT, "%s: not JSON: line %d, column %d: %s", path,
                   reason.line, reason.column, reason.text);
}

allin1_status a1_result_of_document(const char *path, const json_t *root, allin1_arrays *arrays,
                                    a1_result **out, a1_error *err)
{
    reading in = {.path = path, .err = err};
    allin1_status status;
    A1_CHECK(a1_result_create(&in.result, err));
    A1_CHECK(read_root(&in, root, arrays));
    *out = in.result;
    in.result = NULL;

done:
    a1_result_destroy(&in.result);
    return status;
}

static allin1_status load(const char *path, a1_result **out, allin1_arrays *arrays, a1_error *err)
{
    char *text = NULL;
    size_t size = 0;
    json_t *root = NULL;
    allin1_status status;
    A1_CHECK(a1_read_document(path, &text, &size, err));
    A1_CHECK(a1_parse_document(path, text, size, &root, err));
    A1_CHECK(a1_result_of_document(path, root, arrays, out, err));

done:
    json_decref(root);
    free(text);
    return status;
}

allin1_status allin1_load_json(const char *path, allin1_result **out, allin1_arrays *arrays_kept,
                               allin1_error *error)
{
    a1_error err = {0};
    if (arrays_kept)
        *arrays_kept = (allin1_arrays){0};
    if (!out)
        return a1_public_error(error, &err,
                               a1_fail(&err, ALLIN1_ERROR_ARGUMENT, "no place for the result"));
    *out = NULL;
    if (!path)
        return a1_public_error(error, &err,
                               a1_fail(&err, ALLIN1_ERROR_ARGUMENT, "no path was given"));
    a1_result *result = NULL;
    const allin1_status status = load(path, &result, arrays_kept, &err);
    if (status == ALLIN1_OK)
        *out = &result->shown;
    else if (arrays_kept)
        *arrays_kept = (allin1_arrays){0};
    return a1_public_error(error, &err, status);
}
