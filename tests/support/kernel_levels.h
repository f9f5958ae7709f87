/* The CPU levels that this machine has, for tests that run at each of them. */
#ifndef TEST_SUPPORT_KERNEL_LEVELS_H
#define TEST_SUPPORT_KERNEL_LEVELS_H

#include <stdint.h>

#include "base/cpu.h"

#define MAX_KERNEL_LEVELS 4

/* Returns how many; the last one with all that the machine has beside it (bf16, 8-bit products). */
size_t kernel_levels(a1_cpu levels[MAX_KERNEL_LEVELS]);

/* Uniform in [-1, 1), from a small deterministic generator. */
float kernel_random(uint64_t *state);

#endif
