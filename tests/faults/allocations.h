/* Making the n-th allocation fail. Only programs named test_NAME_allocations.c can do it: their
 * allocations, and the library's, go through here (see CMakeLists.txt). */
#ifndef TEST_FAULTS_ALLOCATIONS_H
#define TEST_FAULTS_ALLOCATIONS_H

#include <stdbool.h>

/* The `nth` allocation from now on (from 1) fails, all others work; 0: none fails. */
void allocations_fail_at(unsigned nth);

/* Whether it has failed since the last call of allocations_fail_at. Ends the failing, too. */
bool allocations_failed(void);

#endif
