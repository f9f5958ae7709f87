/* A result that has everything a result can have. */
#ifndef TEST_SUPPORT_FULL_RESULT_H
#define TEST_SUPPORT_FULL_RESULT_H

#include <allin1/allin1.h>

/* Two seconds with three beats, one downbeat and two segments, of which the first has the
 * probabilities of its labels; a tempo curve of three values and two alternatives. */
extern const allin1_result test_full_result;

#endif
