/* The matrix kernels of every level and precision against double precision.
 *
 * Tolerances come from running error analysis (support/bounded.h): sums are bounded by their
 * partial sums in the order of k, which is the order that gemm_body.h promises; rounding A and B to
 * 8 bits is bounded by half a step of each. Everything in C that no group owns holds a pattern that
 * must survive, and all arrays end where memory ends. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/arena.h"
#include "kernels/gemm.h"
#include "support/bounded.h"
#include "support/guarded.h"
#include "support/kernel_levels.h"

#define MAX_CHUNKS 8
#define MAX_PANELS 8
#define MAX_OUTPUTS (MAX_PANELS * 32)
#define CANARY 0x7fa5c3e1u /* a number that is none, which no kernel computes */

static const char *const precision_names[] = {"fp32", "bf16", "int8"};

/* ---- a product to compute ----------------------------------------------------------------------
 */

/* One number of a row of C: which columns make it and where scale and post hold its factors. */
typedef struct output {
    size_t at;      /* in the row of C */
    int32_t column; /* of the matrix, -1 for none: the sum is 0 */
    int32_t gate;   /* the column of its gate, or -1 */
    size_t slot;
} output;

typedef struct problem {
    char name[160];
    size_t rows, k, columns;
    /* A */
    a1_gemm_chunk chunks[MAX_CHUNKS];
    float *buffers[MAX_CHUNKS];
    size_t buffer_floats[MAX_CHUNKS], buffer_count;
    size_t chunk_count, lda;
    /* B and where its columns go */
    float *matrix, *bias;
    int simple; /* packed by a1_gemm_weights_pack_matrix */
    int glu;
    size_t panels;
    int32_t slots[MAX_PANELS * 32];
    a1_gemm_group groups[MAX_PANELS * 2];
    output outputs[MAX_OUTPUTS];
    size_t output_count, extent; /* floats of a row of C up to the last output */
    /* epilogue */
    a1_activation activation;
    float *scale, *post;
    size_t ldc, ldr;
    float *residual;
    size_t residual_floats;
    int in_place; /* C holds the residual */
} problem;

static uint64_t seed = 20240229;

static size_t pick(size_t low, size_t high)
{
    return low + (size_t)((kernel_random(&seed) * 0.5f + 0.5f) * (float)(high - low + 1)) %
                     (high - low + 1);
}

static void fill(float *values, size_t count, float size)
{
    for (size_t i = 0; i < count; i++)
        values[i] = kernel_random(&seed) * size;
}

static float *new_buffer(problem *p, size_t count)
{
    float *buffer = guarded_floats(count);
    p->buffers[p->buffer_count] = buffer;
    p->buffer_floats[p->buffer_count++] = count;
    return buffer;
}

/* Chunks in arrays of their own, rows apart or overlapping. */
static void separate_chunks(problem *p, size_t count, const size_t *k, size_t lda)
{
    p->chunk_count = count;
    p->lda = lda;
    p->k = 0;
    for (size_t i = 0; i < count; i++) {
        p->chunks[i] = (a1_gemm_chunk){new_buffer(p, (p->rows - 1) * lda + k[i]), k[i]};
        p->k += k[i];
    }
}

/* Chunks of k each in one array, `shift` floats from one to the next: the taps of a convolution. */
static void shared_chunks(problem *p, size_t count, size_t k, size_t shift, size_t lda)
{
    p->chunk_count = count;
    p->lda = lda;
    p->k = count * k;
    const float *base = new_buffer(p, (p->rows - 1) * lda + (count - 1) * shift + k);
    for (size_t i = 0; i < count; i++)
        p->chunks[i] = (a1_gemm_chunk){base + i * shift, k};
}

static void add_output(problem *p, size_t at, int32_t column, int32_t gate, size_t slot)
{
    p->outputs[p->output_count++] = (output){at, column, gate, slot};
    p->extent = at + 1 > p->extent ? at + 1 : p->extent;
}

/* `count` outputs side by side. */
static void simple_columns(problem *p, size_t count, int glu)
{
    p->simple = 1;
    p->glu = glu;
    p->columns = glu ? 2 * count : count;
    p->panels = glu ? (count + 15) / 16 : (count + 31) / 32;
    for (size_t o = 0; o < count; o++)
        add_output(p, o, (int32_t)o, glu ? (int32_t)(count + o) : -1, o);
}

/* Four groups of `count` columns, `step` floats apart in C, as a transposed convolution has them.
 */
static void phase_columns(problem *p, size_t count, size_t step)
{
    const size_t per_phase = (count + 15) / 16;
    p->columns = 4 * count;
    p->panels = (4 * per_phase + 1) / 2;
    for (size_t g = 0; g < 2 * p->panels; g++) {
        const size_t phase = g / per_phase, first = g % per_phase * 16;
        const size_t valid = phase > 3 ? 0 : count - first < 16 ? count - first : 16;
        p->groups[g] = (a1_gemm_group){phase * step + first, valid};
        for (size_t s = 0; s < 16; s++) {
            const size_t column = phase * count + first + s;
            p->slots[g * 16 + s] = s < valid ? (int32_t)column : -1;
            if (s < valid)
                add_output(p, phase * step + first + s, (int32_t)column, -1, g * 16 + s);
        }
    }
}

/* `count` columns in groups that are written whole, padding included, in an order that is not
 * theirs. */
static void padded_columns(problem *p, size_t count)
{
    p->columns = count;
    p->panels = (count + 31) / 32;
    const size_t groups = (count + 15) / 16;
    for (size_t g = 0; g < 2 * p->panels; g++) {
        p->groups[g] = (a1_gemm_group){g * 16, g < groups ? 16 : 0};
        for (size_t s = 0; s < 16; s++) {
            const size_t reversed = g * 16 + 15 - s;
            const int32_t column = reversed < count ? (int32_t)(count - 1 - reversed) : -1;
            p->slots[g * 16 + s] = column;
            if (g < groups)
                add_output(p, g * 16 + s, column, -1, g * 16 + s);
        }
    }
}

/* Numbers for A, B and the epilogue. `parts` has a bit for each of bias, scale, post and residual.
 */
static void fill_problem(problem *p, float a_size, float b_size, unsigned parts)
{
    for (size_t i = 0; i < p->buffer_count; i++)
        fill(p->buffers[i], p->buffer_floats[i], a_size);
    p->matrix = guarded_floats(p->k * p->columns);
    fill(p->matrix, p->k * p->columns, b_size);
    const float result = a_size * b_size;
    const size_t slots = p->panels * (p->glu ? 16 : 32);
    if (parts & 1) {
        p->bias = guarded_floats(p->columns);
        fill(p->bias, p->columns, result);
    }
    if (parts & 2) {
        p->scale = guarded_floats(slots);
        fill(p->scale, slots, 2.0f);
    }
    if (parts & 4) {
        p->post = guarded_floats(slots);
        fill(p->post, slots, result);
    }
    p->ldc = p->extent + (parts & 16 ? pick(1, 40) : 0);
    if (parts & 8) {
        p->in_place = (parts & 32) != 0;
        p->ldr = p->in_place ? p->ldc : p->extent + pick(0, 9);
        p->residual_floats = (p->rows - 1) * p->ldr + p->extent;
        p->residual = guarded_floats(p->residual_floats);
        for (size_t i = 0; i < p->residual_floats; i++)
            p->residual[i] = NAN;
        for (size_t r = 0; r < p->rows; r++)
            for (size_t o = 0; o < p->output_count; o++)
                p->residual[r * p->ldr + p->outputs[o].at] = kernel_random(&seed) * result;
    }
}

static void free_problem(problem *p)
{
    for (size_t i = 0; i < p->buffer_count; i++)
        guarded_free(p->buffers[i], p->buffer_floats[i]);
    const size_t slots = p->panels * (p->glu ? 16 : 32);
    guarded_free(p->matrix, p->k * p->columns);
    if (p->bias)
        guarded_free(p->bias, p->columns);
    if (p->scale)
        guarded_free(p->scale, slots);
    if (p->post)
        guarded_free(p->post, slots);
    if (p->residual)
        guarded_free(p->residual, p->residual_floats);
}

/* ---- what it should give -----------------------------------------------------------------------
 */

static double to_bf16(float value)
{
    /* To the nearest with eight bits of significand, ties to even, by way of the exponent. */
    int exponent;
    const double part = frexp((double)value, &exponent);
    return ldexp(rint(ldexp(part, 8)), exponent - 8);
}

static double largest_of_row(const problem *p, size_t row)
{
    double largest = 0;
    for (size_t i = 0; i < p->chunk_count; i++)
        for (size_t k = 0; k < p->chunks[i].k; k++)
            largest = fmax(largest, fabs((double)p->chunks[i].a[row * p->lda + k]));
    return largest;
}

static double largest_of_column(const problem *p, size_t column)
{
    double largest = 0;
    for (size_t k = 0; k < p->k; k++)
        largest = fmax(largest, fabs((double)p->matrix[k * p->columns + column]));
    return largest;
}

/* The sum of one row and column, and how far a kernel of this precision may be from it. */
static bounded dot(const problem *p, size_t row, int32_t column, a1_gemm_precision precision)
{
    if (column < 0)
        return bounded_exact(0);
    bounded sum = {0, 0};
    double steps = 0;
    const double step_a = largest_of_row(p, row) / 127;
    const double step_b =
        precision == A1_GEMM_INT8 ? largest_of_column(p, (size_t)column) / 127 : 0;
    const float *b = p->matrix + column;
    for (size_t i = 0; i < p->chunk_count; i++) {
        const float *a = p->chunks[i].a + row * p->lda;
        for (size_t k = 0; k < p->chunks[i].k; k++, b += p->columns) {
            double x = (double)a[k], y = (double)*b;
            if (precision == A1_GEMM_FP32) {
                sum = bounded_fma(bounded_exact(x), bounded_exact(y), sum);
                continue;
            }
            if (precision == A1_GEMM_BF16) {
                /* Pairs are added in an order of the processor's own, two roundings a pair at most,
                 * which may be to odd instead of to the nearest (Arm), and numbers below 2^-126 are
                 * zeros to it. */
                x = to_bf16(a[k]);
                y = to_bf16(*b);
                sum.error += 2 * ROUNDING * (fabs(sum.value) + 2 * fabs(x * y)) + 0x1p-126;
                sum.error *= 1 + 4 * ROUNDING;
            } else {
                /* Half a step of each, and the float factor that finds the step. */
                steps += 0.50001 * (fabs(x) * step_b + fabs(y) * step_a) + 0.26 * step_a * step_b;
            }
            sum.value += x * y;
        }
    }
    if (precision == A1_GEMM_INT8) {
        /* Integers add without error; then one conversion and two products, on scales rounded
         * twice. Where the scales' product is subnormal, all of the integer is multiplied by its
         * error. */
        const double integer = (double)p->k * 127 * 127;
        sum.error = steps + 8 * ROUNDING * (fabs(sum.value) + steps) + UNDERFLOW * (1 + integer);
    }
    return sum;
}

static bounded with_bias(const problem *p, bounded sum, int32_t column)
{
    return p->bias && column >= 0 ? bounded_add(sum, bounded_exact((double)p->bias[column])) : sum;
}

static bounded expected_output(const problem *p, size_t row, const output *o,
                               a1_gemm_precision precision)
{
    bounded v = with_bias(p, dot(p, row, o->column, precision), o->column);
    if (p->glu)
        v = bounded_multiply(
            v, bounded_sigmoid(with_bias(p, dot(p, row, o->gate, precision), o->gate)));
    else if (p->activation == A1_ACT_RELU)
        v.value = fmax(v.value, 0); /* moves no two values further apart */
    else if (p->activation == A1_ACT_GELU)
        v = bounded_gelu(v);
    if (p->scale)
        v = bounded_multiply(v, bounded_exact((double)p->scale[o->slot]));
    if (p->post)
        v = bounded_add(v, bounded_exact((double)p->post[o->slot]));
    if (p->residual)
        v = bounded_add(v, bounded_exact((double)p->residual[row * p->ldr + o->at]));
    return v;
}

/* ---- running and comparing ---------------------------------------------------------------------
 */

static a1_gemm_weights pack(const problem *p, a1_gemm_precision precision)
{
    a1_gemm_weights weights;
    a1_error err = {0};
    allin1_status status;
    if (p->simple) {
        status = a1_gemm_weights_pack_matrix(&weights, p->matrix, p->k, p->columns, p->bias, p->glu,
                                             precision, &err);
    } else {
        size_t *rows = malloc(p->k * sizeof *rows), *columns = malloc(p->columns * sizeof *columns);
        assert_true(rows && columns);
        for (size_t k = 0; k < p->k; k++)
            rows[k] = k * p->columns;
        for (size_t c = 0; c < p->columns; c++)
            columns[c] = c;
        const a1_gemm_source source = {.values = p->matrix,
                                       .row_offset = rows,
                                       .k = p->k,
                                       .column_offset = columns,
                                       .columns = p->columns,
                                       .bias = p->bias};
        status = a1_gemm_weights_pack(&weights, &source, p->panels, p->slots, p->groups, p->glu,
                                      precision, &err);
        free(rows);
        free(columns);
    }
    if (status != ALLIN1_OK)
        fail_msg("%s", err.message);
    assert_int_equal(weights.panels, p->panels);
    return weights;
}

static void set_canaries(const problem *p, float *c, size_t floats)
{
    const uint32_t canary = CANARY;
    for (size_t i = 0; i < floats; i++)
        memcpy(&c[i], &canary, sizeof canary);
    for (size_t r = 0; p->in_place && r < p->rows; r++)
        for (size_t o = 0; o < p->output_count; o++)
            c[r * p->ldc + p->outputs[o].at] = p->residual[r * p->ldr + p->outputs[o].at];
}

static uint32_t bits_of(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static a1_gemm_call make_call(const problem *p, const a1_gemm_weights *weights, float *c,
                              void *scratch)
{
    return (a1_gemm_call){.weights = weights,
                          .chunks = p->chunks,
                          .chunk_count = p->chunk_count,
                          .lda = p->lda,
                          .rows = p->rows,
                          .c = c,
                          .ldc = p->ldc,
                          .activation = p->glu ? A1_ACT_GLU : p->activation,
                          .scale = p->scale,
                          .post = p->post,
                          .residual = p->in_place ? c : p->residual,
                          .ldr = p->ldr,
                          .scratch = scratch};
}

/* Rows first...first+count alone must have the bits that they have among the others. */
static void check_rows_alone(const problem *p, const a1_gemm_kernels *kernels, a1_gemm_call call,
                             const float *whole, const char *where, size_t first, size_t count)
{
    const size_t floats = (count - 1) * p->ldc + p->extent;
    a1_gemm_chunk chunks[MAX_CHUNKS];
    for (size_t i = 0; i < p->chunk_count; i++)
        chunks[i] = (a1_gemm_chunk){p->chunks[i].a + first * p->lda, p->chunks[i].k};
    problem part = *p;
    part.rows = count;
    if (p->residual)
        part.residual = p->residual + first * p->ldr;
    float *c = guarded_floats(floats);
    set_canaries(&part, c, floats);
    call.chunks = chunks;
    call.rows = count;
    call.c = c;
    call.residual = p->in_place ? c : part.residual;
    a1_gemm_run(kernels, &call);
    for (size_t i = 0; i < floats; i++)
        if (bits_of(c[i]) != bits_of(whole[first * p->ldc + i]))
            fail_msg("%s: row %zu, column %zu is %.9g in a call of %zu rows and %.9g in one of %zu",
                     where, first + i / p->ldc, i % p->ldc, (double)c[i], count,
                     (double)whole[first * p->ldc + i], p->rows);
    guarded_free(c, floats);
}

/* Computes the problem at one level and precision. With `expected` ([rows][output_count]) the
 * results are compared. */
static void check_run(const problem *p, const a1_cpu *cpu, a1_gemm_precision precision,
                      const bounded *expected)
{
    const a1_gemm_kernels kernels = a1_gemm_kernels_get(cpu);
    char where[256];
    snprintf(where, sizeof where, "%s, %s, %s", allin1_cpu_level_string(cpu->level),
             precision_names[precision], p->name);
    a1_gemm_weights weights = pack(p, precision);
    const size_t scratch_bytes = a1_gemm_scratch(&weights);
    void *scratch = a1_aligned_alloc(scratch_bytes);
    assert_non_null(scratch);
    const size_t floats = (p->rows - 1) * p->ldc + p->extent;
    float *c = guarded_floats(floats);
    set_canaries(p, c, floats);
    const a1_gemm_call call = make_call(p, &weights, c, scratch);
    a1_gemm_run(&kernels, &call);

    unsigned char *owned = calloc(p->extent, 1);
    assert_non_null(owned);
    for (size_t o = 0; o < p->output_count; o++)
        owned[p->outputs[o].at] = 1;
    for (size_t i = 0; i < floats; i++) {
        const size_t at = i % p->ldc;
        if ((at >= p->extent || !owned[at]) && bits_of(c[i]) != CANARY)
            fail_msg("%s: row %zu, column %zu is not the product's and was written", where,
                     i / p->ldc, at);
    }
    for (size_t r = 0; expected && r < p->rows; r++)
        for (size_t o = 0; o < p->output_count; o++) {
            const bounded e = expected[r * p->output_count + o];
            const double actual = (double)c[r * p->ldc + p->outputs[o].at];
            if (!(fabs(actual - e.value) <= e.error))
                fail_msg("%s: row %zu, output %zu is %.9g, exactly %.17g: off by %.3g, allowed "
                         "%.3g",
                         where, r, o, actual, e.value, fabs(actual - e.value), e.error);
        }
    check_rows_alone(p, &kernels, call, c, where, p->rows - 1, 1);
    if (p->rows > 2) {
        const size_t first = pick(0, p->rows - 2);
        check_rows_alone(p, &kernels, call, c, where, first, pick(1, p->rows - first));
    }
    free(owned);
    guarded_free(c, floats);
    a1_aligned_free(scratch);
    a1_gemm_weights_free(&weights);
}

/* At every level, in every precision that it has. */
static void check_problem(const problem *p)
{
    a1_cpu levels[MAX_KERNEL_LEVELS];
    const size_t count = kernel_levels(levels);
    bounded *expected = malloc(p->rows * p->output_count * sizeof *expected);
    assert_non_null(expected);
    for (a1_gemm_precision precision = A1_GEMM_FP32; precision <= A1_GEMM_INT8; precision++) {
        int made = 0;
        for (size_t l = 0; l < count; l++) {
            if (!a1_gemm_kernels_get(&levels[l]).run[precision])
                continue;
            if (!made)
                for (size_t r = 0; r < p->rows; r++)
                    for (size_t o = 0; o < p->output_count; o++)
                        expected[r * p->output_count + o] =
                            expected_output(p, r, &p->outputs[o], precision);
            made = 1;
            check_run(p, &levels[l], precision, expected);
        }
    }
    free(expected);
}

/* ---- the cases ---------------------------------------------------------------------------------
 */

/* Every number of rows through the tiles and beyond two of them, every small k and every tail of
 * the 16-bit and 8-bit conversions. */
static void test_rows_and_depths(void **state)
{
    (void)state;
    for (size_t rows = 1; rows <= 25; rows++) {
        const size_t k = rows <= 18 ? rows : rows * 5 + 2;
        problem p = {.rows = rows};
        snprintf(p.name, sizeof p.name, "%zu rows, k %zu, 33 columns", rows, k);
        separate_chunks(&p, 1, &k, k);
        simple_columns(&p, 33, 0);
        fill_problem(&p, 1, 1, 1);
        check_problem(&p);
        free_problem(&p);
    }
}

/* More rows than are kept in the cache at once, where all block boundaries are crossed. */
static void test_blocks_of_rows(void **state)
{
    (void)state;
    const size_t rows[] = {997, 127, 61}, k[] = {9, 1031, 2050};
    for (size_t i = 0; i < 3; i++) {
        problem p = {.rows = rows[i]};
        snprintf(p.name, sizeof p.name, "%zu rows, k %zu", rows[i], k[i]);
        separate_chunks(&p, 1, &k[i], k[i] + 3);
        simple_columns(&p, i == 0 ? 40 : 3, i == 2);
        fill_problem(&p, 1, 1, 1 | 2 | 8);
        check_problem(&p);
        free_problem(&p);
    }
}

static void test_random_problems(void **state)
{
    (void)state;
    for (int i = 0; i < 300; i++) {
        problem p = {.rows = pick(1, 40)};
        const size_t lists = pick(1, MAX_CHUNKS), channels = pick(1, 37);
        size_t k[MAX_CHUNKS], most = 0, lda = 0;
        for (size_t j = 0; j < MAX_CHUNKS; j++)
            k[j] = pick(1, 60);
        for (size_t j = 0; j < lists; j++)
            most = k[j] > most ? k[j] : most;
        const char *layout;
        switch (pick(0, 4)) {
        case 0:
            layout = "chunks apart";
            lda = most + pick(0, 20);
            separate_chunks(&p, lists, k, lda);
            break;
        case 1:
            layout = "rows that overlap"; /* as a strided convolution reads them */
            lda = pick(1, most);
            separate_chunks(&p, lists, k, lda);
            break;
        case 2:
            layout = "taps that overlap";
            lda = channels;
            shared_chunks(&p, lists, channels, channels, lda);
            break;
        case 3:
            layout = "dilated taps";
            lda = channels + pick(0, 3);
            shared_chunks(&p, 3, channels, 2 * lda, lda);
            break;
        default:
            layout = "one row for all"; /* a stride of nothing */
            separate_chunks(&p, lists, k, lda);
            break;
        }
        const char *columns;
        switch (pick(0, 3)) {
        case 0:
            columns = "plain";
            simple_columns(&p, pick(1, 90), 0);
            break;
        case 1:
            columns = "glu";
            simple_columns(&p, pick(1, 60), 1);
            break;
        case 2: {
            const size_t count = pick(1, 40);
            columns = "phases";
            phase_columns(&p, count, count + pick(0, 30));
            break;
        }
        default:
            columns = "padded";
            padded_columns(&p, pick(1, 70));
            break;
        }
        if (!p.glu)
            p.activation = (a1_activation)pick(A1_ACT_NONE, A1_ACT_GELU);
        const unsigned parts = (unsigned)pick(0, 63);
        snprintf(p.name, sizeof p.name,
                 "problem %d: %zu rows, k %zu in %zu chunks, lda %zu (%s), %zu columns (%s), "
                 "activation %d, parts %u",
                 i, p.rows, p.k, p.chunk_count, lda, layout, p.columns, columns, (int)p.activation,
                 parts);
        fill_problem(&p, 2, 1, parts);
        check_problem(&p);
        free_problem(&p);
    }
}

/* Products that vanish, sums near the top of the range, and rows that differ by 30 orders. */
static void test_sizes_of_numbers(void **state)
{
    (void)state;
    const float a_size[] = {1e-30f, 1e-18f, 1e18f, 1e-30f, 1e30f};
    const float b_size[] = {1e-14f, 1e-18f, 1e17f, 1e30f, 1e-30f};
    for (size_t i = 0; i < sizeof a_size / sizeof *a_size; i++) {
        for (int glu = 0; glu < 2; glu++) {
            const size_t k[] = {40, 23};
            problem p = {.rows = 14};
            snprintf(p.name, sizeof p.name, "sizes %g and %g%s", (double)a_size[i],
                     (double)b_size[i], glu ? " gated" : "");
            separate_chunks(&p, 2, k, 41);
            simple_columns(&p, 20, glu);
            /* A gate near 1e35 says nothing about its value: only the sums are compared there. */
            fill_problem(&p, a_size[i], b_size[i],
                         glu && a_size[i] * b_size[i] > 1 ? 0 : 1 | 4 | 8);
            for (size_t r = 1; r < p.rows; r += 2)
                for (size_t c = 0; c < k[0]; c++)
                    p.buffers[0][r * p.lda + c] *= 1e-20f;
            check_problem(&p);
            free_problem(&p);
        }
    }
}

/* What is not a number, or infinite, in one row of A stays in that row. */
static void test_spoiled_row(void **state)
{
    (void)state;
    a1_cpu levels[MAX_KERNEL_LEVELS];
    const size_t count = kernel_levels(levels), k = 19, spoiled = 6;
    const a1_activation activations[] = {A1_ACT_NONE, A1_ACT_GELU, A1_ACT_GLU};
    for (size_t l = 0; l < count; l++) {
        const a1_gemm_kernels kernels = a1_gemm_kernels_get(&levels[l]);
        for (size_t i = 0; i < 6; i++) {
            problem p = {.rows = 13, .activation = i % 3 == 1 ? A1_ACT_GELU : A1_ACT_NONE};
            separate_chunks(&p, 1, &k, k);
            simple_columns(&p, 37, activations[i % 3] == A1_ACT_GLU);
            fill_problem(&p, 1, 1, 1);
            for (int precision = 0; precision < 3; precision++) {
                if (!kernels.run[precision])
                    continue;
                a1_gemm_weights weights = pack(&p, (a1_gemm_precision)precision);
                void *scratch = a1_aligned_alloc(a1_gemm_scratch(&weights));
                const size_t floats = p.rows * p.ldc;
                float *clean = guarded_floats(floats), *dirty = guarded_floats(floats);
                a1_gemm_call call = make_call(&p, &weights, clean, scratch);
                a1_gemm_run(&kernels, &call);
                float *victim = &p.buffers[0][spoiled * k + 5];
                const float kept = *victim;
                *victim = i < 3 ? NAN : INFINITY;
                call.c = dirty;
                a1_gemm_run(&kernels, &call);
                *victim = kept;
                for (size_t r = 0; r < p.rows; r++)
                    if (r != spoiled)
                        assert_memory_equal(clean + r * p.ldc, dirty + r * p.ldc,
                                            p.ldc * sizeof *clean);
                /* Floats pass it on; 8-bit integers have no place for it. */
                for (size_t c = 0; precision != A1_GEMM_INT8 && c < p.ldc; c++)
                    assert_true(!isfinite(dirty[spoiled * p.ldc + c]) || i >= 3);
                guarded_free(clean, floats);
                guarded_free(dirty, floats);
                a1_aligned_free(scratch);
                a1_gemm_weights_free(&weights);
            }
            free_problem(&p);
        }
    }
}

static void test_zeros(void **state)
{
    (void)state;
    const size_t k = 21;
    problem p = {.rows = 9};
    snprintf(p.name, sizeof p.name, "zeros");
    separate_chunks(&p, 1, &k, k);
    simple_columns(&p, 18, 0);
    fill_problem(&p, 0, 0, 1);
    check_problem(&p);
    a1_cpu levels[MAX_KERNEL_LEVELS];
    const size_t count = kernel_levels(levels);
    for (size_t l = 0; l < count; l++) {
        const a1_gemm_kernels kernels = a1_gemm_kernels_get(&levels[l]);
        for (int precision = 0; precision < 3; precision++) {
            if (!kernels.run[precision])
                continue;
            a1_gemm_weights weights = pack(&p, (a1_gemm_precision)precision);
            void *scratch = a1_aligned_alloc(a1_gemm_scratch(&weights));
            float *c = guarded_floats(p.rows * p.ldc);
            const a1_gemm_call call = make_call(&p, &weights, c, scratch);
            a1_gemm_run(&kernels, &call);
            for (size_t i = 0; i < p.rows * p.ldc; i++)
                assert_true(c[i] == 0.0f);
            guarded_free(c, p.rows * p.ldc);
            a1_aligned_free(scratch);
            a1_gemm_weights_free(&weights);
        }
    }
    free_problem(&p);
}

static void test_spread(void **state)
{
    (void)state;
    for (int glu = 0; glu < 2; glu++) {
        for (size_t count = 1; count <= 70; count += 3) {
            const size_t k = 2;
            problem p = {.rows = 1};
            separate_chunks(&p, 1, &k, k);
            simple_columns(&p, count, glu);
            fill_problem(&p, 1, 1, 0);
            a1_gemm_weights weights = pack(&p, A1_GEMM_FP32);
            float values[70];
            fill(values, count, 1);
            float *spread = a1_gemm_spread(&weights, values, count);
            assert_non_null(spread);
            for (size_t i = 0; i < weights.panels * (glu ? 16 : 32); i++)
                assert_true(spread[i] == (i < count ? values[i] : 0.0f));
            a1_aligned_free(spread);
            a1_gemm_weights_free(&weights);
            free_problem(&p);
        }
    }
}

/* ---- plain products ----------------------------------------------------------------------------
 */

static void check_plain(size_t rows, size_t k, size_t panels, size_t more_lda, size_t more_ldc,
                        int accumulate, float size)
{
    const size_t lda = k + more_lda, ldc = panels * 32 + more_ldc, panel_stride = k * 32 + 64;
    const size_t a_floats = (rows - 1) * lda + k, b_floats = (panels - 1) * panel_stride + k * 32;
    const size_t c_floats = (rows - 1) * ldc + panels * 32;
    float *a = guarded_floats(a_floats), *b = guarded_floats(b_floats);
    float *before = guarded_floats(c_floats), *c = guarded_floats(c_floats);
    fill(a, a_floats, size);
    fill(b, b_floats, 1);
    fill(before, c_floats, size);
    a1_cpu levels[MAX_KERNEL_LEVELS];
    const size_t count = kernel_levels(levels);
    for (size_t l = 0; l < count; l++) {
        const a1_gemm_kernels kernels = a1_gemm_kernels_get(&levels[l]);
        memcpy(c, before, c_floats * sizeof *c);
        a1_gemm_plain_call call = {.a = a,
                                   .lda = lda,
                                   .rows = rows,
                                   .k = k,
                                   .b = b,
                                   .b_panel_stride = panel_stride,
                                   .panels = panels,
                                   .c = c,
                                   .ldc = ldc,
                                   .accumulate = accumulate};
        kernels.run_plain(&call);
        for (size_t i = 0; i < c_floats; i++) {
            const size_t r = i / ldc, column = i % ldc;
            if (column >= panels * 32) {
                assert_true(c[i] == before[i]);
                continue;
            }
            bounded sum = bounded_exact(accumulate ? (double)before[i] : 0);
            const float *panel = b + column / 32 * panel_stride + column % 32;
            for (size_t j = 0; j < k; j++)
                sum = bounded_fma(bounded_exact((double)a[r * lda + j]),
                                  bounded_exact((double)panel[j * 32]), sum);
            if (!(fabs((double)c[i] - sum.value) <= sum.error))
                fail_msg("%s, plain, %zu rows, k %zu, %zu panels: row %zu, column %zu is %.9g, "
                         "exactly %.17g, allowed %.3g",
                         allin1_cpu_level_string(levels[l].level), rows, k, panels, r, column,
                         (double)c[i], sum.value, sum.error);
        }
        /* The last row alone has the same bits. */
        float alone[MAX_PANELS * 32];
        memcpy(alone, before + (rows - 1) * ldc, panels * 32 * sizeof *alone);
        call.a = a + (rows - 1) * lda;
        call.rows = 1;
        call.c = alone;
        kernels.run_plain(&call);
        assert_memory_equal(alone, c + (rows - 1) * ldc, panels * 32 * sizeof *alone);
    }
    guarded_free(a, a_floats);
    guarded_free(b, b_floats);
    guarded_free(before, c_floats);
    guarded_free(c, c_floats);
}

static void test_plain(void **state)
{
    (void)state;
    for (size_t rows = 1; rows <= 25; rows++)
        check_plain(rows, rows % 7 + 1, rows % 3 + 1, rows % 5, rows % 4, rows % 2, 1);
    check_plain(96, 64, 6, 0, 0, 0, 1);
    check_plain(96, 384, 2, 0, 0, 1, 1);
    check_plain(7, 33, 1, 3, 5, 1, 1e-38f);
    check_plain(7, 33, 1, 3, 5, 1, 1e36f);
}

static uint16_t bf16_bits(float value)
{
    const float rounded = (float)to_bf16(value);
    return (uint16_t)(bits_of(rounded) >> 16);
}

/* Pairs of k side by side in B, both factors rounded to bfloat16. */
static void test_plain16(void **state)
{
    (void)state;
    a1_cpu levels[MAX_KERNEL_LEVELS];
    const size_t count = kernel_levels(levels);
    size_t found = 0;
    for (size_t l = 0; l < count; l++) {
        const a1_gemm_kernels kernels = a1_gemm_kernels_get(&levels[l]);
        if (!kernels.run_plain16)
            continue;
        found++;
        for (size_t rows = 1; rows <= 25; rows++) {
            enum { PANELS = 2 };
            const size_t k = 2 * (rows % 9 + 1), lda = k + rows % 4, ldc = PANELS * 32 + rows % 3;
            uint16_t *a = calloc(rows * lda, sizeof *a), *b = calloc(PANELS * k * 32, sizeof *b);
            float *exact_a = calloc(rows * lda, sizeof(float));
            float *exact_b = calloc(PANELS * k * 32, sizeof(float)); /* [panel][k][32] */
            float *c = calloc(rows * ldc, sizeof *c), *before = calloc(rows * ldc, sizeof *c);
            assert_true(a && b && exact_a && exact_b && c && before);
            for (size_t i = 0; i < rows * lda; i++) {
                exact_a[i] = (float)to_bf16(kernel_random(&seed));
                a[i] = bf16_bits(exact_a[i]);
            }
            for (size_t i = 0; i < PANELS * k * 32; i++) {
                const size_t panel = i / (k * 32), j = i / 32 % k, s = i % 32;
                exact_b[i] = (float)to_bf16(kernel_random(&seed));
                b[(panel * k + j / 2 * 2) * 32 + 2 * s + j % 2] = bf16_bits(exact_b[i]);
            }
            fill(before, rows * ldc, 1);
            memcpy(c, before, rows * ldc * sizeof *c);
            const int accumulate = rows % 2 == 0;
            const a1_gemm_plain16_call call = {.a = a,
                                               .lda = lda,
                                               .rows = rows,
                                               .k = k,
                                               .b = b,
                                               .b_panel_stride = k * 32,
                                               .panels = PANELS,
                                               .c = c,
                                               .ldc = ldc,
                                               .accumulate = accumulate};
            kernels.run_plain16(&call);
            for (size_t i = 0; i < rows * ldc; i++) {
                const size_t r = i / ldc, column = i % ldc;
                if (column >= PANELS * 32) {
                    assert_true(c[i] == before[i]);
                    continue;
                }
                double sum = accumulate ? (double)before[i] : 0, size = fabs(sum);
                for (size_t j = 0; j < k; j++) {
                    const double product =
                        (double)exact_a[r * lda + j] *
                        (double)exact_b[(column / 32 * k + j) * 32 + column % 32];
                    sum += product;
                    size += fabs(product);
                }
                /* One rounding of each of k additions to a sum no larger than `size`: to the nearest,
                 * or to odd (Arm), which is twice as far. */
                const double step = levels[l].level == ALLIN1_CPU_NEON ? 2 * ROUNDING : ROUNDING;
                const double room = step * (double)k * size * 1.001 + 0x1p-126;
                if (!(fabs((double)c[i] - sum) <= room))
                    fail_msg("plain16, %zu rows, k %zu: row %zu, column %zu is %.9g, exactly %.17g",
                             rows, k, r, column, (double)c[i], sum);
            }
            free(a);
            free(b);
            free(exact_a);
            free(exact_b);
            free(c);
            free(before);
        }
    }
    if (!found) {
        print_message("[ NOTE     ] skipped: this machine has no bfloat16 products\n");
        skip();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_and_depths), cmocka_unit_test(test_blocks_of_rows),
        cmocka_unit_test(test_random_problems), cmocka_unit_test(test_sizes_of_numbers),
        cmocka_unit_test(test_spoiled_row),     cmocka_unit_test(test_zeros),
        cmocka_unit_test(test_spread),          cmocka_unit_test(test_plain),
        cmocka_unit_test(test_plain16),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
