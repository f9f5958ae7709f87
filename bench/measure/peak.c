/* The most that the processor does: chains that depend on nothing but themselves, in registers. */
#include "measure/measure.h"

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#include "base/timer.h"

#define CHAINS 12
#define STEPS 1000000
/* Parts of a run for each thread, so that one that wakes late does not leave its part to the others. */
#define PARTS 8

/* Without it the sums would live in memory. */
#if defined(__clang__)
#define UNROLL _Pragma("unroll")
#else
#define UNROLL _Pragma("GCC unroll 12")
#endif

typedef float (*chains_fn)(void);

/* Operations of one chain's step, and who does them. */
typedef struct peak_way {
    chains_fn run;
    double step;
} peak_way;

#if defined(__x86_64__)
__attribute__((target("avx512f"))) static float chains_avx512(void)
{
    __m512 sum[CHAINS], x = _mm512_set1_ps(0.5f);
    UNROLL for (int i = 0; i < CHAINS; i++)
        sum[i] = _mm512_set1_ps((float)i);
    for (long step = 0; step < STEPS; step++) {
        UNROLL for (int i = 0; i < CHAINS; i++)
            sum[i] = _mm512_fmadd_ps(sum[i], x, x);
    }
    UNROLL for (int i = 1; i < CHAINS; i++)
        sum[0] = _mm512_add_ps(sum[0], sum[i]);
    return _mm512_cvtss_f32(sum[0]);
}

__attribute__((target("avx2,fma"))) static float chains_avx2(void)
{
    __m256 sum[CHAINS], x = _mm256_set1_ps(0.5f);
    UNROLL for (int i = 0; i < CHAINS; i++)
        sum[i] = _mm256_set1_ps((float)i);
    for (long step = 0; step < STEPS; step++) {
        UNROLL for (int i = 0; i < CHAINS; i++)
            sum[i] = _mm256_fmadd_ps(sum[i], x, x);
    }
    UNROLL for (int i = 1; i < CHAINS; i++)
        sum[0] = _mm256_add_ps(sum[0], sum[i]);
    return _mm256_cvtss_f32(sum[0]);
}

/* Written out, because some compilers copy the accumulator of the intrinsic on every use. */
#define STEP12(name)                                                                                \
    name(0) name(1) name(2) name(3) name(4) name(5) name(6) name(7) name(8) name(9) name(10) name(11)

__attribute__((target("avx512f,avx512bf16"))) static float chains_bf16(void)
{
    __m512 sum[CHAINS];
    const __m512i x = _mm512_setzero_si512();
    UNROLL for (int i = 0; i < CHAINS; i++)
        sum[i] = _mm512_set1_ps((float)i);
    for (long step = 0; step < STEPS; step++) {
#define BF16(i) __asm__ volatile("vdpbf16ps %1, %1, %0" : "+v"(sum[i]) : "v"(x));
        STEP12(BF16)
    }
    UNROLL for (int i = 1; i < CHAINS; i++)
        sum[0] = _mm512_add_ps(sum[0], sum[i]);
    return _mm512_cvtss_f32(sum[0]);
}

__attribute__((target("avx512f,avx512vnni"))) static float chains_int8(void)
{
    __m512i sum[CHAINS];
    const __m512i x = _mm512_setzero_si512();
    UNROLL for (int i = 0; i < CHAINS; i++)
        sum[i] = _mm512_set1_epi32(i);
    for (long step = 0; step < STEPS; step++) {
#define INT8(i) __asm__ volatile("vpdpbusd %1, %1, %0" : "+v"(sum[i]) : "v"(x));
        STEP12(INT8)
    }
    UNROLL for (int i = 1; i < CHAINS; i++)
        sum[0] = _mm512_add_epi32(sum[0], sum[i]);
    return _mm512_cvtss_f32(_mm512_castsi512_ps(sum[0]));
}
#elif defined(__aarch64__)
static float chains_neon(void)
{
    float32x4_t sum[CHAINS], x = vdupq_n_f32(0.5f);
    UNROLL for (int i = 0; i < CHAINS; i++)
        sum[i] = vdupq_n_f32((float)i);
    for (long step = 0; step < STEPS; step++) {
        UNROLL for (int i = 0; i < CHAINS; i++)
            sum[i] = vfmaq_f32(x, sum[i], x);
    }
    UNROLL for (int i = 1; i < CHAINS; i++)
        sum[0] = vaddq_f32(sum[0], sum[i]);
    return vgetq_lane_f32(sum[0], 0);
}
#endif

static float chains_scalar(void)
{
    float sum[CHAINS];
    UNROLL for (int i = 0; i < CHAINS; i++)
        sum[i] = (float)i;
    for (long step = 0; step < STEPS; step++) {
        UNROLL for (int i = 0; i < CHAINS; i++)
            sum[i] = sum[i] * 0.5f + 0.5f;
    }
    UNROLL for (int i = 1; i < CHAINS; i++)
        sum[0] += sum[i];
    return sum[0];
}

static peak_way choose(peak_kind kind, const a1_cpu *cpu)
{
#if defined(__x86_64__)
    const int wide = cpu->level == ALLIN1_CPU_AVX512;
    if (kind == PEAK_BF16)
        return wide && cpu->bf16 ? (peak_way){chains_bf16, 64} : (peak_way){0};
    if (kind == PEAK_INT8)
        return wide && cpu->int8_dot ? (peak_way){chains_int8, 128} : (peak_way){0};
    if (wide)
        return (peak_way){chains_avx512, 32};
    if (cpu->level == ALLIN1_CPU_AVX2)
        return (peak_way){chains_avx2, 16};
#elif defined(__aarch64__)
    if (kind != PEAK_FP32)
        return (peak_way){0};
    if (cpu->level == ALLIN1_CPU_NEON)
        return (peak_way){chains_neon, 8};
#else
    (void)cpu;
#endif
    return kind == PEAK_FP32 ? (peak_way){chains_scalar, 2} : (peak_way){0};
}

static volatile float sink;

static void run_chains(void *argument, size_t index, unsigned worker)
{
    (void)index;
    (void)worker;
    sink = ((const peak_way *)argument)->run();
}

double peak_rate(peak_kind kind, const a1_cpu *cpu, a1_pool *pool)
{
    peak_way way = choose(kind, cpu);
    if (!way.run)
        return 0;
    const unsigned threads = a1_pool_threads(pool);
    double best = 1e9;
    /* By the wall clock: the process's processor time is brought up to date for other threads only at
     * their ticks, which are longer than such a run. */
    for (int repeat = 0; repeat < 20; repeat++) {
        const uint64_t start = a1_monotonic_ns();
        a1_pool_run(pool, PARTS * threads, run_chains, &way);
        const double seconds = 1e-9 * (double)(a1_monotonic_ns() - start);
        best = seconds < best ? seconds : best;
    }
    return way.step * CHAINS * STEPS * PARTS * threads / best;
}
