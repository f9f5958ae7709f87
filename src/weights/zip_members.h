/* The members of a zip archive in memory: all that the .npz and PyTorch readers need of libzip. */
#ifndef A1_WEIGHTS_ZIP_MEMBERS_H
#define A1_WEIGHTS_ZIP_MEMBERS_H

#include <stddef.h>

#include "base/error.h"

typedef struct a1_zip a1_zip;

/* Opens the archive in `bytes`, which must outlive it; `what` names it in errors. */
allin1_status a1_zip_open(a1_zip **zip, const void *bytes, size_t size, const char *what,
                          a1_error *err);
void a1_zip_close(a1_zip **zip);

size_t a1_zip_count(const a1_zip *zip);

/* Name (valid while the archive is open) and uncompressed size of a member. The size is a claim of
 * the archive, but never more than deflate could have made of the archive's bytes. */
allin1_status a1_zip_member(const a1_zip *zip, size_t index, const char **name, size_t *size,
                            a1_error *err);

/* The index of the member `name`, or a1_zip_count when there is none. */
size_t a1_zip_find(const a1_zip *zip, const char *name);

/* Reads a member whole; it must be exactly `size` bytes long and match its checksum. */
allin1_status a1_zip_read(const a1_zip *zip, size_t index, void *out, size_t size, a1_error *err);

#endif
