#include "weights/places.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool a1_path_join(char path[A1_PATH_ROOM], const char *folder, const char *name)
{
    const int length = snprintf(path, A1_PATH_ROOM, "%s/%s", folder, name);
    return length > 0 && length < A1_PATH_ROOM;
}

bool a1_places_cache(char path[A1_PATH_ROOM])
{
    /* The XDG specification has relative paths ignored. */
    const char *cache = getenv("XDG_CACHE_HOME");
    if (cache && cache[0] == '/')
        return a1_path_join(path, cache, "allin1");
    const char *home = getenv("HOME");
    return home && home[0] == '/' && a1_path_join(path, home, ".cache/allin1");
}

static allin1_status add_place(a1_places *places, const char *folder, const char *family,
                               a1_error *err)
{
    char *direct = places->paths[places->count], *below = places->paths[places->count + 1];
    const int length = snprintf(direct, A1_PATH_ROOM, "%s", folder);
    for (size_t i = 0; i < places->count; i += 2)
        if (strcmp(places->paths[i], folder) == 0)
            return ALLIN1_OK;
    if (length >= A1_PATH_ROOM || !a1_path_join(below, folder, family))
        return a1_fail(err, ALLIN1_ERROR_ARGUMENT, "the path of the folder %.100s... is too long",
                       folder);
    places->count += 2;
    return ALLIN1_OK;
}

allin1_status a1_places_find(a1_places *places, const char *weights_dir, const char *family,
                             a1_error *err)
{
    places->count = 0;
    if (weights_dir && *weights_dir)
        A1_TRY(add_place(places, weights_dir, family, err));
    const char *variable = getenv("ALLIN1_WEIGHTS");
    if (variable && *variable)
        A1_TRY(add_place(places, variable, family, err));
    char cache[A1_PATH_ROOM];
    if (a1_places_cache(cache))
        A1_TRY(add_place(places, cache, family, err));
    return ALLIN1_OK;
}
