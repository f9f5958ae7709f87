/* allin1_save_sonification. */
#include <stdlib.h>
#include <string.h>

#include "audio/encode.h"
#include "output/output_file.h"
#include "render.h"
#include "sonify/sonify.h"

void allin1_sonification_settings_default(allin1_sonification_settings *settings)
{
    *settings = (allin1_sonification_settings){.format = ALLIN1_SOUND_BY_SUFFIX};
}

/* The labels "start" and "end" stand for the silence around a song. */
static bool is_boundary(const allin1_segment *segment)
{
    return strcmp(segment->label, "start") != 0 && strcmp(segment->label, "end") != 0;
}

static allin1_status mix(const allin1_result *result, a1_audio *audio, double *gain, a1_error *err)
{
    double *boundaries = malloc((result->segment_count + 1) * sizeof *boundaries);
    size_t count = 0;
    if (!boundaries)
        return a1_fail_memory(err, "a sonification");
    for (size_t i = 0; i < result->segment_count; i++)
        if (is_boundary(&result->segments[i]))
            boundaries[count++] = result->segments[i].start;
    const a1_sonify_score score = {.beats = result->beats,
                                   .beat_count = result->beat_count,
                                   .downbeats = result->downbeats,
                                   .downbeat_count = result->downbeat_count,
                                   .boundaries = boundaries,
                                   .boundary_count = count};
    *gain = (double)a1_sonify(audio->channel, audio->samples, audio->source.sample_rate, &score);
    free(boundaries);
    return ALLIN1_OK;
}

static allin1_status write_sound(a1_rendering *r, const a1_audio *audio, a1_sound_format format,
                                 a1_error *err)
{
    const a1_encoding how = {.format = format,
                             .bits = audio->source.bits_per_sample > 16 ? 24 : 16,
                             .comment = r->mark};
    a1_encoded encoded;
    a1_output_file file;
    A1_TRY(a1_output_open(&file, r->path, err));
    allin1_status status =
        a1_audio_encode((const float *const *)audio->channel, audio->samples,
                        audio->source.sample_rate, &how, r->path, file.descriptor, &encoded, err);
    if (status != ALLIN1_OK) {
        a1_output_abort(&file);
        return status;
    }
    r->rendered->sample_rate = encoded.sample_rate;
    memcpy(r->rendered->encoder, encoded.encoder, sizeof r->rendered->encoder);
    a1_encoded_free(&encoded);
    return a1_output_commit(&file, err);
}

static allin1_status make_sonification(a1_rendering *r, const void *settings, a1_error *err)
{
    a1_audio audio;
    A1_TRY(a1_render_decode(r->result, true, &audio, err));
    allin1_status status = mix(r->result, &audio, &r->rendered->gain, err);
    if (status == ALLIN1_OK)
        status = write_sound(r, &audio, *(const a1_sound_format *)settings, err);
    a1_audio_free(&audio);
    return status;
}

static allin1_status save_sonification(a1_rendering *r, const void *given, a1_error *err)
{
    static const char *const suffixes[] = {"wav", "flac", "mp3", "opus"};
    static const a1_sound_format formats[] = {A1_SOUND_WAV, A1_SOUND_FLAC, A1_SOUND_MP3,
                                              A1_SOUND_OPUS};
    const allin1_sonification_settings settings =
        given ? *(const allin1_sonification_settings *)given : (allin1_sonification_settings){0};
    const int index = settings.format == ALLIN1_SOUND_BY_SUFFIX
                          ? a1_render_suffix(r->path, suffixes, 4)
                          : (int)settings.format - ALLIN1_SOUND_WAV;
    if (index < 0 || index > 3)
        return a1_fail(err, ALLIN1_ERROR_ARGUMENT, "%s: a sound ends in .wav, .flac, .mp3 or .opus",
                       r->path);
    a1_hash *hash;
    A1_TRY(a1_mark_begin(&hash, r->result, err));
    a1_hash_format(hash, "sonification %s\n", suffixes[index]);
    return a1_render(r, ALLIN1_STAGE_SONIFY, suffixes[index], settings.only_when_needed, hash,
                     make_sonification, &formats[index], err);
}

allin1_status allin1_save_sonification(allin1_context *context, const allin1_result *result,
                                       const allin1_sonification_settings *settings,
                                       const char *path, allin1_rendered *rendered,
                                       allin1_error *error)
{
    return a1_render_result(context, result, path, save_sonification, settings, rendered, error);
}
