/* Stereo samples to WAV, FLAC, MP3 or Opus with FFmpeg's libraries. */
#ifndef A1_AUDIO_ENCODE_H
#define A1_AUDIO_ENCODE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

typedef enum a1_sound_format {
    A1_SOUND_WAV,  /* PCM */
    A1_SOUND_FLAC,
    A1_SOUND_MP3,  /* variable bit rate, about 190 kbit/s */
    A1_SOUND_OPUS  /* in Ogg */
} a1_sound_format;

typedef struct a1_encoding {
    a1_sound_format format;
    int bits;            /* WAV and FLAC: 16 or 24 a sample */
    int64_t bit_rate;    /* Opus: bits a second; 0: 128,000 */
    const char *comment; /* a tag of that name in the file; NULL: none */
} a1_encoding;

/* What was really made. */
typedef struct a1_encoded {
    int sample_rate;  /* of the file: MP3 and Opus have only some rates, and are then resampled */
    char encoder[32]; /* FFmpeg's name, "libopus" */
    uint8_t *bytes;   /* the file, until a1_encoded_free; NULL when it
                         went to a descriptor */
    size_t size;      /* bytes */
} a1_encoded;

/* Encodes two channels at `rate` Hz into an open, seekable file, or into memory when `descriptor` is
 * -1. Samples beyond -1..1 are clipped. Delay and padding of the encoder are stated in the file, so
 * that a decoder which looks gives back what went in. Nothing in the file tells the time it was made.
 *
 * An encoder that this FFmpeg lacks is ALLIN1_ERROR_UNSUPPORTED; a failed write ALLIN1_ERROR_IO.
 * `name` is what messages call the file. `encoded` is zeroed on failure. */
allin1_status a1_audio_encode(const float *const channel[2], size_t samples, int rate,
                              const a1_encoding *how, const char *name, int descriptor,
                              a1_encoded *encoded, a1_error *err);

/* Frees and zeroes. */
void a1_encoded_free(a1_encoded *encoded);

/* Whether FFmpeg has an encoder for it. */
int a1_audio_can_encode(a1_sound_format format);

#endif
