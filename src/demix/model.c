/* Tensors to packed weights. Every name and shape is checked here, once. */
#include "demix/model.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

#define PI 3.14159265358979323846

/* The products of a part at most: an encoder's two convolutions and those of its residual branches. */
#define PART_PRODUCTS (2 + 2 * DCONV_LAYERS)

/* One thread's view of the loading: levels and layers are independent tasks. */
typedef struct loader {
    const a1_tensor_set *set;
    a1_htdemucs *model;
    float *values;   /* room for the largest tensor */
    size_t *offsets; /* room for its rows and columns */
    size_t scratch;  /* bytes a thread needs for any product so far */
    a1_gemm_panels panels;           /* of the product at hand, when the set is packed */
    a1_htdemucs_product products[PART_PRODUCTS];
    size_t product_count;
    a1_error *err;
} loader;

/* A tensor as float32 of the given shape; the caller frees it. */
static allin1_status read_tensor(const loader *l, const char *prefix, const char *name,
                                 unsigned rank, const size_t *shape, float **out)
{
    char full[160];
    snprintf(full, sizeof full, "%s%s", prefix, name);
    const a1_tensor *tensor;
    *out = NULL;
    A1_TRY(a1_tensor_set_require(l->set, full, rank, shape, &tensor, l->err));
    float *values = a1_aligned_alloc(a1_tensor_count(tensor) * sizeof *values);
    if (!values)
        return a1_fail_memory(l->err, full);
    const allin1_status status = a1_tensor_to_f32(tensor, values, l->err);
    if (status != ALLIN1_OK) {
        a1_aligned_free(values);
        return status;
    }
    *out = values;
    return ALLIN1_OK;
}

static allin1_status read_vector(const loader *l, const char *prefix, const char *name, size_t count,
                                 float **out)
{
    return read_tensor(l, prefix, name, 1, &count, out);
}

/* The product that is made next: `first` is the first row of the tensor that it takes. */
static a1_htdemucs_product *next_product(loader *l, const char *prefix, const char *name,
                                         size_t first)
{
    a1_htdemucs_product *product = &l->products[l->product_count++];
    snprintf(product->tensor, sizeof product->tensor, "%s%s", prefix, name);
    product->first = first;
    return product;
}

/* A matrix's values, as they lie in the set or, in a rare type, in the loader's own room until the
 * next call; or its panels, of a packed set. */
static allin1_status find_values(loader *l, const a1_htdemucs_product *product, unsigned rank,
                                 const size_t *shape, a1_gemm_source *source)
{
    const char *full = product->tensor;
    const a1_tensor *tensor;
    if (l->model->packed) {
        *source = (a1_gemm_source){.panels = &l->panels};
        return a1_htdemucs_find_panels(l->set, product, &l->panels, l->err);
    }
    A1_TRY(a1_tensor_set_require(l->set, full, rank, shape, &tensor, l->err));
    *source = (a1_gemm_source){.values = tensor->data, .half = tensor->dtype == A1_F16};
    if (tensor->dtype == A1_F16 || tensor->dtype == A1_F32)
        return ALLIN1_OK;
    source->values = l->values;
    return a1_tensor_to_f32(tensor, l->values, l->err);
}

/* What is to be said of a product that has been packed. */
static allin1_status note_product(loader *l, a1_htdemucs_product *product,
                                  const a1_gemm_weights *weights, allin1_status status)
{
    if (status != ALLIN1_OK)
        return a1_fail_prefix(l->err, status, "%s", product->tensor);
    const size_t scratch = a1_gemm_scratch(weights);
    product->weights = weights;
    if (scratch > l->scratch)
        l->scratch = scratch;
    return ALLIN1_OK;
}

static a1_gemm_precision choose_precision(const loader *l, int linear)
{
    const a1_demix_precision wanted = l->model->precision;
    return wanted == A1_DEMIX_FP32              ? A1_GEMM_FP32
           : wanted == A1_DEMIX_MIXED && linear ? A1_GEMM_INT8
                                                : A1_GEMM_BF16;
}

/* A convolution's weight (out, in, taps...) as a matrix [tap * in + i][out], and its bias, which the
 * caller frees. */
static allin1_status read_conv(loader *l, const char *prefix, const char *name, unsigned rank,
                               const size_t *shape, a1_gemm_source *source, float **bias,
                               a1_htdemucs_product **product)
{
    char weight[64], bias_name[64];
    snprintf(weight, sizeof weight, "%s.weight", name);
    snprintf(bias_name, sizeof bias_name, "%s.bias", name);
    const size_t out = shape[0], in = shape[1];
    size_t taps = 1;
    for (unsigned i = 2; i < rank; i++)
        taps *= shape[i];
    *product = next_product(l, prefix, weight, 0);
    A1_TRY(find_values(l, *product, rank, shape, source));
    A1_TRY(read_vector(l, prefix, bias_name, out, bias));
    size_t *columns = l->offsets + taps * in;
    for (size_t t = 0; t < taps; t++)
        for (size_t i = 0; i < in; i++)
            l->offsets[t * in + i] = i * taps + t;
    for (size_t o = 0; o < out; o++)
        columns[o] = o * in * taps;
    source->row_offset = l->offsets;
    source->k = taps * in;
    source->column_offset = columns;
    source->columns = out;
    source->bias = *bias;
    return ALLIN1_OK;
}

static allin1_status load_conv(loader *l, const char *prefix, const char *name, unsigned rank,
                               const size_t *shape, int glu, a1_gemm_weights *weights)
{
    a1_gemm_source source;
    a1_htdemucs_product *product;
    float *bias;
    A1_TRY(read_conv(l, prefix, name, rank, shape, &source, &bias, &product));
    allin1_status status =
        a1_gemm_weights_pack_simple(weights, &source, glu, choose_precision(l, 0), l->err);
    status = note_product(l, product, weights, status);
    a1_aligned_free(bias);
    return status;
}

/* Spreads 2 * channels values into panels of 16 values and their 16 gates. */
static float *spread_pairs(const float *values, size_t channels)
{
    const size_t panels = (channels + 15) / 16;
    float *out = a1_aligned_alloc(panels * 32 * sizeof *out);
    if (!out)
        return NULL;
    memset(out, 0, panels * 32 * sizeof *out);
    for (size_t c = 0; c < channels; c++) {
        out[c / 16 * 32 + c % 16] = values[c];
        out[c / 16 * 32 + 16 + c % 16] = values[channels + c];
    }
    return out;
}

static float *spread(const float *values, size_t count, size_t room)
{
    float *out = a1_aligned_alloc(room * sizeof *out);
    if (!out)
        return NULL;
    memset(out, 0, room * sizeof *out);
    memcpy(out, values, count * sizeof *out);
    return out;
}

static allin1_status load_expand(loader *l, const char *prefix, size_t channels,
                                 dconv_layer *layer)
{
    const size_t panels = (channels + 15) / 16;
    a1_gemm_source source;
    a1_htdemucs_product *product;
    float *bias;
    A1_TRY(read_conv(l, prefix, "3", 3, (size_t[]){2 * channels, layer->hidden, 1}, &source, &bias,
                     &product));
    int32_t *slots = malloc(panels * 32 * sizeof *slots);
    a1_gemm_group *groups = malloc(panels * 2 * sizeof *groups);
    allin1_status status = ALLIN1_ERROR_MEMORY;
    if (!slots || !groups) {
        a1_fail_memory(l->err, prefix);
        goto done;
    }
    for (size_t s = 0; s < panels * 32; s++) {
        const size_t c = s / 32 * 16 + s % 16;
        slots[s] = c < channels ? (int32_t)(c + (s % 32 < 16 ? 0 : channels)) : -1;
    }
    for (size_t g = 0; g < panels * 2; g++)
        groups[g] = (a1_gemm_group){g * 16, 16};
    status = a1_gemm_weights_pack(&layer->expand, &source, panels, slots, groups, 0,
                                  choose_precision(l, 0), l->err);
    status = note_product(l, product, &layer->expand, status);
done:
    free(slots);
    free(groups);
    a1_aligned_free(bias);
    return status;
}

static allin1_status load_spread(const loader *l, const char *prefix, const char *name, size_t count,
                                 size_t room, int pairs, float **out)
{
    float *values;
    A1_TRY(read_vector(l, prefix, name, count, &values));
    *out = pairs ? spread_pairs(values, count / 2) : spread(values, count, room);
    a1_aligned_free(values);
    return *out ? ALLIN1_OK : a1_fail_memory(l->err, prefix);
}

static allin1_status load_dconv(loader *l, const char *level, size_t channels,
                                dconv_layer layers[DCONV_LAYERS])
{
    for (int d = 0; d < DCONV_LAYERS; d++) {
        dconv_layer *layer = &layers[d];
        char prefix[96];
        snprintf(prefix, sizeof prefix, "%sdconv.layers.%d.", level, d);
        layer->hidden = channels / 8;
        layer->hidden_stride = (layer->hidden + 15) / 16 * 16;
        const size_t room = (channels + 15) / 16 * 16;
        A1_TRY(load_conv(l, prefix, "0", 3, (size_t[]){layer->hidden, channels, 3}, 0,
                         &layer->conv));
        /* All 16 columns of a group are written, so that the padding of a hidden row is zero. */
        for (size_t g = 0; g < layer->hidden_stride / 16; g++)
            layer->conv.groups[g] = (a1_gemm_group){g * 16, 16};
        A1_TRY(load_spread(l, prefix, "1.weight", layer->hidden, layer->hidden_stride, 0,
                           &layer->norm1_mul));
        A1_TRY(load_spread(l, prefix, "1.bias", layer->hidden, layer->hidden_stride, 0,
                           &layer->norm1_add));
        A1_TRY(load_expand(l, prefix, channels, layer));
        A1_TRY(load_spread(l, prefix, "4.weight", 2 * channels, 0, 1, &layer->norm2_mul));
        A1_TRY(load_spread(l, prefix, "4.bias", 2 * channels, 0, 1, &layer->norm2_add));
        A1_TRY(load_spread(l, prefix, "6.scale", channels, room, 0, &layer->scale));
    }
    return ALLIN1_OK;
}

static allin1_status load_encoder(loader *l, int branch, size_t i)
{
    a1_htdemucs *model = l->model;
    encoder_level *level = &model->encoder[branch][i];
    char prefix[64];
    snprintf(prefix, sizeof prefix, "%sencoder.%zu.", branch ? "t" : "", i);
    const unsigned rank = branch ? 3 : 4;
    level->channels = model->channels[i];
    level->in_channels = i ? model->channels[i - 1] : branch ? AUDIO_CHANNELS : 2 * AUDIO_CHANNELS;
    A1_TRY(load_conv(l, prefix, "conv", rank,
                     (size_t[]){level->channels, level->in_channels, 8, 1}, 0, &level->conv));
    A1_TRY(load_conv(l, prefix, "rewrite", rank,
                     (size_t[]){2 * level->channels, level->channels, 1, 1}, 1, &level->rewrite));
    A1_TRY(load_dconv(l, prefix, level->channels, level->dconv));
    if (branch || i)
        return ALLIN1_OK;
    float *table;
    const size_t rows = model->rows[1], panels = level->rewrite.panels;
    A1_TRY(read_tensor(l, "", "freq_emb.embedding.weight", 2, (size_t[]){rows, level->channels},
                       &table));
    level->embedding = a1_aligned_alloc(rows * panels * 16 * sizeof(float));
    if (level->embedding) {
        memset(level->embedding, 0, rows * panels * 16 * sizeof(float));
        /* The table's scale is 10 and the network adds 0.2 of it. */
        for (size_t r = 0; r < rows; r++)
            for (size_t c = 0; c < level->channels; c++)
                level->embedding[r * panels * 16 + c] =
                    0.2f * (10.0f * table[r * level->channels + c]);
    }
    a1_aligned_free(table);
    return level->embedding ? ALLIN1_OK : a1_fail_memory(l->err, "the frequency embedding");
}

/* Transposed convolution, kernel 8 and stride 4, as a product: output 4 q + p takes tap p of input q and
 * tap p + 4 of input q - 1. Rows of the matrix: inputs q - 1, then q; columns: phase p, channel. */
static allin1_status load_conv_tr(loader *l, const char *prefix, int branch, decoder_level *level)
{
    const size_t in = level->channels, out = level->out_channels;
    const size_t per_phase = (out + 15) / 16, panels = (4 * per_phase + 1) / 2;
    float *bias = NULL, *bias4 = a1_aligned_alloc(4 * out * sizeof *bias4);
    int32_t *slots = malloc(panels * 32 * sizeof *slots);
    a1_gemm_group *groups = malloc(panels * 2 * sizeof *groups);
    a1_gemm_source source;
    a1_htdemucs_product *product = next_product(l, prefix, "conv_tr.weight", 0);
    allin1_status status = ALLIN1_ERROR_MEMORY;
    if (!slots || !groups || !bias4) {
        a1_fail_memory(l->err, prefix);
        goto done;
    }
    A1_CHECK(find_values(l, product, branch ? 3 : 4, (size_t[]){in, out, 8, 1}, &source));
    A1_CHECK(read_vector(l, prefix, "conv_tr.bias", out, &bias));
    size_t *columns = l->offsets + 2 * in;
    for (size_t i = 0; i < in; i++) {
        l->offsets[i] = i * out * 8 + 4;
        l->offsets[in + i] = i * out * 8;
    }
    for (size_t p = 0; p < 4; p++) {
        for (size_t o = 0; o < out; o++)
            columns[p * out + o] = o * 8 + p;
        memcpy(bias4 + p * out, bias, out * sizeof *bias);
    }
    const size_t phase_step = (branch ? 1 : (size_t)ROW_PITCH) * out;
    for (size_t g = 0; g < panels * 2; g++) {
        const size_t phase = g / per_phase, first = g % per_phase * 16;
        const size_t valid = phase >= 4 ? 0 : out - first < 16 ? out - first : 16;
        groups[g] = (a1_gemm_group){phase * phase_step + first, valid};
        for (size_t s = 0; s < 16; s++)
            slots[g * 16 + s] = s < valid ? (int32_t)(phase * out + first + s) : -1;
    }
    source.row_offset = l->offsets;
    source.k = 2 * in;
    source.column_offset = columns;
    source.columns = 4 * out;
    source.bias = bias4;
    status = a1_gemm_weights_pack(&level->conv_tr, &source, panels, slots, groups, 0,
                                  choose_precision(l, 0), l->err);
    status = note_product(l, product, &level->conv_tr, status);
done:
    free(slots);
    free(groups);
    a1_aligned_free(bias);
    a1_aligned_free(bias4);
    return status;
}

static allin1_status load_decoder(loader *l, int branch, size_t i)
{
    a1_htdemucs *model = l->model;
    decoder_level *level = &model->decoder[branch][i];
    char prefix[64];
    snprintf(prefix, sizeof prefix, "%sdecoder.%zu.", branch ? "t" : "", i);
    level->channels = model->channels[LEVELS - 1 - i];
    level->out_channels = i + 1 < LEVELS ? model->channels[LEVELS - 2 - i]
                                         : A1_DEMIX_SOURCES * AUDIO_CHANNELS * (branch ? 1 : 2);
    A1_TRY(load_conv(l, prefix, "rewrite", branch ? 3 : 4,
                     (size_t[]){2 * level->channels, level->channels, 3, 3}, 1, &level->rewrite));
    A1_TRY(load_dconv(l, prefix, level->channels, level->dconv));
    return load_conv_tr(l, prefix, branch, level);
}

static allin1_status load_affine(const loader *l, const char *prefix, const char *name, size_t count,
                                 affine *out)
{
    char weight[64], bias[64];
    snprintf(weight, sizeof weight, "%s.weight", name);
    snprintf(bias, sizeof bias, "%s.bias", name);
    A1_TRY(read_vector(l, prefix, weight, count, &out->mul));
    return read_vector(l, prefix, bias, count, &out->add);
}

/* Rows first..first+count of a linear layer (out, in), packed; the first `scaled` outputs are multiplied
 * by `scale`. */
static allin1_status load_linear(loader *l, const char *prefix, const char *weight_name,
                                 const char *bias_name, size_t out, size_t in, size_t first,
                                 size_t count, size_t scaled, float scale, a1_gemm_weights *weights)
{
    float *bias = NULL;
    a1_gemm_source source;
    a1_htdemucs_product *product = next_product(l, prefix, weight_name, first);
    A1_TRY(find_values(l, product, 2, (size_t[]){out, in}, &source));
    A1_TRY(read_vector(l, prefix, bias_name, out, &bias));
    for (size_t o = 0; o < scaled; o++)
        bias[first + o] *= scale;
    size_t *columns = l->offsets + in;
    for (size_t i = 0; i < in; i++)
        l->offsets[i] = i;
    for (size_t o = 0; o < count; o++)
        columns[o] = (first + o) * in;
    source.row_offset = l->offsets;
    source.k = in;
    source.column_offset = columns;
    source.columns = count;
    source.bias = bias + first;
    source.scaled = scaled;
    source.scale = scale;
    allin1_status status =
        a1_gemm_weights_pack_simple(weights, &source, 0, choose_precision(l, 1), l->err);
    status = note_product(l, product, weights, status);
    a1_aligned_free(bias);
    return status;
}

static allin1_status load_transformer_layer(loader *l, int branch, size_t i)
{
    const a1_htdemucs *model = l->model;
    transformer_layer *layer = &l->model->transformer[branch][i];
    const size_t width = model->width, hidden = model->feed_forward;
    /* The scores' factor 1 / sqrt(head width) goes into the queries; it is a power of two for the
     * real model, so nothing is rounded. */
    const float scale = 1.0f / sqrtf((float)(width / model->heads));
    const int cross = i % 2;
    char prefix[96];
    snprintf(prefix, sizeof prefix, "crosstransformer.layers%s.%zu.", branch ? "_t" : "", i);
    A1_TRY(load_affine(l, prefix, "norm1", width, &layer->norm1));
    A1_TRY(load_affine(l, prefix, "norm2", width, &layer->norm2));
    if (cross) {
        A1_TRY(load_affine(l, prefix, "norm3", width, &layer->norm3));
        A1_TRY(load_linear(l, prefix, "cross_attn.in_proj_weight", "cross_attn.in_proj_bias",
                           3 * width, width, 0, width, width, scale, &layer->query));
        A1_TRY(load_linear(l, prefix, "cross_attn.in_proj_weight", "cross_attn.in_proj_bias",
                           3 * width, width, width, 2 * width, 0, 1.0f, &layer->key_value));
        A1_TRY(load_linear(l, prefix, "cross_attn.out_proj.weight", "cross_attn.out_proj.bias",
                           width, width, 0, width, 0, 1.0f, &layer->project));
    } else {
        A1_TRY(load_linear(l, prefix, "self_attn.in_proj_weight", "self_attn.in_proj_bias",
                           3 * width, width, 0, 3 * width, width, scale, &layer->query_key_value));
        A1_TRY(load_linear(l, prefix, "self_attn.out_proj.weight", "self_attn.out_proj.bias", width,
                           width, 0, width, 0, 1.0f, &layer->project));
    }
    A1_TRY(load_linear(l, prefix, "linear1.weight", "linear1.bias", hidden, width, 0, hidden, 0,
                       1.0f, &layer->linear1));
    A1_TRY(load_linear(l, prefix, "linear2.weight", "linear2.bias", width, hidden, 0, width, 0, 1.0f,
                       &layer->linear2));
    const size_t room = (width + 31) / 32 * 32;
    A1_TRY(load_spread(l, prefix, "gamma_1.scale", width, room, 0, &layer->gamma1));
    A1_TRY(load_spread(l, prefix, "gamma_2.scale", width, room, 0, &layer->gamma2));
    return load_affine(l, prefix, "norm_out", width, &layer->norm_out);
}

size_t a1_htdemucs_tokens(const a1_htdemucs *model, int branch)
{
    return branch ? model->lengths[LEVELS] : model->rows[LEVELS] * SPEC_FRAMES;
}

/* The widths follow from three biases, which packed sets have too; all else must agree with them. */
static allin1_status read_sizes(const loader *l)
{
    a1_htdemucs *model = l->model;
    const size_t any = SIZE_MAX;
    const a1_tensor *conv, *up, *linear;
    A1_TRY(a1_tensor_set_require(l->set, "encoder.0.conv.bias", 1, &any, &conv, l->err));
    A1_TRY(a1_tensor_set_require(l->set, "channel_upsampler.bias", 1, &any, &up, l->err));
    A1_TRY(a1_tensor_set_require(l->set, "crosstransformer.layers.0.linear1.bias", 1, &any, &linear,
                                 l->err));
    const size_t first = conv->shape[0], width = up->shape[0], hidden = linear->shape[0];
    const char *heads_text = a1_tensor_set_text(l->set, "heads");
    const size_t heads = heads_text ? strtoul(heads_text, NULL, 10) : 8;
    if (first < 8 || first > 1024 || first % 8 || width < 16 || width > 8192 || hidden < 1 ||
        hidden > 65536 || heads < 1 || heads > width || width % (16 * heads) || width % 32)
        return a1_fail(l->err, ALLIN1_ERROR_FORMAT,
                       "the separator's sizes are not usable: %zu channels, width %zu, %zu heads, "
                       "feed-forward %zu",
                       first, width, heads, hidden);
    model->width = width;
    model->heads = heads;
    model->feed_forward = hidden;
    model->rows[0] = SPEC_ROWS;
    model->lengths[0] = A1_DEMIX_SEGMENT;
    for (size_t i = 0; i < LEVELS; i++) {
        model->channels[i] = first << i;
        model->rows[i + 1] = model->rows[i] / 4;
        model->lengths[i + 1] = (model->lengths[i] + 3) / 4;
    }
    return ALLIN1_OK;
}

/* The convolutions and norms at both ends of the transformer. */
static allin1_status load_ends(loader *l, int branch)
{
    a1_htdemucs *model = l->model;
    const size_t deepest = model->channels[LEVELS - 1], width = model->width;
    A1_TRY(load_conv(l, "", branch ? "channel_upsampler_t" : "channel_upsampler", 3,
                     (size_t[]){width, deepest, 1}, 0, &model->upsample[branch]));
    A1_TRY(load_conv(l, "", branch ? "channel_downsampler_t" : "channel_downsampler", 3,
                     (size_t[]){deepest, width, 1}, 0, &model->downsample[branch]));
    return load_affine(l, "crosstransformer.", branch ? "norm_in_t" : "norm_in", width,
                       &model->norm_in[branch]);
}

static allin1_status make_window(const loader *l)
{
    a1_htdemucs *model = l->model;
    model->window = a1_aligned_alloc(FFT_SIZE * sizeof(float));
    if (!model->window)
        return a1_fail_memory(l->err, "the window");
    for (size_t i = 0; i < FFT_SIZE; i++)
        model->window[i] = (float)(0.5 - 0.5 * cos(2.0 * PI * (double)i / FFT_SIZE));
    return a1_rfft_create(&model->fft, FFT_SIZE, &model->cpu, l->err);
}

/* The position tables and the window; and in each branch five transformer layers, four encoders, four
 * decoders and the ends. What takes longest comes first. */
#define TABLES 3
#define BRANCH_PARTS (TRANSFORMER_LAYERS + 2 * LEVELS + 1)
#define PARTS (TABLES + 2 * BRANCH_PARTS)

typedef struct part_pass {
    loader loaders[PARTS]; /* one a part: each has its own error */
    a1_error errors[PARTS];
    allin1_status status[PARTS];
    float **values; /* [threads] */
    size_t **offsets;
} part_pass;

static allin1_status load_branch_part(loader *l, int branch, size_t index)
{
    if (index < TRANSFORMER_LAYERS)
        return load_transformer_layer(l, branch, index);
    if ((index -= TRANSFORMER_LAYERS) < LEVELS)
        return load_decoder(l, branch, index);
    if ((index -= LEVELS) < LEVELS)
        return load_encoder(l, branch, index);
    return load_ends(l, branch);
}

static void load_part(void *argument, size_t part, unsigned worker)
{
    part_pass *pass = argument;
    loader *l = &pass->loaders[part];
    l->values = pass->values[worker];
    l->offsets = pass->offsets[worker];
    if (part < 2)
        pass->status[part] = a1_htdemucs_make_positions(l->model, 1 - (int)part, l->err);
    else if (part < TABLES)
        pass->status[part] = make_window(l);
    else
        pass->status[part] = load_branch_part(l, (int)((part - TABLES) / BRANCH_PARTS),
                                              (part - TABLES) % BRANCH_PARTS);
}

/* `packed`, when it is not NULL, gets what the parts packed. */
static allin1_status load_all(a1_htdemucs *model, const a1_tensor_set *set, a1_pool *pool,
                              a1_tensor_set *packed, a1_error *err)
{
    const loader sizes = {.set = set, .model = model, .err = err};
    A1_TRY(read_sizes(&sizes));
    const unsigned threads = a1_pool_threads(pool);
    size_t largest = 1;
    for (size_t i = 0; !model->packed && i < a1_tensor_set_count(set); i++) {
        const size_t count = a1_tensor_count(a1_tensor_set_at(set, i));
        largest = count > largest ? count : largest;
    }
    /* Rows and columns of any matrix: 9 taps, twice the widest level or the feed-forward. */
    const size_t most =
        16 * (model->channels[LEVELS - 1] + model->width + model->feed_forward);
    part_pass *pass = calloc(1, sizeof *pass);
    float **values = calloc(threads, sizeof *values);
    size_t **offsets = calloc(threads, sizeof *offsets);
    allin1_status status = ALLIN1_OK;
    int complete = pass && values && offsets;
    for (unsigned i = 0; complete && i < threads; i++) {
        values[i] = a1_aligned_alloc(largest * sizeof *values[i]);
        offsets[i] = malloc(most * sizeof *offsets[i]);
        complete = values[i] && offsets[i];
    }
    if (complete) {
        pass->values = values;
        pass->offsets = offsets;
        for (size_t part = 0; part < PARTS; part++)
            pass->loaders[part] = (loader){.set = set, .model = model, .err = &pass->errors[part]};
        a1_pool_run(pool, PARTS, load_part, pass);
        for (size_t part = 0; part < PARTS; part++) {
            if (pass->loaders[part].scratch > model->gemm_scratch)
                model->gemm_scratch = pass->loaders[part].scratch;
            /* The first failed part speaks, whichever thread came to it first. */
            if (pass->status[part] != ALLIN1_OK && status == ALLIN1_OK)
                status = a1_fail(err, pass->status[part], "%s", pass->errors[part].message);
            for (size_t i = 0; packed && status == ALLIN1_OK && i < pass->loaders[part].product_count; i++)
                status = a1_htdemucs_keep_panels(packed, &pass->loaders[part].products[i], err);
        }
    } else {
        status = a1_fail_memory(err, "the separator's weights");
    }
    for (unsigned i = 0; i < threads; i++) {
        if (values)
            a1_aligned_free(values[i]);
        if (offsets)
            free(offsets[i]);
    }
    free(values);
    free(offsets);
    free(pass);
    return status;
}

int a1_demix_precision_available(const a1_cpu *cpu, a1_demix_precision precision)
{
    const a1_gemm_kernels gemm = a1_gemm_kernels_get(cpu);
    const int bf16 = gemm.run[A1_GEMM_BF16] && gemm.run_plain16 && a1_layer16_kernels_get(cpu);
    return precision == A1_DEMIX_FP32 ||
           (bf16 && (precision == A1_DEMIX_BF16 || gemm.run[A1_GEMM_INT8] != NULL));
}

/* On the 36 songs of docs/SPEED.md mixed, the fastest, keeps every beat of fp32. Both were seen with
 * AVX-512 only: on Arm the others must be asked for. */
a1_demix_precision a1_demix_precision_auto(const a1_cpu *cpu)
{
    if (cpu->level != ALLIN1_CPU_AVX512)
        return A1_DEMIX_FP32;
    for (a1_demix_precision p = A1_DEMIX_MIXED; p > A1_DEMIX_FP32; p--)
        if (a1_demix_precision_available(cpu, p))
            return p;
    return A1_DEMIX_FP32;
}

bool a1_htdemucs_borrows(const a1_htdemucs *model)
{
    return model->packed;
}

a1_demix_precision a1_htdemucs_precision(const a1_htdemucs *model)
{
    return model->precision;
}

const char *a1_demix_precision_string(a1_demix_precision precision)
{
    static const char *const names[] = {
        [A1_DEMIX_FP32] = "fp32", [A1_DEMIX_BF16] = "bf16", [A1_DEMIX_MIXED] = "mixed"};
    return names[precision];
}

static allin1_status create(a1_htdemucs **out, const a1_tensor_set *weights, const a1_cpu *cpu,
                            a1_demix_precision precision, a1_pool *pool, a1_tensor_set *packed,
                            a1_error *err)
{
    const char *packing = a1_htdemucs_packing(weights);
    *out = NULL;
    if (!a1_demix_precision_available(cpu, precision))
        return a1_fail(err, ALLIN1_ERROR_UNSUPPORTED,
                       "the separator's precision %s was asked for, but CPU level %s of this machine "
                       "does not have it",
                       a1_demix_precision_string(precision), allin1_cpu_level_string(cpu->level));
    if (packing && strcmp(packing, a1_htdemucs_layout(precision)) != 0)
        return a1_fail(err, ALLIN1_ERROR_UNSUPPORTED,
                       "the separator's weights are packed in the layout %s, and %s is needed here",
                       packing, a1_htdemucs_layout(precision));
    a1_htdemucs *model = calloc(1, sizeof *model);
    if (!model)
        return a1_fail_memory(err, "the separator");
    model->cpu = *cpu;
    model->precision = precision;
    model->packed = packing != NULL;
    model->gemm = a1_gemm_kernels_get(cpu);
    model->layers = a1_layer_kernels_get(cpu);
    if (precision != A1_DEMIX_FP32)
        model->layers16 = a1_layer16_kernels_get(cpu);
    const allin1_status status = load_all(model, weights, pool, packed, err);
    if (status != ALLIN1_OK)
        a1_htdemucs_destroy(&model);
    *out = model;
    return status;
}

allin1_status a1_htdemucs_create(a1_htdemucs **out, const a1_tensor_set *weights, const a1_cpu *cpu,
                                 a1_demix_precision precision, a1_pool *pool, a1_error *err)
{
    return create(out, weights, cpu, precision, pool, NULL, err);
}

static void free_dconv(dconv_layer layers[DCONV_LAYERS])
{
    for (int d = 0; d < DCONV_LAYERS; d++) {
        a1_gemm_weights_free(&layers[d].conv);
        a1_gemm_weights_free(&layers[d].expand);
        a1_aligned_free(layers[d].norm1_mul);
        a1_aligned_free(layers[d].norm1_add);
        a1_aligned_free(layers[d].norm2_mul);
        a1_aligned_free(layers[d].norm2_add);
        a1_aligned_free(layers[d].scale);
    }
}

static void free_affine(affine *pair)
{
    a1_aligned_free(pair->mul);
    a1_aligned_free(pair->add);
}

void a1_htdemucs_destroy(a1_htdemucs **slot)
{
    a1_htdemucs *model = *slot;
    if (!model)
        return;
    for (int branch = 0; branch < 2; branch++) {
        for (size_t i = 0; i < LEVELS; i++) {
            encoder_level *encoder = &model->encoder[branch][i];
            decoder_level *decoder = &model->decoder[branch][i];
            a1_gemm_weights_free(&encoder->conv);
            a1_gemm_weights_free(&encoder->rewrite);
            a1_aligned_free(encoder->embedding);
            free_dconv(encoder->dconv);
            a1_gemm_weights_free(&decoder->rewrite);
            a1_gemm_weights_free(&decoder->conv_tr);
            free_dconv(decoder->dconv);
        }
        for (size_t i = 0; i < TRANSFORMER_LAYERS; i++) {
            transformer_layer *layer = &model->transformer[branch][i];
            free_affine(&layer->norm1);
            free_affine(&layer->norm2);
            free_affine(&layer->norm3);
            free_affine(&layer->norm_out);
            a1_gemm_weights_free(&layer->query_key_value);
            a1_gemm_weights_free(&layer->query);
            a1_gemm_weights_free(&layer->key_value);
            a1_gemm_weights_free(&layer->project);
            a1_gemm_weights_free(&layer->linear1);
            a1_gemm_weights_free(&layer->linear2);
            a1_aligned_free(layer->gamma1);
            a1_aligned_free(layer->gamma2);
        }
        a1_gemm_weights_free(&model->upsample[branch]);
        a1_gemm_weights_free(&model->downsample[branch]);
        free_affine(&model->norm_in[branch]);
        a1_aligned_free(model->position[branch]);
    }
    a1_rfft_destroy(&model->fft);
    a1_aligned_free(model->window);
    free(model);
    *slot = NULL;
}

static void destroy_owned(void *model, size_t size)
{
    (void)size;
    a1_htdemucs *owned = model;
    a1_htdemucs_destroy(&owned);
}

allin1_status a1_htdemucs_pack(const a1_tensor_set *weights, const a1_cpu *cpu,
                               a1_demix_precision precision, a1_pool *pool, a1_tensor_set **out,
                               a1_error *err)
{
    a1_htdemucs *model = NULL;
    a1_tensor_set *packed = NULL;
    allin1_status status = a1_tensor_set_create(&packed, err);
    if (status == ALLIN1_OK)
        status = create(&model, weights, cpu, precision, pool, packed, err);
    if (status == ALLIN1_OK)
        status = a1_htdemucs_keep_rest(packed, weights, precision, err);
    if (status == ALLIN1_OK)
        status = a1_tensor_set_own(packed, model, sizeof *model, destroy_owned, err);
    if (status != ALLIN1_OK) {
        a1_htdemucs_destroy(&model);
        a1_tensor_set_destroy(&packed);
    }
    *out = packed;
    return status;
}
