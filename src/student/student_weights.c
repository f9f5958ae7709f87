/* From named tensors to packed products. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "student/student_model.h"

#define FRONT_BANDS 5
#define FRONT_FRAMES 3
#define REDUCE_TAPS 4
#define CONV_TAPS 3
#define HEADS 6
#define CONTEXT (1 + A1_STUDENT_LABELS)

/* Where there is a tensor NAME.scale it has the factor of each row (first axis); integers need one. */
static allin1_status scale_rows(const a1_tensor_set *set, const a1_tensor *tensor, float *values,
                                a1_error *err)
{
    char full[80];
    const a1_tensor *scale;
    const size_t rows = tensor->shape[0], each = a1_tensor_count(tensor) / rows;
    snprintf(full, sizeof full, "%s.scale", tensor->name);
    if (tensor->dtype != A1_I8 && !a1_tensor_set_find(set, full))
        return ALLIN1_OK;
    A1_TRY(a1_tensor_set_require(set, full, 1, &rows, &scale, err));
    float *scales = a1_aligned_alloc(rows * sizeof *scales);
    if (!scales)
        return a1_fail_memory(err, "the student's weights");
    const allin1_status status = a1_tensor_to_f32(scale, scales, err);
    for (size_t i = 0; status == ALLIN1_OK && i < rows * each; i++)
        values[i] *= scales[i / each];
    a1_aligned_free(scales);
    return status;
}

/* The values that a tensor means, as float32; the caller frees them. */
static allin1_status read(const a1_tensor_set *set, const char *name, unsigned rank,
                          const size_t *shape, float **values, a1_error *err)
{
    const a1_tensor *tensor;
    *values = NULL;
    A1_TRY(a1_tensor_set_require(set, name, rank, shape, &tensor, err));
    *values = a1_aligned_alloc(a1_tensor_count(tensor) * sizeof **values);
    if (!*values)
        return a1_fail_memory(err, "the student's weights");
    if (tensor->dtype == A1_I8)
        a1_tensor_whole_to_f32(tensor, *values);
    else
        A1_TRY(a1_tensor_to_f32(tensor, *values, err));
    return scale_rows(set, tensor, *values, err);
}

static allin1_status read_norm(const a1_tensor_set *set, const char *name, size_t width,
                               student_norm *norm, a1_error *err)
{
    char full[64];
    snprintf(full, sizeof full, "%s.weight", name);
    A1_TRY(read(set, full, 1, &width, &norm->mul, err));
    snprintf(full, sizeof full, "%s.bias", name);
    return read(set, full, 1, &width, &norm->add, err);
}

/* A convolution's weights [outputs][inputs][high][wide] as a matrix [k][outputs]; place[k] is the
 * position in an output's weights that row k holds, or SIZE_MAX for a row of zeros. */
static allin1_status read_conv(const a1_tensor_set *set, const char *name, const size_t shape[4],
                               const size_t *place, size_t k, a1_gemm_weights *weights,
                               a1_error *err)
{
    char full[64];
    float *values = NULL, *bias = NULL, *matrix = NULL;
    const size_t outputs = shape[0], each = shape[1] * shape[2] * shape[3];
    allin1_status status;
    snprintf(full, sizeof full, "%s.weight", name);
    A1_CHECK(read(set, full, 4, shape, &values, err));
    snprintf(full, sizeof full, "%s.bias", name);
    A1_CHECK(read(set, full, 1, &outputs, &bias, err));
    matrix = a1_aligned_alloc(k * outputs * sizeof *matrix);
    if (!matrix) {
        status = a1_fail_memory(err, "the student's weights");
        goto done;
    }
    for (size_t row = 0; row < k; row++)
        for (size_t o = 0; o < outputs; o++)
            matrix[row * outputs + o] =
                place[row] == SIZE_MAX ? 0.0f : values[o * each + place[row]];
    status = a1_gemm_weights_pack_matrix(weights, matrix, k, outputs, bias, 0, A1_GEMM_FP32, err);

done:
    a1_aligned_free(values);
    a1_aligned_free(bias);
    a1_aligned_free(matrix);
    return status;
}

/* Taps along time, from the first one on: row k is tap k / inputs, input k % inputs. */
static allin1_status read_taps(const a1_tensor_set *set, const char *name, size_t outputs,
                               size_t inputs, size_t taps, a1_gemm_weights *weights, a1_error *err)
{
    const size_t shape[4] = {outputs, inputs, 1, taps}, k = inputs * taps;
    size_t *place = malloc(k * sizeof *place);
    if (!place)
        return a1_fail_memory(err, "the student's weights");
    for (size_t row = 0; row < k; row++)
        place[row] = row % inputs * taps + row / inputs;
    const allin1_status status = read_conv(set, name, shape, place, k, weights, err);
    free(place);
    return status;
}

static allin1_status read_front(const a1_tensor_set *set, a1_student *student, a1_error *err)
{
    const size_t shape[4] = {STUDENT_FRONT, 1, FRONT_FRAMES, FRONT_BANDS};
    size_t place[FRONT_FRAMES * FRONT_BANDS];
    for (size_t i = 0; i < FRONT_FRAMES * FRONT_BANDS; i++)
        place[i] = i;
    return read_conv(set, "front", shape, place, FRONT_FRAMES * FRONT_BANDS, &student->front, err);
}

/* PyTorch counts its inputs channel by channel; in memory a frame is place by place, and the unused
 * place gets zeros. */
static allin1_status read_reduce(const a1_tensor_set *set, a1_student *student, a1_error *err)
{
    const size_t inputs = STUDENT_FRONT * STUDENT_PLACES;
    const size_t shape[4] = {student->width, inputs, 1, REDUCE_TAPS};
    size_t place[REDUCE_TAPS * STUDENT_SLOTS * STUDENT_FRONT], row = 0;
    for (size_t tap = 0; tap < REDUCE_TAPS; tap++)
        for (size_t slot = 0; slot < STUDENT_SLOTS; slot++)
            for (size_t c = 0; c < STUDENT_FRONT; c++)
                place[row++] = slot < STUDENT_PLACES
                                   ? (c * STUDENT_PLACES + slot) * REDUCE_TAPS + tap
                                   : SIZE_MAX;
    return read_conv(set, "reduce", shape, place, row, &student->reduce, err);
}

/* Block i's dilation is 2 to the power of (i modulo `cycle`). */
static allin1_status read_tower(const a1_tensor_set *set, const char *name, size_t width,
                                size_t cycle, student_tower *tower, a1_error *err)
{
    char full[64];
    for (size_t i = 0;; i++) {
        snprintf(full, sizeof full, "%s.%zu.conv.weight", name, i);
        if (!a1_tensor_set_find(set, full))
            break;
        if (i == STUDENT_MAX_BLOCKS)
            return a1_fail(err, ALLIN1_ERROR_FORMAT, "the student has more than %d %s blocks",
                           STUDENT_MAX_BLOCKS, name);
        student_block *block = &tower->blocks[i];
        tower->count = i + 1;
        block->dilation = (size_t)1 << i % cycle;
        tower->reach = block->dilation > tower->reach ? block->dilation : tower->reach;
        snprintf(full, sizeof full, "%s.%zu.norm", name, i);
        A1_TRY(read_norm(set, full, width, &block->norm, err));
        snprintf(full, sizeof full, "%s.%zu.conv", name, i);
        A1_TRY(read_taps(set, full, width, width, CONV_TAPS, &block->conv, err));
        snprintf(full, sizeof full, "%s.%zu.mix", name, i);
        A1_TRY(read_taps(set, full, width, width, 1, &block->mix, err));
    }
    if (tower->count == 0)
        return a1_fail(err, ALLIN1_ERROR_FORMAT, "the student's weights have no %s blocks", name);
    snprintf(full, sizeof full, "%s_norm", name);
    return read_norm(set, full, width, &tower->norm, err);
}

/* The row of one number a view that a tensor holds; `count` 0: as many as it has. */
static allin1_status read_row(const a1_tensor *row, size_t *count, float values[STUDENT_MAX_VIEWS],
                              a1_error *err)
{
    if (row->rank != 1 || row->shape[0] == 0 || row->shape[0] > STUDENT_MAX_VIEWS)
        return a1_fail(err, ALLIN1_ERROR_FORMAT,
                       "the student's %s are not one row of 1 to %d values", row->name,
                       STUDENT_MAX_VIEWS);
    if (*count != 0 && row->shape[0] != *count)
        return a1_fail(err, ALLIN1_ERROR_FORMAT,
                       "the student has shifts for %zu views and %s for %zu", *count, row->name,
                       row->shape[0]);
    *count = row->shape[0];
    return a1_tensor_to_f32(row, values, err);
}

/* The form is told by the views at the song's own tempo, or by all where there is none: what a section is
 * called changes with the tempo, as the teacher's words do. */
static void set_form(a1_student *student)
{
    bool any = false;
    for (size_t i = 0; i < student->view_count; i++)
        any = any || student->views[i].tempo == 1;
    for (size_t i = 0; i < student->view_count; i++) {
        student->views[i].form = !any || student->views[i].tempo == 1;
        student->form_count += student->views[i].form;
    }
}

/* One view, the song as it is, where nothing is said of others. */
static allin1_status read_views(const a1_tensor_set *set, a1_student *student, a1_error *err)
{
    const a1_tensor *shifts = a1_tensor_set_find(set, "shifts");
    const a1_tensor *tempos = a1_tensor_set_find(set, "tempos");
    float shift[STUDENT_MAX_VIEWS] = {0}, tempo[STUDENT_MAX_VIEWS];
    size_t count = 0;
    for (size_t i = 0; i < STUDENT_MAX_VIEWS; i++)
        tempo[i] = 1;
    if (shifts)
        A1_TRY(read_row(shifts, &count, shift, err));
    if (tempos)
        A1_TRY(read_row(tempos, &count, tempo, err));
    student->view_count = count > 0 ? count : 1;
    for (size_t i = 0; i < student->view_count; i++) {
        if (!(fabsf(shift[i]) < A1_STUDENT_BANDS) || shift[i] != truncf(shift[i]))
            return a1_fail(err, ALLIN1_ERROR_FORMAT,
                           "one of the student's shifts, %g, is not a whole number of fewer than "
                           "%d bands",
                           (double)shift[i], A1_STUDENT_BANDS);
        if (!(tempo[i] >= (float)STUDENT_SLOWEST && tempo[i] <= (float)STUDENT_FASTEST))
            return a1_fail(err, ALLIN1_ERROR_FORMAT,
                           "one of the student's tempos, %g, is not %g to %g", (double)tempo[i],
                           STUDENT_SLOWEST, STUDENT_FASTEST);
        student->views[i] = (student_view){.shift = (int)shift[i], .tempo = (double)tempo[i]};
    }
    set_form(student);
    return ALLIN1_OK;
}

/* The width is the length of the first product's bias. */
static allin1_status read_width(const a1_tensor_set *set, size_t *width, a1_error *err)
{
    const a1_tensor *bias = a1_tensor_set_find(set, "reduce.bias");
    if (!bias || bias->rank != 1 || bias->shape[0] == 0 || bias->shape[0] % 16 != 0 ||
        bias->shape[0] > STUDENT_MAX_WIDTH)
        return a1_fail(err, ALLIN1_ERROR_FORMAT,
                       "the student's weights have no reduce.bias of a multiple of 16 up to %d "
                       "values",
                       STUDENT_MAX_WIDTH);
    *width = bias->shape[0];
    return ALLIN1_OK;
}

allin1_status a1_student_create(a1_student **out, const a1_tensor_set *set, const a1_cpu *cpu,
                                a1_error *err)
{
    *out = NULL;
    size_t width = 0;
    A1_TRY(read_width(set, &width, err));
    a1_student *student = calloc(1, sizeof *student);
    if (!student)
        return a1_fail_memory(err, "the student");
    student->gemm = a1_gemm_kernels_get(cpu);
    student->layers = a1_layer_kernels_get(cpu);
    student->width = width;
    allin1_status status;
    A1_CHECK(read_views(set, student, err));
    A1_CHECK(read_front(set, student, err));
    A1_CHECK(read_reduce(set, student, err));
    A1_CHECK(read_tower(set, "fine", width, STUDENT_MAX_BLOCKS, &student->fine, err));
    A1_CHECK(read_tower(set, "middle", width, STUDENT_CYCLE, &student->middle, err));
    A1_CHECK(read_taps(set, "up", width, width, 1, &student->up, err));
    A1_CHECK(read_tower(set, "late", width, STUDENT_MAX_BLOCKS, &student->late, err));
    A1_CHECK(read_tower(set, "coarse", width, STUDENT_CYCLE, &student->coarse, err));
    A1_CHECK(read_taps(set, "beats", HEADS, width, 1, &student->beats, err));
    A1_CHECK(read_taps(set, "context", CONTEXT, width, 1, &student->context, err));

done:
    if (status == ALLIN1_OK)
        *out = student;
    else
        a1_student_destroy(&student);
    return status;
}

static void free_norm(student_norm *norm)
{
    a1_aligned_free(norm->mul);
    a1_aligned_free(norm->add);
}

static void free_tower(student_tower *tower)
{
    for (size_t i = 0; i < tower->count; i++) {
        free_norm(&tower->blocks[i].norm);
        a1_gemm_weights_free(&tower->blocks[i].conv);
        a1_gemm_weights_free(&tower->blocks[i].mix);
    }
    free_norm(&tower->norm);
}

void a1_student_destroy(a1_student **slot)
{
    a1_student *student = *slot;
    if (!student)
        return;
    a1_gemm_weights_free(&student->front);
    a1_gemm_weights_free(&student->reduce);
    free_tower(&student->fine);
    free_tower(&student->middle);
    a1_gemm_weights_free(&student->up);
    free_tower(&student->late);
    free_tower(&student->coarse);
    a1_gemm_weights_free(&student->beats);
    a1_gemm_weights_free(&student->context);
    free(student);
    *slot = NULL;
}
