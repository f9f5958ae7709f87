/* How fast the transforms and the spectrogram are, at every CPU level of this machine.
 *
 *     bench_spectrogram [seconds [repeats]]
 *
 * The spectrogram's input is noise, four stereo stems of `seconds` (195.57); no step's time depends on
 * it. The fast backend takes turns with the reference one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "measure/measure.h"

#include "base/arena.h"
#include "dsp/fft.h"
#include "spectrogram/spectrogram.h"

/* Transforms in one measurement: some milliseconds, so that the clock's own time does not count. */
#define TRANSFORMS 2000

static void check(allin1_status status, const a1_error *err)
{
    if (status != ALLIN1_OK)
        measure_fail(err);
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
                 {"magnitudes", run_magnitudes}};
    static const size_t sizes[] = {2048, 4096};
    figure_heading("real transforms, 2000 at a time");
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        const size_t n = sizes[s];
        samples scalar[3];
        for (size_t l = 0; l < level_count; l++) {
            a1_error err = {0};
            a1_cpu cpu;
            transform_run run = {
                .in = measure_random(n), .out = measure_random(n + 2), .window = measure_random(n)};
            check(a1_cpu_select(&cpu, levels[l], &err), &err);
            check(a1_rfft_create(&run.plan, n, &cpu, &err), &err);
            run.scratch = measure_random(a1_rfft_scratch(run.plan));
            for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
                char name[64];
                samples times;
                snprintf(name, sizeof name, "transforms of %zu, %s", n, kinds[k].name);
                /* The inverse multiplies by n: start from small numbers each time. */
                memset(run.in, 0, n * sizeof *run.in);
                memset(run.out, 0, (n + 2) * sizeof *run.out);
                measure(&times, kinds[k].run, &run, repeats);
                figure f = {.name = name, .how = allin1_cpu_level_string(levels[l])};
                if (l == 0) {
                    scalar[k] = times;
                } else {
                    f.against = "scalar";
                    f.ratio = samples_ratio(&times, &scalar[k]);
                }
                figure_samples(f, &times);
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
    float *out;
} spectrogram_run;

static void run_spectrogram(void *argument)
{
    const spectrogram_run *run = argument;
    a1_error err = {0};
    check(a1_spectrogram_stems(run->plan, run->pool, run->stems, run->samples, 0, run->out, &err),
          &err);
}

static void bench_level(const spectrogram_run *data, allin1_cpu_level level, size_t repeats)
{
    a1_error err = {0};
    a1_cpu cpu;
    spectrogram_run fast = *data, reference = *data;
    check(a1_cpu_select(&cpu, level, &err), &err);
    check(a1_spectrogram_create(&fast.plan, A1_SPEC_FAST, &cpu, &err), &err);
    check(a1_spectrogram_create(&reference.plan, A1_SPEC_REFERENCE, &cpu, &err), &err);
    for (unsigned threads = 1; threads <= 2; threads++) {
        check(a1_pool_create(&fast.pool, threads, &err), &err);
        reference.pool = fast.pool;
        samples ours, other;
        measure_pair(&ours, run_spectrogram, &fast, &other, run_spectrogram, &reference, repeats);
        char name[64], how[64];
        snprintf(name, sizeof name, "spectrogram of 4 stems, %.2f s",
                 (double)data->samples / A1_SPEC_SAMPLE_RATE);
        snprintf(how, sizeof how, "%s, %u thread%s", allin1_cpu_level_string(level), threads,
                 threads > 1 ? "s" : "");
        const figure f = {.name = name,
                          .how = how,
                          .against = "reference, same threads",
                          .ratio = samples_ratio(&ours, &other)};
        figure_samples(f, &ours);
        a1_pool_destroy(&fast.pool);
    }
    a1_spectrogram_destroy(&fast.plan);
    a1_spectrogram_destroy(&reference.plan);
}

int main(int argc, char **argv)
{
    const double seconds = argc > 1 ? strtod(argv[1], NULL) : 195.57;
    const size_t repeats = argc > 2 ? strtoul(argv[2], NULL, 10) : 3;
    if (!(seconds > 0.0 && seconds < 36000.0) || repeats < 1 || repeats > MEASURE_MAX / 20) {
        fprintf(stderr, "usage: bench_spectrogram [seconds [repeats]], at most %d repeats\n",
                MEASURE_MAX / 20);
        return 2;
    }
    allin1_cpu_level levels[4];
    const size_t level_count = a1_cpu_levels(levels);
    bench_transforms(levels, level_count, 20 * repeats);

    spectrogram_run run = {.samples = (size_t)(seconds * A1_SPEC_SAMPLE_RATE)};
    const size_t frames = a1_spectrogram_frames(run.samples);
    float *stems = measure_random(2 * A1_STEMS * run.samples);
    for (size_t c = 0; c < 2 * A1_STEMS; c++)
        run.stems[c / 2][c % 2] = stems + c * run.samples;
    run.out = measure_random(A1_STEMS * frames * A1_SPEC_BANDS);
    figure_heading("spectrogram");
    for (size_t l = 0; l < level_count; l++)
        bench_level(&run, levels[l], repeats);
    a1_aligned_free(stems);
    a1_aligned_free(run.out);
    return 0;
}
