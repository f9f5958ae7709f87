/* Figures, pages and sounds of results. */
#ifndef CLI_RENDER_OUTPUTS_H
#define CLI_RENDER_OUTPUTS_H

#include <allin1/render.h>

#include "options.h"

/* Whether the options ask for any of it. */
bool renders_anything(const options *o);

/* Makes what the options ask for, as far as it is not there already, and says so. `name` is the
 * result's name without a suffix; `path` the input as it was given. The song is added to `index`, which
 * may be NULL, when it got a page. */
allin1_status render_outputs(allin1_context *context, const options *o, const allin1_result *result,
                             const char *path, const char *name, allin1_index *index,
                             allin1_error *error);

/* The index of the pages that were added. */
allin1_status render_index(allin1_context *context, const options *o, const allin1_index *index,
                           allin1_error *error);

#endif
