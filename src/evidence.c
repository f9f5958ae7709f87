#include "evidence.h"

#include <math.h>
#include <string.h>

#include "nn/logistic.h"
#include "output/decimal.h"

#define NEAR 2 /* frames around a beat that belong to it */

enum { BEAT, BETWEEN, DOWNBEAT, BEAT_CONFIDENCE, DOWNBEAT_CONFIDENCE, TEMPO, STEADY, COVERED };

static const char *const names[ALLIN1_EVIDENCE] = {
    [BEAT] = "beat",
    [BETWEEN] = "between",
    [DOWNBEAT] = "downbeat",
    [BEAT_CONFIDENCE] = "beat_confidence",
    [DOWNBEAT_CONFIDENCE] = "downbeat_confidence",
    [TEMPO] = "tempo",
    [STEADY] = "steady",
    [COVERED] = "covered",
};

const char *allin1_evidence_name(size_t index)
{
    return index < ALLIN1_EVIDENCE ? names[index] : NULL;
}

/* Calibration ------------------------------------------------------------------------------------ */

/* "-1.25" and the like, whatever the locale; false for anything else. */
static bool read_number(const char *text, size_t length, double *value)
{
    const bool negative = length > 0 && text[0] == '-';
    if (length >= 24 || !a1_read_decimal(text + negative, length - negative, value))
        return false;
    *value = negative ? -*value : *value;
    return true;
}

static double *place_of(a1_calibration *calibration, const char *name, size_t length)
{
    for (size_t i = 0; i < ALLIN1_EVIDENCE; i++)
        if (strlen(names[i]) == length && strncmp(names[i], name, length) == 0)
            return &calibration->weights[i];
    return length == 8 && strncmp(name, "constant", 8) == 0 ? &calibration->constant : NULL;
}

allin1_status a1_calibration_read(a1_calibration *calibration, const char *text, const char *path,
                                  a1_error *err)
{
    *calibration = (a1_calibration){0};
    while (text && *text) {
        const size_t length = strcspn(text, " "), name = strcspn(text, "= ");
        double *place = place_of(calibration, text, name);
        if (!place || name == length || !read_number(text + name + 1, length - name - 1, place))
            return a1_fail(err, ALLIN1_ERROR_FORMAT,
                           "%s: the text value confidence holds \"%.*s\", which is no known "
                           "name=number",
                           path, (int)(length < 64 ? length : 64), text);
        calibration->known = true;
        text += length;
        text += strspn(text, " ");
    }
    return ALLIN1_OK;
}

double a1_calibration_apply(const a1_calibration *calibration,
                            const double evidence[ALLIN1_EVIDENCE])
{
    double sum = calibration->constant;
    if (!calibration->known)
        return NAN;
    for (size_t i = 0; i < ALLIN1_EVIDENCE; i++)
        sum += calibration->weights[i] * evidence[i];
    return round(1e4 / (1 + exp(-sum))) / 1e4;
}

/* Evidence --------------------------------------------------------------------------------------- */

/* The largest probability in frames `first` to `last`, as far as there are such. */
static double largest(const float *logits, size_t frames, ptrdiff_t first, ptrdiff_t last)
{
    float most = -INFINITY;
    for (ptrdiff_t t = first > 0 ? first : 0; t <= last && (size_t)t < frames; t++)
        most = fmaxf(most, logits[t]);
    return (double)a1_logistic_f32(most);
}

static double mean_of(const double *values, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += values[i];
    return count ? sum / (double)count : 0;
}

/* 1 when each interval is as long as the one before it. */
static double steadiness(const a1_beats *beats)
{
    double sum = 0;
    size_t count = 0;
    for (size_t i = 2; i < beats->count; i++, count++)
        sum += fabs(log((beats->times[i] - beats->times[i - 1]) /
                        (beats->times[i - 1] - beats->times[i - 2])));
    return count ? exp(-10 * sum / (double)count) : 0;
}

void a1_evidence_measure(const float *beat, const float *downbeat, size_t frames, double fps,
                         const a1_beats *beats, const a1_confidences *confidences,
                         double evidence[ALLIN1_EVIDENCE])
{
    const size_t count = beats->count;
    double on = 0, off = 0, down = 0, down_confidence = 0;
    size_t downbeats = 0;
    for (size_t i = 0; i < ALLIN1_EVIDENCE; i++)
        evidence[i] = 0;
    if (count < 2)
        return;
    for (size_t i = 0; i < count; i++) {
        const ptrdiff_t at = (ptrdiff_t)lround(beats->times[i] * fps);
        on += largest(beat, frames, at - NEAR, at + NEAR);
        if (i + 1 < count) {
            const ptrdiff_t gap = (ptrdiff_t)lround(beats->times[i + 1] * fps) - at;
            off += largest(beat, frames, at + gap / 3, at + 2 * gap / 3);
        }
        if (beats->positions[i] == 1) {
            down += largest(downbeat, frames, at - NEAR, at + NEAR);
            down_confidence += confidences->downbeats[i];
            downbeats++;
        }
    }
    const double span = beats->times[count - 1] - beats->times[0];
    evidence[BEAT] = on / (double)count;
    evidence[BETWEEN] = off / (double)(count - 1);
    evidence[DOWNBEAT] = downbeats ? down / (double)downbeats : 0;
    evidence[BEAT_CONFIDENCE] = mean_of(confidences->beats, count);
    evidence[DOWNBEAT_CONFIDENCE] = downbeats ? down_confidence / (double)downbeats : 0;
    evidence[TEMPO] = isnan(confidences->tempo) ? 0 : confidences->tempo;
    evidence[STEADY] = steadiness(beats);
    evidence[COVERED] = fmin(1, span * (double)count / (double)(count - 1) * fps / (double)frames);
}
