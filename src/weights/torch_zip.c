#include "weights/torch_zip.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "weights/layout.h"
#include "weights/pickle.h"
#include "weights/strided.h"
#include "weights/zip_members.h"

#define MAX_NAME 512
#define MAX_DEPTH 8       /* of nested dictionaries */
#define MAX_VISITS 200000 /* entries looked at, however they are shared */

typedef struct archive {
    const char *what;
    size_t size;
    a1_zip *zip;
    char root[MAX_NAME]; /* folder inside the archive, with its slash */
    const void **blocks; /* storages that were read, by index of their member */
    size_t member_count;
    size_t storage_bytes, copied_bytes; /* so far */
    size_t visits;
    a1_tensor_set *set;
} archive;

/* The folder is named after the file that was saved; the pickle's own name is fixed. */
static allin1_status find_root(archive *a, size_t *index, size_t *size, a1_error *err)
{
    static const char suffix[] = "/data.pkl";
    const size_t suffix_length = sizeof suffix - 1;
    for (size_t i = 0; i < a->member_count; i++) {
        const char *name;
        A1_TRY(a1_zip_member(a->zip, i, &name, size, err));
        const size_t length = strlen(name);
        if (length <= suffix_length || length >= MAX_NAME ||
            strcmp(name + length - suffix_length, suffix) != 0)
            continue;
        snprintf(a->root, sizeof a->root, "%.*s", (int)(length - suffix_length + 1), name);
        *index = i;
        return ALLIN1_OK;
    }
    return a1_fail(err, ALLIN1_ERROR_FORMAT, "%s holds no data.pkl: it was not saved by PyTorch",
                   a->what);
}

static allin1_status check_byte_order(const archive *a, a1_error *err)
{
    char name[MAX_NAME + 16], text[8] = "";
    const char *found;
    size_t size;
    snprintf(name, sizeof name, "%sbyteorder", a->root);
    const size_t index = a1_zip_find(a->zip, name);
    if (index == a->member_count)
        return ALLIN1_OK; /* older files have none and are little-endian */
    A1_TRY(a1_zip_member(a->zip, index, &found, &size, err));
    if (size < sizeof text)
        A1_TRY(a1_zip_read(a->zip, index, text, size, err));
    if (strcmp(text, "little") != 0)
        return a1_fail(err, ALLIN1_ERROR_UNSUPPORTED, "%s is not little-endian", a->what);
    return ALLIN1_OK;
}

static bool storage_type(const a1_pickle_value *type, a1_dtype *dtype)
{
    static const struct {
        const char *name;
        a1_dtype dtype;
    } types[] = {{"torch FloatStorage", A1_F32},     {"torch HalfStorage", A1_F16},
                 {"torch BFloat16Storage", A1_BF16}, {"torch DoubleStorage", A1_F64},
                 {"torch LongStorage", A1_I64},      {"torch IntStorage", A1_I32},
                 {"torch ShortStorage", A1_I16},     {"torch CharStorage", A1_I8},
                 {"torch ByteStorage", A1_U8},       {"torch BoolStorage", A1_U8}};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (a1_pickle_is_global(type, types[i].name)) {
            *dtype = types[i].dtype;
            return true;
        }
    return false;
}

/* A non-negative number. */
static bool as_size(const a1_pickle_value *value, size_t *size)
{
    if (value->kind != A1_PICKLE_INT || value->integer < 0 || (uint64_t)value->integer > SIZE_MAX)
        return false;
    *size = (size_t)value->integer;
    return true;
}

/* A plain string. */
static bool is_text(const a1_pickle_value *value)
{
    return value->kind == A1_PICKLE_STRING && strlen(value->text) == value->length;
}

/* Reads data/KEY once; every tensor on the same storage shares it. */
static allin1_status read_storage(archive *a, const char *key, size_t bytes, const char *tensor,
                                  const void **data, a1_error *err)
{
    char name[2 * MAX_NAME];
    const char *found;
    size_t size;
    if (strlen(key) >= MAX_NAME / 2)
        return a1_fail(err, ALLIN1_ERROR_FORMAT, "%s: tensor \"%s\": malformed storage", a->what,
                       tensor);
    snprintf(name, sizeof name, "%sdata/%s", a->root, key);
    const size_t index = a1_zip_find(a->zip, name);
    if (index == a->member_count)
        return a1_fail(err, ALLIN1_ERROR_FORMAT, "%s: tensor \"%s\": member %s is missing", a->what,
                       tensor, name);
    A1_TRY(a1_zip_member(a->zip, index, &found, &size, err));
    if (size != bytes)
        return a1_fail(err, ALLIN1_ERROR_FORMAT,
                       "%s: tensor \"%s\": member %s has %zu bytes instead of %zu", a->what, tensor,
                       name, size, bytes);
    if (!a->blocks[index]) {
        /* PyTorch stores without compression, so all storages together fit into the file. */
        if (size > a->size - a->storage_bytes)
            return a1_fail(err, ALLIN1_ERROR_FORMAT, "%s: more data than the file can hold",
                           a->what);
        a->storage_bytes += size;
        void *block = a1_aligned_alloc(size);
        if (!block)
            return a1_fail_memory(err, a->what);
        allin1_status status = a1_zip_read(a->zip, index, block, size, err);
        if (status == ALLIN1_OK)
            status = a1_tensor_set_own(a->set, block, size, a1_layout_release_aligned, err);
        if (status != ALLIN1_OK) {
            a1_aligned_free(block);
            return status;
        }
        a->blocks[index] = block;
    }
    *data = a->blocks[index];
    return ALLIN1_OK;
}

/* Whether the view stays inside a storage of `numel` elements, and how many elements it has. */
static bool view_fits(const a1_tensor *tensor, const size_t *strides, size_t offset, size_t numel,
                      size_t *count)
{
    size_t elements = 1, last = offset;
    for (unsigned axis = 0; axis < tensor->rank; axis++)
        if (tensor->shape[axis] == 0)
            elements = 0;
    for (unsigned axis = 0; elements && axis < tensor->rank; axis++) {
        size_t reach;
        if (__builtin_mul_overflow(elements, tensor->shape[axis], &elements) ||
            __builtin_mul_overflow(tensor->shape[axis] - 1, strides[axis], &reach) ||
            __builtin_add_overflow(last, reach, &last))
            return false;
    }
    *count = elements;
    return elements == 0 || last < numel;
}

/* storage, offset, shape, strides, ...: the arguments of torch._utils._rebuild_tensor_v2. */
static allin1_status add_view(archive *a, const char *name, const a1_pickle_value *arguments,
                              a1_error *err)
{
    a1_tensor tensor = {.name = name};
    size_t strides[A1_MAX_RANK], offset, numel, count;
    if (arguments->kind != A1_PICKLE_TUPLE || arguments->count < 4)
        goto malformed;
    a1_pickle_value *const *argument = arguments->items;
    if (argument[0]->kind != A1_PICKLE_PERSISTENT ||
        argument[0]->items[0]->kind != A1_PICKLE_TUPLE || argument[0]->items[0]->count < 5 ||
        !as_size(argument[1], &offset) || argument[2]->kind != A1_PICKLE_TUPLE ||
        argument[3]->kind != A1_PICKLE_TUPLE || argument[2]->count != argument[3]->count ||
        argument[2]->count > A1_MAX_RANK)
        goto malformed;
    /* "storage", type, key, device, number of elements */
    a1_pickle_value *const *storage = argument[0]->items[0]->items;
    if (!is_text(storage[0]) || strcmp(storage[0]->text, "storage") != 0 || !is_text(storage[2]) ||
        !as_size(storage[4], &numel))
        goto malformed;
    if (!storage_type(storage[1], &tensor.dtype))
        return a1_fail(err, ALLIN1_ERROR_UNSUPPORTED,
                       "%s: tensor \"%s\": storage of an unknown type", a->what, name);
    tensor.rank = (unsigned)argument[2]->count;
    for (unsigned axis = 0; axis < tensor.rank; axis++)
        if (!as_size(argument[2]->items[axis], &tensor.shape[axis]) ||
            !as_size(argument[3]->items[axis], &strides[axis]))
            goto malformed;
    const size_t element = a1_dtype_size(tensor.dtype);
    if (numel > (size_t)PTRDIFF_MAX / element ||
        !view_fits(&tensor, strides, offset, numel, &count))
        return a1_fail(err, ALLIN1_ERROR_FORMAT, "%s: tensor \"%s\" reaches outside its storage",
                       a->what, name);
    const void *data = NULL;
    A1_TRY(read_storage(a, storage[2]->text, numel * element, name, &data, err));
    if (count == 0) {
        tensor.data = data;
    } else if (a1_strides_dense(tensor.rank, tensor.shape, strides)) {
        tensor.data = (const unsigned char *)data + offset * element;
    } else {
        /* Strides of zero unfold a small storage to any size: that must stay in proportion. */
        if (count > (a->size - a->copied_bytes) / element)
            return a1_fail(err, ALLIN1_ERROR_UNSUPPORTED,
                           "%s: tensor \"%s\" repeats its storage too often", a->what, name);
        a->copied_bytes += count * element;
        void *dense = a1_aligned_alloc(count * element);
        if (!dense)
            return a1_fail_memory(err, a->what);
        const allin1_status status =
            a1_tensor_set_own(a->set, dense, count * element, a1_layout_release_aligned, err);
        if (status != ALLIN1_OK) {
            a1_aligned_free(dense);
            return status;
        }
        a1_copy_strided(dense, (const unsigned char *)data + offset * element, element, tensor.rank,
                        tensor.shape, strides);
        tensor.data = dense;
    }
    const allin1_status status = a1_tensor_set_add(a->set, &tensor, err);
    return status == ALLIN1_OK ? status : a1_fail_prefix(err, status, "%s", a->what);
malformed:
    return a1_fail(err, ALLIN1_ERROR_FORMAT, "%s: tensor \"%s\" is malformed", a->what, name);
}

/* The arguments of the call that rebuilds a tensor, looking through a parameter's wrapping; NULL
 * for any other value. */
static const a1_pickle_value *tensor_arguments(const a1_pickle_value *value)
{
    for (int layer = 0; layer < 2 && value->kind == A1_PICKLE_CALL; layer++) {
        const a1_pickle_value *callee = value->items[0], *arguments = value->items[1];
        if (a1_pickle_is_global(callee, "torch._utils _rebuild_tensor_v2") ||
            a1_pickle_is_global(callee, "torch._utils _rebuild_tensor"))
            return arguments;
        if (!a1_pickle_is_global(callee, "torch._utils _rebuild_parameter") ||
            arguments->kind != A1_PICKLE_TUPLE || arguments->count == 0)
            return NULL;
        value = arguments->items[0];
    }
    return NULL;
}

static bool holds_tensors(archive *a, const a1_pickle_value *dict, int depth)
{
    if (!dict || dict->kind != A1_PICKLE_DICT || depth == MAX_DEPTH)
        return false;
    for (size_t i = 1; i < dict->count && a->visits < MAX_VISITS; i += 2, a->visits++)
        if (tensor_arguments(dict->items[i]) || holds_tensors(a, dict->items[i], depth + 1))
            return true;
    return false;
}

static allin1_status add_dict(archive *a, const a1_pickle_value *dict, const char *prefix,
                              int depth, a1_error *err)
{
    for (size_t i = 0; i + 1 < dict->count; i += 2) {
        const a1_pickle_value *key = dict->items[i], *value = dict->items[i + 1];
        if (a->visits++ == MAX_VISITS)
            return a1_fail(err, ALLIN1_ERROR_UNSUPPORTED, "%s: too many entries", a->what);
        const a1_pickle_value *arguments = tensor_arguments(value);
        const bool nested = value->kind == A1_PICKLE_DICT && depth + 1 < MAX_DEPTH;
        if (!arguments && !nested)
            continue;
        char name[MAX_NAME];
        if (!is_text(key) || snprintf(name, sizeof name, "%s%s%s", prefix, *prefix ? "." : "",
                                      key->text) >= MAX_NAME)
            return a1_fail(err, ALLIN1_ERROR_FORMAT,
                           "%s: a name in the state_dict is no usable text", a->what);
        if (arguments)
            A1_TRY(add_view(a, name, arguments, err));
        else
            A1_TRY(add_dict(a, value, name, depth + 1, err));
    }
    return ALLIN1_OK;
}

static allin1_status add_config(archive *a, const a1_pickle_value *config, a1_error *err)
{
    for (size_t i = 0; config && config->kind == A1_PICKLE_DICT && i + 1 < config->count; i += 2) {
        const a1_pickle_value *key = config->items[i], *value = config->items[i + 1];
        char name[128], text[64];
        if (!is_text(key) ||
            snprintf(name, sizeof name, "config.%s", key->text) >= (int)sizeof name)
            continue;
        if (value->kind == A1_PICKLE_FLOAT)
            snprintf(text, sizeof text, "%.17g", value->number);
        else if (value->kind == A1_PICKLE_INT)
            snprintf(text, sizeof text, "%lld", (long long)value->integer);
        else if (!is_text(value) ||
                 snprintf(text, sizeof text, "%s", value->text) >= (int)sizeof text)
            continue;
        if (a->visits++ == MAX_VISITS)
            return a1_fail(err, ALLIN1_ERROR_UNSUPPORTED, "%s: too many entries", a->what);
        A1_TRY(a1_tensor_set_put_text(a->set, name, text, err));
    }
    return ALLIN1_OK;
}

static allin1_status add_state(archive *a, const a1_pickle_value *root, a1_error *err)
{
    static const char *const wrappers[] = {"state_dict", "state", "model"};
    const a1_pickle_value *state = NULL;
    for (size_t i = 0; !state && i < sizeof wrappers / sizeof *wrappers; i++)
        if (holds_tensors(a, a1_pickle_get(root, wrappers[i]), 0))
            state = a1_pickle_get(root, wrappers[i]);
    if (!state && holds_tensors(a, root, 0))
        state = root;
    if (!state)
        return a1_fail(err, ALLIN1_ERROR_FORMAT, "%s holds no state_dict", a->what);
    a->visits = 0;
    A1_TRY(add_dict(a, state, "", 0, err));
    return add_config(a, a1_pickle_get(root, "config"), err);
}

allin1_status a1_torch_parse(const void *bytes, size_t size, const char *what, a1_tensor_set *set,
                             a1_error *err)
{
    static const unsigned char legacy[] = {0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9};
    if (size >= sizeof legacy && memcmp(bytes, legacy, sizeof legacy) == 0)
        return a1_fail(err, ALLIN1_ERROR_UNSUPPORTED,
                       "%s was saved by PyTorch before 1.6; save it again with a later one", what);
    archive a = {.what = what, .size = size, .set = set};
    allin1_status status = ALLIN1_OK;
    void *text = NULL;
    a1_pickle *pickle = NULL;
    size_t index = 0, length = 0;
    A1_CHECK(a1_zip_open(&a.zip, bytes, size, what, err));
    a.member_count = a1_zip_count(a.zip);
    A1_CHECK(find_root(&a, &index, &length, err));
    if (length > A1_PICKLE_MAX_BYTES) {
        status = a1_fail(err, ALLIN1_ERROR_UNSUPPORTED, "%s: a pickle of %zu bytes is too large",
                         what, length);
        goto done;
    }
    A1_CHECK(check_byte_order(&a, err));
    a.blocks = calloc(a.member_count, sizeof *a.blocks);
    text = malloc(length ? length : 1);
    if (!a.blocks || !text) {
        status = a1_fail_memory(err, what);
        goto done;
    }
    A1_CHECK(a1_zip_read(a.zip, index, text, length, err));
    A1_CHECK(a1_pickle_parse(&pickle, text, length, what, err));
    status = add_state(&a, a1_pickle_root(pickle), err);
done:
    a1_pickle_destroy(&pickle);
    free(text);
    free(a.blocks);
    a1_zip_close(&a.zip);
    return status;
}
