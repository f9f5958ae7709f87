#include "bad_option.h"

#include <getopt.h>
#include <stdbool.h>
#include <string.h>

const char *bad_option(char *const *argv)
{
    static char letter[3] = "-";
    const char *passed = argv[optind - 1]; /* the last word that getopt is done with */
    const char *word = argv[optind];       /* of which it may have seen the first letters only */
    if (optopt <= ' ' || optopt > '~')
        return passed; /* a long option */
    const bool in_word = word && word[0] == '-' && word[1] != '-' && strchr(word, optopt);
    if (!in_word && strncmp(passed, "--", 2) == 0)
        return passed; /* one that takes no value and got one */
    letter[1] = (char)optopt;
    return letter;
}
