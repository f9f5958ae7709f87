/* Weights as the kernels want them, beside the file they were made from.
 *
 * Which layout a precision has, its owner knows (demix/htdemucs.h) and tells in a word, the packing:
 * "mixed-1". "htdemucs.a1w" packed so is "htdemucs.mixed-1.packed", of the format of mapped.h, with the
 * same text values, "digest" among them, and "packing". Such a file only saves time: without it, or when
 * it is damaged, the same panels are packed in memory. */
#ifndef A1_WEIGHTS_PACKED_H
#define A1_WEIGHTS_PACKED_H

#include <stdbool.h>

#include "base/error.h"
#include "base/threads.h"
#include "tensor/tensor.h"
#include "weights/model_table.h"
#include "weights/places.h"

#define A1_PACKED_FORMAT "packed" /* the end of the file's name, and what results call the format */

/* Where the packed form of the .a1w file at `from` lies; false when the path has no such end or would be
 * too long. */
bool a1_packed_path(char path[A1_PATH_ROOM], const char *from, const char *packing);

/* Maps a packed file and makes it prove itself: its checksum, its packing, and the digest of the model
 * that was packed. The caller destroys *set. */
allin1_status a1_packed_read(const char *path, const a1_model_file *file, const char *packing,
                             a1_pool *pool, a1_tensor_set **set, a1_error *err);

/* Writes a packed set of `file`, whole or not at all, and reads it back. */
allin1_status a1_packed_write(const char *path, const a1_tensor_set *set, const a1_model_file *file,
                              a1_pool *pool, a1_error *err);

#endif
