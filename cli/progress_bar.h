/* Progress on the error stream: a bar on a terminal, else a line for each stage. */
#ifndef CLI_PROGRESS_BAR_H
#define CLI_PROGRESS_BAR_H

#include <allin1/allin1.h>

#include <stdbool.h>

/* Decides how to show it; `quiet` shows nothing. */
void progress_bar_start(bool quiet);

/* A new input begins: the `index`-th (from 1) of `count`. `name` is borrowed until the end. */
void progress_bar_input(const char *name, int index, int count);

/* What the library reports. */
void progress_bar_update(const allin1_progress *progress);

/* Takes the bar off the screen. */
void progress_bar_end(void);

#endif
