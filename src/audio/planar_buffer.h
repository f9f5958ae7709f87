/* The block behind an a1_audio: two channels that grow together. */
#ifndef A1_AUDIO_PLANAR_BUFFER_H
#define A1_AUDIO_PLANAR_BUFFER_H

#include <stddef.h>

#include "audio/decode.h"

/* Left at block[0..used), right at block[capacity..capacity + used). One block grown by realloc,
 * which the system can move by its page tables, so that a long song is seldom in memory twice. */
typedef struct a1_planar_buffer {
    float *block;
    size_t capacity; /* samples a channel; a multiple of 16 */
    size_t used;     /* samples in each channel */
} a1_planar_buffer;

/* Makes room for `more` samples a channel beyond `used`, at least by half of what there is. */
allin1_status a1_planar_reserve(a1_planar_buffer *buffer, size_t more, a1_error *err);

/* Where the next samples of a channel (0 or 1) go. */
float *a1_planar_end(const a1_planar_buffer *buffer, int channel);

/* Hands the samples to `audio`, gives much unused memory back and empties the buffer. Cannot fail. */
void a1_planar_finish(a1_planar_buffer *buffer, a1_audio *audio);

/* Takes an a1_audio's samples back as a buffer; the a1_audio no longer owns them. */
a1_planar_buffer a1_planar_from_audio(a1_audio *audio);

/* Frees and zeroes. Safe on a zeroed buffer. */
void a1_planar_free(a1_planar_buffer *buffer);

#endif
