#include "support/kernel_levels.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

size_t kernel_levels(a1_cpu levels[MAX_KERNEL_LEVELS])
{
    allin1_cpu_level names[4];
    const size_t count = a1_cpu_levels(names);
    a1_error err = {0};
    for (size_t i = 0; i < count; i++)
        if (a1_cpu_select(&levels[i], names[i], &err) != ALLIN1_OK)
            fail_msg("%s", err.message);
    return count;
}

float kernel_random(uint64_t *state)
{
    /* xorshift64* (Marsaglia, 2003; Vigna, 2016) */
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (float)(int32_t)(*state * 0x2545f4914f6cdd1du >> 32) * 0x1p-31f;
}
