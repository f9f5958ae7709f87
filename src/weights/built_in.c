#include "weights/built_in.h"

#include <string.h>

#include "weights/mapped.h"

static allin1_status read_digest(const char *name, a1_tensor_set *set, bool deep,
                                 char digest[A1_SHA256_HEX], a1_error *err)
{
    const char *family = a1_tensor_set_text(set, "family");
    const char *recorded = a1_tensor_set_text(set, "digest");
    if (!family || strcmp(family, name) != 0 || !recorded || strlen(recorded) != A1_SHA256_HEX - 1)
        return a1_fail(err, ALLIN1_ERROR_WEIGHTS_DAMAGED, "the weights built in are no %s", name);
    memcpy(digest, recorded, A1_SHA256_HEX);
    if (!deep)
        return ALLIN1_OK;
    A1_TRY(a1_tensor_set_digest(set, digest, err));
    return strcmp(digest, recorded) == 0
               ? ALLIN1_OK
               : a1_fail(err, ALLIN1_ERROR_WEIGHTS_DAMAGED,
                         "the tensors of the %s built in are not those that it says it holds", name);
}

allin1_status a1_built_in_read(const char *name, const void *bytes, size_t size, bool deep,
                               a1_pool *pool, a1_tensor_set **set, char digest[A1_SHA256_HEX],
                               a1_error *err)
{
    *set = NULL;
    if (size == 0)
        return a1_fail(err, ALLIN1_ERROR_WEIGHTS_MISSING,
                       "no %s is built in: its weights were not there when this program was built",
                       name);
    A1_TRY(a1_tensor_set_create(set, err));
    allin1_status status = a1_mapped_parse(bytes, size, A1_BUILT_IN_PATH, true, pool, *set, err);
    if (status == ALLIN1_OK)
        status = read_digest(name, *set, deep, digest, err);
    if (status != ALLIN1_OK)
        a1_tensor_set_destroy(set);
    return status;
}
