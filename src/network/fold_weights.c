#include "network/fold_weights.h"

#include <stdarg.h>
#include <stdio.h>

#define DIM A1_NET_DIM

/* Copies the tensor "prefix" "name" of the given shape. */
static allin1_status take(const a1_tensor_set *set, float *out, const char *prefix,
                          const char *name, a1_error *err, unsigned rank, ...)
{
    char full[128];
    snprintf(full, sizeof full, "%s%s", prefix, name);
    size_t shape[A1_MAX_RANK] = {0};
    va_list list;
    va_start(list, rank);
    for (unsigned i = 0; i < rank; i++)
        shape[i] = (size_t)va_arg(list, int);
    va_end(list);
    const a1_tensor *tensor;
    A1_TRY(a1_tensor_set_require(set, full, rank, shape, &tensor, err));
    return a1_tensor_to_f32(tensor, out, err);
}

#define TAKE(target, name, ...) A1_TRY(take(set, (float *)(target), prefix, name, err, __VA_ARGS__))

static allin1_status take_attention(const a1_tensor_set *set, a1_attention_weights *w,
                                    const char *prefix, a1_error *err)
{
    TAKE(w->query, "self.query.weight", 2, DIM, DIM);
    TAKE(w->query_bias, "self.query.bias", 1, DIM);
    TAKE(w->key, "self.key.weight", 2, DIM, DIM);
    TAKE(w->key_bias, "self.key.bias", 1, DIM);
    TAKE(w->value, "self.value.weight", 2, DIM, DIM);
    TAKE(w->value_bias, "self.value.bias", 1, DIM);
    TAKE(w->output, "output.dense.weight", 2, DIM, DIM);
    TAKE(w->output_bias, "output.dense.bias", 1, DIM);
    return ALLIN1_OK;
}

static allin1_status take_time_layer(const a1_tensor_set *set, a1_time_layer_weights *w,
                                     unsigned block, a1_error *err)
{
    char prefix[64];
    for (int i = 0; i < 2; i++) {
        snprintf(prefix, sizeof prefix, "encoder.layers.%u.timelayer.attention%s.", block,
                 i ? "2" : "");
        A1_TRY(take_attention(set, &w->attention[i], prefix, err));
        TAKE(w->position[i], "self.rpb", 2, A1_NET_HEADS, A1_NET_OFFSETS);
    }
    snprintf(prefix, sizeof prefix, "encoder.layers.%u.timelayer.", block);
    TAKE(w->before_weight, "layernorm_before.weight", 1, DIM);
    TAKE(w->before_bias, "layernorm_before.bias", 1, DIM);
    TAKE(w->after_weight, "layernorm_after.weight", 1, 2 * DIM);
    TAKE(w->after_bias, "layernorm_after.bias", 1, 2 * DIM);
    TAKE(w->hidden, "intermediate.dense.weight", 2, A1_NET_TIME_HIDDEN, 2 * DIM);
    TAKE(w->hidden_bias, "intermediate.dense.bias", 1, A1_NET_TIME_HIDDEN);
    TAKE(w->output, "output.dense.weight", 2, DIM, A1_NET_TIME_HIDDEN);
    TAKE(w->output_bias, "output.dense.bias", 1, DIM);
    return ALLIN1_OK;
}

static allin1_status take_instrument_layer(const a1_tensor_set *set, a1_instrument_layer_weights *w,
                                           unsigned block, a1_error *err)
{
    char prefix[64];
    snprintf(prefix, sizeof prefix, "encoder.layers.%u.instlayer.attention.", block);
    A1_TRY(take_attention(set, &w->attention, prefix, err));
    TAKE(w->position, "self.rpb", 3, A1_NET_HEADS, A1_NET_OFFSETS, A1_NET_OFFSETS);
    snprintf(prefix, sizeof prefix, "encoder.layers.%u.instlayer.", block);
    TAKE(w->before_weight, "layernorm_before.weight", 1, DIM);
    TAKE(w->before_bias, "layernorm_before.bias", 1, DIM);
    TAKE(w->after_weight, "layernorm_after.weight", 1, DIM);
    TAKE(w->after_bias, "layernorm_after.bias", 1, DIM);
    TAKE(w->hidden, "intermediate.dense.weight", 2, A1_NET_INSTRUMENT_HIDDEN, DIM);
    TAKE(w->hidden_bias, "intermediate.dense.bias", 1, A1_NET_INSTRUMENT_HIDDEN);
    TAKE(w->output, "output.dense.weight", 2, DIM, A1_NET_INSTRUMENT_HIDDEN);
    TAKE(w->output_bias, "output.dense.bias", 1, DIM);
    return ALLIN1_OK;
}

allin1_status a1_fold_weights_load(a1_fold_weights *w, const a1_tensor_set *set, a1_error *err)
{
    const char *prefix = "embeddings.";
    TAKE(w->conv0, "conv0.weight", 4, A1_NET_CONV0, 3, 3, 1);
    TAKE(w->conv0_bias, "conv0.bias", 1, A1_NET_CONV0);
    TAKE(w->conv1, "conv1.weight", 4, DIM, 1, A1_NET_CONV1_WIDTH, A1_NET_CONV0);
    TAKE(w->conv1_bias, "conv1.bias", 1, DIM);
    TAKE(w->conv2, "conv2.weight", 4, DIM, 3, 3, DIM);
    TAKE(w->conv2_bias, "conv2.bias", 1, DIM);
    TAKE(w->embedding_weight, "norm.weight", 1, DIM);
    TAKE(w->embedding_bias, "norm.bias", 1, DIM);
    for (unsigned block = 0; block < A1_NET_BLOCKS; block++) {
        A1_TRY(take_time_layer(set, &w->time[block], block, err));
        A1_TRY(take_instrument_layer(set, &w->instrument[block], block, err));
    }
    static const struct {
        const char *name;
        int outputs;
    } heads[] = {{"beat", 1}, {"downbeat", 1}, {"section", 1}, {"function", A1_NET_LABELS}};
    for (size_t i = 0, row = 0; i < sizeof heads / sizeof *heads; i++) {
        char classifier[64];
        snprintf(classifier, sizeof classifier, "%s_classifier.classifier.", heads[i].name);
        prefix = classifier;
        TAKE(w->heads[row], "weight", 2, heads[i].outputs, A1_NET_STEMS * DIM);
        TAKE(&w->heads_bias[row], "bias", 1, heads[i].outputs);
        row += (size_t)heads[i].outputs;
    }
    prefix = "";
    TAKE(w->norm_weight, "norm.weight", 1, DIM);
    TAKE(w->norm_bias, "norm.bias", 1, DIM);
    return ALLIN1_OK;
}
