/* What a student makes of spectrograms that are kept: the stages of the program after the spectrogram, for songs whose
 * sound is not kept (tools/train/figures.py).
 *
 *   hear_spectrogram [--beats] MODEL OUT_DIR SPECTROGRAM.npy...
 *
 * MODEL: student, or a .a1w file. SPECTROGRAM: [frames][81] as mix_spectrogram writes it, float16 or float32. Writes
 * OUT_DIR/NAME.json with the keys of a result that compare.py and calibrate.py read; with --beats, quicker, only beats
 * and downbeats. A file that cannot be read is named
 * on standard error and left out. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <allin1/allin1.h>

#include "analysis.h"
#include "evidence.h"
#include "output/json_text.h"
#include "tempo/tempo.h"
#include "weights/file_map.h"
#include "weights/npz.h"

#define FPS 100.0

typedef struct heard {
    bool beats_only;
    float *logits, *activations;
    size_t frames;
    a1_beats beats;
    a1_confidences confidences;
    a1_segments segments;
    double evidence[ALLIN1_EVIDENCE];
} heard;

static void free_heard(heard *h)
{
    free(h->logits);
    free(h->activations);
    a1_beats_free(&h->beats);
    a1_confidences_free(&h->confidences);
    a1_segments_free(&h->segments);
}

static allin1_status read_spectrogram(const char *path, float **values, size_t *frames, a1_error *err)
{
    a1_file_map map = {0};
    a1_tensor_set *set = NULL;
    *values = NULL;
    allin1_status status;
    A1_CHECK(a1_tensor_set_create(&set, err));
    A1_CHECK(a1_file_map_open(&map, path, err));
    A1_CHECK(a1_npy_parse(map.data, map.size, path, "spectrogram", set, err));
    const a1_tensor *tensor = a1_tensor_set_find(set, "spectrogram");
    if (tensor->rank != 2 || tensor->shape[0] == 0 || tensor->shape[1] != A1_STUDENT_BANDS) {
        status = a1_fail(err, ALLIN1_ERROR_FORMAT, "%s: is not [frames][%d]", path, A1_STUDENT_BANDS);
        goto done;
    }
    *frames = tensor->shape[0];
    *values = malloc(a1_tensor_count(tensor) * sizeof **values);
    status = *values ? a1_tensor_to_f32(tensor, *values, err) : a1_fail_memory(err, "a spectrogram");

done:
    a1_tensor_set_destroy(&set);
    a1_file_map_close(&map);
    return status;
}

static allin1_status hear(allin1_context *context, const float *spectrogram, heard *h, a1_error *err)
{
    const a1_listener *listener = &context->first;
    const size_t n = h->frames;
    h->logits = malloc((3 + A1_STUDENT_LABELS) * n * sizeof *h->logits);
    h->activations = malloc(2 * n * sizeof *h->activations);
    if (!h->logits || !h->activations)
        return a1_fail_memory(err, "the activations");
    const a1_student_output out = {h->logits, h->logits + n, h->logits + 2 * n, h->logits + 3 * n};
    A1_TRY(a1_student_run(listener->student, context->pool, spectrogram, n, &out, NULL, err));
    a1_metrical_activations(out.beat, out.downbeat, n, h->activations);
    A1_TRY(a1_metrical_decode(listener->metrical, context->pool, h->activations, n, &h->beats, err));
    if (h->beats_only)
        return ALLIN1_OK;
    A1_TRY(a1_metrical_confidences(listener->metrical, context->pool, h->activations, &h->beats,
                                   a1_tempo_precise(h->beats.times, h->beats.count),
                                   &h->confidences, err));
    a1_evidence_measure(out.beat, out.downbeat, n, FPS, &h->beats, &h->confidences, h->evidence);
    return a1_functional_segments(out.section, out.function, n, &h->segments, err);
}

static char *document(const a1_listener *listener, const heard *h)
{
    a1_json json;
    a1_json_begin(&json, true);
    a1_json_open(&json, NULL, '{');
    a1_json_decimals(&json, "beats", h->beats.times, h->beats.count, 2);
    a1_json_open(&json, "downbeats", '[');
    for (size_t i = 0; i < h->beats.count; i++)
        if (h->beats.positions[i] == 1)
            a1_json_decimal(&json, NULL, h->beats.times[i], 2);
    a1_json_close(&json, ']');
    if (h->beats_only) {
        a1_json_close(&json, '}');
        return a1_json_take(&json);
    }
    a1_json_open(&json, "segments", '[');
    for (size_t i = 0; i < h->segments.count; i++) {
        a1_json_open(&json, NULL, '{');
        a1_json_decimal(&json, "start", h->segments.items[i].start, 2);
        a1_json_decimal(&json, "end", h->segments.items[i].end, 2);
        a1_json_string(&json, "label", allin1_label(h->segments.items[i].label));
        a1_json_close(&json, '}');
    }
    a1_json_close(&json, ']');
    a1_json_decimal(&json, "duration", (double)h->frames / FPS, 2);
    a1_json_open(&json, "student", '{');
    a1_json_string(&json, "digest", listener->files.infos[0].digest);
    a1_json_decimal(&json, "confidence", a1_calibration_apply(&listener->calibration, h->evidence), 4);
    a1_json_open(&json, "evidence", '{');
    for (size_t i = 0; i < ALLIN1_EVIDENCE; i++)
        a1_json_decimal(&json, allin1_evidence_name(i), h->evidence[i], 4);
    a1_json_close(&json, '}');
    a1_json_close(&json, '}');
    a1_json_close(&json, '}');
    return a1_json_take(&json);
}

static allin1_status write_heard(const a1_listener *listener, const heard *h, const char *in,
                                 const char *folder, a1_error *err)
{
    char path[4096];
    const char *slash = strrchr(in, '/'), *name = slash ? slash + 1 : in;
    const int length = (int)(strcspn(name, ".") < 255 ? strcspn(name, ".") : 255);
    snprintf(path, sizeof path, "%s/%.*s.json", folder, length, name);
    char *text = document(listener, h);
    FILE *file = text ? fopen(path, "w") : NULL;
    bool good = file && fputs(text, file) >= 0 && fputc('\n', file) != EOF;
    good = (!file || fclose(file) == 0) && good;
    free(text);
    return good ? ALLIN1_OK : a1_fail(err, ALLIN1_ERROR_IO, "%s: cannot be written", path);
}

static allin1_status hear_file(allin1_context *context, bool beats_only, const char *in,
                               const char *folder, a1_error *err)
{
    heard h = {.beats_only = beats_only};
    float *spectrogram = NULL;
    allin1_status status = read_spectrogram(in, &spectrogram, &h.frames, err);
    if (status == ALLIN1_OK)
        status = hear(context, spectrogram, &h, err);
    if (status == ALLIN1_OK)
        status = write_heard(&context->first, &h, in, folder, err);
    free(spectrogram);
    free_heard(&h);
    return status;
}

int main(int argc, char **argv)
{
    const bool beats_only = argc > 1 && strcmp(argv[1], "--beats") == 0;
    argc -= beats_only;
    argv += beats_only;
    if (argc < 4) {
        fprintf(stderr, "usage: hear_spectrogram [--beats] MODEL OUT_DIR SPECTROGRAM.npy...\n");
        return 2;
    }
    allin1_settings settings;
    allin1_settings_default(&settings);
    settings.model = argv[1];
    allin1_context *context = NULL;
    allin1_error error;
    a1_error err = {0};
    if (allin1_open(&context, &settings, &error) != ALLIN1_OK) {
        fprintf(stderr, "hear_spectrogram: %s\n", error.message);
        return 1;
    }
    int failed = 0;
    if (a1_context_build_network(context, &context->first, &err) != ALLIN1_OK) {
        fprintf(stderr, "hear_spectrogram: %s\n", err.message);
        failed = 1;
    } else if (!context->first.hears_mix) {
        fprintf(stderr, "hear_spectrogram: %s is no student\n", argv[1]);
        failed = 1;
    }
    for (int i = 3; i < argc && context->first.student; i++) {
        if (hear_file(context, beats_only, argv[i], argv[2], &err) != ALLIN1_OK) {
            fprintf(stderr, "hear_spectrogram: %s\n", err.message);
            failed = 1;
        }
    }
    allin1_close(&context);
    return failed;
}
