#include "weights/onnx.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "weights/byte_reader.h"
#include "weights/layout.h"

#define MAX_NAME 512

/* Field numbers of onnx.proto. */
enum {
    MODEL_GRAPH = 7,
    GRAPH_INITIALIZER = 5,
    GRAPH_SPARSE_INITIALIZER = 15,
    TENSOR_DIMS = 1,
    TENSOR_DATA_TYPE = 2,
    TENSOR_SEGMENT = 3,
    TENSOR_FLOAT_DATA = 4,
    TENSOR_NAME = 8,
    TENSOR_RAW_DATA = 9,
    TENSOR_EXTERNAL_DATA = 13,
    TENSOR_DATA_LOCATION = 14
};

enum { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 };

typedef struct field {
    uint32_t number;
    unsigned wire;
    uint64_t value;  /* WIRE_VARINT, WIRE_64, WIRE_32 */
    a1_reader bytes; /* WIRE_BYTES */
} field;

static bool read_varint(a1_reader *reader, uint64_t *value)
{
    uint64_t result = 0;
    for (unsigned shift = 0; shift < 70; shift += 7) {
        const unsigned char *byte = a1_read_bytes(reader, 1);
        if (!byte)
            return false;
        /* The tenth byte has room for one bit. */
        if (shift == 63 && *byte > 1)
            return false;
        result |= (uint64_t)(*byte & 127) << shift;
        if (*byte < 128) {
            *value = result;
            return true;
        }
    }
    return false;
}

static bool read_field(a1_reader *reader, field *f)
{
    uint64_t key, length;
    if (!read_varint(reader, &key) || key >> 3 == 0 || key >> 3 > 0x1fffffff)
        return false;
    f->number = (uint32_t)(key >> 3);
    f->wire = key & 7;
    switch (f->wire) {
    case WIRE_VARINT:
        return read_varint(reader, &f->value);
    case WIRE_64:
        return a1_read_number(reader, 8, &f->value);
    case WIRE_32:
        return a1_read_number(reader, 4, &f->value);
    case WIRE_BYTES:
        if (!read_varint(reader, &length) || length > a1_reader_left(reader))
            return false;
        f->bytes = (a1_reader){a1_read_bytes(reader, (size_t)length), (size_t)length, 0};
        return true;
    default: /* groups are not used by ONNX */
        return false;
    }
}

/* What a TensorProto says, with its values still where they are in the file. */
typedef struct record {
    char name[MAX_NAME];
    unsigned rank;
    size_t shape[A1_MAX_RANK];
    a1_dtype dtype;
    size_t element, count, bytes;
    bool raw;
    a1_reader raw_data;
    size_t floats; /* in float_data */
    size_t at;     /* in the file, for errors */
} record;

static bool find_type(uint64_t type, a1_dtype *dtype)
{
    static const struct {
        uint64_t type;
        a1_dtype dtype;
    } types[] = {{1, A1_F32}, {2, A1_U8}, {3, A1_I8},   {5, A1_I16},  {6, A1_I32},
                 {7, A1_I64}, {9, A1_U8}, {10, A1_F16}, {11, A1_F64}, {16, A1_BF16}};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (types[i].type == type) {
            *dtype = types[i].dtype;
            return true;
        }
    return false;
}

static bool add_dimension(record *r, uint64_t length)
{
    if (r->rank == A1_MAX_RANK || length > (uint64_t)INT64_MAX || length > SIZE_MAX)
        return false;
    r->shape[r->rank++] = (size_t)length;
    return true;
}

static bool read_dimensions(record *r, const field *f)
{
    if (f->wire == WIRE_VARINT)
        return add_dimension(r, f->value);
    if (f->wire != WIRE_BYTES)
        return false;
    a1_reader packed = f->bytes;
    uint64_t length;
    while (a1_reader_left(&packed) > 0)
        if (!read_varint(&packed, &length) || !add_dimension(r, length))
            return false;
    return true;
}

static allin1_status check_size(record *r, const char *what, a1_error *err)
{
    r->element = a1_dtype_size(r->dtype);
    r->count = 1;
    for (unsigned axis = 0; axis < r->rank; axis++) {
        if (r->shape[axis] != 0 && r->count > (size_t)PTRDIFF_MAX / r->element / r->shape[axis])
            return a1_fail(err, ALLIN1_ERROR_FORMAT, "%s: initialiser \"%s\": its size overflows",
                           what, r->name);
        r->count *= r->shape[axis];
    }
    r->bytes = r->count * r->element;
    const size_t there = r->raw ? r->raw_data.size : r->floats * sizeof(float);
    if (there != r->bytes || (r->raw && r->floats) || (r->floats && r->dtype != A1_F32))
        return a1_fail(err, ALLIN1_ERROR_FORMAT,
                       "%s: initialiser \"%s\": the shape asks for %zu bytes, %zu are there", what,
                       r->name, r->bytes, there);
    return ALLIN1_OK;
}

static allin1_status read_record(const a1_reader *message, const unsigned char *file, record *r,
                                 const char *what, a1_error *err)
{
    *r = (record){.at = (size_t)(message->data - file)};
    a1_reader reader = *message;
    bool has_type = false;
    while (a1_reader_left(&reader) > 0) {
        field f;
        if (!read_field(&reader, &f))
            goto malformed;
        switch (f.number) {
        case TENSOR_DIMS:
            if (!read_dimensions(r, &f))
                goto malformed;
            break;
        case TENSOR_DATA_TYPE:
            if (f.wire != WIRE_VARINT)
                goto malformed;
            if (!find_type(f.value, &r->dtype))
                return a1_fail(err, ALLIN1_ERROR_UNSUPPORTED,
                               "%s: the initialiser at byte %zu has elements of type %llu", what,
                               r->at, (unsigned long long)f.value);
            has_type = true;
            break;
        case TENSOR_FLOAT_DATA:
            if (f.wire == WIRE_32)
                r->floats++;
            else if (f.wire == WIRE_BYTES && f.bytes.size % sizeof(float) == 0)
                r->floats += f.bytes.size / sizeof(float);
            else
                goto malformed;
            break;
        case TENSOR_NAME:
            if (f.wire != WIRE_BYTES || f.bytes.size >= MAX_NAME ||
                memchr(f.bytes.data, 0, f.bytes.size))
                goto malformed;
            memcpy(r->name, f.bytes.data, f.bytes.size);
            r->name[f.bytes.size] = '\0';
            break;
        case TENSOR_RAW_DATA:
            if (f.wire != WIRE_BYTES)
                goto malformed;
            r->raw = true;
            r->raw_data = f.bytes;
            break;
        case TENSOR_DATA_LOCATION:
            if (f.wire == WIRE_VARINT && f.value == 0)
                break;
            /* fallthrough */
        case TENSOR_SEGMENT:
        case TENSOR_EXTERNAL_DATA:
            return a1_fail(err, ALLIN1_ERROR_UNSUPPORTED,
                           "%s: the values of the initialiser at byte %zu are not in this file",
                           what, r->at);
        default:
            break;
        }
    }
    if (!has_type)
        goto malformed;
    return check_size(r, what, err);
malformed:
    return a1_fail(err, ALLIN1_ERROR_FORMAT, "%s: the initialiser at byte %zu is malformed", what,
                   r->at);
}

/* float_data may come in several pieces, packed or one by one. */
static void copy_floats(const a1_reader *message, unsigned char *out)
{
    a1_reader reader = *message;
    field f;
    while (a1_reader_left(&reader) > 0 && read_field(&reader, &f)) {
        if (f.number != TENSOR_FLOAT_DATA)
            continue;
        if (f.wire == WIRE_32) {
            a1_put_number(out, 4, f.value);
            out += 4;
        } else {
            memcpy(out, f.bytes.data, f.bytes.size);
            out += f.bytes.size;
        }
    }
}

typedef struct import {
    const unsigned char *file;
    const char *what;
    a1_tensor_set *set;
    unsigned char *block; /* NULL while sizes are being added up */
    size_t used;
} import;

static allin1_status import_tensor(import *in, const a1_reader *message, a1_error *err)
{
    record r;
    A1_TRY(read_record(message, in->file, &r, in->what, err));
    const size_t at = in->used;
    if (r.bytes > (size_t)PTRDIFF_MAX / 2 - at)
        return a1_fail(err, ALLIN1_ERROR_FORMAT, "%s: too much data", in->what);
    in->used += a1_arena_cost(r.bytes);
    if (!in->block)
        return ALLIN1_OK;
    if (r.raw && r.bytes)
        memcpy(in->block + at, r.raw_data.data, r.bytes);
    else if (!r.raw)
        copy_floats(message, in->block + at);
    a1_tensor tensor = {.name = r.name, .dtype = r.dtype, .rank = r.rank, .data = in->block + at};
    memcpy(tensor.shape, r.shape, sizeof tensor.shape);
    const allin1_status status = a1_tensor_set_add(in->set, &tensor, err);
    return status == ALLIN1_OK ? status : a1_fail_prefix(err, status, "%s", in->what);
}

static allin1_status walk_graph(import *in, a1_reader graph, a1_error *err)
{
    field f;
    while (a1_reader_left(&graph) > 0) {
        const size_t at = (size_t)(graph.data + graph.at - in->file);
        if (!read_field(&graph, &f))
            return a1_fail(err, ALLIN1_ERROR_FORMAT, "%s: the graph is malformed at byte %zu",
                           in->what, at);
        if (f.number == GRAPH_SPARSE_INITIALIZER)
            return a1_fail(err, ALLIN1_ERROR_UNSUPPORTED, "%s: sparse initialisers", in->what);
        if (f.number == GRAPH_INITIALIZER) {
            if (f.wire != WIRE_BYTES)
                return a1_fail(err, ALLIN1_ERROR_FORMAT, "%s: the graph is malformed at byte %zu",
                               in->what, at);
            A1_TRY(import_tensor(in, &f.bytes, err));
        }
    }
    return ALLIN1_OK;
}

static allin1_status walk_model(import *in, size_t size, a1_error *err)
{
    a1_reader model = {in->file, size, 0};
    bool has_graph = false;
    in->used = 0;
    while (a1_reader_left(&model) > 0) {
        const size_t at = model.at;
        field f;
        if (!read_field(&model, &f) || (f.number == MODEL_GRAPH && f.wire != WIRE_BYTES))
            return a1_fail(err, ALLIN1_ERROR_FORMAT, "%s is no ONNX model: malformed at byte %zu",
                           in->what, at);
        if (f.number == MODEL_GRAPH) {
            has_graph = true;
            A1_TRY(walk_graph(in, f.bytes, err));
        }
    }
    if (!has_graph)
        return a1_fail(err, ALLIN1_ERROR_FORMAT, "%s is no ONNX model: it has no graph", in->what);
    return ALLIN1_OK;
}

allin1_status a1_onnx_parse(const void *bytes, size_t size, const char *what, a1_tensor_set *set,
                            a1_error *err)
{
import in = {.file = bytes, .what = what, .set = set };
    A1_TRY(walk_model(&in, size, err));
    unsigned char *block = a1_aligned_alloc(in.used);
    if (!block)
        return a1_fail_memory(err, what);
    const allin1_status owned =
        a1_tensor_set_own(set, block, in.used, a1_layout_release_aligned, err);
    if (owned != ALLIN1_OK) {
        a1_aligned_free(block);
        return owned;
    }
    in.block = block;
    return walk_model(&in, size, err);
}
