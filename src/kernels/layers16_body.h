/* The steps of attention on bfloat16 (see layers.h). The including file has, for its instructions,
 *
 *     v16_store(out, x)                 VW values rounded
 *     v16_store_two(out, x, y)          the same of x and then of y
 *     v16_store_pairs(out, x, y)        the same, in turns: x[0], y[0], x[1], ... */
#include "kernels/softmax_row.h"

static void round_rows(const float *x, size_t rows, size_t width, size_t stride, uint16_t *out)
{
    for (size_t r = 0; r < rows; r++, x += stride, out += width)
        for (size_t c = 0; c < width; c += VW)
            v16_store(out + c, vf_load(x + c));
}

static void softmax_block(const float *scores, size_t rows, size_t keys, size_t stride,
                          uint16_t *powers, float *maximum, double *sum, float *values,
                          size_t values_width)
{
    for (size_t r = 0; r < rows; r++, scores += stride, powers += stride, values += values_width) {
        const vf centre =
            softmax_raise(scores, keys, &maximum[r], &sum[r], values, values_width);
        vf sum0 = vf_zero(), sum1 = vf_zero();
        for (size_t k = 0; k < keys; k += 2 * VW) {
            const vf e0 = vf_exp(vf_load(scores + k) - centre);
            const vf e1 = vf_exp(vf_load(scores + k + VW) - centre);
            v16_store_two(powers + k, e0, e1);
            sum0 = sum0 + e0;
            sum1 = sum1 + e1;
        }
        sum[r] += (double)vf_sum(sum0) + (double)vf_sum(sum1);
    }
}

static void pack_keys(const float *k, size_t stride, size_t tokens, size_t width, uint16_t *out)
{
    for (size_t token = 0; token < tokens; token += 32, out += width * 32)
        for (size_t c0 = 0; c0 < width; c0 += VW)
            for (size_t t = 0; t < 32; t++) {
                uint16_t row[VW];
                v16_store(row, vf_load(k + (token + t) * stride + c0));
                for (size_t c = 0; c < VW; c += 2)
                    memcpy(out + ((c0 + c) / 2 * 32 + t) * 2, row + c, 2 * sizeof *row);
            }
}

static void pack_values(const float *v, size_t stride, size_t tokens, size_t width, uint16_t *out)
{
    for (size_t c0 = 0; c0 < width; c0 += 32)
        for (size_t t = 0; t < tokens; t += 2, out += 64)
            for (size_t c = 0; c < 32; c += VW) {
                const size_t room = c0 + c < width ? width - c0 - c : 0;
                const size_t left = room < VW ? room : VW;
                const float *row = v + t * stride + (left ? c0 + c : 0);
                v16_store_pairs(out + 2 * c, vf_load_n(row, left), vf_load_n(row + stride, left));
            }
}

#define LAYER16_KERNELS                                                                            \
    {                                                                                              \
        round_rows, softmax_block, pack_keys, pack_values                                          \
    }
