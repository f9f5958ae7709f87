#include "output/json_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "output/decimal.h"

void a1_json_begin(a1_json *json, bool pretty)
{
    memset(json, 0, sizeof *json);
    json->pretty = pretty;
    json->empty[0] = true;
}

char *a1_json_take(a1_json *json)
{
    char *text = json->text;
    if (json->failed || !text) {
        free(text);
        text = NULL;
    }
    memset(json, 0, sizeof *json);
    return text;
}

static void put(a1_json *json, const char *bytes, size_t length)
{
    if (json->failed)
        return;
    if (json->capacity - json->used <= length) {
        size_t capacity = json->capacity ? json->capacity * 2 : 4096;
        while (capacity - json->used <= length)
            capacity *= 2;
        char *text = realloc(json->text, capacity);
        if (!text) {
            json->failed = true;
            return;
        }
        json->text = text;
        json->capacity = capacity;
    }
    memcpy(json->text + json->used, bytes, length);
    json->used += length;
    json->text[json->used] = '\0';
}

static void put_text(a1_json *json, const char *text)
{
    put(json, text, strlen(text));
}

static void put_indent(a1_json *json, unsigned depth)
{
    put(json, "\n", 1);
    for (unsigned i = 0; i < depth; i++)
        put(json, "  ", 2);
}

size_t a1_utf8_decode(const char *text, uint32_t *code)
{
    const unsigned char *s = (const unsigned char *)text;
    static const uint32_t smallest[5] = {0, 0, 0x80, 0x800, 0x10000};
    size_t length;
    if (s[0] < 0x80) {
        *code = s[0];
        return 1;
    } else if (s[0] >= 0xc2 && s[0] < 0xe0) {
        length = 2;
        *code = s[0] & 0x1fu;
    } else if (s[0] >= 0xe0 && s[0] < 0xf0) {
        length = 3;
        *code = s[0] & 0x0fu;
    } else if (s[0] >= 0xf0 && s[0] < 0xf5) {
        length = 4;
        *code = s[0] & 0x07u;
    } else {
        return 0;
    }
    for (size_t i = 1; i < length; i++) {
        if ((s[i] & 0xc0) != 0x80) /* also ends at the final NUL */
            return 0;
        *code = *code << 6 | (s[i] & 0x3fu);
    }
    if (*code < smallest[length] || *code > 0x10ffff || (*code >= 0xd800 && *code < 0xe000))
        return 0;
    return length;
}

static void put_escaped(a1_json *json, uint32_t code)
{
    char escape[8];
    snprintf(escape, sizeof escape, "\\u%04x", (unsigned)(code & 0xffffu));
    put(json, escape, 6);
}

static void put_quoted(a1_json *json, const char *value)
{
    put(json, "\"", 1);
    const char *s = value;
    while (*s) {
        uint32_t code;
        const size_t length = a1_utf8_decode(s, &code);
        if (length == 0)
            code = 0xfffd;
        const char *short_form = code == '"'    ? "\\\""
                                 : code == '\\' ? "\\\\"
                                 : code == '\n' ? "\\n"
                                 : code == '\r' ? "\\r"
                                 : code == '\t' ? "\\t"
                                 : code == '\f' ? "\\f"
                                 : code == '\b' ? "\\b"
                                                : NULL;
        if (short_form) {
            put_text(json, short_form);
        } else if (code >= ' ' && code <= '~') {
            put(json, s, 1);
        } else if (code >= 0x10000) {
            put_escaped(json, 0xd800 + ((code - 0x10000) >> 10));
            put_escaped(json, 0xdc00 + ((code - 0x10000) & 0x3ff));
        } else {
            put_escaped(json, code);
        }
        s += length ? length : 1;
    }
    put(json, "\"", 1);
}

/* What stands before a value: comma, line break, key. */
static void put_lead(a1_json *json, const char *key)
{
    if (!json->empty[json->depth])
        put_text(json, json->pretty ? "," : ", ");
    json->empty[json->depth] = false;
    if (json->pretty && json->depth > 0)
        put_indent(json, json->depth);
    if (key) {
        put_quoted(json, key);
        put_text(json, ": ");
    }
}

void a1_json_open(a1_json *json, const char *key, char bracket)
{
    put_lead(json, key);
    put(json, &bracket, 1);
    if (json->depth + 1 >= A1_JSON_DEPTH)
        json->failed = true;
    else
        json->empty[++json->depth] = true;
}

void a1_json_close(a1_json *json, char bracket)
{
    if (json->depth == 0)
        return;
    const bool empty = json->empty[json->depth--];
    if (json->pretty && !empty)
        put_indent(json, json->depth);
    put(json, &bracket, 1);
}

void a1_json_null(a1_json *json, const char *key)
{
    put_lead(json, key);
    put_text(json, "null");
}

void a1_json_bool(a1_json *json, const char *key, bool value)
{
    put_lead(json, key);
    put_text(json, value ? "true" : "false");
}

void a1_json_integer(a1_json *json, const char *key, int64_t value)
{
    char number[24];
    snprintf(number, sizeof number, "%lld", (long long)value);
    put_lead(json, key);
    put_text(json, number);
}

void a1_json_unsigned(a1_json *json, const char *key, uint64_t value)
{
    char number[24];
    snprintf(number, sizeof number, "%llu", (unsigned long long)value);
    put_lead(json, key);
    put_text(json, number);
}

void a1_json_decimal(a1_json *json, const char *key, double value, unsigned decimals)
{
    char number[A1_DECIMAL_SIZE];
    const size_t length = a1_format_decimal(number, value, decimals);
    put_lead(json, key);
    put(json, number, length);
}

void a1_json_string(a1_json *json, const char *key, const char *value)
{
    if (!value) {
        a1_json_null(json, key);
        return;
    }
    put_lead(json, key);
    put_quoted(json, value);
}

void a1_json_decimals(a1_json *json, const char *key, const double *values, size_t count,
                      unsigned decimals)
{
    a1_json_open(json, key, '[');
    if (json->pretty && count > 1) {
        char number[A1_DECIMAL_SIZE];
        for (size_t i = 0; i < count; i++) {
            if (i > 0)
                put(json, ",", 1);
            put(json, number, a1_format_decimal(number, values[i], decimals));
        }
    } else {
        for (size_t i = 0; i < count; i++)
            a1_json_decimal(json, NULL, values[i], decimals);
    }
    a1_json_close(json, ']');
}

void a1_json_unsigneds(a1_json *json, const char *key, const unsigned *values, size_t count)
{
    a1_json_open(json, key, '[');
    if (json->pretty && count > 1) {
        char number[16];
        for (size_t i = 0; i < count; i++) {
            snprintf(number, sizeof number, i > 0 ? ",%u" : "%u", values[i]);
            put_text(json, number);
        }
    } else {
        for (size_t i = 0; i < count; i++)
            a1_json_unsigned(json, NULL, values[i]);
    }
    a1_json_close(json, ']');
}
