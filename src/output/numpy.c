#include "output/numpy.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zip.h>

#include "output/output_file.h"

/* Format version 1.0: magic, version, little-endian length of the header text, header text padded with
 * spaces so that the values begin at a multiple of 64 (numpy.lib.format). */
#define HEADER_SIZE 128
#define PREFIX_SIZE 10

/* 1 January 1980, midnight: the earliest date that a zip archive can hold. */
#define DOS_TIME 0
#define DOS_DATE (1 << 5 | 1)

static void make_header(const a1_npy *array, unsigned char header[HEADER_SIZE])
{
    char text[HEADER_SIZE];
    int used = snprintf(text, sizeof text, "{'descr': '<f4', 'fortran_order': False, 'shape': (");
    for (unsigned axis = 0; axis < array->rank; axis++)
        used += snprintf(text + used, sizeof text - (size_t)used, "%s%zu%s", axis > 0 ? ", " : "",
                         array->shape[axis], array->rank == 1 ? "," : "");
    used += snprintf(text + used, sizeof text - (size_t)used, "), }");
    memset(header, ' ', HEADER_SIZE);
    memcpy(header, "\x93NUMPY\x01\x00", 8);
    header[8] = HEADER_SIZE - PREFIX_SIZE;
    header[9] = 0;
    memcpy(header + PREFIX_SIZE, text, (size_t)used);
    header[HEADER_SIZE - 1] = '\n';
}

static size_t byte_count(const a1_npy *array)
{
    size_t bytes = sizeof(float);
    for (unsigned axis = 0; axis < array->rank; axis++)
        bytes *= array->shape[axis];
    return bytes;
}

allin1_status a1_npy_write(const char *path, const a1_npy *array, a1_error *err)
{
    unsigned char header[HEADER_SIZE];
    make_header(array, header);
    a1_output_file file;
    A1_TRY(a1_output_open(&file, path, err));
    allin1_status status;
    A1_CHECK(a1_output_write(&file, header, sizeof header, err));
    A1_CHECK(a1_output_write(&file, array->values, byte_count(array), err));
    return a1_output_commit(&file, err);

done:
    a1_output_abort(&file);
    return status;
}

/* *bytes receives the member's content, which must live until the archive is closed. */
static allin1_status add_member(zip_t *archive, const a1_npy *array, const char *path,
                                unsigned char **bytes, a1_error *err)
{
    const size_t size = byte_count(array);
    *bytes = malloc(HEADER_SIZE + size);
    if (!*bytes)
        return a1_fail_memory(err, "an array archive");
    make_header(array, *bytes);
    memcpy(*bytes + HEADER_SIZE, array->values, size);
    char name[64];
    snprintf(name, sizeof name, "%s.npy", array->name);
    zip_source_t *source = zip_source_buffer(archive, *bytes, HEADER_SIZE + size, 0);
    if (!source)
        return a1_fail(err, ALLIN1_ERROR_IO, "%s: %s", path, zip_strerror(archive));
    const zip_int64_t index = zip_file_add(archive, name, source, ZIP_FL_ENC_GUESS);
    if (index < 0) {
        zip_source_free(source);
        return a1_fail(err, ALLIN1_ERROR_IO, "%s: %s", path, zip_strerror(archive));
    }
    if (zip_set_file_compression(archive, (zip_uint64_t)index, ZIP_CM_STORE, 0) != 0 ||
        zip_file_set_dostime(archive, (zip_uint64_t)index, DOS_TIME, DOS_DATE, 0) != 0)
        return a1_fail(err, ALLIN1_ERROR_IO, "%s: %s", path, zip_strerror(archive));
    return ALLIN1_OK;
}

/* The finished archive lies in `buffer`; it goes out through a1_output_whole like every file. */
static allin1_status write_buffer(zip_source_t *buffer, const char *path, a1_error *err)
{
    zip_stat_t info;
    if (zip_source_stat(buffer, &info) != 0 || !(info.valid & ZIP_STAT_SIZE) ||
        zip_source_open(buffer) != 0)
        return a1_fail(err, ALLIN1_ERROR_IO, "%s: cannot make the archive", path);
    allin1_status status;
    char *bytes = malloc(info.size ? info.size : 1);
    if (!bytes)
        status = a1_fail_memory(err, "an array archive");
    else if (zip_source_read(buffer, bytes, info.size) != (zip_int64_t)info.size)
        status = a1_fail(err, ALLIN1_ERROR_IO, "%s: cannot make the archive", path);
    else
        status = a1_output_whole(path, bytes, info.size, err);
    zip_source_close(buffer);
    free(bytes);
    return status;
}

allin1_status a1_npz_write(const char *path, const a1_npy *arrays, size_t count, a1_error *err)
{
    zip_error_t reason;
    zip_error_init(&reason);
    allin1_status status;
    zip_t *archive = NULL;
    unsigned char **members = calloc(count, sizeof *members);
    if (!members)
        return a1_fail_memory(err, "an array archive");
    zip_source_t *buffer = zip_source_buffer_create(NULL, 0, 0, &reason);
    if (buffer) {
        zip_source_keep(buffer); /* the archive takes one reference with it when it is closed */
        archive = zip_open_from_source(buffer, ZIP_TRUNCATE, &reason);
        if (!archive)
            zip_source_free(buffer);
    }
    if (!archive) {
        status = a1_fail(err, ALLIN1_ERROR_IO, "%s: %s", path, zip_error_strerror(&reason));
        goto done;
    }
    for (size_t i = 0; i < count; i++)
        A1_CHECK(add_member(archive, &arrays[i], path, &members[i], err));
    if (zip_close(archive) != 0) {
        status = a1_fail(err, ALLIN1_ERROR_IO, "%s: %s", path, zip_strerror(archive));
        goto done;
    }
    archive = NULL;
    status = write_buffer(buffer, path, err);

done:
    if (archive)
        zip_discard(archive);
    if (buffer)
        zip_source_free(buffer);
    zip_error_fini(&reason);
    for (size_t i = 0; i < count; i++)
        free(members[i]);
    free(members);
    return status;
}
