/* allin1_save_page and the index of pages. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audio/encode.h"
#include "context.h"
#include "output/output_file.h"
#include "output/result.h"
#include "page/page.h"
#include "plot/figure.h"
#include "render.h"

const char *allin1_page_audio_string(allin1_page_audio audio)
{
    static const char *const names[] = {"auto", "opus", "original", "link", "none"};
    return (unsigned)audio < sizeof names / sizeof *names ? names[audio] : "unknown";
}

void allin1_page_settings_default(allin1_page_settings *settings)
{
    *settings = (allin1_page_settings){.bit_rate = 96000};
}

/* The sound --------------------------------------------------------------------------------------- */

/* What a page needs of its sound; bytes are freed with free_sound. */
typedef struct page_sound {
    a1_encoded encoded;
    const char *type; /* of what is embedded */
    a1_html link;
} page_sound;

static void free_sound(page_sound *sound)
{
    a1_encoded_free(&sound->encoded);
    a1_html_free(&sound->link);
}

static allin1_status encode_opus(const a1_rendering *r, int bit_rate, page_sound *sound,
                                 a1_error *err)
{
    const a1_encoding how = {.format = A1_SOUND_OPUS, .bits = 16, .bit_rate = bit_rate};
    a1_audio audio;
    A1_TRY(a1_render_decode(r->result, true, &audio, err));
    const allin1_status status =
        a1_audio_encode((const float *const *)audio.channel, audio.samples,
                        audio.source.sample_rate, &how, r->path, -1, &sound->encoded, err);
    a1_audio_free(&audio);
    sound->type = "audio/ogg";
    return status;
}

static allin1_status read_original(const a1_rendering *r, page_sound *sound, a1_error *err)
{
    static const char *const suffixes[] = {"mp3",  "wav", "flac", "ogg", "oga",
                                           "opus", "m4a", "mp4",  "aac", "webm"};
    static const char *const types[] = {"audio/mpeg", "audio/wav", "audio/flac", "audio/ogg",
                                        "audio/ogg",  "audio/ogg", "audio/mp4",  "audio/mp4",
                                        "audio/aac",  "audio/webm"};
    const char *path = r->result->path;
    const int index = a1_render_suffix(path, suffixes, sizeof suffixes / sizeof *suffixes);
    if (index < 0)
        return a1_fail(err, ALLIN1_ERROR_UNSUPPORTED,
                       "%s: browsers do not play this format; let the sound be encoded as Opus",
                       path);
    sound->type = types[index];
    A1_TRY(a1_render_check_song(r->result, err));
    FILE *file = fopen(path, "rb");
    if (!file)
        return a1_fail(err, ALLIN1_ERROR_IO, "%s: %s", path, strerror(errno));
    a1_html bytes = {0};
    char part[65536];
    size_t got;
    while ((got = fread(part, 1, sizeof part, file)) > 0)
        a1_html_put_bytes(&bytes, part, got);
    const bool broken = ferror(file) != 0;
    fclose(file);
    sound->encoded.bytes = (uint8_t *)bytes.bytes;
    sound->encoded.size = bytes.used;
    if (bytes.failed)
        return a1_fail_memory(err, "a page's sound");
    return broken ? a1_fail(err, ALLIN1_ERROR_IO, "%s: cannot be read", path) : ALLIN1_OK;
}

/* The address from the page's folder, which is made first so that it can be resolved. */
static allin1_status make_link(const a1_rendering *r, page_sound *sound, a1_error *err)
{
    const char *slash = strrchr(r->path, '/');
    char *folder = slash ? strndup(r->path, (size_t)(slash - r->path) + 1) : strdup(".");
    allin1_status status = folder ? a1_output_make_folders(folder, err) : ALLIN1_OK;
    char *from = folder && status == ALLIN1_OK ? realpath(folder, NULL) : NULL;
    if (from)
        a1_put_relative_link(&sound->link, from, r->result->path);
    if (status == ALLIN1_OK && (!folder || sound->link.failed))
        status = a1_fail_memory(err, "a page");
    else if (status == ALLIN1_OK && !from)
        status = a1_fail(err, ALLIN1_ERROR_IO, "%s: %s", folder, strerror(errno));
    free(from);
    free(folder);
    return status;
}

static allin1_status get_sound(a1_rendering *r, const allin1_page_settings *settings,
                               page_sound *sound, a1_error *err)
{
    allin1_status status = ALLIN1_OK;
    if (settings->audio == ALLIN1_PAGE_AUDIO_OPUS)
        status = encode_opus(r, settings->bit_rate, sound, err);
    else if (settings->audio == ALLIN1_PAGE_AUDIO_ORIGINAL)
        status = read_original(r, sound, err);
    else if (settings->audio == ALLIN1_PAGE_AUDIO_LINK)
        status = make_link(r, sound, err);
    r->rendered->sample_rate = sound->encoded.sample_rate;
    snprintf(r->rendered->encoder, sizeof r->rendered->encoder, "%s",
             *sound->encoded.encoder ? sound->encoded.encoder
                                     : allin1_page_audio_string(settings->audio));
    return status;
}

/* The page ---------------------------------------------------------------------------------------- */

static allin1_status write_page(a1_rendering *r, const page_sound *sound,
                                const allin1_waveform *waveform, a1_error *err)
{
    a1_html text;
    char *name = a1_song_name(r->result->path);
    if (!name)
        return a1_fail_memory(err, "a page");
    const a1_page page = {.result = r->result,
                          .waveform = waveform,
                          .name = name,
                          .sound = sound->encoded.bytes,
                          .sound_size = sound->encoded.size,
                          .sound_type = sound->type,
                          .sound_link = sound->link.bytes,
                          .mark = r->mark};
    allin1_status status = a1_page_write(&page, &text, err);
    if (status == ALLIN1_OK)
        status = a1_output_whole(r->path, text.bytes, text.used, err);
    a1_html_free(&text);
    free(name);
    return status;
}

static allin1_status make_page(a1_rendering *r, const void *settings, a1_error *err)
{
    page_sound sound = {0};
    allin1_waveform waveform;
    float *values = NULL;
    allin1_status status = get_sound(r, settings, &sound, err);
    if (status == ALLIN1_OK)
        status = a1_render_waveform(r->result, &waveform, &values, err);
    if (status == ALLIN1_OK)
        status = write_page(r, &sound, &waveform, err);
    free(values);
    free_sound(&sound);
    return status;
}

static allin1_status begin_mark(const a1_rendering *r, const allin1_page_settings *settings,
                                bool activations, a1_hash **hash, a1_error *err)
{
    A1_TRY(a1_mark_begin(hash, r->result, err));
    a1_hash_format(*hash, "page %s %d %d\n", allin1_page_audio_string(settings->audio),
                   settings->audio == ALLIN1_PAGE_AUDIO_OPUS ? settings->bit_rate : 0, activations);
    for (size_t i = 0; i < r->result->segment_count; i++)
        a1_hash_format(*hash, "%.3f\n", r->result->segments[i].probability);
    return ALLIN1_OK;
}

/* Whether the page that is there shows activations, which this result lacks, and fits otherwise. */
static allin1_status check_richer(a1_rendering *r, const allin1_page_settings *settings,
                                  bool *current, a1_error *err)
{
    a1_hash *hash;
    A1_TRY(begin_mark(r, settings, true, &hash, err));
    A1_TRY(a1_mark_end(&hash, r->mark, err));
    return a1_mark_check(r->path, r->mark, current, err);
}

static allin1_status save_page(a1_rendering *r, const void *given, a1_error *err)
{
    allin1_page_settings settings;
    allin1_page_settings_default(&settings);
    if (given)
        settings = *(const allin1_page_settings *)given;
    if (settings.bit_rate < 16000 || settings.bit_rate > 320000)
        return a1_fail(err, ALLIN1_ERROR_ARGUMENT,
                       "%s: a page's sound has 16,000 to 320,000 bits a second", r->path);
    if ((unsigned)settings.audio > ALLIN1_PAGE_AUDIO_NONE)
        return a1_fail(err, ALLIN1_ERROR_ARGUMENT, "%s: there is no sound %d for a page", r->path,
                       (int)settings.audio);
    if (settings.audio == ALLIN1_PAGE_AUDIO_AUTO)
        settings.audio = a1_audio_can_encode(A1_SOUND_OPUS) ? ALLIN1_PAGE_AUDIO_OPUS
                                                            : ALLIN1_PAGE_AUDIO_ORIGINAL;
    bool current = false;
    a1_hash *hash;
    if (settings.only_when_needed && !r->result->activations)
        A1_TRY(check_richer(r, &settings, &current, err));
    if (current)
        return ALLIN1_OK;
    A1_TRY(begin_mark(r, &settings, r->result->activations != NULL, &hash, err));
    return a1_render(r, ALLIN1_STAGE_VISUALIZE, "page", settings.only_when_needed, hash, make_page,
                     &settings, err);
}

allin1_status allin1_save_page(allin1_context *context, const allin1_result *result,
                               const allin1_page_settings *settings, const char *path,
                               allin1_rendered *rendered, allin1_error *error)
{
    return a1_render_result(context, result, path, save_page, settings, rendered, error);
}

/* The index --------------------------------------------------------------------------------------- */

struct allin1_index {
    a1_html rows;
    size_t songs;
};

allin1_status allin1_index_create(allin1_index **index, allin1_error *error)
{
    a1_error err = {0};
    allin1_status status = ALLIN1_ERROR_ARGUMENT;
    if (!index)
        return a1_public_error(error, &err, a1_fail(&err, status, "no place for the index"));
    *index = calloc(1, sizeof **index);
    status = *index ? ALLIN1_OK : a1_fail_memory(&err, "an index");
    if (*index)
        a1_html_put(&(*index)->rows, "");
    return a1_public_error(error, &err, status);
}

void allin1_index_free(allin1_index **index)
{
    if (!index || !*index)
        return;
    a1_html_free(&(*index)->rows);
    free(*index);
    *index = NULL;
}

allin1_status allin1_index_add(allin1_index *index, const allin1_result *result, const char *page,
                               allin1_error *error)
{
    a1_error err = {0};
    if (!index || !result || !page)
        return a1_public_error(error, &err,
                               a1_fail(&err, ALLIN1_ERROR_ARGUMENT,
                                       "an index, a result and a page are needed"));
    a1_html link = {0};
    char *name = a1_song_name(result->path);
    a1_put_relative_link(&link, "", page);
    if (name && !link.failed) {
        a1_index_row(&index->rows, result, name, link.bytes ? link.bytes : "");
        index->songs++;
    }
    const bool failed = !name || link.failed || index->rows.failed;
    free(name);
    a1_html_free(&link);
    return a1_public_error(error, &err,
                           failed ? a1_fail_memory(&err, "an index") : ALLIN1_OK);
}

static allin1_status make_index(a1_rendering *r, const void *settings, a1_error *err)
{
    const allin1_index *index = settings;
    a1_html text;
    allin1_status status = a1_index_write(index->rows.bytes, index->songs, r->mark, &text, err);
    if (status == ALLIN1_OK)
        status = a1_output_whole(r->path, text.bytes, text.used, err);
    a1_html_free(&text);
    return status;
}

static allin1_status save_index(a1_rendering *r, const allin1_index *index, int only_when_needed,
                                a1_error *err)
{
    a1_hash *hash;
    if (index->rows.failed)
        return a1_fail_memory(err, "an index");
    A1_TRY(a1_hash_begin(&hash, err));
    a1_hash_format(hash, "index %s\n", ALLIN1_VERSION_STRING);
    a1_hash_add(hash, index->rows.bytes, index->rows.used);
    return a1_render(r, ALLIN1_STAGE_VISUALIZE, "index", only_when_needed, hash, make_index, index,
                     err);
}

allin1_status allin1_save_index(allin1_context *context, const allin1_index *index,
                                int only_when_needed, const char *path, allin1_rendered *rendered,
                                allin1_error *error)
{
    allin1_rendered scratch;
    a1_error err = {0};
    a1_rendering r = {context, NULL, path, "", rendered ? rendered : &scratch};
    *r.rendered = (allin1_rendered){.gain = 1};
    if (!index || !path)
        return a1_public_error(
            error, &err, a1_fail(&err, ALLIN1_ERROR_ARGUMENT, "no index or no path was given"));
    return a1_public_error(error, &err, save_index(&r, index, only_when_needed, &err));
}
