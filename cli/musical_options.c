#include "musical_options.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "messages.h"

#define MIN_TEMPO 10
#define MAX_TEMPO 600
#define MAX_LAMBDA 1e6
#define MIN_WEIGHT 0.001
#define MAX_WEIGHT 1000

/* Digits with at most one point among them, ended by one of `ends` or the end of the text. Moves
 * *text behind it. */
static bool read_decimal(const char **text, const char *ends, double *value)
{
    const char *start = *text;
    const size_t whole = strspn(start, "0123456789");
    size_t length = whole;
    if (start[length] == '.')
        length += 1 + strspn(start + length + 1, "0123456789");
    if (length == 0 || (length == 1 && whole == 0) || (start[length] && !strchr(ends, start[length])))
        return false;
    *value = strtod(start, NULL); /* LC_NUMERIC is never set */
    *text = start + length;
    return true;
}

static bool take_number(const char *name, const char *text, double least, double most, double *out)
{
    const char *at = text;
    double value;
    if (read_decimal(&at, "", &value) && value >= least && value <= most) {
        *out = value;
        return true;
    }
    message_error("--%s takes a number from %g to %g, not \"%s\"", name, least, most, text);
    return false;
}

bool set_min_bpm(options *out, const char *value)
{
    return take_number("min-bpm", value, MIN_TEMPO, MAX_TEMPO, &out->settings.min_bpm);
}

bool set_max_bpm(options *out, const char *value)
{
    return take_number("max-bpm", value, MIN_TEMPO, MAX_TEMPO, &out->settings.max_bpm);
}

bool set_tempo_hint(options *out, const char *value)
{
    return take_number("tempo-hint", value, MIN_TEMPO, MAX_TEMPO, &out->settings.tempo_hint);
}

bool set_transition_lambda(options *out, const char *value)
{
    return take_number("transition-lambda", value, 0, MAX_LAMBDA,
                       &out->settings.transition_lambda);
}

bool set_refine(options *out, const char *value)
{
    return take_number("refine", value, 0, 1, &out->settings.refine);
}

bool set_unknown(options *out, const char *value)
{
    return take_number("unknown", value, 0, 1, &out->settings.unknown_threshold);
}

/* One metre; false when it cannot be read or used. */
static bool read_metre(const char **text, allin1_metre *metre)
{
    double beats;
    metre->weight = 1;
    if (!read_decimal(text, ",:", &beats) || beats < ALLIN1_MIN_BEATS_PER_BAR ||
        beats > ALLIN1_MAX_BEATS_PER_BAR || beats != floor(beats))
        return false;
    metre->beats = (unsigned)beats;
    if (**text != ':')
        return true;
    ++*text;
    return read_decimal(text, ",", &metre->weight) && metre->weight >= MIN_WEIGHT &&
           metre->weight <= MAX_WEIGHT;
}

bool set_beats_per_bar(options *out, const char *value)
{
    allin1_metre metres[ALLIN1_MAX_METRES];
    size_t count = 0;
    for (const char *at = value;; at++) {
        allin1_metre metre;
        if (!read_metre(&at, &metre)) {
            message_error("--beats-per-bar takes numbers of beats from %d to %d, each with a weight "
                          "from %g to %d if you like, as in 3,4:2,7:0.5, not \"%s\"",
                          ALLIN1_MIN_BEATS_PER_BAR, ALLIN1_MAX_BEATS_PER_BAR, MIN_WEIGHT,
                          MAX_WEIGHT, value);
            return false;
        }
        for (size_t i = 0; i < count; i++) {
            if (metres[i].beats == metre.beats) {
                message_error("--beats-per-bar names %u beats twice: \"%s\"", metre.beats, value);
                return false;
            }
        }
        metres[count++] = metre; /* there are no more different ones than places */
        if (*at == '\0')
            break;
    }
    memcpy(out->settings.metres, metres, count * sizeof *metres);
    out->settings.metre_count = count;
    return true;
}
