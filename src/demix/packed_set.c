/* Tensor sets that hold products as they are packed, instead of the matrices they come from.
 *
 * A product of the tensor NAME, from its row FIRST on, is NAME@FIRST.panels, and with 8-bit integers also
 * NAME@FIRST.scales and NAME@FIRST.sums. The text value "packing" names precision and layout. */
#include <stdio.h>
#include <string.h>

#include "demix/model.h"

/* Counts up whenever what stands in a panel changes, be it by kernels/gemm_pack.c or by model.c, which
 * says what row and slot of a panel has which value: a packed file of the past must not be taken for one
 * of now. tests/unit/test_packed_weights.c holds the bytes to it. */
#define LAYOUT(precision) precision "-1"

const char *a1_htdemucs_layout(a1_demix_precision precision)
{
    static const char *const names[] = {
        [A1_DEMIX_FP32] = LAYOUT("fp32"),
        [A1_DEMIX_BF16] = LAYOUT("bf16"),
        [A1_DEMIX_MIXED] = LAYOUT("mixed"),
    };
    return names[precision];
}

const char *a1_htdemucs_packing(const a1_tensor_set *set)
{
    return a1_tensor_set_text(set, A1_PACKING);
}

static const char *part_name(char room[160], const a1_htdemucs_product *product, const char *part)
{
    snprintf(room, 160, "%s@%zu.%s", product->tensor, product->first, part);
    return room;
}

allin1_status a1_htdemucs_find_panels(const a1_tensor_set *set, const a1_htdemucs_product *product,
                                      a1_gemm_panels *panels, a1_error *err)
{
    const size_t any = SIZE_MAX;
    char name[160];
    const a1_tensor *data, *scales, *sums;
    A1_TRY(a1_tensor_set_require(set, part_name(name, product, "panels"), 1, &any, &data, err));
    *panels = (a1_gemm_panels){.data = data->data, .bytes = a1_tensor_count(data)};
    bool right = data->dtype == A1_U8;
    if (a1_tensor_set_find(set, part_name(name, product, "scales"))) {
        A1_TRY(a1_tensor_set_require(set, name, 1, &any, &scales, err));
        A1_TRY(a1_tensor_set_require(set, part_name(name, product, "sums"), 1, scales->shape, &sums,
                                     err));
        panels->columns = a1_tensor_count(scales);
        panels->scales = scales->data;
        panels->sums = sums->data;
        right = right && scales->dtype == A1_F32 && sums->dtype == A1_I32;
    }
    return right ? ALLIN1_OK
                 : a1_fail(err, ALLIN1_ERROR_FORMAT, "the packed weights of %s are of other types",
                           product->tensor);
}

static allin1_status keep(a1_tensor_set *packed, const a1_htdemucs_product *product,
                          const char *part, a1_dtype type, size_t count, const void *data,
                          a1_error *err)
{
    char name[160];
    const a1_tensor tensor = {.name = part_name(name, product, part),
                              .dtype = type,
                              .rank = 1,
                              .shape = {count},
                              .data = data};
    return a1_tensor_set_add(packed, &tensor, err);
}

allin1_status a1_htdemucs_keep_panels(a1_tensor_set *packed, const a1_htdemucs_product *product,
                                      a1_error *err)
{
    const a1_gemm_weights *weights = product->weights;
    const size_t bytes = weights->panels * a1_gemm_panel_bytes(weights);
    A1_TRY(keep(packed, product, "panels", A1_U8, bytes, weights->data, err));
    if (weights->precision != A1_GEMM_INT8)
        return ALLIN1_OK;
    const size_t columns = weights->panels * A1_GEMM_PANEL;
    A1_TRY(keep(packed, product, "scales", A1_F32, columns, weights->scales, err));
    return keep(packed, product, "sums", A1_I32, columns, weights->sums, err);
}

/* Whether the tensor is there, or the panels of some product stand for it: those of its first row always
 * do. */
static bool is_kept(const a1_tensor_set *packed, const char *tensor)
{
    char name[160];
    const int length = snprintf(name, sizeof name, "%s@0.panels", tensor);
    return a1_tensor_set_find(packed, tensor) ||
           (length < (int)sizeof name && a1_tensor_set_find(packed, name));
}

allin1_status a1_htdemucs_keep_rest(a1_tensor_set *packed, const a1_tensor_set *weights,
                                    a1_demix_precision precision, a1_error *err)
{
    for (size_t i = 0; i < a1_tensor_set_count(weights); i++) {
        const a1_tensor *tensor = a1_tensor_set_at(weights, i);
        if (!is_kept(packed, tensor->name))
            A1_TRY(a1_tensor_set_add(packed, tensor, err));
    }
    A1_TRY(a1_tensor_set_copy_texts(packed, weights, err));
    return a1_tensor_set_put_text(packed, A1_PACKING, a1_htdemucs_layout(precision), err);
}
