/* The hidden Markov model of one metre: beat state space, tempo transitions, observation ranges.
 *
 * Source: Krebs, Boeck and Widmer, ISMIR 2015 (state space and tempo transitions); Boeck, Krebs and
 * Widmer, ISMIR 2016 (joint beats and downbeats). */
#ifndef A1_METRICAL_BAR_MODEL_H
#define A1_METRICAL_BAR_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define A1_MIN_BEATS_PER_BAR 2u
#define A1_MAX_BEATS_PER_BAR 12u
#define A1_MAX_BEAT_INTERVAL 2048u  /* frames of the slowest beat */
#define A1_MAX_BEAT_INTERVALS 1024u /* tempi */

/* A bar is `beats` copies of one beat; a beat has a row of `intervals[j]` states for each tempo j.
 * State number: beat * beat_states + first[j] + position in frames. */
typedef struct a1_beat_space {
    unsigned beats;
    size_t interval_count;
    unsigned *intervals;   /* [interval_count], frames, rising */
    size_t *first;         /* [interval_count], first state of a tempo inside its beat */
    uint16_t *interval_of; /* [beat_states], the tempo of a state */
    size_t beat_states;
    size_t states; /* of the whole bar */
} a1_beat_space;

/* `min_interval` and `max_interval` in frames, not rounded. `wanted` limits the number of tempi
 * (log-spaced); 0 takes every whole interval. Fails on memory and on limits above. */
allin1_status a1_beat_space_create(a1_beat_space *space, unsigned beats, double min_interval,
                                   double max_interval, unsigned wanted, a1_error *err);
void a1_beat_space_destroy(a1_beat_space *space);

/* Tempo may change between beats only. Probabilities fall exponentially with the relative change of
 * the interval; what falls below the spacing of doubles at 1 is no transition. */
typedef struct a1_transitions {
    double *log_change; /* [from][to], logarithm; -inf where there is no transition */
    size_t changes;     /* finite entries of log_change */
    /* All transitions of the bar by target state, sources rising: what the plain decoder walks. */
    size_t count;
    size_t *start;           /* [states + 1] */
    uint32_t *source;        /* [count] */
    double *log_probability; /* [count] */
} a1_transitions;

allin1_status a1_transitions_create(a1_transitions *transitions, const a1_beat_space *space,
                                    double lambda, a1_error *err);
void a1_transitions_destroy(a1_transitions *transitions);

/* The first `beat_frames[beat * interval_count + j]` (at least 1) positions of a beat are observed
 * as beat (downbeat in beat 0), the others as neither. */
allin1_status a1_beat_frames_create(unsigned **beat_frames, const a1_beat_space *space,
                                    double lambda, a1_error *err);

/* Logarithms of the three densities, in this order of columns. */
enum { A1_DENSITY_NONE = 0, A1_DENSITY_BEAT, A1_DENSITY_DOWNBEAT, A1_DENSITIES };

typedef struct a1_densities {
    const double *column[A1_DENSITIES]; /* [frames], then zeros as far as the decoder reads ahead */
} a1_densities;

/* Fills the three columns from activations [frames][2] in float32 arithmetic. Zero or negative
 * densities have the logarithm -inf. Infallible; `lambda` > 1. */
void a1_log_densities(const float *activations, size_t frames, double lambda, double *none,
                      double *beat, double *downbeat);

typedef struct a1_bar_model {
    a1_beat_space space;
    a1_transitions transitions;
    unsigned *beat_frames;
    double log_initial; /* every state is equally likely to begin with */
} a1_bar_model;

/* Which density the state (beat, tempo, position) is seen through. */
static inline unsigned a1_bar_density(const a1_bar_model *bar, size_t beat, size_t tempo,
                                      size_t position)
{
    if (position >= bar->beat_frames[beat * bar->space.interval_count + tempo])
        return A1_DENSITY_NONE;
    return beat == 0 ? A1_DENSITY_DOWNBEAT : A1_DENSITY_BEAT;
}

#endif
