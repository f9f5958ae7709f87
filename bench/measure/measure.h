/* What all benchmarks share: samples, best and median, one row of the table and one line of JSON a figure,
 * and the peaks of this processor, measured in the same run. */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include <stddef.h>
#include <stdint.h>

#include "base/cpu.h"
#include "base/error.h"
#include "base/threads.h"

#define MEASURE_MAX 1000

/* Seconds of single runs, in the order in which they were taken. */
typedef struct samples {
    double seconds[MEASURE_MAX];
    size_t count;
} samples;

typedef void (*timed_fn)(void *argument);

/* Runs `function` once for memory and caches, then `repeats` times (at most MEASURE_MAX). */
void measure(samples *out, timed_fn function, void *argument, size_t repeats);

/* Two functions in turns, so that both meet the same weather. */
void measure_pair(samples *first, timed_fn function, void *argument, samples *second,
                  timed_fn other, void *other_argument, size_t repeats);

double samples_best(const samples *s);
double samples_median(const samples *s);
/* Median over the pairs of other / ours; both must have been taken in turns. */
double samples_ratio(const samples *ours, const samples *other);

/* One figure. Members that are 0 or NULL have no meaning for it and are left out. */
typedef struct figure {
    const char *name; /* "demix segment", "gemm 512 x 2048" */
    const char *how;  /* "mixed, 2 threads" */
    double best, median; /* seconds */
    size_t runs;
    double work;         /* floating-point or integer operations of one run */
    double peak;         /* of the processor on these threads, operations a second */
    const char *against; /* oracle or peer of `ratio` */
    double ratio;        /* how many times faster than that */
    double bytes;        /* for figures of memory: best, median and runs are then 0 */
} figure;

void figure_heading(const char *title);
/* Prints a row; appends a JSON object to the file that $ALLIN1_BENCH_LINES names. */
void figure_report(const figure *f);
/* The same from samples. */
void figure_samples(figure f, const samples *s);

/* Operations a second of independent chains of fused multiply-adds (bf16 and int8: dot products) in
 * registers, all threads of the pool at once; the best of many runs. 0 where the machine, at the
 * level chosen, has no such instruction. */
typedef enum peak_kind { PEAK_FP32, PEAK_BF16, PEAK_INT8 } peak_kind;
double peak_rate(peak_kind kind, const a1_cpu *cpu, a1_pool *pool);

/* Prints the reason and ends the program. */
void measure_fail(const a1_error *err);
/* Deterministic numbers in [-1, 1); ends the program when memory ran out. Free with a1_aligned_free. */
float *measure_random(size_t count);

#endif
