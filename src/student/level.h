/* A song's level, and what brings a quiet one up to what the student has learnt.
 *
 * A spectrogram's values are log10(1 + magnitude), so a recording that is softer is not the same picture
 * moved: below a certain level its outlines fade. Of real music in packages one song in a hundred lies
 * below it; a recording 36 dB too soft lies there as a whole. */
#ifndef A1_STUDENT_LEVEL_H
#define A1_STUDENT_LEVEL_H

#include <stddef.h>

#include "base/error.h"
#include "base/threads.h"

/* The value that the loudest band reaches in the tenth of the frames in which it is loudest: below it
 * nothing was trained on but what augmentation made. */
#define A1_STUDENT_QUIET 1.1f

/* How much louder the student should hear `spectrogram` [frames][81]: 1, or more where the song is quiet,
 * 100 (40 dB) at most: what is softer still is no recording of music. Silence stays as it is. frames >= 1.
 * Fails on memory. */
allin1_status a1_student_gain(const float *spectrogram, size_t frames, float *gain, a1_error *err);

/* out = the spectrogram of the same sound `gain` times as loud; all [frames][81]. The same bits for any
 * pool (may be NULL). */
void a1_student_raise(a1_pool *pool, const float *spectrogram, size_t frames, float gain, float *out);

#endif
