/* Copying a strided view into a dense, C-ordered tensor. */
#ifndef A1_WEIGHTS_STRIDED_H
#define A1_WEIGHTS_STRIDED_H

#include <stdbool.h>
#include <stddef.h>

/* out[i0][i1]... = in[i0 * strides[0] + i1 * strides[1] + ...]; `element` is the size of one
 * element in bytes, strides count elements. The caller has checked that every index lies inside
 * `in`. */
void a1_copy_strided(void *out, const void *in, size_t element, unsigned rank, const size_t *shape,
                     const size_t *strides);

/* Whether a view with these strides is dense and C-ordered (axes of length 1 do not matter). */
bool a1_strides_dense(unsigned rank, const size_t *shape, const size_t *strides);

#endif
