/* The sum over all paths through a bar model, forwards and backwards: how likely a beat begins at each
 * frame, whatever the best path says. */
#ifndef A1_METRICAL_POSTERIOR_H
#define A1_METRICAL_POSTERIOR_H

#include <stddef.h>

#include "base/cpu.h"
#include "base/error.h"
#include "metrical/bar_model.h"

/* Logarithms of how much likelier a frame is inside the beat range of a beat, or of a downbeat, than
 * outside: [frames]. */
typedef struct a1_gains {
    const double *beat, *downbeat;
    size_t frames; /* >= 1 */
} a1_gains;

/* *log_sum receives the logarithm of the sum over all paths, against all frames lying outside beat
 * ranges. `beats` and `downbeats` [frames], both or neither NULL, receive the probability that a beat,
 * and a downbeat, begins at the frame. The same bits at every CPU level. Fails on memory only. */
allin1_status a1_posterior(const a1_bar_model *bar, allin1_cpu_level level, const a1_gains *gains,
                           double *log_sum, double *beats, double *downbeats, a1_error *err);

#endif
