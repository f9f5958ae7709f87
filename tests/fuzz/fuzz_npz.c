/* NumPy arrays. The first byte chooses: a single array, or an archive of them. */
#include <stddef.h>
#include <stdint.h>

#include "weights/npz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    a1_tensor_set *set = NULL;
    a1_error err;
    if (size == 0 || a1_tensor_set_create(&set, &err) != ALLIN1_OK)
        return 0;
    if (data[0] & 1)
        (void)a1_npy_parse(data + 1, size - 1, "fuzz.npy", "x", set, &err);
    else
        (void)a1_npz_parse(data + 1, size - 1, "fuzz.npz", set, &err);
    a1_tensor_set_destroy(&set);
    return 0;
}
