/* Ready stems of a song, given by the caller. */
#ifndef A1_GIVEN_STEMS_H
#define A1_GIVEN_STEMS_H

#include "analysis.h"
#include "output/file_hash.h"

/* Adds the content of the stems' files to a digest. */
allin1_status a1_hash_given_stems(const char *path, const allin1_request *request, a1_hash *hash,
                                  a1_error *err);

/* Fills analysis->stems, ->samples and the result's stems_mode. */
allin1_status a1_load_given_stems(a1_analysis *analysis, a1_error *err);

#endif
