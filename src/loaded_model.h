/* The files of a model, read and verified. */
#ifndef A1_LOADED_MODEL_H
#define A1_LOADED_MODEL_H

#include <stdbool.h>

#include <allin1/allin1.h>

#include "base/error.h"
#include "weights/weights.h"

/* A model between being found and being built: the digests are needed long before the weights. */
typedef struct a1_loaded_model {
    a1_tensor_set *sets[A1_WEIGHTS_MAX_FILES]; /* until the model is built */
    a1_weights_info *infos;                    /* [count] */
    size_t count;                              /* 0: not loaded yet */
} a1_loaded_model;

/* The files of a model, verified and read; of the family, or a student in the place of a harmonix
 * network. Packed as `packing` says where that is there; NULL: as they are. */
allin1_status a1_context_find_files(allin1_context *context, const char *name, const char *family,
                                    const char *packing, a1_loaded_model *model, a1_error *err);
/* What reading a file did not find wrong and building from it does, is the file's fault too: turns
 * a failure of format into one of damaged weights that names the file. Other statuses pass. */
allin1_status a1_say_damaged(allin1_status status, const a1_weights_info *file, a1_error *err);
/* Whether the file with this index is of the family; until the model is built. */
bool a1_loaded_model_has_family(const a1_loaded_model *model, size_t index, const char *family);
void a1_loaded_model_free_sets(a1_loaded_model *model);
void a1_loaded_model_free(a1_loaded_model *model);

#endif
