#include "kernels/lane_body.h"

const a1_lane_kernels a1_lane_neon = LANE_KERNELS;
