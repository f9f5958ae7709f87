#include "tensor/tensor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "tensor/half.h"

typedef struct entry {
    a1_tensor tensor;
    uint64_t hash;
    char name[];
} entry;

typedef struct block {
    void *memory;
    size_t size;
    void (*release)(void *memory, size_t size);
} block;

typedef struct text {
    char *key;
    char *value;
} text;

struct a1_tensor_set {
    entry **entries; /* in order of adding */
    size_t count, capacity;
    size_t *slots;     /* open addressing: index of an entry plus one, 0 is free */
    size_t slot_count; /* 0 or a power of two, more than twice `count` */
    block *blocks;
    size_t block_count, block_capacity;
    text *texts;
    size_t text_count, text_capacity;
};

size_t a1_dtype_size(a1_dtype dtype)
{
    switch (dtype) {
    case A1_I8:
    case A1_U8:
        return 1;
    case A1_F16:
    case A1_BF16:
    case A1_I16:
        return 2;
    case A1_F32:
    case A1_I32:
        return 4;
    case A1_F64:
    case A1_I64:
        return 8;
    }
    return 0;
}

const char *a1_dtype_string(a1_dtype dtype)
{
    switch (dtype) {
    case A1_F32:
        return "float32";
    case A1_F16:
        return "float16";
    case A1_BF16:
        return "bfloat16";
    case A1_F64:
        return "float64";
    case A1_I8:
        return "int8";
    case A1_U8:
        return "uint8";
    case A1_I16:
        return "int16";
    case A1_I32:
        return "int32";
    case A1_I64:
        return "int64";
    }
    return "unknown";
}

size_t a1_tensor_count(const a1_tensor *tensor)
{
    size_t count = 1;
    for (unsigned axis = 0; axis < tensor->rank; axis++)
        count *= tensor->shape[axis];
    return count;
}

allin1_status a1_tensor_set_create(a1_tensor_set **set, a1_error *err)
{
    *set = calloc(1, sizeof **set);
    return *set ? ALLIN1_OK : a1_fail_memory(err, "a tensor set");
}

void a1_tensor_set_destroy(a1_tensor_set **set)
{
    if (!set || !*set)
        return;
    a1_tensor_set *s = *set;
    for (size_t i = 0; i < s->count; i++)
        free(s->entries[i]);
    for (size_t i = 0; i < s->text_count; i++) {
        free(s->texts[i].key);
        free(s->texts[i].value);
    }
    for (size_t i = 0; i < s->block_count; i++)
        if (s->blocks[i].release)
            s->blocks[i].release(s->blocks[i].memory, s->blocks[i].size);
    free(s->entries);
    free(s->slots);
    free(s->texts);
    free(s->blocks);
    free(s);
    *set = NULL;
}

static uint64_t hash_name(const char *name)
{
    uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a */
    for (; *name; name++)
        hash = (hash ^ (unsigned char)*name) * 0x100000001b3u;
    return hash ^ hash >> 32;
}

/* The slot that holds `name`, or the free one where it would go. */
static size_t find_slot(const a1_tensor_set *set, uint64_t hash, const char *name)
{
    size_t slot = (size_t)hash & (set->slot_count - 1);
    while (set->slots[slot] != 0) {
        const entry *candidate = set->entries[set->slots[slot] - 1];
        if (candidate->hash == hash && strcmp(candidate->name, name) == 0)
            break;
        slot = (slot + 1) & (set->slot_count - 1);
    }
    return slot;
}

static allin1_status grow_slots(a1_tensor_set *set, a1_error *err)
{
    if (set->slot_count > 2 * (set->count + 1))
        return ALLIN1_OK;
    const size_t wanted = set->slot_count ? set->slot_count * 2 : 64;
    size_t *slots = calloc(wanted, sizeof *slots);
    if (!slots)
        return a1_fail_memory(err, "a tensor set");
    free(set->slots);
    set->slots = slots;
    set->slot_count = wanted;
    for (size_t i = 0; i < set->count; i++)
        set->slots[find_slot(set, set->entries[i]->hash, set->entries[i]->name)] = i + 1;
    return ALLIN1_OK;
}

allin1_status a1_tensor_set_add(a1_tensor_set *set, const a1_tensor *tensor, a1_error *err)
{
    if (!tensor->name)
        return a1_fail(err, ALLIN1_ERROR_ARGUMENT, "a tensor without a name");
    const size_t element = a1_dtype_size(tensor->dtype);
    if (element == 0)
        return a1_fail(err, ALLIN1_ERROR_FORMAT, "tensor \"%s\": unknown element type %d",
                       tensor->name, (int)tensor->dtype);
    if (tensor->rank > A1_MAX_RANK)
        return a1_fail(err, ALLIN1_ERROR_FORMAT, "tensor \"%s\": %u axes, at most %d can be held",
                       tensor->name, tensor->rank, A1_MAX_RANK);
    /* The product without zeros: so that {0, huge, huge} cannot overflow in any order either. */
    size_t bytes = element;
    for (unsigned axis = 0; axis < tensor->rank; axis++) {
        const size_t length = tensor->shape[axis];
        if (length != 0 && bytes > (size_t)PTRDIFF_MAX / length)
            return a1_fail(err, ALLIN1_ERROR_FORMAT, "tensor \"%s\": its size overflows",
                           tensor->name);
        bytes *= length ? length : 1;
    }
    if (a1_tensor_count(tensor) != 0 && (!tensor->data || (uintptr_t)tensor->data % element != 0))
        return a1_fail(err, ALLIN1_ERROR_ARGUMENT, "tensor \"%s\": data missing or misaligned",
                       tensor->name);
    A1_TRY(grow_slots(set, err));
    entry **entries = a1_grow(set->entries, set->count, &set->capacity, sizeof *entries);
    if (!entries)
        return a1_fail_memory(err, "a tensor set");
    set->entries = entries;
    const uint64_t hash = hash_name(tensor->name);
    const size_t slot = find_slot(set, hash, tensor->name);
    if (set->slots[slot] != 0)
        return a1_fail(err, ALLIN1_ERROR_FORMAT, "tensor \"%s\" is there twice", tensor->name);
    const size_t length = strlen(tensor->name);
    entry *added = malloc(sizeof *added + length + 1);
    if (!added)
        return a1_fail_memory(err, "a tensor set");
    memcpy(added->name, tensor->name, length + 1);
    added->hash = hash;
    added->tensor = (a1_tensor){
        .name = added->name, .dtype = tensor->dtype, .rank = tensor->rank, .data = tensor->data};
    for (unsigned axis = 0; axis < tensor->rank; axis++)
        added->tensor.shape[axis] = tensor->shape[axis];
    set->entries[set->count] = added;
    set->slots[slot] = ++set->count;
    return ALLIN1_OK;
}

allin1_status a1_tensor_set_own(a1_tensor_set *set, void *memory, size_t size,
                                void (*release)(void *block, size_t size), a1_error *err)
{
    block *blocks = a1_grow(set->blocks, set->block_count, &set->block_capacity, sizeof *blocks);
    if (!blocks)
        return a1_fail_memory(err, "a tensor set");
    set->blocks = blocks;
    set->blocks[set->block_count++] = (block){memory, size, release};
    return ALLIN1_OK;
}

static text *find_text(const a1_tensor_set *set, const char *key)
{
    for (size_t i = 0; i < set->text_count; i++)
        if (strcmp(set->texts[i].key, key) == 0)
            return &set->texts[i];
    return NULL;
}

allin1_status a1_tensor_set_copy_texts(a1_tensor_set *to, const a1_tensor_set *from, a1_error *err)
{
    for (size_t i = 0; i < from->text_count; i++)
        A1_TRY(a1_tensor_set_put_text(to, from->texts[i].key, from->texts[i].value, err));
    return ALLIN1_OK;
}

allin1_status a1_tensor_set_put_text(a1_tensor_set *set, const char *key, const char *value,
                                     a1_error *err)
{
    char *value_copy = strdup(value);
    if (!value_copy)
        return a1_fail_memory(err, "a tensor set");
    text *there = find_text(set, key);
    if (there) {
        free(there->value);
        there->value = value_copy;
        return ALLIN1_OK;
    }
    text *texts = a1_grow(set->texts, set->text_count, &set->text_capacity, sizeof *texts);
    set->texts = texts ? texts : set->texts;
    char *key_copy = texts ? strdup(key) : NULL;
    if (!key_copy) {
        free(value_copy);
        return a1_fail_memory(err, "a tensor set");
    }
    set->texts[set->text_count++] = (text){key_copy, value_copy};
    return ALLIN1_OK;
}

const char *a1_tensor_set_text(const a1_tensor_set *set, const char *key)
{
    const text *there = find_text(set, key);
    return there ? there->value : NULL;
}

size_t a1_tensor_set_text_count(const a1_tensor_set *set)
{
    return set->text_count;
}

void a1_tensor_set_text_at(const a1_tensor_set *set, size_t index, const char **key,
                           const char **value)
{
    *key = index < set->text_count ? set->texts[index].key : NULL;
    *value = index < set->text_count ? set->texts[index].value : NULL;
}

size_t a1_tensor_set_count(const a1_tensor_set *set)
{
    return set->count;
}

const a1_tensor *a1_tensor_set_at(const a1_tensor_set *set, size_t index)
{
    return index < set->count ? &set->entries[index]->tensor : NULL;
}

const a1_tensor *a1_tensor_set_find(const a1_tensor_set *set, const char *name)
{
    if (set->slot_count == 0)
        return NULL;
    const size_t slot = find_slot(set, hash_name(name), name);
    return set->slots[slot] ? &set->entries[set->slots[slot] - 1]->tensor : NULL;
}

/* "(512, 48)"; a length of SIZE_MAX is shown as "any". */
static void format_shape(char *out, size_t room, unsigned rank, const size_t *shape)
{
    size_t used = (size_t)snprintf(out, room, "(");
    for (unsigned axis = 0; axis < rank && used < room; axis++) {
        const char *comma = axis ? ", " : "";
        if (shape[axis] == SIZE_MAX)
            used += (size_t)snprintf(out + used, room - used, "%sany", comma);
        else
            used += (size_t)snprintf(out + used, room - used, "%s%zu", comma, shape[axis]);
    }
    if (used < room)
        snprintf(out + used, room - used, ")");
}

allin1_status a1_tensor_set_require(const a1_tensor_set *set, const char *name, unsigned rank,
                                    const size_t *shape, const a1_tensor **tensor, a1_error *err)
{
    *tensor = NULL;
    const a1_tensor *found = a1_tensor_set_find(set, name);
    if (!found)
        return a1_fail(err, ALLIN1_ERROR_FORMAT, "tensor \"%s\" is missing", name);
    int same = found->rank == rank;
    for (unsigned axis = 0; same && axis < rank; axis++)
        same = shape[axis] == SIZE_MAX || shape[axis] == found->shape[axis];
    if (!same) {
        char is[192], wanted[192];
        format_shape(is, sizeof is, found->rank, found->shape);
        format_shape(wanted, sizeof wanted, rank, shape);
        return a1_fail(err, ALLIN1_ERROR_FORMAT, "tensor \"%s\" has shape %s, expected %s", name,
                       is, wanted);
    }
    *tensor = found;
    return ALLIN1_OK;
}

allin1_status a1_tensor_to_f32(const a1_tensor *tensor, float *out, a1_error *err)
{
    const size_t count = a1_tensor_count(tensor);
    if (count == 0)
        return ALLIN1_OK;
    switch (tensor->dtype) {
    case A1_F32:
        memcpy(out, tensor->data, count * sizeof *out);
        return ALLIN1_OK;
    case A1_F16: {
        const uint16_t *in = tensor->data;
        for (size_t i = 0; i < count; i++)
            out[i] = a1_half_to_f32(in[i]);
        return ALLIN1_OK;
    }
    case A1_BF16: {
        const uint16_t *in = tensor->data;
        for (size_t i = 0; i < count; i++)
            out[i] = a1_bf16_to_f32(in[i]);
        return ALLIN1_OK;
    }
    case A1_F64: {
        const double *in = tensor->data;
        for (size_t i = 0; i < count; i++)
            out[i] = (float)in[i];
        return ALLIN1_OK;
    }
    default:
        return a1_fail(err, ALLIN1_ERROR_FORMAT, "tensor \"%s\" holds %s, not floating point",
                       tensor->name, a1_dtype_string(tensor->dtype));
    }
}

void a1_tensor_whole_to_f32(const a1_tensor *tensor, float *out)
{
    const int8_t *in = tensor->data;
    const size_t count = a1_tensor_count(tensor);
    for (size_t i = 0; i < count; i++)
        out[i] = (float)in[i];
}
