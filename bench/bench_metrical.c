/* Times the beat decoder: the plain full-state Viterbi against the fast one.
 *
 *     bench_metrical [frames [repeats]]
 *     bench_metrical logits.npz [repeats]
 *
 * Without a file of logits (the layout of the song goldens) the activations are a synthetic song of
 * 112.3 beats a minute in 4/4 with noise. Times include densities, both metres, the traced path and
 * the allocation of memory. The processor time is that of all threads; on a busy machine it is the
 * figure to compare. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cpu.h"
#include "base/threads.h"
#include "base/timer.h"
#include "metrical/metrical.h"
#include "weights/npz.h"

static float *synthetic_song(size_t frames)
{
    float *activations = malloc(2 * frames * sizeof *activations);
    if (!activations)
        return NULL;
    const double beat = 100 * 60 / 112.3;
    unsigned long long random = 1;
    for (size_t t = 0; t < frames; t++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        const double noise = 0.05 * (double)(random >> 40) / 16777216.0;
        const double index = rint((double)t / beat);
        const double off = ((double)t - index * beat) / 2;
        const double peak = 0.85 * exp(-off * off);
        const int downbeat = fmod(index, 4) == 0;
        activations[2 * t] = (float)((downbeat ? 0.1 : 1) * peak + noise);
        activations[2 * t + 1] = (float)((downbeat ? 0.9 : 0.05) * peak + noise / 4);
    }
    return activations;
}

static void stop(const char *message)
{
    fprintf(stderr, "bench_metrical: %s\n", message);
    exit(1);
}

static float *song_from_logits(const char *path, size_t *frames)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        stop("the file of logits cannot be opened");
    static unsigned char bytes[64 << 20];
    const size_t size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    a1_error err;
    a1_tensor_set *set;
    const a1_tensor *beat, *downbeat;
    size_t shape = SIZE_MAX;
    if (a1_tensor_set_create(&set, &err) != ALLIN1_OK ||
        a1_npz_parse(bytes, size, path, set, &err) != ALLIN1_OK ||
        a1_tensor_set_require(set, "logits_beat", 1, &shape, &beat, &err) != ALLIN1_OK)
        stop(err.message);
    *frames = shape = beat->shape[0];
    if (a1_tensor_set_require(set, "logits_downbeat", 1, &shape, &downbeat, &err) != ALLIN1_OK)
        stop(err.message);
    float *logits = malloc(2 * shape * sizeof *logits);
    float *activations = malloc(2 * shape * sizeof *activations);
    if (!logits || !activations || a1_tensor_to_f32(beat, logits, &err) != ALLIN1_OK ||
        a1_tensor_to_f32(downbeat, logits + shape, &err) != ALLIN1_OK)
        stop("the logits cannot be read");
    a1_metrical_activations(logits, logits + shape, shape, activations);
    free(logits);
    a1_tensor_set_destroy(&set);
    return activations;
}

static int by_value(const void *a, const void *b)
{
    const double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

typedef struct times {
    double best, median; /* ms by the clock */
    double processor;    /* ms, the best */
} times;

static times measure(const a1_metrical *model, a1_pool *pool, int plain, const float *activations,
                     size_t frames, size_t repeats, double *samples)
{
    times result = {.processor = INFINITY};
    for (size_t i = 0; i < repeats; i++) {
        a1_beats beats;
        a1_error err;
        const uint64_t start = a1_monotonic_ns(), start_processor = a1_process_cpu_ns();
        const allin1_status status =
            plain ? a1_metrical_decode_plain(model, activations, frames, &beats, &err)
                  : a1_metrical_decode(model, pool, activations, frames, &beats, &err);
        const double processor = (double)(a1_process_cpu_ns() - start_processor) / 1e6;
        samples[i] = (double)(a1_monotonic_ns() - start) / 1e6;
        if (status != ALLIN1_OK)
            stop(err.message);
        result.processor = fmin(result.processor, processor);
        a1_beats_free(&beats);
    }
    qsort(samples, repeats, sizeof *samples, by_value);
    result.best = samples[0];
    result.median = samples[repeats / 2];
    return result;
}

int main(int argc, char **argv)
{
    const int from_file = argc > 1 && strstr(argv[1], ".npz") != NULL;
    size_t frames = argc > 1 && !from_file ? strtoul(argv[1], NULL, 10) : 19557;
    const size_t repeats = argc > 2 ? strtoul(argv[2], NULL, 10) : 9;
    if (frames == 0 || frames > 10000000 || repeats == 0 || repeats > 1000) {
        fprintf(stderr, "usage: bench_metrical [frames or logits.npz [repeats]]\n");
        return 2;
    }
    float *activations = from_file ? song_from_logits(argv[1], &frames) : synthetic_song(frames);
    double *samples = malloc(repeats * sizeof *samples);
    a1_pool *pool = NULL;
    a1_error err;
    if (!activations || !samples || a1_pool_create(&pool, 2, &err) != ALLIN1_OK)
        stop("cannot be set up");
    allin1_cpu_level levels[4];
    const size_t level_count = a1_cpu_levels(levels);
    a1_metrical_settings settings;
    a1_metrical_settings_default(&settings);
    times plain = {0};
    printf("%zu frames, %zu repeats; ms, and how many times faster than the plain decoder\n",
           frames, repeats);
    printf("                         best   median processor      best median processor\n");
    for (size_t l = 0; l < level_count; l++) {
        a1_cpu cpu;
        a1_metrical *model;
        if (a1_cpu_select(&cpu, levels[l], &err) != ALLIN1_OK ||
            a1_metrical_create(&model, &settings, &cpu, &err) != ALLIN1_OK)
            stop(err.message);
        if (l == 0) {
            const size_t fewer = repeats > 3 ? repeats / 3 : 1;
            plain = measure(model, NULL, 1, activations, frames, fewer, samples);
            printf("plain               %9.2f%9.2f%9.2f\n", plain.best, plain.median,
                   plain.processor);
        }
        for (int threads = 1; threads <= 2; threads++) {
            const times fast = measure(model, threads == 2 ? pool : NULL, 0, activations, frames,
                                       repeats, samples);
            printf("fast %-6s %d thread%s%9.2f%9.2f%9.2f    %6.1f %6.1f %6.1f\n",
                   allin1_cpu_level_string(levels[l]), threads, threads == 1 ? " " : "s", fast.best,
                   fast.median, fast.processor, plain.best / fast.best, plain.median / fast.median,
                   plain.processor / fast.processor);
        }
        a1_metrical_destroy(&model);
    }
    a1_pool_destroy(&pool);
    free(samples);
    free(activations);
    return 0;
}
