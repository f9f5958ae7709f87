/* Labelled sections from frame-wise logits.
 *
 * Source: the reference's functional post-processing (local maxima, then peak picking); exact
 * semantics in docs/MODEL.md. */
#ifndef A1_FUNCTIONAL_H
#define A1_FUNCTIONAL_H

#include <stddef.h>

#include "base/error.h"

#define A1_FUNCTIONAL_LABELS 10

typedef struct a1_segment {
    double start, end;        /* seconds */
    unsigned label;           /* index into a1_network_labels */
    double label_probability; /* mean probability of that label over the segment */
    double probabilities[A1_FUNCTIONAL_LABELS]; /* of every label */
} a1_segment;

typedef struct a1_segments {
    size_t count;
    a1_segment *items;
} a1_segments;

void a1_segments_free(a1_segments *segments);

/* sigmoid(section) kept where it equals the maximum of a window of `window` (odd) frames, else 0.
 * All of several equal maxima are kept. ALLIN1_ERROR_ARGUMENT for an even window or NaN. */
allin1_status a1_local_maxima(const float *section_logits, size_t frames, size_t window, float *out,
                              a1_error *err);

/* Boundary strength as the reference's peak_picking: where a positive value is the maximum of
 * `past` frames before and `future` after (each >= 1), it less the mean of the two sides' means,
 * zeros beyond the ends; 0 elsewhere, and it may be negative. float32, sums in numpy's order.
 * `out`: [frames]. */
allin1_status a1_peak_strength(const float *maxima, size_t frames, size_t past, size_t future,
                               float *out, a1_error *err);

/* The stage: local maxima (97), peak picking (12 s, 12 s), boundaries, labels.
 * function_logits: [10][frames]. frames = 0 gives no segments; music without any boundary, at which
 * the reference fails, is one segment. The caller frees `segments`; on failure it is empty.
 * ALLIN1_ERROR_ARGUMENT for logits that are NaN, or +inf in function_logits. */
allin1_status a1_functional_segments(const float *section_logits, const float *function_logits,
                                     size_t frames, a1_segments *segments, a1_error *err);

/* The steps of the stage, for whoever measures them: the labels' probabilities, the boundaries'
 * probabilities with their local maxima, and the choice of boundaries and labels. */
typedef enum a1_functional_step {
    A1_FUNCTIONAL_PROBS,
    A1_FUNCTIONAL_LOCAL_MAXIMA,
    A1_FUNCTIONAL_BOUNDARIES
} a1_functional_step;

/* Called on the calling thread when a step begins; the steps run once each, in order. */
typedef void (*a1_functional_step_fn)(void *user, a1_functional_step step);

/* The stage, telling where it is. `begin` may be NULL. */
allin1_status a1_functional_segments_in_steps(const float *section_logits,
                                              const float *function_logits, size_t frames,
                                              a1_segments *segments, a1_functional_step_fn begin,
                                              void *user, a1_error *err);

#endif
