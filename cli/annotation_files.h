/* The annotations of a folder, song by song. */
#ifndef CLI_ANNOTATION_FILES_H
#define CLI_ANNOTATION_FILES_H

#include <stdbool.h>
#include <stddef.h>

/* One song: the files that annotate it, the most telling first. */
typedef struct annotated_song {
    char *name; /* the files' without folder and suffix */
    char **paths;
    size_t path_count;
} annotated_song;

typedef struct annotation_folder {
    annotated_song *songs; /* sorted by name */
    size_t count;
} annotation_folder;

/* Looks at the folder and at the folders in it, for files with the names that annotations have. Says
 * what is wrong on the error stream and returns false on failure; what there is has to be freed in any
 * case. */
bool annotation_folder_read(annotation_folder *folder, const char *path);
void annotation_folder_free(annotation_folder *folder);

/* The song of that name, or NULL. */
const annotated_song *annotation_folder_find(const annotation_folder *folder, const char *name);

#endif
