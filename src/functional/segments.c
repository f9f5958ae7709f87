#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "functional/functional.h"
#include "functional/pairwise_sum.h"
#include "nn/logistic.h"

#define LABELS A1_FUNCTIONAL_LABELS
#define LOCAL_WINDOW 97  /* frames; four of the shortest beats of 24 frames, and one */
#define PEAK_WINDOW 1200 /* frames on each side: 12 s */
#define HOP 441.0
#define SAMPLE_RATE 44100.0

void a1_segments_free(a1_segments *segments)
{
    free(segments->items);
    memset(segments, 0, sizeof *segments);
}

/* Soft-max over the labels of every frame, in float32 and in the reference's order. */
static allin1_status label_probabilities(const float *logits, size_t frames, float *probabilities,
                                         a1_error *err)
{
    for (size_t t = 0; t < frames; t++) {
        float largest = logits[t], sum = 0;
        for (size_t label = 1; label < LABELS; label++)
            largest = fmaxf(largest, logits[label * frames + t]);
        for (size_t label = 0; label < LABELS; label++) {
            const float value = a1_exp_f32(logits[label * frames + t] - largest);
            probabilities[label * frames + t] = value;
            sum += value;
        }
        if (!isfinite(sum))
            return a1_fail(err, ALLIN1_ERROR_ARGUMENT,
                           "a function logit of frame %zu is not a finite number", t);
        for (size_t label = 0; label < LABELS; label++)
            probabilities[label * frames + t] /= sum;
    }
    return ALLIN1_OK;
}

static void choose_label(const float *probabilities, size_t frames, size_t start, size_t end,
                         a1_segment *segment)
{
    float best = -1;
    for (unsigned label = 0; label < LABELS; label++) {
        const float *row = probabilities + label * frames + start;
        const float mean = a1_pairwise_sum(row, end - start) / (float)(end - start);
        segment->probabilities[label] = (double)mean;
        if (mean > best) {
            best = mean;
            segment->label = label;
        }
    }
    segment->label_probability = (double)best;
}

static double seconds(size_t frame)
{
    return (double)frame * HOP / SAMPLE_RATE;
}

/* Cuts at every frame of positive strength. Frame 0 always starts a segment, so that music without
 * any boundary (where the reference fails) is one. */
static allin1_status cut(const float *strength, const float *probabilities, size_t frames,
                         a1_segments *segments, a1_error *err)
{
    size_t count = 1;
    for (size_t t = 1; t < frames; t++)
        count += strength[t] > 0;
    segments->items = calloc(count, sizeof *segments->items);
    if (!segments->items)
        return a1_fail_memory(err, "the segments");
    segments->count = count;
    size_t start = 0;
    a1_segment *segment = segments->items;
    for (size_t t = 1; t <= frames; t++) {
        if (t < frames && !(strength[t] > 0))
            continue;
        segment->start = seconds(start);
        segment->end = seconds(t);
        choose_label(probabilities, frames, start, t, segment);
        segment++;
        start = t;
    }
    return ALLIN1_OK;
}

allin1_status a1_functional_segments(const float *section_logits, const float *function_logits,
                                     size_t frames, a1_segments *segments, a1_error *err)
{
    return a1_functional_segments_in_steps(section_logits, function_logits, frames, segments, NULL,
                                           NULL, err);
}

allin1_status a1_functional_segments_in_steps(const float *section_logits,
                                              const float *function_logits, size_t frames,
                                              a1_segments *segments, a1_functional_step_fn begin,
                                              void *user, a1_error *err)
{
    memset(segments, 0, sizeof *segments);
    if (frames == 0)
        return ALLIN1_OK;
    if (frames > SIZE_MAX / sizeof(float) / (LABELS + 2))
        return a1_fail_memory(err, "the segments");
    allin1_status status = ALLIN1_OK;
    float *maxima = malloc(frames * (LABELS + 2) * sizeof *maxima);
    if (!maxima)
        return a1_fail_memory(err, "the segments");
    float *strength = maxima + frames, *probabilities = strength + frames;
    if (begin)
        begin(user, A1_FUNCTIONAL_PROBS);
    A1_CHECK(label_probabilities(function_logits, frames, probabilities, err));
    if (begin)
        begin(user, A1_FUNCTIONAL_LOCAL_MAXIMA);
    A1_CHECK(a1_local_maxima(section_logits, frames, LOCAL_WINDOW, maxima, err));
    if (begin)
        begin(user, A1_FUNCTIONAL_BOUNDARIES);
    A1_CHECK(a1_peak_strength(maxima, frames, PEAK_WINDOW, PEAK_WINDOW, strength, err));
    A1_CHECK(cut(strength, probabilities, frames, segments, err));
done:
    free(maxima);
    if (status != ALLIN1_OK)
        a1_segments_free(segments);
    return status;
}
