#include "standard_output.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "messages.h"

bool standard_output_flush(void)
{
    static bool lost;
    errno = 0;
    const bool flushed = fflush(stdout) == 0 && !ferror(stdout);
    if (!flushed && !lost && errno != EPIPE)
        message_error("cannot write to standard output%s%s", errno ? ": " : "",
                      errno ? strerror(errno) : "");
    lost |= !flushed;
    return !lost;
}
