/* Our own files, without the checksum, which would let nothing through. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/arena.h"
#include "weights/digest.h"
#include "weights/mapped.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    a1_tensor_set *set = NULL;
    a1_error err;
    /* The format asks for alignment; what is read beyond the end is caught by the check below. */
    void *aligned = a1_aligned_alloc(size + 64);
    if (!aligned || a1_tensor_set_create(&set, &err) != ALLIN1_OK) {
        a1_aligned_free(aligned);
        return 0;
    }
    unsigned char *bytes = (unsigned char *)aligned;
    if (size)
        memcpy(bytes, data, size);
    if (a1_mapped_parse(bytes, size, "fuzz.a1w", false, NULL, set, &err) == ALLIN1_OK) {
        /* Whatever was accepted can be read to its last value. */
        unsigned sum = 0;
        for (size_t i = 0; i < a1_tensor_set_count(set); i++) {
            const a1_tensor *tensor = a1_tensor_set_at(set, i);
            const size_t end = a1_tensor_count(tensor) * a1_dtype_size(tensor->dtype);
            const unsigned char *first = tensor->data;
            if (first < bytes || end > size || (size_t)(first - bytes) > size - end)
                __builtin_trap();
            for (size_t k = 0; k < end; k++)
                sum += first[k];
        }
        char digest[A1_SHA256_HEX];
        digest[0] = (char)sum;
        (void)a1_tensor_set_digest(set, digest, &err);
    }
    a1_tensor_set_destroy(&set);
    a1_aligned_free(aligned);
    return 0;
}
