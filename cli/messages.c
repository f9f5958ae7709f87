#include "messages.h"

#include <stdarg.h>
#include <stdio.h>

static int current_level;
static void (*hook_before)(void);
static void (*hook_after)(void);

void message_set_level(int level)
{
    current_level = level;
}

void message_set_hooks(void (*before)(void), void (*after)(void))
{
    hook_before = before;
    hook_after = after;
}

static void say(const char *lead, const char *format, va_list arguments)
{
    if (hook_before)
        hook_before();
    fputs(lead, stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    fflush(stderr);
    if (hook_after)
        hook_after();
}

#define DEFINE_MESSAGE(name, lead, lowest)                                                         \
    void name(const char *format, ...)                                                             \
    {                                                                                              \
        if (current_level < (lowest))                                                              \
            return;                                                                                \
        va_list arguments;                                                                         \
        va_start(arguments, format);                                                               \
        say(lead, format, arguments);                                                              \
        va_end(arguments);                                                                         \
    }

DEFINE_MESSAGE(message_error, "allin1: ", -1)
DEFINE_MESSAGE(message_plain, "", -1)
DEFINE_MESSAGE(message_note, "", 0)
DEFINE_MESSAGE(message_detail, "", 1)
