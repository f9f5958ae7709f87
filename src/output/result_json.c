#include "output/result.h"

#include <math.h>
#include <stdlib.h>

#include "output/json_text.h"

/* Decimals of times in the reference's keys, and of our finer numbers: a sample is 23 us. */
#define TIME_DECIMALS 2
#define FINE_DECIMALS 3
#define DURATION_DECIMALS 6
#define STUDENT_DECIMALS 4
#define GAIN_DECIMALS 2

static void put_model_files(a1_json *json, const allin1_model_file *files, size_t count)
{
    a1_json_open(json, "files", '[');
    for (size_t i = 0; i < count; i++) {
        a1_json_open(json, NULL, '{');
        a1_json_string(json, "name", files[i].name);
        a1_json_string(json, "path", files[i].path);
        a1_json_string(json, "format", files[i].format);
        a1_json_string(json, "digest", files[i].digest);
        a1_json_string(json, "licence", files[i].licence);
        a1_json_close(json, '}');
    }
    a1_json_close(json, ']');
}

static void put_input(a1_json *json, const allin1_provenance *from)
{
    a1_json_open(json, "input", '{');
    a1_json_string(json, "sha256", from->input_sha256);
    a1_json_string(json, "container", from->container);
    a1_json_string(json, "codec", from->codec);
    a1_json_integer(json, "channels", from->channels);
    a1_json_string(json, "channel_layout", from->channel_layout);
    a1_json_integer(json, "sample_rate", from->sample_rate);
    a1_json_integer(json, "bits_per_sample", from->bits_per_sample);
    a1_json_integer(json, "skipped_start", from->skipped_start);
    a1_json_integer(json, "skipped_end", from->skipped_end);
    a1_json_integer(json, "damaged_packets", from->damaged_packets);
    a1_json_bool(json, "truncated", from->truncated);
    a1_json_integer(json, "samples", from->samples);
    a1_json_close(json, '}');
}

static void put_if_given(a1_json *json, const char *key, double value)
{
    if (value > 0)
        a1_json_decimal(json, key, value, DURATION_DECIMALS);
    else
        a1_json_null(json, key);
}

static void put_musical(a1_json *json, const allin1_provenance *from)
{
    unsigned beats[ALLIN1_MAX_METRES] = {0};
    double weights[ALLIN1_MAX_METRES] = {0};
    for (size_t m = 0; m < from->metre_count; m++) {
        beats[m] = from->metres[m].beats;
        weights[m] = from->metres[m].weight;
    }
    a1_json_open(json, "metrical", '{');
    put_if_given(json, "min_bpm_requested", from->min_bpm_requested);
    put_if_given(json, "max_bpm_requested", from->max_bpm_requested);
    put_if_given(json, "tempo_hint", from->tempo_hint);
    a1_json_decimal(json, "min_bpm", from->min_bpm, DURATION_DECIMALS);
    a1_json_decimal(json, "max_bpm", from->max_bpm, DURATION_DECIMALS);
    a1_json_unsigneds(json, "beats_per_bar", beats, from->metre_count);
    a1_json_decimals(json, "weights", weights, from->metre_count, DURATION_DECIMALS);
    a1_json_decimal(json, "transition_lambda", from->transition_lambda, DURATION_DECIMALS);
    a1_json_close(json, '}');
    a1_json_open(json, "functional", '{');
    put_if_given(json, "unknown_threshold", from->unknown_threshold);
    a1_json_close(json, '}');
}

/* Only where a guard gave up what was asked for. */
static void put_fallback(a1_json *json, const char *reason)
{
    if (reason && *reason)
        a1_json_string(json, "fallback", reason);
}

static void put_provenance(a1_json *json, const allin1_provenance *from,
                           const allin1_arrays *arrays)
{
    a1_json_open(json, "provenance", '{');
    a1_json_string(json, "program", "allin1");
    a1_json_string(json, "version", from->version);
    a1_json_string(json, "key", from->key);
    put_input(json, from);

    a1_json_open(json, "stems", '{');
    a1_json_string(json, "origin", allin1_origin_string(from->stems));
    a1_json_string(json, "mode", from->stems_mode);
    a1_json_string(json, "model", from->demix_model);
    a1_json_unsigned(json, "shifts", from->demix_shifts);
    a1_json_unsigned(json, "seed", from->demix_seed);
    a1_json_string(json, "precision_requested", from->demix_precision_requested);
    a1_json_string(json, "precision", from->demix_precision);
    put_fallback(json, from->demix_fallback);
    put_model_files(json, from->demix_files, from->demix_file_count);
    a1_json_close(json, '}');

    a1_json_open(json, "spectrogram", '{');
    a1_json_string(json, "origin", allin1_origin_string(from->spectrogram));
    a1_json_string(json, "backend_requested",
                   allin1_spec_backend_string(from->spec_backend_requested));
    a1_json_string(json, "backend",
                   from->spec_backend == ALLIN1_SPEC_AUTO
                       ? NULL
                       : allin1_spec_backend_string(from->spec_backend));
    put_fallback(json, from->spec_fallback);
    a1_json_bool(json, "quantised_stems", from->quantised_stems);
    a1_json_close(json, '}');

    a1_json_open(json, "network", '{');
    a1_json_string(json, "model_requested", from->model_requested);
    a1_json_string(json, "model", from->model);
    a1_json_decimal(json, "downbeat_threshold", from->downbeat_threshold, 6);
    a1_json_string(json, "precision", from->precision);
    put_model_files(json, from->model_files, from->model_file_count);
    a1_json_close(json, '}');

    put_musical(json, from);

    a1_json_open(json, "machine", '{');
    a1_json_string(json, "cpu_level_requested", allin1_cpu_level_string(from->cpu_level_requested));
    a1_json_string(json, "cpu_level", allin1_cpu_level_string(from->cpu_level));
    a1_json_unsigned(json, "threads_requested", from->threads_requested);
    a1_json_unsigned(json, "threads", from->threads);
    a1_json_close(json, '}');

    a1_json_open(json, "arrays", '{');
    a1_json_string(json, "activations", arrays ? arrays->activations : NULL);
    a1_json_string(json, "embeddings", arrays ? arrays->embeddings : NULL);
    a1_json_decimal(json, "frames_per_second", A1_ARRAY_RATE, TIME_DECIMALS);
    a1_json_close(json, '}');
    a1_json_close(json, '}');
}

/* The reference's reader takes exactly start, end and label, so the probabilities stand apart. */
static void put_segments(a1_json *json, const allin1_result *result)
{
    a1_json_open(json, "segments", '[');
    for (size_t i = 0; i < result->segment_count; i++) {
        a1_json_open(json, NULL, '{');
        a1_json_decimal(json, "start", result->segments[i].start, TIME_DECIMALS);
        a1_json_decimal(json, "end", result->segments[i].end, TIME_DECIMALS);
        a1_json_string(json, "label", result->segments[i].label);
        a1_json_close(json, '}');
    }
    a1_json_close(json, ']');
}

static void put_probabilities(a1_json *json, const allin1_result *result)
{
    double *values = calloc(result->segment_count ? result->segment_count : 1, sizeof *values);
    if (!values) {
        json->failed = true;
        return;
    }
    for (size_t i = 0; i < result->segment_count; i++)
        values[i] = result->segments[i].probability;
    a1_json_decimals(json, "segment_probabilities", values, result->segment_count, FINE_DECIMALS);
    free(values);
}

static void put_label_probabilities(a1_json *json, const allin1_result *result)
{
    a1_json_open(json, "segment_label_probabilities", '{');
    a1_json_open(json, "labels", '[');
    size_t labels = 0;
    for (; allin1_label(labels); labels++)
        a1_json_string(json, NULL, allin1_label(labels));
    a1_json_close(json, ']');
    a1_json_open(json, "values", '[');
    for (size_t i = 0; i < result->segment_count; i++) {
        const double *values = result->segments[i].probabilities;
        if (values)
            a1_json_decimals(json, NULL, values, labels, FINE_DECIMALS);
        else
            a1_json_null(json, NULL);
    }
    a1_json_close(json, ']');
    a1_json_close(json, '}');
}

static void put_tempo_curve(a1_json *json, const allin1_result *result)
{
    a1_json_open(json, "tempo_curve", '{');
    a1_json_decimals(json, "times", result->tempo_curve_times, result->tempo_curve_count,
                     TIME_DECIMALS);
    a1_json_decimals(json, "bpm", result->tempo_curve, result->tempo_curve_count, FINE_DECIMALS);
    a1_json_close(json, '}');
}

static void put_alternatives(a1_json *json, const allin1_result *result)
{
    a1_json_decimal(json, "tempo_confidence", result->tempo_confidence, FINE_DECIMALS);
    a1_json_open(json, "tempo_alternatives", '[');
    for (size_t i = 0; i < result->tempo_alternative_count; i++) {
        const allin1_tempo_alternative *alternative = &result->tempo_alternatives[i];
        a1_json_open(json, NULL, '{');
        a1_json_decimal(json, "bpm", alternative->bpm, FINE_DECIMALS);
        a1_json_decimal(json, "confidence", alternative->confidence, FINE_DECIMALS);
        a1_json_string(json, "relation", alternative->relation);
        a1_json_close(json, '}');
    }
    a1_json_close(json, ']');
}

/* null when the result came without them. */
static void put_confidences(a1_json *json, const char *key, const double *values, size_t count)
{
    if (values || count == 0)
        a1_json_decimals(json, key, values, count, FINE_DECIMALS);
    else
        a1_json_null(json, key);
}

/* Only where a student heard the song. */
static void put_student(a1_json *json, const allin1_student *student)
{
    if (!student)
        return;
    a1_json_open(json, "student", '{');
    a1_json_string(json, "model", student->model);
    a1_json_string(json, "digest", student->digest);
    a1_json_decimal(json, "confidence", student->confidence, STUDENT_DECIMALS);
    a1_json_open(json, "evidence", '{');
    for (size_t i = 0; i < ALLIN1_EVIDENCE; i++)
        a1_json_decimal(json, allin1_evidence_name(i), student->evidence[i], STUDENT_DECIMALS);
    a1_json_close(json, '}');
    a1_json_decimal(json, "gain_db", student->gain_db, GAIN_DECIMALS);
    put_if_given(json, "refine", student->refine);
    a1_json_bool(json, "refined", student->refined);
    a1_json_close(json, '}');
}

char *a1_result_json(const allin1_result *result, const allin1_arrays *arrays)
{
    a1_json json;
    a1_json_begin(&json, true);
    a1_json_open(&json, NULL, '{');
    a1_json_string(&json, "path", result->path);
    if (result->bpm > 0)
        a1_json_integer(&json, "bpm", result->bpm);
    else
        a1_json_null(&json, "bpm");
    a1_json_decimals(&json, "beats", result->beats, result->beat_count, TIME_DECIMALS);
    a1_json_decimals(&json, "downbeats", result->downbeats, result->downbeat_count, TIME_DECIMALS);
    a1_json_unsigneds(&json, "beat_positions", result->beat_positions, result->beat_count);
    put_segments(&json, result);

    a1_json_decimal(&json, "tempo", result->tempo, FINE_DECIMALS);
    a1_json_decimal(&json, "duration", result->duration, DURATION_DECIMALS);
    if (result->beats_per_bar > 0)
        a1_json_unsigned(&json, "beats_per_bar", result->beats_per_bar);
    else
        a1_json_null(&json, "beats_per_bar");
    put_probabilities(&json, result);
    put_label_probabilities(&json, result);
    put_tempo_curve(&json, result);
    put_alternatives(&json, result);
    put_confidences(&json, "beat_confidences", result->beat_confidences, result->beat_count);
    put_confidences(&json, "downbeat_confidences", result->downbeat_confidences,
                    result->downbeat_count);
    put_student(&json, result->student);
    put_provenance(&json, &result->provenance, arrays);
    a1_json_close(&json, '}');
    return a1_json_take(&json);
}

char *allin1_result_json(const allin1_result *result, const allin1_arrays *arrays)
{
    return a1_result_json(result, arrays);
}
