#define A1_PLAIN_C
#include "kernels/gemm_body.h"

const a1_gemm_kernels a1_gemm_scalar = {.run = {run}, .run_plain = run_plain};
