/* make_tiny_model FOLDER: writes tiny-htdemucs.a1w, tiny-harmonix.a1w and tiny-student.a1w, small
 * models of random numbers with which the whole program can be run without fetching anything. */
#include <stdio.h>

#include "support/tiny_model.h"

int main(int argc, char **argv)
{
    a1_error err = {0};
    if (argc != 2) {
        fprintf(stderr, "Usage: %s FOLDER\n", argv[0]);
        return 2;
    }
    if (test_write_tiny_models(argv[1], &err) != ALLIN1_OK) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    return 0;
}
