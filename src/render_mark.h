/* What a picture or sound was made from, in the file itself. */
#ifndef A1_RENDER_MARK_H
#define A1_RENDER_MARK_H

#include <stdbool.h>

#include <allin1/allin1.h>

#include "output/file_hash.h"

#define A1_MARK_START "allin1-made-from:"
#define A1_MARK_SIZE (sizeof A1_MARK_START + A1_SHA256_HEX)

/* Starts with all of a result that is seen or heard; what else decides the file is added with
 * a1_hash_add and a1_hash_format. */
allin1_status a1_mark_begin(a1_hash **hash, const allin1_result *result, a1_error *err);
allin1_status a1_mark_end(a1_hash **hash, char mark[A1_MARK_SIZE], a1_error *err);

/* Looks into the file: *current when it carries `mark`. A file with no mark of this program that is
 * not empty is an ALLIN1_ERROR_IO; one that is not there is only not current. */
allin1_status a1_mark_check(const char *path, const char *mark, bool *current, a1_error *err);

#endif
