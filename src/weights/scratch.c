#include "weights/scratch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PREFIX ".fetch-"
#define MAX_DEPTH 32

allin1_status a1_make_folders(const char *path, a1_error *err)
{
    char partial[A1_PATH_ROOM];
    const int length = snprintf(partial, sizeof partial, "%s", path);
    if (length <= 0 || length >= (int)sizeof partial)
        return a1_fail(err, ALLIN1_ERROR_ARGUMENT, "\"%.100s\" is no usable path of a folder",
                       path);
    for (char *at = partial + 1;; at++) {
        if (*at != '/' && *at != '\0')
            continue;
        const char separator = *at;
        *at = '\0';
        if (mkdir(partial, 0755) != 0 && errno != EEXIST)
            return a1_fail(err, ALLIN1_ERROR_IO, "folder %s cannot be made: %s", partial,
                           strerror(errno));
        if (separator == '\0')
            return ALLIN1_OK;
        *at = separator;
    }
}

static bool is_dot(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* Calls itself for folders. Removes (when `removing`) or adds up what is below. */
static uint64_t walk(int parent, const char *name, bool removing, int depth)
{
    uint64_t bytes = 0;
    const int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
    if (!folder) {
        if (fd >= 0)
            close(fd);
        return 0;
    }
    for (struct dirent *entry; depth < MAX_DEPTH && (entry = readdir(folder));) {
        struct stat info;
        if (is_dot(entry->d_name) || fstatat(fd, entry->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0)
            continue;
        if (S_ISDIR(info.st_mode))
            bytes += walk(fd, entry->d_name, removing, depth + 1);
        else if (removing)
            unlinkat(fd, entry->d_name, 0);
        else if (S_ISREG(info.st_mode) && info.st_size > 0)
            bytes += (uint64_t)info.st_size;
    }
    closedir(folder);
    if (removing)
        unlinkat(parent, name, AT_REMOVEDIR);
    return bytes;
}

void a1_scratch_remove(const char *path)
{
    if (*path)
        walk(AT_FDCWD, path, true, 0);
}

uint64_t a1_scratch_bytes(const char *path)
{
    return walk(AT_FDCWD, path, false, 0);
}

/* Folders are named after the process that made them: ".fetch-PID-XXXXXX". */
static void sweep(const char *parent)
{
    DIR *folder = opendir(parent);
    if (!folder)
        return;
    for (struct dirent *entry; (entry = readdir(folder));) {
        if (strncmp(entry->d_name, PREFIX, strlen(PREFIX)) != 0)
            continue;
        char *end;
        const long pid = strtol(entry->d_name + strlen(PREFIX), &end, 10);
        if (*end == '-' && pid > 0 && pid < INT32_MAX && kill((pid_t)pid, 0) != 0 && errno == ESRCH)
            walk(dirfd(folder), entry->d_name, true, 0);
    }
    closedir(folder);
}

allin1_status a1_scratch_create(char path[A1_PATH_ROOM], const char *parent, a1_error *err)
{
    path[0] = '\0';
    A1_TRY(a1_make_folders(parent, err));
    sweep(parent);
    const int length =
        snprintf(path, A1_PATH_ROOM, "%s/" PREFIX "%ld-XXXXXX", parent, (long)getpid());
    if (length >= A1_PATH_ROOM || !mkdtemp(path)) {
        path[0] = '\0';
        return a1_fail(err, ALLIN1_ERROR_IO, "nothing can be written into %s: %s", parent,
                       length >= A1_PATH_ROOM ? "the path is too long" : strerror(errno));
    }
    /* Absolute: programs that are started in it are told of places below it. */
    char *whole = realpath(path, NULL);
    const int reason = whole ? ENAMETOOLONG : errno;
    const bool fits = whole && strlen(whole) < A1_PATH_ROOM;
    if (!fits)
        rmdir(path);
    snprintf(path, A1_PATH_ROOM, "%s", fits ? whole : "");
    free(whole);
    return fits ? ALLIN1_OK
                : a1_fail(err, ALLIN1_ERROR_IO, "nothing can be written into %s: %s", parent,
                          strerror(reason));
}
