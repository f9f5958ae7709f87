#include "measure/measure.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/timer.h"

static double timed(timed_fn function, void *argument)
{
    const uint64_t start = a1_monotonic_ns();
    function(argument);
    return 1e-9 * (double)(a1_monotonic_ns() - start);
}

void measure(samples *out, timed_fn function, void *argument, size_t repeats)
{
    function(argument);
    out->count = repeats < MEASURE_MAX ? repeats : MEASURE_MAX;
    for (size_t i = 0; i < out->count; i++)
        out->seconds[i] = timed(function, argument);
}

void measure_pair(samples *first, timed_fn function, void *argument, samples *second,
                  timed_fn other, void *other_argument, size_t repeats)
{
    function(argument);
    other(other_argument);
    first->count = second->count = repeats < MEASURE_MAX ? repeats : MEASURE_MAX;
    for (size_t i = 0; i < first->count; i++) {
        first->seconds[i] = timed(function, argument);
        second->seconds[i] = timed(other, other_argument);
    }
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double sorted_at(const double *values, size_t count, size_t index)
{
    double sorted[MEASURE_MAX];
    if (count == 0)
        return 0;
    memcpy(sorted, values, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, ascending);
    return sorted[index];
}

double samples_best(const samples *s)
{
    return sorted_at(s->seconds, s->count, 0);
}

double samples_median(const samples *s)
{
    return sorted_at(s->seconds, s->count, s->count / 2);
}

double samples_ratio(const samples *ours, const samples *other)
{
    double ratios[MEASURE_MAX];
    for (size_t i = 0; i < ours->count; i++)
        ratios[i] = other->seconds[i] / ours->seconds[i];
    return sorted_at(ratios, ours->count, ours->count / 2);
}

void figure_heading(const char *title)
{
    printf("\n%-36s %-24s %10s %10s %5s %8s %6s  %s\n", title, "", "best", "median", "runs", "Gop/s",
           "peak", "times as fast as");
}

static void print_seconds(double seconds)
{
    if (seconds >= 1)
        printf(" %8.3f s ", seconds);
    else if (seconds >= 1e-3)
        printf(" %7.3f ms", seconds * 1e3);
    else
        printf(" %7.3f us", seconds * 1e6);
}

static void append_json(const figure *f)
{
    const char *path = getenv("ALLIN1_BENCH_LINES");
    if (!path || !*path)
        return;
    json_t *row = json_object();
    json_object_set_new(row, "name", json_string(f->name));
    json_object_set_new(row, "how", json_string(f->how));
    if (f->best > 0) {
        json_object_set_new(row, "best_seconds", json_real(f->best));
        json_object_set_new(row, "median_seconds", json_real(f->median));
        json_object_set_new(row, "runs", json_integer((json_int_t)f->runs));
    }
    if (f->work > 0)
        json_object_set_new(row, "operations", json_real(f->work));
    if (f->peak > 0) {
        json_object_set_new(row, "peak_per_second", json_real(f->peak));
        if (f->work > 0)
            json_object_set_new(row, "share_of_peak", json_real(f->work / f->best / f->peak));
    }
    if (f->against) {
        json_object_set_new(row, "against", json_string(f->against));
        json_object_set_new(row, "times_as_fast", json_real(f->ratio));
    }
    if (f->bytes > 0)
        json_object_set_new(row, "bytes", json_real(f->bytes));
    char *text = json_dumps(row, JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(6));
    FILE *file = fopen(path, "a");
    if (!text || !file || fprintf(file, "%s\n", text) < 0 || fclose(file) != 0) {
        fprintf(stderr, "bench: %s cannot be written\n", path);
        exit(1);
    }
    free(text);
    json_decref(row);
}

void figure_report(const figure *f)
{
    printf("%-36s %-24s", f->name, f->how);
    if (f->best > 0) {
        print_seconds(f->best);
        print_seconds(f->median);
        printf(" %5zu", f->runs);
        if (f->work > 0)
            printf(" %8.0f", f->work / f->best * 1e-9);
        else
            printf(" %8s", "");
        if (f->work > 0 && f->peak > 0)
            printf(" %4.0f %%", 100 * f->work / f->best / f->peak);
        else
            printf(" %6s", "");
        if (f->against)
            printf("  %.2f %s", f->ratio, f->against);
    } else if (f->peak > 0) {
        printf(" %10s %10s %5s %8.0f", "", "", "", f->peak * 1e-9);
    } else if (f->bytes > 0) {
        printf(" %7.0f MB", f->bytes / 1048576);
    }
    putchar('\n');
    fflush(stdout);
    append_json(f);
}

void figure_samples(figure f, const samples *s)
{
    f.best = samples_best(s);
    f.median = samples_median(s);
    f.runs = s->count;
    figure_report(&f);
}

void measure_fail(const a1_error *err)
{
    fprintf(stderr, "bench: %s\n", err->message);
    exit(1);
}

float *measure_random(size_t count)
{
    static uint64_t state = 1;
    float *values = a1_aligned_alloc(count * sizeof *values);
    if (!values) {
        fprintf(stderr, "bench: out of memory\n");
        exit(1);
    }
    for (size_t i = 0; i < count; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        values[i] = (float)(state >> 40) / 8388608.0f - 1.0f;
    }
    return values;
}
