/* Options of a command that takes its words one by one, since getopt would not know the others. */
#ifndef CLI_OPTION_VALUE_H
#define CLI_OPTION_VALUE_H

/* The value of the option `name` ("--runs") at argv[*at], attached by "=" or the next word, to which *at moves;
 * NULL when argv[*at] is another word. Where there is none it is "", and *missing becomes `name`. */
const char *option_value(const char *name, int argc, char **argv, int *at, const char **missing);

#endif
