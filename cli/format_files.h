/* A song's files in the formats of other programs. */
#ifndef CLI_FORMAT_FILES_H
#define CLI_FORMAT_FILES_H

#include "format_list.h"

typedef struct format_files {
    const allin1_format *formats[MAX_FORMATS];
    char *paths[MAX_FORMATS];
    size_t count;
} format_files;

/* DIR/NAME.SUFFIX for each format of the list but json. False when memory ran out; what there is has
 * to be freed in any case. */
bool format_files_name(format_files *files, const format_list *list, const char *folder,
                       const char *name);
void format_files_free(format_files *files);

/* The path of the first, or NULL. */
const char *format_files_first(const format_files *files);

/* Writes all; stops at the first failure. `context` may be NULL. */
allin1_status format_files_save(const format_files *files, allin1_context *context,
                                const allin1_result *result, allin1_error *error);

/* Makes those that are not there, or are not what the result at `json` gives; says which. `song` is
 * the path that the result is to name, NULL: as it does. */
allin1_status format_files_refresh(const format_files *files, allin1_context *context,
                                   const char *json, const char *song, allin1_error *error);

#endif
