#include "support/sandbox.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "support/files.h"
#include "support/golden.h"

#define PATHS 16
#define TIMEOUT_SECONDS 900

static char folder[256];

const char *sandbox_make(void)
{
    const char *base = getenv("TMPDIR");
    assert_true(folder[0] == '\0');
    snprintf(folder, sizeof folder, "%s/allin1-test-XXXXXX", base && *base ? base : "/tmp");
    assert_non_null(mkdtemp(folder));
    return folder;
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
    (void)info;
    (void)walk;
    return kind == FTW_DP || kind == FTW_DNR ? rmdir(path) : unlink(path);
}

static int open_entry(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
    (void)info;
    (void)walk;
    return kind == FTW_D || kind == FTW_DNR ? chmod(path, 0700) : 0;
}

void sandbox_remove(void)
{
    if (folder[0]) {
        nftw(folder, open_entry, 16, FTW_PHYS); /* folders that a test has locked */
        nftw(folder, remove_entry, 16, FTW_PHYS | FTW_DEPTH);
    }
    folder[0] = '\0';
}

int sandbox_set_up(void **state)
{
    (void)state;
    sandbox_make();
    return 0;
}

int sandbox_clean_up(void **state)
{
    (void)state;
    sandbox_remove();
    return 0;
}

const char *sandbox_path(const char *format, ...)
{
    static char paths[PATHS][1024];
    static unsigned next;
    char *path = paths[next++ % PATHS];
    const int lead = snprintf(path, sizeof paths[0], "%s/", folder);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(path + lead, sizeof paths[0] - (size_t)lead, format, arguments);
    va_end(arguments);
    return path;
}

bool sandbox_has(const char *name)
{
    struct stat info;
    return lstat(sandbox_path("%s", name), &info) == 0;
}

void sandbox_folder(const char *name)
{
    if (mkdir(sandbox_path("%s", name), 0777) != 0)
        fail_msg("%s: %s", name, strerror(errno));
}

void sandbox_write(const char *name, const void *bytes, size_t size)
{
    test_write_bytes(sandbox_path("%s", name), bytes, size);
}

char *sandbox_read(const char *name, size_t *size)
{
    return (char *)test_read_bytes(sandbox_path("%s", name), size);
}

static int visible(const struct dirent *entry)
{
    return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

char *sandbox_list(const char *name)
{
    struct dirent **entries;
    const int count = scandir(sandbox_path("%s", name), &entries, visible, alphasort);
    char *text = NULL;
    size_t size = 0;
    FILE *list = open_memstream(&text, &size);
    assert_non_null(list);
    for (int i = 0; i < count; i++) {
        fprintf(list, "%s%s", i ? " " : "", entries[i]->d_name);
        free(entries[i]);
    }
    fclose(list);
    if (count >= 0)
        free(entries);
    return text;
}

/* Running ---------------------------------------------------------------------------------------- */

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static void set_environment(const program_setting *setting)
{
    setenv("HOME", folder, 1);
    setenv("XDG_CACHE_HOME", sandbox_path("cache"), 1);
    setenv("TERM", "dumb", 1);
    setenv("LC_ALL", "C.UTF-8", 1);
    unsetenv("ALLIN1_WEIGHTS");
    unsetenv("NO_COLOR");
    unsetenv("COLUMNS");
    for (size_t i = 0; setting->environment && setting->environment[i]; i++)
        putenv((char *)(uintptr_t)setting->environment[i]);
}

/* In the child: never returns. */
static void become_program(const char *program, const program_setting *setting,
                           const char *const *arguments, const int out[2], const int err[2])
{
    const char *words[64] = {program};
    for (size_t i = 0; arguments[i] && i < 62; i++)
        words[i + 1] = arguments[i];
    set_environment(setting);
    if (chdir(folder) != 0)
        _exit(126);
    dup2(out[1], 1);
    dup2(err[1], 2);
    const int nothing = open("/dev/null", O_RDONLY);
    dup2(nothing, 0);
    for (int descriptor = 3; descriptor < 64; descriptor++)
        close(descriptor);
    if (setting->output_device)
        dup2(open(setting->output_device, O_WRONLY), 1);
    if (setting->no_output)
        close(1);
    if (setting->file_size_limit) {
        const struct rlimit limit = {setting->file_size_limit, setting->file_size_limit};
        setrlimit(RLIMIT_FSIZE, &limit);
    }
    execv(program, (char *const *)(uintptr_t)words);
    _exit(127);
}

/* A terminal instead of a pipe: [0] is read by the test, [1] written by the program. */
static void open_terminal(int ends[2])
{
    const struct winsize size = {.ws_row = 25, .ws_col = 100};
    ends[0] = posix_openpt(O_RDWR | O_NOCTTY);
    assert_true(ends[0] >= 0);
    assert_int_equal(grantpt(ends[0]), 0);
    assert_int_equal(unlockpt(ends[0]), 0);
    ends[1] = open(ptsname(ends[0]), O_RDWR | O_NOCTTY);
    assert_true(ends[1] >= 0);
    assert_int_equal(ioctl(ends[1], TIOCSWINSZ, &size), 0);
}

static void open_channel(int ends[2], bool terminal)
{
    if (terminal)
        open_terminal(ends);
    else
        assert_int_equal(pipe(ends), 0);
}

/* Reads both pipes until they are closed. */
static void collect(pid_t child, const program_setting *setting, int out, int err,
                    program_outcome *outcome)
{
    struct pollfd pipes[2] = {{.fd = out, .events = POLLIN}, {.fd = err, .events = POLLIN}};
    char *text[2];
    size_t size[2];
    FILE *to[2] = {open_memstream(&text[0], &size[0]), open_memstream(&text[1], &size[1])};
    const double start = now();
    bool sent = false;
    while (pipes[0].fd >= 0 || pipes[1].fd >= 0) {
        poll(pipes, 2, 20);
        const double spent = now() - start;
        if (setting->interrupt_after_ms && !sent && spent * 1000 > setting->interrupt_after_ms) {
            kill(child, SIGINT);
            sent = true;
        }
        if (spent > TIMEOUT_SECONDS)
            kill(child, SIGKILL);
        for (int i = 0; i < 2; i++) {
            char part[4096];
            if (pipes[i].fd < 0 || !(pipes[i].revents & (POLLIN | POLLHUP | POLLERR)))
                continue;
            const ssize_t got = read(pipes[i].fd, part, sizeof part);
            if (got > 0)
                fwrite(part, 1, (size_t)got, to[i]);
            else if (got == 0 || errno != EINTR) /* a terminal ends with EIO */
                pipes[i].fd = -1;
            if (got > 0 && i == 1 && setting->interrupt_at && !sent) {
                fflush(to[1]);
                sent = strstr(text[1], setting->interrupt_at) != NULL;
                if (sent)
                    kill(child, SIGINT);
            }
        }
    }
    fclose(to[0]);
    fclose(to[1]);
    outcome->out = text[0];
    outcome->out_size = size[0];
    outcome->err = text[1];
}

program_outcome program_run(const program_setting *setting, const char *const *arguments)
{
    static const program_setting usual;
    program_outcome outcome = {0};
    const char *program = getenv("ALLIN1_PROGRAM");
    if (!program || access(program, X_OK) != 0) {
        print_message("$ALLIN1_PROGRAM does not name the program\n");
        skip();
    }
    if (!setting)
        setting = &usual;
    int out[2], err[2], wait_status;
    open_channel(out, setting->output_terminal);
    open_channel(err, setting->terminal);
    fflush(NULL);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        become_program(program, setting, arguments, out, err);
    close(out[1]);
    close(err[1]);
    if (setting->broken_output) {
        close(out[0]);
        out[0] = open("/dev/null", O_RDONLY);
    }
    collect(child, setting, out[0], err[0], &outcome);
    close(out[0]);
    close(err[0]);
    assert_int_equal(waitpid(child, &wait_status, 0), child);
    outcome.status = WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 128 + WTERMSIG(wait_status);
    return outcome;
}

void program_free(program_outcome *outcome)
{
    free(outcome->out);
    free(outcome->err);
    *outcome = (program_outcome){0};
}

void program_expect(const program_outcome *outcome, int status)
{
    if (outcome->status != status)
        fail_msg("exit status %d instead of %d\n--- standard output\n%.2000s\n--- standard error\n"
                 "%.4000s",
                 outcome->status, status, outcome->out, outcome->err);
}

void expect_run(program_outcome run, int status, const char *words)
{
    program_expect(&run, status);
    if (words)
        expect_text(run.err, words);
    program_free(&run);
}

void expect_refused(program_outcome run, const char *reason)
{
    program_expect(&run, 2);
    expect_text(run.err, reason);
    expect_text(run.err, "--help");
    assert_string_equal(run.out, "");
    program_free(&run);
    assert_false(sandbox_has("struct"));
}

void expect_text(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("\"%s\" is missing in:\n%.4000s", part, text);
}

void expect_no_text(const char *text, const char *part)
{
    if (strstr(text, part))
        fail_msg("\"%s\" should not be in:\n%.4000s", part, text);
}

void expect_list(const char *name, const char *expected)
{
    char *names = sandbox_list(name);
    if (strcmp(names, expected) != 0)
        fail_msg("%s holds \"%s\", expected \"%s\"", name, names, expected);
    free(names);
}

sandbox_stderr sandbox_hide_stderr(void)
{
    fflush(stderr);
    const sandbox_stderr hidden = {
        .saved = dup(2), .file = open(sandbox_path("stderr"), O_RDWR | O_CREAT | O_TRUNC, 0600)};
    assert_true(hidden.saved >= 0 && hidden.file >= 0);
    dup2(hidden.file, 2);
    return hidden;
}

void sandbox_show_stderr(sandbox_stderr hidden, const char *what)
{
    dup2(hidden.saved, 2);
    close(hidden.saved);
    const off_t written = lseek(hidden.file, 0, SEEK_END);
    if (written != 0) {
        char text[400] = "";
        if (pread(hidden.file, text, sizeof text - 1, 0) < 0)
            text[0] = '\0';
        fail_msg("%s: %ld bytes were printed: %s", what, (long)written, text);
    }
    close(hidden.file);
}
