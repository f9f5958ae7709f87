#include "output/file_hash.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUFFER_SIZE ((size_t)1 << 18)

struct a1_hash {
    EVP_MD_CTX *context;
    bool failed;
};

allin1_status a1_hash_begin(a1_hash **out, a1_error *err)
{
    *out = NULL;
    a1_hash *hash = calloc(1, sizeof *hash);
    if (hash)
        hash->context = EVP_MD_CTX_new();
    if (!hash || !hash->context || EVP_DigestInit_ex(hash->context, EVP_sha256(), NULL) != 1) {
        if (hash)
            EVP_MD_CTX_free(hash->context);
        free(hash);
        return a1_fail_memory(err, "a digest");
    }
    *out = hash;
    return ALLIN1_OK;
}

void a1_hash_add(a1_hash *hash, const void *data, size_t size)
{
    if (EVP_DigestUpdate(hash->context, data, size) != 1)
        hash->failed = true;
}

void a1_hash_format(a1_hash *hash, const char *format, ...)
{
    char line[512];
    va_list arguments;
    va_start(arguments, format);
    const int length = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (length < 0 || length >= (int)sizeof line)
        hash->failed = true;
    else
        a1_hash_add(hash, line, (size_t)length);
}

allin1_status a1_hash_end(a1_hash **slot, char hex[A1_SHA256_HEX], a1_error *err)
{
    a1_hash *hash = *slot;
    unsigned char digest[A1_SHA256_BYTES];
    const bool good = EVP_DigestFinal_ex(hash->context, digest, NULL) == 1 && !hash->failed;
    EVP_MD_CTX_free(hash->context);
    free(hash);
    *slot = NULL;
    if (!good)
        return a1_fail(err, ALLIN1_ERROR_INTERNAL, "a digest could not be computed");
    a1_hex(digest, sizeof digest, hex);
    return ALLIN1_OK;
}

static allin1_status hash_descriptor(int descriptor, const char *path, a1_hash *hash, a1_error *err)
{
    unsigned char *buffer = malloc(BUFFER_SIZE);
    if (!buffer)
        return a1_fail_memory(err, "a digest");
    allin1_status status = ALLIN1_OK;
    for (;;) {
        const ssize_t got = read(descriptor, buffer, BUFFER_SIZE);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            status = a1_fail(err, ALLIN1_ERROR_IO, "%s: %s", path, strerror(errno));
        if (got <= 0)
            break;
        a1_hash_add(hash, buffer, (size_t)got);
    }
    free(buffer);
    return status;
}

allin1_status a1_file_sha256(const char *path, char hex[A1_SHA256_HEX], a1_error *err)
{
    /* Not blocking, so that a named pipe is refused instead of waited for. */
    const int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0)
        return a1_fail(err, ALLIN1_ERROR_IO, "%s: %s", path, strerror(errno));
    a1_hash *hash = NULL;
    struct stat info;
    allin1_status status;
    if (fstat(descriptor, &info) != 0)
        status = a1_fail(err, ALLIN1_ERROR_IO, "%s: %s", path, strerror(errno));
    else if (S_ISDIR(info.st_mode))
        status = a1_fail(err, ALLIN1_ERROR_IO, "%s: is a folder", path);
    else if (!S_ISREG(info.st_mode))
        status = a1_fail(err, ALLIN1_ERROR_IO, "%s: is not a regular file", path);
    else
        status = a1_hash_begin(&hash, err);
    if (status == ALLIN1_OK)
        status = hash_descriptor(descriptor, path, hash, err);
    close(descriptor);
    if (hash) {
        const allin1_status ended = a1_hash_end(&hash, hex, status == ALLIN1_OK ? err : NULL);
        if (status == ALLIN1_OK)
            status = ended;
    }
    return status;
}
