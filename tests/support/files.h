/* Whole files. Where one cannot be read or written, the test fails with its path. */
#ifndef TEST_SUPPORT_FILES_H
#define TEST_SUPPORT_FILES_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* The caller frees what is read; one zero follows the bytes. `size` may be NULL. */
char *test_read_stream(FILE *file, size_t *size);
uint8_t *test_read_bytes(const char *path, size_t *size);
void test_write_bytes(const char *path, const void *bytes, size_t size);

#endif
