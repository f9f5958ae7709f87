/* Key files: what by-products were made from, and whether they are still whole.
 *
 * A text file beside the by-products: a first line with its version, the key, and one line with the
 * name and the SHA-256 of each file. */
#ifndef A1_OUTPUT_KEY_FILE_H
#define A1_OUTPUT_KEY_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* Whether `path` holds `key` and each of `files` (paths in the same folder) has the digest that it
 * tells. When not, `reason` says why in a few words; "" when there is no key file at all. */
bool a1_key_file_fits(const char *path, const char *key, const char *const *files, size_t count,
                      char reason[256]);

/* Writes it, reading the files for their digests. */
allin1_status a1_key_file_write(const char *path, const char *key, const char *const *files,
                                size_t count, a1_error *err);

#endif
