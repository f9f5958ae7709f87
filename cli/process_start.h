/* When this process began. */
#ifndef CLI_PROCESS_START_H
#define CLI_PROCESS_START_H

/* Seconds on CLOCK_MONOTONIC, true to about a hundredth of a second: what the system did before main
 * began, loading the program and its libraries, is part of the run. */
double process_start(void);

#endif
