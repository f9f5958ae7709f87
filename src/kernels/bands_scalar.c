#define BANDS_KERNELS a1_bands_kernels_scalar
#include "kernels/bands_body.h"
