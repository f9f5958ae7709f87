#include "audio/decode.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audio/wav_header.h"

#define FRAME_BYTES 8 /* two float32 */
#define CHUNK_FRAMES 8192

typedef struct writer {
    uint8_t *at;
} writer;

static void put(writer *w, uint64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        *w->at++ = (uint8_t)(value >> (8 * i));
}

static void put_tag(writer *w, const char *tag)
{
    memcpy(w->at, tag, 4);
    w->at += 4;
}

size_t a1_wav_header(uint8_t header[A1_WAV_HEADER_MAX], uint64_t samples, uint32_t rate)
{
    const uint64_t data = samples * FRAME_BYTES;
    const uint64_t chunks = 4 + (8 + 18) + (8 + 4) + 8; /* WAVE, fmt, fact, data */
    const bool large = data + chunks > UINT32_MAX;
    writer w = {header};
    put_tag(&w, large ? "RF64" : "RIFF");
    put(&w, large ? UINT32_MAX : data + chunks, 4);
    put_tag(&w, "WAVE");
    if (large) {
        put_tag(&w, "ds64");
        put(&w, 28, 4);
        put(&w, data + chunks + 8 + 28, 8);
        put(&w, data, 8);
        put(&w, samples, 8);
        put(&w, 0, 4); /* no table of other large chunks */
    }
    put_tag(&w, "fmt ");
    put(&w, 18, 4);
    put(&w, 3, 2); /* IEEE float */
    put(&w, 2, 2);
    put(&w, rate, 4);
    put(&w, (uint64_t)rate * FRAME_BYTES, 4);
    put(&w, FRAME_BYTES, 2);
    put(&w, 32, 2);
    put(&w, 0, 2); /* no extension */
    put_tag(&w, "fact");
    put(&w, 4, 4);
    put(&w, samples > UINT32_MAX ? UINT32_MAX : samples, 4);
    put_tag(&w, "data");
    put(&w, large ? UINT32_MAX : data, 4);
    return (size_t)(w.at - header);
}

/* Returns 0 or an errno. */
static int write_all(int file, const uint8_t *bytes, size_t count)
{
    while (count > 0) {
        const ssize_t written = write(file, bytes, count);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return written < 0 ? errno : ENOSPC;
        bytes += written;
        count -= (size_t)written;
    }
    return 0;
}

static int write_samples(int file, uint8_t *chunk, const float *const channel[2], size_t samples)
{
    int error = 0;
    for (size_t done = 0; done < samples && !error;) {
        const size_t count = samples - done < CHUNK_FRAMES ? samples - done : CHUNK_FRAMES;
        writer w = {chunk};
        for (size_t i = done; i < done + count; i++)
            for (int c = 0; c < 2; c++) {
                uint32_t bits;
                memcpy(&bits, &channel[c][i], sizeof bits);
                put(&w, bits, 4);
            }
        error = write_all(file, chunk, count * FRAME_BYTES);
        done += count;
    }
    return error;
}

/* A new file beside `path`, so that the rename stays on one file system. `name` has room for `path`
 * and 32 bytes more. */
static int create_beside(const char *path, char *name, size_t size)
{
    for (int attempt = 0; attempt < 1000; attempt++) {
        snprintf(name, size, "%s.%ld-%d.part", path, (long)getpid(), attempt);
        const int file = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (file >= 0 || errno != EEXIST)
            return file;
    }
    return -1;
}

allin1_status a1_audio_write_wav(const char *path, const float *const channel[2], size_t samples,
                                 a1_error *err)
{
    uint8_t header[A1_WAV_HEADER_MAX];
    if (samples > INT64_MAX / 16)
        return a1_fail(err, ALLIN1_ERROR_ARGUMENT, "%s: too many samples", path);
    const size_t room = strlen(path) + 48;
    char *name = malloc(room);
    uint8_t *chunk = malloc(CHUNK_FRAMES * FRAME_BYTES);
    allin1_status status = ALLIN1_OK;
    int file = -1;
    if (!name || !chunk) {
        status = a1_fail_memory(err, "writing a WAV file");
        goto done;
    }
    file = create_beside(path, name, room);
    if (file < 0) {
        status = a1_fail(err, ALLIN1_ERROR_IO, "%s: cannot be created: %s", path, strerror(errno));
        goto done;
    }
    int error = write_all(file, header, a1_wav_header(header, samples, A1_SAMPLE_RATE));
    if (!error)
        error = write_samples(file, chunk, channel, samples);
    if (close(file) != 0 && !error)
        error = errno;
    if (!error && rename(name, path) != 0)
        error = errno;
    if (error) {
        unlink(name);
        status = a1_fail(err, ALLIN1_ERROR_IO, "%s: cannot be written: %s", path, strerror(error));
    }
done:
    free(name);
    free(chunk);
    return status;
}
