#include "format_list.h"

#include <string.h>

#include "messages.h"

static const allin1_format *find(const char *name, size_t length)
{
    size_t count;
    const allin1_format *formats = allin1_formats(&count);
    for (size_t i = 0; i < count; i++)
        if (strlen(formats[i].name) == length && strncmp(formats[i].name, name, length) == 0)
            return &formats[i];
    return NULL;
}

static void refuse(const char *name, size_t length)
{
    char names[1024] = "";
    size_t count, used = 0;
    const allin1_format *formats = allin1_formats(&count);
    for (size_t i = 0; i < count && used < sizeof names; i++)
        used += (size_t)snprintf(names + used, sizeof names - used, "%s%s",
                                 i == 0           ? ""
                                 : i + 1 == count ? " and "
                                                  : ", ",
                                 formats[i].name);
    message_error("--format takes a list of %s; there is no format \"%.*s\"", names, (int)length,
                  name);
}

void format_list_default(format_list *list)
{
    *list = (format_list){.items = {find("json", strlen("json"))}, .count = 1};
}

bool format_list_parse(format_list *list, const char *text)
{
    *list = (format_list){.given = true};
    while (true) {
        const size_t length = strcspn(text, ",");
        const allin1_format *format = find(text, length);
        if (!format) {
            refuse(text, length);
            return false;
        }
        if (!format_list_has(list, format->name) && list->count < MAX_FORMATS)
            list->items[list->count++] = format;
        if (text[length] == '\0')
            return true;
        text += length + 1;
    }
}

bool format_list_has(const format_list *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i]->name, name) == 0)
            return true;
    return false;
}

void format_list_help(FILE *stream)
{
    size_t count;
    const allin1_format *formats = allin1_formats(&count);
    for (size_t i = 0; i < count; i++)
        fprintf(stream, "  %-17s NAME%-16s %s\n", formats[i].name, formats[i].suffix,
                formats[i].description);
}
