/* SHA digests of bytes, files and tensor sets. */
#ifndef A1_WEIGHTS_DIGEST_H
#define A1_WEIGHTS_DIGEST_H

#include <stddef.h>

#include "base/error.h"
#include "tensor/tensor.h"

#define A1_SHA256_BYTES 32
#define A1_SHA256_HEX 65 /* with the ending zero */
#define A1_SHA512_BYTES 64

allin1_status a1_sha256(const void *data, size_t size, unsigned char digest[A1_SHA256_BYTES],
                        a1_error *err);
allin1_status a1_sha256_hex(const void *data, size_t size, char hex[A1_SHA256_HEX], a1_error *err);
allin1_status a1_sha512(const void *data, size_t size, unsigned char digest[A1_SHA512_BYTES],
                        a1_error *err);

/* Lower-case hexadecimal; `hex` has room for 2 * size + 1 characters. */
void a1_hex(const unsigned char *bytes, size_t size, char *hex);

/* Base64 with padding; `text` has room for 4 * ((size + 2) / 3) + 1 characters. */
void a1_base64(const unsigned char *bytes, size_t size, char *text);

/* One digest for the content of a model, whichever file it came from. SHA-256 over "allin1 tensors"
 * and a zero byte; then, for every tensor in the order of the bytes of its name: the name and a
 * zero byte, the rank as 32 bits, each length as 64 bits, the values as float32; all little-endian.
 * Text values do not take part. Fails on a tensor that is neither floating point nor int8. */
allin1_status a1_tensor_set_digest(const a1_tensor_set *set, char hex[A1_SHA256_HEX],
                                   a1_error *err);

/* The set's tensors sorted by the bytes of their names: an array of a1_tensor_set_count pointers
 * that the caller frees, or NULL when memory is short. */
const a1_tensor **a1_tensor_set_sorted(const a1_tensor_set *set);

#endif
