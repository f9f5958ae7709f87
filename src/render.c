/* Results to see and to hear: what all ways share. */
#include "render.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "context.h"
#include "output/result.h"
#include "plot/label_style.h"
#include "plot/waveform.h"

uint32_t allin1_label_colour(const char *label)
{
    return a1_label_colour(label ? label : "");
}

int a1_render_suffix(const char *path, const char *const *names, int count)
{
    const char *dot = strrchr(path, '.');
    for (int i = 0; dot && i < count; i++)
        if (strcasecmp(dot + 1, names[i]) == 0)
            return i;
    return -1;
}

static allin1_status make(a1_rendering *r, const char *stage, const char *mode, a1_render_fn fn,
                          const void *settings, a1_error *err)
{
    if (!r->context)
        return fn(r, settings, err);
    a1_recorder *recorder = &r->context->recorder;
    const unsigned depth = recorder->depth;
    recorder->track = r->result ? r->result->path : NULL;
    recorder->audio_seconds = r->result ? r->result->duration : 0;
    a1_span_begin(recorder, stage)->mode = mode;
    const allin1_status status = fn(r, settings, err);
    if (status == ALLIN1_OK)
        a1_span_end(recorder);
    a1_spans_unwind(recorder, depth);
    recorder->track = NULL;
    recorder->audio_seconds = 0;
    return status;
}

allin1_status a1_render(a1_rendering *r, const char *stage, const char *mode, int only_when_needed,
                        a1_hash *hash, a1_render_fn fn, const void *settings, a1_error *err)
{
    bool current = false;
    A1_TRY(a1_mark_end(&hash, r->mark, err));
    if (only_when_needed)
        A1_TRY(a1_mark_check(r->path, r->mark, &current, err));
    if (current)
        return ALLIN1_OK;
    A1_TRY(make(r, stage, mode, fn, settings, err));
    r->rendered->made = 1;
    return ALLIN1_OK;
}

allin1_status a1_render_result(allin1_context *context, const allin1_result *result, const char *path,
                               a1_render_fn save, const void *settings, allin1_rendered *rendered,
                               allin1_error *error)
{
    allin1_rendered scratch;
    a1_error err = {0};
    a1_rendering r = {context, result, path, "", rendered ? rendered : &scratch};
    *r.rendered = (allin1_rendered){.gain = 1};
    const allin1_status status =
        result && path ? save(&r, settings, &err)
                       : a1_fail(&err, ALLIN1_ERROR_ARGUMENT, "no result or no path was given");
    return a1_public_error(error, &err, status);
}

allin1_status a1_render_check_song(const allin1_result *result, a1_error *err)
{
    const char *expected = result->provenance.input_sha256;
    if (*expected) {
        char found[A1_SHA256_HEX];
        A1_TRY(a1_file_sha256(result->path, found, err));
        if (strcmp(found, expected) != 0)
            return a1_fail(err, ALLIN1_ERROR_ARGUMENT,
                           "%s: is not the file that the result was made from", result->path);
    }
    return ALLIN1_OK;
}

allin1_status a1_render_decode(const allin1_result *result, bool native, a1_audio *audio,
                               a1_error *err)
{
    A1_TRY(a1_render_check_song(result, err));
    return native ? a1_audio_decode_native(result->path, audio, err)
                  : a1_audio_decode(result->path, NULL, audio, err);
}

allin1_status a1_render_waveform(const allin1_result *result, allin1_waveform *waveform,
                                 float **values, a1_error *err)
{
    *values = NULL;
    if (result->waveform) {
        *waveform = *result->waveform;
        return ALLIN1_OK;
    }
    a1_audio audio;
    A1_TRY(a1_render_decode(result, false, &audio, err));
    const size_t bins = a1_waveform_bins(audio.samples, A1_SAMPLE_RATE);
    float *parts = malloc((3 * bins + 1) * sizeof *parts);
    if (parts)
        a1_waveform_measure((const float *const *)audio.channel, audio.samples, A1_SAMPLE_RATE,
                            parts, parts + bins, parts + 2 * bins);
    a1_audio_free(&audio);
    if (!parts)
        return a1_fail_memory(err, "a waveform");
    *values = parts;
    *waveform = (allin1_waveform){.bins_per_second = A1_WAVEFORM_BINS_PER_SECOND,
                                  .bins = bins,
                                  .low = parts,
                                  .high = parts + bins,
                                  .rms = parts + 2 * bins};
    return ALLIN1_OK;
}
