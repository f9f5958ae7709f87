/* Times the separator on one segment after another.
 *
 *   bench_demix [--threads N] [--segments N] [--cpu-level NAME] [--precision fp32|bf16|mixed]
 *   bench_demix --step      runs one segment for each line read and prints its seconds: for runs that
 *                           take turns with another program (see onnxruntime.js)
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/timer.h"
#include "demix/segment.h"
#include "weights/weights.h"

/* Counted from the graph: products, convolutions and attention of one segment. */
#define SEGMENT_GFLOP 334.9

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static int fail(const a1_error *err)
{
    fprintf(stderr, "bench_demix: %s\n", err->message);
    return 1;
}

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

int main(int argc, char **argv)
{
    unsigned threads = 0;
    size_t segments = 7;
    int step = 0;
    a1_demix_precision precision = A1_DEMIX_FP32;
    allin1_cpu_level level = ALLIN1_CPU_AUTO;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--step") == 0)
            step = 1;
        else if (strcmp(argv[i], "--threads") == 0 && i + 1 < argc)
            threads = (unsigned)strtoul(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--segments") == 0 && i + 1 < argc)
            segments = strtoul(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--precision") == 0 && i + 1 < argc) {
            i++;
            precision = strcmp(argv[i], "bf16") == 0    ? A1_DEMIX_BF16
                        : strcmp(argv[i], "mixed") == 0 ? A1_DEMIX_MIXED
                                                        : A1_DEMIX_FP32;
        } else if (strcmp(argv[i], "--cpu-level") == 0 && i + 1 < argc) {
            i++;
            for (int l = ALLIN1_CPU_SCALAR; l <= ALLIN1_CPU_AVX512; l++)
                if (strcmp(argv[i], allin1_cpu_level_string((allin1_cpu_level)l)) == 0)
                    level = (allin1_cpu_level)l;
        } else {
            fprintf(stderr, "bench_demix: unknown option %s\n", argv[i]);
            return 2;
        }
    }
    a1_error err = {0};
    a1_cpu cpu;
    a1_pool *pool;
    a1_tensor_set *set;
    a1_htdemucs *model;
    segment_work work;
    if (segments < 1 || a1_cpu_select(&cpu, level, &err) || a1_pool_create(&pool, threads, &err))
        return fail(&err);
    uint64_t start = a1_monotonic_ns();
    if (a1_weights_load(NULL, "htdemucs", pool, &set, NULL, &err))
        return fail(&err);
    const double load = 1e-9 * (double)(a1_monotonic_ns() - start);
    start = a1_monotonic_ns();
    if (a1_htdemucs_create(&model, set, &cpu, precision, pool, &err) ||
        segment_work_create(&work, model, pool, &err))
        return fail(&err);
    const double create = 1e-9 * (double)(a1_monotonic_ns() - start);
    float *mix = malloc(2 * (size_t)A1_DEMIX_SEGMENT * sizeof *mix);
    float *out = malloc(8 * (size_t)A1_DEMIX_SEGMENT * sizeof *out);
    double *seconds = malloc(segments * sizeof *seconds);
    if (!mix || !out || !seconds)
        return 1;
    fill(mix);
    const float *const channels[2] = {mix, mix + A1_DEMIX_SEGMENT};
    float *stems[4][2];
    for (size_t i = 0; i < 8; i++)
        stems[i / 2][i % 2] = out + i * A1_DEMIX_SEGMENT;
    if (segment_run(&work, channels, stems, &err)) /* the first run touches the memory */
        return fail(&err);
    char line[16];
    for (size_t i = 0; step ? fgets(line, sizeof line, stdin) != NULL : i < segments; i++) {
        start = a1_monotonic_ns();
        if (segment_run(&work, channels, stems, &err))
            return fail(&err);
        const double taken = 1e-9 * (double)(a1_monotonic_ns() - start);
        if (step) {
            printf("%.4f\n", taken);
            fflush(stdout);
        } else {
            seconds[i] = taken;
        }
    }
    if (!step) {
        qsort(seconds, segments, sizeof *seconds, compare);
        printf("separator, %s, %u threads: best %.3f s, median %.3f s a segment of 7.8 s "
               "(%.0f and %.0f GFLOP/s); load %.3f s, pack %.3f s, working memory %zu MB\n",
               allin1_cpu_level_string(cpu.level), a1_pool_threads(pool), seconds[0],
               seconds[segments / 2], SEGMENT_GFLOP / seconds[0],
               SEGMENT_GFLOP / seconds[segments / 2], load, create, work.arena.peak >> 20);
    }
    segment_work_destroy(&work);
    a1_htdemucs_destroy(&model);
    a1_tensor_set_destroy(&set);
    a1_pool_destroy(&pool);
    free(mix);
    free(out);
    free(seconds);
    return 0;
}
