#include "weights/packed.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "weights/mapped.h"

bool a1_packed_path(char path[A1_PATH_ROOM], const char *from, const char *packing)
{
    const size_t length = strlen(from);
    if (length < 4 || strcmp(from + length - 4, ".a1w") != 0)
        return false;
    const int written = snprintf(path, A1_PATH_ROOM, "%.*s.%s." A1_PACKED_FORMAT, (int)length - 4,
                                 from, packing);
    return written > 0 && written < A1_PATH_ROOM;
}

allin1_status a1_packed_write(const char *path, const a1_tensor_set *set, const a1_model_file *file,
                              a1_pool *pool, a1_error *err)
{
    a1_tensor_set *check = NULL;
    A1_TRY(a1_mapped_write(path, set, false, pool, err));
    const allin1_status status =
        a1_packed_read(path, file, a1_tensor_set_text(set, A1_PACKING), pool, &check, err);
    a1_tensor_set_destroy(&check);
    if (status != ALLIN1_OK)
        unlink(path);
    return status;
}
