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

const a1_layer16_kernels *a1_layer16_kernels_get(const a1_cpu *cpu)
{
#if defined(__x86_64__)
    if (cpu->level == ALLIN1_CPU_AVX512 && cpu->bf16)
        return &a1_layers_avx512bf16;
#elif defined(__aarch64__)
    if (cpu->level == ALLIN1_CPU_NEON && cpu->bf16)
        return &a1_layers_neonbf16;
#else
    (void)cpu;
#endif
    return NULL;
}
