/* One file over https. */
#ifndef A1_WEIGHTS_DOWNLOAD_H
#define A1_WEIGHTS_DOWNLOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/* Other than 0 cancels. `total` is 0 when unknown. */
typedef int (*a1_transfer_fn)(void *user, const char *what, uint64_t done, uint64_t total);

typedef struct a1_download {
    const char *url;     /* https only, also after redirections */
    const char *path;    /* file to create */
    const char *what;    /* name for the progress function */
    uint64_t max_bytes;  /* a longer answer is an error */
    const char *ca_file; /* NULL: the system's certificates */
    a1_transfer_fn progress;
    void *user;
} a1_download;

/* ALLIN1_ERROR_DOWNLOAD with the reason; ALLIN1_ERROR_CANCELLED; ALLIN1_ERROR_IO when the file
 * cannot be written. Nothing is left under `path` on failure. *unreachable says that the host could
 * not be found or did not answer, so that asking it for another file is pointless. Gives up on
 * connecting after 8 seconds, on a stalled transfer after 30. */
allin1_status a1_download_file(const a1_download *download, bool *unreachable, a1_error *err);

#endif
