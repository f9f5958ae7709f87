#include "audio/planar_buffer.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

#define GRANULE 16 /* floats: both channels start on the same alignment of 64 bytes */

allin1_status a1_planar_reserve(a1_planar_buffer *buffer, size_t more, a1_error *err)
{
    if (more <= buffer->capacity - buffer->used)
        return ALLIN1_OK;
    const size_t limit = SIZE_MAX / (4 * sizeof(float));
    if (more > limit - buffer->used)
        return a1_fail_memory(err, "decoded audio");
    size_t wanted = buffer->used + more;
    if (buffer->capacity < limit / 2 && wanted < buffer->capacity + buffer->capacity / 2)
        wanted = buffer->capacity + buffer->capacity / 2;
    wanted = (wanted + GRANULE - 1) / GRANULE * GRANULE;
    float *block = realloc(buffer->block, 2 * wanted * sizeof *block);
    if (!block)
        return a1_fail_memory(err, "decoded audio");
    a1_advise_huge(block, 2 * wanted * sizeof *block);
    memmove(block + wanted, block + buffer->capacity, buffer->used * sizeof *block);
    buffer->block = block;
    buffer->capacity = wanted;
    return ALLIN1_OK;
}

float *a1_planar_end(const a1_planar_buffer *buffer, int channel)
{
    return buffer->block + (channel ? buffer->capacity : 0) + buffer->used;
}

/* Moves the right channel to behind the left one, and gives back what is behind it. */
static void pack(a1_planar_buffer *buffer)
{
    size_t stride = (buffer->used + GRANULE - 1) / GRANULE * GRANULE;
    if (stride == 0)
        stride = GRANULE; /* realloc to nothing would free */
    memmove(buffer->block + stride, buffer->block + buffer->capacity,
            buffer->used * sizeof *buffer->block);
    float *block = realloc(buffer->block, 2 * stride * sizeof *block);
    buffer->block = block ? block : buffer->block; /* a shrinking realloc may fail: the old is good */
    buffer->capacity = stride;
}

void a1_planar_finish(a1_planar_buffer *buffer, a1_audio *audio)
{
    /* A little that was never touched costs less than to move a channel. */
    if (buffer->capacity - buffer->used > buffer->used / 16 && buffer->block)
        pack(buffer);
    audio->channel[0] = buffer->block;
    audio->channel[1] = buffer->block + buffer->capacity;
    audio->samples = buffer->used;
    *buffer = (a1_planar_buffer){0};
}

a1_planar_buffer a1_planar_from_audio(a1_audio *audio)
{
    const a1_planar_buffer buffer = {
        .block = audio->channel[0],
        .capacity = (size_t)(audio->channel[1] - audio->channel[0]),
        .used = audio->samples,
    };
    audio->channel[0] = audio->channel[1] = NULL;
    audio->samples = 0;
    return buffer;
}

void a1_planar_free(a1_planar_buffer *buffer)
{
    free(buffer->block);
    *buffer = (a1_planar_buffer){0};
}

void a1_audio_free(a1_audio *audio)
{
    free(audio->channel[0]);
    *audio = (a1_audio){0};
}
