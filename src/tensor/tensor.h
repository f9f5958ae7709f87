/* Named tensors: what every weight reader produces and every model is built from. No mathematics. */
#ifndef A1_TENSOR_H
#define A1_TENSOR_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define A1_MAX_RANK 8

typedef enum a1_dtype {
    A1_F32 = 0,
    A1_F16,
    A1_BF16,
    A1_F64,
    A1_I8,
    A1_U8,
    A1_I16,
    A1_I32,
    A1_I64
} a1_dtype;

/* Bytes of one element; 0 for a value that is not an a1_dtype. */
size_t a1_dtype_size(a1_dtype dtype);
/* "float32", "float16", ... Never NULL. */
const char *a1_dtype_string(a1_dtype dtype);

/* A dense, C-ordered, little-endian tensor. It owns neither its name nor its data. */
typedef struct a1_tensor {
    const char *name;
    a1_dtype dtype;
    unsigned rank;
    size_t shape[A1_MAX_RANK];
    const void *data; /* aligned to at least the element's size */
} a1_tensor;

/* Elements in all; callers have checked that it does not overflow (a1_tensor_set_add does). */
size_t a1_tensor_count(const a1_tensor *tensor);

/* Tensors by name, plus the text values that came with them, and ownership of the memory behind
 * both. Read-only after it was filled; then safe to share between threads. */
typedef struct a1_tensor_set a1_tensor_set;

allin1_status a1_tensor_set_create(a1_tensor_set **set, a1_error *err);
/* Takes NULL and half-built sets; sets the pointer to NULL. */
void a1_tensor_set_destroy(a1_tensor_set **set);

/* Adds a tensor. Name and shape are copied. `data` is borrowed and must outlive the set, unless
 * a1_tensor_set_own was called for the block that holds it. Fails on a name that is already there,
 * on a rank above A1_MAX_RANK and on a size that overflows. */
allin1_status a1_tensor_set_add(a1_tensor_set *set, const a1_tensor *tensor, a1_error *err);

/* Hands a block of memory to the set, which calls release(block, size) when it is destroyed. On
 * failure the caller still owns the block. */
allin1_status a1_tensor_set_own(a1_tensor_set *set, void *block, size_t size,
                                void (*release)(void *block, size_t size), a1_error *err);

/* Key of the text value of a set that holds matrices as the kernels want them: which layout that is. */
#define A1_PACKING "packing"

/* Text values, for example "family" = "htdemucs" or "source_sha256" = "...". Both are copied. */
allin1_status a1_tensor_set_put_text(a1_tensor_set *set, const char *key, const char *value,
                                     a1_error *err);
const char *a1_tensor_set_text(const a1_tensor_set *set, const char *key); /* NULL when absent */
size_t a1_tensor_set_text_count(const a1_tensor_set *set);
void a1_tensor_set_text_at(const a1_tensor_set *set, size_t index, const char **key,
                           const char **value);
/* Puts all of one set's text values into another. */
allin1_status a1_tensor_set_copy_texts(a1_tensor_set *to, const a1_tensor_set *from, a1_error *err);

size_t a1_tensor_set_count(const a1_tensor_set *set);
const a1_tensor *a1_tensor_set_at(const a1_tensor_set *set, size_t index); /* in order of adding */
const a1_tensor *a1_tensor_set_find(const a1_tensor_set *set, const char *name); /* or NULL */

/* The tensor `name` of exactly this rank and shape; an error names what differs. A shape entry of
 * SIZE_MAX accepts any length. */
allin1_status a1_tensor_set_require(const a1_tensor_set *set, const char *name, unsigned rank,
                                    const size_t *shape, const a1_tensor **tensor, a1_error *err);

/* Copies a tensor's elements to float32. float32, float16, bfloat16 and float64 are accepted. */
allin1_status a1_tensor_to_f32(const a1_tensor *tensor, float *out, a1_error *err);

/* The same of an int8 tensor's whole numbers, which mean something only with a scale. */
void a1_tensor_whole_to_f32(const a1_tensor *tensor, float *out);

#endif
