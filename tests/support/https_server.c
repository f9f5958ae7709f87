#include "support/https_server.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "support/golden.h"
#include "support/sandbox.h"

static pid_t server;
static int port;
static char certificate[1024];

static int run(char *const *arguments)
{
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        const int nothing = open("/dev/null", O_RDWR);
        dup2(nothing, 0);
        dup2(nothing, 1);
        dup2(nothing, 2);
        execvp(arguments[0], arguments);
        _exit(127);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void make_certificate(const char *key)
{
    const char *const arguments[] = {
        "openssl",  "req",           "-x509",   "-newkey",
        "rsa:2048", "-nodes",        "-keyout", key,
        "-out",     certificate,     "-days",   "2",
        "-subj",    "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
        NULL};
    const int status = run((char *const *)(uintptr_t)arguments);
    if (status == 127) {
        print_message("[ NOTE     ] skipped: there is no openssl program\n");
        sandbox_remove();
        skip();
    }
    assert_int_equal(status, 0);
}

/* "ACCEPT 127.0.0.1:40123" is the first thing that the server says. */
static void read_port(int from)
{
    char text[512] = "";
    size_t used = 0;
    while (used < sizeof text - 1) {
        const ssize_t got = read(from, text + used, 1);
        if (got <= 0)
            fail_msg("openssl s_server did not start: %s", text);
        text[++used] = '\0';
        const char *found = strstr(text, "ACCEPT ");
        if (found && text[used - 1] == '\n') {
            const char *colon = strrchr(text, ':');
            port = colon ? atoi(colon + 1) : 0;
            if (port > 0)
                return;
        }
    }
    fail_msg("openssl s_server named no port: %s", text);
}

void https_start(void)
{
    const char *key = sandbox_path("key.pem");
    snprintf(certificate, sizeof certificate, "%s", sandbox_path("certificate.pem"));
    sandbox_folder("www");
    const char *folder = sandbox_path("www");
    make_certificate(key);
    int out[2];
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    server = fork();
    assert_true(server >= 0);
    if (server == 0) {
        const int nothing = open("/dev/null", O_RDWR);
        dup2(nothing, 0);
        dup2(out[1], 1);
        dup2(nothing, 2);
        if (chdir(folder) == 0)
            execlp("openssl", "openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", certificate,
                   "-key", key, "-HTTP", (char *)NULL);
        _exit(127);
    }
    close(out[1]);
    read_port(out[0]);
    /* Kept open: the server goes on writing to it. */
    fcntl(out[0], F_SETFL, O_NONBLOCK);
}

void https_stop(void)
{
    if (server > 0) {
        kill(server, SIGKILL);
        waitpid(server, NULL, 0);
    }
    server = 0;
}

void https_serve(const char *name, const char *status, const char *headers, const void *body,
                 size_t size, size_t announced)
{
    char path[512];
    snprintf(path, sizeof path, "www/%s", name);
    FILE *file = fopen(sandbox_path("%s", path), "wb");
    assert_non_null(file);
    fprintf(file, "HTTP/1.1 %s\r\nContent-Length: %zu\r\nConnection: close\r\n%s\r\n", status,
            announced, headers);
    assert_int_equal(fwrite(body, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

void https_serve_file(const char *name, const void *body, size_t size)
{
    https_serve(name, "200 OK", "", body, size, size);
}

const char *https_url(const char *name)
{
    static char urls[4][512];
    static unsigned next;
    char *url = urls[next++ % 4];
    snprintf(url, sizeof urls[0], "https://localhost:%d/%s", port, name);
    return url;
}

const char *https_ca_file(void)
{
    return certificate;
}
