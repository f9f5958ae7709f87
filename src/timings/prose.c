#include "timings/prose.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Room for `length` more bytes and the zero at the end. */
static bool reserve(a1_prose *text, size_t length)
{
    if (text->failed)
        return false;
    if (text->capacity - text->used > length)
        return true;
    size_t capacity = text->capacity ? text->capacity : 256;
    while (capacity - text->used <= length)
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

void a1_prose_bytes(a1_prose *text, const char *bytes, size_t length)
{
    if (length == 0 || !reserve(text, length)) /* nothing written: nothing to free */
        return;
    memcpy(text->bytes + text->used, bytes, length);
    text->used += length;
    text->bytes[text->used] = '\0';
}

void a1_prose_put(a1_prose *text, const char *bytes)
{
    a1_prose_bytes(text, bytes, strlen(bytes));
}

void a1_prose_print(a1_prose *text, const char *format, ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    const int length = vsnprintf(NULL, 0, format, arguments);
    if (length > 0 && reserve(text, (size_t)length)) {
        vsnprintf(text->bytes + text->used, (size_t)length + 1, format, again);
        text->used += (size_t)length;
    }
    va_end(again);
    va_end(arguments);
}

void a1_prose_html(a1_prose *text, const char *bytes)
{
    for (; *bytes; bytes++) {
        switch (*bytes) {
        case '&':
            a1_prose_put(text, "&amp;");
            break;
        case '<':
            a1_prose_put(text, "&lt;");
            break;
        case '>':
            a1_prose_put(text, "&gt;");
            break;
        case '"':
            a1_prose_put(text, "&quot;");
            break;
        case '\'':
            a1_prose_put(text, "&#39;");
            break;
        default:
            a1_prose_bytes(text, bytes, 1);
        }
    }
}

void a1_prose_markdown(a1_prose *text, const char *bytes)
{
    for (; *bytes; bytes++) {
        /* An underscore between letters stands for itself. */
        if (strchr("\\`*[]<|#~", *bytes))
            a1_prose_put(text, "\\");
        a1_prose_bytes(text, bytes, 1);
    }
}

void a1_prose_shell(a1_prose *text, const char *word)
{
    bool plain = *word != '\0' && *word != '-';
    for (const char *at = word; *at; at++)
        plain = plain && (isalnum((unsigned char)*at) || strchr("/._-+:=,@%", *at));
    if (plain) {
        a1_prose_put(text, word);
        return;
    }
    a1_prose_put(text, *word == '-' ? "'./" : "'");
    for (; *word; word++) {
        if (*word == '\'')
            a1_prose_put(text, "'\\''");
        else
            a1_prose_bytes(text, word, 1);
    }
    a1_prose_put(text, "'");
}

char *a1_prose_take(a1_prose *text)
{
    (void)reserve(text, 0);
    char *bytes = text->bytes;
    if (text->failed) {
        free(bytes);
        bytes = NULL;
    } else if (text->used == 0) {
        bytes[0] = '\0';
    }
    *text = (a1_prose){0};
    return bytes;
}
