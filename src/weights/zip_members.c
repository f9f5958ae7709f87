#include "weights/zip_members.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zip.h>

/* The most that deflate can expand: 258 bytes from two bits, hence below 1032. */
#define MAX_EXPANSION 1032
/* The record at the end of every archive. */
#define MIN_ARCHIVE 22

struct a1_zip {
    zip_t *archive;
    char *what;
    size_t bytes;
};

allin1_status a1_zip_open(a1_zip **zip, const void *bytes, size_t size, const char *what,
                          a1_error *err)
{
    *zip = NULL;
    if (size < MIN_ARCHIVE) /* libzip takes nothing at all for an empty archive */
        return a1_fail(err, ALLIN1_ERROR_FORMAT, "%s is too short for a zip archive", what);
    a1_zip *opened = calloc(1, sizeof *opened);
    char *copy = strdup(what);
    zip_error_t reason;
    zip_error_init(&reason);
    zip_source_t *source =
        opened && copy ? zip_source_buffer_create(bytes, size, 0, &reason) : NULL;
    if (!source) {
        free(opened);
        free(copy);
        zip_error_fini(&reason);
        return a1_fail_memory(err, "a zip archive");
    }
    opened->archive = zip_open_from_source(source, ZIP_RDONLY, &reason);
    if (!opened->archive) {
        const allin1_status status =
            a1_fail(err, ALLIN1_ERROR_FORMAT, "%s is not a readable zip archive: %s", what,
                    zip_error_strerror(&reason));
        zip_source_free(source);
        zip_error_fini(&reason);
        free(opened);
        free(copy);
        return status;
    }
    zip_error_fini(&reason);
    opened->what = copy;
    opened->bytes = size;
    *zip = opened;
    return ALLIN1_OK;
}

void a1_zip_close(a1_zip **zip)
{
    if (!zip || !*zip)
        return;
    zip_discard((*zip)->archive);
    free((*zip)->what);
    free(*zip);
    *zip = NULL;
}

size_t a1_zip_count(const a1_zip *zip)
{
    const zip_int64_t count = zip_get_num_entries(zip->archive, 0);
    return count > 0 ? (size_t)count : 0;
}

allin1_status a1_zip_member(const a1_zip *zip, size_t index, const char **name, size_t *size,
                            a1_error *err)
{
    zip_stat_t info;
    zip_stat_init(&info);
    const zip_uint64_t needed = ZIP_STAT_NAME | ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE;
    if (zip_stat_index(zip->archive, index, 0, &info) != 0 || (info.valid & needed) != needed)
        return a1_fail(err, ALLIN1_ERROR_FORMAT, "%s: the directory entry of member %zu is damaged",
                       zip->what, index);
    if (info.comp_size > zip->bytes ||
        (info.size > info.comp_size && info.size / MAX_EXPANSION > info.comp_size) ||
        info.size > (zip_uint64_t)PTRDIFF_MAX)
        return a1_fail(err, ALLIN1_ERROR_FORMAT, "%s: member \"%s\" claims an impossible size",
                       zip->what, info.name);
    *name = info.name;
    *size = (size_t)info.size;
    return ALLIN1_OK;
}

size_t a1_zip_find(const a1_zip *zip, const char *name)
{
    const zip_int64_t index = zip_name_locate(zip->archive, name, 0);
    return index < 0 ? a1_zip_count(zip) : (size_t)index;
}

allin1_status a1_zip_read(const a1_zip *zip, size_t index, void *out, size_t size, a1_error *err)
{
    const char *name = zip_get_name(zip->archive, index, 0);
    zip_file_t *file = zip_fopen_index(zip->archive, index, 0);
    if (!file)
        return a1_fail(err, ALLIN1_ERROR_FORMAT, "%s: member \"%s\" cannot be read: %s", zip->what,
                       name ? name : "?", zip_strerror(zip->archive));
    size_t got = 0;
    zip_int64_t count = 1;
    while (got < size && (count = zip_fread(file, (unsigned char *)out + got, size - got)) > 0)
        got += (size_t)count;
    /* The checksum is compared when the end is read, so the end must be asked for. */
    char beyond;
    if (got == size && count > 0)
        count = zip_fread(file, &beyond, 1);
    allin1_status status = ALLIN1_OK;
    if (count < 0)
        status = a1_fail(err, ALLIN1_ERROR_FORMAT, "%s: member \"%s\" is damaged: %s", zip->what,
                         name ? name : "?", zip_file_strerror(file));
    else if (got < size || count > 0)
        status = a1_fail(err, ALLIN1_ERROR_FORMAT,
                         "%s: member \"%s\" is not as long as its directory entry says", zip->what,
                         name ? name : "?");
    zip_fclose(file);
    return status;
}
