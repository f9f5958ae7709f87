/* SHA-256 of whole files and of texts that are put together piece by piece. */
#ifndef A1_OUTPUT_FILE_HASH_H
#define A1_OUTPUT_FILE_HASH_H

#include <stddef.h>

#include "base/error.h"
#include "weights/digest.h"

typedef struct a1_hash a1_hash;

allin1_status a1_hash_begin(a1_hash **hash, a1_error *err);
/* Adding cannot fail: a failure shows in a1_hash_end. */
void a1_hash_add(a1_hash *hash, const void *data, size_t size);
void a1_hash_format(a1_hash *hash, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Frees the hash in any case. */
allin1_status a1_hash_end(a1_hash **hash, char hex[A1_SHA256_HEX], a1_error *err);

/* Reads the file; an error names it and the reason. Only regular files are read. */
allin1_status a1_file_sha256(const char *path, char hex[A1_SHA256_HEX], a1_error *err);

#endif
