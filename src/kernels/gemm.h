/* Matrix products with packed weights and fused epilogues: what all layers of the separator run on.
 *
 * C[m][n] = epilogue(sum_k A[m][k] B[k][n]). A is read where it lies: its k axis is a list of chunks,
 * each contiguous, so that a convolution is a product without a copy (one chunk per tap, or one for
 * all taps where they touch). B is packed once into panels of 32 columns. The columns of a panel form
 * two groups of 16; a group says where in a row of C it is written and how many of its columns are
 * real, so that a transposed convolution writes its phases in place. */
#ifndef A1_KERNELS_GEMM_H
#define A1_KERNELS_GEMM_H

#include <stddef.h>
#include <stdint.h>

#include "base/cpu.h"
#include "base/error.h"

#define A1_GEMM_PANEL 32
#define A1_GEMM_GROUP 16
#define A1_GEMM_TILE_ROWS 12

/* How a product is computed; sums are always kept in float (int8: in 32-bit integers). */
typedef enum a1_gemm_precision {
    A1_GEMM_FP32 = 0,
    A1_GEMM_BF16, /* both factors rounded to bfloat16 */
    A1_GEMM_INT8  /* 8-bit integers: one scale a row of A, one a column of B */
} a1_gemm_precision;

typedef enum a1_activation { A1_ACT_NONE = 0, A1_ACT_RELU, A1_ACT_GELU, A1_ACT_GLU } a1_activation;

/* Where a group of 16 columns goes: `offset` floats from the start of C's row; `valid` columns. */
typedef struct a1_gemm_group {
    size_t offset;
    size_t valid;
} a1_gemm_group;

/* A packed right-hand side. With `glu`, a panel's first group holds values and its second the gates
 * of the same 16 outputs; the second group's offset is not used. */
typedef struct a1_gemm_weights {
    size_t k;
    size_t panels;
    int glu;
    a1_gemm_precision precision;
    int borrowed;          /* data, scales and sums are an a1_gemm_panels' */
    void *data;            /* fp32: float [panels][k][32], zero where no column is valid;
                            * bf16: [panels][k / 2][32][2]; int8: [panels][k / 4][32][4] (k rounded up) */
    float *scales;         /* int8: [panels][32], of a column's values; else NULL */
    int32_t *sums;         /* int8: [panels][32], a column's values added up and times 128 */
    float *bias;           /* [panels][32] */
    a1_gemm_group *groups; /* [panels][2] */
} a1_gemm_weights;

typedef struct a1_gemm_chunk {
    const float *a; /* first row */
    size_t k;
} a1_gemm_chunk;

/* v = sum + bias; v = activation(v); v *= scale; v += post; v += residual. Absent parts are NULL. */
typedef struct a1_gemm_call {
    const a1_gemm_weights *weights;
    const a1_gemm_chunk *chunks; /* their k add up to weights->k */
    size_t chunk_count;
    size_t lda; /* floats from row to row, the same for all chunks */
    size_t rows;
    float *c;
    size_t ldc;
    a1_activation activation;
    const float *scale;    /* per packed column, [panels][32], or [panels][16] after GLU */
    const float *post;     /* the same */
    const float *residual; /* addressed as C; may be C */
    size_t ldr;
    void *scratch; /* a1_gemm_scratch bytes of the calling thread, 64-byte aligned; not for fp32 */
} a1_gemm_call;

/* A plain product on packed panels, for attention: B has `panels` panels of [k][32]; panel p is
 * written to c + 32 p, or added to it. */
typedef struct a1_gemm_plain_call {
    const float *a;
    size_t lda, rows, k;
    const float *b;
    size_t b_panel_stride; /* floats from panel to panel */
    size_t panels;
    float *c;
    size_t ldc;
    int accumulate;
} a1_gemm_plain_call;

/* The same on bfloat16: A is [rows][lda]; B has panels of [k / 2][32][2]; k is even. */
typedef struct a1_gemm_plain16_call {
    const uint16_t *a;
    size_t lda, rows, k;
    const uint16_t *b;
    size_t b_panel_stride; /* elements from panel to panel */
    size_t panels;
    float *c;
    size_t ldc;
    int accumulate;
} a1_gemm_plain16_call;

typedef void (*a1_gemm_run_fn)(const a1_gemm_call *call);

typedef struct a1_gemm_kernels {
    a1_gemm_run_fn run[3]; /* by a1_gemm_precision of the weights; NULL where the level cannot */
    void (*run_plain)(const a1_gemm_plain_call *call);
    void (*run_plain16)(const a1_gemm_plain16_call *call); /* NULL where the level cannot */
} a1_gemm_kernels;

/* Runs one product on the calling thread. */
static inline void a1_gemm_run(const a1_gemm_kernels *kernels, const a1_gemm_call *call)
{
    kernels->run[call->weights->precision](call);
}

/* One table a level; a1_gemm_kernels_get puts the parts together that the machine has. */
extern const a1_gemm_kernels a1_gemm_scalar, a1_gemm_avx2, a1_gemm_avx512, a1_gemm_neon;
extern const a1_gemm_kernels a1_gemm_avx512bf16, a1_gemm_avx512vnni;
extern const a1_gemm_kernels a1_gemm_neonbf16, a1_gemm_neondot;

a1_gemm_kernels a1_gemm_kernels_get(const a1_cpu *cpu);

/* What an earlier packing made of a matrix: data, scales and sums of a1_gemm_weights, kept by the
 * caller. */
typedef struct a1_gemm_panels {
    const void *data;
    size_t bytes; /* of data */
    const float *scales;
    const int32_t *sums;
    size_t columns; /* of scales and of sums: 0 unless int8 */
} a1_gemm_panels;

/* Where a matrix's values lie: B[k][column] = values[row_offset[k] + column_offset[column]]; the first
 * `scaled` columns are multiplied by `scale`, the bias is not. */
typedef struct a1_gemm_source {
    const void *values; /* float, or IEEE half precision */
    int half;
    const size_t *row_offset; /* [k] */
    size_t k;
    const size_t *column_offset; /* [columns] */
    size_t columns;
    const float *bias; /* [columns] or NULL */
    size_t scaled;
    float scale;
    const a1_gemm_panels *panels; /* of the same matrix and precision: then `values` is not read; or
                                   * NULL */
} a1_gemm_source;

/* Packs a matrix and rounds it to `precision`, or takes the panels that are there; they must outlive
 * the weights, and must have the size that the matrix calls for (ALLIN1_ERROR_FORMAT). slot_column[s]
 * is the matrix column that packed slot s (of panels * 32) holds, or -1 for none; `groups` has
 * panels * 2 entries and is copied. */
allin1_status a1_gemm_weights_pack(a1_gemm_weights *weights, const a1_gemm_source *source,
                                   size_t panels, const int32_t *slot_column,
                                   const a1_gemm_group *groups, int glu,
                                   a1_gemm_precision precision, a1_error *err);

/* The common case: `columns` outputs side by side; with `glu` the matrix has 2 * outputs columns, values
 * first, and C gets `outputs` columns. */
allin1_status a1_gemm_weights_pack_simple(a1_gemm_weights *weights, const a1_gemm_source *source,
                                          int glu, a1_gemm_precision precision, a1_error *err);

/* The same for a plain row-major matrix[k][columns] in float. */
allin1_status a1_gemm_weights_pack_matrix(a1_gemm_weights *weights, const float *matrix, size_t k,
                                          size_t columns, const float *bias, int glu,
                                          a1_gemm_precision precision, a1_error *err);

/* Bytes of one panel of weights->data. */
size_t a1_gemm_panel_bytes(const a1_gemm_weights *weights);

/* Bytes of scratch that a call with these weights needs; 0 for fp32. */
size_t a1_gemm_scratch(const a1_gemm_weights *weights);
/* Bytes from row to row of the converted A in it. */
size_t a1_gemm_scratch_stride(const a1_gemm_weights *weights);

/* Rows of A that are taken through all panels while they lie in the cache. */
size_t a1_gemm_block_rows(size_t k, size_t element_size);

/* A vector per output column, spread to packed slots as `weights` orders them (for scale and post).
 * The caller frees it with a1_aligned_free. */
float *a1_gemm_spread(const a1_gemm_weights *weights, const float *values, size_t count);

void a1_gemm_weights_free(a1_gemm_weights *weights);

#endif
