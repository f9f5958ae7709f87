#include "process_start.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static double read_clock(clockid_t clock)
{
    struct timespec now;
    return clock_gettime(clock, &now) == 0 ? (double)now.tv_sec + (double)now.tv_nsec * 1e-9 : 0;
}

/* How long ago the system says that it started this process, in seconds, at most a tick too long;
 * negative when it does not say. */
static double age_by_system(double tick)
{
    char text[1024];
    unsigned long long started;
    FILE *file = fopen("/proc/self/stat", "r");
    if (!file)
        return -1;
    const size_t size = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[size] = '\0';
    /* The 22nd field; the second may hold spaces and brackets. */
    const char *field = strrchr(text, ')');
    for (int i = 2; field && i < 22; i++)
        field = strchr(field + 1, ' ');
    if (!field || sscanf(field, "%llu", &started) != 1)
        return -1;
    return read_clock(CLOCK_BOOTTIME) - (double)started * tick;
}

double process_start(void)
{
    const double now = read_clock(CLOCK_MONOTONIC);
    const long ticks = sysconf(_SC_CLK_TCK);
    const double tick = ticks > 0 ? 1.0 / (double)ticks : 0.01;
    /* It has lived at least as long as it has worked, and waited for the disk besides. */
    const double worked = read_clock(CLOCK_PROCESS_CPUTIME_ID);
    const double age = age_by_system(tick) - tick;
    return now - (age > worked ? age : worked);
}
