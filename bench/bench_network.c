/* How fast the network is: whole runs, its stages, and its share of what the processor can do.
 *
 *     bench_network [frames [repeats [level]]]
 *     bench_network --step SPECTROGRAM LOGITS THREADS
 *
 * Weights and spectrogram are random: no layer's time depends on them. --step runs the eight real folds
 * on the float32 numbers of a file once for each line it reads, prints the seconds, and writes the last
 * logits at the end: for runs that take turns with another program (see torch_network.py). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "measure/measure.h"

#include "base/arena.h"
#include "base/timer.h"
#include "network/network.h"
#include "network/stages.h"
#include "weights/weights.h"

#define FOLDS 8

/* Multiply-adds of one frame of one stem. */
#define EMBEDDING_WORK (78.0 * 12 * 9 + 15.0 * 24 * 144 + 3.0 * 24 * 216)
#define TIME_WORK (6.0 * 24 * 24 + 2.0 * 24 * 24 + 2.0 * 2 * 5 * 12 * 2 + 3.0 * 48 * 96)
#define INSTRUMENT_WORK (4.0 * 24 * 24 + 2.0 * 25 * 12 * 2 + 2.0 * 24 * 96)
#define HEADS_WORK (13.0 * 24)

static float random_float(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (float)(*state >> 40) / 8388608.0f - 1.0f;
}

static int die(const a1_error *err)
{
    fprintf(stderr, "bench_network: %s\n", err->message);
    exit(1);
}

typedef struct generator {
    a1_tensor_set *set;
    uint64_t random;
    a1_error err;
} generator;

static allin1_status add_tensor(void *user, const char *name, unsigned rank, const size_t *shape,
                                float *values)
{
    generator *g = user;
    a1_tensor tensor = {.name = name, .dtype = A1_F32, .rank = rank, .data = values};
    size_t count = 1;
    for (unsigned i = 0; i < rank; i++)
        count *= tensor.shape[i] = shape[i];
    for (size_t i = 0; i < count; i++)
        values[i] = 0.2f * random_float(&g->random);
    return a1_tensor_set_add(g->set, &tensor, &g->err);
}

/* A set of random tensors that lie in `weights`. */
static a1_tensor_set *random_fold(a1_fold_weights *weights, uint64_t seed)
{
    generator g = {.random = seed};
    if (a1_tensor_set_create(&g.set, &g.err) != ALLIN1_OK ||
        a1_fold_weights_visit(weights, add_tensor, &g) != ALLIN1_OK)
        die(&g.err);
    return g.set;
}

/* Adds the time since `at` to sample `i`, and starts again. */
static void lap(samples *s, size_t i, uint64_t *at)
{
    const uint64_t now = a1_monotonic_ns();
    s->seconds[i] += 1e-9 * (double)(now - *at);
    *at = now;
}

/* A dense layer that stays in the first-level cache, long enough to hide its ends. */
typedef struct peak_task {
    const a1_lane_kernels *kernels;
    a1_lane_matrix matrix;
    float *x, *out;
} peak_task;

#define PEAK_INPUTS 192
#define PEAK_CALLS 500
#define PEAK_PARTS 8

static void run_peak(void *argument, size_t index, unsigned worker)
{
    (void)worker;
    const peak_task *task = argument;
    const a1_lane_input in = {task->x, A1_LANES, 0};
    for (int i = 0; i < PEAK_CALLS; i++)
        task->kernels->dense(&task->matrix, &in, task->out + index * A1_LANE_TILE * A1_LANES,
                             A1_LANES);
}

static void dense_layer(const a1_lane_kernels *kernels, a1_pool *pool, double peak)
{
    const unsigned threads = a1_pool_threads(pool);
    peak_task task = {.kernels = kernels};
    float *data = a1_aligned_alloc(A1_LANE_TILE * (1 + PEAK_INPUTS) * sizeof(float));
    task.x = a1_aligned_alloc(PEAK_INPUTS * A1_LANES * sizeof(float));
    task.out = a1_aligned_alloc(PEAK_PARTS * threads * A1_LANE_TILE * A1_LANES * sizeof(float));
    if (!data || !task.x || !task.out)
        exit(1);
    memset(data, 0, A1_LANE_TILE * (1 + PEAK_INPUTS) * sizeof(float));
    memset(task.x, 0, PEAK_INPUTS * A1_LANES * sizeof(float));
    task.matrix = (a1_lane_matrix){A1_LANE_TILE, 1, PEAK_INPUTS, data};
    samples times = {.count = 30};
    for (size_t i = 0; i < times.count; i++) {
        const uint64_t start = a1_monotonic_ns();
        a1_pool_run(pool, PEAK_PARTS * threads, run_peak, &task);
        times.seconds[i] = 1e-9 * (double)(a1_monotonic_ns() - start);
    }
    char how[64];
    snprintf(how, sizeof how, "%u thread%s", threads, threads == 1 ? "" : "s");
    const figure f = {.name = "dense layer in cache",
                      .how = how,
                      .work = 2.0 * PEAK_PARTS * threads * PEAK_CALLS * A1_LANE_TILE * PEAK_INPUTS * A1_LANES,
                      .peak = peak};
    figure_samples(f, &times);
    a1_aligned_free(data);
    a1_aligned_free(task.x);
    a1_aligned_free(task.out);
}

static void bench_runs(const a1_cpu *cpu, a1_pool *pool, size_t fold_count,
                       const float *spectrogram, size_t frames, size_t repeats, double peak)
{
    a1_error err = {0};
    a1_tensor_set *sets[FOLDS];
    a1_network *network;
    a1_fold_weights *weights = malloc(fold_count * sizeof *weights);
    if (!weights)
        exit(1);
    for (size_t i = 0; i < fold_count; i++)
        sets[i] = random_fold(&weights[i], i + 1);
    if (a1_network_create(&network, (const a1_tensor_set *const *)sets, fold_count, cpu, NULL,
                          &err) != ALLIN1_OK)
        die(&err);
    for (size_t i = 0; i < fold_count; i++)
        a1_tensor_set_destroy(&sets[i]);
    free(weights);
    float *logits = malloc(13 * frames * sizeof *logits);
    samples times = {.count = repeats};
    if (!logits)
        exit(1);
    const a1_network_output output = {logits, logits + frames, logits + 2 * frames,
                                      logits + 3 * frames, NULL};
    for (size_t i = 0; i < repeats; i++) {
        const uint64_t start = a1_monotonic_ns();
        if (a1_network_run(network, pool, spectrogram, frames, &output, NULL, NULL, &err) !=
            ALLIN1_OK)
            die(&err);
        times.seconds[i] = 1e-9 * (double)(a1_monotonic_ns() - start);
    }
    char name[64], how[64];
    snprintf(name, sizeof name, "network, %zu fold%s, %zu frames", fold_count,
             fold_count == 1 ? "" : "s", frames);
    snprintf(how, sizeof how, "%s, %u thread%s", allin1_cpu_level_string(cpu->level),
             a1_pool_threads(pool), a1_pool_threads(pool) == 1 ? "" : "s");
    const figure f = {.name = name,
                      .how = how,
                      .work = 2.0 * 4 * (double)frames * (double)fold_count *
                              (EMBEDDING_WORK + A1_NET_BLOCKS * (TIME_WORK + INSTRUMENT_WORK) +
                               HEADS_WORK),
                      .peak = peak};
    figure_samples(f, &times);
    a1_network_destroy(&network);
    free(logits);
}

/* One fold, stage by stage. */
static void bench_stages(const a1_cpu *cpu, a1_pool *pool, const float *spectrogram, size_t frames,
                         size_t repeats, double peak)
{
    a1_error err = {0};
    a1_fold_weights *weights = malloc(sizeof *weights);
    a1_fold_model model;
    if (!weights)
        exit(1);
    a1_tensor_set *set = random_fold(weights, 1);
    if (a1_fold_model_create(&model, weights, &err) != ALLIN1_OK)
        die(&err);
    a1_tensor_set_destroy(&set);
    free(weights);
    a1_network_job job;
    a1_arena arena;
    if (a1_network_job_create(&job, &arena, a1_lane_kernels_get(cpu), pool, spectrogram, frames,
                              &err) != ALLIN1_OK)
        die(&err);
    float *logits = malloc(13 * frames * sizeof *logits);
    const a1_network_output output = {logits, logits + frames, logits + 2 * frames,
                                      logits + 3 * frames, NULL};
    enum { EMBEDDING, TIME, INSTRUMENT = TIME + A1_NET_BLOCKS, HEADS, STAGES };
    samples *times = calloc(STAGES, sizeof *times);
    if (!logits || !times)
        exit(1);
    for (size_t i = 0; i < repeats; i++) {
        uint64_t at = a1_monotonic_ns();
#define LAP(stage) lap(&times[stage], i, &at)
        a1_embedding_run(&job, &model);
        LAP(EMBEDDING);
        for (size_t block = 0; block < A1_NET_BLOCKS; block++) {
            a1_time_layer_run(&job, &model.time[block], (size_t)1 << block);
            LAP(TIME + block);
            a1_instrument_layer_run(&job, &model.instrument[block]);
            LAP(INSTRUMENT);
        }
        a1_heads_run(&job, &model, 0, 1, &output);
        LAP(HEADS);
#undef LAP
    }
    const double unit = 2.0 * 4 * (double)frames;
    char how[64];
    snprintf(how, sizeof how, "one fold, %u thread%s", a1_pool_threads(pool),
             a1_pool_threads(pool) == 1 ? "" : "s");
    for (size_t stage = 0; stage < STAGES; stage++) {
        char name[64];
        const double work = unit * (stage == EMBEDDING    ? EMBEDDING_WORK
                                    : stage == INSTRUMENT ? A1_NET_BLOCKS * INSTRUMENT_WORK
                                    : stage == HEADS      ? HEADS_WORK
                                                          : TIME_WORK);
        times[stage].count = repeats;
        if (stage >= TIME && stage < INSTRUMENT)
            snprintf(name, sizeof name, "time layers, dilation %d", 1 << (stage - TIME));
        else
            snprintf(name, sizeof name, "%s",
                     stage == EMBEDDING    ? "embedding"
                     : stage == INSTRUMENT ? "instrument layers, all"
                                           : "heads");
        const figure f = {.name = name, .how = how, .work = work, .peak = peak};
        figure_samples(f, &times[stage]);
    }
    free(logits);
    free(times);
    a1_arena_destroy(&arena);
    a1_fold_model_destroy(&model);
}

static int step(const char *spectrogram_path, const char *logits_path, unsigned threads)
{
    a1_error err = {0};
    a1_cpu cpu;
    a1_pool *pool;
    a1_tensor_set *sets[A1_WEIGHTS_MAX_FILES];
    a1_network *network;
    size_t fold_count = 0;
    FILE *file = fopen(spectrogram_path, "rb");
    if (!file || fseek(file, 0, SEEK_END) != 0) {
        perror(spectrogram_path);
        return 1;
    }
    const size_t frames = (size_t)ftell(file) / (4 * A1_NETWORK_BANDS * sizeof(float));
    float *spectrogram = malloc(4 * frames * A1_NETWORK_BANDS * sizeof *spectrogram);
    float *logits = malloc(13 * frames * sizeof *logits);
    rewind(file);
    if (!spectrogram || !logits || frames == 0 ||
        fread(spectrogram, 4 * A1_NETWORK_BANDS * sizeof(float), frames, file) != frames) {
        fprintf(stderr, "bench_network: no spectrogram in %s\n", spectrogram_path);
        return 1;
    }
    fclose(file);
    if (a1_cpu_select(&cpu, ALLIN1_CPU_AUTO, &err) || a1_pool_create(&pool, threads, &err) ||
        a1_weights_load_model(NULL, "harmonix-all", NULL, pool, sets, NULL, &fold_count, &err) ||
        a1_network_create(&network, (const a1_tensor_set *const *)sets, fold_count, &cpu, NULL,
                          &err))
        die(&err);
    for (size_t i = 0; i < fold_count; i++)
        a1_tensor_set_destroy(&sets[i]);
    const a1_network_output output = {logits, logits + frames, logits + 2 * frames,
                                      logits + 3 * frames, NULL};
    char line[16];
    while (fgets(line, sizeof line, stdin)) {
        const uint64_t start = a1_monotonic_ns();
        if (a1_network_run(network, pool, spectrogram, frames, &output, NULL, NULL, &err))
            die(&err);
        printf("%.4f\n", 1e-9 * (double)(a1_monotonic_ns() - start));
        fflush(stdout);
    }
    file = fopen(logits_path, "wb");
    if (!file || fwrite(logits, sizeof *logits, 13 * frames, file) != 13 * frames ||
        fclose(file) != 0) {
        perror(logits_path);
        return 1;
    }
    a1_network_destroy(&network);
    a1_pool_destroy(&pool);
    free(spectrogram);
    free(logits);
    return 0;
}

static allin1_cpu_level level_of(const char *name)
{
    for (allin1_cpu_level level = ALLIN1_CPU_AUTO; level <= ALLIN1_CPU_AVX512; level++)
        if (strcmp(name, allin1_cpu_level_string(level)) == 0)
            return level;
    fprintf(stderr, "bench_network: no CPU level \"%s\"\n", name);
    exit(1);
}

int main(int argc, char **argv)
{
    if (argc == 5 && strcmp(argv[1], "--step") == 0)
        return step(argv[2], argv[3], (unsigned)strtoul(argv[4], NULL, 10));
    const size_t frames = argc > 1 ? strtoul(argv[1], NULL, 10) : 19557;
    const size_t repeats = argc > 2 ? strtoul(argv[2], NULL, 10) : 5;
    a1_error err = {0};
    a1_cpu cpu;
    if (a1_cpu_select(&cpu, argc > 3 ? level_of(argv[3]) : ALLIN1_CPU_AUTO, &err) != ALLIN1_OK)
        die(&err);
    if (frames == 0 || repeats == 0 || 2 * repeats > MEASURE_MAX)
        return 1;
    float *spectrogram = malloc(4 * frames * A1_NETWORK_BANDS * sizeof *spectrogram);
    if (!spectrogram)
        return 1;
    uint64_t random = 1;
    for (size_t i = 0; i < 4 * frames * A1_NETWORK_BANDS; i++)
        spectrogram[i] = 1.0f + random_float(&random);
    for (unsigned threads = 1; threads <= a1_cpu_count() && threads <= 2; threads++) {
        a1_pool *pool;
        if (a1_pool_create(&pool, threads, &err) != ALLIN1_OK)
            die(&err);
        const double peak = peak_rate(PEAK_FP32, &cpu, pool);
        figure_heading("network");
        dense_layer(a1_lane_kernels_get(&cpu), pool, peak);
        bench_runs(&cpu, pool, 1, spectrogram, frames, repeats, peak);
        bench_runs(&cpu, pool, FOLDS, spectrogram, frames, repeats, peak);
        bench_stages(&cpu, pool, spectrogram, frames, 2 * repeats, peak);
        a1_pool_destroy(&pool);
    }
    free(spectrogram);
    return 0;
}
