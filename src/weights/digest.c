#include "weights/digest.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "weights/byte_reader.h"

static allin1_status digest_failed(a1_error *err)
{
    return a1_fail(err, ALLIN1_ERROR_INTERNAL, "the SHA-2 functions of libcrypto failed");
}

allin1_status a1_sha256(const void *data, size_t size, unsigned char digest[A1_SHA256_BYTES],
                        a1_error *err)
{
    return EVP_Digest(data, size, digest, NULL, EVP_sha256(), NULL) == 1 ? ALLIN1_OK
                                                                         : digest_failed(err);
}

allin1_status a1_sha256_hex(const void *data, size_t size, char hex[A1_SHA256_HEX], a1_error *err)
{
    unsigned char digest[A1_SHA256_BYTES];
    A1_TRY(a1_sha256(data, size, digest, err));
    a1_hex(digest, sizeof digest, hex);
    return ALLIN1_OK;
}

allin1_status a1_sha512(const void *data, size_t size, unsigned char digest[A1_SHA512_BYTES],
                        a1_error *err)
{
    return EVP_Digest(data, size, digest, NULL, EVP_sha512(), NULL) == 1 ? ALLIN1_OK
                                                                         : digest_failed(err);
}

void a1_hex(const unsigned char *bytes, size_t size, char *hex)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < size; i++) {
        hex[2 * i] = digits[bytes[i] >> 4];
        hex[2 * i + 1] = digits[bytes[i] & 15];
    }
    hex[2 * size] = '\0';
}

void a1_base64(const unsigned char *bytes, size_t size, char *text)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < size; i += 3) {
        const unsigned left = size - i > 2 ? 3 : (unsigned)(size - i);
        unsigned word = (unsigned)bytes[i] << 16;
        if (left > 1)
            word |= (unsigned)bytes[i + 1] << 8;
        if (left > 2)
            word |= bytes[i + 2];
        for (unsigned digit = 0; digit < 4; digit++)
            *text++ = digit <= left ? digits[word >> (18 - 6 * digit) & 63] : '=';
    }
    *text = '\0';
}

static int compare_names(const void *a, const void *b)
{
    return strcmp((*(const a1_tensor *const *)a)->name, (*(const a1_tensor *const *)b)->name);
}

const a1_tensor **a1_tensor_set_sorted(const a1_tensor_set *set)
{
    const size_t count = a1_tensor_set_count(set);
    const a1_tensor **sorted = calloc(count + 1, sizeof *sorted);
    if (!sorted)
        return NULL;
    for (size_t i = 0; i < count; i++)
        sorted[i] = a1_tensor_set_at(set, i);
    qsort(sorted, count, sizeof *sorted, compare_names);
    return sorted;
}

/* Feeds the values as float32, a bounded piece at a time. */
static allin1_status feed_values(EVP_MD_CTX *context, const a1_tensor *tensor, a1_error *err)
{
    const size_t count = a1_tensor_count(tensor), size = a1_dtype_size(tensor->dtype);
    if (tensor->dtype == A1_F32)
        return count == 0 || EVP_DigestUpdate(context, tensor->data, count * size) == 1
                   ? ALLIN1_OK
                   : digest_failed(err);
    float piece[4096];
    const size_t piece_count = sizeof piece / sizeof *piece;
    for (size_t at = 0; at < count; at += piece_count) {
        a1_tensor part = {.name = tensor->name,
                          .dtype = tensor->dtype,
                          .rank = 1,
                          .shape = {count - at < piece_count ? count - at : piece_count},
                          .data = (const unsigned char *)tensor->data + at * size};
        if (tensor->dtype == A1_I8)
            a1_tensor_whole_to_f32(&part, piece);
        else
            A1_TRY(a1_tensor_to_f32(&part, piece, err));
        if (EVP_DigestUpdate(context, piece, part.shape[0] * sizeof *piece) != 1)
            return digest_failed(err);
    }
    return ALLIN1_OK;
}

static allin1_status feed_tensor(EVP_MD_CTX *context, const a1_tensor *tensor, a1_error *err)
{
    unsigned char numbers[4 + 8 * A1_MAX_RANK];
    a1_put_number(numbers, 4, tensor->rank);
    for (unsigned axis = 0; axis < tensor->rank; axis++)
        a1_put_number(numbers + 4 + 8 * axis, 8, tensor->shape[axis]);
    if (EVP_DigestUpdate(context, tensor->name, strlen(tensor->name) + 1) != 1 ||
        EVP_DigestUpdate(context, numbers, 4 + 8 * tensor->rank) != 1)
        return digest_failed(err);
    return feed_values(context, tensor, err);
}

allin1_status a1_tensor_set_digest(const a1_tensor_set *set, char hex[A1_SHA256_HEX], a1_error *err)
{
    static const char domain[] = "allin1 tensors";
    allin1_status status = ALLIN1_OK;
    unsigned char digest[A1_SHA256_BYTES];
    const a1_tensor **sorted = a1_tensor_set_sorted(set);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (!sorted || !context) {
        status = a1_fail_memory(err, "a digest");
        goto done;
    }
    if (EVP_DigestInit_ex(context, EVP_sha256(), NULL) != 1 ||
        EVP_DigestUpdate(context, domain, sizeof domain) != 1) {
        status = digest_failed(err);
        goto done;
    }
    for (size_t i = 0; i < a1_tensor_set_count(set); i++)
        A1_CHECK(feed_tensor(context, sorted[i], err));
    if (EVP_DigestFinal_ex(context, digest, NULL) != 1)
        status = digest_failed(err);
    else
        a1_hex(digest, sizeof digest, hex);
done:
    EVP_MD_CTX_free(context);
    free(sorted);
    return status;
}
