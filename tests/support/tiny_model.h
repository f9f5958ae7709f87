/* Small models of random numbers: the whole program runs with them, and nothing need be fetched. */
#ifndef TEST_SUPPORT_TINY_MODEL_H
#define TEST_SUPPORT_TINY_MODEL_H

#include "base/error.h"
#include "tensor/tensor.h"

/* HTDemucs with the real names in the real arrangement, narrow: levels of 8, 16, 32 and 64
 * channels, transformer 32 wide with 2 heads of 16 and a feed-forward of 64, frequency embedding
 * 512 x 8. Every value is exact in float16. Text values "family" = "htdemucs", "heads" = "2",
 * "name" = "tiny-htdemucs". The same numbers on every machine. The caller destroys *set. */
allin1_status test_tiny_htdemucs(a1_tensor_set **set, a1_error *err);

/* One fold of the network with its real shapes, in the layout of the published .npz. Text values
 * "family" = "harmonix", "best_threshold_downbeat" = "0.24", "name" = "tiny-harmonix". */
allin1_status test_tiny_harmonix(a1_tensor_set **set, a1_error *err);

/* A student 32 wide, with that many blocks at the fine and at the coarse rate; every value is exact in
 * float16. Text values "family" = "student", "best_threshold_downbeat" = "0.24", "name" =
 * "tiny-student". */
allin1_status test_tiny_student(size_t fine, size_t coarse, a1_tensor_set **set, a1_error *err);
#define TINY_STUDENT_WIDTH 32

/* Writes tiny-htdemucs.a1w, tiny-harmonix.a1w and tiny-student.a1w (4 and 2 blocks) into the folder,
 * which must exist. */
allin1_status test_write_tiny_models(const char *folder, a1_error *err);

#endif
