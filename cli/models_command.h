/* allin1 models list | show | fetch | verify | path: the weights on this machine. */
#ifndef CLI_MODELS_COMMAND_H
#define CLI_MODELS_COMMAND_H

/* argv[0] is "models"; returns the exit status: 0 all is well, 1 something failed, 2 wrong usage,
 * 3 weights are missing or damaged, 130 interrupted. */
int models_command(int argc, char **argv);

#endif
