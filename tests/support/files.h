/* Whole files. Where one cannot be read or written, the test fails with its path and the reason. */
#ifndef TEST_SUPPORT_FILES_H
#define TEST_SUPPORT_FILES_H

#include <stddef.h>
#include <stdint.h>

/* The caller frees it; one zero follows the bytes. `size` may be NULL. */
uint8_t *test_read_bytes(const char *path, size_t *size);
void test_write_bytes(const char *path, const void *bytes, size_t size);

#endif
