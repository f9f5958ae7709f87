#include "kernels/layers.h"
#include "kernels/vecmath.h"

A1_INLINE void v16_store(uint16_t *out, vf x)
{
    _mm256_storeu_si256((__m256i *)(void *)out, (__m256i)_mm512_cvtneps_pbh(x));
}

A1_INLINE void v16_store_two(uint16_t *out, vf x, vf y)
{
    _mm512_storeu_si512(out, (__m512i)_mm512_cvtne2ps_pbh(y, x));
}

A1_INLINE void v16_store_pairs(uint16_t *out, vf x, vf y)
{
    const __m512i even = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(x));
    const __m512i odd = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(y));
    _mm512_storeu_si512(out, _mm512_or_si512(even, _mm512_slli_epi32(odd, 16)));
}

#include "kernels/layers16_body.h"

const a1_layer16_kernels a1_layers_avx512bf16 = LAYER16_KERNELS;
