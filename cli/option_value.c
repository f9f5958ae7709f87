#include "option_value.h"

#include <string.h>

const char *option_value(const char *name, int argc, char **argv, int *at, const char **missing)
{
    const size_t length = strlen(name);
    if (strncmp(argv[*at], name, length) != 0)
        return NULL;
    if (argv[*at][length] == '=')
        return argv[*at] + length + 1;
    if (argv[*at][length] != '\0')
        return NULL;
    if (*at + 1 < argc)
        return argv[++*at];
    *missing = name;
    return "";
}
