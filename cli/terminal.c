#include "terminal.h"

#include <langinfo.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define MIN_WIDTH 20
#define MAX_WIDTH 1000
#define USUAL_WIDTH 80

int terminal_width(FILE *stream)
{
    struct winsize size;
    long width = 0;
    if (ioctl(fileno(stream), TIOCGWINSZ, &size) == 0)
        width = size.ws_col;
    const char *columns = getenv("COLUMNS");
    if (width <= 0 && columns)
        width = strtol(columns, NULL, 10);
    if (width <= 0)
        width = USUAL_WIDTH;
    return width < MIN_WIDTH ? MIN_WIDTH : width > MAX_WIDTH ? MAX_WIDTH : (int)width;
}

bool terminal_has_colour(FILE *stream)
{
    const char *off = getenv("NO_COLOR"), *kind = getenv("TERM");
    return isatty(fileno(stream)) && !(off && *off) && kind && strcmp(kind, "dumb") != 0;
}

bool terminal_is_unicode(void)
{
    return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

typedef struct range {
    uint32_t first, last;
} range;

static bool in_ranges(uint32_t code, const range *ranges, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (code >= ranges[i].first && code <= ranges[i].last)
            return true;
    return false;
}

/* The blocks of Unicode that matter for names of songs; not every character of the standard. */
static int code_width(uint32_t code)
{
    static const range none[] = {{0x300, 0x36f},   {0x483, 0x489},   {0x591, 0x5bd},
                                 {0x610, 0x61a},   {0x64b, 0x65f},   {0x93c, 0x93c},
                                 {0x941, 0x948},   {0x94d, 0x94d},   {0xe31, 0xe31},
                                 {0xe34, 0xe3a},   {0xe47, 0xe4e},   {0x1ab0, 0x1aff},
                                 {0x1dc0, 0x1dff}, {0x200b, 0x200d}, {0x2060, 0x2060},
                                 {0x20d0, 0x20ff}, {0x3099, 0x309a}, {0xfe00, 0xfe0f},
                                 {0xfe20, 0xfe2f}, {0xfeff, 0xfeff}};
    static const range two[] = {{0x1100, 0x115f},   {0x2e80, 0x303e},   {0x3041, 0x4dbf},
                                {0x4e00, 0xa4cf},   {0xa960, 0xa97f},   {0xac00, 0xd7a3},
                                {0xf900, 0xfaff},   {0xfe30, 0xfe6f},   {0xff00, 0xff60},
                                {0xffe0, 0xffe6},   {0x1f300, 0x1f64f}, {0x1f680, 0x1f6ff},
                                {0x1f900, 0x1f9ff}, {0x20000, 0x3fffd}};
    if (code < 0x300)
        return 1;
    if (in_ranges(code, none, sizeof none / sizeof *none))
        return 0;
    return in_ranges(code, two, sizeof two / sizeof *two) ? 2 : 1;
}

/* Whether a character could move the cursor or turn the text that follows. */
static bool is_unsafe(uint32_t code)
{
    static const range unsafe[] = {{0, 0x1f},         {0x7f, 0x9f},     {0x61c, 0x61c},
                                   {0x200e, 0x200f},  {0x2028, 0x202e}, {0x2066, 0x2069},
                                   {0xfff9, 0xfffb}};
    return in_ranges(code, unsafe, sizeof unsafe / sizeof *unsafe);
}

/* Length of the UTF-8 character at `s`; 1 and *code = '?' when the byte is not part of one. */
static size_t next_code(const char *text, uint32_t *code)
{
    static const uint32_t smallest[5] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *s = (const unsigned char *)text;
    const size_t length = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3
                          : s[0] < 0xf5 ? 4
                                        : 0;
    uint32_t value = length == 1 ? s[0] : length == 0 ? 0 : s[0] & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((s[i] & 0xc0) != 0x80) {
            *code = '?';
            return 1;
        }
        value = value << 6 | (s[i] & 0x3fu);
    }
    if (length == 0 || value < smallest[length] || value > 0x10ffff ||
        (value >= 0xd800 && value < 0xe000)) {
        *code = '?';
        return 1;
    }
    *code = value;
    return length;
}

int text_width(const char *text)
{
    int width = 0;
    uint32_t code;
    for (; *text; text += next_code(text, &code)) {
        next_code(text, &code);
        width += code_width(code);
    }
    return width;
}

/* Copies what is safe up to `columns`; returns whether all of it went in. */
static bool copy_safe(char *out, size_t size, const char *text, int columns)
{
    size_t used = 0;
    int width = 0;
    while (*text) {
        uint32_t code;
        size_t length = next_code(text, &code);
        const char *source = text;
        text += length;
        if (is_unsafe(code) || (code == '?' && *source != '?')) {
            source = "?";
            length = 1;
            code = '?';
        }
        width += code_width(code);
        if (width > columns || used + length + 1 > size) {
            out[used] = '\0';
            return false;
        }
        memcpy(out + used, source, length);
        used += length;
    }
    out[used] = '\0';
    return true;
}

void text_fit(char *out, size_t size, const char *text, int columns)
{
    if (copy_safe(out, size, text, columns) || columns <= 3 || size <= 4)
        return;
    copy_safe(out, size - 3, text, columns - 3);
    strcat(out, "...");
}

void text_cut(char *out, size_t size, const char *text, int columns)
{
    copy_safe(out, size, text, columns);
}

void text_time(char *out, size_t size, double seconds, bool fine)
{
    /* Rounded first, so that 59.999 does not become 0:60. */
    const long long hundredths = fine ? llround(seconds * 100) : llround(seconds) * 100;
    const long long whole = hundredths / 100;
    int used = whole >= 3600 ? snprintf(out, size, "%lld:%02lld:%02lld", whole / 3600,
                                        whole / 60 % 60, whole % 60)
                             : snprintf(out, size, "%lld:%02lld", whole / 60, whole % 60);
    if (fine && used > 0 && (size_t)used < size)
        snprintf(out + used, size - (size_t)used, ".%02lld", hundredths % 100);
}
