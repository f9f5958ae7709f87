/* What happens to a tile of sums on its way to C: bias, activation, scale, additions (see gemm.h). */
#include "kernels/gemm.h"
#include "kernels/vecmath.h"

/* Loops over a tile's rows and vectors, which must stay in registers. */
#if defined(__clang__)
#define UNROLL _Pragma("unroll")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

A1_INLINE void finish_vector(const a1_gemm_call *call, vf value, size_t slot, size_t offset,
                             size_t row, size_t count)
{
    if (call->scale)
        value = value * vf_load(call->scale + slot);
    if (call->post)
        value = value + vf_load(call->post + slot);
    if (call->residual)
        value = value + vf_load_n(call->residual + row * call->ldr + offset, count);
    float *c = call->c + row * call->ldc + offset;
    if (count == VW)
        vf_store(c, value);
    else
        vf_store_n(c, value, count);
}

/* Asks for the memory that finish_panel will touch, while the sums are still being computed: its rows
 * are too far apart for the processor to foresee. */
A1_INLINE void foresee_panel(const a1_gemm_call *call, size_t panel, size_t row0, size_t rows)
{
    const a1_gemm_group *groups = call->weights->groups + 2 * panel;
    const size_t halves = call->weights->glu ? 1 : 2;
    for (size_t half = 0; half < halves; half++) {
        if (groups[half].valid == 0)
            continue;
        for (size_t row = row0; row < row0 + rows; row++) {
            __builtin_prefetch(call->c + row * call->ldc + groups[half].offset, 1);
            if (call->residual && call->residual != call->c)
                __builtin_prefetch(call->residual + row * call->ldr + groups[half].offset);
        }
    }
}

A1_INLINE void finish_panel(const a1_gemm_call *call, size_t panel, size_t row0, size_t rows,
                            const float *tile)
{
    const a1_gemm_group *groups = call->weights->groups + 2 * panel;
    const float *bias = call->weights->bias + panel * A1_GEMM_PANEL;
    const size_t halves = call->weights->glu ? 1 : 2;
    for (size_t half = 0; half < halves; half++) {
        const size_t base = half * A1_GEMM_GROUP;
        for (size_t at = 0; at < groups[half].valid; at += VW) {
            const size_t left = groups[half].valid - at;
            const size_t count = left < VW ? left : VW;
            const size_t offset = groups[half].offset + at;
            const vf add = vf_load(bias + base + at);
            if (call->weights->glu) {
                const vf add_gate = vf_load(bias + A1_GEMM_GROUP + at);
                for (size_t r = 0; r < rows; r++) {
                    const vf value = vf_load(tile + r * A1_GEMM_PANEL + at) + add;
                    const vf gate =
                        vf_load(tile + r * A1_GEMM_PANEL + A1_GEMM_GROUP + at) + add_gate;
                    finish_vector(call, value * vf_sigmoid(gate), panel * A1_GEMM_GROUP + at,
                                  offset, row0 + r, count);
                }
            } else if (call->activation == A1_ACT_GELU) {
                for (size_t r = 0; r < rows; r++)
                    finish_vector(call, vf_gelu(vf_load(tile + r * A1_GEMM_PANEL + base + at) + add),
                                  panel * A1_GEMM_PANEL + base + at, offset, row0 + r, count);
            } else if (call->activation == A1_ACT_RELU) {
                for (size_t r = 0; r < rows; r++)
                    finish_vector(call,
                                  vf_max(vf_load(tile + r * A1_GEMM_PANEL + base + at) + add,
                                         vf_zero()),
                                  panel * A1_GEMM_PANEL + base + at, offset, row0 + r, count);
            } else {
                for (size_t r = 0; r < rows; r++)
                    finish_vector(call, vf_load(tile + r * A1_GEMM_PANEL + base + at) + add,
                                  panel * A1_GEMM_PANEL + base + at, offset, row0 + r, count);
            }
        }
    }
}
