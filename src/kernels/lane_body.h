/* The kernels of lane.h for the vector width of the including file. */
#include "kernels/lane.h"
#include "kernels/shuffle.h"
#include "kernels/vectable.h"

/* Outputs and vectors of a register tile: as many accumulators as the registers take beside the
 * inputs and one weight. In plain C a row of the block stands for a vector. */
#if VW == 16
#define TILE_ROWS 12
#define TILE_VECTORS 2
#define CONV_VECTORS 2
#define GRID_QUERIES 4
#define GRID_CHANNELS 4
#elif VW == 8
#define TILE_ROWS 6
#define TILE_VECTORS 2
#define CONV_VECTORS 1
#define GRID_QUERIES 2
#define GRID_CHANNELS 4
#elif VW == 4
#define TILE_ROWS 12
#define TILE_VECTORS 2
#define CONV_VECTORS 2
#define GRID_QUERIES 4
#define GRID_CHANNELS 4
#else
#define TILE_ROWS 1
#define TILE_VECTORS 32
#define CONV_VECTORS 1
#define GRID_QUERIES 1
#define GRID_CHANNELS 12
#endif

/* Loops over arrays of registers are unrolled in full; in plain C the compiler vectorises them. */
#if VW == 1
#define UNROLL
#define UNROLL_FEW
#else
#define UNROLL _Pragma("GCC unroll 16")
#define UNROLL_FEW _Pragma("GCC unroll 4")
#endif

/* ---- dense ------------------------------------------------------------------------------------
 */

A1_INLINE void dense_tile(const float *weights, const float *bias, const a1_lane_matrix *matrix,
                          const a1_lane_input *in, size_t lane, const float *residual, float *out,
                          size_t out_stride)
{
    vf sum[TILE_ROWS][TILE_VECTORS];
    UNROLL
    for (size_t o = 0; o < TILE_ROWS; o++) {
        UNROLL
        for (size_t v = 0; v < TILE_VECTORS; v++) {
            sum[o][v] = vf_set1(bias[o]);
            if (residual)
                sum[o][v] = sum[o][v] + vf_load(residual + o * A1_LANES + v * VW);
        }
    }
    for (size_t group = 0; group < matrix->groups; group++) {
        const float *x = in->x + group * in->group_stride + lane;
        for (size_t i = 0; i < matrix->inputs; i++, x += in->stride, weights += A1_LANE_TILE) {
            vf value[TILE_VECTORS];
            UNROLL
            for (size_t v = 0; v < TILE_VECTORS; v++)
                value[v] = vf_load(x + v * VW);
            UNROLL
            for (size_t o = 0; o < TILE_ROWS; o++) {
                const vf weight = vf_set1(weights[o]);
                UNROLL
                for (size_t v = 0; v < TILE_VECTORS; v++)
                    sum[o][v] = vf_fma(weight, value[v], sum[o][v]);
            }
        }
    }
    UNROLL
    for (size_t o = 0; o < TILE_ROWS; o++) {
        UNROLL
        for (size_t v = 0; v < TILE_VECTORS; v++)
            vf_store(out + o * out_stride + v * VW, sum[o][v]);
    }
}

A1_INLINE void dense_any(const a1_lane_matrix *matrix, const a1_lane_input *in,
                         const float *residual, float *out, size_t out_stride, int gelu)
{
    const float *packed = matrix->data;
    for (size_t o = 0; o < matrix->outputs; o += A1_LANE_TILE) {
        for (size_t row = 0; row < A1_LANE_TILE; row += TILE_ROWS)
            for (size_t lane = 0; lane < A1_LANES; lane += TILE_VECTORS * VW)
                dense_tile(packed + A1_LANE_TILE + row, packed + row, matrix, in, lane,
                           residual ? residual + (o + row) * A1_LANES + lane : NULL,
                           out + (o + row) * out_stride + lane, out_stride);
        packed += A1_LANE_TILE * (1 + matrix->groups * matrix->inputs);
        if (!gelu)
            continue;
        /* Tile by tile, so that these instructions overlap with the next tile's products. */
        const vf_gelu_table table = vf_gelu_load();
        for (size_t row = 0; row < A1_LANE_TILE; row++) {
            float *at = out + (o + row) * out_stride;
            UNROLL
            for (size_t lane = 0; lane < A1_LANES; lane += VW)
                vf_store(at + lane, vf_gelu_by_table(vf_load(at + lane), &table));
        }
    }
}

static void dense(const a1_lane_matrix *matrix, const a1_lane_input *in, float *out,
                  size_t out_stride)
{
    dense_any(matrix, in, NULL, out, out_stride, 0);
}

static void dense_add(const a1_lane_matrix *matrix, const a1_lane_input *in, const float *residual,
                      float *out, size_t out_stride)
{
    dense_any(matrix, in, residual, out, out_stride, 0);
}

static void dense_gelu(const a1_lane_matrix *matrix, const a1_lane_input *in, float *out,
                       size_t out_stride)
{
    dense_any(matrix, in, NULL, out, out_stride, 1);
}

/* x for x > 0, else e^x - 1. */
A1_INLINE vf elu(vf x)
{
    const vf below = vf_min(x, vf_zero());
    return vf_max(x, vf_zero()) + (vf_exp_by_table(below) - vf_set1(1.0f));
}

/* ---- norm, mean, pooling ------------------------------------------------------------------------
 */

/* Vectors that a norm treats together, to hide the latencies of its sums, root and division. */
#if VW == 1
#define NORM_VECTORS 32
#else
#define NORM_VECTORS 2
#endif

A1_INLINE void norm_lanes(const float *x, size_t channels, const float *weight, const float *bias,
                          float *out)
{
    const vf scale = vf_set1(1.0f / (float)channels);
    vf sum[2][NORM_VECTORS], square[2][NORM_VECTORS], mean[NORM_VECTORS], inverse[NORM_VECTORS];
    UNROLL
    for (size_t v = 0; v < NORM_VECTORS; v++) {
        sum[0][v] = sum[1][v] = vf_zero();
        square[0][v] = square[1][v] = vf_zero();
    }
    UNROLL_FEW
    for (size_t c = 0; c < channels; c += 2) {
        UNROLL
        for (size_t v = 0; v < NORM_VECTORS; v++) {
            sum[0][v] = sum[0][v] + vf_load(x + c * A1_LANES + v * VW);
            sum[1][v] = sum[1][v] + vf_load(x + (c + 1) * A1_LANES + v * VW);
        }
    }
    UNROLL
    for (size_t v = 0; v < NORM_VECTORS; v++)
        mean[v] = (sum[0][v] + sum[1][v]) * scale;
    UNROLL_FEW
    for (size_t c = 0; c < channels; c += 2) {
        UNROLL
        for (size_t v = 0; v < NORM_VECTORS; v++) {
            const vf a = vf_load(x + c * A1_LANES + v * VW) - mean[v];
            const vf b = vf_load(x + (c + 1) * A1_LANES + v * VW) - mean[v];
            square[0][v] = vf_fma(a, a, square[0][v]);
            square[1][v] = vf_fma(b, b, square[1][v]);
        }
    }
    UNROLL
    for (size_t v = 0; v < NORM_VECTORS; v++) {
        const vf variance = (square[0][v] + square[1][v]) * scale;
        inverse[v] = vf_set1(1.0f) / vf_sqrt(variance + vf_set1(1e-5f));
    }
    UNROLL_FEW
    for (size_t c = 0; c < channels; c++) {
        const vf mul = vf_set1(weight[c]), add = vf_set1(bias[c]);
        UNROLL
        for (size_t v = 0; v < NORM_VECTORS; v++) {
            const vf centred = vf_load(x + c * A1_LANES + v * VW) - mean[v];
            vf_store(out + c * A1_LANES + v * VW, vf_fma(centred * inverse[v], mul, add));
        }
    }
}

static void layer_norm(const float *x, size_t channels, const float *weight, const float *bias,
                       float *out)
{
    for (size_t lane = 0; lane < A1_LANES; lane += NORM_VECTORS * VW)
        norm_lanes(x + lane, channels, weight, bias, out + lane);
}

static void mean(const float *a, const float *b, size_t rows, float *out)
{
    for (size_t i = 0; i < rows * A1_LANES; i += VW)
        vf_store(out + i, (vf_load(a + i) + vf_load(b + i)) * vf_set1(0.5f));
}

static void pool_elu(const float *x, size_t channels, float *out, size_t out_stride)
{
    const size_t size = channels * A1_LANES;
    for (size_t c = 0; c < channels; c++) {
        UNROLL
        for (size_t lane = 0; lane < A1_LANES; lane += VW) {
            const float *at = x + c * A1_LANES + lane;
            const vf largest =
                vf_max(vf_max(vf_load(at), vf_load(at + size)), vf_load(at + 2 * size));
            vf_store(out + c * out_stride + lane, elu(largest));
        }
    }
}

static void transpose(const float *frames, size_t bands, float *out, size_t stride)
{
    for (size_t lane = 0; lane < A1_LANES; lane += VW, frames += VW * bands, out += VW) {
        size_t band = 0;
        for (; band + VW <= bands; band += VW) {
            vf rows[VW];
            UNROLL
            for (size_t i = 0; i < VW; i++)
                rows[i] = vf_load(frames + i * bands + band);
            vf_transpose(rows);
            UNROLL
            for (size_t i = 0; i < VW; i++)
                vf_store(out + (band + i) * stride, rows[i]);
        }
        for (; band < bands; band++)
            for (size_t i = 0; i < VW; i++)
                out[band * stride + i] = frames[i * bands + band];
    }
}

/* ---- first convolution --------------------------------------------------------------------------
 */

/* Four outputs at three frequencies, which share the loads of five bands. */
A1_INLINE void conv_tile(const float *weights, const float *bands, size_t stride, float *out)
{
    vf sum[A1_LANE_CONV_TILE][3][CONV_VECTORS];
    UNROLL
    for (size_t o = 0; o < A1_LANE_CONV_TILE; o++) {
        UNROLL
        for (size_t f = 0; f < 3; f++) {
            UNROLL
            for (size_t v = 0; v < CONV_VECTORS; v++)
                sum[o][f][v] = vf_set1(weights[o]);
        }
    }
    weights += A1_LANE_CONV_TILE;
    for (size_t dt = 0; dt < 3; dt++, weights += 3 * A1_LANE_CONV_TILE, bands++) {
        UNROLL
        for (size_t band = 0; band < 5; band++) {
            vf value[CONV_VECTORS];
            UNROLL
            for (size_t v = 0; v < CONV_VECTORS; v++)
                value[v] = vf_load(bands + band * stride + v * VW);
            UNROLL
            for (size_t f = 0; f < 3; f++) {
                if (band < f || band > f + 2)
                    continue;
                UNROLL
                for (size_t o = 0; o < A1_LANE_CONV_TILE; o++) {
                    const vf weight = vf_set1(weights[(band - f) * A1_LANE_CONV_TILE + o]);
                    UNROLL
                    for (size_t v = 0; v < CONV_VECTORS; v++)
                        sum[o][f][v] = vf_fma(weight, value[v], sum[o][f][v]);
                }
            }
        }
    }
    UNROLL
    for (size_t o = 0; o < A1_LANE_CONV_TILE; o++) {
        UNROLL
        for (size_t v = 0; v < CONV_VECTORS; v++)
            vf_store(out + o * A1_LANES + v * VW,
                     elu(vf_max(vf_max(sum[o][0][v], sum[o][1][v]), sum[o][2][v])));
    }
}

static void conv_bands(const float *weights, const float *bands, size_t stride, size_t pooled,
                       float *out)
{
    for (size_t f = 0; f < pooled; f++, bands += 3 * stride)
        for (size_t tile = 0; tile < 3; tile++, out += A1_LANE_CONV_TILE * A1_LANES)
            for (size_t lane = 0; lane < A1_LANES; lane += CONV_VECTORS * VW)
                conv_tile(weights + tile * A1_LANE_CONV_TILE_FLOATS, bands + lane, stride,
                          out + lane);
}

/* ---- attention ----------------------------------------------------------------------------------
 */

/* Writes `value`, or only the lanes that `keep` marks. */
A1_INLINE void store_kept(float *out, vf value, const float *keep)
{
    if (keep)
        value = vf_select_gt(vf_load(keep), vf_set1(0.5f), value, vf_load(out));
    vf_store(out, value);
}

/* scores become exp(score - largest); returns 1 / sum. Each fifth score has a chain of its own. */
A1_INLINE vf soften(vf *scores, size_t count)
{
    vf part[A1_LANE_WINDOW];
    UNROLL
    for (size_t j = 0; j < A1_LANE_WINDOW; j++)
        part[j] = scores[j];
    UNROLL
    for (size_t i = A1_LANE_WINDOW; i < count; i += A1_LANE_WINDOW) {
        UNROLL
        for (size_t j = 0; j < A1_LANE_WINDOW; j++)
            part[j] = vf_max(part[j], scores[i + j]);
    }
    const vf largest = vf_max(vf_max(vf_max(part[0], part[1]), vf_max(part[2], part[3])), part[4]);
    UNROLL
    for (size_t j = 0; j < A1_LANE_WINDOW; j++)
        part[j] = scores[j] = vf_exp_by_table(scores[j] - largest);
    UNROLL
    for (size_t i = A1_LANE_WINDOW; i < count; i += A1_LANE_WINDOW) {
        UNROLL
        for (size_t j = 0; j < A1_LANE_WINDOW; j++) {
            scores[i + j] = vf_exp_by_table(scores[i + j] - largest);
            part[j] = part[j] + scores[i + j];
        }
    }
    return vf_set1(1.0f) / (part[0] + part[1] + (part[2] + part[3]) + part[4]);
}

A1_INLINE void attend_lanes(const a1_lane_attention *a, size_t lane)
{
    const ptrdiff_t step = a->dilation;
    const float *q = a->q + lane;
    const float *k = a->k + lane + a->shift * step;
    const float *v = a->v + lane + a->shift * step;
    vf score[A1_LANE_WINDOW];
    UNROLL
    for (size_t j = 0; j < A1_LANE_WINDOW; j++)
        score[j] = vf_set1(a->position[(ptrdiff_t)j + a->shift + 4]);
    for (size_t c = 0; c < A1_LANE_HEAD; c++, q += A1_LANES, k += a->kv_stride) {
        const vf query = vf_load(q);
        UNROLL
        for (size_t j = 0; j < A1_LANE_WINDOW; j++)
            score[j] = vf_fma(query, vf_load(k + (ptrdiff_t)j * step), score[j]);
    }
    const vf inverse = soften(score, A1_LANE_WINDOW);
    float *out = a->out + lane;
    for (size_t c = 0; c < A1_LANE_HEAD; c++, out += A1_LANES, v += a->kv_stride) {
        vf sum = score[0] * vf_load(v);
        UNROLL
        for (size_t j = 1; j < A1_LANE_WINDOW; j++)
            sum = vf_fma(score[j], vf_load(v + (ptrdiff_t)j * step), sum);
        store_kept(out, sum * inverse, a->keep ? a->keep + lane : NULL);
    }
}

static void attend(const a1_lane_attention *attention)
{
    for (size_t lane = 0; lane < A1_LANES; lane += VW)
        attend_lanes(attention, lane);
}

#define GRID_KEYS ((A1_LANE_STEMS + 1) * A1_LANE_WINDOW)
#define GRID_REAL (A1_LANE_STEMS * A1_LANE_WINDOW)
#define STEM_ROWS (A1_LANE_DIM * A1_LANES)

/* Scores of GRID_QUERIES stems from `stem` with the five neighbours in stem `other`. */
A1_INLINE void grid_scores(const float *q, const float *k, size_t kv_stride, const float *position,
                           size_t stem, size_t other, vf (*score)[GRID_KEYS])
{
    vf sum[GRID_QUERIES][A1_LANE_WINDOW];
    UNROLL
    for (size_t i = 0; i < GRID_QUERIES; i++) {
        UNROLL
        for (size_t j = 0; j < A1_LANE_WINDOW; j++)
            sum[i][j] = vf_set1(position[(other + 4 - stem - i) * A1_LANE_OFFSETS + j]);
    }
    for (size_t c = 0; c < A1_LANE_HEAD; c++, q += A1_LANES, k += kv_stride) {
        vf key[A1_LANE_WINDOW];
        UNROLL
        for (size_t j = 0; j < A1_LANE_WINDOW; j++)
            key[j] = vf_load(k + j);
        UNROLL
        for (size_t i = 0; i < GRID_QUERIES; i++) {
            const vf query = vf_load(q + i * STEM_ROWS);
            UNROLL
            for (size_t j = 0; j < A1_LANE_WINDOW; j++)
                sum[i][j] = vf_fma(query, key[j], sum[i][j]);
        }
    }
    UNROLL
    for (size_t i = 0; i < GRID_QUERIES; i++) {
        UNROLL
        for (size_t j = 0; j < A1_LANE_WINDOW; j++)
            score[stem + i][other * A1_LANE_WINDOW + j] = sum[i][j];
    }
}

/* The constant stem: one product serves its five neighbours. */
A1_INLINE void grid_pad_scores(const float *q, const float *pad_k, const float *position,
                               vf (*score)[GRID_KEYS])
{
    vf sum[A1_LANE_STEMS];
    UNROLL
    for (size_t i = 0; i < A1_LANE_STEMS; i++)
        sum[i] = vf_zero();
    for (size_t c = 0; c < A1_LANE_HEAD; c++, q += A1_LANES) {
        const vf key = vf_set1(pad_k[c]);
        UNROLL
        for (size_t i = 0; i < A1_LANE_STEMS; i++)
            sum[i] = vf_fma(key, vf_load(q + i * STEM_ROWS), sum[i]);
    }
    UNROLL
    for (size_t i = 0; i < A1_LANE_STEMS; i++) {
        UNROLL
        for (size_t j = 0; j < A1_LANE_WINDOW; j++)
            score[i][GRID_REAL + j] =
                sum[i] + vf_set1(position[(2 * A1_LANE_STEMS - i) * A1_LANE_OFFSETS + j]);
    }
}

/* What soften found for one stem: its share of the constant stem, and 1 / sum. */
typedef struct grid_shares {
    vf pad, inverse;
} grid_shares;

/* Weighted values of GRID_CHANNELS channels for GRID_QUERIES stems from `stem`. */
A1_INLINE void grid_values(const a1_lane_grid *g, const float *v, const float *pad_v, size_t stem,
                           vf (*weight)[GRID_KEYS], const grid_shares *shares, const float *keep,
                           float *out)
{
    vf sum[GRID_QUERIES][GRID_CHANNELS];
    UNROLL
    for (size_t c = 0; c < GRID_CHANNELS; c++) {
        const vf value = vf_set1(pad_v[c]);
        UNROLL
        for (size_t i = 0; i < GRID_QUERIES; i++)
            sum[i][c] = shares[stem + i].pad * value;
    }
    for (size_t other = 0; other < A1_LANE_STEMS; other++, v += g->stem_stride) {
        for (size_t j = 0; j < A1_LANE_WINDOW; j++) {
            vf value[GRID_CHANNELS];
            UNROLL
            for (size_t c = 0; c < GRID_CHANNELS; c++)
                value[c] = vf_load(v + c * g->kv_stride + j);
            UNROLL
            for (size_t i = 0; i < GRID_QUERIES; i++) {
                const vf share = weight[stem + i][other * A1_LANE_WINDOW + j];
                UNROLL
                for (size_t c = 0; c < GRID_CHANNELS; c++)
                    sum[i][c] = vf_fma(share, value[c], sum[i][c]);
            }
        }
    }
    UNROLL
    for (size_t i = 0; i < GRID_QUERIES; i++) {
        UNROLL
        for (size_t c = 0; c < GRID_CHANNELS; c++)
            store_kept(out + (stem + i) * STEM_ROWS + c * A1_LANES,
                       sum[i][c] * shares[stem + i].inverse, keep);
    }
}

A1_INLINE void grid_head(const a1_lane_grid *g, size_t head, size_t lane)
{
    const size_t row = head * A1_LANE_HEAD;
    const float *position = g->position + head * A1_LANE_OFFSETS * A1_LANE_OFFSETS + (g->shift + 4);
    const float *q = g->q + row * A1_LANES + lane;
    const float *k = g->k + row * g->kv_stride + lane + g->shift;
    const float *v = g->v + row * g->kv_stride + lane + g->shift;
    vf score[A1_LANE_STEMS][GRID_KEYS];
    grid_shares shares[A1_LANE_STEMS];
    grid_pad_scores(q, g->pad_k + row, position, score);
    for (size_t stem = 0; stem < A1_LANE_STEMS; stem += GRID_QUERIES)
        for (size_t other = 0; other < A1_LANE_STEMS; other++)
            grid_scores(q + stem * STEM_ROWS, k + other * g->stem_stride, g->kv_stride, position,
                        stem, other, score);
    for (size_t stem = 0; stem < A1_LANE_STEMS; stem++) {
        shares[stem].inverse = soften(score[stem], GRID_KEYS);
        const vf *pad = score[stem] + GRID_REAL;
        shares[stem].pad = pad[0] + pad[1] + (pad[2] + pad[3]) + pad[4];
    }
    for (size_t c = 0; c < A1_LANE_HEAD; c += GRID_CHANNELS)
        for (size_t stem = 0; stem < A1_LANE_STEMS; stem += GRID_QUERIES)
            grid_values(g, v + c * g->kv_stride, g->pad_v + row + c, stem, score, shares,
                        g->keep ? g->keep + lane : NULL, g->out + (row + c) * A1_LANES + lane);
}

static void attend_grid(const a1_lane_grid *grid)
{
    for (size_t head = 0; head < 2; head++)
        for (size_t lane = 0; lane < A1_LANES; lane += VW)
            grid_head(grid, head, lane);
}

#define LANE_KERNELS                                                                               \
    {                                                                                              \
        dense, dense_add, dense_gelu, layer_norm, mean, transpose, conv_bands, pool_elu, attend,   \
            attend_grid                                                                            \
    }
