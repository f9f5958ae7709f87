/* Times the separator on one segment after another.
 *
 *   bench_demix [--threads N] [--segments N] [--cpu-level NAME] [--precision fp32|bf16|mixed]
 *   bench_demix --step      runs one segment for each line read and prints its seconds: for runs that
 *                           take turns with another program (see onnxruntime.js)
 *
 * Without --precision, all that this machine has take turns. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "measure/measure.h"

#include "base/timer.h"
#include "demix/segment.h"
#include "weights/weights.h"

/* Counted from the graph: products, convolutions and attention of one segment. */
#define SEGMENT_WORK 334.9e9
/* The share of it in the transformer's linear layers, which `mixed` does in 8 bits. */
#define LINEAR_SHARE 0.38
#define PRECISIONS 3

static const char *const precision_names[PRECISIONS] = {"fp32", "bf16", "mixed"};

/* Chords with some noise: not silence, and the same in every run. */
static void fill(float *mix)
{
    uint32_t state = 1;
    for (size_t i = 0; i < A1_DEMIX_SEGMENT; i++) {
        const double t = (double)i / 44100.0;
        state = state * 1664525u + 1013904223u;
        const double noise = (double)(state >> 8) / 16777216.0 - 0.5;
        const double tone = sin(690.0 * t) + sin(870.0 * t) + sin(1035.0 * t);
        mix[i] = (float)(0.6 * tone + 0.3 * noise);
        mix[A1_DEMIX_SEGMENT + i] = (float)(0.5 * tone - 0.3 * noise);
    }
}

typedef struct separator {
    a1_htdemucs *model;
    segment_work work;
    const float *const *mix;
    float *(*stems)[2];
    double pack;
    samples times;
} separator;

static void run(separator *s)
{
    a1_error err;
    if (segment_run(&s->work, s->mix, s->stems, &err) != ALLIN1_OK)
        measure_fail(&err);
}

static void create(separator *s, const a1_tensor_set *set, const a1_cpu *cpu,
                   a1_demix_precision precision, a1_pool *pool)
{
    a1_error err;
    const uint64_t start = a1_monotonic_ns();
    if (a1_htdemucs_create(&s->model, set, cpu, precision, pool, &err) != ALLIN1_OK)
        measure_fail(&err);
    s->pack = 1e-9 * (double)(a1_monotonic_ns() - start);
    if (segment_work_create(&s->work, s->model, pool, &err) != ALLIN1_OK)
        measure_fail(&err);
    run(s); /* the first run touches the memory */
}

/* One segment for each line of the standard input. */
static void step(separator *s)
{
    char line[16];
    while (fgets(line, sizeof line, stdin)) {
        const uint64_t start = a1_monotonic_ns();
        run(s);
        printf("%.4f\n", 1e-9 * (double)(a1_monotonic_ns() - start));
        fflush(stdout);
    }
}

static double peak_of(a1_demix_precision precision, const a1_cpu *cpu, a1_pool *pool)
{
    if (precision == A1_DEMIX_FP32)
        return peak_rate(PEAK_FP32, cpu, pool);
    const double bf16 = peak_rate(PEAK_BF16, cpu, pool);
    if (precision == A1_DEMIX_BF16)
        return bf16;
    return 1 / (LINEAR_SHARE / peak_rate(PEAK_INT8, cpu, pool) + (1 - LINEAR_SHARE) / bf16);
}

static void report(const separator *all, const int *chosen, const a1_cpu *cpu, a1_pool *pool,
                   double load)
{
    figure_heading("separator");
    char how[64];
    snprintf(how, sizeof how, "%u threads", a1_pool_threads(pool));
    const figure loaded = {.name = "demix weights mapped, verified", .how = how, .best = load,
                           .median = load, .runs = 1};
    figure_report(&loaded);
    for (int p = 0; p < PRECISIONS; p++) {
        if (!chosen[p])
            continue;
        const separator *s = &all[p];
        snprintf(how, sizeof how, "%s, %s, %u threads", precision_names[p],
                 allin1_cpu_level_string(cpu->level), a1_pool_threads(pool));
        const figure packed = {.name = "demix weights packed", .how = how, .best = s->pack,
                               .median = s->pack, .runs = 1};
        figure_report(&packed);
        figure f = {.name = "demix segment of 7.8 s", .how = how, .work = SEGMENT_WORK,
                    .peak = peak_of((a1_demix_precision)p, cpu, pool)};
        if (p > 0 && chosen[0]) {
            f.against = "fp32";
            f.ratio = samples_ratio(&s->times, &all[0].times);
        }
        figure_samples(f, &s->times);
        const figure memory = {.name = "demix working memory", .how = how,
                               .bytes = (double)s->work.arena.peak};
        figure_report(&memory);
    }
}

int main(int argc, char **argv)
{
    unsigned threads = 0;
    size_t segments = 7;
    int step_mode = 0, only = -1;
    allin1_cpu_level level = ALLIN1_CPU_AUTO;
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";
        if (strcmp(argv[i], "--step") == 0) {
            step_mode = 1;
            continue;
        }
        if (strcmp(argv[i], "--threads") == 0)
            threads = (unsigned)strtoul(value, NULL, 10);
        else if (strcmp(argv[i], "--segments") == 0)
            segments = strtoul(value, NULL, 10);
        else if (strcmp(argv[i], "--precision") == 0)
            for (only = 0; only < PRECISIONS && strcmp(value, precision_names[only]) != 0;)
                only++;
        else if (strcmp(argv[i], "--cpu-level") == 0)
            for (level = ALLIN1_CPU_AVX512; level > ALLIN1_CPU_AUTO &&
                                            strcmp(value, allin1_cpu_level_string(level)) != 0;)
                level--;
        else
            only = PRECISIONS;
        if (only == PRECISIONS || i + 1 == argc || segments < 1 || segments > MEASURE_MAX) {
            fprintf(stderr, "bench_demix: what is meant by %s %s?\n", argv[i], value);
            return 2;
        }
        i++;
    }
    if (step_mode && only < 0)
        only = A1_DEMIX_FP32;
    a1_error err = {0};
    a1_cpu cpu;
    a1_pool *pool;
    a1_tensor_set *set;
    if (a1_cpu_select(&cpu, level, &err) || a1_pool_create(&pool, threads, &err))
        measure_fail(&err);
    const uint64_t start = a1_monotonic_ns();
    if (a1_weights_load(NULL, "htdemucs", pool, &set, NULL, &err))
        measure_fail(&err);
    const double load = 1e-9 * (double)(a1_monotonic_ns() - start);
    float *mix = measure_random(2 * (size_t)A1_DEMIX_SEGMENT);
    float *out = measure_random(8 * (size_t)A1_DEMIX_SEGMENT);
    fill(mix);
    const float *const channels[2] = {mix, mix + A1_DEMIX_SEGMENT};
    float *stems[4][2];
    for (size_t i = 0; i < 8; i++)
        stems[i / 2][i % 2] = out + i * A1_DEMIX_SEGMENT;
    static separator all[PRECISIONS];
    int chosen[PRECISIONS] = {0};
    for (int p = 0; p < PRECISIONS; p++) {
        all[p].mix = channels;
        all[p].stems = stems;
        chosen[p] = only == p || (only < 0 && a1_demix_precision_available(
                                                  &cpu, (a1_demix_precision)p));
        if (chosen[p])
            create(&all[p], set, &cpu, (a1_demix_precision)p, pool);
    }
    if (step_mode)
        step(&all[only]);
    for (size_t i = 0; !step_mode && i < segments; i++) {
        for (int p = 0; p < PRECISIONS; p++) {
            if (!chosen[p])
                continue;
            const uint64_t begin = a1_monotonic_ns();
            run(&all[p]);
            all[p].times.seconds[all[p].times.count++] =
                1e-9 * (double)(a1_monotonic_ns() - begin);
        }
    }
    if (!step_mode)
        report(all, chosen, &cpu, pool, load);
    for (int p = 0; p < PRECISIONS; p++) {
        if (chosen[p])
            segment_work_destroy(&all[p].work);
        a1_htdemucs_destroy(&all[p].model);
    }
    a1_tensor_set_destroy(&set);
    a1_pool_destroy(&pool);
    a1_aligned_free(mix);
    a1_aligned_free(out);
    return 0;
}
