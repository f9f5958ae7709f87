#define BANDS_KERNELS a1_bands_kernels_avx512
#include "kernels/bands_body.h"
