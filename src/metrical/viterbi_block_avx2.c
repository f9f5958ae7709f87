#if defined(__x86_64__)
#define BLOCK_NAME a1_block_avx2
#include "metrical/viterbi_block_body.h"
#endif
