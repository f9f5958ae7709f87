#define A1_PLAIN_C
#include "kernels/layers_body.h"

const a1_layer_kernels a1_layers_scalar = LAYER_KERNELS;
