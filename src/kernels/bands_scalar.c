#define A1_PLAIN_C
#define BANDS_KERNELS a1_bands_kernels_scalar
#include "kernels/bands_body.h"
