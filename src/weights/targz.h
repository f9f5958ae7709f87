/* One member out of a gzipped tar archive. */
#ifndef A1_WEIGHTS_TARGZ_H
#define A1_WEIGHTS_TARGZ_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* Writes the regular file `member` of the .tar.gz in `bytes` to the new file `path`. It must be
 * exactly `size` bytes long; nothing else is ever written. Nothing is left under `path` on failure.
 * `what` names the archive in errors. Formats: RFC 1952, POSIX ustar (members' names may be split
 * into prefix and name; extension headers are passed over). */
allin1_status a1_targz_extract(const void *bytes, size_t archive_size, const char *what,
                               const char *member, uint64_t size, const char *path, a1_error *err);

#endif
