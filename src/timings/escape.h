/* How the reports protect characters that mean something to a reader of HTML, Markdown or a shell.
 */
#ifndef A1_TIMINGS_ESCAPE_H
#define A1_TIMINGS_ESCAPE_H

#include "base/text.h"

/* With &, <, > and quotes as HTML needs them. */
void a1_text_html(a1_text *text, const char *bytes);
/* With what Markdown takes for its own escaped. */
void a1_text_markdown(a1_text *text, const char *bytes);
/* As one word of a shell's command line: in quotes where that is needed. */
void a1_text_shell(a1_text *text, const char *word);

#endif
