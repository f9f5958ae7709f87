/* PyTorch files. The first byte chooses: a whole archive; or a pickle, put into an archive with two
 * storages of 64 bytes, so that what lies behind the zip format is reached. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <zip.h>

#include "weights/torch_zip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void parse(const void *data, size_t size)
{
    a1_tensor_set *set = NULL;
    a1_error err;
    if (a1_tensor_set_create(&set, &err) != ALLIN1_OK)
        return;
    (void)a1_torch_parse(data, size, "fuzz.pth", set, &err);
    a1_tensor_set_destroy(&set);
}

static void add(zip_t *archive, const char *name, const void *data, size_t size)
{
    zip_source_t *source = zip_source_buffer(archive, data, size, 0);
    const zip_int64_t index = zip_file_add(archive, name, source, 0);
    zip_set_file_compression(archive, (zip_uint64_t)index, ZIP_CM_STORE, 0);
}

static void parse_pickle(const uint8_t *data, size_t size)
{
    static const unsigned char storage[64] = {1};
    static char bytes[1 << 16];
    zip_error_t error;
    zip_error_init(&error);
    zip_source_t *memory = zip_source_buffer_create(NULL, 0, 0, &error);
    zip_t *archive = zip_open_from_source(memory, ZIP_CREATE | ZIP_TRUNCATE, &error);
    if (!archive)
        abort();
    zip_source_keep(memory);
    add(archive, "m/data.pkl", data, size);
    add(archive, "m/data/0", storage, sizeof storage);
    add(archive, "m/data/1", storage, sizeof storage);
    if (zip_close(archive) != 0 || zip_source_open(memory) != 0)
        abort();
    const zip_int64_t length = zip_source_read(memory, bytes, sizeof bytes);
    zip_source_close(memory);
    zip_source_free(memory);
    zip_error_fini(&error);
    if (length > 0 && length < (zip_int64_t)sizeof bytes)
        parse(bytes, (size_t)length);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    if (data[0] & 1)
        parse_pickle(data + 1, size - 1);
    else
        parse(data + 1, size - 1);
    return 0;
}
