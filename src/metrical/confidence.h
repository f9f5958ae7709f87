/* How sure the model is: of each beat, each downbeat, and the tempo against its half and its double. */
#ifndef A1_METRICAL_CONFIDENCE_H
#define A1_METRICAL_CONFIDENCE_H

#include "metrical/metrical.h"

#define A1_TEMPO_ALTERNATIVES 2

typedef struct a1_tempo_alternative {
    double bpm;        /* of the tempo that was asked about */
    double confidence; /* 0 to 1; with the tempo's own they add up to 1 */
} a1_tempo_alternative;

typedef struct a1_confidences {
    double *beats;     /* [count of the beats] 0 to 1: a beat is there */
    double *downbeats; /* the same: a downbeat is there */
    double tempo;      /* confidence of the tempo against the alternatives; NAN without a tempo */
    a1_tempo_alternative alternatives[A1_TEMPO_ALTERNATIVES]; /* half and double; bpm 0: out of range */
} a1_confidences;

/* `beats` is what was decoded from these activations, `bpm` its tempo, 0 for none. The model's metres
 * run as tasks on the pool (may be NULL); equal bits for any number of threads. The caller frees; on
 * failure nothing is left. Without beats everything is empty. */
allin1_status a1_metrical_confidences(const a1_metrical *model, a1_pool *pool,
                                      const float *activations, const a1_beats *beats, double bpm,
                                      a1_confidences *confidences, a1_error *err);
void a1_confidences_free(a1_confidences *confidences);

#endif
