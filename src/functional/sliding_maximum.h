/* Which frames hold the maximum of the window around them. */
#ifndef A1_FUNCTIONAL_SLIDING_MAXIMUM_H
#define A1_FUNCTIONAL_SLIDING_MAXIMUM_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* is_maximum[t] = no value from t - past to t + future, as far as there are frames, is above
 * values[t]. Linear in `count` for any window. Values must not be NaN. Fails on memory. */
allin1_status a1_sliding_maximum(const float *values, size_t count, size_t past, size_t future,
                                 bool *is_maximum, a1_error *err);

#endif
