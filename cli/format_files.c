#include "format_files.h"

#include <stdlib.h>
#include <string.h>

#include "messages.h"

bool format_files_name(format_files *files, const format_list *list, const char *folder,
                       const char *name)
{
    *files = (format_files){.count = 0};
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->items[i]->name, "json") == 0)
            continue;
        char *path = NULL;
        if (asprintf(&path, "%s/%s%s", folder, name, list->items[i]->suffix) < 0)
            return false;
        files->formats[files->count] = list->items[i];
        files->paths[files->count++] = path;
    }
    return true;
}

void format_files_free(format_files *files)
{
    for (size_t i = 0; i < files->count; i++)
        free(files->paths[i]);
    files->count = 0;
}

const char *format_files_first(const format_files *files)
{
    return files->count > 0 ? files->paths[0] : NULL;
}

allin1_status format_files_save(const format_files *files, allin1_context *context,
                                const allin1_result *result, allin1_error *error)
{
    allin1_status status = ALLIN1_OK;
    for (size_t i = 0; i < files->count && status == ALLIN1_OK; i++)
        status = allin1_save_format(context, result, files->formats[i]->name, files->paths[i],
                                    error);
    return status;
}

static bool file_holds(const char *path, const char *content, size_t size)
{
    FILE *file = fopen(path, "rb");
    char part[4096];
    size_t got, at = 0;
    bool same = file != NULL;
    while (same && (got = fread(part, 1, sizeof part, file)) > 0) {
        same = got <= size - at && memcmp(content + at, part, got) == 0;
        at += got;
    }
    if (file)
        fclose(file);
    return same && at == size;
}

static allin1_status refresh_one(const format_files *files, size_t index, allin1_context *context,
                                 const allin1_result *result, allin1_error *error)
{
    const char *format = files->formats[index]->name, *path = files->paths[index];
    char *content;
    size_t size;
    allin1_status status = allin1_result_format(result, format, &content, &size, error);
    if (status != ALLIN1_OK)
        return status;
    if (!file_holds(path, content, size)) {
        status = allin1_save_format(context, result, format, path, error);
        if (status == ALLIN1_OK)
            message_note("  %s made from it", path);
    }
    allin1_string_free(content);
    return status;
}

allin1_status format_files_refresh(const format_files *files, allin1_context *context,
                                   const char *json, const char *song, allin1_error *error)
{
    allin1_result *loaded;
    if (files->count == 0)
        return ALLIN1_OK;
    allin1_status status = allin1_load_json(json, &loaded, NULL, error);
    if (status != ALLIN1_OK)
        return status;
    allin1_result result = *loaded;
    result.path = song ? song : loaded->path;
    for (size_t i = 0; i < files->count && status == ALLIN1_OK; i++)
        status = refresh_one(files, i, context, &result, error);
    allin1_result_free(&loaded);
    return status;
}
