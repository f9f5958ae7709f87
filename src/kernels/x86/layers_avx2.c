#include "kernels/layers_body.h"

const a1_layer_kernels a1_layers_avx2 = LAYER_KERNELS;
