#include "kernels/layers.h"

const a1_layer_kernels *a1_layer_kernels_get(const a1_cpu *cpu)
{
    switch (cpu->level) {
#if defined(__x86_64__)
    case ALLIN1_CPU_AVX512:
        return &a1_layers_avx512;
    case ALLIN1_CPU_AVX2:
        return &a1_layers_avx2;
#elif defined(__aarch64__)
    case ALLIN1_CPU_NEON:
        return &a1_layers_neon;
#endif
    default:
        return &a1_layers_scalar;
    }
}
