/* The weights of one fold as plain arrays, taken from a tensor set by name and shape. */
#ifndef A1_NETWORK_FOLD_WEIGHTS_H
#define A1_NETWORK_FOLD_WEIGHTS_H

#include "base/error.h"
#include "tensor/tensor.h"

#define A1_NET_STEMS 4
#define A1_NET_BANDS 81
#define A1_NET_DIM 24         /* channels of the hidden state */
#define A1_NET_HEADS 2        /* attention heads */
#define A1_NET_HEAD_DIM 12    /* channels of one head */
#define A1_NET_WINDOW 5       /* neighbours along time, and along the instruments */
#define A1_NET_OFFSETS 9      /* 2 * window - 1 relative positions */
#define A1_NET_BLOCKS 11      /* block i has dilations 2^i and 2^(i+1) */
#define A1_NET_CONV0 12       /* channels after the first convolution */
#define A1_NET_CONV1_WIDTH 12 /* frequencies under the second convolution's kernel */
#define A1_NET_BANDS0 26      /* frequencies left after the first, second pooling */
#define A1_NET_BANDS1 5
#define A1_NET_TIME_HIDDEN 192
#define A1_NET_INSTRUMENT_HIDDEN 96
#define A1_NET_LABELS 10
#define A1_NET_HEAD_OUTPUTS 13 /* beat, downbeat, section, ten functions */
#define A1_NET_EPSILON 1e-5f   /* of every layer norm */

/* Matrices are [outputs][inputs]. */
typedef struct a1_attention_weights {
    float query[A1_NET_DIM][A1_NET_DIM], query_bias[A1_NET_DIM];
    float key[A1_NET_DIM][A1_NET_DIM], key_bias[A1_NET_DIM];
    float value[A1_NET_DIM][A1_NET_DIM], value_bias[A1_NET_DIM];
    float output[A1_NET_DIM][A1_NET_DIM], output_bias[A1_NET_DIM];
} a1_attention_weights;

typedef struct a1_time_layer_weights {
    float before_weight[A1_NET_DIM], before_bias[A1_NET_DIM];
    a1_attention_weights attention[2];
    float position[2][A1_NET_HEADS][A1_NET_OFFSETS]; /* relative position biases */
    float after_weight[2 * A1_NET_DIM], after_bias[2 * A1_NET_DIM];
    float hidden[A1_NET_TIME_HIDDEN][2 * A1_NET_DIM], hidden_bias[A1_NET_TIME_HIDDEN];
    float output[A1_NET_DIM][A1_NET_TIME_HIDDEN], output_bias[A1_NET_DIM];
} a1_time_layer_weights;

typedef struct a1_instrument_layer_weights {
    float before_weight[A1_NET_DIM], before_bias[A1_NET_DIM];
    a1_attention_weights attention;
    float position[A1_NET_HEADS][A1_NET_OFFSETS][A1_NET_OFFSETS]; /* instrument, then time offset */
    float after_weight[A1_NET_DIM], after_bias[A1_NET_DIM];
    float hidden[A1_NET_INSTRUMENT_HIDDEN][A1_NET_DIM], hidden_bias[A1_NET_INSTRUMENT_HIDDEN];
    float output[A1_NET_DIM][A1_NET_INSTRUMENT_HIDDEN], output_bias[A1_NET_DIM];
} a1_instrument_layer_weights;

typedef struct a1_fold_weights {
    float conv0[A1_NET_CONV0][3][3], conv0_bias[A1_NET_CONV0]; /* [out][time][frequency] */
    float conv1[A1_NET_DIM][A1_NET_CONV1_WIDTH][A1_NET_CONV0]; /* [out][frequency][in] */
    float conv1_bias[A1_NET_DIM];
    float conv2[A1_NET_DIM][3][3][A1_NET_DIM], conv2_bias[A1_NET_DIM]; /* [out][time][freq.][in] */
    float embedding_weight[A1_NET_DIM], embedding_bias[A1_NET_DIM];    /* layer norm */
    a1_time_layer_weights time[A1_NET_BLOCKS];
    a1_instrument_layer_weights instrument[A1_NET_BLOCKS];
    float norm_weight[A1_NET_DIM], norm_bias[A1_NET_DIM];
    float heads[A1_NET_HEAD_OUTPUTS][A1_NET_STEMS][A1_NET_DIM], heads_bias[A1_NET_HEAD_OUTPUTS];
} a1_fold_weights;

/* Called with each tensor of a fold: its name and shape in a tensor set, and its place in
 * a1_fold_weights. Stops at the first status that is not ALLIN1_OK and returns it. */
typedef allin1_status (*a1_fold_visitor)(void *user, const char *name, unsigned rank,
                                         const size_t *shape, float *values);
allin1_status a1_fold_weights_visit(a1_fold_weights *weights, a1_fold_visitor visitor, void *user);

/* Fills `weights` (about 1.2 MB) from `set`. A missing tensor or a wrong shape is an error that
 * names the tensor. */
allin1_status a1_fold_weights_load(a1_fold_weights *weights, const a1_tensor_set *set,
                                   a1_error *err);

#endif
