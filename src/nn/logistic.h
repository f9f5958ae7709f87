/* Sigmoid and exponential in float32, the same bits on every machine.
 *
 * Near-ties between frames are decided by the last bit of these probabilities, so they follow the
 * arithmetic of the reference's vectorised exponential: range reduction by ln 2 in two parts, a
 * polynomial of degree 6 with fused multiply-add, error below 1 ulp. The reference computes the
 * last frames of an array (fewer than one of its vectors) another way; that is not imitated, so
 * that equal logits always give equal probabilities. There it can be 1 ulp away. */
#ifndef A1_NN_LOGISTIC_H
#define A1_NN_LOGISTIC_H

#include <stddef.h>

/* exp(x); 0 below -104, infinity above 100; NaN stays NaN. */
float a1_exp_f32(float x);

/* 1 / (1 + exp(-x)). */
float a1_logistic_f32(float x);

#endif
