#define A1_PLAIN_C
#define BLOCK_NAME a1_block_scalar
#include "metrical/viterbi_block_body.h"
