/* Which result belongs to which input, so that none overwrites another's. */
#ifndef CLI_RESULT_NAMES_H
#define CLI_RESULT_NAMES_H

#include <stdbool.h>

/* One input and the place of its result. */
typedef struct named_input {
    const char *path; /* as it was given */
    char *resolved;   /* absolute, links resolved; NULL when that failed */
    int same_as;      /* index of an earlier input that is the same file, or -1 */
    char *name;       /* "song" or "song-2": the result is <out_dir>/<name>.json */
    int nameless;     /* an errno, why there can be no name, such as ENAMETOOLONG; or 0 */
    bool damaged;     /* the file of that name is a broken result, to be replaced */
} named_input;

/* Resolves all paths and gives each input a name:
 *
 * - its file name without the last suffix, when the result of that name in `out_dir` is its own (made
 *   from the same path), is a broken result, or does not exist;
 * - else with -2, -3, ... : the one that is its own, or the first that is free. A file that is no
 *   result is never free.
 *
 * First every input gets the result that it owns; then, in order, the others get what is free, plain
 * names before numbers. Where the system does not tell what is there, the input has no name and the
 * reason. With `out_dir` NULL only the inputs of this run are told apart. False when
 * memory ran out. */
bool name_results(named_input *inputs, int count, const char *out_dir);

void free_names(named_input *inputs, int count);

#endif
