/* One block of memory, handed out from the bottom and given back all at once.
 *
 * First-touch page faults dominate large temporary buffers on many systems, so the block asks for
 * huge pages and is reused from call to call. */
#ifndef A1_BASE_ARENA_H
#define A1_BASE_ARENA_H

#include <stddef.h>

#include "base/error.h"

#define A1_ARENA_ALIGNMENT 64

typedef struct a1_arena {
    unsigned char *base;
    size_t capacity; /* bytes */
    size_t used;     /* bytes */
    size_t peak;     /* the highest `used` so far */
    void *mapping;   /* what the system gave; `base` is its first huge-page boundary */
    size_t mapping_size;
} a1_arena;

/* Reserves `capacity` bytes; `what` names them in an error. Contents start as zeros. */
allin1_status a1_arena_create(a1_arena *arena, size_t capacity, const char *what, a1_error *err);

/* Gives everything back to the system. Safe on a zeroed arena. */
void a1_arena_destroy(a1_arena *arena);

/* `bytes` bytes aligned to A1_ARENA_ALIGNMENT, or NULL when the arena is exhausted. Contents are
 * whatever was there before. */
void *a1_arena_alloc(a1_arena *arena, size_t bytes);

/* The same for `count` floats. */
float *a1_arena_floats(a1_arena *arena, size_t count);

/* A place to which a1_arena_release returns, giving back what was taken since. */
size_t a1_arena_mark(const a1_arena *arena);
void a1_arena_release(a1_arena *arena, size_t mark);

/* What `bytes` cost in an arena, with alignment. */
size_t a1_arena_cost(size_t bytes);

/* Aligned heap memory for long-lived tables and packed weights; huge pages are advised when it is
 * large. Free with a1_aligned_free. Returns NULL on failure. */
void *a1_aligned_alloc(size_t bytes);
void a1_aligned_free(void *memory);

/* Advises huge pages for those that lie wholly inside the memory, which need not be aligned. */
void a1_advise_huge(void *memory, size_t bytes);

#endif
