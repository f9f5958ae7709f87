/* Arrays that end where readable memory ends, so that one element too many is a crash even in code
 * that no sanitizer looks into. */
#ifndef TEST_SUPPORT_GUARDED_H
#define TEST_SUPPORT_GUARDED_H

#include <stddef.h>

/* `count` floats, zero; the page after the last one cannot be touched. Fails the test when memory
 * is short. */
float *guarded_floats(size_t count);
void guarded_free(float *array, size_t count);

#endif
