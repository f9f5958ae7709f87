/* Audio files for tests, made with FFmpeg's encoders. */
#ifndef TEST_SUPPORT_ENCODE_H
#define TEST_SUPPORT_ENCODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct test_encoding {
    const char *container; /* FFmpeg's muxer, "wav" */
    const char *encoder;   /* "libmp3lame" */
    int bits;              /* of the encoder's samples, 0 for its first format */
    int64_t bit_rate;      /* bits a second, 0 for the default */
    const char *options;   /* of the encoder and the muxer, "movflags=+faststart", or NULL */
} test_encoding;

/* Encodes planar float samples; false, with a message, when this FFmpeg has no such encoder or
 * muxer. Any other failure fails the test. */
bool test_encode(const char *path, const test_encoding *how, const float *const *planes,
                 int channels, int rate, size_t samples);

#endif
