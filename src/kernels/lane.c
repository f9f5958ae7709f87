#include "kernels/lane.h"

const a1_lane_kernels *a1_lane_kernels_get(const a1_cpu *cpu)
{
    switch (cpu->level) {
#if defined(__x86_64__)
    case ALLIN1_CPU_AVX512:
        return &a1_lane_avx512;
    case ALLIN1_CPU_AVX2:
        return &a1_lane_avx2;
#elif defined(__aarch64__)
    case ALLIN1_CPU_NEON:
        return &a1_lane_neon;
#endif
    default:
        return &a1_lane_scalar;
    }
}

static size_t padded(size_t outputs)
{
    return (outputs + A1_LANE_TILE - 1) / A1_LANE_TILE * A1_LANE_TILE;
}

size_t a1_lane_matrix_floats(size_t outputs, size_t groups, size_t inputs)
{
    return padded(outputs) * (1 + groups * inputs);
}

a1_lane_matrix a1_lane_matrix_pack(const float *weights, const float *bias, size_t outputs,
                                   size_t groups, size_t inputs, float *out)
{
    const a1_lane_matrix matrix = {padded(outputs), groups, inputs, out};
    const size_t all = groups * inputs;
    for (size_t tile = 0; tile < matrix.outputs; tile += A1_LANE_TILE) {
        for (size_t row = 0; row <= all; row++) {
            for (size_t o = tile; o < tile + A1_LANE_TILE; o++)
                *out++ = o >= outputs ? 0.0f : row == 0 ? bias[o] : weights[o * all + row - 1];
        }
    }
    return matrix;
}
