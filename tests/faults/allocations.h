/* Making the n-th allocation fail. Only programs named test_NAME_allocations.c can do it: their
 * allocations, and the library's, go through here (see CMakeLists.txt). Memory that the C library
 * and other libraries ask for inside their own functions does not. Threads may allocate at will. */
#ifndef TEST_FAULTS_ALLOCATIONS_H
#define TEST_FAULTS_ALLOCATIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* The `nth` allocation from now on (from 1) fails, all others work; 0: none fails. Anonymous
 * mappings count as allocations. */
void allocations_fail_at(unsigned nth);

/* Whether it has failed since the last call of allocations_fail_at. Ends the failing, too. */
bool allocations_failed(void);

/* Blocks allocated since the last call of allocations_fail_at and not given back. */
size_t allocations_left(void);

/* The `nth` thread that is started from now on (from 1) is refused; 0: none. */
void thread_starts_fail_at(unsigned nth);

/* Something that can run out of memory. It gives back all that it got, whatever becomes of it. */
typedef allin1_status (*allocating_fn)(void *user, a1_error *err);

/* Runs it with the first allocation failing, then the second, ... until none is left to fail; every
 * `step`-th from the hundredth on. Fails the test unless each failure gives ALLIN1_ERROR_MEMORY
 * with a sentence about it, nothing is left allocated, and the last run succeeds. */
void allocations_fail_each(const char *what, allocating_fn run, void *user, unsigned step);

#endif
