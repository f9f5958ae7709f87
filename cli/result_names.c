#include "result_names.h"

#include <allin1/allin1.h>

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_NUMBER 1000000

typedef enum owner { NOBODY, SELF, BROKEN, SOMEBODY, NOT_TOLD } owner;

/* As Python's Path.stem: the last suffix goes, unless the name only begins or ends with the point. */
static char *stem_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    const char *dot = strrchr(name, '.');
    const bool suffix = dot && dot != name && dot[1] != '\0';
    return strndup(name, suffix ? (size_t)(dot - name) : strlen(name));
}

static char *numbered(const char *stem, int number)
{
    char *name = NULL;
    if (number == 1)
        return strdup(stem);
    return asprintf(&name, "%s-%d", stem, number) < 0 ? NULL : name;
}

/* What a result of ours begins with, whole or cut off at any place. */
static bool looks_like_ours(const char *path)
{
    static const char start[] = "{\n  \"path\": \"";
    char bytes[sizeof start - 1];
    FILE *file = fopen(path, "r");
    if (!file)
        return false;
    const size_t got = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    return memcmp(bytes, start, got) == 0;
}

/* NOT_TOLD with the reason in errno. */
static owner owner_of(const char *file, const char *resolved)
{
    struct stat info;
    allin1_result *result;
    if (lstat(file, &info) != 0)
        return errno == ENOENT || errno == ENOTDIR ? NOBODY : NOT_TOLD;
    const allin1_status status = allin1_load_json(file, &result, NULL, NULL);
    if (status != ALLIN1_OK)
        return status == ALLIN1_ERROR_FORMAT && looks_like_ours(file) ? BROKEN : SOMEBODY;
    const bool own = resolved && strcmp(result->path, resolved) == 0;
    allin1_result_free(&result);
    return own ? SELF : SOMEBODY;
}

static bool is_taken(const named_input *inputs, int count, const char *name)
{
    for (int i = 0; i < count; i++)
        if (inputs[i].name && strcmp(inputs[i].name, name) == 0)
            return true;
    return false;
}

/* It has a name, or can have none. */
static bool is_settled(const named_input *input)
{
    return input->name || input->nameless;
}

/* Gives `input` the name `stem`[-number] when it is free and its file, if there is one, may be
 * written; or says why it can have none. Returns false only when memory ran out. */
static bool try_name(named_input *inputs, int count, named_input *input, const char *out_dir,
                     const char *stem, int number, bool only_own)
{
    char *name = numbered(stem, number), *file = NULL;
    bool good = name != NULL;
    if (good && !is_taken(inputs, count, name)) {
        owner found = NOBODY;
        if (out_dir) {
            good = asprintf(&file, "%s/%s.json", out_dir, name) >= 0;
            if (good)
                found = owner_of(file, input->resolved);
            else
                file = NULL;
        }
        if (found == NOT_TOLD) {
            input->nameless = errno;
        } else if (good && (found == SELF || (!only_own && found != SOMEBODY))) {
            input->name = name;
            input->damaged = found == BROKEN;
            name = NULL;
        }
    }
    free(file);
    free(name);
    return good;
}

/* The number in "stem-12.json", or 0. */
static int number_in(const char *file_name, const char *stem)
{
    const size_t length = strlen(stem);
    if (strncmp(file_name, stem, length) != 0 || file_name[length] != '-')
        return 0;
    const char *digits = file_name + length + 1;
    char *end;
    const long number = strtol(digits, &end, 10);
    if (digits[0] < '1' || digits[0] > '9' || strcmp(end, ".json") != 0 || number < 2 ||
        number > MAX_NUMBER)
        return 0;
    return (int)number;
}

static int compare_numbers(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

/* The numbers of the files in `out_dir` that could be results of `stem`, ascending. */
static bool list_numbers(const char *out_dir, const char *stem, int **out, int *out_count)
{
    int *numbers = NULL, count = 0;
    DIR *folder = opendir(out_dir);
    const struct dirent *entry;
    bool good = true;
    while (good && folder && (entry = readdir(folder))) {
        const int number = number_in(entry->d_name, stem);
        if (number == 0)
            continue;
        int *more = realloc(numbers, (size_t)(count + 1) * sizeof *numbers);
        good = more != NULL;
        if (good) {
            numbers = more;
            numbers[count++] = number;
        }
    }
    if (folder)
        closedir(folder);
    if (count > 1)
        qsort(numbers, (size_t)count, sizeof *numbers, compare_numbers);
    *out = numbers;
    *out_count = count;
    return good;
}

static bool find_own(named_input *inputs, int count, named_input *input, const char *out_dir,
                     const char *stem)
{
    if (!try_name(inputs, count, input, out_dir, stem, 1, true))
        return false;
    if (is_settled(input))
        return true;
    int *numbers, number_count;
    bool good = list_numbers(out_dir, stem, &numbers, &number_count);
    for (int i = 0; good && !is_settled(input) && i < number_count; i++)
        good = try_name(inputs, count, input, out_dir, stem, numbers[i], true);
    free(numbers);
    return good;
}

static bool resolve_all(named_input *inputs, int count)
{
    for (int i = 0; i < count; i++) {
        inputs[i].same_as = -1;
        inputs[i].resolved = realpath(inputs[i].path, NULL);
        if (!inputs[i].resolved && errno == ENOMEM)
            return false;
        for (int j = 0; j < i && inputs[i].resolved && inputs[i].same_as < 0; j++)
            if (inputs[j].same_as < 0 && inputs[j].resolved &&
                strcmp(inputs[i].resolved, inputs[j].resolved) == 0)
                inputs[i].same_as = j;
    }
    return true;
}

bool name_results(named_input *inputs, int count, const char *out_dir)
{
    char **stems = calloc((size_t)count + 1, sizeof *stems);
    bool good = stems && resolve_all(inputs, count);
    for (int i = 0; good && i < count; i++)
        good = (stems[i] = stem_of(inputs[i].path)) != NULL;

    enum { OWN, PLAIN, NUMBERED };
    for (int pass = out_dir ? OWN : PLAIN; pass <= NUMBERED; pass++) {
        for (int i = 0; good && i < count; i++) {
            named_input *input = &inputs[i];
            if (input->same_as >= 0 || is_settled(input))
                continue;
            if (pass == OWN)
                good = find_own(inputs, count, input, out_dir, stems[i]);
            for (int n = 1; pass != OWN && good && !is_settled(input) &&
                            n <= (pass == PLAIN ? 1 : MAX_NUMBER);
                 n++)
                good = try_name(inputs, count, input, out_dir, stems[i], n, false);
            if (pass == NUMBERED && good && !is_settled(input))
                input->nameless = EEXIST;
        }
    }
    for (int i = 0; stems && i < count; i++)
        free(stems[i]);
    free(stems);
    return good;
}

void free_names(named_input *inputs, int count)
{
    for (int i = 0; i < count; i++) {
        free(inputs[i].resolved);
        free(inputs[i].name);
    }
}
