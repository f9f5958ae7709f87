#include "page/html_text.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

static bool reserve(a1_html *text, size_t more)
{
    if (text->failed)
        return false;
    if (more < text->capacity - text->used)
        return true;
    const size_t room = text->used + more + text->capacity / 2 + 4096;
    char *bytes = realloc(text->bytes, room);
    if (!bytes) {
        text->failed = true;
        return false;
    }
    text->bytes = bytes;
    text->capacity = room;
    return true;
}

void a1_html_put_bytes(a1_html *text, const void *bytes, size_t size)
{
    if (!reserve(text, size + 1))
        return;
    if (size > 0)
        memcpy(text->bytes + text->used, bytes, size);
    text->used += size;
    text->bytes[text->used] = '\0';
}

void a1_html_put(a1_html *text, const char *string)
{
    a1_html_put_bytes(text, string, strlen(string));
}

void a1_html_format(a1_html *text, const char *format, ...)
{
    char *made = NULL;
    va_list arguments;
    va_start(arguments, format);
    const int size = vasprintf(&made, format, arguments);
    va_end(arguments);
    if (size < 0) {
        text->failed = true;
        return;
    }
    a1_html_put_bytes(text, made, (size_t)size);
    free(made);
}

void a1_html_put_escaped(a1_html *text, const char *string)
{
    while (*string) {
        const size_t plain = strcspn(string, "&<>\"'");
        a1_html_put_bytes(text, string, plain);
        string += plain;
        if (*string)
            a1_html_format(text, "&#%d;", *string++);
    }
}

void a1_html_put_script_json(a1_html *text, const char *json)
{
    while (*json) {
        const size_t plain = strcspn(json, "<");
        a1_html_put_bytes(text, json, plain);
        json += plain;
        if (*json) {
            a1_html_put(text, "\\u003c");
            json++;
        }
    }
}

void a1_html_put_base64(a1_html *text, const void *bytes, size_t size)
{
    enum { PART = 3 << 20 }; /* a multiple of 3: only the last part is padded */
    const unsigned char *at = bytes;
    while (size > 0) {
        const size_t part = size < PART ? size : PART;
        if (!reserve(text, (part + 2) / 3 * 4 + 1))
            return;
        text->used += (size_t)EVP_EncodeBlock((unsigned char *)text->bytes + text->used, at,
                                              (int)part);
        at += part;
        size -= part;
    }
}

static const a1_slot *find_slot(const a1_slot *slots, const char *name, size_t length)
{
    for (; slots->name; slots++)
        if (strlen(slots->name) == length && memcmp(slots->name, name, length) == 0)
            return slots;
    return NULL;
}

void a1_html_fill(a1_html *text, const char *pattern, const a1_slot *slots)
{
    const char *open;
    while ((open = strstr(pattern, "{{"))) {
        const char *close = strstr(open, "}}");
        const a1_slot *slot =
            close ? find_slot(slots, open + 2, (size_t)(close - open - 2)) : NULL;
        a1_html_put_bytes(text, pattern, (size_t)(open - pattern) + (slot ? 0 : 2));
        if (slot && slot->escaped)
            a1_html_put_escaped(text, slot->value);
        else if (slot)
            a1_html_put(text, slot->value);
        pattern = slot ? close + 2 : open + 2;
    }
    a1_html_put(text, pattern);
}

void a1_html_free(a1_html *text)
{
    free(text->bytes);
    *text = (a1_html){0};
}
