#define FFT_KERNELS a1_fft_kernels_neon
#include "kernels/fft_body.h"
