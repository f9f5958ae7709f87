/* Tempo from beat times. */
#ifndef A1_TEMPO_H
#define A1_TEMPO_H

#include <stddef.h>

/* The reference's integer: the most frequent rounded 60 / interval; 0 with fewer than two beats.
 * `beats`: rising times in seconds. Intervals that are not positive or below 10 ms are left out.
 * Among equal counts the reference takes what its sort puts last: numpy's quicksort of the whole
 * histogram from 0 to the fastest tempo (numpy 1.24; later versions differ by processor), which is
 * repeated step by step. It is neither the slowest nor the fastest of the equal ones. */
int a1_tempo_bpm(const double *beats, size_t count);

/* Beats a minute, so exact that the grid of 10 ms on which beats lie averages out: a refinement of
 * a1_tempo_bpm by one line slope through all runs of steady beats. Missing and doubled beats,
 * pauses and passages in another tempo do not draw it away. 0 with fewer than two beats. */
double a1_tempo_precise(const double *beats, size_t count);

#endif
