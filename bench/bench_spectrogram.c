/* How fast the transforms and the spectrogram are, at every CPU level of this machine.
 *
 *     bench_spectrogram [seconds [repeats]]
 *
 * Each line gives the best and the median of the wall clock, and the best processor time over the
 * number of threads: what the clock would show if nothing else ran. The spectrogram's input is
 * noise, four stereo stems of `seconds` (195.57); no step's time depends on it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/timer.h"
#include "dsp/fft.h"
#include "spectrogram/spectrogram.h"

#define MAX_REPEATS 1000
/* Transforms in one measurement: some milliseconds, so that the clock's own time does not count. */
#define TRANSFORMS 2000

typedef struct figures {
    double wall[MAX_REPEATS]; /* ns */
    double cpu;               /* the best, ns */
    size_t count;
} figures;

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

typedef void (*timed_fn)(void *argument);

static figures measure(timed_fn function, void *argument, size_t repeats)
{
    figures f = {.count = repeats};
    function(argument); /* memory and caches */
    for (size_t r = 0; r < repeats; r++) {
        const uint64_t wall = a1_monotonic_ns(), cpu = a1_process_cpu_ns();
        function(argument);
        const double used = (double)(a1_process_cpu_ns() - cpu);
        f.wall[r] = (double)(a1_monotonic_ns() - wall);
        if (r == 0 || used < f.cpu)
            f.cpu = used;
    }
    qsort(f.wall, f.count, sizeof *f.wall, compare);
    return f;
}

static float *random_floats(size_t count)
{
    static uint64_t state = 1;
    float *values = a1_aligned_alloc(count * sizeof *values);
    if (!values) {
        fprintf(stderr, "bench_spectrogram: out of memory\n");
        exit(1);
    }
    for (size_t i = 0; i < count; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        values[i] = (float)(state >> 40) / 8388608.0f - 1.0f;
    }
    return values;
}

static void check(allin1_status status, const a1_error *err)
{
    if (status != ALLIN1_OK) {
        fprintf(stderr, "bench_spectrogram: %s\n", err->message);
        exit(1);
    }
}

typedef struct transform_run {
    a1_rfft *plan;
    float *in, *out, *window, *scratch;
} transform_run;

static void run_forward(void *argument)
{
    const transform_run *run = argument;
    for (size_t i = 0; i < TRANSFORMS; i++)
        a1_rfft_forward(run->plan, run->in, run->out, run->scratch);
}

static void run_inverse(void *argument)
{
    const transform_run *run = argument;
    for (size_t i = 0; i < TRANSFORMS; i++)
        a1_rfft_inverse(run->plan, run->out, run->in, run->scratch);
}

static void run_magnitudes(void *argument)
{
    const transform_run *run = argument;
    for (size_t i = 0; i < TRANSFORMS; i++)
        a1_rfft_magnitudes(run->plan, run->window, run->in, run->out, run->scratch);
}

static void bench_transforms(const allin1_cpu_level *levels, size_t level_count, size_t repeats)
{
    static const struct {
        const char *name;
        timed_fn run;
    } kinds[] = {{"forward", run_forward},
                 {"inverse", run_inverse},
                 {"magnitudes, windowed", run_magnitudes}};
    static const size_t sizes[] = {2048, 4096};
    printf("%-38s %9s %9s %9s\n", "real transform, us", "best", "median", "cpu");
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        const size_t n = sizes[s];
        for (size_t l = 0; l < level_count; l++) {
            a1_error err = {0};
            a1_cpu cpu;
            transform_run run = {
                .in = random_floats(n), .out = random_floats(n + 2), .window = random_floats(n)};
            check(a1_cpu_select(&cpu, levels[l], &err), &err);
            check(a1_rfft_create(&run.plan, n, &cpu, &err), &err);
            run.scratch = random_floats(a1_rfft_scratch(run.plan));
            for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
                char name[64];
                snprintf(name, sizeof name, "%zu %s %s", n, allin1_cpu_level_string(levels[l]),
                         kinds[k].name);
                /* The inverse multiplies by n: start from small numbers each time. */
                memset(run.in, 0, n * sizeof *run.in);
                memset(run.out, 0, (n + 2) * sizeof *run.out);
                const figures f = measure(kinds[k].run, &run, repeats);
                const double scale = 1e-3 / TRANSFORMS;
                printf("%-38s %9.3f %9.3f %9.3f\n", name, f.wall[0] * scale,
                       f.wall[f.count / 2] * scale, f.cpu * scale);
            }
            a1_rfft_destroy(&run.plan);
            a1_aligned_free(run.in);
            a1_aligned_free(run.out);
            a1_aligned_free(run.window);
            a1_aligned_free(run.scratch);
        }
    }
}

typedef struct spectrogram_run {
    a1_spectrogram *plan;
    a1_pool *pool;
    const float *stems[A1_STEMS][2];
    size_t samples;
    int quantise;
    float *out;
} spectrogram_run;

static void run_spectrogram(void *argument)
{
    const spectrogram_run *run = argument;
    a1_error err = {0};
    check(a1_spectrogram_stems(run->plan, run->pool, run->stems, run->samples, run->quantise,
                               run->out, &err),
          &err);
}

static void bench_one(spectrogram_run *run, a1_spectrogram_backend backend, allin1_cpu_level level,
                      size_t repeats)
{
    a1_error err = {0};
    a1_cpu cpu;
    check(a1_cpu_select(&cpu, level, &err), &err);
    check(a1_spectrogram_create(&run->plan, backend, &cpu, &err), &err);
    for (unsigned threads = 1; threads <= 2; threads++) {
        check(a1_pool_create(&run->pool, threads, &err), &err);
        /* The slow one is a yardstick: once through is enough. */
        const int ways = backend == A1_SPEC_REFERENCE ? 1 : 2;
        for (run->quantise = 0; run->quantise < ways; run->quantise++) {
            const figures f = measure(run_spectrogram, run, repeats);
            char name[64];
            snprintf(name, sizeof name, "%s, %u thread%s%s",
                     backend == A1_SPEC_REFERENCE ? "reference" : allin1_cpu_level_string(level),
                     threads, threads > 1 ? "s" : "", run->quantise ? ", 16 bits" : "");
            printf("%-38s %9.1f %9.1f %9.1f\n", name, f.wall[0] / 1e6, f.wall[f.count / 2] / 1e6,
                   f.cpu / 1e6 / threads);
        }
        a1_pool_destroy(&run->pool);
    }
    a1_spectrogram_destroy(&run->plan);
}

int main(int argc, char **argv)
{
    const double seconds = argc > 1 ? strtod(argv[1], NULL) : 195.57;
    const size_t repeats = argc > 2 ? strtoul(argv[2], NULL, 10) : 20;
    if (!(seconds > 0.0 && seconds < 36000.0) || repeats < 1 || repeats > MAX_REPEATS) {
        fprintf(stderr, "usage: bench_spectrogram [seconds [repeats]], at most %d repeats\n",
                MAX_REPEATS);
        return 2;
    }
    allin1_cpu_level levels[4];
    const size_t level_count = a1_cpu_levels(levels);
    setvbuf(stdout, NULL, _IOLBF, 0);
    bench_transforms(levels, level_count, 5 * repeats < MAX_REPEATS ? 5 * repeats : MAX_REPEATS);

    spectrogram_run run = {.samples = (size_t)(seconds * A1_SPEC_SAMPLE_RATE)};
    const size_t frames = a1_spectrogram_frames(run.samples);
    float *stems = random_floats(2 * A1_STEMS * run.samples);
    for (size_t c = 0; c < 2 * A1_STEMS; c++)
        run.stems[c / 2][c % 2] = stems + c * run.samples;
    run.out = random_floats(A1_STEMS * frames * A1_SPEC_BANDS);
    printf("\n%-38s %9s %9s %9s\n", "spectrogram of four stems, ms", "best", "median", "cpu");
    for (size_t l = 0; l < level_count; l++)
        bench_one(&run, A1_SPEC_FAST, levels[l], repeats);
    bench_one(&run, A1_SPEC_REFERENCE, ALLIN1_CPU_AUTO, 1);
    printf("%.2f s of sound, %zu frames a stem; of %zu runs (reference: of 1)\n", seconds, frames,
           repeats);
    a1_aligned_free(stems);
    a1_aligned_free(run.out);
    return 0;
}
