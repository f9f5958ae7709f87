#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "metrical/bar_model.h"
#include "metrical/metrical.h"
#include "metrical/metrical_model.h"
#include "metrical/viterbi.h"
#include "nn/logistic.h"

/* More frames than this (248 days at 100 a second) are taken for a mistake; sums of sizes below
 * cannot overflow. */
#define MAX_FRAMES ((size_t)1 << 31)

void a1_metrical_settings_default(a1_metrical_settings *settings)
{
    *settings = (a1_metrical_settings){
        .fps = 100,
        .min_bpm = 55,
        .max_bpm = 215,
        .num_tempi = 60,
        .beats_per_bar = {3, 4},
        .weights = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1},
        .metre_count = 2,
        .transition_lambda = 100,
        .observation_lambda = 16,
        .threshold = 0.24,
        .correct = 1,
    };
}

static allin1_status check_settings(const a1_metrical_settings *settings, a1_error *err)
{
    const allin1_status wrong = ALLIN1_ERROR_ARGUMENT;
    if (!(settings->fps > 0) || !isfinite(settings->fps))
        return a1_fail(err, wrong, "frames a second must be above 0, not %g", settings->fps);
    if (!(settings->min_bpm > 0) || !isfinite(settings->max_bpm) ||
        !(settings->min_bpm <= settings->max_bpm))
        return a1_fail(err, wrong, "the tempo range %g to %g beats a minute cannot be used",
                       settings->min_bpm, settings->max_bpm);
    if (settings->metre_count < 1 || settings->metre_count > A1_MAX_METRES)
        return a1_fail(err, wrong, "%zu metres were given; there must be 1 to %d",
                       settings->metre_count, A1_MAX_METRES);
    for (size_t m = 0; m < settings->metre_count; m++) {
        const unsigned beats = settings->beats_per_bar[m];
        if (beats < A1_MIN_BEATS_PER_BAR || beats > A1_MAX_BEATS_PER_BAR)
            return a1_fail(err, wrong, "%u beats a bar were asked for; there may be %u to %u",
                           beats, A1_MIN_BEATS_PER_BAR, A1_MAX_BEATS_PER_BAR);
        if (!(settings->weights[m] > 0) || !isfinite(settings->weights[m]))
            return a1_fail(err, wrong, "the weight of %u beats a bar must be above 0, not %g",
                           beats, settings->weights[m]);
    }
    if (!(settings->transition_lambda >= 0) || !isfinite(settings->transition_lambda))
        return a1_fail(err, wrong, "the transition lambda must be 0 or more, not %g",
                       settings->transition_lambda);
    if (!(settings->observation_lambda > 1) || !isfinite(settings->observation_lambda))
        return a1_fail(err, wrong, "the observation lambda must be above 1, not %g",
                       settings->observation_lambda);
    if (!(settings->threshold >= 0) || !isfinite(settings->threshold))
        return a1_fail(err, wrong, "the beat threshold must be 0 or more, not %g",
                       settings->threshold);
    return ALLIN1_OK;
}

allin1_status a1_bar_model_create(a1_bar_model *bar, const a1_metrical_settings *settings,
                                  unsigned beats, double min_bpm, double max_bpm, a1_error *err)
{
    memset(bar, 0, sizeof *bar);
    allin1_status status;
    A1_CHECK(a1_beat_space_create(&bar->space, beats, 60.0 * settings->fps / max_bpm,
                                  60.0 * settings->fps / min_bpm, settings->num_tempi, err));
    A1_CHECK(
        a1_transitions_create(&bar->transitions, &bar->space, settings->transition_lambda, err));
    A1_CHECK(
        a1_beat_frames_create(&bar->beat_frames, &bar->space, settings->observation_lambda, err));
    bar->log_initial = log(1.0 / (double)bar->space.states);
    return ALLIN1_OK;

done:
    a1_bar_model_destroy(bar);
    return status;
}

void a1_bar_model_destroy(a1_bar_model *bar)
{
    a1_beat_space_destroy(&bar->space);
    a1_transitions_destroy(&bar->transitions);
    free(bar->beat_frames);
    memset(bar, 0, sizeof *bar);
}

static allin1_status create_metre(a1_metrical *model, size_t metre, a1_error *err)
{
    const a1_metrical_settings *settings = &model->settings;
    a1_bar_model *bar = &model->bars[metre];
    A1_TRY(a1_bar_model_create(bar, settings, settings->beats_per_bar[metre], settings->min_bpm,
                               settings->max_bpm, err));
    return a1_fast_model_create(&model->fast[metre], bar, model->level, err);
}

allin1_status a1_metrical_create(a1_metrical **out, const a1_metrical_settings *settings,
                                 const a1_cpu *cpu, a1_error *err)
{
    *out = NULL;
    A1_TRY(check_settings(settings, err));
    a1_metrical *model = calloc(1, sizeof *model);
    if (!model)
        return a1_fail_memory(err, "the beat decoder");
    model->settings = *settings;
    model->level = cpu ? cpu->level : ALLIN1_CPU_SCALAR;
    for (size_t m = 0; m < settings->metre_count; m++) {
        const allin1_status status = create_metre(model, m, err);
        if (status != ALLIN1_OK) {
            a1_metrical_destroy(&model);
            return status;
        }
    }
    *out = model;
    return ALLIN1_OK;
}

void a1_metrical_destroy(a1_metrical **slot)
{
    a1_metrical *model = *slot;
    if (!model)
        return;
    for (size_t m = 0; m < model->settings.metre_count; m++) {
        a1_fast_model_destroy(&model->fast[m]);
        a1_bar_model_destroy(&model->bars[m]);
    }
    free(model);
    *slot = NULL;
}

size_t a1_metrical_states(const a1_metrical *model, size_t metre)
{
    return model->bars[metre].space.states;
}

size_t a1_metrical_transitions(const a1_metrical *model, size_t metre)
{
    return model->bars[metre].transitions.count;
}

void a1_beats_free(a1_beats *beats)
{
    free(beats->times);
    free(beats->positions);
    memset(beats, 0, sizeof *beats);
}

void a1_metrical_activations(const float *beat_logits, const float *downbeat_logits, size_t frames,
                             float *activations)
{
    for (size_t t = 0; t < frames; t++) {
        const float beat = a1_logistic_f32(beat_logits[t]);
        const float downbeat = a1_logistic_f32(downbeat_logits[t]);
        const float neither = ((1.0f - beat) + (1.0f - downbeat)) / 2.0f;
        const float difference = beat - downbeat;
        /* Written so that NaN goes through and is found by the decoder. */
        const float only_beat = difference < 1e-8f ? 1e-8f : difference;
        const float sum = (only_beat + downbeat) + neither;
        activations[2 * t] = only_beat / sum;
        activations[2 * t + 1] = downbeat / sum;
    }
}

/* The part of the music between the first and the last frame that reach the threshold. */
static void find_part(const a1_metrical_settings *settings, const float *activations, size_t frames,
                      size_t *first, size_t *end)
{
    const float threshold = (float)settings->threshold;
    bool found = false;
    *first = *end = 0;
    if (settings->threshold > 0) {
        for (size_t t = 0; t < frames; t++) {
            if (activations[2 * t] < threshold && activations[2 * t + 1] < threshold)
                continue;
            *first = found ? *first : t;
            *end = t + 1;
            found = true;
        }
        /* The reference asks whether any index of such a frame is not 0: frame 0 alone is no music.
         */
        if (*end == 1)
            *end = 0;
        return;
    }
    for (size_t i = 0; i < 2 * frames; i++)
        if (activations[i] < 0 || activations[i] > 0)
            *end = frames;
}

/* Frames of beats and their positions in the bar, counted or, when the arrays are given, written.
 */
typedef struct beat_list {
    size_t count;
    size_t *frames;
    unsigned *positions;
} beat_list;

static void add_beat(beat_list *list, const a1_beat_space *space, const uint32_t *path,
                     size_t frame)
{
    if (list->frames) {
        list->frames[list->count] = frame;
        list->positions[list->count] = (unsigned)(path[frame] / space->beat_states) + 1;
    }
    list->count++;
}

static bool in_beat_range(const a1_bar_model *bar, uint32_t state)
{
    const a1_beat_space *space = &bar->space;
    const size_t beat = state / space->beat_states, in_beat = state % space->beat_states;
    const size_t j = space->interval_of[in_beat];
    return a1_bar_density(bar, beat, j, in_beat - space->first[j]) != A1_DENSITY_NONE;
}

/* Every stretch of frames inside beat ranges holds one beat, at the highest of both activations. */
static void list_corrected(const a1_bar_model *bar, const uint32_t *path, const float *activations,
                           size_t frames, beat_list *list)
{
    size_t t = 0;
    while (t < frames) {
        if (!in_beat_range(bar, path[t])) {
            t++;
            continue;
        }
        size_t peak = 2 * t;
        for (; t < frames && in_beat_range(bar, path[t]); t++)
            for (size_t i = 2 * t; i < 2 * t + 2; i++)
                if (activations[i] > activations[peak])
                    peak = i;
        add_beat(list, &bar->space, path, peak / 2);
    }
}

/* A beat is where its number changes. */
static void list_changes(const a1_bar_model *bar, const uint32_t *path, size_t frames,
                         beat_list *list)
{
    const size_t beat_states = bar->space.beat_states;
    for (size_t t = 1; t < frames; t++)
        if (path[t] / beat_states != path[t - 1] / beat_states)
            add_beat(list, &bar->space, path, t);
}

static allin1_status write_beats(const a1_metrical *model, size_t metre, const uint32_t *path,
                                 const float *activations, a1_beats *beats, a1_error *err)
{
    const a1_bar_model *bar = &model->bars[metre];
    const size_t frames = beats->decoded_frames;
    beat_list list = {0};
    size_t *beat_frames = NULL;
    for (;;) {
        list.count = 0;
        if (model->settings.correct)
            list_corrected(bar, path, activations, frames, &list);
        else
            list_changes(bar, path, frames, &list);
        if (list.frames || list.count == 0)
            break;
        beats->times = calloc(list.count, sizeof *beats->times);
        beats->positions = calloc(list.count, sizeof *beats->positions);
        beat_frames = calloc(list.count, sizeof *beat_frames);
        if (!beats->times || !beats->positions || !beat_frames) {
            free(beat_frames);
            return a1_fail_memory(err, "the list of beats");
        }
        list.frames = beat_frames;
        list.positions = beats->positions;
    }
    for (size_t i = 0; i < list.count; i++)
        beats->times[i] = (double)(list.frames[i] + beats->first_frame) / model->settings.fps;
    free(beat_frames);
    beats->count = list.count;
    beats->beats_per_bar = list.count ? model->settings.beats_per_bar[metre] : 0;
    return ALLIN1_OK;
}

typedef struct metre_work {
    const a1_metrical *model;
    bool plain;
    a1_densities densities;
    size_t frames;
    a1_arena *scratch; /* one per worker, or one per metre where there are fewer metres */
    bool scratch_by_metre;
    uint32_t *paths; /* [metre][frames] */
    double *log_probability;
} metre_work;

static void decode_metre(void *argument, size_t metre, unsigned worker)
{
    const metre_work *work = argument;
    uint32_t *path = work->paths + metre * work->frames;
    a1_arena *scratch = &work->scratch[work->scratch_by_metre ? metre : worker];
    const double best =
        work->plain ? a1_viterbi_plain(&work->model->bars[metre], &work->densities, work->frames,
                                       scratch, path)
                    : a1_viterbi_fast(&work->model->fast[metre], &work->densities, work->frames,
                                      A1_ENTRY_HISTORY_BYTES, scratch, path);
    work->log_probability[metre] = best + log(work->model->settings.weights[metre]);
}

static allin1_status add_cost(size_t *total, size_t count, size_t bytes, a1_error *err)
{
    if (bytes > SIZE_MAX / 4 / count || *total > SIZE_MAX / 4)
        return a1_fail_memory(err, "the beat decoder");
    *total += count * a1_arena_cost(bytes);
    return ALLIN1_OK;
}

static allin1_status decode_part(const a1_metrical *model, a1_pool *pool, bool plain,
                                 const float *activations, a1_beats *beats, a1_error *err)
{
    const size_t frames = beats->decoded_frames, metres = model->settings.metre_count;
    const size_t padded = frames + A1_DENSITY_PADDING;
    const size_t threads = a1_pool_threads(pool);
    const size_t scratches = threads < metres ? threads : metres;
    a1_arena scratch[A1_MAX_METRES] = {{0}};

    size_t scratch_bytes = 0, total = 0;
    for (size_t m = 0; m < metres; m++) {
        const size_t cost =
            plain ? a1_viterbi_plain_cost(&model->bars[m], frames)
                  : a1_viterbi_fast_cost(&model->fast[m], frames, A1_ENTRY_HISTORY_BYTES);
        scratch_bytes = cost > scratch_bytes ? cost : scratch_bytes;
    }
    A1_TRY(add_cost(&total, scratches, scratch_bytes, err));
    A1_TRY(add_cost(&total, A1_DENSITIES, padded * sizeof(double), err));
    A1_TRY(add_cost(&total, 1, metres * frames * sizeof(uint32_t), err));
    /* One aligned block, which huge pages can back: it is new to this thread at every call. */
    void *block = a1_aligned_alloc(total);
    if (!block)
        return a1_fail(err, ALLIN1_ERROR_MEMORY, "out of memory for the beat decoder (%zu MB)",
                       total >> 20);
    a1_arena arena = {.base = block, .capacity = total};

    double *columns[A1_DENSITIES];
    for (size_t c = 0; c < A1_DENSITIES; c++) {
        columns[c] = a1_arena_alloc(&arena, padded * sizeof(double));
        memset(columns[c] + frames, 0, A1_DENSITY_PADDING * sizeof(double));
    }
    a1_log_densities(activations, frames, model->settings.observation_lambda,
                     columns[A1_DENSITY_NONE], columns[A1_DENSITY_BEAT],
                     columns[A1_DENSITY_DOWNBEAT]);
    metre_work work = {
        .model = model,
        .plain = plain,
        .densities = {{columns[0], columns[1], columns[2]}},
        .frames = frames,
        .scratch = scratch,
        .scratch_by_metre = threads > metres,
        .paths = a1_arena_alloc(&arena, metres * frames * sizeof(uint32_t)),
        .log_probability = beats->log_probability,
    };
    for (size_t i = 0; i < scratches; i++)
        scratch[i] =
            (a1_arena){.base = a1_arena_alloc(&arena, scratch_bytes), .capacity = scratch_bytes};
    a1_pool_run(pool, metres, decode_metre, &work);

    size_t best = 0;
    for (size_t m = 1; m < metres; m++)
        if (beats->log_probability[m] > beats->log_probability[best])
            best = m;
    allin1_status status = ALLIN1_OK;
    if (beats->log_probability[best] > -INFINITY)
        status = write_beats(model, best, work.paths + best * frames, activations, beats, err);
    a1_aligned_free(block);
    return status;
}

static allin1_status decode(const a1_metrical *model, a1_pool *pool, bool plain,
                            const float *activations, size_t frames, a1_beats *beats, a1_error *err)
{
    memset(beats, 0, sizeof *beats);
    for (size_t m = 0; m < A1_MAX_METRES; m++)
        beats->log_probability[m] = -INFINITY;
    if (frames > MAX_FRAMES)
        return a1_fail(err, ALLIN1_ERROR_ARGUMENT, "%zu frames are too many for the beat decoder",
                       frames);
    for (size_t i = 0; i < 2 * frames; i++)
        if (!isfinite(activations[i]))
            return a1_fail(err, ALLIN1_ERROR_ARGUMENT,
                           "the %s activation of frame %zu is not a finite number",
                           i % 2 ? "downbeat" : "beat", i / 2);
    size_t end;
    find_part(&model->settings, activations, frames, &beats->first_frame, &end);
    beats->decoded_frames = end - beats->first_frame;
    if (beats->decoded_frames == 0)
        return ALLIN1_OK;
    const allin1_status status =
        decode_part(model, pool, plain, activations + 2 * beats->first_frame, beats, err);
    if (status != ALLIN1_OK)
        a1_beats_free(beats);
    return status;
}

allin1_status a1_metrical_decode(const a1_metrical *model, a1_pool *pool, const float *activations,
                                 size_t frames, a1_beats *beats, a1_error *err)
{
    return decode(model, pool, false, activations, frames, beats, err);
}

allin1_status a1_metrical_decode_plain(const a1_metrical *model, const float *activations,
                                       size_t frames, a1_beats *beats, a1_error *err)
{
    return decode(model, NULL, true, activations, frames, beats, err);
}
