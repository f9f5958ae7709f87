#include "kernels/gemm_body.h"

const a1_gemm_kernels a1_gemm_neon = {.run = {run}, .run_plain = run_plain};
