/* Shared libraries that are loaded when they are first needed, not with the program: FFmpeg alone
 * brings a hundred others along, which `allin1 show` has no use for.
 *
 * The functions of a library are the members of one table of pointers, filled by name:
 *
 *     #define CALLS(X) X(sound_open) X(sound_close)
 *     static struct { CALLS(A1_SHARED_MEMBER) } sound;
 *     static const a1_shared_function sound_functions[] = {CALLS(A1_SHARED_FUNCTION)};
 *
 * where A1_SHARED_TABLE is the table's type. Types and constants are those of the library's headers,
 * so that the compiler checks the calls as if the library were linked. */
#ifndef A1_BASE_SHARED_LIBRARY_H
#define A1_BASE_SHARED_LIBRARY_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

#define A1_SHARED_MEMBER(function) __typeof__(function) *function;
#define A1_SHARED_FUNCTION(function) {#function, offsetof(A1_SHARED_TABLE, function)},

/* The file of a library's major version, a string, as the system's loader names it. */
#if defined(__APPLE__)
#define A1_SHARED_FILE(name, major) "lib" name "." major ".dylib"
#else
#define A1_SHARED_FILE(name, major) "lib" name ".so." major
#endif

typedef struct a1_shared_function {
    const char *name;
    size_t at; /* of its pointer in the table, bytes */
} a1_shared_function;

typedef struct a1_shared_library {
    const char *file;   /* A1_SHARED_FILE(...) */
    const char *folder; /* where the build found it: tried after the loader's own search; or NULL */
    const a1_shared_function *functions;
    size_t count;
} a1_shared_library;

/* Libraries that are loaded together; static storage, `lock` and `loaded` initialised with
 * PTHREAD_MUTEX_INITIALIZER and false. */
typedef struct a1_shared_group {
    const char *what; /* for messages: "FFmpeg's libraries" */
    const a1_shared_library *libraries;
    size_t count;
    void *table;
    pthread_mutex_t lock;
    atomic_bool loaded;
} a1_shared_group;

/* Loads the libraries and fills the table, once; afterwards it costs one comparison. The libraries
 * stay until the process ends. ALLIN1_ERROR_UNSUPPORTED names the library and the loader's reason, or
 * the function that it lacks; the next call tries again. Thread-safe. */
allin1_status a1_shared_load(a1_shared_group *group, a1_error *err);

#endif
