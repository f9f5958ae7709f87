/* The training's layers (tools/train/student_layers.c) against plain C in double: what they
 * compute, and their gradients against the change of a weighted sum of the results when one of the
 * inputs moves a little. */
#include "train/student_layers.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { WIDTH = 96, SQUARE = WIDTH * WIDTH, CHANNELS = 324, BATCH = 2, TEAM = 3 };

static uint32_t state;

/* A test begins with this: the layers are compiled for AVX2 only. */
static void begin(uint32_t seed)
{
#ifdef __x86_64__
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma"))
        skip();
#endif
    state = seed;
}

static float noise(void)
{
    state = state * 1664525u + 1013904223u;
    return (float)(state >> 8) / 8388608.0f - 1.0f;
}

static float *random_floats(size_t count, float scale)
{
    float *values = malloc(count * sizeof *values);
    assert_non_null(values);
    for (size_t i = 0; i < count; i++)
        values[i] = scale * noise();
    return values;
}

static float *room(size_t count)
{
    return random_floats(count, 1e3f); /* what is not written shows */
}

/* The inputs of a block, each an array; the first SUMMED have gradients. */
enum { X, SCALE, SHIFT, CONV, CONV_BIAS, MIX, MIX_BIAS, SUMMED, KEEP = SUMMED, INPUTS };

typedef struct {
    long steps, dilation;
    size_t count[INPUTS];
    float *in[INPUTS];
} Block;

static Block block_of(long steps, long dilation)
{
    const size_t count[INPUTS] = {(size_t)(BATCH * steps * WIDTH),
                                  WIDTH,
                                  WIDTH,
                                  3 * SQUARE,
                                  WIDTH,
                                  SQUARE,
                                  WIDTH,
                                  BATCH * WIDTH};
    const float size[INPUTS] = {1, 1, 0.3f, 0.1f, 0.3f, 0.1f, 0.3f, 1};
    Block block = {.steps = steps, .dilation = dilation};
    for (int i = 0; i < INPUTS; i++) {
        block.count[i] = count[i];
        block.in[i] = random_floats(count[i], size[i]);
    }
    for (size_t i = 0; i < count[KEEP]; i++)
        block.in[KEEP][i] = block.in[KEEP][i] < -0.8f ? 0 : 1.1f;
    return block;
}

/* Plain C: y [BATCH][steps][96] when input `moved` has moved by `by` along `along`. */
static double *plain_block(const Block *b, int moved, const float *along, double by)
{
    double *in[INPUTS], *y = malloc(b->count[X] * sizeof *y),
                        *normed = malloc(b->count[X] * sizeof *normed);
    assert_true(y && normed);
    for (int i = 0; i < INPUTS; i++) {
        in[i] = malloc(b->count[i] * sizeof *in[i]);
        assert_non_null(in[i]);
        for (size_t k = 0; k < b->count[i]; k++)
            in[i][k] = (double)b->in[i][k] + (i == moved ? by * (double)along[k] : 0);
    }
    for (long row = 0; row < BATCH * b->steps; row++) {
        const double *x = in[X] + row * WIDTH;
        double mean = 0, square = 0;
        for (int c = 0; c < WIDTH; c++)
            mean += x[c] / WIDTH;
        for (int c = 0; c < WIDTH; c++)
            square += (x[c] - mean) * (x[c] - mean) / WIDTH;
        for (int c = 0; c < WIDTH; c++)
            normed[row * WIDTH + c] =
                (x[c] - mean) / sqrt(square + 1e-5) * in[SCALE][c] + in[SHIFT][c];
    }
    for (long row = 0; row < BATCH * b->steps; row++) {
        const long song = row / b->steps;
        double hidden[WIDTH];
        for (int out = 0; out < WIDTH; out++) {
            double sum = in[CONV_BIAS][out];
            for (int tap = 0; tap < 3; tap++) {
                const long from = row + (tap - 1) * b->dilation;
                if (from < song * b->steps || from >= (song + 1) * b->steps)
                    continue;
                for (int c = 0; c < WIDTH; c++)
                    sum += normed[from * WIDTH + c] * in[CONV][tap * SQUARE + c * WIDTH + out];
            }
            hidden[out] = fmax(sum, 0) * in[KEEP][song * WIDTH + out];
        }
        for (int out = 0; out < WIDTH; out++) {
            double sum = in[X][row * WIDTH + out] + in[MIX_BIAS][out];
            for (int c = 0; c < WIDTH; c++)
                sum += hidden[c] * in[MIX][c * WIDTH + out];
            y[row * WIDTH + out] = sum;
        }
    }
    for (int i = 0; i < INPUTS; i++)
        free(in[i]);
    free(normed);
    return y;
}

static double weighted(const double *y, const float *weights, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += y[i] * (double)weights[i];
    return sum;
}

/* How the weighted sum changes along a direction, by the gradient and by moving so little that
 * hardly a rectified sum passes its kink: one that does would be a hundredth of the whole. */
static void assert_slope(const float *gradient, const float *along, size_t count, double moved)
{
    double slope = 0, size = 0;
    for (size_t i = 0; i < count; i++) {
        slope += (double)gradient[i] * (double)along[i];
        size += (double)gradient[i] * (double)gradient[i] * (double)along[i] * (double)along[i];
    }
    assert_true(fabs(slope - moved) <= 1e-3 * sqrt(size) + 1e-3);
    assert_true(size > 0);
}

/* [taps][in][out] to [taps][out][in]. */
static float *turned(const float *w, int taps)
{
    float *out = room((size_t)taps * SQUARE);
    for (int tap = 0; tap < taps; tap++)
        for (int i = 0; i < WIDTH; i++)
            for (int k = 0; k < WIDTH; k++)
                out[tap * SQUARE + k * WIDTH + i] = w[tap * SQUARE + i * WIDTH + k];
    return out;
}

static void check_block(long steps, long dilation)
{
    Block b = block_of(steps, dilation);
    const size_t count = b.count[X], padded = (size_t)(BATCH * (steps + 2 * dilation) * WIDTH),
                 sums = (size_t)block_sums();
    float *y = room(count), *normed = room(padded), *hidden = room(count),
          *statistics = room(count), *g = room(padded);
    float *dy = random_floats(count, 1), *dx = room(count), *sum = room(sums);
    float *work = room(4 * SQUARE + (size_t)TEAM * sums);
    float *conv_back = turned(b.in[CONV], 3), *mix_back = turned(b.in[MIX], 1);
    block_forward(TEAM, BATCH, steps, dilation, b.in[X], b.in[SCALE], b.in[SHIFT], b.in[CONV],
                  b.in[CONV_BIAS], b.in[MIX], b.in[MIX_BIAS], b.in[KEEP], normed, hidden,
                  statistics, y, work);
    double *plain = plain_block(&b, -1, NULL, 0);
    for (size_t i = 0; i < count; i++)
        assert_true(fabs(plain[i] - (double)y[i]) <=
                    2e-5); /* sums of some 300 products of size 0.1 in float32 */
    free(plain);
    block_backward(TEAM, BATCH, steps, dilation, b.in[X], b.in[SCALE], conv_back, mix_back,
                   b.in[KEEP], normed, hidden, statistics, dy, g, dx, sum, work);
    const float *gradients[SUMMED] = {[X] = dx, [CONV] = sum, [MIX] = sum + 3 * SQUARE};
    gradients[SCALE] = gradients[MIX] + SQUARE;
    gradients[SHIFT] = gradients[SCALE] + WIDTH;
    gradients[CONV_BIAS] = gradients[SHIFT] + WIDTH;
    gradients[MIX_BIAS] = gradients[CONV_BIAS] + WIDTH;
    for (int input = 0; input < SUMMED; input++) {
        const double by = 1e-7;
        float *along = random_floats(b.count[input], 1);
        double *more = plain_block(&b, input, along, by),
               *less = plain_block(&b, input, along, -by);
        assert_slope(gradients[input], along, b.count[input],
                     (weighted(more, dy, count) - weighted(less, dy, count)) / (2 * by));
        free(along);
        free(more);
        free(less);
    }
    float *all[] = {y, normed, hidden, statistics, g, dy, dx, sum, work, conv_back, mix_back};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
    for (int i = 0; i < INPUTS; i++)
        free(b.in[i]);
}

static void block_is_what_it_says(void **unused)
{
    (void)unused;
    begin(1);
    check_block(72, 1);
    check_block(72, 5);
}

static void block_hears_zeros_outside(void **unused)
{
    (void)unused;
    begin(2);
    check_block(12, 16);
    check_block(4, 512);
}

static void reduction_is_what_it_says(void **unused)
{
    (void)unused;
    begin(3);
    enum { STEPS = 68, TAPS = 4, SIZE = TAPS * CHANNELS * WIDTH, FRAMES = 2 * STEPS + 2 };
    float *frames = random_floats((size_t)BATCH * FRAMES * CHANNELS, 1),
          *w = random_floats(SIZE, 0.1f), *bias = random_floats(WIDTH, 1);
    float *y = room(BATCH * STEPS * WIDTH), *work = room((size_t)(1 + TEAM) * SIZE);
    float *dy = random_floats(BATCH * (STEPS + 8) * WIDTH, 1), *dw = room(SIZE),
          *d_frames = room((size_t)BATCH * FRAMES * CHANNELS);
    float *w_back = room(SIZE);
    for (int b = 0; b < BATCH; b++) {
        memset(frames + (size_t)b * FRAMES * CHANNELS, 0, CHANNELS * sizeof *frames);
        memset(frames + ((size_t)b * FRAMES + FRAMES - 1) * CHANNELS, 0, CHANNELS * sizeof *frames);
        memset(dy + b * (STEPS + 8) * WIDTH, 0, 4 * WIDTH * sizeof *dy);
        memset(dy + (b * (STEPS + 8) + 4 + STEPS) * WIDTH, 0, 4 * WIDTH * sizeof *dy);
    }
    for (int tap = 0; tap < TAPS; tap++)
        for (int c = 0; c < CHANNELS; c++)
            for (int k = 0; k < WIDTH; k++)
                w_back[((tap / 2) * WIDTH + k) * 2 * CHANNELS + tap % 2 * CHANNELS + c] =
                    w[(tap * CHANNELS + c) * WIDTH + k];
    reduce_forward(TEAM, BATCH, STEPS, frames, w, bias, y, work);
    reduce_backward(TEAM, BATCH, STEPS, frames, w_back, dy, dw, d_frames, work);
    double *plain_dw = calloc(SIZE, sizeof *plain_dw),
           *plain_d = calloc((size_t)BATCH * FRAMES * CHANNELS, sizeof *plain_d);
    assert_true(plain_dw && plain_d);
    for (int b = 0; b < BATCH; b++)
        for (int t = 0; t < STEPS; t++) {
            const float *in = frames + ((size_t)b * FRAMES + 2 * (size_t)t) * CHANNELS,
                        *above = dy + (b * (STEPS + 8) + 4 + t) * WIDTH;
            double *back = plain_d + ((size_t)b * FRAMES + 2 * (size_t)t) * CHANNELS;
            for (int k = 0; k < WIDTH; k++) {
                double sum = (double)bias[k];
                for (int i = 0; i < TAPS * CHANNELS; i++) {
                    sum += (double)in[i] * (double)w[i * WIDTH + k];
                    plain_dw[i * WIDTH + k] += (double)in[i] * (double)above[k];
                    back[i] += (double)above[k] * (double)w[i * WIDTH + k];
                }
                /* 1,300 products of size 0.1 in float32. */
                assert_true(fabs(sum - (double)y[(b * STEPS + t) * WIDTH + k]) <= 1e-4);
            }
        }
    for (int i = 0; i < SIZE; i++)
        assert_true(fabs(plain_dw[i] - (double)dw[i]) <= 1e-4);
    for (size_t i = 0; i < (size_t)BATCH * FRAMES * CHANNELS; i++)
        assert_true(fabs(plain_d[i] - (double)d_frames[i]) <= 1e-4);
    memset(dw, 0, SIZE * sizeof *dw);
    reduce_backward(TEAM, BATCH, STEPS, frames, w_back, dy, dw, NULL, work);
    for (int i = 0; i < SIZE; i++)
        assert_true(fabs(plain_dw[i] - (double)dw[i]) <= 1e-4);
    float *all[] = {frames, w, bias, y, work, dy, dw, d_frames, w_back};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
    free(plain_dw);
    free(plain_d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(block_is_what_it_says),
        cmocka_unit_test(block_hears_zeros_outside),
        cmocka_unit_test(reduction_is_what_it_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
