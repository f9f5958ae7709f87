#define BANDS_KERNELS a1_bands_kernels_avx2
#include "kernels/bands_body.h"
