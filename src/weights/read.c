/* Reading one weight file, in whatever form, and making it prove what it is. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "weights/file_map.h"
#include "weights/layout.h"
#include "weights/mapped.h"
#include "weights/npz.h"
#include "weights/onnx.h"
#include "weights/packed.h"
#include "weights/torch_zip.h"
#include "weights/weights.h"

#define THRESHOLD_KEY "best_threshold_downbeat"

static allin1_status damaged(a1_error *err, const char *path, const a1_model_file *file,
                             const char *reason)
{
    return a1_fail(err, ALLIN1_ERROR_WEIGHTS_DAMAGED,
                   "%s is damaged: %s. To mend it: delete it and run `allin1 models fetch %s`",
                   path, reason, file->name);
}

/* Gives a parser's complaint about a model file the status and the advice of damage. */
static allin1_status as_damage(allin1_status status, const a1_model_file *file, a1_error *err)
{
    if (!file || (status != ALLIN1_ERROR_FORMAT && status != ALLIN1_ERROR_UNSUPPORTED &&
                  status != ALLIN1_ERROR_WEIGHTS_DAMAGED))
        return status;
    a1_error reason = {.status = status};
    if (err)
        reason = *err;
    return a1_fail(err, ALLIN1_ERROR_WEIGHTS_DAMAGED,
                   "%s. To mend it: delete the file and run `allin1 models fetch %s`",
                   reason.message, file->name);
}

static allin1_status check_file_digest(const a1_file_map *map, const char *path,
                                       const a1_model_file *file, uint64_t size, const char *sha256,
                                       a1_error *err)
{
    char reason[256], is[A1_SHA256_HEX];
    if (size != 0 && map->size != size) {
        snprintf(reason, sizeof reason, "it has %zu bytes and should have %llu", map->size,
                 (unsigned long long)size);
        return damaged(err, path, file, reason);
    }
    if (!sha256)
        return ALLIN1_OK;
    A1_TRY(a1_sha256_hex(map->data, map->size, is, err));
    if (strncmp(is, sha256, strlen(sha256)) != 0) {
        snprintf(reason, sizeof reason, "its SHA-256 is %s and should %s %s", is,
                 strlen(sha256) < sizeof is - 1 ? "begin with" : "be", sha256);
        return damaged(err, path, file, reason);
    }
    return ALLIN1_OK;
}

/* The value of a top-level "key: value" line of a YAML file into a text value. */
static allin1_status parse_yaml_value(const a1_file_map *map, const char *path, const char *key,
                                      a1_tensor_set *set, a1_error *err)
{
    const size_t key_length = strlen(key);
    const char *at = (const char *)map->data, *end = at + map->size;
    while (at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const char *line_end = newline ? newline : end;
        const size_t length = (size_t)(line_end - at);
        if (length > key_length && memcmp(at, key, key_length) == 0 && at[key_length] == ':') {
            const char *value = at + key_length + 1;
            while (value < line_end && *value == ' ')
                value++;
            while (line_end > value && (line_end[-1] == '\r' || line_end[-1] == ' '))
                line_end--;
            char text[64];
            const size_t value_length = (size_t)(line_end - value);
            if (value_length == 0 || value_length >= sizeof text || memchr(value, 0, value_length))
                break;
            memcpy(text, value, value_length);
            text[value_length] = '\0';
            return a1_tensor_set_put_text(set, key, text, err);
        }
        if (!newline)
            break;
        at = newline + 1;
    }
    return a1_fail(err, ALLIN1_ERROR_FORMAT, "%s has no usable value of %s", path, key);
}

/* The configuration beside an .npz file; its absence is no fault, the table knows the value too. */
static allin1_status read_companion(const char *path, const a1_model_file *file, a1_tensor_set *set,
                                    a1_error *err)
{
    char beside[A1_PATH_ROOM];
    const char *slash = strrchr(path, '/');
    const int folder = slash ? (int)(slash - path) + 1 : 0;
    const int length =
        snprintf(beside, sizeof beside, "%.*s%s", folder, path, file->companion->name);
    a1_file_map map;
    if (length >= (int)sizeof beside || a1_file_map_open(&map, beside, NULL) != ALLIN1_OK)
        return ALLIN1_OK;
    allin1_status status =
        check_file_digest(&map, beside, file, file->companion->size, file->companion->sha256, err);
    if (status == ALLIN1_OK)
        status = parse_yaml_value(&map, beside, THRESHOLD_KEY, set, err);
    a1_file_map_close(&map);
    return status;
}

/* What a file says about the threshold must be what the table says. */
static allin1_status check_threshold(const a1_tensor_set *set, const char *key, const char *path,
                                     const a1_model_file *file, a1_error *err)
{
    const char *value = a1_tensor_set_text(set, key);
    if (!value)
        return ALLIN1_OK;
    char *end;
    const double is = strtod(value, &end), wanted = strtod(file->best_threshold_downbeat, NULL);
    /* Both are decimals of two places, whatever the digits that they were written with. */
    if (*end != '\0' || !(is - wanted < 1e-6 && wanted - is < 1e-6))
        return damaged(err, path, file, "its best_threshold_downbeat is not the published one");
    return ALLIN1_OK;
}

static allin1_status put_facts(const a1_model_file *file, const char *path, const char *digest,
                               a1_tensor_set *set, a1_error *err)
{
    A1_TRY(a1_tensor_set_put_text(set, "family", file->family, err));
    A1_TRY(a1_tensor_set_put_text(set, "name", file->name, err));
    A1_TRY(a1_tensor_set_put_text(set, "digest", digest, err));
    A1_TRY(a1_tensor_set_put_text(set, "licence", a1_family_licence(file->family), err));
    if (file->heads)
        A1_TRY(a1_tensor_set_put_text(set, "heads", file->heads, err));
    if (file->best_threshold_downbeat) {
        A1_TRY(check_threshold(set, THRESHOLD_KEY, path, file, err));
        A1_TRY(check_threshold(set, "config." THRESHOLD_KEY, path, file, err));
        A1_TRY(a1_tensor_set_put_text(set, THRESHOLD_KEY, file->best_threshold_downbeat, err));
    }
    return ALLIN1_OK;
}

static allin1_status parse_form(const a1_file_map *map, const char *path, a1_form form,
                                a1_tensor_set *set, a1_error *err)
{
    switch (form) {
    case A1_FORM_NPZ:
        return a1_npz_parse(map->data, map->size, path, set, err);
    case A1_FORM_TORCH:
        return a1_torch_parse(map->data, map->size, path, set, err);
    case A1_FORM_ONNX:
        return a1_onnx_parse(map->data, map->size, path, set, err);
    case A1_FORM_MAPPED:
        break;
    }
    return a1_fail(err, ALLIN1_ERROR_INTERNAL, "no reader for %s", path);
}

static allin1_status read_published(const char *path, const a1_model_file *file,
                                    const a1_source_file *source, a1_tensor_set **set,
                                    char digest[A1_SHA256_HEX], a1_error *err)
{
    allin1_status status = ALLIN1_OK;
    a1_file_map map = {0};
    a1_tensor_set *raw = NULL;
    A1_CHECK(a1_file_map_open(&map, path, err));
    A1_CHECK(check_file_digest(&map, path, file, source->size, source->sha256, err));
    A1_CHECK(a1_tensor_set_create(&raw, err));
    status = parse_form(&map, path, source->form, raw, err);
    if (status == ALLIN1_OK) {
        status = source->form == A1_FORM_ONNX
                     ? a1_onnx_bind_htdemucs(&raw, set, err)
                     : a1_layout_adopt(file->family, source->form == A1_FORM_TORCH, &raw, set, err);
        if (status != ALLIN1_OK)
            a1_fail_prefix(err, status, "%s", path);
    }
    status = as_damage(status, file, err);
    A1_CHECK(status);
    A1_CHECK(a1_tensor_set_digest(*set, digest, err));
    if (strcmp(digest, file->digest) != 0) {
        status = damaged(err, path, file, "its tensors are not those of this model");
        goto done;
    }
    if (source->form == A1_FORM_NPZ && file->companion)
        A1_CHECK(read_companion(path, file, *set, err));
    status = put_facts(file, path, digest, *set, err);
done:
    a1_tensor_set_destroy(&raw);
    a1_file_map_close(&map);
    return status;
}

/* Packed as is wanted, or not at all. */
static allin1_status check_packing(const a1_tensor_set *set, const char *packing, const char *path,
                                   const a1_model_file *file, a1_error *err)
{
    const char *is = a1_tensor_set_text(set, A1_PACKING);
    if (packing && (!is || strcmp(is, packing) != 0))
        return damaged(err, path, file, "it is not packed as its name says");
    if (!packing && is)
        return a1_fail(err, file ? ALLIN1_ERROR_WEIGHTS_DAMAGED : ALLIN1_ERROR_ARGUMENT,
                       "%s holds packed weights, which are found beside the file that they were made "
                       "from, and have no use in its place",
                       path);
    return ALLIN1_OK;
}

/* A .a1w file says which tensors it holds, or are packed in it; its checksum vouches for the saying. */
static allin1_status read_mapped(const char *path, const a1_model_file *file, const char *packing,
                                 bool deep, a1_pool *pool, a1_tensor_set **set, char digest[A1_SHA256_HEX],
                                 a1_error *err)
{
    A1_TRY(a1_tensor_set_create(set, err));
    A1_TRY(as_damage(a1_mapped_open(path, pool, *set, err), file, err));
    const char *recorded = a1_tensor_set_text(*set, "digest");
    A1_TRY(check_packing(*set, packing, path, file, err));
    if (file && (!recorded || strcmp(recorded, file->digest) != 0))
        return damaged(err, path, file,
                       packing ? "what was packed is not this model"
                               : "its tensors are not those of this model");
    if (file && !deep) {
        memcpy(digest, file->digest, A1_SHA256_HEX);
        return ALLIN1_OK;
    }
    A1_TRY(as_damage(a1_tensor_set_digest(*set, digest, err), file, err));
    if (file && strcmp(digest, file->digest) != 0)
        return damaged(err, path, file, "its tensors are not those that it says it holds");
    return ALLIN1_OK;
}

allin1_status a1_packed_read(const char *path, const a1_model_file *file, const char *packing,
                             a1_pool *pool, a1_tensor_set **set, a1_error *err)
{
    char digest[A1_SHA256_HEX];
    *set = NULL;
    const allin1_status status = read_mapped(path, file, packing, false, pool, set, digest, err);
    if (status != ALLIN1_OK)
        a1_tensor_set_destroy(set);
    return status;
}

allin1_status a1_weights_read(const char *path, const a1_model_file *file,
                              const a1_source_file *source, bool deep, a1_pool *pool,
                              a1_tensor_set **set, char digest[A1_SHA256_HEX], a1_error *err)
{
    *set = NULL;
    const allin1_status status = source ? read_published(path, file, source, set, digest, err)
                                        : read_mapped(path, file, NULL, deep, pool, set, digest, err);
    if (status != ALLIN1_OK)
        a1_tensor_set_destroy(set);
    return status;
}
