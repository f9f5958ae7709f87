#include "standard_output.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "messages.h"

/* Room for any help text or usual result: the write that fails is then the flush's, whose reason is
 * known. */
#define OUTPUT_ROOM ((size_t)1 << 18)

void standard_output_prepare(void)
{
    static char room[OUTPUT_ROOM];
    if (!isatty(STDOUT_FILENO))
        setvbuf(stdout, room, _IOFBF, sizeof room);
}

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
