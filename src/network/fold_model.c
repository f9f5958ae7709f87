#include "network/fold_model.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/arena.h"

#define DIM A1_NET_DIM

/* Hands out floats, each piece on a cache line; without memory it only counts. */
typedef struct packer {
    float *memory;
    size_t used;
} packer;

static float *reserve(packer *p, size_t count)
{
    float *at = p->memory ? p->memory + p->used : NULL;
    p->used += (count + 15) / 16 * 16;
    return at;
}

static const float *keep(packer *p, const float *values, size_t count)
{
    float *at = reserve(p, count);
    if (at)
        memcpy(at, values, count * sizeof *at);
    return at;
}

static a1_lane_matrix pack(packer *p, const float *weights, const float *bias, size_t outputs,
                           size_t groups, size_t inputs)
{
    float *at = reserve(p, a1_lane_matrix_floats(outputs, groups, inputs));
    return at ? a1_lane_matrix_pack(weights, bias, outputs, groups, inputs, at)
              : (a1_lane_matrix){0};
}

static a1_norm_model pack_norm(packer *p, const float *weight, const float *bias, size_t count)
{
    const float *kept = keep(p, weight, count);
    return (a1_norm_model){kept, keep(p, bias, count)};
}

/* Several projections of the same 24 inputs as one matrix. */
typedef struct joint {
    float weight[4 * DIM][DIM], bias[4 * DIM];
    size_t outputs;
} joint;

static void join(joint *j, const float weight[DIM][DIM], const float bias[DIM], double scale)
{
    for (size_t o = 0; o < DIM; o++) {
        for (size_t i = 0; i < DIM; i++)
            j->weight[j->outputs + o][i] = (float)((double)weight[o][i] * scale);
        j->bias[j->outputs + o] = (float)((double)bias[o] * scale);
    }
    j->outputs += DIM;
}

static void join_queries(joint *j, const a1_attention_weights *w)
{
    join(j, w->query, w->query_bias, 1.0 / sqrt((double)A1_NET_HEAD_DIM));
}

static void join_keys_values(joint *j, const a1_attention_weights *w)
{
    join(j, w->key, w->key_bias, 1.0);
    join(j, w->value, w->value_bias, 1.0);
}

static a1_lane_matrix pack_joint(packer *p, const joint *j)
{
    return pack(p, j->weight[0], j->bias, j->outputs, 1, DIM);
}

static void pack_time(packer *p, const a1_time_layer_weights *w, a1_time_model *m)
{
    joint queries = {.outputs = 0}, keys_values = {.outputs = 0};
    for (size_t i = 0; i < 2; i++) {
        join_queries(&queries, &w->attention[i]);
        join_keys_values(&keys_values, &w->attention[i]);
        m->attended[i] =
            pack(p, w->attention[i].output[0], w->attention[i].output_bias, DIM, 1, DIM);
        m->position[i] = keep(p, w->position[i][0], A1_NET_HEADS * A1_NET_OFFSETS);
    }
    m->queries = pack_joint(p, &queries);
    m->keys_values = pack_joint(p, &keys_values);
    m->keys_values_bias = keep(p, keys_values.bias, keys_values.outputs);
    m->before = pack_norm(p, w->before_weight, w->before_bias, DIM);
    m->after = pack_norm(p, w->after_weight, w->after_bias, 2 * DIM);
    m->hidden = pack(p, w->hidden[0], w->hidden_bias, A1_NET_TIME_HIDDEN, 1, 2 * DIM);
    m->output = pack(p, w->output[0], w->output_bias, DIM, 1, A1_NET_TIME_HIDDEN);
}

static void pack_instrument(packer *p, const a1_instrument_layer_weights *w, a1_instrument_model *m)
{
    joint queries = {.outputs = 0}, keys_values = {.outputs = 0};
    join_queries(&queries, &w->attention);
    join_keys_values(&keys_values, &w->attention);
    m->attended = pack(p, w->attention.output[0], w->attention.output_bias, DIM, 1, DIM);
    m->position = keep(p, w->position[0][0], A1_NET_HEADS * A1_NET_OFFSETS * A1_NET_OFFSETS);
    m->queries = pack_joint(p, &queries);
    m->keys_values = pack_joint(p, &keys_values);
    m->keys_values_bias = keep(p, keys_values.bias, keys_values.outputs);
    m->before = pack_norm(p, w->before_weight, w->before_bias, DIM);
    m->after = pack_norm(p, w->after_weight, w->after_bias, DIM);
    m->hidden = pack(p, w->hidden[0], w->hidden_bias, A1_NET_INSTRUMENT_HIDDEN, 1, DIM);
    m->output = pack(p, w->output[0], w->output_bias, DIM, 1, A1_NET_INSTRUMENT_HIDDEN);
}

static const float *pack_conv0(packer *p, const a1_fold_weights *w)
{
    float packed[A1_NET_CONV0 / A1_LANE_CONV_TILE][10][A1_LANE_CONV_TILE];
    for (size_t o = 0; o < A1_NET_CONV0; o++) {
        float(*tile)[A1_LANE_CONV_TILE] = packed[o / A1_LANE_CONV_TILE];
        const size_t column = o % A1_LANE_CONV_TILE;
        tile[0][column] = w->conv0_bias[o];
        for (size_t i = 0; i < 9; i++)
            tile[1 + i][column] = w->conv0[o][i / 3][i % 3];
    }
    return keep(p, packed[0][0], sizeof packed / sizeof(float));
}

static void pack_fold(packer *p, const a1_fold_weights *w, a1_fold_model *m)
{
    m->conv0 = pack_conv0(p, w);
    m->conv1 = pack(p, w->conv1[0][0], w->conv1_bias, DIM, 1, A1_NET_CONV1_WIDTH * A1_NET_CONV0);
    m->conv2 = pack(p, w->conv2[0][0][0], w->conv2_bias, DIM, 3, 3 * DIM);
    m->embedding = pack_norm(p, w->embedding_weight, w->embedding_bias, DIM);
    for (size_t block = 0; block < A1_NET_BLOCKS; block++) {
        pack_time(p, &w->time[block], &m->time[block]);
        pack_instrument(p, &w->instrument[block], &m->instrument[block]);
    }
    m->norm = pack_norm(p, w->norm_weight, w->norm_bias, DIM);
    m->heads = pack(p, w->heads[0][0], w->heads_bias, A1_NET_HEAD_OUTPUTS, 1, A1_NET_STEMS * DIM);
}

allin1_status a1_fold_model_create(a1_fold_model *model, const a1_fold_weights *weights,
                                   a1_error *err)
{
    *model = (a1_fold_model){0};
    packer p = {0};
    pack_fold(&p, weights, model);
    p.memory = a1_aligned_alloc(p.used * sizeof(float));
    if (!p.memory)
        return a1_fail_memory(err, "the network's weights");
    p.used = 0;
    pack_fold(&p, weights, model);
    model->memory = p.memory;
    return ALLIN1_OK;
}

void a1_fold_model_destroy(a1_fold_model *model)
{
    a1_aligned_free(model->memory);
    *model = (a1_fold_model){0};
}
