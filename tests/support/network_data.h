/* The pretrained folds for tests; each skips the running test when the shared data is not there. */
#ifndef TEST_SUPPORT_NETWORK_DATA_H
#define TEST_SUPPORT_NETWORK_DATA_H

#include <stdint.h>

#include "network/fold_weights.h"
#include "network/network.h"
#include "tensor/tensor.h"

#define TEST_FOLDS 8

/* All arrays of an .npz file given relative to the shared folder; the caller destroys the set. */
a1_tensor_set *test_npz(const char *relative);

/* A tensor of the set as doubles, which the caller frees; fails the test when it is missing. */
double *test_tensor(const a1_tensor_set *set, const char *name, size_t *count);

/* The tensors of fold `index`; the caller destroys the set. */
a1_tensor_set *test_fold(unsigned index);

/* A network of folds 0..count-1 at a CPU level. */
a1_network *test_network(size_t count, allin1_cpu_level level);

/* Random weights and the tensor set over them, for tests without pretrained weights. The set
 * borrows the weights. */
typedef struct test_random_fold {
    a1_fold_weights *weights;
    a1_tensor_set *set;
} test_random_fold;
/* `omit` (or NULL) is left out of the set, `reshape` (or NULL) gets one element less. */
test_random_fold test_random_fold_create(uint64_t seed, const char *omit, const char *reshape);
void test_random_fold_destroy(test_random_fold *fold);

#endif
