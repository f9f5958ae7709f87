/* Temporary folders for work in progress, which leave no trace. */
#ifndef A1_WEIGHTS_SCRATCH_H
#define A1_WEIGHTS_SCRATCH_H

#include <stdint.h>

#include "base/error.h"
#include "weights/places.h"

/* Makes `path` and the folders above it, where they do not exist. */
allin1_status a1_make_folders(const char *path, a1_error *err);

/* Makes a new folder inside `parent`, so that what is finished in it can be renamed into `parent`.
 * Removes what processes that no longer run have left behind there. */
allin1_status a1_scratch_create(char path[A1_PATH_ROOM], const char *parent, a1_error *err);

/* Removes the folder and all that is in it; does not follow symbolic links. "" is left alone. */
void a1_scratch_remove(const char *path);

/* Bytes of all files below `path`. */
uint64_t a1_scratch_bytes(const char *path);

#endif
