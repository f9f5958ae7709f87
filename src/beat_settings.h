/* From a musician's settings to the beat decoder's. */
#ifndef A1_BEAT_SETTINGS_H
#define A1_BEAT_SETTINGS_H

#include <allin1/allin1.h>

#include "base/error.h"
#include "metrical/metrical.h"

#define A1_MAX_TRANSITION_LAMBDA 1e6

/* Checks what `settings` say about tempo and metre and fills in what they leave open. Metres come out
 * in ascending order, the largest weight 1, so that equal wishes give equal settings. The threshold
 * is left at its default, and so is a transition lambda that is open (NAN): the model's take their
 * place. ALLIN1_ERROR_ARGUMENT names what cannot be. */
allin1_status a1_beat_settings(const allin1_settings *settings, a1_metrical_settings *out,
                               a1_error *err);

#endif
