/* The public interface of <allin1/models.h>. */
#include <allin1/models.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cpu.h"
#include "demix/htdemucs.h"
#include "weights/built_in.h"
#include "weights/fetch.h"
#include "weights/model_table.h"
#include "weights/packed.h"
#include "weights/weights.h"

#define MAX_SOURCES 4

void allin1_models_settings_default(allin1_models_settings *settings)
{
    *settings = (allin1_models_settings){0};
}

static const allin1_models_settings *settings_or_default(const allin1_models_settings *settings)
{
    static const allin1_models_settings none = {0};
    return settings ? settings : &none;
}

static allin1_status give(allin1_error *error, const a1_error *err, allin1_status status)
{
    if (error && status != ALLIN1_OK) {
        error->status = status;
        snprintf(error->message, sizeof error->message, "%s", err->message);
    }
    return status;
}

const char *allin1_model_card(const char *name)
{
    return name && strcmp(name, A1_MODEL_STUDENT) == 0 ? (const char *)a1_file_STUDENT_md : NULL;
}

/* A part with the memory behind its pointers. */
typedef struct listed_part {
    allin1_model_source sources[MAX_SOURCES];
    char package[128];
    a1_weights_info info;
    a1_error problem;
} listed_part;

static void list_sources(listed_part *listed, const a1_model_file *file, allin1_model_part *part)
{
    for (size_t i = 0; i < file->source_count && i < MAX_SOURCES; i++) {
        const a1_source_file *source = &file->sources[i];
        const char *address = source->url ? source->url : "";
        if (file->package && file->package->source == source) {
            snprintf(listed->package, sizeof listed->package, "npm package %s",
                     file->package->name);
            address = listed->package;
        }
        listed->sources[i] = (allin1_model_source){.file = source->name,
                                                   .format = a1_form_string(source->form),
                                                   .address = address,
                                                   .size = source->size,
                                                   .sha256 = source->sha256 ? source->sha256 : ""};
        part->source_count = i + 1;
    }
    part->sources = listed->sources;
}

static void list_part(const allin1_models_settings *settings, const a1_model_file *file,
                      a1_pool *pool, listed_part *listed, allin1_model_part *part)
{
    a1_tensor_set *set = NULL;
    *part = (allin1_model_part){
        .name = file->name, .digest = file->digest, .path = "", .format = "", .message = ""};
    list_sources(listed, file, part);
    part->state = a1_weights_load(settings->weights_dir, file->name, pool, &set, &listed->info,
                                  &listed->problem);
    if (file->built_in)
        part->digest = listed->info.digest;
    if (part->state == ALLIN1_OK) {
        part->path = listed->info.path;
        part->format = listed->info.format;
        part->message = listed->info.warning;
    } else {
        part->message = listed->problem.message;
    }
    a1_tensor_set_destroy(&set);
}

allin1_status allin1_models_list(const allin1_models_settings *settings, allin1_model_fn fn,
                                 void *user, allin1_error *error)
{
    a1_error err = {0};
    settings = settings_or_default(settings);
    a1_pool *pool = NULL;
    /* The models share their files, and the files stand in one row. */
    const a1_model_file *first = a1_models[0].files;
    size_t count = 0, done = 0;
    for (size_t m = 0; m < a1_model_count; m++) {
        const size_t end = (size_t)(a1_models[m].files - first) + a1_models[m].file_count;
        count = end > count ? end : count;
    }
    listed_part *listed = calloc(count, sizeof *listed);
    allin1_model_part *parts = calloc(count, sizeof *parts);
    allin1_status status = listed && parts ? a1_pool_create(&pool, 0, &err)
                                           : a1_fail_memory(&err, "the list of models");
    for (size_t m = 0; status == ALLIN1_OK && m < a1_model_count; m++) {
        const a1_model *model = &a1_models[m];
        const size_t start = (size_t)(model->files - first), end = start + model->file_count;
        for (; done < end; done++)
            list_part(settings, &first[done], pool, &listed[done], &parts[done]);
        const allin1_model_entry entry = {.name = model->name,
                                          .family = model->family,
                                          .description = model->description,
                                          .licence = model->licence,
                                          .parts = parts + start,
                                          .part_count = model->file_count};
        fn(user, &entry);
    }
    a1_pool_destroy(&pool);
    free(listed);
    free(parts);
    return give(error, &err, status);
}

/* Passes one outcome on and keeps the first failure. */
typedef struct outcomes {
    allin1_model_event_fn fn;
    void *user;
    allin1_status status; /* of the first failure */
    char message[1024];
    char failed[256]; /* names, with commas */
    size_t failures;
} outcomes;

static void report(outcomes *o, const char *name, const char *path, allin1_status status,
                   const char *message)
{
    const allin1_model_event event = {name, path, status, message};
    if (o->fn)
        o->fn(o->user, &event);
    if (status == ALLIN1_OK)
        return;
    const size_t used = strlen(o->failed), length = strlen(name);
    /* One part may fail in several places. */
    if (used < length || strcmp(o->failed + used - length, name) != 0)
        snprintf(o->failed + used, sizeof o->failed - used, "%s%s", used ? ", " : "", name);
    if (o->failures++ == 0) {
        o->status = status;
        snprintf(o->message, sizeof o->message, "%s", message);
    }
}

static const a1_model *find_model(const char *name, a1_error *err)
{
    const a1_model *model = name ? a1_model_find(name) : NULL;
    if (!model)
        a1_model_unknown(name ? name : "", err);
    return model;
}

/* What to do by hand when fetching failed. `files`: the published names of what is missing. */
static allin1_status fetch_failed(const outcomes *o, const char *files,
                                  const a1_fetch_session *session, a1_error *err)
{
    if (o->status != ALLIN1_ERROR_DOWNLOAD)
        return a1_fail(err, o->status, "%s: %s", o->failed, o->message);
    return a1_fail(err, o->status,
                   "%s could not be fetched. By hand: put %s into %.300s and run this again. "
                   "Reason: %s",
                   o->failed, files, session->destination, o->message);
}

/* Packs the separator's weights of a .a1w file into `packed_path`, unless they are there. */
static allin1_status pack_weights(const a1_model_file *file, const char *path, const a1_cpu *cpu,
                                  a1_demix_precision precision, const char *packed_path,
                                  a1_pool *pool, bool *now, a1_error *err)
{
    char digest[A1_SHA256_HEX];
    a1_tensor_set *set = NULL, *packed = NULL;
    allin1_status status =
        a1_packed_read(packed_path, file, a1_htdemucs_layout(precision), pool, &packed, NULL);
    *now = status != ALLIN1_OK;
    if (*now) {
        A1_CHECK(a1_weights_read(path, file, NULL, false, pool, &set, digest, err));
        A1_CHECK(a1_htdemucs_pack(set, cpu, precision, pool, &packed, err));
        A1_CHECK(a1_packed_write(packed_path, packed, file, pool, err));
    }
done:
    a1_tensor_set_destroy(&packed);
    a1_tensor_set_destroy(&set);
    return status;
}

/* Leaves the separator's weights packed beside the .a1w file, for the precision that `auto` takes here,
 * and says so at the end of `message`. Panels of fp32 have twice the bytes of the file itself: to read and
 * check them would take as long as to pack (docs/SPEED.md). The model is there also without: a folder
 * that is only to be read, say, is no failure. */
static allin1_status pack_beside(const a1_model_file *file, const char *path, a1_pool *pool,
                                 char message[1024], a1_error *err)
{
    a1_cpu cpu;
    a1_error problem = {0};
    char packed_path[A1_PATH_ROOM];
    bool now = false;
    if (strcmp(file->family, "htdemucs") != 0)
        return ALLIN1_OK;
    A1_TRY(a1_cpu_select(&cpu, ALLIN1_CPU_AUTO, err));
    const a1_demix_precision precision = a1_demix_precision_auto(&cpu);
    if (precision == A1_DEMIX_FP32)
        return ALLIN1_OK;
    const allin1_status status =
        a1_packed_path(packed_path, path, a1_htdemucs_layout(precision))
            ? pack_weights(file, path, &cpu, precision, packed_path, pool, &now, &problem)
            : a1_fail(&problem, ALLIN1_ERROR_ARGUMENT, "the path would be too long");
    if (status == ALLIN1_ERROR_MEMORY)
        return a1_fail(err, status, "%s", problem.message);
    const size_t used = strlen(message);
    snprintf(message + used, 1024 - used, "; %s %s%.700s",
             status != ALLIN1_OK ? "not packed:"
             : now               ? "now packed for"
                                 : "packed for",
             status == ALLIN1_OK ? a1_demix_precision_string(precision) : "", problem.message);
    return ALLIN1_OK;
}

allin1_status allin1_models_fetch(const allin1_models_settings *settings, const char *name,
                                  allin1_model_event_fn fn, void *user, allin1_error *error)
{
    a1_error err = {0};
    settings = settings_or_default(settings);
    const a1_model *model = find_model(name, &err);
    if (!model)
        return give(error, &err, err.status);
    outcomes o = {.fn = fn, .user = user};
    char files[320] = "";
    a1_fetch_session *session = calloc(1, sizeof *session);
    allin1_status status =
        session ? a1_fetch_begin(session, settings, &err) : a1_fail_memory(&err, "fetching");
    for (size_t i = 0; status == ALLIN1_OK && i < model->file_count; i++) {
        char path[A1_PATH_ROOM] = "", message[1024];
        a1_error problem = {0};
        allin1_status result = a1_fetch_file(session, &model->files[i], path, message, &problem);
        if (result == ALLIN1_OK)
            result = pack_beside(&model->files[i], path, session->pool, message, &problem);
        report(&o, model->files[i].name, result == ALLIN1_OK ? path : "", result,
               result == ALLIN1_OK ? message : problem.message);
        if (result == ALLIN1_ERROR_CANCELLED)
            break;
        if (result != ALLIN1_OK && !model->files[i].built_in)
            snprintf(files + strlen(files), sizeof files - strlen(files), "%s%s",
                     *files ? ", " : "", model->files[i].sources[0].name);
    }
    if (status == ALLIN1_OK && o.failures > 0)
        status = fetch_failed(&o, files, session, &err);
    if (session)
        a1_fetch_end(session);
    free(session);
    return give(error, &err, status);
}

typedef struct verification {
    const a1_model_file *file;
    a1_pool *pool;
    outcomes *o;
    size_t files;
} verification;

/* The packed forms beside a .a1w file, of this program's layouts. */
static void verify_packed(verification *v, const char *path)
{
    for (a1_demix_precision p = A1_DEMIX_FP32; p <= A1_DEMIX_MIXED; p++) {
        char packed[A1_PATH_ROOM];
        a1_error problem = {0};
        a1_tensor_set *set = NULL;
        if (!a1_packed_path(packed, path, a1_htdemucs_layout(p)) || access(packed, F_OK) != 0)
            continue;
        const allin1_status status =
            a1_packed_read(packed, v->file, a1_htdemucs_layout(p), v->pool, &set, &problem);
        a1_tensor_set_destroy(&set);
        report(v->o, v->file->name, packed, status,
               status == ALLIN1_OK ? "whole (" A1_PACKED_FORMAT ")" : problem.message);
    }
}

static bool verify_candidate(void *user, const char *path, const a1_source_file *source)
{
    verification *v = user;
    a1_error problem = {0};
    char digest[A1_SHA256_HEX], message[128];
    a1_tensor_set *set = NULL;
    const allin1_status status =
        a1_weights_read(path, v->file, source, true, v->pool, &set, digest, &problem);
    a1_tensor_set_destroy(&set);
    snprintf(message, sizeof message, "whole (%s)",
             a1_form_string(source ? source->form : A1_FORM_MAPPED));
    report(v->o, v->file->name, path, status, status == ALLIN1_OK ? message : problem.message);
    if (!source && strcmp(v->file->family, "htdemucs") == 0)
        verify_packed(v, path);
    v->files++;
    return true;
}

static void verify_built_in(verification *v)
{
    a1_error problem = {0};
    char digest[A1_SHA256_HEX];
    a1_tensor_set *set = NULL;
    const allin1_status status =
        a1_built_in_read(v->file->name, a1_file_student_a1w, a1_size_student_a1w, true, v->pool,
                         &set, digest, &problem);
    a1_tensor_set_destroy(&set);
    report(v->o, v->file->name, A1_BUILT_IN_PATH, status,
           status == ALLIN1_OK ? "whole" : problem.message);
}

/* The sentence that covers all failures. */
static allin1_status summarise(const outcomes *o, a1_error *err)
{
    return o->failures == 1 ? a1_fail(err, o->status, "%s", o->message)
                            : a1_fail(err, o->status, "%zu failures (%s); the first: %s",
                                      o->failures, o->failed, o->message);
}

allin1_status allin1_models_verify(const allin1_models_settings *settings, const char *name,
                                   allin1_model_event_fn fn, void *user, allin1_error *error)
{
    a1_error err = {0};
    settings = settings_or_default(settings);
    const a1_model *model = find_model(name, &err);
    if (!model)
        return give(error, &err, err.status);
    outcomes o = {.fn = fn, .user = user};
    verification v = {.o = &o};
    allin1_status status = a1_pool_create(&v.pool, 0, &err);
    for (size_t i = 0; status == ALLIN1_OK && i < model->file_count; i++) {
        v.file = &model->files[i];
        v.files = 0;
        if (v.file->built_in) {
            verify_built_in(&v);
            continue;
        }
        status = a1_weights_candidates(settings->weights_dir, v.file, verify_candidate, &v, &err);
        if (status != ALLIN1_OK || v.files > 0)
            continue;
        a1_error missing = {0};
        a1_tensor_set *set = NULL;
        const allin1_status result =
            a1_weights_load(settings->weights_dir, v.file->name, v.pool, &set, NULL, &missing);
        a1_tensor_set_destroy(&set);
        report(&o, v.file->name, "", result, missing.message);
    }
    if (status == ALLIN1_OK && o.failures > 0)
        status = summarise(&o, &err);
    a1_pool_destroy(&v.pool);
    return give(error, &err, status);
}

allin1_status allin1_models_path(const allin1_models_settings *settings, const char *name,
                                 allin1_model_event_fn fn, void *user, allin1_error *error)
{
    a1_error err = {0};
    settings = settings_or_default(settings);
    const a1_model *model = find_model(name, &err);
    if (!model)
        return give(error, &err, err.status);
    outcomes o = {.fn = fn, .user = user};
    a1_pool *pool = NULL;
    a1_weights_info *info = malloc(sizeof *info);
    allin1_status status =
        info ? a1_pool_create(&pool, 0, &err) : a1_fail_memory(&err, "the search for weights");
    for (size_t i = 0; status == ALLIN1_OK && i < model->file_count; i++) {
        a1_error problem = {0};
        a1_tensor_set *set = NULL;
        const a1_model_file *file = &model->files[i];
        const allin1_status result =
            a1_weights_load(settings->weights_dir, file->name, pool, &set, info, &problem);
        a1_tensor_set_destroy(&set);
        report(&o, file->name, result == ALLIN1_OK && !file->built_in ? info->path : "", result,
               result != ALLIN1_OK ? problem.message
               : file->built_in    ? "student is a part of the program, in no file"
                                   : info->warning);
    }
    if (status == ALLIN1_OK && o.failures > 0)
        status = summarise(&o, &err);
    a1_pool_destroy(&pool);
    free(info);
    return give(error, &err, status);
}
