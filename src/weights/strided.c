#include "weights/strided.h"

#include <string.h>

#include "tensor/tensor.h"

void a1_copy_strided(void *out, const void *in, size_t element, unsigned rank, const size_t *shape,
                     const size_t *strides)
{
    size_t count = 1, position[A1_MAX_RANK] = {0}, offset = 0;
    for (unsigned axis = 0; axis < rank; axis++)
        count *= shape[axis];
    unsigned char *to = out;
    const unsigned char *from = in;
    for (size_t i = 0; i < count; i++) {
        memcpy(to + i * element, from + offset * element, element);
        for (unsigned axis = rank; axis-- > 0;) {
            offset += strides[axis];
            if (++position[axis] < shape[axis])
                break;
            offset -= strides[axis] * shape[axis];
            position[axis] = 0;
        }
    }
}

bool a1_strides_dense(unsigned rank, const size_t *shape, const size_t *strides)
{
    size_t expected = 1;
    for (unsigned axis = rank; axis-- > 0;) {
        if (shape[axis] != 1 && strides[axis] != expected)
            return false;
        expected *= shape[axis];
    }
    return true;
}
