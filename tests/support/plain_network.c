#include "support/plain_network.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DIM A1_NET_DIM
#define STEMS A1_NET_STEMS

static double elu(double x)
{
    return x > 0 ? x : expm1(x);
}

static double gelu(double x)
{
    return 0.5 * x * (1.0 + erf(x * sqrt(0.5)));
}

static void layer_norm(const double *in, size_t count, const float *weight, const float *bias,
                       double *out)
{
    double mean = 0, variance = 0;
    for (size_t i = 0; i < count; i++)
        mean += in[i];
    mean /= (double)count;
    for (size_t i = 0; i < count; i++)
        variance += (in[i] - mean) * (in[i] - mean);
    variance /= (double)count;
    for (size_t i = 0; i < count; i++)
        out[i] = (in[i] - mean) / sqrt(variance + 1e-5) * (double)weight[i] + (double)bias[i];
}

static void dense(const double *in, size_t inputs, const float *weight, const float *bias,
                  size_t outputs, double *out)
{
    for (size_t o = 0; o < outputs; o++) {
        double sum = (double)bias[o];
        for (size_t i = 0; i < inputs; i++)
            sum += (double)weight[o * inputs + i] * in[i];
        out[o] = sum;
    }
}

long plain_window_shift(size_t t, size_t length, size_t dilation)
{
    /* Frames of one residue class form a row of their own, in which the window must fit. */
    const long row = (long)((length - t % dilation + dilation - 1) / dilation);
    const long at = (long)(t / dilation);
    long start = at - 2;
    if (start > row - 5)
        start = row - 5;
    if (start < 0)
        start = 0;
    return start - at;
}

static void softmax(double *scores, size_t count)
{
    double largest = scores[0], sum = 0;
    for (size_t i = 1; i < count; i++)
        largest = scores[i] > largest ? scores[i] : largest;
    for (size_t i = 0; i < count; i++)
        sum += scores[i] = exp(scores[i] - largest);
    for (size_t i = 0; i < count; i++)
        scores[i] /= sum;
}

void plain_attention_1d(const double *q, const double *k, const double *v, size_t stride,
                        size_t length, size_t dilation, const float *position, double *out)
{
    for (size_t t = 0; t < length; t++) {
        const long shift = plain_window_shift(t, length, dilation);
        double scores[5];
        size_t at[5];
        for (long j = 0; j < 5; j++) {
            at[j] = (size_t)((long)t + (shift + j) * (long)dilation);
            scores[j] = (double)position[shift + j + 4];
            for (size_t c = 0; c < 12; c++)
                scores[j] += q[t * stride + c] * k[at[j] * stride + c];
        }
        softmax(scores, 5);
        for (size_t c = 0; c < 12; c++) {
            double sum = 0;
            for (size_t j = 0; j < 5; j++)
                sum += scores[j] * v[at[j] * stride + c];
            out[t * stride + c] = sum;
        }
    }
}

void plain_attention_2d(const double *q, const double *k, const double *v, size_t stride,
                        size_t row_stride, size_t length, const float *position, double *out)
{
    for (size_t row = 0; row < 5; row++) {
        for (size_t t = 0; t < length; t++) {
            const long shift = plain_window_shift(t, length, 1);
            const double *query = q + row * row_stride + t * stride;
            double scores[25];
            size_t at[25];
            for (size_t i = 0; i < 25; i++) {
                const size_t other = i / 5;
                const long offset = shift + (long)(i % 5);
                at[i] = other * row_stride + (size_t)((long)t + offset) * stride;
                scores[i] = (double)position[(other + 4 - row) * 9 + (size_t)(offset + 4)];
                for (size_t c = 0; c < 12; c++)
                    scores[i] += query[c] * k[at[i] + c];
            }
            softmax(scores, 25);
            for (size_t c = 0; c < 12; c++) {
                double sum = 0;
                for (size_t i = 0; i < 25; i++)
                    sum += scores[i] * v[at[i] + c];
                out[row * row_stride + t * stride + c] = sum;
            }
        }
    }
}

/* Queries (scaled), keys and values of `frames` frames. */
static void project(const a1_attention_weights *w, const double *in, size_t frames, double *q,
                    double *k, double *v)
{
    for (size_t t = 0; t < frames; t++) {
        dense(in + t * DIM, DIM, w->query[0], w->query_bias, DIM, q + t * DIM);
        dense(in + t * DIM, DIM, w->key[0], w->key_bias, DIM, k + t * DIM);
        dense(in + t * DIM, DIM, w->value[0], w->value_bias, DIM, v + t * DIM);
        for (size_t c = 0; c < DIM; c++)
            q[t * DIM + c] /= sqrt(12.0);
    }
}

/* `room` holds five arrays of `capacity` frames. */
static void time_layer(const a1_time_layer_weights *w, size_t dilation, double *state,
                       size_t frames, double *room, size_t capacity)
{
    const size_t length = frames < 10 * dilation ? 10 * dilation : frames;
    double *input = room, *q = input + capacity * DIM, *k = q + capacity * DIM,
           *v = k + capacity * DIM, *mixed = v + capacity * DIM;
    for (size_t t = 0; t < length; t++) {
        if (t < frames)
            layer_norm(state + t * DIM, DIM, w->before_weight, w->before_bias, input + t * DIM);
        else
            memset(input + t * DIM, 0, DIM * sizeof *input);
    }
    double *both = malloc(frames * 2 * DIM * sizeof *both);
    if (!both)
        return;
    for (size_t a = 0; a < 2; a++) {
        project(&w->attention[a], input, length, q, k, v);
        for (size_t head = 0; head < 2; head++)
            plain_attention_1d(q + head * 12, k + head * 12, v + head * 12, DIM, length,
                               dilation << a, w->position[a][head], mixed + head * 12);
        for (size_t t = 0; t < frames; t++) {
            double *to = both + t * 2 * DIM + a * DIM;
            dense(mixed + t * DIM, DIM, w->attention[a].output[0], w->attention[a].output_bias, DIM,
                  to);
            for (size_t c = 0; c < DIM; c++)
                to[c] += state[t * DIM + c];
        }
    }
    for (size_t t = 0; t < frames; t++) {
        double normed[2 * DIM], hidden[A1_NET_TIME_HIDDEN], out[DIM];
        const double *from = both + t * 2 * DIM;
        layer_norm(from, 2 * DIM, w->after_weight, w->after_bias, normed);
        dense(normed, 2 * DIM, w->hidden[0], w->hidden_bias, A1_NET_TIME_HIDDEN, hidden);
        for (size_t i = 0; i < A1_NET_TIME_HIDDEN; i++)
            hidden[i] = gelu(hidden[i]);
        dense(hidden, A1_NET_TIME_HIDDEN, w->output[0], w->output_bias, DIM, out);
        for (size_t c = 0; c < DIM; c++)
            state[t * DIM + c] = (from[c] + from[DIM + c]) / 2 + out[c];
    }
    free(both);
}

/* `room` holds five arrays of 5 * `capacity` frames. */
static void instrument_layer(const a1_instrument_layer_weights *w, double *state, size_t frames,
                             double *room, size_t capacity)
{
    const size_t length = frames < 5 ? 5 : frames, row = length * DIM;
    double *input = room, *q = input + 5 * capacity * DIM, *k = q + 5 * capacity * DIM,
           *v = k + 5 * capacity * DIM, *mixed = v + 5 * capacity * DIM;
    memset(input, 0, 5 * row * sizeof *input);
    for (size_t s = 0; s < STEMS; s++)
        for (size_t t = 0; t < frames; t++)
            layer_norm(state + (s * frames + t) * DIM, DIM, w->before_weight, w->before_bias,
                       input + s * row + t * DIM);
    project(&w->attention, input, 5 * length, q, k, v);
    for (size_t head = 0; head < 2; head++)
        plain_attention_2d(q + head * 12, k + head * 12, v + head * 12, DIM, row, length,
                           w->position[head][0], mixed + head * 12);
    for (size_t s = 0; s < STEMS; s++) {
        for (size_t t = 0; t < frames; t++) {
            double attended[DIM], normed[DIM], hidden[A1_NET_INSTRUMENT_HIDDEN], out[DIM];
            double *at = state + (s * frames + t) * DIM;
            dense(mixed + s * row + t * DIM, DIM, w->attention.output[0], w->attention.output_bias,
                  DIM, attended);
            for (size_t c = 0; c < DIM; c++)
                attended[c] += at[c];
            layer_norm(attended, DIM, w->after_weight, w->after_bias, normed);
            dense(normed, DIM, w->hidden[0], w->hidden_bias, A1_NET_INSTRUMENT_HIDDEN, hidden);
            for (size_t i = 0; i < A1_NET_INSTRUMENT_HIDDEN; i++)
                hidden[i] = gelu(hidden[i]);
            dense(hidden, A1_NET_INSTRUMENT_HIDDEN, w->output[0], w->output_bias, DIM, out);
            for (size_t c = 0; c < DIM; c++)
                at[c] = attended[c] + out[c];
        }
    }
}

/* Second stage of the embedding for one frame: [5][24] from the [81] bands of three frames (NULL
 * where there is none). */
static void embed_frame(const a1_fold_weights *w, const float *const bands[3], double *out)
{
    double first[A1_NET_BANDS0][A1_NET_CONV0];
    for (size_t o = 0; o < A1_NET_CONV0; o++) {
        for (size_t f = 0; f < A1_NET_BANDS0; f++) {
            double largest = -INFINITY;
            for (size_t pool = 0; pool < 3; pool++) {
                double sum = (double)w->conv0_bias[o];
                for (size_t dt = 0; dt < 3; dt++)
                    for (size_t df = 0; df < 3 && bands[dt]; df++)
                        sum += (double)w->conv0[o][dt][df] * (double)bands[dt][3 * f + pool + df];
                largest = sum > largest ? sum : largest;
            }
            first[f][o] = elu(largest);
        }
    }
    for (size_t f = 0; f < A1_NET_BANDS1; f++) {
        double pooled[DIM], one[DIM];
        for (size_t pool = 0; pool < 3; pool++) {
            dense(first[3 * f + pool], A1_NET_CONV1_WIDTH * A1_NET_CONV0, w->conv1[0][0],
                  w->conv1_bias, DIM, one);
            for (size_t c = 0; c < DIM; c++)
                pooled[c] = pool == 0 || one[c] > pooled[c] ? one[c] : pooled[c];
        }
        for (size_t c = 0; c < DIM; c++)
            out[f * DIM + c] = elu(pooled[c]);
    }
}

/* One stem: bands [frames][81] to state [frames][24]; `second` holds [frames][5][24]. */
static void embed(const a1_fold_weights *w, const float *bands, size_t frames, double *second,
                  double *state)
{
    const size_t size = A1_NET_BANDS1 * DIM;
    for (size_t t = 0; t < frames; t++) {
        const float *at = bands + t * A1_NET_BANDS;
        const float *const three[3] = {t > 0 ? at - A1_NET_BANDS : NULL, at,
                                       t + 1 < frames ? at + A1_NET_BANDS : NULL};
        embed_frame(w, three, second + t * size);
    }
    for (size_t t = 0; t < frames; t++) {
        double pooled[DIM];
        for (size_t o = 0; o < DIM; o++) {
            pooled[o] = -INFINITY;
            for (size_t f = 0; f < 3; f++) {
                double sum = (double)w->conv2_bias[o];
                for (size_t dt = 0; dt < 3; dt++) {
                    if (t + dt < 1 || t + dt > frames)
                        continue;
                    const double *from = second + (t + dt - 1) * size + f * DIM;
                    for (size_t df = 0; df < 3; df++)
                        for (size_t i = 0; i < DIM; i++)
                            sum += (double)w->conv2[o][dt][df][i] * from[df * DIM + i];
                }
                pooled[o] = sum > pooled[o] ? sum : pooled[o];
            }
            pooled[o] = elu(pooled[o]);
        }
        layer_norm(pooled, DIM, w->embedding_weight, w->embedding_bias, state + t * DIM);
    }
}

int plain_network_fold(const a1_fold_weights *w, const float *spectrogram, size_t frames,
                       double *logits, plain_observer observer, void *user)
{
    const size_t longest = (size_t)10 << (A1_NET_BLOCKS - 1);
    const size_t capacity = frames < longest ? longest : frames;
    double *state = malloc(STEMS * frames * DIM * sizeof *state);
    double *room = malloc(25 * capacity * DIM * sizeof *room);
    if (!state || !room) {
        free(state);
        free(room);
        return -1;
    }
    for (size_t s = 0; s < STEMS; s++)
        embed(w, spectrogram + s * frames * A1_NET_BANDS, frames, room, state + s * frames * DIM);
    if (observer)
        observer(user, "embed", state, frames);
    for (unsigned block = 0; block < A1_NET_BLOCKS; block++) {
        char name[32];
        for (size_t s = 0; s < STEMS; s++)
            time_layer(&w->time[block], (size_t)1 << block, state + s * frames * DIM, frames, room,
                       capacity);
        snprintf(name, sizeof name, "block%u_time", block);
        if (observer)
            observer(user, name, state, frames);
        instrument_layer(&w->instrument[block], state, frames, room, capacity);
        snprintf(name, sizeof name, "block%u", block);
        if (observer)
            observer(user, name, state, frames);
    }
    for (size_t i = 0; i < STEMS * frames; i++)
        layer_norm(state + i * DIM, DIM, w->norm_weight, w->norm_bias, state + i * DIM);
    if (observer)
        observer(user, "final_norm", state, frames);
    for (size_t o = 0; o < A1_NET_HEAD_OUTPUTS; o++) {
        for (size_t t = 0; t < frames; t++) {
            double sum = (double)w->heads_bias[o];
            for (size_t s = 0; s < STEMS; s++)
                for (size_t c = 0; c < DIM; c++)
                    sum += (double)w->heads[o][s][c] * state[(s * frames + t) * DIM + c];
            logits[o * frames + t] = sum;
        }
    }
    free(state);
    free(room);
    return 0;
}
