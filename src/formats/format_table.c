#include "formats/format_table.h"

#include <stdlib.h>
#include <string.h>

#include "output/result.h"

#define DEFAULT_BEATS_PER_BAR 4

/* No suffix but the first ends in .json: a file that does so in a folder of results is a result. */
static const allin1_format formats[] = {
    {"json", ".json", "the whole result", 0},
    {"jams", ".jams", "JAMS: beats, sections and tempo", 0},
    {"lab", ".lab", "sections: start, end, label", 0},
    {"beats", ".beats", "beats: time, position in the bar", 0},
    {"harmonix", ".segments.txt", "sections as in the Harmonix Set", 0},
    {"harmonix-beats", ".beats.txt", "beats as in the Harmonix Set", 0},
    {"audacity", ".labels.txt", "sections as an Audacity label track", 0},
    {"audacity-beats", ".beatlabels.txt", "beats as an Audacity label track", 0},
    {"csv", ".csv", "sections and beats as one table", 0},
    {"midi", ".mid", "tempo map, metres and section markers", 1},
    {"reaper", ".reaper.csv", "regions and markers for Reaper", 0},
    {"sonic-visualiser", ".svl", "layers for Sonic Visualiser", 0},
    {"rekordbox", ".rekordbox.xml", "beat grid and cues for rekordbox", 0},
    {"chapters", ".ffmetadata", "sections as chapters for FFmpeg", 0},
    {"webvtt", ".vtt", "sections as WebVTT chapters", 0},
    {"podcast", ".chapters", "sections as podcast chapters (JSON)", 0},
};

#define FORMAT_COUNT (sizeof formats / sizeof *formats)

static allin1_status write_json(const allin1_result *result, a1_text *out, a1_error *err)
{
    (void)err;
    char *text = a1_result_json(result, NULL);
    if (text)
        a1_text_add(out, text);
    else
        out->failed = true;
    free(text);
    return ALLIN1_OK;
}

/* In the order of `formats`. */
static const a1_format_fn writers[FORMAT_COUNT] = {
    write_json,      a1_write_jams,          a1_write_lab,         a1_write_beats,
    a1_write_harmonix, a1_write_harmonix_beats, a1_write_audacity, a1_write_audacity_beats,
    a1_write_csv,    a1_write_midi,          a1_write_reaper,      a1_write_sonic_visualiser,
    a1_write_rekordbox, a1_write_ffmetadata, a1_write_webvtt,      a1_write_podcast,
};

const allin1_format *allin1_formats(size_t *count)
{
    if (count)
        *count = FORMAT_COUNT;
    return formats;
}

const allin1_format *allin1_format_find(const char *name)
{
    for (size_t i = 0; name && i < FORMAT_COUNT; i++)
        if (strcmp(formats[i].name, name) == 0)
            return &formats[i];
    return NULL;
}

void a1_put_maker(a1_text *out, const allin1_result *result, a1_escape escape)
{
    const char *version = result->provenance.version;
    a1_text_add(out, "allin1");
    if (version && *version) {
        a1_text_add(out, " ");
        a1_text_escaped(out, version, escape);
    }
}

unsigned a1_beats_per_bar(const allin1_result *result)
{
    if (result->beats_per_bar > 0)
        return result->beats_per_bar;
    unsigned highest = 0;
    for (size_t i = 0; i < result->beat_count; i++)
        if (result->beat_positions[i] > highest)
            highest = result->beat_positions[i];
    return highest > 0 ? highest : DEFAULT_BEATS_PER_BAR;
}

allin1_status a1_format_result(const allin1_result *result, const char *format, char **content,
                               size_t *size, a1_error *err)
{
    const allin1_format *found = allin1_format_find(format);
    *content = NULL;
    *size = 0;
    if (!found)
        return a1_fail(err, ALLIN1_ERROR_ARGUMENT, "there is no format \"%s\"", format);
    a1_text out = {0};
    const allin1_status status = writers[found - formats](result, &out, err);
    char *bytes = a1_text_take(&out, size);
    if (status == ALLIN1_OK && bytes) {
        *content = bytes;
        return ALLIN1_OK;
    }
    free(bytes);
    *size = 0;
    return status == ALLIN1_OK ? a1_fail_memory(err, "a result's file") : status;
}

allin1_status allin1_result_format(const allin1_result *result, const char *format, char **content,
                                   size_t *size, allin1_error *error)
{
    a1_error err = {0};
    size_t unused;
    if (content)
        *content = NULL;
    if (!result || !format || !content)
        return a1_public_error(error, &err,
                               a1_fail(&err, ALLIN1_ERROR_ARGUMENT,
                                       "a result, a format and a place for the content are needed"));
    return a1_public_error(
        error, &err, a1_format_result(result, format, content, size ? size : &unused, &err));
}
