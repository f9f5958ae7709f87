/* Clocks and resource figures. */
#ifndef A1_BASE_TIMER_H
#define A1_BASE_TIMER_H

#include <stdint.h>

/* Monotonic time in nanoseconds from an arbitrary start. */
uint64_t a1_monotonic_ns(void);

/* Wall-clock time in nanoseconds since 1970-01-01 UTC. */
uint64_t a1_wall_clock_ns(void);

/* Processor time used so far by all threads of this process, in nanoseconds. */
uint64_t a1_process_cpu_ns(void);

/* The largest resident size of this process so far, in bytes; 0 when unknown. */
uint64_t a1_peak_memory(void);

#endif
