/* The bytes before the samples of the WAV files that we write. */
#ifndef A1_AUDIO_WAV_HEADER_H
#define A1_AUDIO_WAV_HEADER_H

#include <stddef.h>
#include <stdint.h>

#define A1_WAV_HEADER_MAX 96

/* Fills in the header of a stereo float32 file with `samples` a channel and returns its length:
 * RIFF with fmt, fact and data chunks, or RF64 with a ds64 chunk (EBU Tech 3306) where 32 bits are
 * too few. `samples` is at most INT64_MAX / 16. */
size_t a1_wav_header(uint8_t header[A1_WAV_HEADER_MAX], uint64_t samples, uint32_t rate);

#endif
