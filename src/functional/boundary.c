#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "functional/functional.h"
#include "functional/pairwise_sum.h"
#include "functional/sliding_maximum.h"
#include "nn/logistic.h"

allin1_status a1_local_maxima(const float *section_logits, size_t frames, size_t window, float *out,
                              a1_error *err)
{
    if (window % 2 == 0)
        return a1_fail(err, ALLIN1_ERROR_ARGUMENT,
                       "the window of local maxima must be an odd number of frames, not %zu",
                       window);
    for (size_t t = 0; t < frames; t++) {
        out[t] = a1_logistic_f32(section_logits[t]);
        if (isnan(out[t]))
            return a1_fail(err, ALLIN1_ERROR_ARGUMENT,
                           "the section logit of frame %zu is not a number", t);
    }
    bool *is_maximum = calloc(frames ? frames : 1, sizeof *is_maximum);
    if (!is_maximum)
        return a1_fail_memory(err, "local maxima");
    const allin1_status status =
        a1_sliding_maximum(out, frames, window / 2, window / 2, is_maximum, err);
    for (size_t t = 0; status == ALLIN1_OK && t < frames; t++)
        if (!is_maximum[t])
            out[t] = 0;
    free(is_maximum);
    return status;
}

allin1_status a1_peak_strength(const float *maxima, size_t frames, size_t past, size_t future,
                               float *out, a1_error *err)
{
    if (past == 0 || future == 0)
        return a1_fail(
            err, ALLIN1_ERROR_ARGUMENT,
            "peaks are compared with %zu frames before and %zu after; there must be some", past,
            future);
    if (frames == 0)
        return ALLIN1_OK;
    const size_t limit = SIZE_MAX / 16;
    if (frames > limit || past > limit || future > limit)
        return a1_fail_memory(err, "boundary strengths");

    allin1_status status = ALLIN1_OK;
    const size_t padded = past + frames + future;
    float *values = calloc(padded, sizeof *values); /* zeros on both sides */
    float *past_sums = malloc(padded * sizeof *past_sums);
    float *future_sums = past == future ? past_sums : malloc(padded * sizeof *future_sums);
    bool *is_peak = calloc(frames, sizeof *is_peak);
    if (!values || !past_sums || !future_sums || !is_peak) {
        status = a1_fail_memory(err, "boundary strengths");
        goto done;
    }
    memcpy(values + past, maxima, frames * sizeof *values);
    A1_CHECK(a1_sliding_maximum(maxima, frames, past, future, is_peak, err));
    A1_CHECK(a1_sliding_pairwise_sums(values, padded, past, past_sums, err));
    if (future != past)
        A1_CHECK(a1_sliding_pairwise_sums(values, padded, future, future_sums, err));
    for (size_t t = 0; t < frames; t++) {
        out[t] = 0;
        if (!is_peak[t] || !(maxima[t] > 0))
            continue;
        const float before = past_sums[t] / (float)past;
        const float after = future_sums[t + past + 1] / (float)future;
        out[t] = maxima[t] - (before + after) / 2.0f;
    }
done:
    free(is_peak);
    if (future_sums != past_sums)
        free(future_sums);
    free(past_sums);
    free(values);
    return status;
}
