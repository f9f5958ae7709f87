/* A counter of the instructions that a thread and those it starts later execute in user mode, where
 * the system allows one. */
#ifndef A1_BASE_INSTRUCTIONS_H
#define A1_BASE_INSTRUCTIONS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct a1_instructions {
    bool open;
    int descriptor; /* valid while open */
    long thread;    /* the one that opened it */
} a1_instructions;

/* Starts counting for the calling thread and for threads started after this. Where that is not
 * allowed or not possible, the counter stays closed, which is no error. */
void a1_instructions_start(a1_instructions *counter);
void a1_instructions_stop(a1_instructions *counter);

/* The count so far; 0 when the counter is closed, or another thread asks, whose instructions are not
 * in it. */
uint64_t a1_instructions_read(const a1_instructions *counter);

#endif
