#include "kernels/layers.h"
#include "kernels/vecmath.h"

A1_INLINE uint16x4_t round4(vf x)
{
    return vreinterpret_u16_bf16(vcvt_bf16_f32(x));
}

A1_INLINE void v16_store(uint16_t *out, vf x)
{
    vst1_u16(out, round4(x));
}

A1_INLINE void v16_store_two(uint16_t *out, vf x, vf y)
{
    vst1q_u16(out, vcombine_u16(round4(x), round4(y)));
}

A1_INLINE void v16_store_pairs(uint16_t *out, vf x, vf y)
{
    vst2_u16(out, ((uint16x4x2_t){{round4(x), round4(y)}}));
}

#include "kernels/layers16_body.h"

const a1_layer16_kernels a1_layers_neonbf16 = LAYER16_KERNELS;
