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
    allin1_cpu_level level;
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
    task->status = a1_posterior(task->bar, task->level, task->gains, &task->log_sum, task->beats,
                                task->downbeats, &task->err);
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

/* A tempo that the song may have, and what it explains. */
typedef struct tempo {
    double bpm; /* 0: not asked about */
    a1_bar_model bars[A1_MAX_METRES];
    posterior_task *tasks; /* [metres] */
} tempo;

#define TEMPI (1 + A1_TEMPO_ALTERNATIVES) /* the song's own, then the others */

/* All sums over paths are independent of each other, so the pool gets them at once. */
typedef struct work {
    const a1_metrical *model;
    size_t metres, frames;
    double *columns; /* of the gains: for beats [A1_DENSITIES][frames], then for tempi */
    double *found;   /* [metres][2][frames] */
    a1_gains for_beats, for_tempi;
    tempo tempi[TEMPI];
    posterior_task tasks[(1 + TEMPI) * A1_MAX_METRES];
    size_t task_count;
} work;

static void add_beats(work *w)
{
    for (size_t m = 0; m < w->metres; m++)
        w->tasks[w->task_count++] =
            (posterior_task){.bar = &w->model->bars[m],
                             .level = w->model->level,
                             .gains = &w->for_beats,
                             .beats = w->found + 2 * m * w->frames,
                             .downbeats = w->found + (2 * m + 1) * w->frames};
}

static allin1_status add_tempo(work *w, tempo *t, double bpm, a1_error *err)
{
    const a1_metrical_settings *settings = &w->model->settings;
    t->bpm = bpm;
    t->tasks = w->tasks + w->task_count;
    for (size_t m = 0; m < w->metres; m++) {
        A1_TRY(a1_bar_model_create(&t->bars[m], settings, settings->beats_per_bar[m], bpm / AROUND,
                                   bpm * AROUND, err));
        w->tasks[w->task_count++] = (posterior_task){
            .bar = &t->bars[m], .level = w->model->level, .gains = &w->for_tempi};
    }
    return ALLIN1_OK;
}

/* The tempo, its half and its double. */
static allin1_status add_tempi(work *w, double bpm, a1_error *err)
{
    static const double factors[A1_TEMPO_ALTERNATIVES] = {0.5, 2};
    A1_TRY(add_tempo(w, &w->tempi[0], bpm, err));
    for (size_t i = 0; i < A1_TEMPO_ALTERNATIVES; i++) {
        const double other = bpm * factors[i];
        if (other >= SLOWEST_ALTERNATIVE && other <= FASTEST_ALTERNATIVE / AROUND)
            A1_TRY(add_tempo(w, &w->tempi[1 + i], other, err));
    }
    return ALLIN1_OK;
}

static allin1_status sum_paths(work *w, a1_pool *pool, a1_error *err)
{
    a1_pool_run(pool, w->task_count, run_task, w->tasks);
    for (size_t i = 0; i < w->task_count; i++) {
        if (w->tasks[i].status != ALLIN1_OK)
            return a1_fail(err, w->tasks[i].status, "%s", w->tasks[i].err.message);
    }
    return ALLIN1_OK;
}

/* Each metre counts by its probability; the mean goes into the first one's place. */
static void weigh_beats(const work *w, const a1_beats *beats, a1_confidences *confidences)
{
    const a1_metrical_settings *settings = &w->model->settings;
    const size_t frames = w->frames;
    const double total = log_total(settings, w->tasks);
    double *found = w->found;
    for (size_t m = 0; m < w->metres; m++) {
        const double share = exp(w->tasks[m].log_sum + log(settings->weights[m]) - total);
        for (size_t i = 0; i < 2 * frames; i++)
            found[i] = (m > 0 ? found[i] : 0) + share * found[2 * m * frames + i];
    }
    collect(w->model, beats, found, confidences->beats);
    collect(w->model, beats, found + frames, confidences->downbeats);
}

/* Each tempo is as likely as its sum over all paths is for one beat of the song, on average. */
static void weigh_tempi(const work *w, const a1_beats *beats, a1_confidences *confidences)
{
    const a1_metrical_settings *settings = &w->model->settings;
    const double own = log_total(settings, w->tempi[0].tasks);
    double other[A1_TEMPO_ALTERNATIVES] = {0}, total = 1;
    for (size_t i = 0; i < A1_TEMPO_ALTERNATIVES; i++) {
        const tempo *t = &w->tempi[1 + i];
        if (t->bpm == 0)
            continue;
        confidences->alternatives[i].bpm = t->bpm;
        other[i] = exp((log_total(settings, t->tasks) - own) / (double)beats->count);
        total += other[i];
    }
    for (size_t i = 0; i < A1_TEMPO_ALTERNATIVES; i++)
        confidences->alternatives[i].confidence = other[i] / total;
    confidences->tempo = 1 / total;
}

static void destroy_work(work *w)
{
    for (size_t i = 0; i < TEMPI; i++)
        for (size_t m = 0; m < w->metres; m++)
            a1_bar_model_destroy(&w->tempi[i].bars[m]);
    free(w->columns);
    free(w->found);
    free(w);
}

allin1_status a1_metrical_confidences(const a1_metrical *model, a1_pool *pool,
                                      const float *activations, const a1_beats *beats, double bpm,
                                      a1_confidences *confidences, a1_error *err)
{
    memset(confidences, 0, sizeof *confidences);
    confidences->tempo = NAN;
    if (beats->count == 0)
        return ALLIN1_OK;
    allin1_status status;
    const size_t frames = beats->decoded_frames, metres = model->settings.metre_count;
    const float *decoded = activations + 2 * beats->first_frame;
    work *w = calloc(1, sizeof *w);
    if (!w)
        return a1_fail_memory(err, "the beats' confidences");
    w->model = model;
    w->metres = metres;
    w->frames = frames;
    w->columns = malloc(2 * A1_DENSITIES * frames * sizeof *w->columns);
    w->found = calloc(2 * metres * frames, sizeof *w->found);
    confidences->beats = calloc(beats->count, sizeof *confidences->beats);
    confidences->downbeats = calloc(beats->count, sizeof *confidences->downbeats);
    if (!w->columns || !w->found || !confidences->beats || !confidences->downbeats) {
        status = a1_fail_memory(err, "the beats' confidences");
        goto done;
    }
    w->for_beats = find_gains(model, decoded, frames, EVIDENCE_FOR_BEATS, w->columns);
    add_beats(w);
    if (bpm > 0) {
        w->for_tempi = find_gains(model, decoded, frames, EVIDENCE_FOR_TEMPI,
                                  w->columns + A1_DENSITIES * frames);
        A1_CHECK(add_tempi(w, bpm, err));
    }
    A1_CHECK(sum_paths(w, pool, err));
    weigh_beats(w, beats, confidences);
    if (bpm > 0)
        weigh_tempi(w, beats, confidences);
done:
    destroy_work(w);
    if (status != ALLIN1_OK)
        a1_confidences_free(confidences);
    return status;
}
