#include "student_layers.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#ifdef _OPENMP
#include <omp.h>
#else
static int omp_get_thread_num(void)
{
    return 0;
}
static int omp_get_num_threads(void)
{
    return 1;
}
#endif

enum {
    WIDTH = 96, /* channels of a block */
    TAPS = 3,   /* of a block's convolution */
    PAIR =
        2 * 12 * 27, /* what two frames have: the front's channels at each place along the bands */
    LANES = 8,
    ROWS = 4,         /* a product's sums are held in registers for 4 rows and */
    TILE = 3 * LANES, /* 24 columns, */
    BLOCK = 64,       /* over so many rows, so that these columns of the weights stay near; */
    OUTER_BLOCK = 32  /* over so many where both factors have many rows */
};

typedef float lanes __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
typedef int lane_masks __attribute__((vector_size(4 * LANES)));

static inline lanes load(const float *from)
{
    return *(const lanes *)from;
}

static inline void store(float *to, lanes values)
{
    *(lanes *)to = values;
}

static inline lanes all(float value)
{
    return value - (lanes){0};
}

static inline float sum_of(lanes v)
{
    return ((v[0] + v[4]) + (v[1] + v[5])) + ((v[2] + v[6]) + (v[3] + v[7]));
}

/* `values` where `sign` is positive, 0 elsewhere. */
static inline lanes where_positive(lanes sign, lanes values)
{
    return (lanes)((lane_masks)values & (lane_masks)(sign > 0));
}

#ifdef __x86_64__
#define HELD(...) __asm__("" : __VA_ARGS__)
#else
#define HELD(...) (void)0
#endif
/* The twelve sums are variables of their own, and a row's factor is not read before the row above
 * has used its own (HELD): gcc would else read all four factors at once, have no register left for
 * the sums, and take twice as long. */
/* clang-format off */
#define EACH_SUM(DO) \
    DO(0, 0) DO(0, 1) DO(0, 2) \
    DO(1, 0) DO(1, 1) DO(1, 2) \
    DO(2, 0) DO(2, 1) DO(2, 2) \
    DO(3, 0) DO(3, 1) DO(3, 2)
/* clang-format on */
#define SUM(row, i) sum_##row##_##i
#define ADD_ROW(row, factors, place)                                                               \
    do {                                                                                           \
        const lanes factor = all((factors)[place]);                                                \
        SUM(row, 0) += factor * c0, SUM(row, 1) += factor * c1, SUM(row, 2) += factor * c2;        \
        HELD("+x"(SUM(row, 0)), "+x"(SUM(row, 1)), "+x"(SUM(row, 2)), "+r"(factors));              \
    } while (0)
#define KEEP_SUM(row, i) store(to + (row)*to_apart + LANES * (i), SUM(row, i));

/* A matrix as `product` reads it. */
typedef struct {
    const float *packed; /* [columns / TILE][taps][depth][TILE] */
    int taps, depth, columns;
} Matrix;

/* w: [taps][depth][columns]. */
static Matrix pack(const float *w, int taps, int depth, int columns, float *packed)
{
    float *to = packed;
    for (int column = 0; column < columns; column += TILE)
        for (int row = 0; row < taps * depth; row++, to += TILE)
            memcpy(to, w + (size_t)row * (size_t)columns + column, TILE * sizeof *to);
    return (Matrix){packed, taps, depth, columns};
}

/* Rows of `depth` values, `apart` values from one to the next; the row of a further tap is
 * `taps_apart` values away. */
typedef struct {
    const float *first;
    ptrdiff_t apart, taps_apart;
} Rows;

/* out[row] = bias + sum over taps of in[row, tap] w[tap], for four rows; out's rows are its columns
 * apart. */
static void product_of_four(Rows in, ptrdiff_t row, Matrix w, const float *bias, float *out,
                            int column)
{
    const ptrdiff_t to_apart = w.columns;
    const float *weights = w.packed + (size_t)column * (size_t)(w.taps * w.depth);
    float *to = out + row * to_apart + column;
#define BEGIN_SUM(row, i) lanes SUM(row, i) = bias ? load(bias + column + LANES * (i)) : all(0);
    EACH_SUM(BEGIN_SUM)
    for (int tap = 0; tap < w.taps; tap++) {
        const float *factors = in.first + row * in.apart + tap * in.taps_apart;
        for (int k = 0; k < w.depth; k++, weights += TILE) {
            lanes c0 = load(weights), c1 = load(weights + LANES), c2 = load(weights + 2 * LANES);
            HELD("+x"(c0), "+x"(c1), "+x"(c2));
            ADD_ROW(0, factors, k);
            ADD_ROW(1, factors, k + in.apart);
            ADD_ROW(2, factors, k + 2 * in.apart);
            ADD_ROW(3, factors, k + 3 * in.apart);
        }
    }
    EACH_SUM(KEEP_SUM)
}

/* The same for rows first to last - 1; a multiple of four. */
static void product(Rows in, Matrix w, const float *bias, ptrdiff_t first, ptrdiff_t last,
                    float *out)
{
    for (ptrdiff_t base = first; base < last; base += BLOCK) {
        const ptrdiff_t end = base + BLOCK < last ? base + BLOCK : last;
        for (int column = 0; column < w.columns; column += TILE)
            for (ptrdiff_t row = base; row < end; row += ROWS)
                product_of_four(in, row, w, bias, out, column);
    }
}

/* out[depth][96] += sum over rows of a[row]' g[row]; a's rows `apart` values from one to the next,
 * g's 96. */
static void add_outer(const float *a, ptrdiff_t apart, int depth, const float *g, ptrdiff_t rows,
                      float *out)
{
    const ptrdiff_t to_apart = WIDTH;
    for (ptrdiff_t base = 0; base < rows; base += OUTER_BLOCK) {
        const ptrdiff_t end = base + OUTER_BLOCK < rows ? base + OUTER_BLOCK : rows;
        for (int i = 0; i < depth; i += ROWS)
            for (int column = 0; column < WIDTH; column += TILE) {
                float *to = out + i * to_apart + column;
#define RESUME_SUM(row, i) lanes SUM(row, i) = load(to + (row)*to_apart + LANES * (i));
                EACH_SUM(RESUME_SUM)
                for (ptrdiff_t row = base; row < end; row++) {
                    const float *columns = g + row * WIDTH + column, *factors = a + row * apart + i;
                    lanes c0 = load(columns), c1 = load(columns + LANES),
                          c2 = load(columns + 2 * LANES);
                    HELD("+x"(c0), "+x"(c1), "+x"(c2));
                    ADD_ROW(0, factors, 0);
                    ADD_ROW(1, factors, 1);
                    ADD_ROW(2, factors, 2);
                    ADD_ROW(3, factors, 3);
                }
                EACH_SUM(KEEP_SUM)
            }
    }
}

/* to[i] = the sum of the threads' parts, in their order. */
static void gather(const float *parts, int threads, size_t apart, size_t count, float *to)
{
    memset(to, 0, count * sizeof *to);
    for (int thread = 0; thread < threads; thread++)
        for (size_t i = 0; i < count; i++)
            to[i] += parts[(size_t)thread * apart + i];
}

/* One step's layer norm into `to`; statistics: the mean and 1 / deviation. */
static void norm_of(const float *from, const float *scale, const float *shift, float *to,
                    float *statistics)
{
    lanes sum = all(0), squares = all(0);
    for (int i = 0; i < WIDTH; i += LANES)
        sum += load(from + i);
    const lanes mean = all(sum_of(sum) / WIDTH);
    for (int i = 0; i < WIDTH; i += LANES) {
        const lanes d = load(from + i) - mean;
        squares += d * d;
    }
    const float narrow = 1 / sqrtf(sum_of(squares) / WIDTH + 1e-5f);
    for (int i = 0; i < WIDTH; i += LANES)
        store(to + i, (load(from + i) - mean) * narrow * load(scale + i) + load(shift + i));
    statistics[0] = mean[0];
    statistics[1] = narrow;
}

void block_forward(long team, long batch, long steps, long dilation, const float *x,
                   const float *scale, const float *shift, const float *conv,
                   const float *conv_bias, const float *mix, const float *mix_bias,
                   const float *keep, float *normed, float *hidden, float *statistics, float *y,
                   float *work)
{
    const ptrdiff_t padded = steps + 2 * dilation;
    const Matrix taps = pack(conv, TAPS, WIDTH, WIDTH, work),
                 mixing = pack(mix, 1, WIDTH, WIDTH, work + TAPS * WIDTH * WIDTH);
#pragma omp parallel num_threads((int)team)
    {
#pragma omp for collapse(2) schedule(static)
        for (long b = 0; b < batch; b++)
            for (long t = 0; t < padded; t++) {
                float *to = normed + (b * padded + t) * WIDTH;
                const ptrdiff_t at = b * steps + t - dilation;
                if (t < dilation || t >= dilation + steps)
                    memset(to, 0, WIDTH * sizeof *to);
                else
                    norm_of(x + at * WIDTH, scale, shift, to, statistics + 2 * at);
            }
#pragma omp for collapse(2) schedule(static)
        for (long b = 0; b < batch; b++)
            for (long t = 0; t < steps; t += BLOCK) {
                const ptrdiff_t end = t + BLOCK < steps ? t + BLOCK : steps;
                const float *in = x + b * steps * WIDTH;
                float *middle = hidden + b * steps * WIDTH, *out = y + b * steps * WIDTH;
                product((Rows){normed + b * padded * WIDTH, WIDTH, dilation * WIDTH}, taps,
                        conv_bias, t, end, middle);
                for (ptrdiff_t row = t; row < end; row++)
                    for (int i = 0; i < WIDTH; i += LANES) {
                        const lanes v = load(middle + row * WIDTH + i);
                        store(middle + row * WIDTH + i,
                              where_positive(v, v * load(keep + b * WIDTH + i)));
                    }
                product((Rows){middle, WIDTH, 0}, mixing, mix_bias, t, end, out);
                for (ptrdiff_t i = t * WIDTH; i < end * WIDTH; i += LANES)
                    store(out + i, load(out + i) + load(in + i));
            }
    }
}

/* The gradient of one step through the norm and past the block: `d` holds what came to the normed
 * values and takes the step's. Adds to the gradients of scale and shift. */
static void norm_back(const float *x, const float *above, const float *scale,
                      const float *statistics, float *d, float *d_scale, float *d_shift)
{
    const lanes mean = all(statistics[0]), narrow = all(statistics[1]);
    lanes normal[WIDTH / LANES], scaled[WIDTH / LANES], sum = all(0), along = all(0);
    for (int i = 0; i < WIDTH; i += LANES) {
        const lanes dz = load(d + i), n = (load(x + i) - mean) * narrow, s = dz * load(scale + i);
        store(d_scale + i, load(d_scale + i) + dz * n);
        store(d_shift + i, load(d_shift + i) + dz);
        normal[i / LANES] = n;
        scaled[i / LANES] = s;
        sum += s;
        along += s * n;
    }
    const lanes mean_sum = all(sum_of(sum) / WIDTH), mean_along = all(sum_of(along) / WIDTH);
    for (int i = 0; i < WIDTH; i += LANES)
        store(d + i, load(above + i) +
                         narrow * (scaled[i / LANES] - mean_sum - normal[i / LANES] * mean_along));
}

/* What one thread adds up. */
typedef struct {
    float conv[TAPS * WIDTH * WIDTH], mix[WIDTH * WIDTH], scale[WIDTH], shift[WIDTH],
        conv_bias[WIDTH], mix_bias[WIDTH];
} BlockSums;

long block_sums(void)
{
    return (long)(sizeof(BlockSums) / sizeof(float));
}

void block_backward(long team, long batch, long steps, long dilation, const float *x,
                    const float *scale, const float *conv_back, const float *mix_back,
                    const float *keep, const float *normed, const float *hidden,
                    const float *statistics, const float *dy, float *g, float *dx, float *sums,
                    float *work)
{
    const ptrdiff_t padded = steps + 2 * dilation;
    const Matrix taps = pack(conv_back, TAPS, WIDTH, WIDTH, work),
                 mixing = pack(mix_back, 1, WIDTH, WIDTH, work + TAPS * WIDTH * WIDTH);
    BlockSums *parts = (BlockSums *)(work + (TAPS + 1) * WIDTH * WIDTH);
    int threads = 1;
#pragma omp parallel num_threads((int)team)
    {
        BlockSums *part = parts + omp_get_thread_num();
        memset(part, 0, sizeof *part);
#pragma omp single
        threads = omp_get_num_threads();
        /* g: what comes to the convolution's results, between zeros. */
#pragma omp for schedule(static)
        for (long b = 0; b < batch; b++) {
            memset(g + b * padded * WIDTH, 0, (size_t)(dilation * WIDTH) * sizeof *g);
            memset(g + (b * padded + dilation + steps) * WIDTH, 0,
                   (size_t)(dilation * WIDTH) * sizeof *g);
        }
#pragma omp for collapse(2) schedule(static)
        for (long b = 0; b < batch; b++)
            for (long t = 0; t < steps; t += BLOCK) {
                const ptrdiff_t end = t + BLOCK < steps ? t + BLOCK : steps;
                const float *above = dy + b * steps * WIDTH, *middle = hidden + b * steps * WIDTH;
                float *to = g + (b * padded + dilation) * WIDTH;
                product((Rows){above, WIDTH, 0}, mixing, NULL, t, end, to);
                for (ptrdiff_t at = t * WIDTH; at < end * WIDTH; at += WIDTH)
                    for (int i = 0; i < WIDTH; i += LANES) {
                        const lanes v = where_positive(
                            load(middle + at + i), load(to + at + i) * load(keep + b * WIDTH + i));
                        store(to + at + i, v);
                        store(part->conv_bias + i, load(part->conv_bias + i) + v);
                        store(part->mix_bias + i, load(part->mix_bias + i) + load(above + at + i));
                    }
                add_outer(middle + t * WIDTH, WIDTH, WIDTH, above + t * WIDTH, end - t, part->mix);
            }
#pragma omp for collapse(2) schedule(static)
        for (long b = 0; b < batch; b++)
            for (long t = 0; t < steps; t += BLOCK) {
                const ptrdiff_t end = t + BLOCK < steps ? t + BLOCK : steps;
                const float *middle = g + (b * padded + dilation) * WIDTH,
                            *in = normed + b * padded * WIDTH;
                float *out = dx + b * steps * WIDTH;
                for (int tap = 0; tap < TAPS; tap++)
                    add_outer(in + (t + tap * dilation) * WIDTH, WIDTH, WIDTH, middle + t * WIDTH,
                              end - t, part->conv + tap * WIDTH * WIDTH);
                /* A step went into the results before, at and after it: the taps in the other
                 * order. */
                product((Rows){middle + dilation * WIDTH, WIDTH, -dilation * WIDTH}, taps, NULL, t,
                        end, out);
                for (ptrdiff_t row = t; row < end; row++)
                    norm_back(x + (b * steps + row) * WIDTH, dy + (b * steps + row) * WIDTH, scale,
                              statistics + 2 * (b * steps + row), out + row * WIDTH, part->scale,
                              part->shift);
            }
    }
    gather((const float *)parts, threads, sizeof *parts / sizeof(float),
           sizeof *parts / sizeof(float), sums);
}

void reduce_forward(long team, long batch, long steps, const float *frames, const float *w,
                    const float *bias, float *y, float *work)
{
    const Matrix matrix = pack(w, 1, 2 * PAIR, WIDTH, work);
#pragma omp parallel for collapse(2) schedule(static) num_threads((int)team)
    for (long b = 0; b < batch; b++)
        for (long t = 0; t < steps; t += BLOCK) {
            const ptrdiff_t end = t + BLOCK < steps ? t + BLOCK : steps;
            product((Rows){frames + b * (steps + 1) * PAIR, PAIR, 0}, matrix, bias, t, end,
                    y + b * steps * WIDTH);
        }
}

void reduce_backward(long team, long batch, long steps, const float *frames, const float *w_back,
                     const float *dy, float *dw, float *d_frames, float *work)
{
    enum { SIZE = 2 * PAIR * WIDTH };
    const ptrdiff_t padded = ROWS + steps + ROWS;
    const Matrix matrix = pack(w_back, 2, WIDTH, PAIR, work);
    float *parts = work + SIZE;
    int threads = 1;
#pragma omp parallel num_threads((int)team)
    {
        float *part = parts + (size_t)omp_get_thread_num() * SIZE;
        memset(part, 0, SIZE * sizeof *part);
#pragma omp single
        threads = omp_get_num_threads();
#pragma omp for collapse(2) schedule(static)
        for (long b = 0; b < batch; b++)
            for (long t = 0; t < steps; t += BLOCK) {
                const ptrdiff_t end = t + BLOCK < steps ? t + BLOCK : steps;
                const float *above = dy + (b * padded + ROWS) * WIDTH,
                            *in = frames + b * (steps + 1) * PAIR;
                float *to = d_frames ? d_frames + b * (steps + 1) * PAIR : NULL;
                add_outer(in + t * PAIR, PAIR, 2 * PAIR, above + t * WIDTH, end - t, part);
                if (!to)
                    continue;
                product((Rows){above, WIDTH, -WIDTH}, matrix, NULL, t, end, to);
                if (end == steps) {
                    /* The last pair, by itself: rows come in fours. */
                    float last[ROWS * PAIR];
                    product((Rows){above + steps * WIDTH, WIDTH, -WIDTH}, matrix, NULL, 0, ROWS,
                            last);
                    memcpy(to + steps * PAIR, last, PAIR * sizeof *last);
                }
            }
    }
    gather(parts, threads, SIZE, SIZE, dw);
}
