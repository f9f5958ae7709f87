#if defined(__x86_64__)
#define SPREAD_NAME a1_spread_avx512
#include "metrical/spread_body.h"
#endif
