/* The body of the row-wise kernels, compiled once per instruction set (see layers.h, simd.h). */
#include "kernels/layers.h"
#include "kernels/softmax_row.h"
#include "kernels/vecmath.h"

/* Vectors summed in float before they go into double. */
#define RUN 32

A1_INLINE double lanes_sum(vf sums)
{
    float lanes[VW];
    double sum = 0;
    vf_store(lanes, sums);
    for (size_t i = 0; i < VW; i++)
        sum += (double)lanes[i];
    return sum;
}

static void fold(vf sums, vf squares, a1_moments *moments)
{
    moments->sum += lanes_sum(sums);
    moments->square_sum += lanes_sum(squares);
}

static void moments(const float *x, size_t rows, size_t width, size_t stride, a1_moments *out)
{
    vf sums = vf_zero(), squares = vf_zero();
    size_t run = 0;
    if (width == stride) {
        width *= rows;
        rows = 1;
    }
    for (size_t r = 0; r < rows; r++, x += stride) {
        for (size_t c = 0; c < width; c += VW) {
            const vf value = width - c >= VW ? vf_load(x + c) : vf_load_n(x + c, width - c);
            sums = sums + value;
            squares = vf_fma(value, value, squares);
            if (++run == RUN) {
                fold(sums, squares, out);
                sums = squares = vf_zero();
                run = 0;
            }
        }
    }
    fold(sums, squares, out);
}

static void norm_gelu(float *x, size_t rows, size_t width, size_t stride, float mean,
                      const float *mul, const float *add)
{
    const vf centre = vf_set1(mean);
    for (size_t r = 0; r < rows; r++, x += stride)
        for (size_t c = 0; c < width; c += VW)
            vf_store(x + c, vf_gelu(vf_fma(vf_load(x + c) - centre, vf_load(mul + c),
                                           vf_load(add + c))));
}

static void norm_glu_add(const float *x, size_t rows, size_t panels, size_t stride, float mean,
                         const float *mul, const float *add, const float *scale, float *y,
                         size_t width, size_t y_stride)
{
    const vf centre = vf_set1(mean);
    for (size_t r = 0; r < rows; r++, x += stride, y += y_stride) {
        for (size_t p = 0; p < panels; p++) {
            for (size_t c = 0; c < 16 && p * 16 + c < width; c += VW) {
                const size_t v = p * 32 + c, g = v + 16, left = width - (p * 16 + c);
                const vf value = vf_fma(vf_load(x + v) - centre, vf_load(mul + v), vf_load(add + v));
                const vf gate = vf_fma(vf_load(x + g) - centre, vf_load(mul + g), vf_load(add + g));
                const vf change = value * vf_sigmoid(gate);
                const vf factor = vf_load(scale + p * 16 + c);
                float *at = y + p * 16 + c;
                if (left >= VW)
                    vf_store(at, vf_fma(change, factor, vf_load(at)));
                else
                    vf_store_n(at, vf_fma(change, factor, vf_load_n(at, left)), left);
            }
        }
    }
}

static void norm(const float *x, size_t rows, size_t width, float mean, const float *mul,
                 const float *add, float *out)
{
    const vf centre = vf_set1(mean);
    for (size_t r = 0; r < rows; r++, x += width, out += width) {
        size_t c = 0;
        for (; c + VW <= width; c += VW)
            vf_store(out + c,
                     vf_fma(vf_load(x + c) - centre, vf_load(mul + c), vf_load(add + c)));
        if (c < width) {
            const size_t n = width - c;
            vf_store_n(out + c,
                       vf_fma(vf_load_n(x + c, n) - centre, vf_load_n(mul + c, n),
                              vf_load_n(add + c, n)),
                       n);
        }
    }
}

/* Rows that are normed at a time: each is a chain of sums that another one's can run beside. */
#define NORM_ROWS 4

/* The means of `rows` rows (a constant), summed as moments does it. */
A1_INLINE void row_means(const float *x, const size_t rows, size_t width, double *means)
{
    for (size_t r = 0; r < rows; r++)
        means[r] = 0;
    for (size_t c = 0; c < width;) {
        vf sums[NORM_ROWS];
        for (size_t r = 0; r < rows; r++)
            sums[r] = vf_zero();
        const size_t whole = width - c < RUN * VW ? (width - c) / VW * VW : RUN * VW;
        for (const size_t end = c + whole; c < end; c += VW)
            for (size_t r = 0; r < rows; r++)
                sums[r] = sums[r] + vf_load(x + r * width + c);
        if (c < width && whole < RUN * VW) {
            for (size_t r = 0; r < rows; r++)
                sums[r] = sums[r] + vf_load_n(x + r * width + c, width - c);
            c = width;
        }
        for (size_t r = 0; r < rows; r++)
            means[r] += lanes_sum(sums[r]);
    }
    for (size_t r = 0; r < rows; r++)
        means[r] /= (double)width;
}

A1_INLINE void norm_rows(const float *x, const size_t rows, size_t width, const float *mul,
                         const float *add, const float *position, float *out)
{
    double means[NORM_ROWS];
    vf centres[NORM_ROWS], squares[NORM_ROWS], factors[NORM_ROWS];
    row_means(x, rows, width, means);
    for (size_t r = 0; r < rows; r++) {
        centres[r] = vf_set1((float)means[r]);
        squares[r] = vf_zero();
    }
    size_t c = 0;
    for (; c + VW <= width; c += VW) {
        for (size_t r = 0; r < rows; r++) {
            const vf d = vf_load(x + r * width + c) - centres[r];
            squares[r] = vf_fma(d, d, squares[r]);
        }
    }
    for (size_t r = 0; r < rows; r++) {
        double variance = (double)vf_sum(squares[r]);
        for (size_t i = c; i < width; i++) {
            const double d = (double)x[r * width + i] - means[r];
            variance += d * d;
        }
        variance /= (double)width;
        factors[r] = vf_set1((float)(1.0 / sqrt(variance + 1e-5)));
    }
    /* Whole vectors without a mask: a masked store takes some processors a dozen cycles. */
    for (c = 0; c + VW <= width; c += VW) {
        const vf by = vf_load(mul + c), plus = vf_load(add + c);
        for (size_t r = 0; r < rows; r++) {
            const size_t at = r * width + c;
            vf value = vf_fma((vf_load(x + at) - centres[r]) * factors[r], by, plus);
            if (position)
                value = value + vf_load(position + at);
            vf_store(out + at, value);
        }
    }
    for (size_t r = 0; r < rows && c < width; r++) {
        const size_t at = r * width + c, n = width - c;
        vf value = vf_fma((vf_load_n(x + at, n) - centres[r]) * factors[r], vf_load_n(mul + c, n),
                          vf_load_n(add + c, n));
        if (position)
            value = value + vf_load_n(position + at, n);
        vf_store_n(out + at, value, n);
    }
}

static void layer_norm(const float *x, size_t rows, size_t width, const float *mul,
                       const float *add, const float *position, float *out)
{
    size_t row = 0;
    for (; row + NORM_ROWS <= rows; row += NORM_ROWS)
        norm_rows(x + row * width, NORM_ROWS, width, mul, add,
                  position ? position + row * width : NULL, out + row * width);
    for (; row < rows; row++)
        norm_rows(x + row * width, 1, width, mul, add, position ? position + row * width : NULL,
                  out + row * width);
}

static void standardise(const float *x, size_t count, float mean, float divisor, float *out)
{
    const vf centre = vf_set1(mean), over = vf_set1(divisor);
    size_t i = 0;
    for (; i + VW <= count; i += VW)
        vf_store(out + i, (vf_load(x + i) - centre) / over);
    for (; i < count; i++)
        out[i] = (x[i] - mean) / divisor;
}

static void restore(const float *x, size_t count, float mean, float std, float *out)
{
    const vf factor = vf_set1(std), add = vf_set1(mean);
    size_t i = 0;
    for (; i + VW <= count; i += VW)
        vf_store(out + i, vf_load(x + i) * factor + add);
    for (; i < count; i++)
        out[i] = x[i] * std + mean;
}

static void softmax_block(float *scores, size_t rows, size_t keys, size_t stride, float *maximum,
                          double *sum, float *values, size_t values_width)
{
    for (size_t r = 0; r < rows; r++, scores += stride, values += values_width) {
        const vf centre =
            softmax_raise(scores, keys, &maximum[r], &sum[r], values, values_width);
        vf sum0 = vf_zero(), sum1 = vf_zero();
        size_t k = 0;
        for (; k + 2 * VW <= keys; k += 2 * VW) {
            const vf e0 = vf_exp(vf_load(scores + k) - centre);
            const vf e1 = vf_exp(vf_load(scores + k + VW) - centre);
            vf_store(scores + k, e0);
            vf_store(scores + k + VW, e1);
            sum0 = sum0 + e0;
            sum1 = sum1 + e1;
        }
        for (; k < keys; k += VW) {
            const vf e0 = vf_exp(vf_load(scores + k) - centre);
            vf_store(scores + k, e0);
            sum0 = sum0 + e0;
        }
        sum[r] += (double)vf_sum(sum0) + (double)vf_sum(sum1);
    }
}

static void softmax_finish(const float *values, size_t rows, size_t values_stride, size_t width,
                           const double *sum, float *out, size_t out_stride)
{
    for (size_t r = 0; r < rows; r++, values += values_stride, out += out_stride) {
        const vf factor = vf_set1((float)(1.0 / sum[r]));
        for (size_t c = 0; c < width; c += VW) {
            const vf value = vf_load(values + c) * factor;
            if (width - c >= VW)
                vf_store(out + c, value);
            else
                vf_store_n(out + c, value, width - c);
        }
    }
}

static void pack_keys(const float *k, size_t stride, size_t tokens, size_t width, float *out)
{
    for (size_t token = 0; token < tokens; token += 32, out += width * 32) {
        for (size_t c0 = 0; c0 < width; c0 += 16) {
            const size_t c1 = c0 + 16 < width ? c0 + 16 : width;
            for (size_t t = 0; t < 32; t++) {
                const float *row = k + (token + t) * stride;
                for (size_t c = c0; c < c1; c++)
                    out[c * 32 + t] = row[c];
            }
        }
    }
}

static void pack_values(const float *v, size_t stride, size_t tokens, size_t width, float *out)
{
    for (size_t c0 = 0; c0 < width; c0 += 32) {
        for (size_t t = 0; t < tokens; t++, out += 32) {
            const float *row = v + t * stride + c0;
            for (size_t c = 0; c < 32; c += VW) {
                const size_t left = c0 + c < width ? width - c0 - c : 0;
                vf_store(out + c, left >= VW ? vf_load(row + c) : vf_load_n(row + c, left));
            }
        }
    }
}

#define LAYER_KERNELS                                                                              \
    {                                                                                              \
        moments, norm_gelu, norm_glu_add, norm, layer_norm, standardise, restore, softmax_block,   \
            softmax_finish, pack_keys, pack_values                                                 \
    }
