#include "kernels/gemm.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

const a1_gemm_kernels *a1_gemm_kernels_get(const a1_cpu *cpu)
{
    switch (cpu->level) {
#if defined(__x86_64__)
    case ALLIN1_CPU_AVX512:
        return &a1_gemm_avx512;
    case ALLIN1_CPU_AVX2:
        return &a1_gemm_avx2;
#elif defined(__aarch64__)
    case ALLIN1_CPU_NEON:
        return &a1_gemm_neon;
#endif
    default:
        return &a1_gemm_scalar;
    }
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
        float *out = weights->data + panel * k * A1_GEMM_PANEL;
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
    a1_aligned_free(weights->bias);
    free(weights->groups);
    *weights = (a1_gemm_weights){0};
}
