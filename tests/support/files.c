#include "support/files.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

uint8_t *test_read_bytes(const char *path, size_t *size)
{
    size_t used = 0, room = 1 << 16;
    FILE *file = fopen(path, "rb");
    uint8_t *bytes = malloc(room);
    assert_non_null(bytes);
    while (file) {
        used += fread(bytes + used, 1, room - used - 1, file);
        if (used < room - 1)
            break;
        room *= 2;
        bytes = realloc(bytes, room);
        assert_non_null(bytes);
    }
    if (!file || ferror(file))
        fail_msg("%s cannot be read: %s", path, strerror(errno));
    fclose(file);
    bytes[used] = 0;
    if (size)
        *size = used;
    return bytes;
}

void test_write_bytes(const char *path, const void *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(bytes, 1, size, file) != size || fclose(file) != 0)
        fail_msg("%s cannot be written: %s", path, strerror(errno));
}
