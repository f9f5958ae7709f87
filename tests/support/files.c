#include "support/files.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

char *test_read_stream(FILE *file, size_t *size)
{
    size_t used = 0, room = 1 << 16;
    char *bytes = malloc(room);
    assert_non_null(bytes);
    for (;;) {
        used += fread(bytes + used, 1, room - used - 1, file);
        if (used < room - 1)
            break;
        room *= 2;
        bytes = realloc(bytes, room);
        assert_non_null(bytes);
    }
    bytes[used] = '\0';
    if (size)
        *size = used;
    return bytes;
}

uint8_t *test_read_bytes(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        fail_msg("%s: %s", path, strerror(errno));
    char *bytes = test_read_stream(file, size);
    fclose(file);
    return (uint8_t *)bytes;
}

void test_write_bytes(const char *path, const void *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    if (!file)
        fail_msg("%s: %s", path, strerror(errno));
    if (fwrite(bytes, 1, size, file) != size || fclose(file) != 0)
        fail_msg("%s cannot be written", path);
}
