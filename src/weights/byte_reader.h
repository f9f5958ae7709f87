/* Reading little-endian numbers out of a block of untrusted bytes without ever leaving it. */
#ifndef A1_WEIGHTS_BYTE_READER_H
#define A1_WEIGHTS_BYTE_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct a1_reader {
    const unsigned char *data;
    size_t size;
    size_t at; /* at <= size always */
} a1_reader;

static inline size_t a1_reader_left(const a1_reader *reader)
{
    return reader->size - reader->at;
}

/* The next `count` bytes, or NULL (and nothing is consumed) when fewer are left. */
static inline const unsigned char *a1_read_bytes(a1_reader *reader, size_t count)
{
    if (count > a1_reader_left(reader))
        return NULL;
    const unsigned char *bytes = reader->data + reader->at;
    reader->at += count;
    return bytes;
}

/* The next `width` (1 to 8) bytes as an unsigned number. */
static inline bool a1_read_number(a1_reader *reader, unsigned width, uint64_t *number)
{
    const unsigned char *bytes = a1_read_bytes(reader, width);
    if (!bytes)
        return false;
    uint64_t value = 0;
    for (unsigned i = 0; i < width; i++)
        value |= (uint64_t)bytes[i] << 8 * i;
    *number = value;
    return true;
}

static inline bool a1_read_u32(a1_reader *reader, uint32_t *number)
{
    uint64_t value;
    if (!a1_read_number(reader, 4, &value))
        return false;
    *number = (uint32_t)value;
    return true;
}

static inline void a1_put_number(unsigned char *out, unsigned width, uint64_t number)
{
    for (unsigned i = 0; i < width; i++)
        out[i] = (unsigned char)(number >> 8 * i);
}

#endif
