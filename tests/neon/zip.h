/* Stands in for libzip's header where the library is not at hand (see cmocka.h beside it): no archive
 * can be opened, so tests that need one are not among those of scripts/check_neon.sh. */
#ifndef TEST_NEON_ZIP_H
#define TEST_NEON_ZIP_H

#include <stddef.h>
#include <stdint.h>

#define ZIP_RDONLY 16

typedef int64_t zip_int64_t;
typedef struct zip zip_t;
typedef struct zip_file zip_file_t;
typedef struct zip_stat {
    uint64_t size;
} zip_stat_t;

static inline zip_t *zip_open(const char *path, int flags, int *error)
{
    (void)path;
    (void)flags;
    (void)error;
    return NULL;
}

static inline int zip_stat(zip_t *archive, const char *name, unsigned flags, zip_stat_t *info)
{
    (void)archive;
    (void)name;
    (void)flags;
    *info = (zip_stat_t){0};
    return -1;
}

static inline zip_file_t *zip_fopen(zip_t *archive, const char *name, unsigned flags)
{
    (void)archive;
    (void)name;
    (void)flags;
    return NULL;
}

static inline zip_int64_t zip_fread(zip_file_t *file, void *out, uint64_t size)
{
    (void)file;
    (void)out;
    (void)size;
    return -1;
}

static inline int zip_fclose(zip_file_t *file)
{
    (void)file;
    return 0;
}

static inline void zip_discard(zip_t *archive)
{
    (void)archive;
}

#endif
