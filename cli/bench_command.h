/* allin1 bench FILE...: what an analysis costs, and whether other options cost less. */
#ifndef CLI_BENCH_COMMAND_H
#define CLI_BENCH_COMMAND_H

/* argv[0] is "bench"; returns the exit status: 0 all is well, 1 an expectation was missed or
 * something failed, 2 wrong usage, 3 weights are missing or damaged, 130 interrupted. */
int bench_command(int argc, char **argv);

#endif
