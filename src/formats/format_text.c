#include "formats/format_text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "output/decimal.h"

void a1_text_number(a1_text *text, double value, unsigned decimals)
{
    char number[A1_DECIMAL_SIZE];
    a1_text_put(text, number, a1_format_decimal(number, value, decimals));
}

void a1_text_clock(a1_text *text, double seconds, int hour_digits)
{
    const long long total = llround(seconds * 1000);
    a1_text_format(text, "%0*lld:%02lld:%02lld.%03lld", hour_digits, total / 3600000,
                   total / 60000 % 60, total / 1000 % 60, total % 1000);
}

/* The XML or HTML entity of a character, or NULL. */
static const char *entity_of(char c, bool quotes)
{
    return c == '&'             ? "&amp;"
           : c == '<'           ? "&lt;"
           : c == '>'           ? "&gt;"
           : c == '"' && quotes ? "&quot;"
                                : NULL;
}

static void put_character(a1_text *text, const char *bytes, size_t length, a1_escape escape)
{
    const char c = length == 1 ? *bytes : 'x';
    const char *entity = escape == A1_ESCAPE_XML || escape == A1_ESCAPE_WEBVTT
                             ? entity_of(c, escape == A1_ESCAPE_XML)
                             : NULL;
    if (entity) {
        a1_text_add(text, entity);
    } else if (escape == A1_ESCAPE_FFMETADATA && strchr("=;#\\", c)) {
        a1_text_put(text, "\\", 1);
        a1_text_put(text, bytes, length);
    } else if (escape == A1_ESCAPE_CSV && c == '"') {
        a1_text_add(text, "\"\"");
    } else if (escape == A1_ESCAPE_WORD && c == ' ') {
        a1_text_add(text, "_");
    } else {
        a1_text_put(text, bytes, length);
    }
}

static bool is_control(uint32_t code)
{
    return code < ' ' || (code >= 0x7f && code < 0xa0) || code == 0x2028 || code == 0x2029;
}

void a1_text_escaped(a1_text *text, const char *string, a1_escape escape)
{
    const bool quoted = escape == A1_ESCAPE_CSV && (strpbrk(string, ",;\"") || *string == ' ' ||
                                                    (*string && string[strlen(string) - 1] == ' '));
    if (escape == A1_ESCAPE_WORD && !*string)
        string = "_";
    if (quoted)
        a1_text_put(text, "\"", 1);
    while (*string) {
        uint32_t code;
        const size_t length = a1_utf8_decode(string, &code);
        if (length == 0 || code == 0xfffe || code == 0xffff)
            a1_text_add(text, "\xef\xbf\xbd");
        else if (is_control(code))
            put_character(text, " ", 1, escape);
        else
            put_character(text, string, length, escape);
        string += length ? length : 1;
    }
    if (quoted)
        a1_text_put(text, "\"", 1);
}

void a1_text_file_url(a1_text *text, const char *path)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/";
    a1_text_add(text, *path == '/' ? "file://localhost" : "file://localhost/");
    for (; *path; path++) {
        if (strchr(plain, *path))
            a1_text_put(text, path, 1);
        else
            a1_text_format(text, "%%%02X", (unsigned)(unsigned char)*path);
    }
}

void a1_text_json(a1_text *text, a1_json *json)
{
    char *document = a1_json_take(json);
    if (document)
        a1_text_add(text, document);
    else
        text->failed = true;
    a1_text_add(text, "\n");
    free(document);
}

char *a1_title_of_path(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash && slash[1] ? slash + 1 : path;
    const char *dot = strrchr(name, '.');
    return strndup(name, dot && dot > name && dot[1] ? (size_t)(dot - name) : strlen(name));
}
