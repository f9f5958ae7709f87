/* A folder of its own for a test, and the program run in it. */
#ifndef TEST_SUPPORT_SANDBOX_H
#define TEST_SUPPORT_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>

/* Makes a new, empty folder; one at a time. Its removal with all that is in it. */
const char *sandbox_make(void);
void sandbox_remove(void);

/* The same as cmocka calls them around a test or a group. */
int sandbox_set_up(void **state);
int sandbox_clean_up(void **state);

/* "<sandbox>/<name>" in static storage that 15 further calls leave alone. */
const char *sandbox_path(const char *format, ...) __attribute__((format(printf, 1, 2)));

bool sandbox_has(const char *name);
void sandbox_folder(const char *name);
void sandbox_write(const char *name, const void *bytes, size_t size);
/* The whole file with a zero after it, freed by the caller; fails the test when it is not there. */
char *sandbox_read(const char *name, size_t *size);
/* Names in a folder of the sandbox, hidden ones too, sorted, joined by spaces; freed by the caller. */
char *sandbox_list(const char *name);
/* Fails unless that list is `expected`. */
void expect_list(const char *name, const char *expected);

/* How the program is run. A zeroed struct: as a user would, standard output and error captured. */
typedef struct program_setting {
    const char *const *environment; /* "NAME=value" besides the usual, ended by NULL; or NULL */
    size_t file_size_limit;         /* bytes, as a full disk in miniature; 0: none */
    bool no_output;                 /* standard output is closed */
    bool broken_output;             /* nobody reads standard output */
    const char *output_device;      /* standard output goes there, for example /dev/full */
    bool terminal;                  /* standard error is a terminal of 100 columns */
    bool output_terminal;           /* standard output is one */
    int interrupt_after_ms;         /* send SIGINT then; 0: never */
    const char *interrupt_at;       /* send SIGINT when standard error says this; NULL: never */
} program_setting;

typedef struct program_outcome {
    int status; /* exit status, or 128 plus the signal */
    char *out, *err;
    size_t out_size;
} program_outcome;

/* Runs $ALLIN1_PROGRAM with these arguments (ended by NULL; the program's name is added) in the
 * sandbox. HOME, XDG_CACHE_HOME and ALLIN1_WEIGHTS point into the sandbox, so that no weights of this
 * machine are found by chance. Skips the test when there is no program. */
program_outcome program_run(const program_setting *setting, const char *const *arguments);
void program_free(program_outcome *outcome);

#define RUN(...) program_run(NULL, (const char *const[]){__VA_ARGS__, NULL})

/* Fails the test unless the exit status is `status`, showing what the program said. */
void program_expect(const program_outcome *outcome, int status);
/* Likewise, and unless the error stream holds `words`, which may be NULL; frees the outcome. */
void expect_run(program_outcome run, int status, const char *words);
/* Likewise for wrong usage: the reason and where to read on, nothing on standard output, no results. */
void expect_refused(program_outcome run, const char *reason);
#define EXPECT_REFUSED(reason, ...) expect_refused(RUN(__VA_ARGS__), reason)
/* Fails unless `text` holds `part`. */
void expect_text(const char *text, const char *part);
void expect_no_text(const char *text, const char *part);

/* Standard error, while it goes into a file in the sandbox. */
typedef struct sandbox_stderr {
    int saved, file;
} sandbox_stderr;

sandbox_stderr sandbox_hide_stderr(void);

/* Gives it back. Fails the test, with `what` and the words, when something was printed. */
void sandbox_show_stderr(sandbox_stderr hidden, const char *what);

#endif
