#define A1_PLAIN_C
#define FFT_KERNELS a1_fft_kernels_scalar
#include "kernels/fft_body.h"
