#include "weights/npz.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "weights/byte_reader.h"
#include "weights/strided.h"
#include "weights/zip_members.h"

/* NumPy refuses longer headers of the kind we accept, too. */
#define MAX_HEADER 65536
#define MAX_TOTAL ((size_t)4 << 30)

typedef struct header {
    a1_dtype dtype;
    bool fortran;
    unsigned rank;
    size_t shape[A1_MAX_RANK];
} header;

static void release_block(void *block, size_t size)
{
    (void)size;
    a1_aligned_free(block);
}

static void skip_spaces(const char **text)
{
    while (**text == ' ' || **text == '\n' || **text == '\t')
        ++*text;
}

static bool take(const char **text, char wanted)
{
    skip_spaces(text);
    if (**text != wanted)
        return false;
    ++*text;
    return true;
}

/* A quoted string without escapes. */
static bool take_string(const char **text, char *out, size_t room)
{
    skip_spaces(text);
    const char quote = **text;
    if (quote != '\'' && quote != '"')
        return false;
    size_t length = 0;
    for (++*text; **text != quote; ++*text) {
        if (**text == '\0' || **text == '\\' || length + 1 >= room)
            return false;
        out[length++] = **text;
    }
    ++*text;
    out[length] = '\0';
    return true;
}

static bool take_length(const char **text, size_t *length)
{
    skip_spaces(text);
    if (**text < '0' || **text > '9')
        return false;
    size_t value = 0;
    for (; **text >= '0' && **text <= '9'; ++*text) {
        const size_t digit = (size_t)(**text - '0');
        if (value > (SIZE_MAX - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    if (**text == 'L') /* written by Python 2 */
        ++*text;
    *length = value;
    return true;
}

static bool take_shape(const char **text, header *h)
{
    if (!take(text, '('))
        return false;
    while (!take(text, ')')) {
        if (h->rank == A1_MAX_RANK || !take_length(text, &h->shape[h->rank]))
            return false;
        h->rank++;
        if (!take(text, ','))
            return take(text, ')') && h->rank > 1;
    }
    return true;
}

static bool parse_type(const char *text, a1_dtype *dtype)
{
    static const struct {
        const char *text;
        a1_dtype dtype;
    } types[] = {{"<f4", A1_F32}, {"<f2", A1_F16}, {"<f8", A1_F64}, {"|i1", A1_I8}, {"|u1", A1_U8},
                 {"|b1", A1_U8},  {"<i2", A1_I16}, {"<i4", A1_I32}, {"<i8", A1_I64}};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strcmp(text, types[i].text) == 0) {
            *dtype = types[i].dtype;
            return true;
        }
    return false;
}

/* {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), } in any order of the keys. */
static allin1_status parse_dictionary(const char *text, header *h, const char *what, a1_error *err)
{
    bool has_type = false, has_order = false, has_shape = false;
    char key[32], type[32] = "";
    if (!take(&text, '{'))
        goto malformed;
    while (!take(&text, '}')) {
        if (!take_string(&text, key, sizeof key) || !take(&text, ':'))
            goto malformed;
        if (strcmp(key, "descr") == 0 && !has_type) {
            has_type = true;
            if (!take_string(&text, type, sizeof type))
                return a1_fail(err, ALLIN1_ERROR_UNSUPPORTED, "%s: not an array of plain numbers",
                               what);
        } else if (strcmp(key, "fortran_order") == 0 && !has_order) {
            has_order = true;
            skip_spaces(&text);
            h->fortran = strncmp(text, "True", 4) == 0;
            if (!h->fortran && strncmp(text, "False", 5) != 0)
                goto malformed;
            text += h->fortran ? 4 : 5;
        } else if (strcmp(key, "shape") == 0 && !has_shape) {
            has_shape = true;
            if (!take_shape(&text, h))
                goto malformed;
        } else {
            goto malformed;
        }
        if (!take(&text, ',')) {
            if (!take(&text, '}'))
                goto malformed;
            break;
        }
    }
    skip_spaces(&text);
    if (*text != '\0' || !has_type || !has_order || !has_shape)
        goto malformed;
    if (!parse_type(type, &h->dtype))
        return a1_fail(err, ALLIN1_ERROR_UNSUPPORTED, "%s: elements of type \"%s\"", what, type);
    return ALLIN1_OK;
malformed:
    return a1_fail(err, ALLIN1_ERROR_FORMAT, "%s: the array's header is malformed", what);
}

static allin1_status parse_header(a1_reader *reader, header *h, const char *what, a1_error *err)
{
    const unsigned char *magic = a1_read_bytes(reader, 8);
    if (!magic || memcmp(magic, "\x93NUMPY", 6) != 0)
        return a1_fail(err, ALLIN1_ERROR_FORMAT, "%s is not a NumPy array", what);
    const unsigned version = magic[6];
    if (version < 1 || version > 3)
        return a1_fail(err, ALLIN1_ERROR_UNSUPPORTED, "%s: version %u of the NumPy format", what,
                       version);
    uint64_t length;
    const unsigned char *bytes = NULL;
    if (a1_read_number(reader, version == 1 ? 2 : 4, &length) && length <= MAX_HEADER)
        bytes = a1_read_bytes(reader, (size_t)length);
    if (!bytes)
        return a1_fail(err, ALLIN1_ERROR_FORMAT, "%s ends inside the array's header", what);
    if (memchr(bytes, 0, (size_t)length))
        return a1_fail(err, ALLIN1_ERROR_FORMAT, "%s: the array's header is malformed", what);
    char *text = malloc((size_t)length + 1);
    if (!text)
        return a1_fail_memory(err, "an array's header");
    memcpy(text, bytes, (size_t)length);
    text[length] = '\0';
    const allin1_status status = parse_dictionary(text, h, what, err);
    free(text);
    return status;
}

allin1_status a1_npy_parse(const void *bytes, size_t size, const char *what, const char *name,
                           a1_tensor_set *set, a1_error *err)
{
    a1_reader reader = {bytes, size, 0};
    header h = {0};
    A1_TRY(parse_header(&reader, &h, what, err));
    const size_t element = a1_dtype_size(h.dtype), available = a1_reader_left(&reader);
    size_t count = 1;
    for (unsigned axis = 0; axis < h.rank; axis++) {
        if (h.shape[axis] != 0 && count > (size_t)PTRDIFF_MAX / h.shape[axis])
            return a1_fail(err, ALLIN1_ERROR_FORMAT, "%s: the array's size overflows", what);
        count *= h.shape[axis];
    }
    if (available % element != 0 || available / element != count)
        return a1_fail(err, ALLIN1_ERROR_FORMAT,
                       "%s: the shape asks for %zu elements of %zu bytes, but %zu bytes are there",
                       what, count, element, available);
    void *block = a1_aligned_alloc(available);
    if (!block)
        return a1_fail_memory(err, what);
    const void *data = reader.data + reader.at;
    if (h.fortran && count != 0) {
        size_t strides[A1_MAX_RANK], stride = 1;
        for (unsigned axis = 0; axis < h.rank; axis++) {
            strides[axis] = stride;
            stride *= h.shape[axis];
        }
        a1_copy_strided(block, data, element, h.rank, h.shape, strides);
    } else if (available != 0) {
        memcpy(block, data, available);
    }
    const allin1_status owned = a1_tensor_set_own(set, block, available, release_block, err);
    if (owned != ALLIN1_OK) {
        a1_aligned_free(block);
        return owned;
    }
    a1_tensor tensor = {.name = name, .dtype = h.dtype, .rank = h.rank, .data = block};
    memcpy(tensor.shape, h.shape, sizeof tensor.shape);
    const allin1_status status = a1_tensor_set_add(set, &tensor, err);
    return status == ALLIN1_OK ? status : a1_fail_prefix(err, status, "%s", what);
}

static allin1_status parse_member(const a1_zip *zip, size_t index, size_t *total, const char *what,
                                  a1_tensor_set *set, a1_error *err)
{
    const char *member;
    size_t size;
    A1_TRY(a1_zip_member(zip, index, &member, &size, err));
    const size_t length = strlen(member);
    if (length < 5 || strcmp(member + length - 4, ".npy") != 0)
        return a1_fail(err, ALLIN1_ERROR_FORMAT, "%s: member \"%s\" is not a .npy array", what,
                       member);
    if (size > MAX_TOTAL - *total)
        return a1_fail(err, ALLIN1_ERROR_UNSUPPORTED, "%s holds more than %zu GB", what,
                       MAX_TOTAL >> 30);
    *total += size;
    char *name = strndup(member, length - 4);
    const size_t place_room = strlen(what) + length + 4;
    char *place = malloc(place_room);
    void *bytes = malloc(size ? size : 1);
    allin1_status status = ALLIN1_OK;
    if (!name || !place || !bytes) {
        status = a1_fail_memory(err, "an array");
        goto done;
    }
    snprintf(place, place_room, "%s: %s", what, member);
    A1_CHECK(a1_zip_read(zip, index, bytes, size, err));
    A1_CHECK(a1_npy_parse(bytes, size, place, name, set, err));
done:
    free(bytes);
    free(place);
    free(name);
    return status;
}

allin1_status a1_npz_parse(const void *bytes, size_t size, const char *what, a1_tensor_set *set,
                           a1_error *err)
{
    a1_zip *zip = NULL;
    A1_TRY(a1_zip_open(&zip, bytes, size, what, err));
    allin1_status status = ALLIN1_OK;
    size_t total = 0;
    if (a1_zip_count(zip) == 0)
        status = a1_fail(err, ALLIN1_ERROR_FORMAT, "%s holds no arrays", what);
    for (size_t i = 0; status == ALLIN1_OK && i < a1_zip_count(zip); i++)
        status = parse_member(zip, i, &total, what, set, err);
    a1_zip_close(&zip);
    return status;
}
