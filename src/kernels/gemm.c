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

/* One panel, [k][32] floats, to bfloat16 pairs. */
static void round_bf16(const float *panel, size_t k, uint16_t *to)
{
    for (size_t row = 0; row < k; row++)
        for (size_t s = 0; s < A1_GEMM_PANEL; s++)
            to[(row / 2 * A1_GEMM_PANEL + s) * 2 + row % 2] = to_bf16(panel[row * A1_GEMM_PANEL + s]);
    if (k % 2)
        for (size_t s = 0; s < A1_GEMM_PANEL; s++)
            to[(k / 2 * A1_GEMM_PANEL + s) * 2 + 1] = 0;
}

/* One panel to bytes, four k side by side; each column has its own scale. */
static void round_int8(const float *panel, size_t k, int8_t *to, float *scales, int32_t *sums)
{
    float factor[A1_GEMM_PANEL], largest[A1_GEMM_PANEL] = {0};
    for (size_t row = 0; row < k; row++)
        for (size_t s = 0; s < A1_GEMM_PANEL; s++)
            largest[s] = fmaxf(largest[s], fabsf(panel[row * A1_GEMM_PANEL + s]));
    for (size_t s = 0; s < A1_GEMM_PANEL; s++) {
        scales[s] = largest[s] / 127.0f;
        factor[s] = largest[s] > 0.0f ? 127.0f / largest[s] : 0.0f;
        sums[s] = 0;
    }
    for (size_t row = 0; row < (k + 3) / 4 * 4; row++)
        for (size_t s = 0; s < A1_GEMM_PANEL; s++) {
            const float value = row < k ? panel[row * A1_GEMM_PANEL + s] * factor[s] : 0.0f;
            const int8_t rounded = (int8_t)lrintf(value);
            to[(row / 4 * A1_GEMM_PANEL + s) * 4 + row % 4] = rounded;
            sums[s] += 128 * rounded;
        }
}

static void gather_panel(const a1_gemm_source *source, const int32_t *slots, float *panel)
{
    for (size_t s = 0; s < A1_GEMM_PANEL; s++) {
        if (slots[s] < 0) {
            for (size_t row = 0; row < source->k; row++)
                panel[row * A1_GEMM_PANEL + s] = 0.0f;
            continue;
        }
        const float *column = source->values + source->column_offset[slots[s]];
        for (size_t row = 0; row < source->k; row++)
            panel[row * A1_GEMM_PANEL + s] = column[source->row_offset[row]];
    }
}

allin1_status a1_gemm_weights_pack(a1_gemm_weights *weights, const a1_gemm_source *source,
                                   size_t panels, const int32_t *slot_column,
                                   const a1_gemm_group *groups, int glu,
                                   a1_gemm_precision precision, a1_error *err)
{
    *weights = (a1_gemm_weights){
        .k = source->k, .panels = panels, .glu = glu, .precision = precision};
    const size_t columns = panels * A1_GEMM_PANEL;
    const size_t panel_bytes = precision == A1_GEMM_INT8   ? rounded_k(weights, 4)
                               : precision == A1_GEMM_BF16 ? rounded_k(weights, 2) * 2
                                                           : source->k * sizeof(float);
    const int int8 = precision == A1_GEMM_INT8;
    float *panel = NULL;
    if (precision != A1_GEMM_FP32)
        panel = a1_aligned_alloc(source->k * A1_GEMM_PANEL * sizeof *panel);
    weights->data = a1_aligned_alloc(columns * panel_bytes);
    weights->bias = a1_aligned_alloc(columns * sizeof(float));
    weights->groups = malloc(panels * 2 * sizeof *weights->groups);
    weights->scales = int8 ? a1_aligned_alloc(columns * sizeof(float)) : NULL;
    weights->sums = int8 ? a1_aligned_alloc(columns * sizeof(int32_t)) : NULL;
    if (!weights->data || !weights->bias || !weights->groups ||
        (precision != A1_GEMM_FP32 && !panel) || (int8 && (!weights->scales || !weights->sums))) {
        a1_aligned_free(panel);
        a1_gemm_weights_free(weights);
        return a1_fail_memory(err, "packed weights");
    }
    memcpy(weights->groups, groups, panels * 2 * sizeof *groups);
    for (size_t p = 0; p < panels; p++) {
        const int32_t *slots = slot_column + p * A1_GEMM_PANEL;
        unsigned char *out = (unsigned char *)weights->data + p * A1_GEMM_PANEL * panel_bytes;
        float *target = precision == A1_GEMM_FP32 ? (float *)(void *)out : panel;
        gather_panel(source, slots, target);
        if (precision == A1_GEMM_BF16)
            round_bf16(target, source->k, (uint16_t *)(void *)out);
        else if (int8)
            round_int8(target, source->k, (int8_t *)out, weights->scales + p * A1_GEMM_PANEL,
                       weights->sums + p * A1_GEMM_PANEL);
        for (size_t s = 0; s < A1_GEMM_PANEL; s++)
            weights->bias[p * A1_GEMM_PANEL + s] =
                source->bias && slots[s] >= 0 ? source->bias[slots[s]] : 0.0f;
    }
    a1_aligned_free(panel);
    return ALLIN1_OK;
}

allin1_status a1_gemm_weights_pack_simple(a1_gemm_weights *weights, const a1_gemm_source *source,
                                          int glu, a1_gemm_precision precision, a1_error *err)
{
    const size_t outputs = glu ? source->columns / 2 : source->columns;
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
    status = a1_gemm_weights_pack(weights, source, panels, slots, groups, glu, precision, err);
done:
    free(slots);
    free(groups);
    return status;
}

allin1_status a1_gemm_weights_pack_matrix(a1_gemm_weights *weights, const float *matrix, size_t k,
                                          size_t columns, const float *bias, int glu,
                                          a1_gemm_precision precision, a1_error *err)
{
    size_t *offsets = malloc((k + columns) * sizeof *offsets);
    if (!offsets)
        return a1_fail_memory(err, "packed weights");
    for (size_t row = 0; row < k; row++)
        offsets[row] = row * columns;
    for (size_t column = 0; column < columns; column++)
        offsets[k + column] = column;
    const a1_gemm_source source = {matrix, offsets, k, offsets + k, columns, bias};
    const allin1_status status =
        a1_gemm_weights_pack_simple(weights, &source, glu, precision, err);
    free(offsets);
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
