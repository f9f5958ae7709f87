/* Making sure that a model file is there. */
#ifndef A1_WEIGHTS_FETCH_H
#define A1_WEIGHTS_FETCH_H

#include <stdbool.h>
#include <stddef.h>

#include <allin1/models.h>

#include "base/threads.h"
#include "weights/weights.h"

#define A1_MAX_UNREACHABLE 8

/* What several fetches in a row share. */
typedef struct a1_fetch_session {
    const allin1_models_settings *settings;
    a1_pool *pool;
    char destination[A1_PATH_ROOM]; /* settings->weights_dir or the user's cache */
    char scratch[A1_PATH_ROOM];     /* "" until something has to be written */
    /* Hosts that did not answer: they are not asked again, so that a machine without a network is
     * done within seconds. */
    char unreachable[A1_MAX_UNREACHABLE][256];
    size_t unreachable_count;
} a1_fetch_session;

allin1_status a1_fetch_begin(a1_fetch_session *session, const allin1_models_settings *settings,
                             a1_error *err);
/* Removes what is left of the work; safe on a zeroed session. */
void a1_fetch_end(a1_fetch_session *session);

/* Finds, converts or fetches one file; afterwards a verified .a1w file of it is at `path`.
 * `message` says in one line what was done. */
allin1_status a1_fetch_file(a1_fetch_session *session, const a1_model_file *file,
                            char path[A1_PATH_ROOM], char message[1024], a1_error *err);

#endif
