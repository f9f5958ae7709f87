#define BANDS_KERNELS a1_bands_kernels_neon
#include "kernels/bands_body.h"
