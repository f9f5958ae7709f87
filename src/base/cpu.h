/* What the processor and the operating system allow, found once and passed down by value. */
#ifndef A1_BASE_CPU_H
#define A1_BASE_CPU_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

typedef struct a1_cpu {
    allin1_cpu_level level; /* never ALLIN1_CPU_AUTO */
    bool bf16;              /* bfloat16 dot products at this level (AVX-512 BF16 or NEON BF16) */
    bool int8_dot;          /* 8-bit dot products at this level (AVX-512 VNNI or NEON dot product) */
    char name[64];          /* the processor's name for people, "" when it is unknown */
} a1_cpu;

/* Detects the machine and limits it to `wanted`. ALLIN1_CPU_AUTO takes the best level. A level that
 * this machine cannot run is an ALLIN1_ERROR_UNSUPPORTED, never a silent change. */
allin1_status a1_cpu_select(a1_cpu *cpu, allin1_cpu_level wanted, a1_error *err);

/* The levels this machine runs, best last; returns how many (at most 4 are written). */
size_t a1_cpu_levels(allin1_cpu_level levels[4]);

/* Processors this process may run on; at least 1. */
unsigned a1_cpu_count(void);

#endif
