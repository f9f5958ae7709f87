#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY 1024

static bool make_room(a1_text *text, size_t size)
{
    if (text->failed)
        return false;
    if (text->capacity - text->used > size)
        return true;
    size_t capacity = text->capacity ? text->capacity : FIRST_CAPACITY;
    while (capacity - text->used <= size)
        capacity *= 2;
    char *bytes = realloc(text->bytes, capacity);
    if (!bytes) {
        text->failed = true;
        return false;
    }
    text->bytes = bytes;
    text->capacity = capacity;
    return true;
}

void a1_text_put(a1_text *text, const void *bytes, size_t size)
{
    if (size == 0 || !make_room(text, size))
        return;
    memcpy(text->bytes + text->used, bytes, size);
    text->used += size;
}

void a1_text_add(a1_text *text, const char *string)
{
    a1_text_put(text, string, strlen(string));
}

void a1_text_format(a1_text *text, const char *format, ...)
{
    va_list arguments;
    char *line = NULL;
    va_start(arguments, format);
    const int length = vasprintf(&line, format, arguments);
    va_end(arguments);
    if (length < 0) {
        text->failed = true;
        return;
    }
    a1_text_put(text, line, (size_t)length);
    free(line);
}

char *a1_text_take(a1_text *text, size_t *size)
{
    if (make_room(text, 0))
        text->bytes[text->used] = '\0';
    char *bytes = text->bytes;
    if (size)
        *size = text->used;
    if (text->failed) {
        free(bytes);
        bytes = NULL;
    }
    *text = (a1_text){0};
    return bytes;
}
