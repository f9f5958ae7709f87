/* Any audio file to 44.1 kHz stereo float32 with FFmpeg's libraries. */
#ifndef A1_AUDIO_DECODE_H
#define A1_AUDIO_DECODE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/threads.h"

#define A1_SAMPLE_RATE 44100

/* Longer audio is refused: a small hostile file can decode to terabytes. */
#define A1_AUDIO_MAX_SECONDS 21600

/* What was decoded: part of a result's provenance. */
typedef struct a1_audio_source {
    char container[32];      /* FFmpeg's short name, "ogg" */
    char codec[32];          /* "vorbis" */
    int channels;            /* in the file */
    char channel_layout[64]; /* "stereo", "5.1" */
    int sample_rate;         /* in the file, Hz */
    int bits_per_sample;     /* of the source where it has a depth, else 0 */
    int64_t skipped_start;   /* encoder delay removed, samples at the file's rate */
    int64_t skipped_end;     /* padding removed, samples at the file's rate */
    int64_t damaged_packets; /* packets that could not be decoded and were left out */
    int truncated;           /* the file ended before its own length or end mark said so */
    int split;               /* several threads decoded it, as far as it could be shared */
} a1_audio_source;

typedef struct a1_audio {
    float *channel[2]; /* left, right; one block, owned by channel[0] */
    size_t samples;    /* of each channel, at A1_SAMPLE_RATE or the file's rate, as was asked for */
    a1_audio_source source;
} a1_audio;

/* Decodes the best audio stream of a regular file.
 *
 * Mono is copied to both channels; more than two channels are mixed as libswresample's default for
 * float output does (coefficients are not scaled down, so a mix may exceed 1). Samples are not
 * clipped; NaN and infinite ones become 0.
 *
 * Encoder delay and padding are removed where the file states them: LAME and Xing tags (MP3), edit
 * lists, track lengths and iTunSMPB (MP4), pre-skip and end trimming (Opus), granule positions at
 * the end (Vorbis). Raw AAC (ADTS) states neither: it starts late by the encoder's delay, 1,024
 * samples or more.
 *
 * A file without audio or without one decodable packet is ALLIN1_ERROR_AUDIO; one that cannot be
 * opened or read, a directory, a pipe or a device is ALLIN1_ERROR_IO; a sample rate outside
 * 1,000..1,536,000 Hz, channels that FFmpeg cannot mix to stereo and audio beyond
 * A1_AUDIO_MAX_SECONDS are ALLIN1_ERROR_UNSUPPORTED. The message names the file and the reason. A
 * file that is damaged or cut later gives what could be decoded, and says so in `source`: damaged
 * packets leave no gap.
 *
 * `pool` (may be NULL; not at work) shares the work where the format allows it (split_decoder.h),
 * with the same samples. `path` is a file's name, never a URL, and a playlist in it opens nothing
 * else. `audio` is written on success and zeroed on failure; release it with a1_audio_free.
 * Thread-safe, each call with a pool of its own. FFmpeg's messages are silenced for this call only,
 * by the log offsets of its contexts; the process's log level and callback stay as they are. The few
 * that FFmpeg logs without a context, or before it looks at the offset, pass: on damaged files of
 * rare formats (ADPCM, ID3 inside WAV). A program that must not print them sets FFmpeg's log level
 * itself. */
allin1_status a1_audio_decode(const char *path, a1_pool *pool, a1_audio *audio, a1_error *err);

/* The same on one thread at the file's own rate, source.sample_rate: nothing is resampled unless the
 * rate changes within the file. */
allin1_status a1_audio_decode_native(const char *path, a1_audio *audio, a1_error *err);

/* Frees and zeroes. Safe on a zeroed struct. */
void a1_audio_free(a1_audio *audio);

/* A stereo float32 WAV file at A1_SAMPLE_RATE, written under a temporary name beside `path` and
 * renamed; nothing is left behind on failure. Above 4 GB the file is RF64. */
allin1_status a1_audio_write_wav(const char *path, const float *const channel[2], size_t samples,
                                 a1_error *err);

#endif
