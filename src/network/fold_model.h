/* One fold, packed for the kernels. */
#ifndef A1_NETWORK_FOLD_MODEL_H
#define A1_NETWORK_FOLD_MODEL_H

#include "kernels/lane.h"
#include "network/fold_weights.h"

typedef struct a1_norm_model {
    const float *weight, *bias;
} a1_norm_model;

typedef struct a1_time_model {
    a1_norm_model before, after;
    a1_lane_matrix queries;        /* 24 to 48: scaled queries of both attentions */
    a1_lane_matrix keys_values;    /* 24 to 96: keys and values of the first, then of the second */
    const float *keys_values_bias; /* [96]: what padding has instead */
    a1_lane_matrix attended[2];    /* 24 to 24 */
    const float *position[2];      /* [2][9] */
    a1_lane_matrix hidden;         /* 48 to 192 */
    a1_lane_matrix output;         /* 192 to 24 */
} a1_time_model;

typedef struct a1_instrument_model {
    a1_norm_model before, after;
    a1_lane_matrix queries;
    a1_lane_matrix keys_values;    /* 24 to 48 */
    const float *keys_values_bias; /* [48]: keys and values of the padded fifth row */
    a1_lane_matrix attended;
    const float *position; /* [2][9][9] */
    a1_lane_matrix hidden; /* 24 to 96 */
    a1_lane_matrix output; /* 96 to 24 */
} a1_instrument_model;

typedef struct a1_fold_model {
    const float *conv0;   /* as conv_bands wants it */
    a1_lane_matrix conv1; /* 144 to 24 */
    a1_lane_matrix conv2; /* three groups (times) of 72 to 24 */
    a1_norm_model embedding;
    a1_time_model time[A1_NET_BLOCKS];
    a1_instrument_model instrument[A1_NET_BLOCKS];
    a1_norm_model norm;
    a1_lane_matrix heads; /* 96 to 13, padded to 24 */
    float *memory;        /* everything above; a1_aligned_free */
} a1_fold_model;

/* Packs `weights`, which are not needed afterwards. */
allin1_status a1_fold_model_create(a1_fold_model *model, const a1_fold_weights *weights,
                                   a1_error *err);
/* Safe on a zeroed model. */
void a1_fold_model_destroy(a1_fold_model *model);

#endif
