/* Interrupt and termination, noticed where the work can stop. */
#ifndef CLI_INTERRUPT_H
#define CLI_INTERRUPT_H

/* From now on SIGINT and SIGTERM are only noted; the second of its kind ends the program at once. */
void interrupt_watch(void);

/* The signal that came; 0 while there was none. */
int interrupted(void);

#endif
