#define FFT_KERNELS a1_fft_kernels_avx2
#include "kernels/fft_body.h"
