/* Stems and spectrograms that are kept, and used again. */
#include "analysis.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "output/key_file.h"
#include "output/numpy.h"
#include "output/output_file.h"
#include "weights/file_map.h"
#include "weights/npz.h"

static const char *const stem_names[A1_STEMS] = {"bass", "drums", "other", "vocals"};

allin1_status a1_stems_create(a1_stems *stems, size_t samples, a1_error *err)
{
    *stems = (a1_stems){.samples = samples};
    if (samples > SIZE_MAX / (2 * A1_STEMS * sizeof(float)))
        return a1_fail_memory(err, "the stems");
    float *block = a1_aligned_alloc(2 * A1_STEMS * samples * sizeof *block);
    if (!block)
        return a1_fail_memory(err, "the stems");
    for (size_t i = 0; i < 2 * A1_STEMS; i++)
        stems->channel[i / 2][i % 2] = block + i * samples;
    return ALLIN1_OK;
}

void a1_stems_free(a1_stems *stems)
{
    a1_aligned_free(stems->channel[0][0]);
    *stems = (a1_stems){0};
}

/* Paths ------------------------------------------------------------------------------------------ */

#define PATH_ROOM 4096

typedef struct stem_paths {
    char key[PATH_ROOM];
    char stem[A1_STEMS][PATH_ROOM];
    const char *list[A1_STEMS];
} stem_paths;

static allin1_status find_stem_paths(const char *folder, stem_paths **out, a1_error *err)
{
    *out = NULL;
    if (strlen(folder) > PATH_ROOM - 32)
        return a1_fail(err, ALLIN1_ERROR_ARGUMENT, "%.64s...: the path is too long", folder);
    stem_paths *paths = malloc(sizeof *paths);
    if (!paths)
        return a1_fail_memory(err, "the stems");
    snprintf(paths->key, PATH_ROOM, "%s/allin1.key", folder);
    for (size_t i = 0; i < A1_STEMS; i++) {
        snprintf(paths->stem[i], PATH_ROOM, "%s/%s.wav", folder, stem_names[i]);
        paths->list[i] = paths->stem[i];
    }
    *out = paths;
    return ALLIN1_OK;
}

static allin1_status spectrogram_key_path(const char *file, char path[PATH_ROOM], a1_error *err)
{
    if (snprintf(path, PATH_ROOM, "%s.key", file) >= PATH_ROOM)
        return a1_fail(err, ALLIN1_ERROR_ARGUMENT, "%.64s...: the path is too long", file);
    return ALLIN1_OK;
}

static bool fits(const a1_analysis *analysis, const char *what, const char *place,
                 const char *key_path, const char *key, const char *const *files, size_t count)
{
    char reason[256];
    if (a1_key_file_fits(key_path, key, files, count, reason)) {
        a1_log(analysis->context, ALLIN1_LOG_INFO, "%s: used again from %s",
               what, place);
        return true;
    }
    if (reason[0])
        a1_log(analysis->context, ALLIN1_LOG_INFO, "%s: %s is not used: %s", what, place, reason);
    return false;
}

/* Stems ------------------------------------------------------------------------------------------ */

static allin1_status read_stem(const char *path, float *const channel[2], size_t samples,
                               a1_error *err)
{
    a1_audio audio = {0};
    A1_TRY(a1_audio_decode(path, NULL, &audio, err));
    allin1_status status = ALLIN1_OK;
    if (audio.samples != samples)
        status = a1_fail(err, ALLIN1_ERROR_FORMAT, "%s: has %zu samples, the song %zu", path,
                         audio.samples, samples);
    for (int c = 0; status == ALLIN1_OK && c < 2; c++)
        memcpy(channel[c], audio.channel[c], samples * sizeof(float));
    a1_audio_free(&audio);
    return status;
}

allin1_status a1_read_stems(a1_analysis *analysis, bool *found, a1_error *err)
{
    const allin1_request *request = &analysis->request;
    *found = false;
    if (!request->demix_dir || request->recompute_demix)
        return ALLIN1_OK;
    stem_paths *paths;
    A1_TRY(find_stem_paths(request->demix_dir, &paths, err));
    if (access(paths->key, F_OK) != 0) {
        free(paths);
        return ALLIN1_OK;
    }
    const unsigned depth = analysis->context->recorder.depth;
    allin1_span *span = a1_span_begin(&analysis->context->recorder, ALLIN1_STAGE_STEMS_LOAD);
    allin1_status status = ALLIN1_OK;
    if (fits(analysis, "stems", request->demix_dir, paths->key, analysis->keys.stems, paths->list,
             A1_STEMS)) {
        A1_CHECK(a1_stems_create(&analysis->stems, analysis->samples, err));
        for (size_t i = 0; i < A1_STEMS; i++)
            A1_CHECK(read_stem(paths->stem[i], analysis->stems.channel[i],
                               analysis->stems.samples, err));
        *found = true;
    }
    span->count = A1_STEMS;
    span->mode = *found ? "byproduct" : "rejected";
    a1_span_end(&analysis->context->recorder);

done:
    a1_spans_unwind(&analysis->context->recorder, depth);
    free(paths);
    return status;
}

allin1_status a1_check_stems(const a1_analysis *analysis, bool *found, a1_error *err)
{
    char reason[256];
    stem_paths *paths;
    A1_TRY(find_stem_paths(analysis->request.demix_dir, &paths, err));
    *found = a1_key_file_fits(paths->key, analysis->keys.stems, paths->list, A1_STEMS, reason);
    free(paths);
    return ALLIN1_OK;
}

allin1_status a1_write_stems(a1_analysis *analysis, a1_error *err)
{
    const a1_stems *stems = &analysis->stems;
    const char *folder = analysis->request.demix_dir;
    stem_paths *paths;
    A1_TRY(find_stem_paths(folder, &paths, err));
    const unsigned depth = analysis->context->recorder.depth;
    allin1_span *span = a1_span_begin(&analysis->context->recorder, ALLIN1_STAGE_STEMS_SAVE);
    span->count = A1_STEMS;
    allin1_status status;
    A1_CHECK(a1_output_make_folders(folder, err));
    unlink(paths->key); /* the old key must not stand beside new stems, even for a moment */
    for (size_t i = 0; i < A1_STEMS; i++)
        A1_CHECK(a1_audio_write_wav(paths->stem[i], (const float *const *)stems->channel[i],
                                    stems->samples, err));
    A1_CHECK(a1_key_file_write(paths->key, analysis->keys.stems, paths->list, A1_STEMS, err));
    a1_span_end(&analysis->context->recorder);

done:
    a1_spans_unwind(&analysis->context->recorder, depth);
    free(paths);
    return status;
}

/* Spectrogram ------------------------------------------------------------------------------------ */

static allin1_status load_array(a1_analysis *analysis, const char *path, a1_error *err)
{
    const size_t frames = a1_spectrogram_frames(analysis->samples);
    const size_t shape[3] = {A1_STEMS, frames, A1_SPEC_BANDS};
    a1_file_map map = {0};
    a1_tensor_set *set = NULL;
    const a1_tensor *tensor;
    float *values = NULL;
    allin1_status status;
    A1_CHECK(a1_file_map_open(&map, path, err));
    A1_CHECK(a1_tensor_set_create(&set, err));
    A1_CHECK(a1_npy_parse(map.data, map.size, path, "spectrogram", set, err));
    A1_CHECK(a1_tensor_set_require(set, "spectrogram", 3, shape, &tensor, err));
    values = a1_aligned_alloc(a1_tensor_count(tensor) * sizeof *values);
    if (!values) {
        status = a1_fail_memory(err, "a spectrogram");
        goto done;
    }
    A1_CHECK(a1_tensor_to_f32(tensor, values, err));
    analysis->spectrogram = values;
    analysis->frames = frames;
    values = NULL;

done:
    a1_aligned_free(values);
    a1_tensor_set_destroy(&set);
    a1_file_map_close(&map);
    return status;
}

allin1_status a1_read_spectrogram(a1_analysis *analysis, bool *found, a1_error *err)
{
    const allin1_request *request = &analysis->request;
    *found = false;
    if (!request->spec_file || request->recompute_demix || request->recompute_spec)
        return ALLIN1_OK;
    char key_path[PATH_ROOM];
    A1_TRY(spectrogram_key_path(request->spec_file, key_path, err));
    if (access(key_path, F_OK) != 0)
        return ALLIN1_OK;
    const unsigned depth = analysis->context->recorder.depth;
    allin1_span *span = a1_span_begin(&analysis->context->recorder, ALLIN1_STAGE_SPEC_LOAD);
    allin1_status status = ALLIN1_OK;
    if (fits(analysis, "spectrogram", request->spec_file, key_path, analysis->keys.spectrogram,
             &request->spec_file, 1)) {
        A1_CHECK(load_array(analysis, request->spec_file, err));
        *found = true;
    }
    span->mode = *found ? "byproduct" : "rejected";
    a1_span_end(&analysis->context->recorder);

done:
    a1_spans_unwind(&analysis->context->recorder, depth);
    return status;
}

allin1_status a1_write_spectrogram(a1_analysis *analysis, a1_error *err)
{
    const char *file = analysis->request.spec_file;
    char key_path[PATH_ROOM];
    A1_TRY(spectrogram_key_path(file, key_path, err));
    const a1_npy array = {.rank = 3,
                          .shape = {A1_STEMS, analysis->frames, A1_SPEC_BANDS},
                          .values = analysis->spectrogram};
    const unsigned depth = analysis->context->recorder.depth;
    a1_span_begin(&analysis->context->recorder, ALLIN1_STAGE_SPEC_SAVE);
    allin1_status status;
    unlink(key_path);
    A1_CHECK(a1_npy_write(file, &array, err));
    A1_CHECK(a1_key_file_write(key_path, analysis->keys.spectrogram, &file, 1, err));
    a1_span_end(&analysis->context->recorder);

done:
    a1_spans_unwind(&analysis->context->recorder, depth);
    return status;
}
