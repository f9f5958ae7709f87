/* Times the beat decoder: the plain full-state Viterbi against the fast one.
 *
 *     bench_metrical [frames [repeats]]
 *     bench_metrical logits.npz [repeats]
 *
 * Without a file of logits (the layout of the song goldens) the activations are a synthetic song of
 * 112.3 beats a minute in 4/4 with noise. Times include densities, both metres, the traced path and
 * the allocation of memory. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "measure/measure.h"

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
    const a1_tensor *beat = NULL, *downbeat = NULL;
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

typedef struct decoding {
    const a1_metrical *model;
    a1_pool *pool;
    const float *activations;
    size_t frames;
} decoding;

static void run_fast(void *argument)
{
    const decoding *d = argument;
    a1_beats beats;
    a1_error err;
    if (a1_metrical_decode(d->model, d->pool, d->activations, d->frames, &beats, &err) != ALLIN1_OK)
        stop(err.message);
    a1_beats_free(&beats);
}

static void run_plain(void *argument)
{
    const decoding *d = argument;
    a1_beats beats;
    a1_error err;
    if (a1_metrical_decode_plain(d->model, d->activations, d->frames, &beats, &err) != ALLIN1_OK)
        stop(err.message);
    a1_beats_free(&beats);
}

/* Timing what does not give the same bits would mean nothing. */
static void compare(const decoding *d)
{
    a1_beats fast, plain;
    a1_error err;
    if (a1_metrical_decode(d->model, d->pool, d->activations, d->frames, &fast, &err) ||
        a1_metrical_decode_plain(d->model, d->activations, d->frames, &plain, &err))
        stop(err.message);
    if (fast.count != plain.count ||
        memcmp(fast.log_probability, plain.log_probability, sizeof fast.log_probability) != 0 ||
        (fast.count && memcmp(fast.times, plain.times, fast.count * sizeof *fast.times) != 0))
        stop("the fast decoder differs from the plain one");
    a1_beats_free(&fast);
    a1_beats_free(&plain);
}

int main(int argc, char **argv)
{
    const int from_file = argc > 1 && strstr(argv[1], ".npz") != NULL;
    size_t frames = argc > 1 && !from_file ? strtoul(argv[1], NULL, 10) : 19557;
    const size_t repeats = argc > 2 ? strtoul(argv[2], NULL, 10) : 5;
    if (frames == 0 || frames > 10000000 || repeats == 0 || repeats > MEASURE_MAX) {
        fprintf(stderr, "usage: bench_metrical [frames or logits.npz [repeats]]\n");
        return 2;
    }
    float *activations = from_file ? song_from_logits(argv[1], &frames) : synthetic_song(frames);
    a1_pool *pool = NULL;
    a1_error err;
    if (!activations || a1_pool_create(&pool, 2, &err) != ALLIN1_OK)
        stop("cannot be set up");
    allin1_cpu_level levels[4];
    const size_t level_count = a1_cpu_levels(levels);
    a1_metrical_settings settings;
    a1_metrical_settings_default(&settings);
    char name[64];
    snprintf(name, sizeof name, "decoder, %zu frames", frames);
    figure_heading("decoder (plain: full-state Viterbi)");
    for (size_t l = 0; l < level_count; l++) {
        a1_cpu cpu;
        a1_metrical *model;
        if (a1_cpu_select(&cpu, levels[l], &err) != ALLIN1_OK ||
            a1_metrical_create(&model, &settings, &cpu, &err) != ALLIN1_OK)
            stop(err.message);
        /* The plain one is a yardstick on one thread; it has no parts for more. */
        for (unsigned threads = 1; threads <= 2; threads++) {
            decoding d = {model, threads == 2 ? pool : NULL, activations, frames};
            samples fast, plain;
            char how[64];
            snprintf(how, sizeof how, "%s, %u thread%s", allin1_cpu_level_string(levels[l]),
                     threads, threads > 1 ? "s" : "");
            figure f = {.name = name, .how = how, .against = "plain, 1 thread"};
            compare(&d);
            measure_pair(&fast, run_fast, &d, &plain, run_plain, &d, repeats);
            f.ratio = samples_ratio(&fast, &plain);
            figure_samples(f, &fast);
        }
        a1_metrical_destroy(&model);
    }
    a1_pool_destroy(&pool);
    free(activations);
    return 0;
}
