/* Times the kernels under the separator and the network: each against the processor's peak and against
 * its plain C, at every CPU level of this machine, on one thread.
 *
 *     bench_kernels [repeats] */
#include <stdio.h>
#include <stdlib.h>

#include "measure/measure.h"

#include "base/arena.h"
#include "kernels/gemm.h"
#include "kernels/layers.h"

/* Shapes of the separator: rows, k, columns, gate. */
typedef struct shape {
    const char *name;
    size_t rows, k, columns;
    int glu;
    a1_activation activation;
} shape;

static const shape shapes[] = {
    {"linear 96 x 512 x 1536", 96, 512, 1536, 0, A1_ACT_NONE},
    {"linear, GELU 96 x 512 x 2048", 96, 512, 2048, 0, A1_ACT_GELU},
    {"linear 96 x 2048 x 512", 96, 2048, 512, 0, A1_ACT_NONE},
    {"rewrite, GLU 336 x 432 x 96", 336, 432, 96, 1, A1_ACT_GLU},
    {"rewrite, GLU 336 x 3456 x 768", 336, 3456, 768, 1, A1_ACT_GLU},
    {"narrow 336 x 48 x 6", 336, 48, 6, 0, A1_ACT_NONE},
    {"block, ReLU 96 x 288 x 96", 96, 288, 96, 0, A1_ACT_RELU},
    {"block 96 x 96 x 96", 96, 96, 96, 0, A1_ACT_NONE},
};

static const char *const precision_names[] = {"fp32", "bf16", "int8"};

typedef struct product {
    a1_gemm_kernels kernels;
    a1_gemm_call call;
    a1_gemm_chunk chunk;
    int turns;
} product;

static void run_product(void *argument)
{
    const product *p = argument;
    for (int i = 0; i < p->turns; i++)
        a1_gemm_run(&p->kernels, &p->call);
}

static void bench_product(const shape *s, a1_gemm_precision precision, const a1_cpu *cpu,
                          const a1_cpu *plain, double peak, size_t repeats)
{
    a1_error err;
    const size_t outputs = s->glu ? s->columns / 2 : s->columns;
    float *a = measure_random(s->rows * s->k), *b = measure_random(s->k * s->columns);
    float *c = measure_random(s->rows * outputs), *bias = measure_random(s->columns);
    a1_gemm_weights weights, plain_weights;
    if (a1_gemm_weights_pack_matrix(&weights, b, s->k, s->columns, bias, s->glu, precision, &err) ||
        a1_gemm_weights_pack_matrix(&plain_weights, b, s->k, s->columns, bias, s->glu, A1_GEMM_FP32,
                                    &err))
        measure_fail(&err);
    const size_t scratch = a1_gemm_scratch(&weights);
    product ours = {.kernels = a1_gemm_kernels_get(cpu), .chunk = {a, s->k}, .turns = 20};
    ours.call = (a1_gemm_call){.weights = &weights,
                               .chunks = &ours.chunk,
                               .chunk_count = 1,
                               .lda = s->k,
                               .rows = s->rows,
                               .c = c,
                               .ldc = outputs,
                               .activation = s->activation,
                               .scratch = scratch ? a1_aligned_alloc(scratch) : NULL};
    product other = ours;
    other.kernels = a1_gemm_kernels_get(plain);
    other.call.chunks = &ours.chunk;
    other.call.weights = &plain_weights;
    other.turns = 1;
    samples mine, theirs;
    measure_pair(&mine, run_product, &ours, &theirs, run_product, &other, repeats);
    for (size_t i = 0; i < mine.count; i++)
        mine.seconds[i] /= ours.turns;
    char how[64];
    snprintf(how, sizeof how, "%s, %s", precision_names[precision],
             allin1_cpu_level_string(cpu->level));
    const figure f = {.name = s->name,
                      .how = how,
                      .work = 2.0 * (double)(s->rows * s->k * s->columns),
                      .peak = peak,
                      .against = "plain C, fp32",
                      .ratio = samples_ratio(&mine, &theirs)};
    figure_samples(f, &mine);
    a1_gemm_weights_free(&weights);
    a1_gemm_weights_free(&plain_weights);
    a1_aligned_free(ours.call.scratch);
    a1_aligned_free(a);
    a1_aligned_free(b);
    a1_aligned_free(c);
    a1_aligned_free(bias);
}

/* Kernels that stream over rows --------------------------------------------------------------------- */

#define ROWS 96
#define WIDTH 512
#define KEYS 384
#define VALUES 64

typedef struct rows_run {
    const a1_layer_kernels *layers;
    float *x, *out, *mul, *add;
    float maximum[ROWS];
    double sum[ROWS];
} rows_run;

static void run_layer_norm(void *argument)
{
    const rows_run *r = argument;
    r->layers->layer_norm(r->x, ROWS, WIDTH, r->mul, r->add, NULL, r->out);
}

#define STUDENT_WIDTH 96

static void run_student_norm(void *argument)
{
    const rows_run *r = argument;
    r->layers->layer_norm(r->x, ROWS, STUDENT_WIDTH, r->mul, r->add, NULL, r->out);
}

static void run_norm_gelu(void *argument)
{
    const rows_run *r = argument;
    r->layers->norm_gelu(r->out, ROWS, WIDTH, WIDTH, 0.1f, r->mul, r->add);
}

static void run_softmax(void *argument)
{
    rows_run *r = argument;
    for (size_t i = 0; i < ROWS; i++) {
        r->maximum[i] = -1e30f;
        r->sum[i] = 0;
    }
    r->layers->softmax_block(r->x, ROWS, KEYS, KEYS, r->maximum, r->sum, r->out, VALUES);
}

static void bench_rows(const a1_cpu *cpu, const a1_cpu *plain, size_t repeats)
{
    static const struct {
        const char *name;
        timed_fn run;
    } kinds[] = {{"layer norm 96 x 512", run_layer_norm},
                 {"layer norm 96 x 96", run_student_norm},
                 {"norm, GELU 96 x 512", run_norm_gelu},
                 {"soft-max 96 x 384", run_softmax}};
    rows_run ours = {.layers = a1_layer_kernels_get(cpu),
                     .x = measure_random(ROWS * WIDTH),
                     .out = measure_random(ROWS * WIDTH),
                     .mul = measure_random(WIDTH),
                     .add = measure_random(WIDTH)};
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        rows_run other = ours;
        other.layers = a1_layer_kernels_get(plain);
        samples mine, theirs;
        measure_pair(&mine, kinds[k].run, &ours, &theirs, kinds[k].run, &other, 5 * repeats);
        const figure f = {.name = kinds[k].name,
                          .how = allin1_cpu_level_string(cpu->level),
                          .against = "plain C",
                          .ratio = samples_ratio(&mine, &theirs)};
        figure_samples(f, &mine);
    }
    a1_aligned_free(ours.x);
    a1_aligned_free(ours.out);
    a1_aligned_free(ours.mul);
    a1_aligned_free(ours.add);
}

int main(int argc, char **argv)
{
    const size_t repeats = argc > 1 ? strtoul(argv[1], NULL, 10) : 15;
    if (repeats == 0 || 5 * repeats > MEASURE_MAX) {
        fprintf(stderr, "usage: bench_kernels [repeats], at most %d\n", MEASURE_MAX / 5);
        return 2;
    }
    a1_error err = {0};
    allin1_cpu_level levels[4];
    const size_t level_count = a1_cpu_levels(levels);
    a1_cpu plain;
    a1_pool *two;
    if (a1_cpu_select(&plain, ALLIN1_CPU_SCALAR, &err) || a1_pool_create(&two, 2, &err))
        measure_fail(&err);
    for (size_t l = level_count; l-- > 1;) {
        a1_cpu cpu;
        /* The best level is chosen as the program does, with the instructions that go with it. */
        if (a1_cpu_select(&cpu, l + 1 == level_count ? ALLIN1_CPU_AUTO : levels[l], &err))
            measure_fail(&err);
        figure_heading("kernels, 1 thread");
        double peaks[3];
        for (int p = 0; p < 3; p++) {
            char how[64];
            peaks[p] = peak_rate((peak_kind)p, &cpu, NULL);
            const double both = peak_rate((peak_kind)p, &cpu, two);
            if (peaks[p] == 0)
                continue;
            snprintf(how, sizeof how, "%s, 1 thread", allin1_cpu_level_string(cpu.level));
            char name[64];
            snprintf(name, sizeof name, "peak of %s products", precision_names[p]);
            figure f = {.name = name, .how = how, .peak = peaks[p]};
            figure_report(&f);
            snprintf(how, sizeof how, "%s, 2 threads", allin1_cpu_level_string(cpu.level));
            f.peak = both;
            figure_report(&f);
        }
        for (int p = 0; p < 3; p++)
            for (size_t s = 0; peaks[p] > 0 && s < sizeof shapes / sizeof *shapes; s++)
                bench_product(&shapes[s], (a1_gemm_precision)p, &cpu, &plain, peaks[p], repeats);
        bench_rows(&cpu, &plain, repeats);
    }
    a1_pool_destroy(&two);
    return 0;
}
