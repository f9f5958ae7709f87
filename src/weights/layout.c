#include "weights/layout.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "weights/strided.h"

#define LEVELS 4
#define TRANSFORMER_LAYERS 5
#define COMPRESSION 8
#define NETWORK_BLOCKS 11

typedef struct walk {
    a1_layout_fn fn;
    void *user;
    a1_error *err;
    allin1_status status; /* of the first failure; later calls do nothing */
} walk;

__attribute__((format(printf, 4, 5))) static void emit(walk *w, unsigned rank, const size_t *shape,
                                                       const char *format, ...)
{
    char name[128];
    if (w->status != ALLIN1_OK)
        return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(name, sizeof name, format, arguments);
    va_end(arguments);
    w->status = w->fn(w->user, name, rank, shape, w->err);
}

#define SHAPE(...)                                                                                 \
    (sizeof((size_t[]){__VA_ARGS__}) / sizeof(size_t)), (const size_t[])                           \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }

/* prefix.weight of the given shape and prefix.bias as long as its first axis. */
static void emit_affine(walk *w, const char *prefix, const char *name, unsigned rank,
                        const size_t *shape, size_t bias)
{
    emit(w, rank, shape, "%s.%s.weight", prefix, name);
    emit(w, SHAPE(bias), "%s.%s.bias", prefix, name);
}

static void emit_dconv(walk *w, const char *prefix, size_t channels)
{
    const size_t hidden = channels / COMPRESSION;
    for (int layer = 0; layer < 2; layer++) {
        char inner[64];
        snprintf(inner, sizeof inner, "%s.dconv.layers.%d", prefix, layer);
        emit_affine(w, inner, "0", SHAPE(hidden, channels, 3), hidden);
        emit_affine(w, inner, "1", SHAPE(hidden), hidden);
        emit_affine(w, inner, "3", SHAPE(2 * channels, hidden, 1), 2 * channels);
        emit_affine(w, inner, "4", SHAPE(2 * channels), 2 * channels);
        emit(w, SHAPE(channels), "%s.6.scale", inner);
    }
}

/* Convolutions of the frequency branch have one axis more: (rows, frames) instead of (samples). */
static void emit_encoder(walk *w, int time, int level, size_t in, size_t out)
{
    char prefix[32];
    snprintf(prefix, sizeof prefix, "%s.%d", time ? "tencoder" : "encoder", level);
    const unsigned rank = time ? 3 : 4;
    emit_affine(w, prefix, "conv", rank, (const size_t[]){out, in, 8, 1}, out);
    emit_dconv(w, prefix, out);
    emit_affine(w, prefix, "rewrite", rank, (const size_t[]){2 * out, out, 1, 1}, 2 * out);
}

static void emit_decoder(walk *w, int time, int step, size_t in, size_t out)
{
    char prefix[32];
    snprintf(prefix, sizeof prefix, "%s.%d", time ? "tdecoder" : "decoder", step);
    const unsigned rank = time ? 3 : 4;
    emit_affine(w, prefix, "rewrite", rank, (const size_t[]){2 * in, in, 3, 3}, 2 * in);
    emit_dconv(w, prefix, in);
    emit_affine(w, prefix, "conv_tr", rank, (const size_t[]){in, out, 8, 1}, out);
}

static void emit_transformer_layer(walk *w, int time, int layer, const a1_htdemucs_widths *widths)
{
    const size_t width = widths->bottom, hidden = widths->feed_forward;
    const int cross = layer % 2;
    char prefix[48], attention[64];
    snprintf(prefix, sizeof prefix, "crosstransformer.%s.%d", time ? "layers_t" : "layers", layer);
    snprintf(attention, sizeof attention, "%s.%s", prefix, cross ? "cross_attn" : "self_attn");
    emit(w, SHAPE(3 * width, width), "%s.in_proj_weight", attention);
    emit(w, SHAPE(3 * width), "%s.in_proj_bias", attention);
    emit_affine(w, attention, "out_proj", SHAPE(width, width), width);
    emit_affine(w, prefix, "linear1", SHAPE(hidden, width), hidden);
    emit_affine(w, prefix, "linear2", SHAPE(width, hidden), width);
    emit_affine(w, prefix, "norm1", SHAPE(width), width);
    emit_affine(w, prefix, "norm2", SHAPE(width), width);
    if (cross)
        emit_affine(w, prefix, "norm3", SHAPE(width), width);
    emit_affine(w, prefix, "norm_out", SHAPE(width), width);
    emit(w, SHAPE(width), "%s.gamma_1.scale", prefix);
    emit(w, SHAPE(width), "%s.gamma_2.scale", prefix);
}

allin1_status a1_layout_htdemucs(const a1_htdemucs_widths *widths, a1_layout_fn fn, void *user,
                                 a1_error *err)
{
    walk w = {fn, user, err, ALLIN1_OK};
    const size_t deepest = widths->channels << (LEVELS - 1);
    for (int level = 0; level < LEVELS; level++) {
        const size_t out = widths->channels << level;
        emit_encoder(&w, 1, level, level ? out / 2 : 2, out);
        emit_encoder(&w, 0, level, level ? out / 2 : 4, out);
        if (level == 0)
            emit(&w, SHAPE(widths->rows, out), "freq_emb.embedding.weight");
    }
    for (int time = 0; time < 2; time++) {
        const char *suffix = time ? "_t" : "";
        emit(&w, SHAPE(widths->bottom, deepest, 1), "channel_upsampler%s.weight", suffix);
        emit(&w, SHAPE(widths->bottom), "channel_upsampler%s.bias", suffix);
        emit(&w, SHAPE(deepest, widths->bottom, 1), "channel_downsampler%s.weight", suffix);
        emit(&w, SHAPE(deepest), "channel_downsampler%s.bias", suffix);
        emit(&w, SHAPE(widths->bottom), "crosstransformer.norm_in%s.weight", suffix);
        emit(&w, SHAPE(widths->bottom), "crosstransformer.norm_in%s.bias", suffix);
    }
    for (int layer = 0; layer < TRANSFORMER_LAYERS; layer++)
        for (int time = 0; time < 2; time++)
            emit_transformer_layer(&w, time, layer, widths);
    for (int step = 0; step < LEVELS; step++) {
        const size_t in = deepest >> step;
        const int last = step == LEVELS - 1;
        emit_decoder(&w, 0, step, in, last ? 16 : in / 2);
        emit_decoder(&w, 1, step, in, last ? 8 : in / 2);
    }
    return w.status;
}

allin1_status a1_layout_htdemucs_widths(const a1_tensor_set *set, a1_htdemucs_widths *widths,
                                        a1_error *err)
{
    const size_t any = SIZE_MAX;
    const a1_tensor *conv, *norm, *linear, *table;
    A1_TRY(a1_tensor_set_require(set, "encoder.0.conv.weight", SHAPE(any, 4, 8, 1), &conv, err));
    A1_TRY(a1_tensor_set_require(set, "crosstransformer.norm_in.weight", SHAPE(any), &norm, err));
    A1_TRY(a1_tensor_set_require(set, "crosstransformer.layers.0.linear1.bias", SHAPE(any), &linear,
                                 err));
    A1_TRY(a1_tensor_set_require(set, "freq_emb.embedding.weight", SHAPE(any, any), &table, err));
    *widths = (a1_htdemucs_widths){.channels = conv->shape[0],
                                   .bottom = norm->shape[0],
                                   .feed_forward = linear->shape[0],
                                   .rows = table->shape[0]};
    /* Anything near overflow is no model; the shapes derived from these are compared exactly. */
    if (widths->channels > 1 << 16 || widths->bottom > 1 << 16 || widths->feed_forward > 1 << 20 ||
        widths->channels < COMPRESSION)
        return a1_fail(err, ALLIN1_ERROR_FORMAT, "the widths of the model are out of range");
    return ALLIN1_OK;
}

static void emit_attention(walk *w, const char *prefix, const char *name, int instruments)
{
    const size_t width = 24;
    char attention[80];
    snprintf(attention, sizeof attention, "%s.%s", prefix, name);
    emit(w, instruments ? 3 : 2, (const size_t[]){2, 9, 9}, "%s.self.rpb", attention);
    emit_affine(w, attention, "self.query", SHAPE(width, width), width);
    emit_affine(w, attention, "self.key", SHAPE(width, width), width);
    emit_affine(w, attention, "self.value", SHAPE(width, width), width);
    emit_affine(w, attention, "output.dense", SHAPE(width, width), width);
}

static void emit_network_layer(walk *w, int block, int instruments)
{
    const size_t width = 24, wide = instruments ? width : 2 * width, hidden = 4 * wide;
    char prefix[64];
    snprintf(prefix, sizeof prefix, "encoder.layers.%d.%s", block,
             instruments ? "instlayer" : "timelayer");
    emit_affine(w, prefix, "layernorm_before", SHAPE(width), width);
    emit_attention(w, prefix, "attention", instruments);
    if (!instruments)
        emit_attention(w, prefix, "attention2", 0);
    emit_affine(w, prefix, "layernorm_after", SHAPE(wide), wide);
    emit_affine(w, prefix, "intermediate.dense", SHAPE(hidden, wide), hidden);
    emit_affine(w, prefix, "output.dense", SHAPE(width, hidden), width);
}

allin1_status a1_layout_harmonix(a1_layout_fn fn, void *user, a1_error *err)
{
    walk w = {fn, user, err, ALLIN1_OK};
    emit_affine(&w, "embeddings", "conv0", SHAPE(12, 3, 3, 1), 12);
    emit_affine(&w, "embeddings", "conv1", SHAPE(24, 1, 12, 12), 24);
    emit_affine(&w, "embeddings", "conv2", SHAPE(24, 3, 3, 24), 24);
    emit_affine(&w, "embeddings", "norm", SHAPE(24), 24);
    for (int block = 0; block < NETWORK_BLOCKS; block++) {
        emit_network_layer(&w, block, 0);
        emit_network_layer(&w, block, 1);
    }
    emit(&w, SHAPE(24), "norm.weight");
    emit(&w, SHAPE(24), "norm.bias");
    emit_affine(&w, "beat_classifier", "classifier", SHAPE(1, 96), 1);
    emit_affine(&w, "downbeat_classifier", "classifier", SHAPE(1, 96), 1);
    emit_affine(&w, "section_classifier", "classifier", SHAPE(1, 96), 1);
    emit_affine(&w, "function_classifier", "classifier", SHAPE(10, 96), 10);
    return w.status;
}

void a1_layout_release_set(void *set, size_t size)
{
    (void)size;
    a1_tensor_set *destroyed = set;
    a1_tensor_set_destroy(&destroyed);
}

void a1_layout_release_aligned(void *block, size_t size)
{
    (void)size;
    a1_aligned_free(block);
}

typedef struct adoption {
    const a1_tensor_set *from;
    a1_tensor_set *to;
    char prefix[128]; /* that the names in `from` carry */
    int torch_convolutions;
} adoption;

/* Finds what stands before `name` in the set's names. */
static allin1_status find_prefix(adoption *a, const char *name, a1_error *err)
{
    const size_t length = strlen(name);
    for (size_t i = 0; i < a1_tensor_set_count(a->from); i++) {
        const char *candidate = a1_tensor_set_at(a->from, i)->name;
        const size_t whole = strlen(candidate);
        if (whole < length || strcmp(candidate + whole - length, name) != 0)
            continue;
        const size_t before = whole - length;
        if (before >= sizeof a->prefix || (before && candidate[before - 1] != '.'))
            continue;
        memcpy(a->prefix, candidate, before);
        a->prefix[before] = '\0';
        return ALLIN1_OK;
    }
    return a1_fail(err, ALLIN1_ERROR_FORMAT, "tensor \"%s\" is missing", name);
}

/* PyTorch's (out, in, time, frequency) to (out, time, frequency, in). */
static allin1_status move_input_last(adoption *a, const a1_tensor *tensor, const char *name,
                                     const size_t *shape, a1_error *err)
{
    const size_t element = a1_dtype_size(tensor->dtype), bytes = a1_tensor_count(tensor) * element;
    void *block = a1_aligned_alloc(bytes);
    if (!block)
        return a1_fail_memory(err, "a convolution");
    const allin1_status owned =
        a1_tensor_set_own(a->to, block, bytes, a1_layout_release_aligned, err);
    if (owned != ALLIN1_OK) {
        a1_aligned_free(block);
        return owned;
    }
    const size_t plane = shape[1] * shape[2];
    const size_t strides[4] = {shape[3] * plane, shape[2], 1, plane};
    a1_copy_strided(block, tensor->data, element, 4, shape, strides);
    a1_tensor moved = {.name = name, .dtype = tensor->dtype, .rank = 4, .data = block};
    memcpy(moved.shape, shape, 4 * sizeof *shape);
    return a1_tensor_set_add(a->to, &moved, err);
}

static allin1_status adopt_tensor(void *user, const char *name, unsigned rank, const size_t *shape,
                                  a1_error *err)
{
    adoption *a = user;
    char prefixed[320];
    snprintf(prefixed, sizeof prefixed, "%s%s", a->prefix, name);
    const a1_tensor *tensor;
    const int moved = a->torch_convolutions && rank == 4;
    const size_t torch_shape[4] = {shape[0], moved ? shape[3] : 0, moved ? shape[1] : 0,
                                   moved ? shape[2] : 0};
    A1_TRY(
        a1_tensor_set_require(a->from, prefixed, rank, moved ? torch_shape : shape, &tensor, err));
    if (tensor->dtype > A1_F64)
        return a1_fail(err, ALLIN1_ERROR_FORMAT, "tensor \"%s\" holds %s, not floating point",
                       prefixed, a1_dtype_string(tensor->dtype));
    if (moved)
        return move_input_last(a, tensor, name, shape, err);
    a1_tensor shared = *tensor;
    shared.name = name;
    return a1_tensor_set_add(a->to, &shared, err);
}

allin1_status a1_layout_adopt(const char *family, int torch, a1_tensor_set **from,
                              a1_tensor_set **to, a1_error *err)
{
    allin1_status status = ALLIN1_OK;
    const int harmonix = strcmp(family, "harmonix") == 0;
    adoption a = {.from = *from, .torch_convolutions = torch && harmonix};
    *to = NULL;
    A1_CHECK(a1_tensor_set_create(&a.to, err));
    A1_CHECK(a1_tensor_set_copy_texts(a.to, *from, err));
    if (harmonix) {
        if (torch)
            A1_CHECK(find_prefix(&a, "embeddings.conv0.weight", err));
        A1_CHECK(a1_layout_harmonix(adopt_tensor, &a, err));
    } else {
        a1_htdemucs_widths widths;
        A1_CHECK(a1_layout_htdemucs_widths(*from, &widths, err));
        A1_CHECK(a1_layout_htdemucs(&widths, adopt_tensor, &a, err));
    }
    A1_CHECK(a1_tensor_set_own(a.to, *from, 0, a1_layout_release_set, err));
    *from = NULL;
    *to = a.to;
    a.to = NULL;
done:
    a1_tensor_set_destroy(&a.to);
    return status;
}
