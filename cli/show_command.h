/* allin1 show RESULT.json...: the structure of a song as text. */
#ifndef CLI_SHOW_COMMAND_H
#define CLI_SHOW_COMMAND_H

/* argv[0] is "show"; returns the exit status. */
int show_command(int argc, char **argv);

#endif
