/* What the caller is told besides results. */
#include <stdarg.h>
#include <stdio.h>

#include "context.h"

void a1_log(const allin1_context *context, allin1_log_level level, const char *format, ...)
{
    if (!context->settings.log)
        return;
    char message[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    context->settings.log(context->settings.log_user, level, message);
}
