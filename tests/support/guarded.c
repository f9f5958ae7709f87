#include "support/guarded.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

static size_t pages_bytes(size_t count)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    return (count * sizeof(float) + page - 1) / page * page;
}

float *guarded_floats(size_t count)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE), bytes = pages_bytes(count);
    unsigned char *memory =
        mmap(NULL, bytes + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(memory != MAP_FAILED);
    assert_int_equal(mprotect(memory + bytes, page, PROT_NONE), 0);
    return (float *)(void *)(memory + bytes) - count;
}

void guarded_free(float *array, size_t count)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE), bytes = pages_bytes(count);
    munmap((unsigned char *)(void *)(array + count) - bytes, bytes + page);
}
