/* The inside of an a1_metrical. */
#ifndef A1_METRICAL_MODEL_H
#define A1_METRICAL_MODEL_H

#include "metrical/bar_model.h"
#include "metrical/metrical.h"
#include "metrical/viterbi.h"

struct a1_metrical {
    a1_metrical_settings settings;
    allin1_cpu_level level;
    a1_bar_model bars[A1_MAX_METRES];
    a1_fast_model fast[A1_MAX_METRES];
};

/* Everything of a bar model for beats of `min_bpm` to `max_bpm`. On failure it is empty. */
allin1_status a1_bar_model_create(a1_bar_model *bar, const a1_metrical_settings *settings,
                                  unsigned beats, double min_bpm, double max_bpm, a1_error *err);
void a1_bar_model_destroy(a1_bar_model *bar);

#endif
