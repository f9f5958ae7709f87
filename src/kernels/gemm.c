#include "kernels/gemm.h"

#include <math.h>
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

static uint16_t to_bf16(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return (uint16_t)((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
}

static void convert_bf16(const a1_gemm_weights *weights, const float *from, uint16_t *to)
{
    const size_t k2 = rounded_k(weights, 2);
    for (size_t panel = 0; panel < weights->panels; panel++)
        for (size_t k = 0; k < k2; k++)
            for (size_t s = 0; s < A1_GEMM_PANEL; s++)
                to[(panel * k2 + k / 2 * 2) * A1_GEMM_PANEL + 2 * s + k % 2] =
                    k < weights->k ? to_bf16(from[(panel * weights->k + k) * A1_GEMM_PANEL + s]) : 0;
}

static void convert_int8(const a1_gemm_weights *weights, const float *from, int8_t *to,
                         float *scales, int32_t *sums)
{
    const size_t k4 = rounded_k(weights, 4);
    for (size_t column = 0; column < weights->panels * A1_GEMM_PANEL; column++) {
        const size_t panel = column / A1_GEMM_PANEL, s = column % A1_GEMM_PANEL;
        const float *values = from + panel * weights->k * A1_GEMM_PANEL + s;
        float largest = 0;
        for (size_t k = 0; k < weights->k; k++)
            largest = fmaxf(largest, fabsf(values[k * A1_GEMM_PANEL]));
        int32_t sum = 0;
        for (size_t k = 0; k < k4; k++) {
            const float value = k < weights->k ? values[k * A1_GEMM_PANEL] : 0.0f;
            const int8_t rounded =
                largest > 0.0f ? (int8_t)lrintf(value * (127.0f / largest)) : (int8_t)0;
            to[(panel * k4 + k / 4 * 4) * A1_GEMM_PANEL + 4 * s + k % 4] = rounded;
            sum += rounded;
        }
        scales[column] = largest / 127.0f;
        sums[column] = 128 * sum;
    }
}

allin1_status a1_gemm_weights_convert(a1_gemm_weights *weights, a1_gemm_precision precision,
                                      a1_error *err)
{
    if (precision == weights->precision)
        return ALLIN1_OK;
    if (weights->precision != A1_GEMM_FP32)
        return a1_fail(err, ALLIN1_ERROR_INTERNAL, "weights were rounded twice");
    const size_t columns = weights->panels * A1_GEMM_PANEL;
    const int int8 = precision == A1_GEMM_INT8;
    void *data = a1_aligned_alloc(int8 ? columns * rounded_k(weights, 4)
                                       : columns * rounded_k(weights, 2) * sizeof(uint16_t));
    float *scales = int8 ? a1_aligned_alloc(columns * sizeof *scales) : NULL;
    int32_t *sums = int8 ? a1_aligned_alloc(columns * sizeof *sums) : NULL;
    if (!data || (int8 && (!scales || !sums))) {
        a1_aligned_free(data);
        a1_aligned_free(scales);
        a1_aligned_free(sums);
        return a1_fail_memory(err, "rounded weights");
    }
    if (int8)
        convert_int8(weights, weights->data, data, scales, sums);
    else
        convert_bf16(weights, weights->data, data);
    a1_aligned_free(weights->data);
    weights->data = data;
    weights->scales = scales;
    weights->sums = sums;
    weights->precision = precision;
    return ALLIN1_OK;
}

allin1_status a1_gemm_weights_pack(a1_gemm_weights *weights, const float *matrix, size_t k,
                                   size_t columns, const float *bias, size_t panels,
                                   const int32_t *slot_column, const a1_gemm_group *groups, int glu,
                                   a1_error *err)
{
    *weights = (a1_gemm_weights){.k = k, .panels = panels, .glu = glu};
    weights->data = a1_aligned_alloc(panels * k * A1_GEMM_PANEL * sizeof(float));
    weights->bias = a1_aligned_alloc(panels * A1_GEMM_PANEL * sizeof(float));
    weights->groups = malloc(panels * 2 * sizeof *weights->groups);
    if (!weights->data || !weights->bias || !weights->groups) {
        a1_gemm_weights_free(weights);
        return a1_fail_memory(err, "packed weights");
    }
    memcpy(weights->groups, groups, panels * 2 * sizeof *groups);
    for (size_t panel = 0; panel < panels; panel++) {
        const int32_t *slots = slot_column + panel * A1_GEMM_PANEL;
        float *out = (float *)weights->data + panel * k * A1_GEMM_PANEL;
        for (size_t row = 0; row < k; row++) {
            const float *in = matrix + row * columns;
            for (size_t s = 0; s < A1_GEMM_PANEL; s++)
                out[row * A1_GEMM_PANEL + s] = slots[s] >= 0 ? in[slots[s]] : 0.0f;
        }
        for (size_t s = 0; s < A1_GEMM_PANEL; s++)
            weights->bias[panel * A1_GEMM_PANEL + s] =
                bias && slots[s] >= 0 ? bias[slots[s]] : 0.0f;
    }
    return ALLIN1_OK;
}

allin1_status a1_gemm_weights_pack_simple(a1_gemm_weights *weights, const float *matrix, size_t k,
                                          size_t columns, const float *bias, int glu, a1_error *err)
{
    const size_t outputs = glu ? columns / 2 : columns;
    const size_t per_panel = glu ? A1_GEMM_GROUP : A1_GEMM_PANEL;
    const size_t panels = (outputs + per_panel - 1) / per_panel;
    int32_t *slots = malloc(panels * A1_GEMM_PANEL * sizeof *slots);
    a1_gemm_group *groups = malloc(panels * 2 * sizeof *groups);
    allin1_status status = ALLIN1_ERROR_MEMORY;
    if (!slots || !groups) {
        a1_fail_memory(err, "packed weights");
        goto done;
    }
    for (size_t g = 0; g < panels * 2; g++) {
        const size_t first = (glu ? g / 2 : g) * A1_GEMM_GROUP;
        const size_t valid = first >= outputs                   ? 0
                             : outputs - first < A1_GEMM_GROUP ? outputs - first
                                                                : A1_GEMM_GROUP;
        groups[g] = (a1_gemm_group){first, valid};
        for (size_t s = 0; s < A1_GEMM_GROUP; s++) {
            const size_t column = first + s + (glu && g % 2 ? outputs : 0);
            slots[g * A1_GEMM_GROUP + s] = s < valid ? (int32_t)column : -1;
        }
    }
    status = a1_gemm_weights_pack(weights, matrix, k, columns, bias, panels, slots, groups, glu, err);
done:
    free(slots);
    free(groups);
    return status;
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
    a1_aligned_free(weights->data);
    a1_aligned_free(weights->scales);
    a1_aligned_free(weights->sums);
    a1_aligned_free(weights->bias);
    free(weights->groups);
    *weights = (a1_gemm_weights){0};
}
