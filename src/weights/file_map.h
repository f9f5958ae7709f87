/* A whole file, mapped read-only. */
#ifndef A1_WEIGHTS_FILE_MAP_H
#define A1_WEIGHTS_FILE_MAP_H

#include <stddef.h>

#include "base/error.h"

typedef struct a1_file_map {
    const unsigned char *data; /* page-aligned; never NULL after opening */
    size_t size;               /* bytes; may be 0 */
} a1_file_map;

/* Maps the regular file `path`. ALLIN1_ERROR_IO with the system's reason on failure; anything but a
 * regular file is refused. A file that another program shortens while it is mapped raises SIGBUS:
 * model files are replaced by renaming, never rewritten in place. */
allin1_status a1_file_map_open(a1_file_map *map, const char *path, a1_error *err);

/* Safe on a zeroed map. */
void a1_file_map_close(a1_file_map *map);

/* The same for a mapping handed to a tensor set (release function of a1_tensor_set_own). */
void a1_file_map_release(void *data, size_t size);

#endif
