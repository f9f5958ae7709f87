/* The spectrogram's kernels, compiled once per instruction set. The including file defines
 * BANDS_KERNELS, the name of the table. */
#include "kernels/bands_kernels.h"
#include "kernels/shuffle.h"
#include "kernels/veclog.h"

static float peak(const float *in, size_t count)
{
    /* Four chains, for a comparison takes as long as four of them take side by side. */
    vf highest[4] = {vf_zero(), vf_zero(), vf_zero(), vf_zero()};
    size_t i = 0;
    for (; i + 4 * VW <= count; i += 4 * VW) {
        A1_UNROLL
        for (size_t chain = 0; chain < 4; chain++) {
            const vf x = vf_abs(vf_load(in + i + chain * VW));
            highest[chain] = vf_select_gt(x, highest[chain], x, highest[chain]);
        }
    }
    for (; i < count; i += VW) {
        const size_t left = count - i;
        const vf x = vf_abs(left < VW ? vf_load_n(in + i, left) : vf_load(in + i));
        highest[0] = vf_select_gt(x, highest[0], x, highest[0]);
    }
    return vf_max_lane(vf_max(vf_max(highest[0], highest[1]), vf_max(highest[2], highest[3])));
}

static void mix(const float *left, const float *right, float gain, float *out, size_t count)
{
    const vf g = vf_set1(gain);
    size_t i = 0;
    for (; i + VW <= count; i += VW)
        vf_store(out + i, vf_fma(vf_load(left + i), g, vf_load(right + i) * g));
    if (i < count) {
        const size_t rest = count - i;
        vf_store_n(out + i, vf_fma(vf_load_n(left + i, rest), g, vf_load_n(right + i, rest) * g),
                   rest);
    }
}

A1_INLINE vf to_pcm(vf x, vf divisor)
{
    /* Clipping first keeps the rounding away from numbers that have no integer. */
    x = x / divisor * vf_set1(32768.0f);
    return vf_round(vf_min(vf_max(x, vf_set1(-32768.0f)), vf_set1(32767.0f)));
}

A1_INLINE vf mean_pcm(vf left, vf right, vf divisor)
{
    const vf mean = vf_set1(0.5f) * (to_pcm(left, divisor) + to_pcm(right, divisor));
    /* A multiple of a half less a quarter rounds to the integer below. */
    const vf cut = vf_round(vf_abs(mean) - vf_set1(0.25f));
    return vf_select_gt(vf_zero(), mean, vf_zero() - cut, vf_abs(cut));
}

static void mix_pcm(const float *left, const float *right, float divisor, float *out, size_t count)
{
    const vf d = vf_set1(divisor);
    size_t i = 0;
    for (; i + VW <= count; i += VW)
        vf_store(out + i, mean_pcm(vf_load(left + i), vf_load(right + i), d));
    if (i < count) {
        const size_t rest = count - i;
        vf_store_n(out + i, mean_pcm(vf_load_n(left + i, rest), vf_load_n(right + i, rest), d),
                   rest);
    }
}

/* Turns VW x VW squares of `from` (rows `from_stride` apart) into those of `to` until `columns` of
 * `from` are done; whole squares are read and written. */
A1_INLINE void transpose(const float *from, size_t from_stride, size_t columns, float *to)
{
    for (size_t column = 0; column < columns; column += VW) {
        vf square[VW];
        A1_UNROLL
        for (size_t row = 0; row < VW; row++)
            square[row] = vf_load(from + row * from_stride + column);
        vf_transpose(square);
        A1_UNROLL
        for (size_t row = 0; row < VW; row++)
            vf_store(to + (column + row) * VW, square[row]);
    }
}

/* One lane is one frame: every band is a plain sum, in the same order at every width. */
static void filter(const a1_band *bands, size_t band_count, const float *weights, size_t bin_count,
                   const float *magnitudes, size_t stride, size_t frames, float *work, float *out)
{
    float *bins = work, *levels = work + (bin_count + VW) * VW;
    transpose(magnitudes, stride, bin_count, bins);
    for (size_t band = 0; band < band_count; band++) {
        const float *bin = bins + bands[band].first * VW;
        const float *weight = weights + bands[band].offset;
        vf sum = vf_zero();
        for (size_t i = 0; i < bands[band].count; i++)
            sum = vf_fma(vf_load(bin + i * VW), vf_set1(weight[i]), sum);
        vf_store(levels + band * VW, vf_log10_1p(sum));
    }
    for (size_t band = 0; band < band_count; band += VW) {
        const size_t here = band_count - band < VW ? band_count - band : VW;
        vf square[VW];
        A1_UNROLL
        for (size_t row = 0; row < VW; row++)
            square[row] = vf_load(levels + (band + row) * VW);
        vf_transpose(square);
        for (size_t frame = 0; frame < frames; frame++)
            vf_store_n(out + frame * band_count + band, square[frame], here);
    }
}

const a1_bands_kernels BANDS_KERNELS = {
    .lanes = VW,
    .peak = peak,
    .mix = mix,
    .mix_pcm = mix_pcm,
    .filter = filter,
};
