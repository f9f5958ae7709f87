#include "weights/targz.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#define BLOCK 512
#define BUFFER ((size_t)256 << 10)

typedef struct stream {
    z_stream z;
    const unsigned char *input;
    size_t left; /* of the input, not yet handed to zlib */
    bool ended;
    unsigned char *buffer; /* BUFFER bytes of output */
    size_t at, filled;
    const char *what;
} stream;

static allin1_status damaged(const stream *s, const char *reason, a1_error *err)
{
    return a1_fail(err, ALLIN1_ERROR_FORMAT, "%s is not a usable .tar.gz archive: %s", s->what,
                   reason);
}

static allin1_status fill(stream *s, a1_error *err)
{
    s->at = s->filled = 0;
    s->z.next_out = s->buffer;
    s->z.avail_out = (uInt)BUFFER;
    while (!s->ended && s->z.avail_out > 0) {
        if (s->z.avail_in == 0) {
            const size_t piece = s->left < (1u << 30) ? s->left : (1u << 30);
            s->z.next_in = (Bytef *)(uintptr_t)s->input;
            s->z.avail_in = (uInt)piece;
            s->input += piece;
            s->left -= piece;
        }
        const int code = inflate(&s->z, Z_NO_FLUSH);
        if (code == Z_STREAM_END)
            s->ended = true;
        else if (code == Z_MEM_ERROR)
            return a1_fail_memory(err, s->what);
        else if (code != Z_OK)
            return damaged(s, code == Z_BUF_ERROR ? "it ends too early" : "damaged data", err);
    }
    s->filled = BUFFER - s->z.avail_out;
    return ALLIN1_OK;
}

/* Up to `wanted` bytes (at least one) that stay valid until the next call. */
static allin1_status next_bytes(stream *s, uint64_t wanted, const unsigned char **bytes,
                                size_t *count, a1_error *err)
{
    if (s->at == s->filled)
        A1_TRY(fill(s, err));
    if (s->at == s->filled)
        return damaged(s, "it ends too early", err);
    *bytes = s->buffer + s->at;
    *count = s->filled - s->at;
    if (*count > wanted)
        *count = (size_t)wanted;
    s->at += *count;
    return ALLIN1_OK;
}

static allin1_status read_block(stream *s, unsigned char block[BLOCK], a1_error *err)
{
    for (size_t got = 0; got < BLOCK;) {
        const unsigned char *bytes;
        size_t count;
        A1_TRY(next_bytes(s, BLOCK - got, &bytes, &count, err));
        memcpy(block + got, bytes, count);
        got += count;
    }
    return ALLIN1_OK;
}

/* Passes `size` bytes on to `file`, or over them when it is NULL. */
static allin1_status pass(stream *s, uint64_t size, FILE *file, const char *path, a1_error *err)
{
    while (size > 0) {
        const unsigned char *bytes;
        size_t count;
        A1_TRY(next_bytes(s, size, &bytes, &count, err));
        if (file && fwrite(bytes, 1, count, file) != count)
            return a1_fail(err, ALLIN1_ERROR_IO, "%s cannot be written: %s", path, strerror(errno));
        size -= count;
    }
    return ALLIN1_OK;
}

/* Octal digits, ended by a space or a zero byte or the field's end. */
static bool read_octal(const unsigned char *field, size_t length, uint64_t *value)
{
    size_t i = 0;
    while (i < length && field[i] == ' ')
        i++;
    uint64_t result = 0;
    const size_t first = i;
    for (; i < length && field[i] >= '0' && field[i] <= '7'; i++)
        result = result << 3 | (uint64_t)(field[i] - '0'); /* at most 12 digits: 36 bits */
    *value = result;
    return i > first && (i == length || field[i] == ' ' || field[i] == '\0');
}

static bool checksum_fits(const unsigned char block[BLOCK])
{
    uint64_t recorded, sum = 0;
    for (size_t i = 0; i < BLOCK; i++)
        sum += i >= 148 && i < 156 ? ' ' : block[i];
    return read_octal(block + 148, 8, &recorded) && recorded == sum;
}

static bool is_zero(const unsigned char block[BLOCK])
{
    for (size_t i = 0; i < BLOCK; i++)
        if (block[i] != 0)
            return false;
    return true;
}

static void member_name(const unsigned char block[BLOCK], char name[257])
{
    const bool ustar = memcmp(block + 257, "ustar", 5) == 0;
    if (ustar && block[345])
        snprintf(name, 257, "%.155s/%.100s", (const char *)block + 345, (const char *)block);
    else
        snprintf(name, 257, "%.100s", (const char *)block);
}

static allin1_status find_member(stream *s, const char *member, uint64_t size, a1_error *err)
{
    for (;;) {
        unsigned char block[BLOCK];
        char name[257];
        uint64_t length;
        A1_TRY(read_block(s, block, err));
        if (is_zero(block))
            return a1_fail(err, ALLIN1_ERROR_FORMAT, "%s holds no file %s", s->what, member);
        if (!checksum_fits(block) || !read_octal(block + 124, 12, &length))
            return damaged(s, "a malformed header", err);
        member_name(block, name);
        const unsigned char type = block[156];
        if ((type == '0' || type == '\0') && strcmp(name, member) == 0) {
            if (length != size)
                return a1_fail(err, ALLIN1_ERROR_FORMAT,
                               "%s: %s has %llu bytes and should have %llu", s->what, member,
                               (unsigned long long)length, (unsigned long long)size);
            return ALLIN1_OK;
        }
        A1_TRY(pass(s, (length + BLOCK - 1) / BLOCK * BLOCK, NULL, NULL, err));
    }
}

static allin1_status write_member(stream *s, uint64_t size, const char *path, a1_error *err)
{
    FILE *file = fopen(path, "wbxe");
    if (!file)
        return a1_fail(err, ALLIN1_ERROR_IO, "%s cannot be written: %s", path, strerror(errno));
    allin1_status status = pass(s, size, file, path, err);
    if (fclose(file) != 0 && status == ALLIN1_OK)
        status = a1_fail(err, ALLIN1_ERROR_IO, "%s cannot be written: %s", path, strerror(errno));
    if (status != ALLIN1_OK)
        unlink(path);
    return status;
}

allin1_status a1_targz_extract(const void *bytes, size_t archive_size, const char *what,
                               const char *member, uint64_t size, const char *path, a1_error *err)
{
    stream s = {.input = bytes, .left = archive_size, .what = what, .buffer = malloc(BUFFER)};
    if (!s.buffer)
        return a1_fail_memory(err, what);
    if (inflateInit2(&s.z, 15 + 16) != Z_OK) { /* 16: gzip and nothing else */
        free(s.buffer);
        return a1_fail_memory(err, what);
    }
    allin1_status status = find_member(&s, member, size, err);
    if (status == ALLIN1_OK)
        status = write_member(&s, size, path, err);
    inflateEnd(&s.z);
    free(s.buffer);
    return status;
}
