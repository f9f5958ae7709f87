/* Searching the places for a model's files. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "weights/built_in.h"
#include "weights/packed.h"
#include "weights/weights.h"

static bool is_path(const char *name)
{
    const size_t length = strlen(name);
    return length > 4 && strcmp(name + length - 4, ".a1w") == 0;
}

allin1_status a1_weights_files(const char *model, const char *names[A1_WEIGHTS_MAX_FILES],
                               size_t *count, a1_error *err)
{
    *count = 0;
    const a1_model *known = is_path(model) ? NULL : a1_model_find(model);
    if (!known && !is_path(model))
        return a1_model_unknown(model, err);
    *count = known ? known->file_count : 1;
    for (size_t i = 0; i < *count; i++)
        names[i] = known ? known->files[i].name : model;
    return ALLIN1_OK;
}

static bool exists(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

allin1_status a1_weights_candidates(const char *weights_dir, const a1_model_file *file,
                                    a1_candidate_fn fn, void *user, a1_error *err)
{
    a1_places *places = malloc(sizeof *places);
    if (!places)
        return a1_fail_memory(err, "the search for weights");
    const allin1_status status = a1_places_find(places, weights_dir, file->family, err);
    char name[64], path[A1_PATH_ROOM];
    snprintf(name, sizeof name, "%s.a1w", file->name);
    bool more = status == ALLIN1_OK;
    for (size_t i = 0; more && i < places->count; i++) {
        const char *folder = places->paths[i];
        if (a1_path_join(path, folder, name) && exists(path))
            more = fn(user, path, NULL);
        for (size_t s = 0; more && s < file->source_count; s++)
            if (a1_path_join(path, folder, file->sources[s].name) && exists(path))
                more = fn(user, path, &file->sources[s]);
    }
    free(places);
    return status;
}

typedef struct search {
    const a1_model_file *file;
    const char *packing; /* or NULL */
    a1_pool *pool;
    a1_tensor_set **set;
    a1_weights_info *info;
    a1_error problem; /* of the first file that did not prove itself */
    a1_error packed_problem; /* the same of packed ones, which are not needed */
    bool found;
} search;

static void take(search *s, const char *path, const char *format, const char *digest)
{
    s->found = true;
    if (!s->info)
        return;
    snprintf(s->info->path, sizeof s->info->path, "%s", path);
    s->info->format = format;
    memcpy(s->info->digest, digest, A1_SHA256_HEX);
    s->info->name = s->file->name;
    s->info->licence = a1_family_licence(s->file->family);
    const a1_error *problem = s->problem.status != ALLIN1_OK ? &s->problem : &s->packed_problem;
    memcpy(s->info->warning, problem->message, sizeof s->info->warning);
}

/* The packed form beside a .a1w file. False when there is no memory to go on with. */
static bool try_packed(search *s, const char *path)
{
    char packed[A1_PATH_ROOM];
    a1_error problem = {0};
    if (!a1_packed_path(packed, path, s->packing) || !exists(packed))
        return true;
    if (a1_packed_read(packed, s->file, s->packing, s->pool, s->set, &problem) == ALLIN1_OK)
        take(s, packed, A1_PACKED_FORMAT, s->file->digest);
    else if (problem.status == ALLIN1_ERROR_MEMORY)
        s->problem = problem;
    else if (s->packed_problem.status == ALLIN1_OK)
        s->packed_problem = problem;
    return problem.status != ALLIN1_ERROR_MEMORY;
}

static bool try_candidate(void *user, const char *path, const a1_source_file *source)
{
    search *s = user;
    a1_error problem = {0};
    char digest[A1_SHA256_HEX];
    if (s->packing && !source && (!try_packed(s, path) || s->found))
        return false;
    if (a1_weights_read(path, s->file, source, false, s->pool, s->set, digest, &problem) !=
        ALLIN1_OK) {
        if (s->problem.status == ALLIN1_OK)
            s->problem = problem;
        return problem.status != ALLIN1_ERROR_MEMORY;
    }
    take(s, path, a1_form_string(source ? source->form : A1_FORM_MAPPED), digest);
    return false;
}

/* Says what is missing, the names it may have, and the folders in which it was looked for. */
static allin1_status report_missing(const char *weights_dir, const char *const *missing,
                                    size_t missing_count, const char *model, a1_error *err)
{
    char names[256] = "", folders[2048] = "", forms[128];
    size_t used = 0;
    for (size_t i = 0; i < missing_count && used < sizeof names; i++)
        used +=
            (size_t)snprintf(names + used, sizeof names - used, "%s%s", i ? ", " : "", missing[i]);
    const a1_model_file *first = a1_model_file_find(missing[0]);
    used = (size_t)snprintf(forms, sizeof forms, "%s.a1w", first->name);
    for (size_t s = 0; s < first->source_count && used < sizeof forms; s++)
        used +=
            (size_t)snprintf(forms + used, sizeof forms - used, "%s%s",
                             s + 1 < first->source_count ? ", " : " or ", first->sources[s].name);
    a1_places *places = malloc(sizeof *places);
    if (!places)
        return a1_fail_memory(err, "the search for weights");
    allin1_status status = a1_places_find(places, weights_dir, first->family, err);
    if (status == ALLIN1_OK) {
        used = 0;
        for (size_t i = 0; i < places->count && used < sizeof folders; i += 2)
            used += (size_t)snprintf(folders + used, sizeof folders - used, "%s%s", i ? ", " : "",
                                     places->paths[i]);
        status = a1_fail(err, ALLIN1_ERROR_WEIGHTS_MISSING,
                         "the weights of %s were not found. Run `allin1 models fetch %s`, or put "
                         "%s%s into one of the folders searched: %s (each with its subfolder %s)",
                         names, model, forms, missing_count > 1 ? " (and so on)" : "",
                         places->count ? folders : "none, HOME is not set", first->family);
    }
    free(places);
    return status;
}

static allin1_status load_built_in(const a1_model_file *file, a1_pool *pool, a1_tensor_set **set,
                                   a1_weights_info *info, a1_error *err)
{
    char digest[A1_SHA256_HEX];
    A1_TRY(a1_built_in_read(file->name, a1_file_student_a1w, a1_size_student_a1w, false, pool, set,
                            digest, err));
    if (info) {
        snprintf(info->path, sizeof info->path, A1_BUILT_IN_PATH);
        info->format = a1_form_string(A1_FORM_MAPPED);
        memcpy(info->digest, digest, sizeof digest);
        info->name = file->name;
        info->licence = a1_family_licence(file->family);
    }
    return ALLIN1_OK;
}

static allin1_status load_path(const char *path, a1_pool *pool, a1_tensor_set **set,
                               a1_weights_info *info, a1_error *err)
{
    char digest[A1_SHA256_HEX];
    A1_TRY(a1_weights_read(path, NULL, NULL, true, pool, set, digest, err));
    const a1_model_file *file = a1_model_file_by_digest(digest);
    const allin1_status status = a1_tensor_set_put_text(*set, "digest", digest, err);
    if (status != ALLIN1_OK) {
        a1_tensor_set_destroy(set);
        return status;
    }
    if (info) {
        snprintf(info->path, sizeof info->path, "%s", path);
        info->format = a1_form_string(A1_FORM_MAPPED);
        memcpy(info->digest, digest, sizeof digest);
        info->name = file ? file->name : NULL;
        info->licence = file ? a1_family_licence(file->family) : NULL;
    }
    return ALLIN1_OK;
}

static bool seen(void *user, const char *path, const a1_source_file *source)
{
    (void)path;
    (void)source;
    *(bool *)user = true;
    return false;
}

allin1_status a1_weights_there(const char *weights_dir, const char *model, bool *there, a1_error *err)
{
    const char *names[A1_WEIGHTS_MAX_FILES];
    size_t count;
    *there = true;
    A1_TRY(a1_weights_files(model, names, &count, err));
    for (size_t i = 0; *there && i < count; i++) {
        const a1_model_file *file = a1_model_file_find(names[i]);
        *there = false;
        if (!file)
            *there = exists(names[i]);
        else if (file->built_in)
            *there = a1_size_student_a1w > 0;
        else
            A1_TRY(a1_weights_candidates(weights_dir, file, seen, there, err));
    }
    return ALLIN1_OK;
}

allin1_status a1_weights_load(const char *weights_dir, const char *file_name, a1_pool *pool,
                              a1_tensor_set **set, a1_weights_info *info, a1_error *err)
{
    return a1_weights_load_packed(weights_dir, file_name, NULL, pool, set, info, err);
}

allin1_status a1_weights_load_packed(const char *weights_dir, const char *file_name,
                                     const char *packing, a1_pool *pool, a1_tensor_set **set,
                                     a1_weights_info *info, a1_error *err)
{
    *set = NULL;
    if (info)
        memset(info, 0, sizeof *info);
    if (is_path(file_name))
        return load_path(file_name, pool, set, info, err);
    const a1_model_file *file = a1_model_file_find(file_name);
    if (!file)
        return a1_model_unknown(file_name, err);
    if (file->built_in)
        return load_built_in(file, pool, set, info, err);
    search s = {.file = file, .packing = packing, .pool = pool, .set = set, .info = info};
    A1_TRY(a1_weights_candidates(weights_dir, file, try_candidate, &s, err));
    if (s.found)
        return ALLIN1_OK;
    if (s.problem.status != ALLIN1_OK)
        return a1_fail(err, s.problem.status, "%s", s.problem.message);
    return report_missing(weights_dir, &file->name, 1, file->name, err);
}

allin1_status a1_weights_load_model(const char *weights_dir, const char *model,
                                    const char *packing, a1_pool *pool,
                                    a1_tensor_set *sets[A1_WEIGHTS_MAX_FILES],
                                    a1_weights_info *infos, size_t *count, a1_error *err)
{
    const char *names[A1_WEIGHTS_MAX_FILES], *missing[A1_WEIGHTS_MAX_FILES];
    size_t missing_count = 0;
    A1_TRY(a1_weights_files(model, names, count, err));
    for (size_t i = 0; i < *count; i++)
        sets[i] = NULL;
    allin1_status status = ALLIN1_OK;
    for (size_t i = 0; i < *count; i++) {
        status = a1_weights_load_packed(weights_dir, names[i], packing, pool, &sets[i],
                                        infos ? &infos[i] : NULL, err);
        const a1_model_file *file = a1_model_file_find(names[i]);
        if (status == ALLIN1_ERROR_WEIGHTS_MISSING && !(file && file->built_in))
            missing[missing_count++] = names[i];
        else if (status != ALLIN1_OK)
            break;
    }
    if (missing_count > 0 && (status == ALLIN1_OK || status == ALLIN1_ERROR_WEIGHTS_MISSING))
        status = report_missing(weights_dir, missing, missing_count, model, err);
    if (status != ALLIN1_OK)
        for (size_t i = 0; i < *count; i++)
            a1_tensor_set_destroy(&sets[i]);
    return status;
}
