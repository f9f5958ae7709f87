/* From a model's name to its verified tensors. */
#ifndef A1_WEIGHTS_WEIGHTS_H
#define A1_WEIGHTS_WEIGHTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/threads.h"
#include "tensor/tensor.h"
#include "weights/digest.h"
#include "weights/model_table.h"
#include "weights/places.h"

#define A1_WEIGHTS_MAX_FILES 8

typedef struct a1_weights_info {
    char path[A1_PATH_ROOM];    /* of the file that was read */
    const char *format;         /* "a1w", "packed", "npz", "torch", "onnx" */
    char digest[A1_SHA256_HEX]; /* a1_tensor_set_digest: the same whichever file it came from */
    const char *name;           /* in the model table, or NULL for a model that is not in it */
    const char *licence;        /* of the model table, or NULL */
    char warning[1024];         /* a damaged file that was passed over on the way, or "" */
} a1_weights_info;

/* The model files that make up `model` ("harmonix-all": its eight folds; the name of a file or a
 * path ending in .a1w: itself). names[] points into static storage or is `model`. An unknown name
 * is an ALLIN1_ERROR_ARGUMENT that lists the known ones. */
allin1_status a1_weights_files(const char *model, const char *names[A1_WEIGHTS_MAX_FILES],
                               size_t *count, a1_error *err);

/* Finds, verifies and reads one model file: "htdemucs", "harmonix-fold3", or the path of a .a1w
 * file.
 *
 * Searched are the places of places.h; in each first the .a1w file, then the published forms. A
 * file counts only when it proves itself: its digest or checksum, and its tensors' digest in the
 * model table. A damaged one is passed over (info->warning) when another is good. `weights_dir` may
 * be NULL, `pool` may be NULL, `info` may be NULL.
 *
 * The set holds PyTorch's names; harmonix convolutions in the layout of the published .npz. Text
 * values: those that mapped.h names. The caller destroys *set. ALLIN1_ERROR_WEIGHTS_MISSING names the
 * places that were searched, ALLIN1_ERROR_WEIGHTS_DAMAGED the file and the command that mends it. */
allin1_status a1_weights_load(const char *weights_dir, const char *file_name, a1_pool *pool,
                              a1_tensor_set **set, a1_weights_info *info, a1_error *err);

/* The same, but a .a1w file is read in the packed form that lies beside it (packed.h), where that is
 * there and proves itself; a damaged one is passed over. The digest is that of the tensors that were
 * packed. `packing` may be NULL; for the path of a file there is no packed form. */
allin1_status a1_weights_load_packed(const char *weights_dir, const char *file_name,
                                     const char *packing, a1_pool *pool, a1_tensor_set **set,
                                     a1_weights_info *info, a1_error *err);

/* Whether there is a file for each part of the model, or the model is built in. Nothing is read: a file
 * may still turn out to be damaged. */
allin1_status a1_weights_there(const char *weights_dir, const char *model, bool *there, a1_error *err);

/* Loads all files of a model, packed as a1_weights_load_packed does; when some are missing, the error
 * names them all. sets[] and infos[] have room for A1_WEIGHTS_MAX_FILES; infos may be NULL. On failure
 * nothing is left in sets[]. */
allin1_status a1_weights_load_model(const char *weights_dir, const char *model,
                                    const char *packing, a1_pool *pool,
                                    a1_tensor_set *sets[A1_WEIGHTS_MAX_FILES],
                                    a1_weights_info *infos, size_t *count, a1_error *err);

/* Reads one candidate. `file` says what it must prove to be (NULL: anything, for the form .a1w
 * only); `source` is the entry of its published form (NULL for .a1w). `deep` recomputes the
 * tensors' digest of a .a1w file instead of trusting the one recorded in it. The errors name the
 * path. */
allin1_status a1_weights_read(const char *path, const a1_model_file *file,
                              const a1_source_file *source, bool deep, a1_pool *pool,
                              a1_tensor_set **set, char digest[A1_SHA256_HEX], a1_error *err);

/* Calls `fn` for every existing file that could hold `file`, in the order of the search, until it
 * returns false. `source` is NULL for a .a1w file. */
typedef bool (*a1_candidate_fn)(void *user, const char *path, const a1_source_file *source);
allin1_status a1_weights_candidates(const char *weights_dir, const a1_model_file *file,
                                    a1_candidate_fn fn, void *user, a1_error *err);

#endif
