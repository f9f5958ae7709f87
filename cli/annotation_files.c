#include "annotation_files.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "messages.h"

/* The most telling first; of two that fit a name, the longer is met first. */
static const char *const suffixes[] = {".json",       ".jams",           ".lab",
                                       ".segments.txt", ".labels.txt",   ".beats",
                                       ".beats.txt",  ".beatlabels.txt", ".txt"};

#define SUFFIX_COUNT (sizeof suffixes / sizeof *suffixes)

typedef struct found_file {
    char *path, *name;
    size_t rank; /* of its suffix */
} found_file;

typedef struct file_list {
    found_file *files;
    size_t count, capacity;
} file_list;

/* The rank of a file name's suffix, SUFFIX_COUNT for other files. */
static size_t rank_of(const char *name)
{
    const size_t length = strlen(name);
    for (size_t i = 0; i < SUFFIX_COUNT; i++) {
        const size_t suffix = strlen(suffixes[i]);
        if (length > suffix && strcmp(name + length - suffix, suffixes[i]) == 0)
            return i;
    }
    return SUFFIX_COUNT;
}

static bool add_file(file_list *list, const char *folder, const char *name)
{
    const size_t rank = rank_of(name);
    found_file file = {.rank = rank};
    if (rank == SUFFIX_COUNT)
        return true;
    if (list->count == list->capacity) {
        const size_t capacity = list->capacity ? list->capacity * 2 : 64;
        found_file *files = realloc(list->files, capacity * sizeof *files);
        if (!files)
            return false;
        list->files = files;
        list->capacity = capacity;
    }
    file.name = strndup(name, strlen(name) - strlen(suffixes[rank]));
    if (asprintf(&file.path, "%s/%s", folder, name) < 0)
        file.path = NULL;
    if (!file.name || !file.path) {
        free(file.name);
        free(file.path);
        return false;
    }
    list->files[list->count++] = file;
    return true;
}

/* Everything in a folder but hidden files; folders in it when `deep`. */
static bool list_folder(file_list *list, const char *folder, bool deep)
{
    DIR *directory = opendir(folder);
    if (!directory) {
        message_error("%s: %s", folder, strerror(errno));
        return false;
    }
    bool good = true;
    struct dirent *entry;
    while (good && (entry = readdir(directory))) {
        struct stat info;
        char *path = NULL;
        if (entry->d_name[0] == '.')
            continue;
        good = asprintf(&path, "%s/%s", folder, entry->d_name) >= 0;
        if (!good)
            message_error("out of memory");
        else if (stat(path, &info) != 0)
            ; /* a link that leads nowhere */
        else if (S_ISDIR(info.st_mode))
            good = !deep || list_folder(list, path, false);
        else if (!add_file(list, folder, entry->d_name)) {
            message_error("out of memory");
            good = false;
        }
        if (path)
            free(path);
    }
    closedir(directory);
    return good;
}

static int compare_files(const void *a, const void *b)
{
    const found_file *one = a, *two = b;
    const int names = strcmp(one->name, two->name);
    if (names != 0)
        return names;
    if (one->rank != two->rank)
        return one->rank < two->rank ? -1 : 1;
    return strcmp(one->path, two->path);
}

/* Takes the files over, whether it succeeds or not. */
static bool group(annotation_folder *folder, file_list *list)
{
    if (list->count > 0)
        qsort(list->files, list->count, sizeof *list->files, compare_files);
    folder->songs = calloc(list->count + 1, sizeof *folder->songs);
    bool good = folder->songs != NULL;
    for (size_t i = 0; i < list->count; i++) {
        found_file *file = &list->files[i];
        annotated_song *song = folder->count > 0 ? &folder->songs[folder->count - 1] : NULL;
        if (good && (!song || strcmp(song->name, file->name) != 0)) {
            song = &folder->songs[folder->count];
            song->paths = calloc(list->count - i, sizeof *song->paths);
            good = song->paths != NULL;
            if (good) {
                folder->count++;
                song->name = file->name;
                file->name = NULL;
            }
        }
        if (good) {
            song->paths[song->path_count++] = file->path;
            file->path = NULL;
        }
        free(file->name);
        free(file->path);
    }
    free(list->files);
    return good;
}

bool annotation_folder_read(annotation_folder *folder, const char *path)
{
    file_list list = {.files = NULL};
    *folder = (annotation_folder){.songs = NULL};
    const bool listed = list_folder(&list, path, true);
    const bool grouped = group(folder, &list);
    if (listed && !grouped)
        message_error("out of memory");
    return listed && grouped;
}

void annotation_folder_free(annotation_folder *folder)
{
    for (size_t i = 0; i < folder->count; i++) {
        for (size_t p = 0; p < folder->songs[i].path_count; p++)
            free(folder->songs[i].paths[p]);
        free(folder->songs[i].paths);
        free(folder->songs[i].name);
    }
    free(folder->songs);
    *folder = (annotation_folder){.songs = NULL};
}

const annotated_song *annotation_folder_find(const annotation_folder *folder, const char *name)
{
    size_t low = 0, high = folder->count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const int order = strcmp(folder->songs[middle].name, name);
        if (order == 0)
            return &folder->songs[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}
