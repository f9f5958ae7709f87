#include "weights/mapped.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "tensor/half.h"
#include "weights/byte_reader.h"
#include "weights/digest.h"
#include "weights/file_map.h"

#define HEADER_BYTES 128
#define CHECKSUM_AT 64
#define VERSION 1
#define ENDIANNESS 0x01020304u
#define ALIGNMENT 64
#define CHUNK ((size_t)4 << 20)
#define TENSOR_ENTRY 32 /* bytes before the lengths of the axes */

static const unsigned char magic[8] = {0x89, 'A', '1', 'W', '\r', '\n', 0x1a, '\n'};

typedef struct chunk_sums {
    const unsigned char *bytes;
    size_t size;
    unsigned char *digests; /* 32 for each chunk */
    unsigned char *failed;  /* 1 for each chunk */
} chunk_sums;

static bool digest_first_chunk(const chunk_sums *sums, size_t size, unsigned char *digest)
{
    static const unsigned char zeros[A1_SHA256_BYTES];
    const size_t after = CHECKSUM_AT + A1_SHA256_BYTES;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    const bool ok = context && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1 &&
                    EVP_DigestUpdate(context, sums->bytes, CHECKSUM_AT) == 1 &&
                    EVP_DigestUpdate(context, zeros, sizeof zeros) == 1 &&
                    EVP_DigestUpdate(context, sums->bytes + after, size - after) == 1 &&
                    EVP_DigestFinal_ex(context, digest, NULL) == 1;
    EVP_MD_CTX_free(context);
    return ok;
}

static void digest_chunk(void *argument, size_t index, unsigned worker)
{
    (void)worker;
    const chunk_sums *sums = argument;
    const size_t at = index * CHUNK, left = sums->size - at, size = left < CHUNK ? left : CHUNK;
    unsigned char *digest = sums->digests + index * A1_SHA256_BYTES;
    const bool ok = index == 0
                        ? digest_first_chunk(sums, size, digest)
                        : EVP_Digest(sums->bytes + at, size, digest, NULL, EVP_sha256(), NULL) == 1;
    sums->failed[index] = !ok;
}

allin1_status a1_mapped_checksum(const void *bytes, size_t size, a1_pool *pool,
                                 unsigned char checksum[32], a1_error *err)
{
    if (size < HEADER_BYTES)
        return a1_fail(err, ALLIN1_ERROR_FORMAT, "too short for a header");
    const size_t count = (size - 1) / CHUNK + 1;
    allin1_status status = ALLIN1_OK;
    chunk_sums sums = {bytes, size, malloc(count * A1_SHA256_BYTES), calloc(count, 1)};
    if (!sums.digests || !sums.failed) {
        status = a1_fail_memory(err, "a checksum");
        goto done;
    }
    a1_pool_run(pool, count, digest_chunk, &sums);
    if (memchr(sums.failed, 1, count)) {
        status = a1_fail(err, ALLIN1_ERROR_INTERNAL, "the SHA-2 functions of libcrypto failed");
        goto done;
    }
    status = a1_sha256(sums.digests, count * A1_SHA256_BYTES, checksum, err);
done:
    free(sums.digests);
    free(sums.failed);
    return status;
}

static size_t align_up(size_t value)
{
    return (value + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

/* A string of `length` bytes that is followed by a zero byte and has none inside. */
static const char *read_string(a1_reader *reader, size_t length)
{
    if (length >= a1_reader_left(reader))
        return NULL;
    const unsigned char *bytes = a1_read_bytes(reader, length + 1);
    if (!bytes || bytes[length] != 0 || memchr(bytes, 0, length))
        return NULL;
    return (const char *)bytes;
}

static allin1_status read_text(a1_reader *reader, const char *what, a1_tensor_set *set,
                               a1_error *err)
{
    uint32_t key_length, value_length;
    if (a1_read_u32(reader, &key_length) && a1_read_u32(reader, &value_length) && key_length) {
        const char *key = read_string(reader, key_length);
        const char *value = key ? read_string(reader, value_length) : NULL;
        if (value && a1_tensor_set_text(set, key))
            return a1_fail(err, ALLIN1_ERROR_FORMAT, "%s: text value \"%s\" is there twice", what,
                           key);
        if (value)
            return a1_tensor_set_put_text(set, key, value, err);
    }
    return a1_fail(err, ALLIN1_ERROR_FORMAT, "%s: a text value near byte %zu is malformed", what,
                   HEADER_BYTES + reader->at);
}

/* `floor` is the lowest position that the tensor may have; it becomes the end of the tensor. */
static allin1_status read_tensor(a1_reader *reader, const unsigned char *file, size_t size,
                                 const char *what, const char **previous, size_t *floor,
                                 a1_tensor_set *set, a1_error *err)
{
    const size_t entry = HEADER_BYTES + reader->at;
    uint32_t name_length, type, rank, zero;
    uint64_t position, bytes;
    a1_tensor tensor = {0};
    if (!a1_read_u32(reader, &name_length) || !a1_read_u32(reader, &type) ||
        !a1_read_u32(reader, &rank) || !a1_read_u32(reader, &zero) ||
        !a1_read_number(reader, 8, &position) || !a1_read_number(reader, 8, &bytes) ||
        rank > A1_MAX_RANK || zero != 0 || type > A1_I64)
        goto malformed;
    tensor.dtype = (a1_dtype)type;
    tensor.rank = rank;
    uint64_t expected = a1_dtype_size(tensor.dtype);
    for (uint32_t axis = 0; axis < rank; axis++) {
        uint64_t length;
        if (!a1_read_number(reader, 8, &length) || length == 0 || length > SIZE_MAX ||
            expected > size / length)
            goto malformed;
        tensor.shape[axis] = (size_t)length;
        expected *= length;
    }
    tensor.name = read_string(reader, name_length);
    if (!tensor.name || (*previous && strcmp(*previous, tensor.name) >= 0))
        goto malformed;
    if (bytes != expected || position % ALIGNMENT != 0 || position < *floor || position > size ||
        bytes > size - position)
        return a1_fail(err, ALLIN1_ERROR_FORMAT,
                       "%s: tensor \"%s\" does not lie where its size and the file allow it", what,
                       tensor.name);
    tensor.data = file + position;
    *floor = (size_t)(position + bytes);
    *previous = tensor.name;
    return a1_tensor_set_add(set, &tensor, err);
malformed:
    return a1_fail(err, ALLIN1_ERROR_FORMAT, "%s: the entry of a tensor at byte %zu is malformed",
                   what, entry);
}

static allin1_status verify_checksum(const unsigned char *file, size_t size, const char *what,
                                     a1_pool *pool, a1_error *err)
{
    unsigned char checksum[A1_SHA256_BYTES];
    A1_TRY(a1_mapped_checksum(file, size, pool, checksum, err));
    if (memcmp(checksum, file + CHECKSUM_AT, sizeof checksum) != 0)
        return a1_fail(err, ALLIN1_ERROR_WEIGHTS_DAMAGED,
                       "%s is damaged: its checksum does not fit its content", what);
    return ALLIN1_OK;
}

allin1_status a1_mapped_parse(const void *bytes, size_t size, const char *what, bool check_sum,
                              a1_pool *pool, a1_tensor_set *set, a1_error *err)
{
    const unsigned char *file = bytes;
    a1_reader header = {file, size, 0};
    const unsigned char *start = a1_read_bytes(&header, sizeof magic);
    if (!start || memcmp(start, magic, sizeof magic) != 0)
        return a1_fail(err, ALLIN1_ERROR_FORMAT, "%s is not a .a1w file", what);
    if (size < HEADER_BYTES)
        return a1_fail(err, ALLIN1_ERROR_FORMAT, "%s ends inside its header", what);
    uint32_t endianness = 0, version = 0, alignment = 0, chunk = 0, text_count = 0, count = 0;
    uint64_t file_size = 0, directory_size = 0;
    a1_read_u32(&header, &endianness);
    a1_read_u32(&header, &version);
    a1_read_number(&header, 8, &file_size);
    a1_read_u32(&header, &alignment);
    a1_read_u32(&header, &chunk);
    a1_read_u32(&header, &text_count);
    a1_read_u32(&header, &count);
    a1_read_number(&header, 8, &directory_size);
    if (endianness == ENDIANNESS && version != VERSION)
        return a1_fail(err, ALLIN1_ERROR_UNSUPPORTED,
                       "%s has version %u of the .a1w format, this program reads version %u", what,
                       version, (unsigned)VERSION);
    if (file_size != size)
        return a1_fail(err, ALLIN1_ERROR_WEIGHTS_DAMAGED,
                       "%s is damaged: it has %zu bytes and should have %llu", what, size,
                       (unsigned long long)file_size);
    if (check_sum)
        A1_TRY(verify_checksum(file, size, what, pool, err));
    static const unsigned char zeros[32];
    if (endianness != ENDIANNESS || alignment != ALIGNMENT || chunk != CHUNK ||
        directory_size > size - HEADER_BYTES || memcmp(file + 48, zeros, 16) != 0 ||
        memcmp(file + 96, zeros, 32) != 0)
        return a1_fail(err, ALLIN1_ERROR_FORMAT, "%s: the header is malformed", what);
    a1_reader directory = {file + HEADER_BYTES, (size_t)directory_size, 0};
    for (uint32_t i = 0; i < text_count; i++)
        A1_TRY(read_text(&directory, what, set, err));
    size_t floor = HEADER_BYTES + (size_t)directory_size;
    const char *previous = NULL;
    for (uint32_t i = 0; i < count; i++)
        A1_TRY(read_tensor(&directory, file, size, what, &previous, &floor, set, err));
    if (a1_reader_left(&directory) != 0)
        return a1_fail(err, ALLIN1_ERROR_FORMAT, "%s: the directory is longer than its entries",
                       what);
    return ALLIN1_OK;
}

allin1_status a1_mapped_open(const char *path, a1_pool *pool, a1_tensor_set *set, a1_error *err)
{
    a1_file_map map;
    A1_TRY(a1_file_map_open(&map, path, err));
    allin1_status status = a1_mapped_parse(map.data, map.size, path, true, pool, set, err);
    if (status == ALLIN1_OK && map.size)
        status =
            a1_tensor_set_own(set, (void *)(uintptr_t)map.data, map.size, a1_file_map_release, err);
    if (status != ALLIN1_OK)
        a1_file_map_close(&map);
    return status;
}

/* What one tensor becomes in the file. */
typedef struct placement {
    const a1_tensor *tensor;
    a1_dtype dtype;
    size_t position, bytes;
} placement;

static bool survives_half(const a1_tensor *tensor)
{
    const float *values = tensor->data;
    const size_t count = a1_tensor_count(tensor);
    for (size_t i = 0; i < count; i++)
        if (a1_f32_bits(a1_half_to_f32(a1_f32_to_half(values[i]))) != a1_f32_bits(values[i]))
            return false;
    return true;
}

typedef struct layout {
    placement *tensors;
    size_t count;
    size_t directory_size, file_size;
} layout;

static allin1_status plan(const a1_tensor_set *set, bool half, layout *l, a1_error *err)
{
    l->count = a1_tensor_set_count(set);
    l->tensors = calloc(l->count + 1, sizeof *l->tensors);
    const a1_tensor **sorted = a1_tensor_set_sorted(set);
    if (!l->tensors || !sorted) {
        free(sorted);
        return a1_fail_memory(err, "a directory of tensors");
    }
    for (size_t i = 0; i < a1_tensor_set_text_count(set); i++) {
        const char *key, *value;
        a1_tensor_set_text_at(set, i, &key, &value);
        l->directory_size += 8 + strlen(key) + 1 + strlen(value) + 1;
    }
    for (size_t i = 0; i < l->count; i++)
        l->directory_size += TENSOR_ENTRY + 8 * sorted[i]->rank + strlen(sorted[i]->name) + 1;
    size_t position = HEADER_BYTES + l->directory_size;
    for (size_t i = 0; i < l->count; i++) {
        placement *p = &l->tensors[i];
        p->tensor = sorted[i];
        p->dtype = half && sorted[i]->dtype == A1_F32 && survives_half(sorted[i])
                       ? A1_F16
                       : sorted[i]->dtype;
        p->bytes = a1_tensor_count(sorted[i]) * a1_dtype_size(p->dtype);
        if (p->bytes == 0) {
            free(sorted);
            return a1_fail(err, ALLIN1_ERROR_ARGUMENT, "tensor \"%s\" is empty", p->tensor->name);
        }
        p->position = align_up(position);
        position = p->position + p->bytes;
    }
    l->file_size = position;
    free(sorted);
    return ALLIN1_OK;
}

static unsigned char *put_string(unsigned char *out, const char *text)
{
    const size_t length = strlen(text) + 1;
    memcpy(out, text, length);
    return out + length;
}

static int compare_keys(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* In the order of their keys, so that the order of adding does not show. */
static allin1_status fill_texts(unsigned char **out, const a1_tensor_set *set, a1_error *err)
{
    const size_t count = a1_tensor_set_text_count(set);
    const char **keys = calloc(count + 1, sizeof *keys);
    if (!keys)
        return a1_fail_memory(err, "a directory of tensors");
    for (size_t i = 0; i < count; i++) {
        const char *value;
        a1_tensor_set_text_at(set, i, &keys[i], &value);
    }
    qsort(keys, count, sizeof *keys, compare_keys);
    for (size_t i = 0; i < count; i++) {
        const char *value = a1_tensor_set_text(set, keys[i]);
        a1_put_number(*out, 4, strlen(keys[i]));
        a1_put_number(*out + 4, 4, strlen(value));
        *out = put_string(put_string(*out + 8, keys[i]), value);
    }
    free(keys);
    return ALLIN1_OK;
}

static unsigned char *fill_entry(unsigned char *out, const placement *p)
{
    a1_put_number(out, 4, strlen(p->tensor->name));
    a1_put_number(out + 4, 4, p->dtype);
    a1_put_number(out + 8, 4, p->tensor->rank);
    a1_put_number(out + 12, 4, 0);
    a1_put_number(out + 16, 8, p->position);
    a1_put_number(out + 24, 8, p->bytes);
    out += TENSOR_ENTRY;
    for (unsigned axis = 0; axis < p->tensor->rank; axis++, out += 8)
        a1_put_number(out, 8, p->tensor->shape[axis]);
    return put_string(out, p->tensor->name);
}

static void fill_values(unsigned char *file, const placement *p)
{
    if (p->dtype == p->tensor->dtype) {
        memcpy(file + p->position, p->tensor->data, p->bytes);
        return;
    }
    const float *values = p->tensor->data;
    for (size_t i = 0; i < p->bytes / 2; i++)
        a1_put_number(file + p->position + 2 * i, 2, a1_f32_to_half(values[i]));
}

static allin1_status fill_file(unsigned char *file, const a1_tensor_set *set, const layout *l,
                               a1_pool *pool, a1_error *err)
{
    memset(file, 0, HEADER_BYTES);
    memcpy(file, magic, sizeof magic);
    a1_put_number(file + 8, 4, ENDIANNESS);
    a1_put_number(file + 12, 4, VERSION);
    a1_put_number(file + 16, 8, l->file_size);
    a1_put_number(file + 24, 4, ALIGNMENT);
    a1_put_number(file + 28, 4, CHUNK);
    a1_put_number(file + 32, 4, a1_tensor_set_text_count(set));
    a1_put_number(file + 36, 4, l->count);
    a1_put_number(file + 40, 8, l->directory_size);
    unsigned char *out = file + HEADER_BYTES;
    A1_TRY(fill_texts(&out, set, err));
    for (size_t i = 0; i < l->count; i++)
        out = fill_entry(out, &l->tensors[i]);
    size_t end = (size_t)(out - file);
    for (size_t i = 0; i < l->count; i++) {
        memset(file + end, 0, l->tensors[i].position - end);
        fill_values(file, &l->tensors[i]);
        end = l->tensors[i].position + l->tensors[i].bytes;
    }
    unsigned char checksum[A1_SHA256_BYTES];
    A1_TRY(a1_mapped_checksum(file, l->file_size, pool, checksum, err));
    memcpy(file + CHECKSUM_AT, checksum, sizeof checksum);
    return ALLIN1_OK;
}

static bool write_all(int fd, const unsigned char *bytes, size_t size)
{
    while (size > 0) {
        const ssize_t written = write(fd, bytes, size < (1u << 30) ? size : (1u << 30));
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return false;
        bytes += written;
        size -= (size_t)written;
    }
    return true;
}

/* Temporary name, sync, rename. */
static allin1_status replace_file(const char *path, const unsigned char *bytes, size_t size,
                                  a1_error *err)
{
    const size_t room = strlen(path) + 16;
    char *temporary = malloc(room);
    if (!temporary)
        return a1_fail_memory(err, "a file name");
    snprintf(temporary, room, "%s.part-XXXXXX", path);
    allin1_status status = ALLIN1_OK;
    const int fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0) {
        status = a1_fail(err, ALLIN1_ERROR_IO, "%s cannot be written: %s", path, strerror(errno));
        free(temporary);
        return status;
    }
    bool written = write_all(fd, bytes, size) && fchmod(fd, 0644) == 0 && fsync(fd) == 0;
    int reason = errno;
    if (close(fd) != 0 && written) {
        written = false;
        reason = errno;
    }
    if (written && rename(temporary, path) != 0) {
        written = false;
        reason = errno;
    }
    if (!written) {
        unlink(temporary);
        status = a1_fail(err, ALLIN1_ERROR_IO, "%s cannot be written: %s", path, strerror(reason));
    }
    free(temporary);
    return status;
}

allin1_status a1_mapped_write(const char *path, const a1_tensor_set *set, bool half, a1_pool *pool,
                              a1_error *err)
{
    allin1_status status = ALLIN1_OK;
    layout l = {0};
    unsigned char *file = NULL;
    A1_CHECK(plan(set, half, &l, err));
    file = a1_aligned_alloc(l.file_size);
    if (!file) {
        status = a1_fail_memory(err, path);
        goto done;
    }
    A1_CHECK(fill_file(file, set, &l, pool, err));
    A1_CHECK(replace_file(path, file, l.file_size, err));
done:
    a1_aligned_free(file);
    free(l.tensors);
    return status;
}
