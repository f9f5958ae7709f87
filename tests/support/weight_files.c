#include "support/weight_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zip.h>
#include <zlib.h>

#include "support/files.h"
#include "support/golden.h"
#include "tensor/half.h"
#include "weights/byte_reader.h"

void test_put(test_bytes *bytes, const void *data, size_t size)
{
    if (size > bytes->capacity - bytes->size) {
        bytes->capacity = (bytes->size + size) * 2 + 64;
        bytes->data = realloc(bytes->data, bytes->capacity);
        assert_non_null(bytes->data);
    }
    if (size)
        memcpy(bytes->data + bytes->size, data, size);
    bytes->size += size;
}

void test_put_text(test_bytes *bytes, const char *text)
{
    test_put(bytes, text, strlen(text));
}

void test_put_number(test_bytes *bytes, unsigned width, uint64_t number)
{
    unsigned char encoded[8];
    a1_put_number(encoded, width, number);
    test_put(bytes, encoded, width);
}

void test_bytes_free(test_bytes *bytes)
{
    free(bytes->data);
    *bytes = (test_bytes){0};
}

void test_save(const char *path, const test_bytes *bytes)
{
    test_write_bytes(path, bytes->data, bytes->size);
}

test_bytes test_load(const char *path)
{
    size_t size;
    uint8_t *data = test_read_bytes(path, &size);
    return (test_bytes){data, size, size};
}

test_bytes test_npy(const char *dictionary, const void *values, size_t size)
{
    test_bytes bytes = {0};
    const size_t length = strlen(dictionary);
    const size_t padded = (10 + length + 1 + 63) / 64 * 64 - 10;
    test_put(&bytes, "\x93NUMPY\x01\x00", 8);
    test_put_number(&bytes, 2, padded);
    test_put_text(&bytes, dictionary);
    for (size_t i = length; i + 1 < padded; i++)
        test_put_text(&bytes, " ");
    test_put_text(&bytes, "\n");
    test_put(&bytes, values, size);
    return bytes;
}

test_bytes test_zip(test_member *members, size_t count, int deflated)
{
    zip_error_t error;
    zip_error_init(&error);
    zip_source_t *memory = zip_source_buffer_create(NULL, 0, 0, &error);
    assert_non_null(memory);
    zip_t *archive = zip_open_from_source(memory, ZIP_CREATE | ZIP_TRUNCATE, &error);
    assert_non_null(archive);
    zip_source_keep(memory);
    for (size_t i = 0; i < count; i++) {
        zip_source_t *source =
            zip_source_buffer(archive, members[i].content.data, members[i].content.size, 0);
        assert_non_null(source);
        const zip_int64_t index = zip_file_add(archive, members[i].name, source, 0);
        assert_true(index >= 0);
        zip_set_file_compression(archive, (zip_uint64_t)index,
                                 deflated ? ZIP_CM_DEFLATE : ZIP_CM_STORE, 0);
    }
    assert_int_equal(zip_close(archive), 0);
    assert_int_equal(zip_source_open(memory), 0);
    test_bytes bytes = {0};
    char buffer[4096];
    for (zip_int64_t got; (got = zip_source_read(memory, buffer, sizeof buffer)) > 0;)
        test_put(&bytes, buffer, (size_t)got);
    zip_source_close(memory);
    zip_source_free(memory);
    zip_error_fini(&error);
    for (size_t i = 0; i < count; i++)
        test_bytes_free(&members[i].content);
    return bytes;
}

void test_pickle_text(test_bytes *pickle, const char *text)
{
    test_put_text(pickle, "X");
    test_put_number(pickle, 4, strlen(text));
    test_put_text(pickle, text);
}

void test_pickle_int(test_bytes *pickle, int64_t number)
{
    if (number >= 0 && number < 256) {
        test_put_text(pickle, "K");
        test_put_number(pickle, 1, (uint64_t)number);
    } else if (number >= INT32_MIN && number <= INT32_MAX) {
        test_put_text(pickle, "J");
        test_put_number(pickle, 4, (uint64_t)number);
    } else {
        test_put_text(pickle, "\x8a\x08");
        test_put_number(pickle, 8, (uint64_t)number);
    }
}

void test_pickle_float(test_bytes *pickle, double number)
{
    uint64_t bits;
    memcpy(&bits, &number, sizeof bits);
    test_put_text(pickle, "G");
    for (unsigned i = 0; i < 8; i++)
        test_put_number(pickle, 1, bits >> (56 - 8 * i) & 255);
}

void test_pickle_global(test_bytes *pickle, const char *module, const char *name)
{
    test_put_text(pickle, "c");
    test_put_text(pickle, module);
    test_put_text(pickle, "\n");
    test_put_text(pickle, name);
    test_put_text(pickle, "\n");
}

static void pickle_sizes(test_bytes *pickle, unsigned rank, const size_t *sizes)
{
    test_put_text(pickle, "(");
    for (unsigned axis = 0; axis < rank; axis++)
        test_pickle_int(pickle, (int64_t)sizes[axis]);
    test_put_text(pickle, "t");
}

void test_pickle_tensor(test_bytes *pickle, const char *type, const char *key, size_t numel,
                        size_t offset, unsigned rank, const size_t *shape, const size_t *strides)
{
    test_pickle_global(pickle, "torch._utils", "_rebuild_tensor_v2");
    test_put_text(pickle, "((");
    test_pickle_text(pickle, "storage");
    test_pickle_global(pickle, "torch", type);
    test_pickle_text(pickle, key);
    test_pickle_text(pickle, "cpu");
    test_pickle_int(pickle, (int64_t)numel);
    test_put_text(pickle, "tQ");
    test_pickle_int(pickle, (int64_t)offset);
    pickle_sizes(pickle, rank, shape);
    pickle_sizes(pickle, rank, strides);
    test_put_text(pickle, "\x89"); /* requires_grad */
    test_pickle_global(pickle, "collections", "OrderedDict");
    test_put_text(pickle, ")RtR");
}

test_bytes test_torch(test_bytes *pickle, test_bytes *storages, size_t storage_count)
{
    test_member *members = calloc(storage_count + 2, sizeof *members);
    char(*names)[32] = calloc(storage_count, sizeof *names);
    assert_true(members && (names || storage_count == 0));
    members[0] = (test_member){"model/data.pkl", *pickle};
    members[1] = (test_member){"model/version", {0}};
    test_put_text(&members[1].content, "3\n");
    for (size_t i = 0; i < storage_count; i++) {
        snprintf(names[i], sizeof names[i], "model/data/%zu", i);
        members[2 + i] = (test_member){names[i], storages[i]};
        storages[i] = (test_bytes){0};
    }
    *pickle = (test_bytes){0};
    test_bytes bytes = test_zip(members, storage_count + 2, 0);
    free(members);
    free(names);
    return bytes;
}

static void put_state(test_bytes *pickle, const a1_tensor_set *set, const char *prefix, int half,
                      test_bytes *storages)
{
    test_pickle_global(pickle, "collections", "OrderedDict");
    test_put_text(pickle, ")R(");
    for (size_t i = 0; i < a1_tensor_set_count(set); i++) {
        const a1_tensor *tensor = a1_tensor_set_at(set, i);
        const float *values = tensor->data;
        const size_t count = a1_tensor_count(tensor);
        size_t strides[A1_MAX_RANK], stride = 1;
        char name[256], key[32];
        for (unsigned axis = tensor->rank; axis-- > 0; stride *= tensor->shape[axis])
            strides[axis] = stride;
        for (size_t k = 0; k < count; k++) {
            if (half)
                test_put_number(&storages[i], 2, a1_f32_to_half(values[k]));
            else
                test_put_number(&storages[i], 4, a1_f32_bits(values[k]));
        }
        snprintf(name, sizeof name, "%s%s", prefix, tensor->name);
        snprintf(key, sizeof key, "%zu", i);
        test_pickle_text(pickle, name);
        test_pickle_tensor(pickle, half ? "HalfStorage" : "FloatStorage", key, count, 0,
                           tensor->rank, tensor->shape, strides);
    }
    test_put_text(pickle, "u");
    /* The attribute that PyTorch hangs on a state_dict. */
    test_put_text(pickle, "}");
    test_pickle_text(pickle, "_metadata");
    test_put_text(pickle, "}sb");
}

test_bytes test_torch_model(const a1_tensor_set *set, const char *wrapper, const char *prefix,
                            int half, const char *config_key, double config_value)
{
    const size_t count = a1_tensor_set_count(set);
    test_bytes pickle = {0}, *storages = calloc(count, sizeof *storages);
    assert_non_null(storages);
    test_put(&pickle, "\x80\x02", 2);
    if (wrapper) {
        test_put_text(&pickle, "}(");
        /* The class, its arguments and a fraction, as Meta's files have them. */
        test_pickle_text(&pickle, "klass");
        test_pickle_global(&pickle, "demucs.htdemucs", "HTDemucs");
        test_pickle_text(&pickle, "args");
        test_put_text(&pickle, ")");
        test_pickle_text(&pickle, "kwargs");
        test_put_text(&pickle, "}(");
        test_pickle_text(&pickle, "segment");
        test_pickle_global(&pickle, "fractions", "Fraction");
        test_pickle_text(&pickle, "39/5");
        test_put_text(&pickle, "\x85R");
        test_pickle_text(&pickle, "sources");
        test_put_text(&pickle, "](");
        test_pickle_text(&pickle, "drums");
        test_pickle_text(&pickle, "bass");
        test_put_text(&pickle, "eu");
        if (config_key) {
            test_pickle_text(&pickle, "config");
            test_put_text(&pickle, "}");
            test_pickle_text(&pickle, config_key);
            test_pickle_float(&pickle, config_value);
            test_put_text(&pickle, "s");
        }
        test_pickle_text(&pickle, wrapper);
    }
    put_state(&pickle, set, prefix, half, storages);
    test_put_text(&pickle, wrapper ? "u." : ".");
    test_bytes bytes = test_torch(&pickle, storages, count);
    free(storages);
    return bytes;
}

void test_varint(test_bytes *bytes, uint64_t value)
{
    for (; value >= 128; value >>= 7)
        test_put_number(bytes, 1, (value & 127) | 128);
    test_put_number(bytes, 1, value);
}

void test_field(test_bytes *bytes, unsigned number, const void *data, size_t size)
{
    test_varint(bytes, (uint64_t)number << 3 | 2);
    test_varint(bytes, size);
    test_put(bytes, data, size);
}

test_bytes test_onnx_tensor(const char *name, unsigned rank, const size_t *shape,
                            const float *values, int as_float_data)
{
    test_bytes tensor = {0};
    size_t count = 1;
    for (unsigned axis = 0; axis < rank; axis++) {
        test_varint(&tensor, 1 << 3);
        test_varint(&tensor, shape[axis]);
        count *= shape[axis];
    }
    test_varint(&tensor, 2 << 3);
    test_varint(&tensor, 1);
    test_field(&tensor, 8, name, strlen(name));
    test_field(&tensor, as_float_data ? 4 : 9, values, count * sizeof *values);
    return tensor;
}

void test_onnx_add(test_bytes *graph, test_bytes *tensor)
{
    test_field(graph, 5, tensor->data, tensor->size);
    test_bytes_free(tensor);
}

test_bytes test_onnx_model(test_bytes *graph)
{
    test_bytes model = {0};
    test_varint(&model, 1 << 3); /* ir_version */
    test_varint(&model, 8);
    test_field(&model, 2, "pytorch", 7);
    test_field(&model, 7, graph->data, graph->size);
    test_bytes_free(graph);
    return model;
}

typedef struct exporter {
    const a1_tensor_set *set;
    test_bytes graph;
    unsigned number;
    const a1_tensor *taken[1024]; /* tensors that have their generated initialiser already */
    size_t taken_count;
} exporter;

static const a1_tensor *take(exporter *e, const char *name)
{
    const a1_tensor *tensor = a1_tensor_set_find(e->set, name);
    if (!tensor)
        fail_msg("no tensor %s", name);
    e->taken[e->taken_count++] = tensor;
    return tensor;
}

static void emit(exporter *e, const char *kind, unsigned rank, const size_t *shape,
                 const float *values)
{
    char name[64];
    snprintf(name, sizeof name, "onnx::%s_%u", kind, e->number++);
    test_bytes tensor = test_onnx_tensor(name, rank, shape, values, 0);
    test_onnx_add(&e->graph, &tensor);
}

static void emit_vector(exporter *e, const char *kind, const char *prefix, const char *name)
{
    char whole[160];
    snprintf(whole, sizeof whole, "%s.%s", prefix, name);
    const a1_tensor *tensor = take(e, whole);
    emit(e, kind, 2, (const size_t[]){tensor->shape[0], 1}, tensor->data);
}

/* Rows first .. first + rows - 1 of a matrix, transposed and times `scale`. */
static void emit_transposed(exporter *e, const char *kind, const a1_tensor *tensor, size_t first,
                            size_t rows, float scale)
{
    const size_t columns = tensor->shape[1];
    const float *in = tensor->data;
    float *out = malloc(rows * columns * sizeof *out);
    assert_non_null(out);
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < columns; c++)
            out[c * rows + r] = in[(first + r) * columns + c] * scale;
    if (strcmp(kind, "Expand") == 0)
        emit(e, kind, 4, (const size_t[]){1, columns, rows, 1}, out);
    else
        emit(e, kind, 2, (const size_t[]){columns, rows}, out);
    free(out);
}

static void emit_linear(exporter *e, const char *prefix, const char *name)
{
    char whole[160];
    snprintf(whole, sizeof whole, "%s.%s", prefix, name);
    const a1_tensor *tensor = take(e, whole);
    emit_transposed(e, "MatMul", tensor, 0, tensor->shape[0], 1.0f);
}

static void emit_dconv(exporter *e, const char *branch, int level)
{
    for (int layer = 0; layer < 2; layer++) {
        char prefix[80];
        snprintf(prefix, sizeof prefix, "%s.%d.dconv.layers.%d", branch, level, layer);
        emit_vector(e, "Mul", prefix, "1.weight");
        emit_vector(e, "Add", prefix, "1.bias");
        emit_vector(e, "Mul", prefix, "4.weight");
        emit_vector(e, "Add", prefix, "4.bias");
        emit_vector(e, "Mul", prefix, "6.scale");
    }
}

static void emit_layer(exporter *e, const char *branch, int layer)
{
    char prefix[80], name[128];
    snprintf(prefix, sizeof prefix, "crosstransformer.%s.%d", branch, layer);
    if (layer % 2 == 0) {
        emit_linear(e, prefix, "self_attn.in_proj_weight");
    } else if (strcmp(branch, "layers") == 0) {
        snprintf(name, sizeof name, "%s.cross_attn.in_proj_bias", prefix);
        const a1_tensor *bias = take(e, name);
        snprintf(name, sizeof name, "%s.cross_attn.in_proj_weight", prefix);
        const a1_tensor *weight = take(e, name);
        const size_t width = weight->shape[1];
        emit(e, "Add", 1, &width, bias->data);
        emit(e, "Add", 1, (const size_t[]){2 * width}, (const float *)bias->data + width);
        emit_transposed(e, "MatMul", weight, 0, width, 1.0f);
        emit_transposed(e, "MatMul", weight, width, 2 * width, 1.0f);
    }
    emit_linear(e, prefix, "linear1.weight");
    emit_linear(e, prefix, "linear2.weight");
    emit_vector(e, "Mul", prefix, "norm_out.weight");
    emit_vector(e, "Add", prefix, "norm_out.bias");
}

test_bytes test_onnx_htdemucs(const a1_tensor_set *set)
{
    exporter e = {.set = set, .number = 5074};
    for (int level = 0; level < 4; level++) {
        emit_dconv(&e, "tencoder", level);
        emit_dconv(&e, "encoder", level);
        if (level == 0) {
            const a1_tensor *table = take(&e, "freq_emb.embedding.weight");
            emit_transposed(&e, "Expand", table, 0, table->shape[0], 10.0f);
        }
    }
    for (int layer = 0; layer < 5; layer++) {
        emit_layer(&e, "layers", layer);
        emit_layer(&e, "layers_t", layer);
    }
    for (int step = 0; step < 4; step++) {
        emit_dconv(&e, "decoder", step);
        emit_dconv(&e, "tdecoder", step);
    }
    for (size_t i = 0; i < a1_tensor_set_count(set); i++) {
        const a1_tensor *tensor = a1_tensor_set_at(set, i);
        size_t k = 0;
        while (k < e.taken_count && e.taken[k] != tensor)
            k++;
        if (k < e.taken_count)
            continue;
        test_bytes named =
            test_onnx_tensor(tensor->name, tensor->rank, tensor->shape, tensor->data, i % 2 == 0);
        test_onnx_add(&e.graph, &named);
    }
    return test_onnx_model(&e.graph);
}

void test_tar_add(test_bytes *tar, const char *name, char type, const void *data, size_t size)
{
    char header[512] = {0};
    snprintf(header, 100, "%s", name);
    memcpy(header + 100, "0000644", 7);
    snprintf(header + 124, 12, "%011zo", size);
    memset(header + 148, ' ', 8);
    header[156] = type;
    memcpy(header + 257, "ustar\00000", 8);
    unsigned sum = 0;
    for (size_t i = 0; i < sizeof header; i++)
        sum += (unsigned char)header[i];
    snprintf(header + 148, 8, "%06o", sum);
    test_put(tar, header, sizeof header);
    test_put(tar, data, size);
    static const char zeros[512];
    test_put(tar, zeros, (512 - size % 512) % 512);
}

test_bytes test_gzip_tar(test_bytes *tar)
{
    static const char zeros[1024];
    test_put(tar, zeros, sizeof zeros);
    test_bytes bytes = {0};
    z_stream z = {0};
    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    bytes.capacity = deflateBound(&z, tar->size) + 64;
    bytes.data = malloc(bytes.capacity);
    assert_non_null(bytes.data);
    z.next_in = tar->data;
    z.avail_in = (uInt)tar->size;
    z.next_out = bytes.data;
    z.avail_out = (uInt)bytes.capacity;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    bytes.size = bytes.capacity - z.avail_out;
    deflateEnd(&z);
    test_bytes_free(tar);
    return bytes;
}
