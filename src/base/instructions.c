#include "base/instructions.h"

#if defined(__linux__)

#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>

void a1_instructions_start(a1_instructions *counter)
{
    struct perf_event_attr wanted = {
        .type = PERF_TYPE_HARDWARE,
        .size = sizeof wanted,
        .config = PERF_COUNT_HW_INSTRUCTIONS,
        .read_format = PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING,
        .inherit = 1,
        .exclude_kernel = 1,
        .exclude_hv = 1,
    };
    const long descriptor =
        syscall(SYS_perf_event_open, &wanted, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
    counter->open = descriptor >= 0;
    counter->descriptor = (int)descriptor;
    counter->thread = syscall(SYS_gettid);
}

void a1_instructions_stop(a1_instructions *counter)
{
    if (counter->open)
        close(counter->descriptor);
    counter->open = false;
}

uint64_t a1_instructions_read(const a1_instructions *counter)
{
    uint64_t values[3]; /* count, nanoseconds enabled and running */
    if (!counter->open || syscall(SYS_gettid) != counter->thread ||
        read(counter->descriptor, values, sizeof values) != (ssize_t)sizeof values ||
        values[2] == 0)
        return 0;
    /* Where counters are shared with others, it ran a part of the time. */
    if (values[2] < values[1])
        return (uint64_t)((double)values[0] * ((double)values[1] / (double)values[2]));
    return values[0];
}

#else

void a1_instructions_start(a1_instructions *counter)
{
    counter->open = false;
}

void a1_instructions_stop(a1_instructions *counter)
{
    counter->open = false;
}

uint64_t a1_instructions_read(const a1_instructions *counter)
{
    (void)counter;
    return 0;
}

#endif
