#define A1_PLAIN_C
#include "kernels/lane_body.h"

const a1_lane_kernels a1_lane_scalar = LANE_KERNELS;
