/* ONNX files, and the binding of what they hold. */
#include <stddef.h>
#include <stdint.h>

#include "weights/onnx.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    a1_tensor_set *set = NULL, *bound = NULL;
    a1_error err;
    if (a1_tensor_set_create(&set, &err) != ALLIN1_OK)
        return 0;
    if (a1_onnx_parse(data, size, "fuzz.onnx", set, &err) == ALLIN1_OK)
        (void)a1_onnx_bind_htdemucs(&set, &bound, &err);
    a1_tensor_set_destroy(&bound);
    a1_tensor_set_destroy(&set);
    return 0;
}
