/* Any audio file to 44.1 kHz stereo float32 with FFmpeg's libraries. */
#ifndef A1_AUDIO_DECODE_H
#define A1_AUDIO_DECODE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define A1_SAMPLE_RATE 44100

/* What was decoded: part of a result's provenance. */
typedef struct a1_audio_source {
    char container[32];       /* FFmpeg's short name, "ogg" */
    char codec[32];           /* "vorbis" */
    int channels;             /* in the file */
    char channel_layout[64];  /* "stereo", "5.1" */
    int sample_rate;          /* in the file, Hz */
    int bits_per_sample;      /* of the source where it has a depth, else 0 */
    int64_t skipped_start;    /* encoder delay removed, samples at the file's rate */
    int64_t skipped_end;      /* padding removed, samples at the file's rate */
    int64_t damaged_packets;  /* packets that could not be decoded and were left out */
    int truncated;            /* the file ended before its own length said so */
} a1_audio_source;

typedef struct a1_audio {
    float *channel[2]; /* left, right; one block, owned by channel[0] */
    size_t samples;    /* of each channel, at A1_SAMPLE_RATE */
    a1_audio_source source;
} a1_audio;

/* Decodes the best audio stream. A file without audio, without one decodable packet, a directory, an
 * empty or unreadable file is an error naming the file and the reason; a file that is damaged or cut
 * later gives what could be decoded, and says so in `source`. NaN and infinite samples become 0. */
allin1_status a1_audio_decode(const char *path, a1_audio *audio, a1_error *err);

/* Frees and zeroes. Safe on a zeroed struct. */
void a1_audio_free(a1_audio *audio);

/* A stereo float32 WAV file at A1_SAMPLE_RATE, written under a temporary name and renamed. */
allin1_status a1_audio_write_wav(const char *path, const float *const channel[2], size_t samples,
                                 a1_error *err);

#endif
