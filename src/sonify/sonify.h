/* A song with its structure made audible: clicks on the beats, risers and drops at the boundaries. */
#ifndef A1_SONIFY_H
#define A1_SONIFY_H

#include <stddef.h>

/* What is heard where; times in seconds. */
typedef struct a1_sonify_score {
    const double *beats;
    size_t beat_count;
    const double *downbeats;
    size_t downbeat_count;
    const double *boundaries; /* where sections start */
    size_t boundary_count;
} a1_sonify_score;

/* The peak that a mix is brought down to, -1 dB: lossy codecs overshoot a little. */
#define A1_SONIFY_CEILING 0.8912509f

/* Adds the sounds to the song in place, at the levels of the reference implementation: full scale at
 * their start, as loud as the loudest song.
 *
 * - A beat is a sine of 1,500 Hz, a downbeat one of 3,000 Hz, of 0.1 s, falling from 1 to 2^-10. A
 *   beat within 30 ms of a downbeat is that downbeat.
 * - Before a boundary 25 such clicks from 40 to 4,000 Hz come closer and closer, from 4 s before it.
 * - At the boundary a sine falls from 4,000 to 40 Hz within 0.5 s, from 1 to 2^-4.
 *
 * Where the sum would pass A1_SONIFY_CEILING, all of it is scaled by one factor, so that nothing is
 * distorted and the balance stays. Returns that factor, 1 when nothing was scaled. */
float a1_sonify(float *const channel[2], size_t samples, double rate, const a1_sonify_score *score);

#endif
