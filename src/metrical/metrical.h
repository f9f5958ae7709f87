/* Beats, downbeats and beat positions from frame-wise logits: a bar-pointer hidden Markov model.
 *
 * Source: Krebs, Boeck and Widmer, ISMIR 2015; behaviour of madmom's DBNDownBeatTrackingProcessor;
 * exact semantics in docs/MODEL.md. */
#ifndef A1_METRICAL_H
#define A1_METRICAL_H

#include <stddef.h>

#include "base/cpu.h"
#include "base/error.h"
#include "base/threads.h"

#define A1_MAX_METRES 11 /* all that there are */

typedef struct a1_metrical_settings {
    double fps;              /* frames a second, > 0; default 100 */
    double min_bpm, max_bpm; /* default 55 and 215; a beat must last 1 to 2,048 frames */
    unsigned num_tempi;      /* log-spaced tempi; default 60; 0 = every interval, 1,024 at most */
    unsigned beats_per_bar[A1_MAX_METRES]; /* 2 to 12 each; default 3, 4 */
    double weights[A1_MAX_METRES];         /* prior of each metre, > 0; only ratios count; default 1 */
    size_t metre_count;                    /* 1 to A1_MAX_METRES; default 2 */
    double transition_lambda;              /* >= 0; default 100 */
    double observation_lambda;             /* > 1; default 16 */
    double threshold;                      /* >= 0, 0 = none; default 0.24 */
    int correct;                           /* move beats to the activation's peak; default 1 */
} a1_metrical_settings;

void a1_metrical_settings_default(a1_metrical_settings *settings);

/* State spaces and transitions; read-only after creation, so threads may share it. */
typedef struct a1_metrical a1_metrical;

/* ALLIN1_ERROR_ARGUMENT names the setting that is out of range. `cpu` NULL means plain C. */
allin1_status a1_metrical_create(a1_metrical **model, const a1_metrical_settings *settings,
                                 const a1_cpu *cpu, a1_error *err);
void a1_metrical_destroy(a1_metrical **model);

typedef struct a1_beats {
    size_t count;
    double *times;          /* seconds, frame / fps */
    unsigned *positions;    /* 1 = downbeat */
    unsigned beats_per_bar; /* of the winning metre; 0 without beats */
    size_t first_frame;     /* where decoding began after thresholding */
    size_t decoded_frames;
    double log_probability[A1_MAX_METRES]; /* best path of each metre plus the logarithm of its
                                              weight, in settings order; -inf when nothing was
                                              decoded or no path is possible */
} a1_beats;

/* Frees the arrays and zeroes the struct. */
void a1_beats_free(a1_beats *beats);

/* logits -> activations [frames][2] (beat but not downbeat, downbeat), as the reference combines
 * them, in float32. NaN goes through; the decoder reports it. */
void a1_metrical_activations(const float *beat_logits, const float *downbeat_logits, size_t frames,
                             float *activations);

/* Decodes activations [frames][2]. No beats is a valid result (count 0). The fast decoder, one task
 * for each metre on the pool (may be NULL). Equal bits for any number of threads and any CPU level.
 * The better log probability wins, the first metre on a tie. The caller frees `beats`; on failure
 * it is empty. ALLIN1_ERROR_ARGUMENT for an activation that is not finite. */
allin1_status a1_metrical_decode(const a1_metrical *model, a1_pool *pool, const float *activations,
                                 size_t frames, a1_beats *beats, a1_error *err);

/* The oracle: plain full-state Viterbi with back-pointers; same result, bit for bit. */
allin1_status a1_metrical_decode_plain(const a1_metrical *model, const float *activations,
                                       size_t frames, a1_beats *beats, a1_error *err);

/* For tests: states, transitions of one metre (index in settings order). */
size_t a1_metrical_states(const a1_metrical *model, size_t metre);
size_t a1_metrical_transitions(const a1_metrical *model, size_t metre);

#endif
