#include "base/arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#define HUGE_PAGE ((size_t)2 << 20)

void a1_advise_huge(void *memory, size_t bytes)
{
#if defined(MADV_HUGEPAGE)
    const size_t skip = (HUGE_PAGE - (uintptr_t)memory % HUGE_PAGE) % HUGE_PAGE;
    /* Advice only: where the system has no huge pages the memory works all the same. */
    if (bytes >= skip + HUGE_PAGE)
        (void)madvise((unsigned char *)memory + skip, (bytes - skip) / HUGE_PAGE * HUGE_PAGE,
                      MADV_HUGEPAGE);
#else
    (void)memory;
    (void)bytes;
#endif
}

void *a1_aligned_alloc(size_t bytes)
{
    const size_t alignment = bytes >= HUGE_PAGE ? HUGE_PAGE : A1_ARENA_ALIGNMENT;
    if (bytes > SIZE_MAX - alignment)
        return NULL;
    const size_t rounded = (bytes + alignment - 1) / alignment * alignment;
    void *memory = aligned_alloc(alignment, rounded ? rounded : alignment);
    if (memory && alignment == HUGE_PAGE)
        a1_advise_huge(memory, rounded);
    return memory;
}

void a1_aligned_free(void *memory)
{
    free(memory);
}

allin1_status a1_arena_create(a1_arena *arena, size_t capacity, const char *what, a1_error *err)
{
    *arena = (a1_arena){0};
    if (capacity > SIZE_MAX - 2 * HUGE_PAGE)
        return a1_fail_memory(err, what);
    const size_t rounded = (capacity + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
    /* The system aligns to small pages; huge ones need their own boundary. */
    const size_t mapping_size = rounded + HUGE_PAGE;
    void *mapping =
        mmap(NULL, mapping_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapping == MAP_FAILED)
        return a1_fail(err, ALLIN1_ERROR_MEMORY, "out of memory for %s (%zu MB)", what,
                       rounded >> 20);
    const size_t skip = (HUGE_PAGE - (uintptr_t)mapping % HUGE_PAGE) % HUGE_PAGE;
    arena->mapping = mapping;
    arena->mapping_size = mapping_size;
    arena->base = (unsigned char *)mapping + skip;
    arena->capacity = rounded;
    a1_advise_huge(arena->base, rounded);
    return ALLIN1_OK;
}

void a1_arena_destroy(a1_arena *arena)
{
    if (arena->mapping)
        munmap(arena->mapping, arena->mapping_size);
    *arena = (a1_arena){0};
}

size_t a1_arena_cost(size_t bytes)
{
    return (bytes + A1_ARENA_ALIGNMENT - 1) / A1_ARENA_ALIGNMENT * A1_ARENA_ALIGNMENT;
}

void *a1_arena_alloc(a1_arena *arena, size_t bytes)
{
    if (bytes > arena->capacity)
        return NULL;
    const size_t cost = a1_arena_cost(bytes);
    if (cost > arena->capacity - arena->used)
        return NULL;
    void *memory = arena->base + arena->used;
    arena->used += cost;
    if (arena->used > arena->peak)
        arena->peak = arena->used;
    return memory;
}

float *a1_arena_floats(a1_arena *arena, size_t count)
{
    return count > SIZE_MAX / sizeof(float) ? NULL : a1_arena_alloc(arena, count * sizeof(float));
}

size_t a1_arena_mark(const a1_arena *arena)
{
    return arena->used;
}

void a1_arena_release(a1_arena *arena, size_t mark)
{
    arena->used = mark;
}
