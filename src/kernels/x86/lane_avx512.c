#include "kernels/lane_body.h"

const a1_lane_kernels a1_lane_avx512 = LANE_KERNELS;
