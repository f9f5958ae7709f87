/* What to call an option that getopt does not know. */
#ifndef CLI_BAD_OPTION_H
#define CLI_BAD_OPTION_H

/* After getopt_long has returned '?': the word as it was given, or "-x" where it is the letter x of
 * several in one word. Valid until the next call. */
const char *bad_option(char *const *argv);

#endif
