/* Options about tempo, metre and labels, and other plain decimals. Each applies its value, or says what is wrong with it. */
#ifndef CLI_MUSICAL_OPTIONS_H
#define CLI_MUSICAL_OPTIONS_H

#include "options.h"

bool set_min_bpm(options *out, const char *value);
bool set_max_bpm(options *out, const char *value);
bool set_tempo_hint(options *out, const char *value);
bool set_transition_lambda(options *out, const char *value);
bool set_unknown(options *out, const char *value);
bool set_refine(options *out, const char *value);

/* "3,4" or, with weights, "3,4:2,7:0.5". */
bool set_beats_per_bar(options *out, const char *value);

#endif
