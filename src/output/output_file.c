#include "output/output_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define ATTEMPTS 100

allin1_status a1_output_make_folders(const char *path, a1_error *err)
{
    char *copy = strdup(path);
    if (!copy)
        return a1_fail_memory(err, "a path");
    allin1_status status = ALLIN1_OK;
    for (char *end = copy + strspn(copy, "/"); status == ALLIN1_OK; end += strspn(end, "/")) {
        end += strcspn(end, "/");
        const char separator = *end;
        *end = '\0';
        if (*copy && mkdir(copy, 0777) != 0 && errno != EEXIST)
            status = a1_fail(err, ALLIN1_ERROR_IO, "%s: cannot make the folder: %s", copy,
                             strerror(errno));
        if (separator == '\0')
            break;
        *end = separator;
    }
    struct stat info;
    if (status == ALLIN1_OK && stat(path, &info) == 0 && !S_ISDIR(info.st_mode))
        status = a1_fail(err, ALLIN1_ERROR_IO, "%s: is not a folder", path);
    free(copy);
    return status;
}

static void forget(a1_output_file *file)
{
    free(file->path);
    free(file->temporary);
    *file = (a1_output_file){.descriptor = -1};
}

/* The folder of `path` with its final slash; empty for a bare file name. */
static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return strndup(path, slash ? (size_t)(slash - path) + 1 : 0);
}

/* The temporary name is short and its own, so that a long file name cannot make it too long. */
static allin1_status open_temporary(a1_output_file *file, const char *folder, a1_error *err)
{
    const size_t room = strlen(folder) + 40;
    file->temporary = malloc(room);
    if (!file->temporary)
        return a1_fail_memory(err, "a path");
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        unsigned long long random;
        if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random)
            random = (unsigned long long)getpid() * ATTEMPTS + (unsigned)attempt;
        snprintf(file->temporary, room, "%s.allin1-%016llx.tmp", folder, random);
        file->descriptor =
            open(file->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, (mode_t)0666);
        if (file->descriptor >= 0)
            return ALLIN1_OK;
        if (errno != EEXIST)
            break;
    }
    return a1_fail(err, ALLIN1_ERROR_IO, "%s: cannot write in this folder: %s", file->path,
                   strerror(errno));
}

allin1_status a1_output_open(a1_output_file *file, const char *path, a1_error *err)
{
    *file = (a1_output_file){.descriptor = -1};
    char *folder = folder_of(path);
    file->path = strdup(path);
    allin1_status status;
    if (!folder || !file->path) {
        status = a1_fail_memory(err, "a path");
        goto done;
    }
    if (*folder)
        A1_CHECK(a1_output_make_folders(folder, err));
    status = open_temporary(file, folder, err);

done:
    free(folder);
    if (status != ALLIN1_OK)
        forget(file);
    return status;
}

allin1_status a1_output_write(a1_output_file *file, const void *data, size_t size, a1_error *err)
{
    const char *bytes = data;
    while (size > 0) {
        const size_t part = size < ((size_t)1 << 30) ? size : (size_t)1 << 30;
        const ssize_t written = write(file->descriptor, bytes, part);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return a1_fail(err, ALLIN1_ERROR_IO, "%s: cannot write: %s", file->path,
                           strerror(written < 0 ? errno : ENOSPC));
        bytes += written;
        size -= (size_t)written;
    }
    return ALLIN1_OK;
}

allin1_status a1_output_commit(a1_output_file *file, a1_error *err)
{
    allin1_status status = ALLIN1_OK;
    /* Some file systems cannot flush; that alone is no failure. */
    if (fsync(file->descriptor) != 0 && errno != EINVAL && errno != ENOTSUP)
        status = a1_fail(err, ALLIN1_ERROR_IO, "%s: cannot write: %s", file->path, strerror(errno));
    if (close(file->descriptor) != 0 && status == ALLIN1_OK && errno != EINTR)
        status = a1_fail(err, ALLIN1_ERROR_IO, "%s: cannot write: %s", file->path, strerror(errno));
    file->descriptor = -1;
    if (status == ALLIN1_OK && rename(file->temporary, file->path) != 0)
        status = a1_fail(err, ALLIN1_ERROR_IO, "%s: cannot put the file in its place: %s",
                         file->path, strerror(errno));
    if (status != ALLIN1_OK)
        unlink(file->temporary);
    forget(file);
    return status;
}

void a1_output_abort(a1_output_file *file)
{
    if (file->descriptor < 0)
        return;
    close(file->descriptor);
    unlink(file->temporary);
    forget(file);
}

allin1_status a1_output_whole(const char *path, const void *data, size_t size, a1_error *err)
{
    a1_output_file file;
    A1_TRY(a1_output_open(&file, path, err));
    allin1_status status = a1_output_write(&file, data, size, err);
    if (status == ALLIN1_OK)
        return a1_output_commit(&file, err);
    a1_output_abort(&file);
    return status;
}
