#include "output/result.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct a1_block {
    struct a1_block *next;
    _Alignas(64) unsigned char data[];
} a1_block;

allin1_status a1_result_create(a1_result **out, a1_error *err)
{
    a1_result *result = calloc(1, sizeof *result);
    *out = result;
    if (!result)
        return a1_fail_memory(err, "a result");
    allin1_provenance *from = &result->shown.provenance;
    result->shown.path = "";
    result->shown.tempo = result->shown.tempo_confidence = NAN;
    from->version = from->key = from->input_sha256 = "";
    from->container = from->codec = from->channel_layout = "";
    from->stems_mode = from->demix_model = from->model = from->precision = "";
    from->model_requested = "";
    from->spec_fallback = from->demix_fallback = "";
    from->demix_precision_requested = from->demix_precision = "";
    return ALLIN1_OK;
}

void a1_result_destroy(a1_result **slot)
{
    a1_result *result = *slot;
    if (!result)
        return;
    while (result->blocks) {
        a1_block *next = result->blocks->next;
        free(result->blocks);
        result->blocks = next;
    }
    free(result);
    *slot = NULL;
}

void allin1_result_free(allin1_result **slot)
{
    if (!slot)
        return;
    a1_result *result = (a1_result *)*slot;
    a1_result_destroy(&result);
    *slot = NULL;
}

void *a1_result_alloc(a1_result *result, size_t size)
{
    if (size > SIZE_MAX / 2)
        return NULL;
    const size_t bytes = (sizeof(a1_block) + size + 63) & ~(size_t)63;
    a1_block *block = aligned_alloc(64, bytes);
    if (!block)
        return NULL;
    memset(block, 0, bytes);
    block->next = result->blocks;
    result->blocks = block;
    return block->data;
}

const char *a1_result_string(a1_result *result, const char *text)
{
    if (!text || !*text)
        return "";
    const size_t size = strlen(text) + 1;
    char *copy = a1_result_alloc(result, size);
    if (copy)
        memcpy(copy, text, size);
    return copy;
}

allin1_status a1_public_error(allin1_error *error, const a1_error *err, allin1_status status)
{
    if (error) {
        error->status = status;
        snprintf(error->message, sizeof error->message, "%s",
                 status == ALLIN1_OK ? "" : err->message);
    }
    return status;
}

void allin1_string_free(char *string)
{
    free(string);
}

const char *allin1_version(void)
{
    return ALLIN1_VERSION_STRING;
}

const char *allin1_spec_backend_string(allin1_spec_backend backend)
{
    switch (backend) {
    case ALLIN1_SPEC_AUTO:
        return "auto";
    case ALLIN1_SPEC_REFERENCE:
        return "reference";
    case ALLIN1_SPEC_FAST:
        return "fast";
    }
    return "unknown";
}

const char *allin1_precision_string(allin1_precision precision)
{
    switch (precision) {
    case ALLIN1_PRECISION_AUTO:
        return "auto";
    case ALLIN1_PRECISION_FP32:
        return "fp32";
    case ALLIN1_PRECISION_BF16:
        return "bf16";
    case ALLIN1_PRECISION_MIXED:
        return "mixed";
    }
    return "unknown";
}

const char *allin1_origin_string(allin1_origin origin)
{
    switch (origin) {
    case ALLIN1_ORIGIN_NONE:
        return "none";
    case ALLIN1_ORIGIN_COMPUTED:
        return "computed";
    case ALLIN1_ORIGIN_GIVEN:
        return "given";
    case ALLIN1_ORIGIN_BYPRODUCT:
        return "byproduct";
    case ALLIN1_ORIGIN_GUESSED:
        return "guessed";
    }
    return "unknown";
}
