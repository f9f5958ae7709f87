#include "timings/escape.h"

#include <ctype.h>
#include <string.h>

void a1_text_html(a1_text *text, const char *bytes)
{
    for (; *bytes; bytes++) {
        switch (*bytes) {
        case '&':
            a1_text_add(text, "&amp;");
            break;
        case '<':
            a1_text_add(text, "&lt;");
            break;
        case '>':
            a1_text_add(text, "&gt;");
            break;
        case '"':
            a1_text_add(text, "&quot;");
            break;
        case '\'':
            a1_text_add(text, "&#39;");
            break;
        default:
            a1_text_put(text, bytes, 1);
        }
    }
}

void a1_text_markdown(a1_text *text, const char *bytes)
{
    for (; *bytes; bytes++) {
        /* An underscore between letters stands for itself. */
        if (strchr("\\`*[]<|#~", *bytes))
            a1_text_add(text, "\\");
        a1_text_put(text, bytes, 1);
    }
}

void a1_text_shell(a1_text *text, const char *word)
{
    bool plain = *word != '\0' && *word != '-';
    for (const char *at = word; *at; at++)
        plain = plain && (isalnum((unsigned char)*at) || strchr("/._-+:=,@%", *at));
    if (plain) {
        a1_text_add(text, word);
        return;
    }
    a1_text_add(text, *word == '-' ? "'./" : "'");
    for (; *word; word++) {
        if (*word == '\'')
            a1_text_add(text, "'\\''");
        else
            a1_text_put(text, word, 1);
    }
    a1_text_add(text, "'");
}
