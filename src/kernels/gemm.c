#include "kernels/gemm.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

a1_gemm_kernels a1_gemm_kernels_get(const a1_cpu *cpu)
{
    a1_gemm_kernels kernels = a1_gemm_scalar;
    switch (cpu->level) {
#if defined(__x86_64__)
    case ALLIN1_CPU_AVX512:
        kernels = a1_gemm_avx512;
        if (cpu->bf16) {
            kernels.run[A1_GEMM_BF16] = a1_gemm_avx512bf16.run[A1_GEMM_BF16];
            kernels.run_plain16 = a1_gemm_avx512bf16.run_plain16;
        }
        if (cpu->int8_dot)
            kernels.run[A1_GEMM_INT8] = a1_gemm_avx512vnni.run[A1_GEMM_INT8];
        break;
    case ALLIN1_CPU_AVX2:
        kernels = a1_gemm_avx2;
        break;
#elif defined(__aarch64__)
    case ALLIN1_CPU_NEON:
        kernels = a1_gemm_neon;
        if (cpu->bf16) {
            kernels.run[A1_GEMM_BF16] = a1_gemm_neonbf16.run[A1_GEMM_BF16];
            kernels.run_plain16 = a1_gemm_neonbf16.run_plain16;
        }
        if (cpu->int8_dot)
            kernels.run[A1_GEMM_INT8] = a1_gemm_neondot.run[A1_GEMM_INT8];
        break;
#endif
    default:
        break;
    }
    return kernels;
}

size_t a1_gemm_block_rows(size_t k, size_t element_size)
{
    /* 384 KB of a second-level cache of 512 KB or more; a tile's worth of rows at least. */
    const size_t fit = ((size_t)384 << 10) / element_size / (k ? k : 1);
    const size_t rows = fit < 48 ? 48 : fit > 480 ? 480 : fit;
    return rows / A1_GEMM_TILE_ROWS * A1_GEMM_TILE_ROWS;
}

static size_t rounded_k(const a1_gemm_weights *weights, size_t multiple)
{
    return (weights->k + multiple - 1) / multiple * multiple;
}

size_t a1_gemm_scratch(const a1_gemm_weights *weights)
{
    if (weights->precision == A1_GEMM_FP32)
        return 0;
    const size_t size = weights->precision == A1_GEMM_BF16 ? 2 : 1;
    const size_t stride = a1_gemm_scratch_stride(weights);
    return a1_gemm_block_rows(weights->k, size) * (stride + sizeof(float));
}

size_t a1_gemm_scratch_stride(const a1_gemm_weights *weights)
{
    /* A cache line more than a multiple of one, so that the rows of a tile fall into different sets. */
    const size_t size = weights->precision == A1_GEMM_BF16 ? 2 : 1;
    return (rounded_k(weights, 4) * size + 63) / 64 * 64 + 64;
}

float *a1_gemm_spread(const a1_gemm_weights *weights, const float *values, size_t count)
{
    const size_t step = weights->glu ? 2 : 1;
    const size_t groups = weights->panels * 2 / step;
    float *out = a1_aligned_alloc(groups * A1_GEMM_GROUP * sizeof *out);
    if (!out)
        return NULL;
    memset(out, 0, groups * A1_GEMM_GROUP * sizeof *out);
    size_t next = 0;
    for (size_t g = 0; g < groups; g++)
        for (size_t s = 0; s < weights->groups[g * step].valid && next < count; s++)
            out[g * A1_GEMM_GROUP + s] = values[next++];
    return out;
}

void a1_gemm_weights_free(a1_gemm_weights *weights)
{
    if (!weights->borrowed) {
        a1_aligned_free(weights->data);
        a1_aligned_free(weights->scales);
        a1_aligned_free(weights->sums);
    }
    a1_aligned_free(weights->bias);
    free(weights->groups);
    *weights = (a1_gemm_weights){0};
}
