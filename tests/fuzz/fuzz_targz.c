/* A gzipped tar archive. The first byte chooses: the bytes as they come, or a tar archive whose
 * headers get the checksums that they should have and which is compressed, without which little
 * would get past zlib. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zlib.h>

#include "weights/targz.h"

#define BLOCK 512
#define WANTED 5 /* bytes of the member that is looked for */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void mend_checksums(uint8_t *tar, size_t size)
{
    for (size_t at = 0; at + BLOCK <= size; at += BLOCK) {
        uint8_t *block = tar + at;
        unsigned sum = 0;
        if (at > 0 && memcmp(block + 257, "ustar", 5) != 0)
            continue;
        memset(block + 148, ' ', 8);
        for (size_t i = 0; i < BLOCK; i++)
            sum += block[i];
        char digits[8];
        snprintf(digits, sizeof digits, "%06o", sum);
        memcpy(block + 148, digits, 7);
    }
}

/* Stored rather than compressed: the fuzzer's bytes stay in sight. NULL where memory ran out. */
static uint8_t *gzip(const uint8_t *bytes, size_t size, size_t *length)
{
    z_stream z = {0};
    if (deflateInit2(&z, 0, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return NULL;
    const size_t bound = deflateBound(&z, (uLong)size);
    uint8_t *out = malloc(bound);
    if (out) {
        z.next_in = (Bytef *)(uintptr_t)bytes;
        z.avail_in = (uInt)size;
        z.next_out = out;
        z.avail_out = (uInt)bound;
        if (deflate(&z, Z_FINISH) != Z_STREAM_END)
            abort();
        *length = bound - z.avail_out;
    }
    deflateEnd(&z);
    return out;
}

static void extract(const uint8_t *bytes, size_t size)
{
    char path[64];
    struct stat found;
    a1_error err = {0};
    snprintf(path, sizeof path, "/tmp/fuzz-targz-%ld", (long)getpid());
    const allin1_status status =
        a1_targz_extract(bytes, size, "fuzz.tgz", "a/b", WANTED, path, &err);
    const int there = stat(path, &found) == 0;
    /* All of the member or nothing; and a failure has its words. */
    if (there != (status == ALLIN1_OK) || (there && found.st_size != WANTED) ||
        (status != ALLIN1_OK && (err.status != status || !strstr(err.message, "fuzz.tgz"))))
        abort();
    unlink(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    if (data[0] & 1) {
        extract(data + 1, size - 1);
        return 0;
    }
    uint8_t *tar = malloc(size);
    size_t length = 0;
    if (!tar)
        return 0;
    memcpy(tar, data + 1, size - 1);
    mend_checksums(tar, size - 1);
    uint8_t *archive = gzip(tar, size - 1, &length);
    if (archive)
        extract(archive, length);
    free(archive);
    free(tar);
    return 0;
}
