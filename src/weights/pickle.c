#include "weights/pickle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "weights/byte_reader.h"

/* Opcodes, named as in Python's pickletools. */
enum {
    OP_MARK = '(',
    OP_STOP = '.',
    OP_POP = '0',
    OP_POP_MARK = '1',
    OP_DUP = '2',
    OP_BINBYTES = 'B',
    OP_SHORT_BINBYTES = 'C',
    OP_BINFLOAT = 'G',
    OP_BININT = 'J',
    OP_BININT1 = 'K',
    OP_BININT2 = 'M',
    OP_NONE = 'N',
    OP_BINPERSID = 'Q',
    OP_REDUCE = 'R',
    OP_BINSTRING = 'T',
    OP_SHORT_BINSTRING = 'U',
    OP_BINUNICODE = 'X',
    OP_EMPTY_LIST = ']',
    OP_APPEND = 'a',
    OP_BUILD = 'b',
    OP_GLOBAL = 'c',
    OP_DICT = 'd',
    OP_APPENDS = 'e',
    OP_BINGET = 'h',
    OP_LONG_BINGET = 'j',
    OP_LIST = 'l',
    OP_BINPUT = 'q',
    OP_LONG_BINPUT = 'r',
    OP_SETITEM = 's',
    OP_TUPLE = 't',
    OP_SETITEMS = 'u',
    OP_EMPTY_DICT = '}',
    OP_EMPTY_TUPLE = ')',
    OP_PROTO = 0x80,
    OP_NEWOBJ = 0x81,
    OP_TUPLE1 = 0x85,
    OP_TUPLE2 = 0x86,
    OP_TUPLE3 = 0x87,
    OP_NEWTRUE = 0x88,
    OP_NEWFALSE = 0x89,
    OP_LONG1 = 0x8a,
    OP_LONG4 = 0x8b,
    OP_SHORT_BINUNICODE = 0x8c,
    OP_BINUNICODE8 = 0x8d,
    OP_BINBYTES8 = 0x8e,
    OP_EMPTY_SET = 0x8f,
    OP_ADDITEMS = 0x90,
    OP_FROZENSET = 0x91,
    OP_NEWOBJ_EX = 0x92,
    OP_STACK_GLOBAL = 0x93,
    OP_MEMOIZE = 0x94,
    OP_FRAME = 0x95,
    OP_BYTEARRAY8 = 0x96
};

#define CHUNK_BYTES ((size_t)64 << 10)

typedef struct chunk {
    struct chunk *next;
    size_t used, size;
    max_align_t memory[];
} chunk;

struct a1_pickle {
    chunk *chunks;
    const a1_pickle_value *root;
};

typedef struct pointers {
    a1_pickle_value **items;
    size_t count, capacity;
} pointers;

typedef struct machine {
    a1_pickle *pickle;
    a1_reader reader;
    pointers stack, memo;
    size_t *marks; /* heights of the stack */
    size_t mark_count, mark_capacity;
    bool memory_failed; /* why a step returned false: else the pickle is malformed */
} machine;

/* Memory that lives as long as the pickle. */
static void *allocate(machine *m, size_t bytes)
{
    const size_t unit = sizeof(max_align_t), wanted = (bytes + unit - 1) / unit * unit;
    chunk *c = m->pickle->chunks;
    if (!c || wanted > c->size - c->used) {
        const size_t size = wanted > CHUNK_BYTES ? wanted : CHUNK_BYTES;
        c = malloc(sizeof *c + size);
        if (!c) {
            m->memory_failed = true;
            return NULL;
        }
        c->next = m->pickle->chunks;
        c->used = 0;
        c->size = size;
        m->pickle->chunks = c;
    }
    void *memory = (unsigned char *)c->memory + c->used;
    c->used += wanted;
    return memory;
}

static bool add(machine *m, pointers *to, a1_pickle_value *value)
{
    a1_pickle_value **items = a1_grow(to->items, to->count, &to->capacity, sizeof *items);
    if (!items) {
        m->memory_failed = true;
        return false;
    }
    to->items = items;
    to->items[to->count++] = value;
    return true;
}

static bool push(machine *m, a1_pickle_value *value)
{
    return value && add(m, &m->stack, value);
}

/* Values below the last mark are out of reach. */
static size_t reachable(const machine *m)
{
    return m->stack.count - (m->mark_count ? m->marks[m->mark_count - 1] : 0);
}

static a1_pickle_value *pop(machine *m)
{
    return reachable(m) ? m->stack.items[--m->stack.count] : NULL;
}

static a1_pickle_value *top(const machine *m)
{
    return reachable(m) ? m->stack.items[m->stack.count - 1] : NULL;
}

static a1_pickle_value *make(machine *m, a1_pickle_kind kind)
{
    a1_pickle_value *value = allocate(m, sizeof *value);
    if (value)
        *value = (a1_pickle_value){.kind = kind};
    return value;
}

static bool push_kind(machine *m, a1_pickle_kind kind)
{
    return push(m, make(m, kind));
}

static bool push_integer(machine *m, a1_pickle_kind kind, int64_t integer)
{
    a1_pickle_value *value = make(m, kind);
    if (value)
        value->integer = integer;
    return push(m, value);
}

static bool append(machine *m, a1_pickle_value *list, a1_pickle_value *item)
{
    if (list->count == list->capacity) {
        const size_t wanted = list->capacity ? list->capacity * 2 : 4;
        a1_pickle_value **items = allocate(m, wanted * sizeof *items);
        if (!items)
            return false;
        if (list->count)
            memcpy(items, list->items, list->count * sizeof *items);
        list->items = items;
        list->capacity = wanted;
    }
    list->items[list->count++] = item;
    return true;
}

static bool pop_mark(machine *m, size_t *height)
{
    if (m->mark_count == 0)
        return false;
    *height = m->marks[--m->mark_count];
    return true;
}

static bool push_mark(machine *m)
{
    size_t *marks = a1_grow(m->marks, m->mark_count, &m->mark_capacity, sizeof *marks);
    if (!marks) {
        m->memory_failed = true;
        return false;
    }
    m->marks = marks;
    m->marks[m->mark_count++] = m->stack.count;
    return true;
}

/* Replaces everything from `height` on by one value that holds it. */
static bool gather(machine *m, size_t height, a1_pickle_kind kind)
{
    a1_pickle_value *value = make(m, kind);
    if (!value)
        return false;
    const size_t count = m->stack.count - height;
    if (count) {
        value->items = allocate(m, count * sizeof *value->items);
        if (!value->items)
            return false;
        memcpy(value->items, m->stack.items + height, count * sizeof *value->items);
        value->count = value->capacity = count;
    }
    m->stack.count = height;
    return push(m, value);
}

static bool gather_marked(machine *m, a1_pickle_kind kind)
{
    size_t height;
    return pop_mark(m, &height) && (kind != A1_PICKLE_DICT || (m->stack.count - height) % 2 == 0) &&
           gather(m, height, kind);
}

static bool gather_last(machine *m, size_t count, a1_pickle_kind kind)
{
    return reachable(m) >= count && gather(m, m->stack.count - count, kind);
}

/* Adds what stands from `height` on to the container below it. Containers made by a call that we
 * only record swallow their content. */
static bool extend(machine *m, size_t height, a1_pickle_kind kind)
{
    const size_t count = m->stack.count - height;
    m->stack.count = height;
    a1_pickle_value *container = top(m);
    if (!container || (kind == A1_PICKLE_DICT && count % 2 != 0))
        return false;
    if (container->kind == A1_PICKLE_CALL)
        return true;
    if (container->kind != kind)
        return false;
    for (size_t i = 0; i < count; i++)
        if (!append(m, container, m->stack.items[height + i]))
            return false;
    return true;
}

static bool extend_marked(machine *m, a1_pickle_kind kind)
{
    size_t height;
    return pop_mark(m, &height) && extend(m, height, kind);
}

static bool extend_last(machine *m, size_t count, a1_pickle_kind kind)
{
    return reachable(m) > count && extend(m, m->stack.count - count, kind);
}

static bool push_text(machine *m, a1_pickle_kind kind, unsigned width)
{
    uint64_t length;
    if (!a1_read_number(&m->reader, width, &length) || length > a1_reader_left(&m->reader))
        return false;
    const unsigned char *bytes = a1_read_bytes(&m->reader, (size_t)length);
    a1_pickle_value *value = make(m, kind);
    char *copy = value ? allocate(m, (size_t)length + 1) : NULL;
    if (!copy)
        return false;
    memcpy(copy, bytes, (size_t)length);
    copy[length] = '\0';
    value->text = copy;
    value->length = (size_t)length;
    return push(m, value);
}

static bool push_global(machine *m, const char *module, size_t module_length, const char *name,
                        size_t name_length)
{
    const size_t length = module_length + 1 + name_length;
    a1_pickle_value *value = make(m, A1_PICKLE_GLOBAL);
    char *text = value ? allocate(m, length + 1) : NULL;
    if (!text)
        return false;
    memcpy(text, module, module_length);
    text[module_length] = ' ';
    memcpy(text + module_length + 1, name, name_length);
    text[length] = '\0';
    value->text = text;
    value->length = length;
    return push(m, value);
}

static const char *read_line(machine *m, size_t *length)
{
    const unsigned char *start = m->reader.data + m->reader.at;
    const unsigned char *end =
        a1_reader_left(&m->reader) ? memchr(start, '\n', a1_reader_left(&m->reader)) : NULL;
    if (!end)
        return NULL;
    *length = (size_t)(end - start);
    (void)a1_read_bytes(&m->reader, *length + 1);
    return (const char *)start;
}

static bool do_global(machine *m)
{
    size_t module_length, name_length;
    const char *module = read_line(m, &module_length);
    const char *name = module ? read_line(m, &name_length) : NULL;
    return name && push_global(m, module, module_length, name, name_length);
}

static bool do_stack_global(machine *m)
{
    const a1_pickle_value *name = pop(m), *module = pop(m);
    return name && module && name->kind == A1_PICKLE_STRING && module->kind == A1_PICKLE_STRING &&
           push_global(m, module->text, module->length, name->text, name->length);
}

/* A little-endian two's complement number of any length. */
static bool do_long(machine *m, unsigned width)
{
    uint64_t length, value = 0;
    if (!a1_read_number(&m->reader, width, &length) || length > a1_reader_left(&m->reader))
        return false;
    const unsigned char *bytes = a1_read_bytes(&m->reader, (size_t)length);
    if (length > 8)
        return push_kind(m, A1_PICKLE_OPAQUE);
    for (unsigned i = 0; i < length; i++)
        value |= (uint64_t)bytes[i] << 8 * i;
    if (length > 0 && length < 8 && bytes[length - 1] & 0x80)
        value |= ~(uint64_t)0 << 8 * length;
    return push_integer(m, A1_PICKLE_INT, (int64_t)value);
}

static bool do_integer(machine *m, unsigned width)
{
    uint64_t value;
    return a1_read_number(&m->reader, width, &value) &&
           push_integer(m, A1_PICKLE_INT, width == 4 ? (int32_t)(uint32_t)value : (int64_t)value);
}

static bool do_float(machine *m)
{
    const unsigned char *bytes = a1_read_bytes(&m->reader, 8); /* big-endian */
    a1_pickle_value *value = bytes ? make(m, A1_PICKLE_FLOAT) : NULL;
    if (!value)
        return false;
    uint64_t bits = 0;
    for (unsigned i = 0; i < 8; i++)
        bits = bits << 8 | bytes[i];
    memcpy(&value->number, &bits, sizeof bits);
    return push(m, value);
}

static bool put_memo(machine *m, uint64_t index)
{
    /* A pickle cannot number more values than it has bytes; this bounds the table. */
    if (!top(m) || index >= m->reader.size)
        return false;
    while (m->memo.count <= index)
        if (!add(m, &m->memo, NULL))
            return false;
    m->memo.items[index] = top(m);
    return true;
}

static bool do_put(machine *m, unsigned width)
{
    uint64_t index;
    return a1_read_number(&m->reader, width, &index) && put_memo(m, index);
}

static bool do_get(machine *m, unsigned width)
{
    uint64_t index;
    return a1_read_number(&m->reader, width, &index) && index < m->memo.count &&
           push(m, m->memo.items[index]);
}

/* What is called and its arguments, from the stack, become one value. */
static bool do_call(machine *m)
{
    if (reachable(m) < 2)
        return false;
    const a1_pickle_value *arguments = m->stack.items[m->stack.count - 1];
    const a1_pickle_value *callee = m->stack.items[m->stack.count - 2];
    if (a1_pickle_is_global(callee, "collections OrderedDict") &&
        arguments->kind == A1_PICKLE_TUPLE && arguments->count == 0) {
        m->stack.count -= 2;
        return push_kind(m, A1_PICKLE_DICT);
    }
    return gather_last(m, 2, A1_PICKLE_CALL);
}

/* One opcode; false when it is unknown, malformed or memory is short. */
static bool step(machine *m, unsigned opcode)
{
    size_t height;
    switch (opcode) {
    case OP_PROTO: {
        const unsigned char *version = a1_read_bytes(&m->reader, 1);
        return version && *version >= 2 && *version <= 5;
    }
    case OP_FRAME: /* a hint about buffering */
        return a1_read_bytes(&m->reader, 8) != NULL;
    case OP_NONE:
        return push_kind(m, A1_PICKLE_NONE);
    case OP_NEWTRUE:
    case OP_NEWFALSE:
        return push_integer(m, A1_PICKLE_BOOL, opcode == OP_NEWTRUE);
    case OP_BININT:
        return do_integer(m, 4);
    case OP_BININT1:
        return do_integer(m, 1);
    case OP_BININT2:
        return do_integer(m, 2);
    case OP_LONG1:
        return do_long(m, 1);
    case OP_LONG4:
        return do_long(m, 4);
    case OP_BINFLOAT:
        return do_float(m);
    case OP_SHORT_BINUNICODE:
    case OP_SHORT_BINSTRING:
        return push_text(m, A1_PICKLE_STRING, 1);
    case OP_BINUNICODE:
    case OP_BINSTRING:
        return push_text(m, A1_PICKLE_STRING, 4);
    case OP_BINUNICODE8:
        return push_text(m, A1_PICKLE_STRING, 8);
    case OP_SHORT_BINBYTES:
        return push_text(m, A1_PICKLE_BYTES, 1);
    case OP_BINBYTES:
        return push_text(m, A1_PICKLE_BYTES, 4);
    case OP_BINBYTES8:
    case OP_BYTEARRAY8:
        return push_text(m, A1_PICKLE_BYTES, 8);
    case OP_EMPTY_LIST:
        return push_kind(m, A1_PICKLE_LIST);
    case OP_EMPTY_TUPLE:
        return push_kind(m, A1_PICKLE_TUPLE);
    case OP_EMPTY_DICT:
        return push_kind(m, A1_PICKLE_DICT);
    case OP_EMPTY_SET:
        return push_kind(m, A1_PICKLE_SET);
    case OP_MARK:
        return push_mark(m);
    case OP_TUPLE1:
        return gather_last(m, 1, A1_PICKLE_TUPLE);
    case OP_TUPLE2:
        return gather_last(m, 2, A1_PICKLE_TUPLE);
    case OP_TUPLE3:
        return gather_last(m, 3, A1_PICKLE_TUPLE);
    case OP_TUPLE:
        return gather_marked(m, A1_PICKLE_TUPLE);
    case OP_LIST:
        return gather_marked(m, A1_PICKLE_LIST);
    case OP_DICT:
        return gather_marked(m, A1_PICKLE_DICT);
    case OP_FROZENSET:
        return gather_marked(m, A1_PICKLE_SET);
    case OP_APPEND:
        return extend_last(m, 1, A1_PICKLE_LIST);
    case OP_APPENDS:
        return extend_marked(m, A1_PICKLE_LIST);
    case OP_SETITEM:
        return extend_last(m, 2, A1_PICKLE_DICT);
    case OP_SETITEMS:
        return extend_marked(m, A1_PICKLE_DICT);
    case OP_ADDITEMS:
        return extend_marked(m, A1_PICKLE_SET);
    case OP_GLOBAL:
        return do_global(m);
    case OP_STACK_GLOBAL:
        return do_stack_global(m);
    case OP_BINPERSID:
        return gather_last(m, 1, A1_PICKLE_PERSISTENT);
    case OP_REDUCE:
    case OP_NEWOBJ:
        return do_call(m);
    case OP_NEWOBJ_EX: /* class, arguments, keyword arguments */
        return gather_last(m, 3, A1_PICKLE_CALL);
    case OP_BUILD: /* attributes: of no interest to us */
        return reachable(m) >= 2 && pop(m);
    case OP_BINPUT:
        return do_put(m, 1);
    case OP_LONG_BINPUT:
        return do_put(m, 4);
    case OP_MEMOIZE:
        return put_memo(m, m->memo.count);
    case OP_BINGET:
        return do_get(m, 1);
    case OP_LONG_BINGET:
        return do_get(m, 4);
    case OP_POP:
        return pop(m) || pop_mark(m, &height);
    case OP_POP_MARK:
        if (!pop_mark(m, &height))
            return false;
        m->stack.count = height;
        return true;
    case OP_DUP:
        return push(m, top(m));
    default:
        return false;
    }
}

static allin1_status run(machine *m, const char *what, a1_error *err)
{
    for (;;) {
        const size_t at = m->reader.at;
        const unsigned char *opcode = a1_read_bytes(&m->reader, 1);
        if (!opcode)
            return a1_fail(err, ALLIN1_ERROR_FORMAT, "%s: the pickle ends without a stop", what);
        if (*opcode == OP_STOP) {
            m->pickle->root = top(m);
            if (m->stack.count != 1 || m->mark_count != 0)
                return a1_fail(err, ALLIN1_ERROR_FORMAT,
                               "%s: the pickle stops with %zu values instead of one", what,
                               m->stack.count);
            return ALLIN1_OK;
        }
        if (!step(m, *opcode))
            return m->memory_failed
                       ? a1_fail_memory(err, what)
                       : a1_fail(err, ALLIN1_ERROR_FORMAT,
                                 "%s: opcode 0x%02x at byte %zu of the pickle is malformed or "
                                 "not one that weights need",
                                 what, *opcode, at);
    }
}

allin1_status a1_pickle_parse(a1_pickle **pickle, const void *bytes, size_t size, const char *what,
                              a1_error *err)
{
    *pickle = NULL;
    if (size > A1_PICKLE_MAX_BYTES)
        return a1_fail(err, ALLIN1_ERROR_UNSUPPORTED, "%s: a pickle of %zu bytes is too large",
                       what, size);
    a1_pickle *parsed = calloc(1, sizeof *parsed);
    if (!parsed)
        return a1_fail_memory(err, what);
    machine m = {.pickle = parsed, .reader = {bytes, size, 0}};
    const allin1_status status = run(&m, what, err);
    free(m.stack.items);
    free(m.memo.items);
    free(m.marks);
    if (status != ALLIN1_OK)
        a1_pickle_destroy(&parsed);
    *pickle = parsed;
    return status;
}

void a1_pickle_destroy(a1_pickle **pickle)
{
    if (!pickle || !*pickle)
        return;
    for (chunk *c = (*pickle)->chunks; c;) {
        chunk *next = c->next;
        free(c);
        c = next;
    }
    free(*pickle);
    *pickle = NULL;
}

const a1_pickle_value *a1_pickle_root(const a1_pickle *pickle)
{
    return pickle->root;
}

const a1_pickle_value *a1_pickle_get(const a1_pickle_value *dict, const char *key)
{
    if (!dict || dict->kind != A1_PICKLE_DICT)
        return NULL;
    const size_t length = strlen(key);
    for (size_t i = dict->count; i >= 2; i -= 2) {
        const a1_pickle_value *candidate = dict->items[i - 2];
        if (candidate->kind == A1_PICKLE_STRING && candidate->length == length &&
            memcmp(candidate->text, key, length) == 0)
            return dict->items[i - 1];
    }
    return NULL;
}

bool a1_pickle_is_global(const a1_pickle_value *value, const char *text)
{
    return value && value->kind == A1_PICKLE_GLOBAL && strcmp(value->text, text) == 0;
}
