/* What must really run, and whether it does. */
#ifndef A1_REQUIREMENTS_H
#define A1_REQUIREMENTS_H

#include "context.h"

/* Reads the settings' list, "spectrogram=fast,threads=2"; what cannot be understood is an
 * ALLIN1_ERROR_ARGUMENT that names it. */
allin1_status a1_requirements_parse(a1_requirements *wanted, const char *list, a1_error *err);

/* ALLIN1_ERROR_REQUIREMENT, with the reason, when what is required is not what runs now, or will. */
allin1_status a1_requirements_check(const allin1_context *context, a1_error *err);

/* The same for one input: whether the stages that something is required of run at all. */
allin1_status a1_requirements_check_input(const allin1_context *context, bool given_stems,
                                          bool given_spectrogram, a1_error *err);

#endif
