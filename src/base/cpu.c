#include "base/cpu.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#if defined(__x86_64__)
#include <cpuid.h>

/* The bits of XCR0 that the system must have set before a register file may be used. */
#define XCR0_AVX 0x6u
#define XCR0_AVX512 0xe6u

static unsigned read_xcr0(void)
{
    unsigned low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low;
}

static void detect(a1_cpu *cpu)
{
    unsigned a, b, c, d;
    cpu->level = ALLIN1_CPU_SCALAR;
    for (unsigned leaf = 0; leaf < 3; leaf++) {
        unsigned words[4];
        if (!__get_cpuid(0x80000002u + leaf, &words[0], &words[1], &words[2], &words[3]))
            break;
        memcpy(cpu->name + 16 * leaf, words, 16);
    }
    if (!__get_cpuid(1, &a, &b, &c, &d))
        return;
    const bool osxsave = c >> 27 & 1, avx = c >> 28 & 1, fma = c >> 12 & 1, f16c = c >> 29 & 1;
    if (!osxsave || !avx || !fma || !f16c)
        return;
    const unsigned xcr0 = read_xcr0();
    if ((xcr0 & XCR0_AVX) != XCR0_AVX || !__get_cpuid_count(7, 0, &a, &b, &c, &d))
        return;
    if (!(b >> 5 & 1))
        return;
    cpu->level = ALLIN1_CPU_AVX2;
    const bool avx512 = (b >> 16 & 1) && (b >> 17 & 1) && (b >> 30 & 1) && (b >> 31 & 1);
    if (!avx512 || (xcr0 & XCR0_AVX512) != XCR0_AVX512)
        return;
    cpu->level = ALLIN1_CPU_AVX512;
    cpu->int8_dot = c >> 11 & 1;
    if (__get_cpuid_count(7, 1, &a, &b, &c, &d))
        cpu->bf16 = a >> 5 & 1;
}

#elif defined(__aarch64__)
#if defined(__linux__)
#include <sys/auxv.h>

static bool has_dot_product(void)
{
    return getauxval(AT_HWCAP) & HWCAP_ASIMDDP;
}

static bool has_bf16(void)
{
    return getauxval(AT_HWCAP2) & HWCAP2_BF16;
}

#elif defined(__APPLE__)
#include <sys/sysctl.h>

static bool has_feature(const char *name)
{
    int value = 0;
    size_t size = sizeof value;
    return sysctlbyname(name, &value, &size, NULL, 0) == 0 && value;
}

static bool has_dot_product(void)
{
    return has_feature("hw.optional.arm.FEAT_DotProd");
}

static bool has_bf16(void)
{
    return has_feature("hw.optional.arm.FEAT_BF16");
}

#else

static bool has_dot_product(void)
{
    return false;
}

static bool has_bf16(void)
{
    return false;
}

#endif

static void detect(a1_cpu *cpu)
{
    cpu->level = ALLIN1_CPU_NEON;
    cpu->int8_dot = has_dot_product();
    cpu->bf16 = has_bf16();
}

#else

static void detect(a1_cpu *cpu)
{
    cpu->level = ALLIN1_CPU_SCALAR;
}

#endif

const char *allin1_cpu_level_string(allin1_cpu_level level)
{
    switch (level) {
    case ALLIN1_CPU_AUTO:
        return "auto";
    case ALLIN1_CPU_SCALAR:
        return "scalar";
    case ALLIN1_CPU_NEON:
        return "neon";
    case ALLIN1_CPU_AVX2:
        return "avx2";
    case ALLIN1_CPU_AVX512:
        return "avx512";
    }
    return "unknown";
}

size_t a1_cpu_levels(allin1_cpu_level levels[4])
{
    a1_cpu best = {0};
    detect(&best);
    size_t count = 0;
    levels[count++] = ALLIN1_CPU_SCALAR;
    if (best.level == ALLIN1_CPU_NEON)
        levels[count++] = ALLIN1_CPU_NEON;
    if (best.level >= ALLIN1_CPU_AVX2)
        levels[count++] = ALLIN1_CPU_AVX2;
    if (best.level >= ALLIN1_CPU_AVX512)
        levels[count++] = ALLIN1_CPU_AVX512;
    return count;
}

allin1_status a1_cpu_select(a1_cpu *cpu, allin1_cpu_level wanted, a1_error *err)
{
    memset(cpu, 0, sizeof *cpu);
    detect(cpu);
    if (wanted == ALLIN1_CPU_AUTO || wanted == cpu->level)
        return ALLIN1_OK;
    allin1_cpu_level levels[4];
    const size_t count = a1_cpu_levels(levels);
    for (size_t i = 0; i < count; i++) {
        if (levels[i] == wanted) {
            cpu->level = wanted;
            cpu->bf16 = cpu->int8_dot = false;
            return ALLIN1_OK;
        }
    }
    return a1_fail(err, ALLIN1_ERROR_UNSUPPORTED,
                   "CPU level %s was asked for, but this machine's best is %s",
                   allin1_cpu_level_string(wanted), allin1_cpu_level_string(cpu->level));
}

unsigned a1_cpu_count(void)
{
#if defined(__linux__)
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0) {
        const int count = CPU_COUNT(&set);
        if (count > 0)
            return (unsigned)count;
    }
#endif
    const long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online > 0 ? (unsigned)online : 1;
}
