#define FFT_KERNELS a1_fft_kernels_avx512
#include "kernels/fft_body.h"
