#include "support/tiny_model.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "tensor/half.h"
#include "weights/digest.h"
#include "weights/layout.h"
#include "weights/mapped.h"

typedef struct generator {
    a1_tensor_set *set;
    uint64_t state;
    int half;
} generator;

/* splitmix64, as a number in [-1, 1). */
static float next_random(generator *g)
{
    uint64_t z = (g->state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    z ^= z >> 31;
    return (float)((double)(z >> 40) / (double)(1 << 23) - 1.0);
}

static int ends_with(const char *name, const char *end)
{
    const size_t length = strlen(name), tail = strlen(end);
    return length >= tail && strcmp(name + length - tail, end) == 0;
}

/* Spread and centre that keep the size of the values from layer to layer, as trained weights do. */
static void choose_spread(const char *name, unsigned rank, const size_t *shape, float *spread,
                          float *centre)
{
    *centre = 0.0f;
    if (ends_with(name, "scale")) { /* LayerScale */
        *spread = 0.05f;
        *centre = 0.1f;
    } else if (rank == 1 && ends_with(name, "weight")) { /* norms */
        *spread = 0.1f;
        *centre = 1.0f;
    } else if (rank == 1 || ends_with(name, "rpb") || ends_with(name, "embedding.weight")) {
        *spread = 0.05f;
    } else {
        size_t inputs = 1;
        for (unsigned axis = 1; axis < rank; axis++)
            inputs *= shape[axis];
        if (strstr(name, "conv_tr")) /* input channels first; two of eight taps meet */
            inputs = shape[0] * 2;
        *spread = sqrtf(3.0f / (float)inputs);
    }
}

static allin1_status add_random(void *user, const char *name, unsigned rank, const size_t *shape,
                                a1_error *err)
{
    generator *g = user;
    size_t count = 1;
    for (unsigned axis = 0; axis < rank; axis++)
        count *= shape[axis];
    float *values = a1_aligned_alloc(count * sizeof *values);
    if (!values)
        return a1_fail_memory(err, name);
    const allin1_status owned =
        a1_tensor_set_own(g->set, values, count * sizeof *values, a1_layout_release_aligned, err);
    if (owned != ALLIN1_OK) {
        a1_aligned_free(values);
        return owned;
    }
    float spread, centre;
    choose_spread(name, rank, shape, &spread, &centre);
    for (size_t i = 0; i < count; i++) {
        values[i] = centre + spread * next_random(g);
        if (g->half)
            values[i] = a1_half_to_f32(a1_f32_to_half(values[i]));
    }
    a1_tensor tensor = {.name = name, .dtype = A1_F32, .rank = rank, .data = values};
    memcpy(tensor.shape, shape, rank * sizeof *shape);
    return a1_tensor_set_add(g->set, &tensor, err);
}

static allin1_status finish(generator *g, const char *name, const char *family, const char *key,
                            const char *value, a1_error *err)
{
    char digest[A1_SHA256_HEX];
    A1_TRY(a1_tensor_set_digest(g->set, digest, err));
    A1_TRY(a1_tensor_set_put_text(g->set, "digest", digest, err));
    A1_TRY(a1_tensor_set_put_text(g->set, "name", name, err));
    A1_TRY(a1_tensor_set_put_text(g->set, "family", family, err));
    return a1_tensor_set_put_text(g->set, key, value, err);
}

allin1_status test_tiny_htdemucs(a1_tensor_set **set, a1_error *err)
{
    const a1_htdemucs_widths widths = {
        .channels = 8, .bottom = 32, .feed_forward = 64, .rows = 512};
    generator g = {.state = 1, .half = 1};
    *set = NULL;
    A1_TRY(a1_tensor_set_create(&g.set, err));
    allin1_status status = a1_layout_htdemucs(&widths, add_random, &g, err);
    if (status == ALLIN1_OK)
        status = finish(&g, "tiny-htdemucs", "htdemucs", "heads", "2", err);
    if (status != ALLIN1_OK)
        a1_tensor_set_destroy(&g.set);
    *set = g.set;
    return status;
}

allin1_status test_tiny_harmonix(a1_tensor_set **set, a1_error *err)
{
    generator g = {.state = 2};
    *set = NULL;
    A1_TRY(a1_tensor_set_create(&g.set, err));
    allin1_status status = a1_layout_harmonix(add_random, &g, err);
    if (status == ALLIN1_OK)
        status = finish(&g, "tiny-harmonix", "harmonix", "best_threshold_downbeat", "0.24", err);
    if (status != ALLIN1_OK)
        a1_tensor_set_destroy(&g.set);
    *set = g.set;
    return status;
}

/* NAME.weight and NAME.bias. */
static allin1_status add_pair(generator *g, const char *name, unsigned rank, const size_t *shape,
                              a1_error *err)
{
    char full[64];
    snprintf(full, sizeof full, "%s.weight", name);
    A1_TRY(add_random(g, full, rank, shape, err));
    snprintf(full, sizeof full, "%s.bias", name);
    return add_random(g, full, 1, shape, err);
}

static allin1_status add_tower(generator *g, const char *name, size_t blocks, a1_error *err)
{
    char full[64];
    const size_t width = TINY_STUDENT_WIDTH;
    for (size_t i = 0; i < blocks; i++) {
        snprintf(full, sizeof full, "%s.%zu.norm", name, i);
        A1_TRY(add_pair(g, full, 1, &width, err));
        snprintf(full, sizeof full, "%s.%zu.conv", name, i);
        A1_TRY(add_pair(g, full, 4, (const size_t[]){width, width, 1, 3}, err));
        snprintf(full, sizeof full, "%s.%zu.mix", name, i);
        A1_TRY(add_pair(g, full, 4, (const size_t[]){width, width, 1, 1}, err));
    }
    snprintf(full, sizeof full, "%s_norm", name);
    return add_pair(g, full, 1, &width, err);
}

static allin1_status add_student(generator *g, const tiny_student_blocks *blocks, a1_error *err)
{
    const size_t width = TINY_STUDENT_WIDTH;
    A1_TRY(add_pair(g, "front", 4, (const size_t[]){12, 1, 3, 5}, err));
    A1_TRY(add_pair(g, "reduce", 4, (const size_t[]){width, 12 * 27, 1, 4}, err));
    A1_TRY(add_tower(g, "fine", blocks->fine, err));
    A1_TRY(add_tower(g, "middle", blocks->middle, err));
    A1_TRY(add_pair(g, "up", 4, (const size_t[]){width, width, 1, 1}, err));
    A1_TRY(add_tower(g, "late", blocks->late, err));
    A1_TRY(add_tower(g, "coarse", blocks->coarse, err));
    A1_TRY(add_pair(g, "beats", 4, (const size_t[]){6, width, 1, 1}, err));
    return add_pair(g, "context", 4, (const size_t[]){11, width, 1, 1}, err);
}

allin1_status test_tiny_student(const tiny_student_blocks *blocks, a1_tensor_set **set,
                                a1_error *err)
{
    generator g = {.state = 3, .half = 1};
    *set = NULL;
    A1_TRY(a1_tensor_set_create(&g.set, err));
    allin1_status status = add_student(&g, blocks, err);
    if (status == ALLIN1_OK)
        status = finish(&g, "tiny-student", "student", "best_threshold_downbeat", "0.24", err);
    if (status != ALLIN1_OK)
        a1_tensor_set_destroy(&g.set);
    *set = g.set;
    return status;
}

static void free_block(void *block, size_t size)
{
    (void)size;
    a1_aligned_free(block);
}

/* Memory that the set frees; NULL when there is none. */
static void *owned(a1_tensor_set *set, size_t size, a1_error *err)
{
    void *block = a1_aligned_alloc(size);
    if (block && a1_tensor_set_own(set, block, size, free_block, err) == ALLIN1_OK)
        return block;
    a1_aligned_free(block);
    return NULL;
}

static allin1_status add_eight_bits(const a1_tensor *from, a1_tensor_set *integers,
                                    a1_tensor_set *floats, a1_error *err)
{
    const size_t count = a1_tensor_count(from), rows = from->shape[0];
    const float *values = from->data;
    int8_t *rounded = owned(integers, count, err);
    float *scales = owned(integers, rows * sizeof *scales, err);
    float *meant = owned(floats ? floats : integers, count * sizeof *meant, err);
    if (!rounded || !scales || !meant)
        return a1_fail_memory(err, "8-bit weights");
    for (size_t row = 0; row < rows; row++)
        scales[row] = 0.01f * (float)(row + 1);
    for (size_t k = 0; k < count; k++) {
        const float scale = scales[k / (count / rows)];
        rounded[k] = (int8_t)fmaxf(-127, fminf(127, roundf(values[k] / scale)));
        meant[k] = (float)rounded[k] * scale;
    }
    char name[80];
    snprintf(name, sizeof name, "%s.scale", from->name);
    const a1_tensor scale = {
        .name = name, .dtype = A1_F32, .rank = 1, .shape = {rows}, .data = scales};
    a1_tensor tensor = *from;
    tensor.dtype = A1_I8;
    tensor.data = rounded;
    A1_TRY(a1_tensor_set_add(integers, &tensor, err));
    A1_TRY(a1_tensor_set_add(integers, &scale, err));
    tensor.dtype = A1_F32;
    tensor.data = meant;
    return floats ? a1_tensor_set_add(floats, &tensor, err) : ALLIN1_OK;
}

allin1_status test_eight_bits(const a1_tensor_set *from, a1_tensor_set *integers,
                              a1_tensor_set *floats, a1_error *err)
{
    for (size_t i = 0; i < a1_tensor_set_count(from); i++) {
        const a1_tensor *tensor = a1_tensor_set_at(from, i);
        if (tensor->rank > 1) {
            A1_TRY(add_eight_bits(tensor, integers, floats, err));
            continue;
        }
        A1_TRY(a1_tensor_set_add(integers, tensor, err));
        if (floats)
            A1_TRY(a1_tensor_set_add(floats, tensor, err));
    }
    return ALLIN1_OK;
}

static allin1_status write_model(const char *folder, const char *name, a1_tensor_set *set,
                                 a1_error *err)
{
    char path[4096];
    if (snprintf(path, sizeof path, "%s/%s.a1w", folder, name) >= (int)sizeof path)
        return a1_fail(err, ALLIN1_ERROR_ARGUMENT, "the path %.100s... is too long", folder);
    return a1_mapped_write(path, set, true, NULL, err);
}

allin1_status test_write_tiny_models(const char *folder, a1_error *err)
{
    a1_tensor_set *demixer = NULL, *network = NULL, *student = NULL;
    allin1_status status = ALLIN1_OK;
    A1_CHECK(test_tiny_htdemucs(&demixer, err));
    A1_CHECK(test_tiny_harmonix(&network, err));
    A1_CHECK(test_tiny_student(&(tiny_student_blocks){4, 3, 1, 2}, &student, err));
    A1_CHECK(write_model(folder, "tiny-htdemucs", demixer, err));
    A1_CHECK(write_model(folder, "tiny-harmonix", network, err));
    A1_CHECK(write_model(folder, "tiny-student", student, err));
done:
    a1_tensor_set_destroy(&demixer);
    a1_tensor_set_destroy(&network);
    a1_tensor_set_destroy(&student);
    return status;
}
