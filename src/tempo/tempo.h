/* Tempo from beat times. */
#ifndef A1_TEMPO_H
#define A1_TEMPO_H

#include <stddef.h>

/* The reference's integer: the most frequent rounded 60 / interval; 0 with fewer than two beats. Ties
 * as the reference decides them in tempo_cases (docs/MODEL.md). */
int a1_tempo_bpm(const double *beats, size_t count);

/* Beats a minute from a robust fit of a line over beat times and indices, so that the 10 ms grid of
 * the beats averages out; 0 with fewer than two beats. */
double a1_tempo_precise(const double *beats, size_t count);

#endif
