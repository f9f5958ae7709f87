/* How far a student's result can be trusted: what it tells itself, and what that was found to be worth. */
#ifndef A1_EVIDENCE_H
#define A1_EVIDENCE_H

#include <stdbool.h>

#include <allin1/allin1.h>

#include "base/error.h"
#include "metrical/confidence.h"

/* The confidence is the logistic function of the constant and the weighted evidence. */
typedef struct a1_calibration {
    bool known;
    double constant;
    double weights[ALLIN1_EVIDENCE];
} a1_calibration;

/* Reads the text value "confidence" of a weights file: "constant=-1.5 beat=4.25 ...", names of
 * allin1_evidence_name in any order, those left out weigh nothing. NULL or "": not known. `path` names
 * the file in errors. */
allin1_status a1_calibration_read(a1_calibration *calibration, const char *text, const char *path,
                                  a1_error *err);

/* 0 to 1, rounded to four decimals so that every processor decides alike; NAN when not known. */
double a1_calibration_apply(const a1_calibration *calibration,
                            const double evidence[ALLIN1_EVIDENCE]);

/* The evidence for beats decoded from these logits of `frames` frames; `confidences` belongs to them. */
void a1_evidence_measure(const float *beat, const float *downbeat, size_t frames, double fps,
                         const a1_beats *beats, const a1_confidences *confidences,
                         double evidence[ALLIN1_EVIDENCE]);

#endif
