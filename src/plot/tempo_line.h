/* The tempo as a line over time: the result's curve, or, where a file does not tell one, the mean over
 * the 16 beats around each. */
#ifndef A1_PLOT_TEMPO_LINE_H
#define A1_PLOT_TEMPO_LINE_H

#include <stddef.h>

#include <allin1/allin1.h>

/* Points of the line; 0 when there are too few beats. */
size_t a1_tempo_line_points(const allin1_result *result);

/* Time in seconds and beats a minute of point `index`. */
void a1_tempo_line_point(const allin1_result *result, size_t index, double *time, double *bpm);

#endif
