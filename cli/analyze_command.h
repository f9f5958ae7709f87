/* The program's main errand: analyse files and write their results. */
#ifndef CLI_ANALYZE_COMMAND_H
#define CLI_ANALYZE_COMMAND_H

/* Takes the arguments after the options were found to be no other command; returns the exit
 * status. */
int analyze_command(int argc, char **argv);

#endif
