/* Files that appear whole or not at all. */
#ifndef A1_OUTPUT_FILE_H
#define A1_OUTPUT_FILE_H

#include <stddef.h>

#include "base/error.h"

/* A file being written under a temporary name in the folder of `path`. */
typedef struct a1_output_file {
    int descriptor; /* -1 when closed */
    char *path;
    char *temporary;
} a1_output_file;

/* Makes the folder when it is missing and starts the temporary file. */
allin1_status a1_output_open(a1_output_file *file, const char *path, a1_error *err);

allin1_status a1_output_write(a1_output_file *file, const void *data, size_t size, a1_error *err);

/* Flushes to the disk, closes and renames, so that a full disk is noticed before the old file goes.
 * The file is closed afterwards, also on failure; then the temporary file is gone. */
allin1_status a1_output_commit(a1_output_file *file, a1_error *err);

/* Drops what was written. Safe on a closed file. */
void a1_output_abort(a1_output_file *file);

/* The three in one. */
allin1_status a1_output_whole(const char *path, const void *data, size_t size, a1_error *err);

/* Makes a folder and those above it; one that exists is fine. */
allin1_status a1_output_make_folders(const char *path, a1_error *err);

#endif
