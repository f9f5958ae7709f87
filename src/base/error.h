/* Errors: a status and one sentence for a person, filled in where the failure is seen.
 *
 * Every function that can fail returns an allin1_status and takes an a1_error (may be NULL). The
 * sentence names the file, the place and the reason. Nothing here prints. */
#ifndef A1_BASE_ERROR_H
#define A1_BASE_ERROR_H

#include <allin1/status.h>

typedef struct a1_error {
    allin1_status status;
    char message[1024];
} a1_error;

/* Records a failure and returns `status`, so that `return a1_fail(err, ...)` is the idiom. A message
 * that is too long is cut with "...". `err` may be NULL. */
allin1_status a1_fail(a1_error *err, allin1_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts "prefix: " before the message that `err` already holds; returns its status. */
allin1_status a1_fail_prefix(a1_error *err, allin1_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The usual "out of memory" failure; `what` says what the memory was for. */
allin1_status a1_fail_memory(a1_error *err, const char *what);

/* Returns early with the status of a failed call. */
#define A1_TRY(call)                                                                               \
    do {                                                                                           \
        allin1_status a1_try_status_ = (call);                                                     \
        if (a1_try_status_ != ALLIN1_OK)                                                           \
            return a1_try_status_;                                                                 \
    } while (0)

/* The same for functions with one clean-up path: needs a variable `status` and a label `done`. */
#define A1_CHECK(call)                                                                             \
    do {                                                                                           \
        status = (call);                                                                           \
        if (status != ALLIN1_OK)                                                                   \
            goto done;                                                                             \
    } while (0)

#endif
