/* Where weight files are looked for. */
#ifndef A1_WEIGHTS_PLACES_H
#define A1_WEIGHTS_PLACES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

#define A1_PATH_ROOM 4096
#define A1_MAX_PLACES 6

typedef struct a1_places {
    size_t count;
    char paths[A1_MAX_PLACES][A1_PATH_ROOM]; /* folders, in the order in which they are searched */
} a1_places;

/* The folders for a family of models: `weights_dir` (when not NULL or empty), $ALLIN1_WEIGHTS and
 * the user's cache, each one itself and then its subfolder named after the family. They need not
 * exist. */
allin1_status a1_places_find(a1_places *places, const char *weights_dir, const char *family,
                             a1_error *err);

/* The user's cache: $XDG_CACHE_HOME/allin1, else $HOME/.cache/allin1. False when neither variable
 * holds an absolute path or the path is too long. */
bool a1_places_cache(char path[A1_PATH_ROOM]);

/* folder/name; false when that is too long. */
bool a1_path_join(char path[A1_PATH_ROOM], const char *folder, const char *name);

#endif
