#include "network/fold_weights.h"

#include <stdarg.h>
#include <stdio.h>

#define DIM A1_NET_DIM

typedef struct visit {
    a1_fold_visitor visitor;
    void *user;
} visit;

static allin1_status visit_tensor(const visit *to, float *values, const char *prefix,
                                  const char *name, unsigned rank, ...)
{
    char full[128];
    snprintf(full, sizeof full, "%s%s", prefix, name);
    size_t shape[A1_MAX_RANK] = {0};
    va_list list;
    va_start(list, rank);
    for (unsigned i = 0; i < rank; i++)
        shape[i] = (size_t)va_arg(list, int);
    va_end(list);
    return to->visitor(to->user, full, rank, shape, values);
}

#define TENSOR(target, name, ...)                                                                  \
    A1_TRY(visit_tensor(to, (float *)(target), prefix, name, __VA_ARGS__))

static allin1_status visit_attention(const visit *to, a1_attention_weights *w, const char *prefix)
{
    TENSOR(w->query, "self.query.weight", 2, DIM, DIM);
    TENSOR(w->query_bias, "self.query.bias", 1, DIM);
    TENSOR(w->key, "self.key.weight", 2, DIM, DIM);
    TENSOR(w->key_bias, "self.key.bias", 1, DIM);
    TENSOR(w->value, "self.value.weight", 2, DIM, DIM);
    TENSOR(w->value_bias, "self.value.bias", 1, DIM);
    TENSOR(w->output, "output.dense.weight", 2, DIM, DIM);
    TENSOR(w->output_bias, "output.dense.bias", 1, DIM);
    return ALLIN1_OK;
}

static allin1_status visit_time_layer(const visit *to, a1_time_layer_weights *w, unsigned block)
{
    char prefix[64];
    for (int i = 0; i < 2; i++) {
        snprintf(prefix, sizeof prefix, "encoder.layers.%u.timelayer.attention%s.", block,
                 i ? "2" : "");
        A1_TRY(visit_attention(to, &w->attention[i], prefix));
        TENSOR(w->position[i], "self.rpb", 2, A1_NET_HEADS, A1_NET_OFFSETS);
    }
    snprintf(prefix, sizeof prefix, "encoder.layers.%u.timelayer.", block);
    TENSOR(w->before_weight, "layernorm_before.weight", 1, DIM);
    TENSOR(w->before_bias, "layernorm_before.bias", 1, DIM);
    TENSOR(w->after_weight, "layernorm_after.weight", 1, 2 * DIM);
    TENSOR(w->after_bias, "layernorm_after.bias", 1, 2 * DIM);
    TENSOR(w->hidden, "intermediate.dense.weight", 2, A1_NET_TIME_HIDDEN, 2 * DIM);
    TENSOR(w->hidden_bias, "intermediate.dense.bias", 1, A1_NET_TIME_HIDDEN);
    TENSOR(w->output, "output.dense.weight", 2, DIM, A1_NET_TIME_HIDDEN);
    TENSOR(w->output_bias, "output.dense.bias", 1, DIM);
    return ALLIN1_OK;
}

static allin1_status visit_instrument_layer(const visit *to, a1_instrument_layer_weights *w,
                                            unsigned block)
{
    char prefix[64];
    snprintf(prefix, sizeof prefix, "encoder.layers.%u.instlayer.attention.", block);
    A1_TRY(visit_attention(to, &w->attention, prefix));
    TENSOR(w->position, "self.rpb", 3, A1_NET_HEADS, A1_NET_OFFSETS, A1_NET_OFFSETS);
    snprintf(prefix, sizeof prefix, "encoder.layers.%u.instlayer.", block);
    TENSOR(w->before_weight, "layernorm_before.weight", 1, DIM);
    TENSOR(w->before_bias, "layernorm_before.bias", 1, DIM);
    TENSOR(w->after_weight, "layernorm_after.weight", 1, DIM);
    TENSOR(w->after_bias, "layernorm_after.bias", 1, DIM);
    TENSOR(w->hidden, "intermediate.dense.weight", 2, A1_NET_INSTRUMENT_HIDDEN, DIM);
    TENSOR(w->hidden_bias, "intermediate.dense.bias", 1, A1_NET_INSTRUMENT_HIDDEN);
    TENSOR(w->output, "output.dense.weight", 2, DIM, A1_NET_INSTRUMENT_HIDDEN);
    TENSOR(w->output_bias, "output.dense.bias", 1, DIM);
    return ALLIN1_OK;
}

allin1_status a1_fold_weights_visit(a1_fold_weights *w, a1_fold_visitor visitor, void *user)
{
    const visit *to = &(visit){visitor, user};
    const char *prefix = "embeddings.";
    TENSOR(w->conv0, "conv0.weight", 4, A1_NET_CONV0, 3, 3, 1);
    TENSOR(w->conv0_bias, "conv0.bias", 1, A1_NET_CONV0);
    TENSOR(w->conv1, "conv1.weight", 4, DIM, 1, A1_NET_CONV1_WIDTH, A1_NET_CONV0);
    TENSOR(w->conv1_bias, "conv1.bias", 1, DIM);
    TENSOR(w->conv2, "conv2.weight", 4, DIM, 3, 3, DIM);
    TENSOR(w->conv2_bias, "conv2.bias", 1, DIM);
    TENSOR(w->embedding_weight, "norm.weight", 1, DIM);
    TENSOR(w->embedding_bias, "norm.bias", 1, DIM);
    for (unsigned block = 0; block < A1_NET_BLOCKS; block++) {
        A1_TRY(visit_time_layer(to, &w->time[block], block));
        A1_TRY(visit_instrument_layer(to, &w->instrument[block], block));
    }
    static const struct {
        const char *name;
        int outputs;
    } heads[] = {{"beat", 1}, {"downbeat", 1}, {"section", 1}, {"function", A1_NET_LABELS}};
    for (size_t i = 0, row = 0; i < sizeof heads / sizeof *heads; i++) {
        char classifier[64];
        snprintf(classifier, sizeof classifier, "%s_classifier.classifier.", heads[i].name);
        prefix = classifier;
        TENSOR(w->heads[row], "weight", 2, heads[i].outputs, A1_NET_STEMS * DIM);
        TENSOR(&w->heads_bias[row], "bias", 1, heads[i].outputs);
        row += (size_t)heads[i].outputs;
    }
    prefix = "";
    TENSOR(w->norm_weight, "norm.weight", 1, DIM);
    TENSOR(w->norm_bias, "norm.bias", 1, DIM);
    return ALLIN1_OK;
}

typedef struct source {
    const a1_tensor_set *set;
    a1_error *err;
} source;

static allin1_status take(void *user, const char *name, unsigned rank, const size_t *shape,
                          float *values)
{
    const source *from = user;
    const a1_tensor *tensor;
    A1_TRY(a1_tensor_set_require(from->set, name, rank, shape, &tensor, from->err));
    return a1_tensor_to_f32(tensor, values, from->err);
}

allin1_status a1_fold_weights_load(a1_fold_weights *weights, const a1_tensor_set *set,
                                   a1_error *err)
{
    source from = {set, err};
    return a1_fold_weights_visit(weights, take, &from);
}
