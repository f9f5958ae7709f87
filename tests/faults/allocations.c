#include "faults/allocations.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <cmocka.h>

/* The linker turns calls of NAME into calls of __wrap_NAME, and __real_NAME into NAME. */
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t length);
void __real_free(void *memory);
void *__real_mmap(void *wish, size_t size, int access, int flags, int file, off_t offset);
int __real_munmap(void *memory, size_t size);
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*start)(void *), void *argument);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t length);
void __wrap_free(void *memory);
void *__wrap_mmap(void *wish, size_t size, int access, int flags, int file, off_t offset);
int __wrap_munmap(void *memory, size_t size);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*start)(void *), void *argument);

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static unsigned countdown, thread_countdown;
static bool failed;

/* The blocks that are alive: a hash table with linear probing. */
#define SLOTS ((size_t)1 << 17)
static uintptr_t blocks[SLOTS];
static size_t block_count;

static size_t slot_of(uintptr_t block)
{
    size_t slot = (size_t)(block >> 4) * 0x9e3779b97f4a7c15u >> 47;
    while (blocks[slot] != 0 && blocks[slot] != block)
        slot = (slot + 1) % SLOTS;
    return slot;
}

static void remember(const void *memory)
{
    if (!memory)
        return;
    pthread_mutex_lock(&mutex);
    const size_t slot = slot_of((uintptr_t)memory);
    if (blocks[slot] == 0 && block_count < SLOTS / 2) {
        blocks[slot] = (uintptr_t)memory;
        block_count++;
    }
    pthread_mutex_unlock(&mutex);
}

/* Before the block is given back, so that no other thread can have got it again. */
static void forget(const void *memory)
{
    if (!memory)
        return;
    pthread_mutex_lock(&mutex);
    size_t slot = slot_of((uintptr_t)memory);
    if (blocks[slot] != 0) {
        blocks[slot] = 0;
        block_count--;
        /* What was pushed past this slot moves up. */
        for (slot = (slot + 1) % SLOTS; blocks[slot] != 0; slot = (slot + 1) % SLOTS) {
            const uintptr_t moved = blocks[slot];
            blocks[slot] = 0;
            blocks[slot_of(moved)] = moved;
        }
    }
    pthread_mutex_unlock(&mutex);
}

void allocations_fail_at(unsigned nth)
{
    pthread_mutex_lock(&mutex);
    countdown = nth;
    failed = false;
    memset(blocks, 0, sizeof blocks);
    block_count = 0;
    pthread_mutex_unlock(&mutex);
}

bool allocations_failed(void)
{
    pthread_mutex_lock(&mutex);
    countdown = 0;
    const bool result = failed;
    pthread_mutex_unlock(&mutex);
    return result;
}

size_t allocations_left(void)
{
    pthread_mutex_lock(&mutex);
    const size_t result = block_count;
    pthread_mutex_unlock(&mutex);
    return result;
}

void thread_starts_fail_at(unsigned nth)
{
    thread_countdown = nth;
}

void allocations_fail_each(const char *what, allocating_fn run, void *user, unsigned step)
{
    for (unsigned nth = 1;; nth += nth < 100 ? 1 : step) {
        a1_error err = {0};
        allocations_fail_at(nth);
        const allin1_status status = run(user, &err);
        const bool hit = allocations_failed();
        const size_t left = allocations_left();
        if (left != 0)
            fail_msg("%s: allocation %u failed, and %zu blocks are left", what, hit ? nth : 0,
                     left);
        if (!hit) {
            if (status != ALLIN1_OK)
                fail_msg("%s: %s", what, err.message);
            assert_true(nth > 1);
            print_message("%s: %u allocations or fewer\n", what, nth - 1);
            return;
        }
        if (status != ALLIN1_ERROR_MEMORY || !strstr(err.message, "memory"))
            fail_msg("%s: allocation %u failed, and the outcome is %d, \"%s\"", what, nth,
                     (int)status, err.message);
    }
}

static bool fails(void)
{
    pthread_mutex_lock(&mutex);
    const bool now = countdown != 0 && --countdown == 0;
    failed = failed || now;
    pthread_mutex_unlock(&mutex);
    if (now)
        errno = ENOMEM;
    return now;
}

void *__wrap_malloc(size_t size)
{
    void *memory = fails() ? NULL : __real_malloc(size);
    remember(memory);
    return memory;
}

void *__wrap_calloc(size_t count, size_t size)
{
    void *memory = fails() ? NULL : __real_calloc(count, size);
    remember(memory);
    return memory;
}

void *__wrap_realloc(void *memory, size_t size)
{
    if (fails())
        return NULL;
    forget(memory);
    void *moved = __real_realloc(memory, size);
    remember(moved);
    return moved;
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    void *memory = fails() ? NULL : __real_aligned_alloc(alignment, size);
    remember(memory);
    return memory;
}

char *__wrap_strdup(const char *text)
{
    char *copy = fails() ? NULL : __real_strdup(text);
    remember(copy);
    return copy;
}

char *__wrap_strndup(const char *text, size_t length)
{
    char *copy = fails() ? NULL : __real_strndup(text, length);
    remember(copy);
    return copy;
}

void __wrap_free(void *memory)
{
    forget(memory);
    __real_free(memory);
}

void *__wrap_mmap(void *wish, size_t size, int access, int flags, int file, off_t offset)
{
    if ((flags & MAP_ANONYMOUS) && fails())
        return MAP_FAILED;
    void *memory = __real_mmap(wish, size, access, flags, file, offset);
    if (memory != MAP_FAILED)
        remember(memory);
    return memory;
}

int __wrap_munmap(void *memory, size_t size)
{
    forget(memory);
    return __real_munmap(memory, size);
}

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*start)(void *), void *argument)
{
    if (thread_countdown != 0 && --thread_countdown == 0)
        return EAGAIN;
    return __real_pthread_create(thread, attributes, start, argument);
}
