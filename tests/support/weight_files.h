/* Weight files of every format, made in memory: small ones whose every byte is known. Failures to
 * make them fail the running test. */
#ifndef TEST_SUPPORT_WEIGHT_FILES_H
#define TEST_SUPPORT_WEIGHT_FILES_H

#include <stddef.h>
#include <stdint.h>

#include "tensor/tensor.h"

/* A growing block of bytes; starts zeroed. */
typedef struct test_bytes {
    unsigned char *data;
    size_t size, capacity;
} test_bytes;

void test_put(test_bytes *bytes, const void *data, size_t size);
void test_put_text(test_bytes *bytes, const char *text); /* without the ending zero */
void test_put_number(test_bytes *bytes, unsigned width, uint64_t number); /* little-endian */
void test_bytes_free(test_bytes *bytes);

/* Writes the bytes to a file, and reads a file. */
void test_save(const char *path, const test_bytes *bytes);
test_bytes test_load(const char *path);

/* ------------------------------------------------------------------------------------------------
 * .npy, and zip archives */

/* A version 1.0 array whose header is `dictionary`, padded as NumPy does. */
test_bytes test_npy(const char *dictionary, const void *values, size_t size);

typedef struct test_member {
    const char *name;
    test_bytes content;
} test_member;

/* A zip archive of the members; stored, or deflated. Takes the contents over. */
test_bytes test_zip(test_member *members, size_t count, int deflate);

/* ------------------------------------------------------------------------------------------------
 * Pickles as torch.save writes them */

void test_pickle_text(test_bytes *pickle, const char *text);
void test_pickle_int(test_bytes *pickle, int64_t number);
void test_pickle_float(test_bytes *pickle, double number);
void test_pickle_global(test_bytes *pickle, const char *module, const char *name);
/* torch._utils._rebuild_tensor_v2 of a view of storage `key`. `type` such as "FloatStorage". */
void test_pickle_tensor(test_bytes *pickle, const char *type, const char *key, size_t numel,
                        size_t offset, unsigned rank, const size_t *shape, const size_t *strides);

/* The archive around data.pkl and the storages "0", "1", ... Takes them over. */
test_bytes test_torch(test_bytes *pickle, test_bytes *storages, size_t storage_count);

/* A whole file in which `set` (float32) is what `wrapper` names ("state_dict"; NULL: the root
 * itself), each name with `prefix` before it. `half` stores float16. `config_key` with
 * `config_value` becomes an entry of "config" unless it is NULL. */
test_bytes test_torch_model(const a1_tensor_set *set, const char *wrapper, const char *prefix,
                            int half, const char *config_key, double config_value);

/* ------------------------------------------------------------------------------------------------
 * ONNX */

void test_varint(test_bytes *bytes, uint64_t value);
void test_field(test_bytes *bytes, unsigned number, const void *data,
                size_t size); /* length-delimited */
/* A TensorProto of float32 values as raw_data (or float_data). */
test_bytes test_onnx_tensor(const char *name, unsigned rank, const size_t *shape,
                            const float *values, int as_float_data);
/* Adds a TensorProto to a GraphProto, and frees it. */
void test_onnx_add(test_bytes *graph, test_bytes *tensor);
/* A ModelProto around the graph, which is freed. */
test_bytes test_onnx_model(test_bytes *graph);
/* HTDemucs as the exporter writes it, from a set with PyTorch's names. */
test_bytes test_onnx_htdemucs(const a1_tensor_set *set);

/* ------------------------------------------------------------------------------------------------
 * tar.gz */

/* Adds a ustar entry. */
void test_tar_add(test_bytes *tar, const char *name, char type, const void *data, size_t size);
/* Ends the archive and compresses it; `tar` is freed. */
test_bytes test_gzip_tar(test_bytes *tar);

#endif
