/* allin1: results to see and to hear.
 *
 * The conventions of allin1.h hold. In addition, for all functions here:
 * - Files are written under a temporary name in the same folder, flushed to the disk and renamed; a
 *   failure leaves what was there before. Folders are made as needed.
 * - The same result, settings and song give the same bytes on one system (its fonts and libraries),
 *   whatever the number of threads. No date and no machine's name is in the files.
 * - `context` may be NULL; else the time is recorded as its span "visualize" or "sonify".
 * - Where the song itself is needed it is read from `result->path`. A file that is not the one that
 *   the result was made from, where the result tells, is an ALLIN1_ERROR_ARGUMENT.
 * - Text is laid out by Pango, which ends the process when memory runs out while it works. */
#ifndef ALLIN1_RENDER_H
#define ALLIN1_RENDER_H

#include <allin1/allin1.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What was done. */
typedef struct allin1_rendered {
    int made;         /* 0: the file was there already (see only_when_needed) */
    int sample_rate;  /* of a sound that was made, Hz; else 0 */
    double gain;      /* by which all of it was scaled, 0 to 1; 1: not at all */
    char encoder[32]; /* FFmpeg's name of the encoder, or "" */
} allin1_rendered;

/* The colour of a label in figures and pages, 0xRRGGBB. An unknown label, or NULL, is grey. */
uint32_t allin1_label_colour(const char *label);

/* ------------------------------------------------------------------------------------------------
 * Figures */

typedef enum allin1_figure_format {
    ALLIN1_FIGURE_BY_SUFFIX = 0, /* of the path: .pdf, .svg or .png */
    ALLIN1_FIGURE_PDF,
    ALLIN1_FIGURE_SVG,
    ALLIN1_FIGURE_PNG
} allin1_figure_format;

typedef struct allin1_figure_settings {
    allin1_figure_format format; /* default ALLIN1_FIGURE_BY_SUFFIX */
    double width, height;        /* inches, 4 to 100 and 2.5 to 100; default 11 and 4 */
    double resolution;           /* of a PNG, dots an inch, 36 to 600; default 160 */
    /* Not 0: a file that was already made from the same result with the same settings by this version
     * stays as it is, and one that this program did not make is an ALLIN1_ERROR_IO. Default 0: the
     * file is written in any case. */
    int only_when_needed;
} allin1_figure_settings;

void allin1_figure_settings_default(allin1_figure_settings *settings);

/* The song's name, sections with labels and times, waveform, beats and downbeats as ticks where they
 * can be told apart at this width, and the tempo over time. The waveform is `result->waveform` where
 * it is there; else the song is decoded. `settings` and `rendered` may be NULL. */
allin1_status allin1_save_figure(allin1_context *context, const allin1_result *result,
                                 const allin1_figure_settings *settings, const char *path,
                                 allin1_rendered *rendered, allin1_error *error);

/* ------------------------------------------------------------------------------------------------
 * Sounds */

typedef enum allin1_sound_format {
    ALLIN1_SOUND_BY_SUFFIX = 0, /* of the path: .wav, .flac, .mp3 or .opus */
    ALLIN1_SOUND_WAV,           /* PCM of 16 bits, of 24 where the song has more than 16 */
    ALLIN1_SOUND_FLAC,          /* likewise */
    ALLIN1_SOUND_MP3,           /* needs FFmpeg with libmp3lame or another MP3 encoder */
    ALLIN1_SOUND_OPUS           /* needs FFmpeg with libopus; 48 kHz for every song above 24 kHz */
} allin1_sound_format;

typedef struct allin1_sonification_settings {
    allin1_sound_format format; /* default ALLIN1_SOUND_BY_SUFFIX */
    int only_when_needed;       /* as of a figure; default 0 */
} allin1_sonification_settings;

void allin1_sonification_settings_default(allin1_sonification_settings *settings);

/* The song, in stereo at its own rate and length, with clicks on the beats (1,500 Hz) and downbeats
 * (3,000 Hz), and a riser before and a drop at each start of a section. Where the sum would be louder
 * than -1 dB of full scale, all of it is scaled by one factor, so that nothing is distorted. */
allin1_status allin1_save_sonification(allin1_context *context, const allin1_result *result,
                                       const allin1_sonification_settings *settings,
                                       const char *path, allin1_rendered *rendered,
                                       allin1_error *error);

/* ------------------------------------------------------------------------------------------------
 * Pages */

/* How a page gets the song's sound. */
typedef enum allin1_page_audio {
    ALLIN1_PAGE_AUDIO_AUTO = 0, /* OPUS where FFmpeg has libopus, else ORIGINAL */
    ALLIN1_PAGE_AUDIO_OPUS,     /* embedded, encoded anew */
    ALLIN1_PAGE_AUDIO_ORIGINAL, /* embedded, byte by byte; browsers do not play every format */
    ALLIN1_PAGE_AUDIO_LINK,     /* the file, where it lies now */
    ALLIN1_PAGE_AUDIO_NONE
} allin1_page_audio;

/* "auto", "opus", "original", "link", "none". Never NULL; static storage. */
const char *allin1_page_audio_string(allin1_page_audio audio);

typedef struct allin1_page_settings {
    allin1_page_audio audio; /* default ALLIN1_PAGE_AUDIO_AUTO */
    int bit_rate;            /* of Opus, bits a second, 16,000 to 320,000; default 96,000 */
    int only_when_needed;    /* as of a figure; default 0. A page that shows activations besides is
                                good enough for a result without them. */
} allin1_page_settings;

void allin1_page_settings_default(allin1_page_settings *settings);

/* One HTML file that needs no network and, unless it is linked to its sound, no other file: the
 * waveform with its sections, beats and tempo, and activations where the result holds them; to be
 * played, with a playhead, a loop, a metronome and zoom. `rendered->encoder` tells which sound was
 * used: "original", "link", "none" or an encoder. */
allin1_status allin1_save_page(allin1_context *context, const allin1_result *result,
                               const allin1_page_settings *settings, const char *path,
                               allin1_rendered *rendered, allin1_error *error);

/* A page that lists pages: to be searched, and sorted by name, tempo, metre and length. */
typedef struct allin1_index allin1_index;

allin1_status allin1_index_create(allin1_index **index, allin1_error *error);
void allin1_index_free(allin1_index **index);

/* Adds a song; what is needed of it is copied. `page` is the name of its page's file, which lies in
 * the folder of the index. */
allin1_status allin1_index_add(allin1_index *index, const allin1_result *result, const char *page,
                               allin1_error *error);

/* `only_when_needed` as of a figure. */
allin1_status allin1_save_index(allin1_context *context, const allin1_index *index,
                                int only_when_needed, const char *path, allin1_rendered *rendered,
                                allin1_error *error);

#ifdef __cplusplus
}
#endif

#endif
