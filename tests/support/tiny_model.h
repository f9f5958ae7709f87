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

/* How many blocks each tower of a student has. */
typedef struct tiny_student_blocks {
    size_t fine, middle, late, coarse;
} tiny_student_blocks;

/* A student 32 wide; every value is exact in float16. Text values "family" = "student",
 * "best_threshold_downbeat" = "0.24", "name" = "tiny-student". */
allin1_status test_tiny_student(const tiny_student_blocks *blocks, a1_tensor_set **set,
                                a1_error *err);
/* Every tensor of more than one axis in 8 bits with a scale a row into the empty set `integers`, and
 * what they mean, in float32, into `floats`, which may be NULL; all else as it is. `from` must outlive
 * both. */
allin1_status test_eight_bits(const a1_tensor_set *from, a1_tensor_set *integers,
                              a1_tensor_set *floats, a1_error *err);
#define TINY_STUDENT_WIDTH 32

/* Writes tiny-htdemucs.a1w, tiny-harmonix.a1w and tiny-student.a1w (4, 3, 1 and 2 blocks) into the folder,
 * which must exist. */
allin1_status test_write_tiny_models(const char *folder, a1_error *err);

#endif
