#include "weights/file_map.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Stands in for the mapping of an empty file, which mmap refuses. */
static const unsigned char empty_file[1];

allin1_status a1_file_map_open(a1_file_map *map, const char *path, a1_error *err)
{
    *map = (a1_file_map){0};
    /* Without O_NONBLOCK, opening a named pipe would wait for a writer. */
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return a1_fail(err, ALLIN1_ERROR_IO, "%s cannot be opened: %s", path, strerror(errno));
    struct stat info;
    allin1_status status = ALLIN1_OK;
    if (fstat(fd, &info) != 0) {
        status = a1_fail(err, ALLIN1_ERROR_IO, "%s: %s", path, strerror(errno));
    } else if (!S_ISREG(info.st_mode)) {
        status = a1_fail(err, ALLIN1_ERROR_IO, "%s is not a regular file", path);
    } else if (info.st_size < 0 || (uintmax_t)info.st_size > (uintmax_t)PTRDIFF_MAX) {
        status = a1_fail(err, ALLIN1_ERROR_IO, "%s is too large to be mapped", path);
    } else if (info.st_size == 0) {
        map->data = empty_file;
    } else {
        void *data = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (data == MAP_FAILED) {
            status =
                a1_fail(err, ALLIN1_ERROR_IO, "%s cannot be mapped: %s", path, strerror(errno));
        } else {
            map->data = data;
            map->size = (size_t)info.st_size;
            (void)madvise(data, map->size, MADV_WILLNEED);
        }
    }
    close(fd);
    return status;
}

void a1_file_map_close(a1_file_map *map)
{
    if (map->size)
        munmap((void *)(uintptr_t)map->data, map->size);
    *map = (a1_file_map){0};
}

void a1_file_map_release(void *data, size_t size)
{
    if (size)
        munmap(data, size);
}
