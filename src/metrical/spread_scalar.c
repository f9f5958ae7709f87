#define A1_PLAIN_C
#define SPREAD_NAME a1_spread_scalar
#include "metrical/spread_body.h"
