#include "metrical/confidence.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "metrical/metrical_model.h"
#include "metrical/posterior.h"

/* The model takes frames for independent, which neighbours are not: taken at its word it is sure of
 * everything. For beats, where all frames of a song bear on each, its evidence counts by this power,
 * the one with which low confidences told wrong beats best (docs/MODEL.md). Tempi are compared by the
 * evidence of a single beat, in full. */
#define EVIDENCE_FOR_BEATS 0.1
#define EVIDENCE_FOR_TEMPI 1.0
#define LARGEST_GAIN 20.0 /* of one frame: the decoder's minus infinity is too sure for a sum */
#define TOLERANCE 0.07 /* seconds on either side that count as the same beat */
#define SLOWEST_ALTERNATIVE 20.0
#define FASTEST_ALTERNATIVE 600.0
#define AROUND 1.06 /* an alternative is any tempo within this factor */

void a1_confidences_free(a1_confidences *confidences)
{
    free(confidences->beats);
    free(confidences->downbeats);
    memset(confidences, 0, sizeof *confidences);
}

static double gain_of(double inside, double outside, double evidence)
{
    if (inside == outside)
        return 0; /* both impossible: nothing is told */
    return evidence * fmax(-LARGEST_GAIN, fmin(LARGEST_GAIN, inside - outside));
}

/* [3][frames]: densities, then the gains of beats and downbeats in the place of the latter two. */
static a1_gains find_gains(const a1_metrical *model, const float *activations, size_t frames,
                           double evidence, double *columns)
{
    double *none = columns, *beat = columns + frames, *downbeat = columns + 2 * frames;
    a1_log_densities(activations, frames, model->settings.observation_lambda, none, beat, downbeat);
    for (size_t t = 0; t < frames; t++) {
        beat[t] = gain_of(beat[t], none[t], evidence);
        downbeat[t] = gain_of(downbeat[t], none[t], evidence);
    }
    return (a1_gains){.beat = beat, .downbeat = downbeat, .frames = frames};
}

/* A sum over paths for one model, with or without the frames' probabilities. */
typedef struct posterior_task {
    const a1_bar_model *bar;
    const a1_gains *gains;
    double *beats, *downbeats; /* [frames] or NULL */
    double log_sum;
    allin1_status status;
    a1_error err;
} posterior_task;

static void run_task(void *argument, size_t index, unsigned worker)
{
    (void)worker;
    posterior_task *task = (posterior_task *)argument + index;
    task->status = a1_posterior(task->bar, task->gains, &task->log_sum, task->beats,
                                task->downbeats, &task->err);
}

static allin1_status run_tasks(a1_pool *pool, posterior_task *tasks, size_t count, a1_error *err)
{
    a1_pool_run(pool, count, run_task, tasks);
    for (size_t i = 0; i < count; i++) {
        if (tasks[i].status != ALLIN1_OK)
            return a1_fail(err, tasks[i].status, "%s", tasks[i].err.message);
    }
    return ALLIN1_OK;
}

/* The logarithm of the sum of weighted exponentials. */
static double log_total(const a1_metrical_settings *settings, const posterior_task *tasks)
{
    double largest = -INFINITY, sum = 0;
    for (size_t m = 0; m < settings->metre_count; m++)
        largest = fmax(largest, tasks[m].log_sum + log(settings->weights[m]));
    for (size_t m = 0; m < settings->metre_count; m++)
        sum += exp(tasks[m].log_sum + log(settings->weights[m]) - largest);
    return log(sum) + largest;
}

/* Probabilities of frames summed around each beat. */
static void collect(const a1_metrical *model, const a1_beats *beats, const double *frames,
                    double *confidences)
{
    const double fps = model->settings.fps;
    const size_t shortest = model->bars[0].space.intervals[0];
    size_t reach = (size_t)floor(TOLERANCE * fps);
    reach = reach < (shortest - 1) / 2 ? reach : (shortest - 1) / 2; /* never two beats */
    for (size_t i = 0; i < beats->count; i++) {
        const size_t at = (size_t)llround(beats->times[i] * fps) - beats->first_frame;
        const size_t from = at > reach ? at - reach : 0;
        double sum = 0;
        for (size_t t = from; t <= at + reach && t < beats->decoded_frames; t++)
            sum += frames[t];
        confidences[i] = fmin(1, sum);
    }
}

static allin1_status beats_and_downbeats(const a1_metrical *model, a1_pool *pool,
                                         const a1_gains *gains, const a1_beats *beats,
                                         a1_confidences *confidences, a1_error *err)
{
    const size_t frames = gains->frames, metres = model->settings.metre_count;
    posterior_task tasks[A1_MAX_METRES];
    double *found = calloc(2 * metres * frames, sizeof *found);
    confidences->beats = calloc(beats->count, sizeof *confidences->beats);
    confidences->downbeats = calloc(beats->count, sizeof *confidences->downbeats);
    if (!found || !confidences->beats || !confidences->downbeats) {
        free(found);
        return a1_fail_memory(err, "the beats' confidences");
    }
    for (size_t m = 0; m < metres; m++)
        tasks[m] = (posterior_task){.bar = &model->bars[m],
                                    .gains = gains,
                                    .beats = found + 2 * m * frames,
                                    .downbeats = found + (2 * m + 1) * frames};
    const allin1_status status = run_tasks(pool, tasks, metres, err);
    if (status == ALLIN1_OK) {
        /* Each metre counts by its probability; the mean goes into the first one's place. */
        const double total = log_total(&model->settings, tasks);
        for (size_t m = 0; m < metres; m++) {
            const double share = exp(tasks[m].log_sum + log(model->settings.weights[m]) - total);
            for (size_t i = 0; i < 2 * frames; i++)
                found[i] = (m > 0 ? found[i] : 0) + share * found[2 * m * frames + i];
        }
        collect(model, beats, found, confidences->beats);
        collect(model, beats, found + frames, confidences->downbeats);
    }
    free(found);
    return status;
}

/* How well tempi around `bpm` explain the song: the logarithm of the sum over all paths. */
static allin1_status weigh_tempo(const a1_metrical *model, a1_pool *pool, const a1_gains *gains,
                                 double bpm, double *log_sum, a1_error *err)
{
    const a1_metrical_settings *settings = &model->settings;
    a1_bar_model bars[A1_MAX_METRES];
    posterior_task tasks[A1_MAX_METRES];
    allin1_status status = ALLIN1_OK;
    memset(bars, 0, sizeof bars);
    for (size_t m = 0; m < settings->metre_count && status == ALLIN1_OK; m++) {
        status = a1_bar_model_create(&bars[m], settings, settings->beats_per_bar[m], bpm / AROUND,
                                     bpm * AROUND, err);
        tasks[m] = (posterior_task){.bar = &bars[m], .gains = gains};
    }
    if (status == ALLIN1_OK)
        status = run_tasks(pool, tasks, settings->metre_count, err);
    if (status == ALLIN1_OK)
        *log_sum = log_total(settings, tasks);
    for (size_t m = 0; m < settings->metre_count; m++)
        a1_bar_model_destroy(&bars[m]);
    return status;
}

/* Of the tempo, its half and its double: each as likely as its sum over all paths is for one beat of
 * the song, on average. */
static allin1_status weigh_tempi(const a1_metrical *model, a1_pool *pool, const a1_gains *gains,
                                 const a1_beats *beats, double bpm, a1_confidences *confidences,
                                 a1_error *err)
{
    static const double factors[A1_TEMPO_ALTERNATIVES] = {0.5, 2};
    double own, other[A1_TEMPO_ALTERNATIVES] = {0}, total = 1;
    A1_TRY(weigh_tempo(model, pool, gains, bpm, &own, err));
    for (size_t i = 0; i < A1_TEMPO_ALTERNATIVES; i++) {
        const double tempo = bpm * factors[i];
        if (tempo < SLOWEST_ALTERNATIVE || tempo > FASTEST_ALTERNATIVE / AROUND)
            continue;
        confidences->alternatives[i].bpm = tempo;
        A1_TRY(weigh_tempo(model, pool, gains, tempo, &other[i], err));
        other[i] = exp((other[i] - own) / (double)beats->count);
        total += other[i];
    }
    for (size_t i = 0; i < A1_TEMPO_ALTERNATIVES; i++)
        confidences->alternatives[i].confidence = other[i] / total;
    confidences->tempo = 1 / total;
    return ALLIN1_OK;
}

allin1_status a1_metrical_confidences(const a1_metrical *model, a1_pool *pool,
                                      const float *activations, const a1_beats *beats, double bpm,
                                      a1_confidences *confidences, a1_error *err)
{
    memset(confidences, 0, sizeof *confidences);
    confidences->tempo = NAN;
    if (beats->count == 0)
        return ALLIN1_OK;
    const size_t frames = beats->decoded_frames;
    const float *decoded = activations + 2 * beats->first_frame;
    double *columns = malloc(A1_DENSITIES * frames * sizeof *columns);
    if (!columns)
        return a1_fail_memory(err, "the beats' confidences");
    a1_gains gains = find_gains(model, decoded, frames, EVIDENCE_FOR_BEATS, columns);
    allin1_status status = beats_and_downbeats(model, pool, &gains, beats, confidences, err);
    if (status == ALLIN1_OK && bpm > 0) {
        gains = find_gains(model, decoded, frames, EVIDENCE_FOR_TEMPI, columns);
        status = weigh_tempi(model, pool, &gains, beats, bpm, confidences, err);
    }
    free(columns);
    if (status != ALLIN1_OK)
        a1_confidences_free(confidences);
    return status;
}
