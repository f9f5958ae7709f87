#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *allin1_status_string(allin1_status status)
{
    switch (status) {
    case ALLIN1_OK:
        return "no error";
    case ALLIN1_ERROR_ARGUMENT:
        return "invalid argument";
    case ALLIN1_ERROR_MEMORY:
        return "out of memory";
    case ALLIN1_ERROR_IO:
        return "input or output failed";
    case ALLIN1_ERROR_FORMAT:
        return "malformed file";
    case ALLIN1_ERROR_UNSUPPORTED:
        return "not supported";
    case ALLIN1_ERROR_AUDIO:
        return "no decodable audio";
    case ALLIN1_ERROR_WEIGHTS_MISSING:
        return "model weights missing";
    case ALLIN1_ERROR_WEIGHTS_DAMAGED:
        return "model weights damaged";
    case ALLIN1_ERROR_DOWNLOAD:
        return "download failed";
    case ALLIN1_ERROR_CANCELLED:
        return "cancelled";
    case ALLIN1_ERROR_REQUIREMENT:
        return "what was required is not what runs";
    case ALLIN1_ERROR_INTERNAL:
        return "internal error";
    }
    return "unknown error";
}

static void format_message(a1_error *err, const char *format, va_list arguments)
{
    int length = vsnprintf(err->message, sizeof err->message, format, arguments);
    if (length >= (int)sizeof err->message)
        memcpy(err->message + sizeof err->message - 4, "...", 4);
}

allin1_status a1_fail(a1_error *err, allin1_status status, const char *format, ...)
{
    if (err) {
        va_list arguments;
        va_start(arguments, format);
        err->status = status;
        format_message(err, format, arguments);
        va_end(arguments);
    }
    return status;
}

allin1_status a1_fail_prefix(a1_error *err, allin1_status status, const char *format, ...)
{
    if (err) {
        char reason[sizeof err->message];
        memcpy(reason, err->message, sizeof reason);
        va_list arguments;
        va_start(arguments, format);
        err->status = status;
        format_message(err, format, arguments);
        va_end(arguments);
        size_t used = strlen(err->message);
        size_t room = sizeof err->message - used;
        if (snprintf(err->message + used, room, ": %s", reason) >= (int)room)
            memcpy(err->message + sizeof err->message - 4, "...", 4);
    }
    return status;
}

allin1_status a1_fail_memory(a1_error *err, const char *what)
{
    return a1_fail(err, ALLIN1_ERROR_MEMORY, "out of memory for %s", what);
}
