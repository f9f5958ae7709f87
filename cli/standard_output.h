/* Standard output that may be closed, full or gone. */
#ifndef CLI_STANDARD_OUTPUT_H
#define CLI_STANDARD_OUTPUT_H

#include <stdbool.h>

/* Call once, before anything is written. */
void standard_output_prepare(void);

/* Flushes what was written; false when any of it was lost. The reason is told on the error stream,
 * except that a reader that went away is no reason for words. Tells it once. */
bool standard_output_flush(void);

#endif
