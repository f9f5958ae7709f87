/* What the program says on its error stream. All messages go through here, so that a progress bar is
 * cleared before and drawn again after them. */
#ifndef CLI_MESSAGES_H
#define CLI_MESSAGES_H

#include <stdbool.h>

/* "allin1: ..." always. */
void message_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Always, without the program's name. */
void message_plain(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Unless quiet. */
void message_note(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Only when verbose. */
void message_detail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* -1 quiet, 0 normal, 1 verbose; default 0. */
void message_set_level(int level);

/* Called around each message; NULL for none. */
void message_set_hooks(void (*before)(void), void (*after)(void));

#endif
