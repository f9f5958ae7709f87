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

/* Beats of the longest window that a1_tempo_curve looks at: 40 s at 240 a minute. */
#define A1_TEMPO_WINDOW 160

/* Beats a minute at each beat, `bpm` [count]. A steady passage gives a flat line, within 0.1 from 40
 * to 215 beats a minute, although beats lie on a grid of 10 ms; a sudden change shows within a beat or
 * two of where it is. Single misplaced beats hardly show. `beats`: rising times in seconds. 0 for a
 * lone beat, or where beats coincide. */
void a1_tempo_curve(const double *beats, size_t count, double *bpm);

#endif
