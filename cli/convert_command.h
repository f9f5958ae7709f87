/* allin1 convert --format LIST RESULT.json...: results in the formats of other programs. */
#ifndef CLI_CONVERT_COMMAND_H
#define CLI_CONVERT_COMMAND_H

/* argv[0] is "convert"; returns the exit status. */
int convert_command(int argc, char **argv);

#endif
