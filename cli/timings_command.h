/* allin1 timings show | compare: what the stages cost, and why two measurements differ. */
#ifndef CLI_TIMINGS_COMMAND_H
#define CLI_TIMINGS_COMMAND_H

/* argv[0] is "timings"; returns the exit status: 0 all is well, 1 an expectation was missed or a
 * file cannot be read, 2 wrong usage. */
int timings_command(int argc, char **argv);

#endif
