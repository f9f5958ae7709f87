/* allin1 eval REF EST: how well results agree with annotations. */
#ifndef CLI_EVAL_COMMAND_H
#define CLI_EVAL_COMMAND_H

/* argv[0] is "eval"; returns the exit status. */
int eval_command(int argc, char **argv);

#endif
