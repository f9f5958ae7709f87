/* Our products, convolutions and dense layers against oneDNN's (2.x), in turns, on one thread, at
 * shapes of the separator and of the network.
 *
 *     bench_onednn [repeats]
 *
 * Both get channels-last float32 data and weights packed beforehand in the form each likes best.
 * oneDNN gets its 16-bit input ready-made, which ours rounds itself; it has no gate (GLU), which
 * ours does too. The results are compared before anything is timed. */
#include <dnnl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "measure/measure.h"

#include "base/arena.h"
#include "kernels/gemm.h"
#include "kernels/lane.h"

static dnnl_engine_t engine;
static dnnl_stream_t stream;

static void check(dnnl_status_t status, const char *what)
{
    if (status != dnnl_success) {
        fprintf(stderr, "bench_onednn: %s: oneDNN's status %d\n", what, (int)status);
        exit(1);
    }
}

/* One layer for both: a matrix product is a convolution of one row with one tap. */
typedef struct layer {
    const char *name;
    size_t rows, frames, in, out; /* of the input: rows x frames x channels */
    size_t row_taps, frame_taps;  /* kernel */
    size_t row_stride, row_pad;   /* frames: stride 1, padded by half the taps */
    int glu;
    a1_activation activation;
} layer;

static const layer layers[] = {
    {"linear 96 x 512 x 1536", 1, 96, 512, 1536, 1, 1, 1, 0, 0, A1_ACT_NONE},
    {"linear, GELU 96 x 512 x 2048", 1, 96, 512, 2048, 1, 1, 1, 0, 0, A1_ACT_GELU},
    {"linear 96 x 2048 x 512", 1, 96, 2048, 512, 1, 1, 1, 0, 0, A1_ACT_NONE},
    {"linear 2688 x 512 x 1536", 1, 2688, 512, 1536, 1, 1, 1, 0, 0, A1_ACT_NONE},
    {"convolution 3 x 3, GLU 384 to 768", 8, 336, 384, 768, 3, 3, 1, 1, 1, A1_ACT_GLU},
    {"convolution 8 x 1 / 4, GELU 48 to 96", 512, 336, 48, 96, 8, 1, 4, 2, 0, A1_ACT_GELU},
    {"convolution 1 x 1, GLU 48 to 96", 512, 336, 48, 96, 1, 1, 1, 0, 1, A1_ACT_GLU},
};

static size_t out_rows(const layer *l)
{
    return (l->rows + 2 * l->row_pad - l->row_taps) / l->row_stride + 1;
}

/* Ours
 * ---------------------------------------------------------------------------------------------- */

typedef struct ours {
    const layer *layer;
    a1_gemm_kernels kernels;
    a1_gemm_weights weights;
    float *padded; /* [rows + 2 pad][frames + taps - 1][in] */
    float *out;    /* [out rows][frames][outputs] */
    void *scratch;
} ours;

static void run_ours(void *argument)
{
    const ours *o = argument;
    const layer *l = o->layer;
    const size_t pitch = (l->frames + l->frame_taps - 1) * l->in;
    const size_t outputs = l->glu ? l->out / 2 : l->out;
    for (size_t row = 0; row < out_rows(l); row++) {
        a1_gemm_chunk taps[8];
        /* The taps along the frames touch. */
        for (size_t t = 0; t < l->row_taps; t++)
            taps[t] = (a1_gemm_chunk){o->padded + (row * l->row_stride + t) * pitch,
                                      l->frame_taps * l->in};
        const a1_gemm_call call = {.weights = &o->weights,
                                   .chunks = taps,
                                   .chunk_count = l->row_taps,
                                   .lda = l->in,
                                   .rows = l->frames,
                                   .c = o->out + row * l->frames * outputs,
                                   .ldc = outputs,
                                   .activation = l->activation,
                                   .scratch = o->scratch};
        a1_gemm_run(&o->kernels, &call);
    }
}

static void create_ours(ours *o, const layer *l, a1_gemm_precision precision, const a1_cpu *cpu,
                        const float *input, const float *matrix, const float *bias)
{
    a1_error err;
    const size_t k = l->row_taps * l->frame_taps * l->in, before = l->frame_taps / 2;
    const size_t pitch = (l->frames + l->frame_taps - 1) * l->in;
    o->layer = l;
    o->kernels = a1_gemm_kernels_get(cpu);
    if (a1_gemm_weights_pack_matrix(&o->weights, matrix, k, l->out, bias, l->glu, precision, &err))
        measure_fail(&err);
    o->padded = measure_random((l->rows + 2 * l->row_pad) * pitch);
    memset(o->padded, 0, (l->rows + 2 * l->row_pad) * pitch * sizeof(float));
    for (size_t row = 0; row < l->rows; row++)
        memcpy(o->padded + (row + l->row_pad) * pitch + before * l->in,
               input + row * l->frames * l->in, l->frames * l->in * sizeof(float));
    o->out = measure_random(out_rows(l) * l->frames * l->out);
    const size_t scratch = a1_gemm_scratch(&o->weights);
    o->scratch = scratch ? a1_aligned_alloc(scratch) : NULL;
}

/* Theirs
 * -------------------------------------------------------------------------------------------- */

typedef struct theirs {
    dnnl_primitive_t primitive;
    dnnl_exec_arg_t arguments[4];
    float *out; /* of `out_memory`, plain */
} theirs;

static void run_theirs(void *argument)
{
    const theirs *t = argument;
    check(dnnl_primitive_execute(t->primitive, stream, 4, t->arguments), "run");
    check(dnnl_stream_wait(stream), "wait");
}

static dnnl_memory_t memory_of(const dnnl_memory_desc_t *form, void *data)
{
    dnnl_memory_t memory;
    check(dnnl_memory_create(&memory, form, engine, data), "memory");
    return memory;
}

/* `data` in the form that a primitive wants. */
static dnnl_memory_t reordered(const dnnl_memory_desc_t *from, void *data,
                               const dnnl_memory_desc_t *to)
{
    dnnl_primitive_desc_t description;
    dnnl_primitive_t reorder;
    dnnl_memory_t source = memory_of(from, data), result = memory_of(to, DNNL_MEMORY_ALLOCATE);
    check(dnnl_reorder_primitive_desc_create(&description, from, engine, to, engine, NULL),
          "reorder");
    check(dnnl_primitive_create(&reorder, description), "reorder");
    const dnnl_exec_arg_t arguments[] = {{DNNL_ARG_FROM, source}, {DNNL_ARG_TO, result}};
    check(dnnl_primitive_execute(reorder, stream, 2, arguments), "reorder");
    check(dnnl_stream_wait(stream), "reorder");
    dnnl_primitive_destroy(reorder);
    dnnl_primitive_desc_destroy(description);
    dnnl_memory_destroy(source);
    return result;
}

static void describe(dnnl_memory_desc_t *form, int ndims, const dnnl_dims_t dims,
                     dnnl_data_type_t type, dnnl_format_tag_t tag)
{
    check(dnnl_memory_desc_init_by_tag(form, ndims, dims, type, tag), "form");
}

static void create_theirs(theirs *t, const layer *l, dnnl_data_type_t type, float *input,
                          float *matrix, float *bias)
{
    const int matmul = l->row_taps * l->frame_taps == 1 && l->rows == 1;
    const dnnl_dim_t in = (dnnl_dim_t)l->in, out = (dnnl_dim_t)l->out;
    const dnnl_dim_t frames = (dnnl_dim_t)l->frames;
    dnnl_memory_desc_t source, given, weights, any, biases, result;
    dnnl_primitive_attr_t attributes;
    dnnl_post_ops_t after;
    check(dnnl_primitive_attr_create(&attributes), "attributes");
    check(dnnl_post_ops_create(&after), "attributes");
    if (l->activation == A1_ACT_GELU)
        check(dnnl_post_ops_append_eltwise(after, 1, dnnl_eltwise_gelu_erf, 0, 0), "GELU");
    check(dnnl_primitive_attr_set_post_ops(attributes, after), "attributes");
    dnnl_primitive_desc_t description;
    if (matmul) {
        const dnnl_dims_t a = {frames, in}, b = {in, out}, c = {frames, out}, d = {1, out};
        describe(&given, 2, a, dnnl_f32, dnnl_ab);
        describe(&source, 2, a, type, dnnl_ab);
        describe(&weights, 2, b, dnnl_f32, dnnl_ab);
        describe(&any, 2, b, type, dnnl_format_tag_any);
        describe(&biases, 2, d, dnnl_f32, dnnl_ab);
        describe(&result, 2, c, dnnl_f32, dnnl_ab);
        dnnl_matmul_desc_t operation;
        check(dnnl_matmul_desc_init(&operation, &source, &any, &biases, &result), "product");
        check(dnnl_primitive_desc_create(&description, &operation, attributes, engine, NULL),
              "product");
    } else {
        const dnnl_dim_t rows = (dnnl_dim_t)l->rows, pad = (dnnl_dim_t)l->row_pad;
        const dnnl_dim_t along = (dnnl_dim_t)l->row_taps, across = (dnnl_dim_t)l->frame_taps;
        const dnnl_dims_t a = {1, in, rows, frames}, b = {out, in, along, across};
        const dnnl_dims_t c = {1, out, (dnnl_dim_t)out_rows(l), frames}, d = {out};
        const dnnl_dims_t strides = {(dnnl_dim_t)l->row_stride, 1}, pads = {pad, across / 2};
        describe(&given, 4, a, dnnl_f32, dnnl_nhwc);
        describe(&source, 4, a, type, dnnl_nhwc);
        describe(&weights, 4, b, dnnl_f32, dnnl_hwio);
        describe(&any, 4, b, type, dnnl_format_tag_any);
        describe(&biases, 1, d, dnnl_f32, dnnl_a);
        describe(&result, 4, c, dnnl_f32, dnnl_nhwc);
        dnnl_convolution_desc_t operation;
        check(dnnl_convolution_forward_desc_init(&operation, dnnl_forward_inference,
                                                 dnnl_convolution_direct, &source, &any, &biases,
                                                 &result, strides, pads, pads),
              "convolution");
        check(dnnl_primitive_desc_create(&description, &operation, attributes, engine, NULL),
              "convolution");
    }
    check(dnnl_primitive_create(&t->primitive, description), "layer");
    t->out = measure_random(out_rows(l) * l->frames * l->out);
    t->arguments[0] = (dnnl_exec_arg_t){DNNL_ARG_SRC, reordered(&given, input, &source)};
    t->arguments[1] = (dnnl_exec_arg_t){
        DNNL_ARG_WEIGHTS,
        reordered(&weights, matrix,
                  dnnl_primitive_desc_query_md(description, dnnl_query_weights_md, 0))};
    t->arguments[2] = (dnnl_exec_arg_t){DNNL_ARG_BIAS, memory_of(&biases, bias)};
    t->arguments[3] = (dnnl_exec_arg_t){DNNL_ARG_DST, memory_of(&result, t->out)};
    dnnl_primitive_desc_destroy(description);
    dnnl_primitive_attr_destroy(attributes);
    dnnl_post_ops_destroy(after);
}

static void destroy_theirs(theirs *t)
{
    for (int i = 0; i < 4; i++)
        dnnl_memory_destroy(t->arguments[i].memory);
    dnnl_primitive_destroy(t->primitive);
    a1_aligned_free(t->out);
}

/* Sums of `k` products of numbers below 1, in another order, each factor rounded in the same way.
 */
static void compare(const layer *l, const float *own, const float *other, size_t k)
{
    const size_t outputs = l->glu ? l->out / 2 : l->out;
    double worst = 0;
    for (size_t i = 0; i < out_rows(l) * l->frames; i++) {
        for (size_t c = 0; c < outputs; c++) {
            double value = (double)other[i * l->out + c];
            if (l->glu)
                value /= 1 + exp(-(double)other[i * l->out + outputs + c]);
            worst = fmax(worst, fabs(value - (double)own[i * outputs + c]));
        }
    }
    if (!(worst < 3e-5 * sqrt((double)k))) {
        fprintf(stderr, "bench_onednn: %s: the results differ by %g\n", l->name, worst);
        exit(1);
    }
}

static void bench_layer(const layer *l, a1_gemm_precision precision, const a1_cpu *cpu, double peak,
                        size_t repeats)
{
    const size_t k = l->row_taps * l->frame_taps * l->in;
    float *input = measure_random(l->rows * l->frames * l->in);
    float *matrix = measure_random(k * l->out), *bias = measure_random(l->out);
    for (size_t i = 0; i < k * l->out; i++)
        matrix[i] /= sqrtf((float)k); /* outputs near 1, where the activations do something */
    ours own;
    theirs other;
    create_ours(&own, l, precision, cpu, input, matrix, bias);
    create_theirs(&other, l, precision == A1_GEMM_FP32 ? dnnl_f32 : dnnl_bf16, input, matrix, bias);
    run_ours(&own);
    run_theirs(&other);
    compare(l, own.out, other.out, k);
    samples mine, peer;
    measure_pair(&mine, run_ours, &own, &peer, run_theirs, &other, repeats);
    const char *name = precision == A1_GEMM_FP32 ? "fp32" : "bf16";
    figure f = {.name = l->name,
                .how = name,
                .peak = peak,
                .work = 2.0 * (double)(out_rows(l) * l->frames * k * l->out)};
    char how[64];
    snprintf(how, sizeof how, "%s, oneDNN", name);
    f.how = how;
    figure_samples(f, &peer);
    f.how = name;
    f.against = "oneDNN";
    f.ratio = samples_ratio(&mine, &peer);
    figure_samples(f, &mine);
    destroy_theirs(&other);
    a1_gemm_weights_free(&own.weights);
    a1_aligned_free(own.padded);
    a1_aligned_free(own.out);
    a1_aligned_free(own.scratch);
    a1_aligned_free(input);
    a1_aligned_free(matrix);
    a1_aligned_free(bias);
}

/* Dense layers of the network
 * ------------------------------------------------------------------------ */

#define FRAMES 512 /* of one stem: inputs and outputs stay in the second-level cache */

typedef struct dense_run {
    const a1_lane_kernels *kernels;
    a1_lane_matrix matrix;
    const float *x; /* [blocks][inputs][32] */
    float *out;
    int gelu;
} dense_run;

static void run_dense(void *argument)
{
    const dense_run *d = argument;
    for (size_t block = 0; block < FRAMES / A1_LANES; block++) {
        const a1_lane_input in = {d->x + block * d->matrix.inputs * A1_LANES, A1_LANES, 0};
        (d->gelu ? d->kernels->dense_gelu : d->kernels->dense)(
            &d->matrix, &in, d->out + block * d->matrix.outputs * A1_LANES, A1_LANES);
    }
}

static void bench_dense(const layer *l, const a1_cpu *cpu, double peak, size_t repeats)
{
    float *input = measure_random(FRAMES * l->in), *lanes = measure_random(FRAMES * l->in);
    float *matrix = measure_random(l->in * l->out), *turned = measure_random(l->in * l->out);
    float *bias = measure_random(l->out), *rows = measure_random(FRAMES * l->out);
    for (size_t t = 0; t < FRAMES; t++)
        for (size_t i = 0; i < l->in; i++)
            lanes[(t / A1_LANES * l->in + i) * A1_LANES + t % A1_LANES] = input[t * l->in + i];
    for (size_t i = 0; i < l->in; i++)
        for (size_t o = 0; o < l->out; o++)
            turned[o * l->in + i] = matrix[i * l->out + o] /= sqrtf((float)l->in);
    float *packed = measure_random(a1_lane_matrix_floats(l->out, 1, l->in));
    dense_run own = {.kernels = a1_lane_kernels_get(cpu),
                     .matrix = a1_lane_matrix_pack(turned, bias, l->out, 1, l->in, packed),
                     .x = lanes,
                     .out = measure_random(FRAMES * l->out),
                     .gelu = l->activation == A1_ACT_GELU};
    theirs other;
    create_theirs(&other, l, dnnl_f32, input, matrix, bias);
    run_dense(&own);
    run_theirs(&other);
    for (size_t t = 0; t < FRAMES; t++)
        for (size_t o = 0; o < l->out; o++)
            rows[t * l->out + o] = own.out[(t / A1_LANES * l->out + o) * A1_LANES + t % A1_LANES];
    compare(l, rows, other.out, l->in);
    samples mine, peer;
    measure_pair(&mine, run_dense, &own, &peer, run_theirs, &other, 20 * repeats);
    figure f = {.name = l->name,
                .how = "fp32, oneDNN",
                .peak = peak,
                .work = 2.0 * (double)(FRAMES * l->in * l->out)};
    figure_samples(f, &peer);
    f.how = "fp32";
    f.against = "oneDNN";
    f.ratio = samples_ratio(&mine, &peer);
    figure_samples(f, &mine);
    destroy_theirs(&other);
    a1_aligned_free(input);
    a1_aligned_free(lanes);
    a1_aligned_free(matrix);
    a1_aligned_free(turned);
    a1_aligned_free(bias);
    a1_aligned_free(rows);
    a1_aligned_free(packed);
    a1_aligned_free(own.out);
}

int main(int argc, char **argv)
{
    const size_t repeats = argc > 1 ? strtoul(argv[1], NULL, 10) : 15;
    if (repeats == 0 || 20 * repeats > MEASURE_MAX) {
        fprintf(stderr, "usage: bench_onednn [repeats], at most %d\n", MEASURE_MAX / 20);
        return 2;
    }
    /* OpenMP reads it when it is loaded. */
    if (!getenv("OMP_NUM_THREADS") || strcmp(getenv("OMP_NUM_THREADS"), "1") != 0) {
        setenv("OMP_NUM_THREADS", "1", 1);
        execv("/proc/self/exe", argv);
        perror("bench_onednn");
        return 1;
    }
    a1_error err = {0};
    a1_cpu cpu;
    if (a1_cpu_select(&cpu, ALLIN1_CPU_AUTO, &err))
        measure_fail(&err);
    check(dnnl_engine_create(&engine, dnnl_cpu, 0), "engine");
    check(dnnl_stream_create(&stream, engine, dnnl_stream_default_flags), "stream");
    char title[64];
    const dnnl_version_t *version = dnnl_version();
    snprintf(title, sizeof title, "kernels and oneDNN %d.%d.%d in turns", version->major,
             version->minor, version->patch);
    figure_heading(title);
    const double peaks[] = {peak_rate(PEAK_FP32, &cpu, NULL), peak_rate(PEAK_BF16, &cpu, NULL)};
    for (size_t l = 0; l < sizeof layers / sizeof *layers; l++)
        for (int p = 0; p < 2; p++)
            if (peaks[p] > 0)
                bench_layer(&layers[l], (a1_gemm_precision)p, &cpu, peaks[p], repeats);
    static const layer dense[] = {
        {"dense 512 x 24 x 24", 1, FRAMES, 24, 24, 1, 1, 1, 0, 0, A1_ACT_NONE},
        {"dense, GELU 512 x 48 x 192", 1, FRAMES, 48, 192, 1, 1, 1, 0, 0, A1_ACT_GELU},
        {"dense 512 x 192 x 24", 1, FRAMES, 192, 24, 1, 1, 1, 0, 0, A1_ACT_NONE},
    };
    for (size_t l = 0; l < sizeof dense / sizeof *dense; l++)
        bench_dense(&dense[l], &cpu, peaks[0], repeats);
    dnnl_stream_destroy(stream);
    dnnl_engine_destroy(engine);
    return 0;
}
