#include "beat_settings.h"

#include <math.h>

/* Beats of 10 to 600 frames. Slower ones are longer than what the network looks at around a frame;
 * faster ones leave no room for the model's beat range. */
#define SLOWEST 10.0
#define FASTEST 600.0
#define MIN_WEIGHT 0.001
#define MAX_WEIGHT 1000.0

static allin1_status check_tempo(const char *what, double bpm, a1_error *err)
{
    if (bpm == 0 || (bpm >= SLOWEST && bpm <= FASTEST))
        return ALLIN1_OK;
    return a1_fail(err, ALLIN1_ERROR_ARGUMENT,
                   "the %s must be %g to %g beats a minute, not %g", what, SLOWEST, FASTEST, bpm);
}

static allin1_status choose_range(const allin1_settings *settings, a1_metrical_settings *out,
                                  a1_error *err)
{
    const double hint = settings->tempo_hint;
    A1_TRY(check_tempo("slowest tempo", settings->min_bpm, err));
    A1_TRY(check_tempo("fastest tempo", settings->max_bpm, err));
    A1_TRY(check_tempo("hinted tempo", hint, err));
    /* One octave around the hint: of a tempo, its half and its double only one fits. */
    if (hint > 0) {
        out->min_bpm = fmax(SLOWEST, hint / sqrt(2));
        out->max_bpm = fmin(FASTEST, hint * sqrt(2));
    }
    if (settings->min_bpm > 0)
        out->min_bpm = settings->min_bpm;
    if (settings->max_bpm > 0)
        out->max_bpm = settings->max_bpm;
    if (!(out->min_bpm < out->max_bpm))
        return a1_fail(err, ALLIN1_ERROR_ARGUMENT,
                       "the slowest tempo, %g beats a minute%s, is not below the fastest, %g%s",
                       out->min_bpm, settings->min_bpm > 0 ? "" : " if none is given", out->max_bpm,
                       settings->max_bpm > 0 ? "" : " if none is given");
    if (hint > 0 && (hint < out->min_bpm || hint > out->max_bpm))
        return a1_fail(err, ALLIN1_ERROR_ARGUMENT,
                       "the hinted tempo, %g beats a minute, is not between %g and %g", hint,
                       out->min_bpm, out->max_bpm);
    if (ceil(60 * out->fps / out->max_bpm) > floor(60 * out->fps / out->min_bpm))
        return a1_fail(err, ALLIN1_ERROR_ARGUMENT,
                       "no beat of a whole number of frames of %g ms lies between %g and %g beats a "
                       "minute; widen the range",
                       1000 / out->fps, out->min_bpm, out->max_bpm);
    return ALLIN1_OK;
}

static allin1_status choose_metres(const allin1_settings *settings, a1_metrical_settings *out,
                                   a1_error *err)
{
    if (settings->metre_count == 0)
        return ALLIN1_OK;
    if (settings->metre_count > ALLIN1_MAX_METRES)
        return a1_fail(err, ALLIN1_ERROR_ARGUMENT, "%zu metres are more than %d",
                       settings->metre_count, ALLIN1_MAX_METRES);
    double largest = 0;
    out->metre_count = 0;
    for (size_t i = 0; i < settings->metre_count; i++) {
        const allin1_metre *metre = &settings->metres[i];
        if (metre->beats < ALLIN1_MIN_BEATS_PER_BAR || metre->beats > ALLIN1_MAX_BEATS_PER_BAR)
            return a1_fail(err, ALLIN1_ERROR_ARGUMENT,
                           "%u beats a bar were asked for; there may be %d to %d", metre->beats,
                           ALLIN1_MIN_BEATS_PER_BAR, ALLIN1_MAX_BEATS_PER_BAR);
        if (!(metre->weight >= MIN_WEIGHT && metre->weight <= MAX_WEIGHT))
            return a1_fail(err, ALLIN1_ERROR_ARGUMENT,
                           "the weight of %u beats a bar must be %g to %g, not %g", metre->beats,
                           MIN_WEIGHT, MAX_WEIGHT, metre->weight);
        size_t at = out->metre_count++;
        for (; at > 0 && out->beats_per_bar[at - 1] > metre->beats; at--) {
            out->beats_per_bar[at] = out->beats_per_bar[at - 1];
            out->weights[at] = out->weights[at - 1];
        }
        if (at > 0 && out->beats_per_bar[at - 1] == metre->beats)
            return a1_fail(err, ALLIN1_ERROR_ARGUMENT, "%u beats a bar were asked for twice",
                           metre->beats);
        out->beats_per_bar[at] = metre->beats;
        out->weights[at] = metre->weight;
        largest = fmax(largest, metre->weight);
    }
    for (size_t m = 0; m < out->metre_count; m++)
        out->weights[m] /= largest;
    return ALLIN1_OK;
}

allin1_status a1_beat_settings(const allin1_settings *settings, a1_metrical_settings *out,
                               a1_error *err)
{
    a1_metrical_settings_default(out);
    A1_TRY(choose_range(settings, out, err));
    A1_TRY(choose_metres(settings, out, err));
    if (isnan(settings->transition_lambda))
        return ALLIN1_OK;
    out->transition_lambda = settings->transition_lambda;
    if (!(out->transition_lambda >= 0 && out->transition_lambda <= A1_MAX_TRANSITION_LAMBDA))
        return a1_fail(err, ALLIN1_ERROR_ARGUMENT,
                       "the transition lambda must be 0 to %g, not %g", A1_MAX_TRANSITION_LAMBDA,
                       out->transition_lambda);
    return ALLIN1_OK;
}
