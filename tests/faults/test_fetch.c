/* Fetching: over https from a server of our own, through a client that stands in for npm, from
 * files; and every way in which that goes wrong. Nothing half may ever be left. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <allin1/models.h>

#include "base/timer.h"
#include "support/golden.h"
#include "support/https_server.h"
#include "support/sandbox.h"
#include "support/weight_files.h"
#include "weights/built_in.h"
#include "weights/digest.h"
#include "weights/download.h"
#include "weights/npm_pack.h"
#include "weights/scratch.h"

static void make_place(void)
{
    sandbox_make();
    setenv("HOME", sandbox_path("home"), 1);
    setenv("XDG_CACHE_HOME", sandbox_path("cache"), 1);
    unsetenv("ALLIN1_WEIGHTS");
    unsetenv("ALLIN1_CA_FILE");
    /* A proxy of this machine would come between us and our own server. */
    setenv("no_proxy", "localhost,127.0.0.1", 1);
}

static void end_place(void)
{
    https_stop();
    sandbox_remove();
}

/* ------------------------------------------------------------------------------------------------
 * Downloads */

typedef struct watch {
    uint64_t last, total;
    unsigned calls;
    int cancel; /* after the first bytes */
} watch;

static int on_progress(void *user, const char *what, uint64_t done, uint64_t total)
{
    watch *w = user;
    assert_string_equal(what, "file");
    assert_true(done >= w->last);
    w->last = done;
    w->total = total;
    w->calls++;
    return w->cancel;
}

static allin1_status download(const char *url, uint64_t max_bytes, const char *ca_file, watch *w,
                              bool *unreachable, a1_error *err)
{
    const a1_download wanted = {.url = url,
                                .path = sandbox_path("out"),
                                .what = "file",
                                .max_bytes = max_bytes,
                                .ca_file = ca_file,
                                .progress = w ? on_progress : NULL,
                                .user = w};
    return a1_download_file(&wanted, unreachable, err);
}

static void expect_failure(const char *url, const char *ca_file, uint64_t max_bytes,
                           allin1_status expected, const char *word, bool expect_unreachable)
{
    a1_error err = {0};
    bool unreachable;
    const allin1_status status = download(url, max_bytes, ca_file, NULL, &unreachable, &err);
    if (status != expected || !strstr(err.message, word))
        fail_msg("%s: status %d, \"%s\"; expected %d and \"%s\"", url, (int)status, err.message,
                 (int)expected, word);
    assert_int_equal(unreachable, expect_unreachable);
    assert_false(sandbox_has("out"));
}

static void test_downloads(void **state)
{
    (void)state;
    a1_error err = {0};
    bool unreachable;
    enum { SIZE = 300000 };
    static unsigned char body[SIZE];
    uint64_t random = 5;
    for (size_t i = 0; i < SIZE; i++)
        body[i] = (unsigned char)(int)(128 * test_random(&random) + 128);
    make_place();
    https_start();
    https_serve_file("good", body, SIZE);
    https_serve("moved", "302 Found", "Location: /good\r\n", "", 0, 0);
    char line[256];
    snprintf(line, sizeof line, "Location: http%s\r\n", https_url("good") + strlen("https"));
    https_serve("insecure", "302 Found", line, "", 0, 0);
    https_serve("file-link", "302 Found", "Location: file:///etc/passwd\r\n", "", 0, 0);
    https_serve("circle", "302 Found", "Location: /circle\r\n", "", 0, 0);
    https_serve("gone", "404 Not Found", "", "no", 2, 2);
    https_serve("short", "200 OK", "", body, SIZE / 2, SIZE);
    https_serve("empty", "200 OK", "", "", 0, 0);
    const char *ca = https_ca_file();
    static const char *const good[] = {"good", "moved"};
    for (size_t i = 0; i < 2; i++) {
        watch w = {0};
        if (download(https_url(good[i]), SIZE, ca, &w, &unreachable, &err) != ALLIN1_OK)
            fail_msg("%s", err.message);
        test_bytes out = test_load(sandbox_path("out"));
        assert_int_equal(out.size, SIZE);
        assert_memory_equal(out.data, body, SIZE);
        test_bytes_free(&out);
        assert_true(w.calls > 0);
        assert_int_equal(w.last, SIZE);
        assert_int_equal(w.total, SIZE);
        remove(sandbox_path("out"));
    }
    watch cancel = {.cancel = 1};
    assert_int_equal(download(https_url("good"), SIZE, ca, &cancel, &unreachable, &err),
                     ALLIN1_ERROR_CANCELLED);
    assert_false(sandbox_has("out"));
    assert_int_equal(download(https_url("empty"), SIZE, ca, NULL, &unreachable, &err), ALLIN1_OK);
    remove(sandbox_path("out"));
    const allin1_status failed = ALLIN1_ERROR_DOWNLOAD;
    expect_failure(https_url("gone"), ca, SIZE, failed, "404", false);
    expect_failure(https_url("short"), ca, SIZE, failed, "short", false);
    expect_failure(https_url("good"), ca, SIZE - 1, failed, "more than the expected", false);
    expect_failure(https_url("circle"), ca, SIZE, failed, "redirects", false);
    expect_failure(https_url("insecure"), ca, SIZE, failed, "http", false);
    expect_failure(https_url("file-link"), ca, SIZE, failed, "file", false);
    /* A certificate that nobody vouches for, and one for another name. */
    expect_failure(https_url("good"), NULL, SIZE, failed, "certificate", false);
    snprintf(line, sizeof line, "https://127.0.0.1%s", strrchr(https_url("good"), ':'));
    expect_failure(line, ca, SIZE, failed, "127.0.0.1", false);
    /* Not https at all. */
    snprintf(line, sizeof line, "http%s", https_url("good") + strlen("https"));
    expect_failure(line, ca, SIZE, failed, "http", false);
    expect_failure("file:///etc/passwd", ca, SIZE, failed, "file", false);
    https_stop();
    expect_failure(https_url("good"), ca, SIZE, failed, "localhost", true);
    expect_failure("https://no-such-host.invalid/x", ca, SIZE, failed, "no-such-host", true);
    const a1_download nowhere = {.url = https_url("good"), .path = sandbox_path("no/folder")};
    assert_int_equal(a1_download_file(&nowhere, &unreachable, &err), ALLIN1_ERROR_IO);
    end_place();
}

/* A host that takes the connection and says nothing: given up within seconds, or on demand. */
static void test_silent_host(void **state)
{
    (void)state;
    a1_error err = {0};
    bool unreachable;
    char url[64];
    make_place();
    const int listener = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(listener, 4), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &length), 0);
    snprintf(url, sizeof url, "https://127.0.0.1:%d/x", ntohs(address.sin_port));
    uint64_t start = a1_monotonic_ns();
    watch cancel = {.cancel = 1};
    assert_int_equal(download(url, 100, NULL, &cancel, &unreachable, &err), ALLIN1_ERROR_CANCELLED);
    assert_true(a1_monotonic_ns() - start < UINT64_C(4000000000));
    start = a1_monotonic_ns();
    assert_int_equal(download(url, 100, NULL, NULL, &unreachable, &err), ALLIN1_ERROR_DOWNLOAD);
    assert_true(unreachable);
    /* The limit is eight seconds; the rest is a slow machine. */
    assert_true(a1_monotonic_ns() - start < UINT64_C(20000000000));
    assert_false(sandbox_has("out"));
    close(listener);
    end_place();
}

/* ------------------------------------------------------------------------------------------------
 * Whole models */

typedef struct events {
    size_t good, bad;
    char path[1024], message[1024];
} events;

static void on_event(void *user, const allin1_model_event *event)
{
    events *e = user;
    if (event->status == ALLIN1_OK)
        e->good++;
    else
        e->bad++;
    snprintf(e->path, sizeof e->path, "%s", event->path);
    snprintf(e->message, sizeof e->message, "%s", event->message);
}

static events fetch(const allin1_models_settings *settings, const char *name,
                    allin1_status expected, allin1_error *error)
{
    events e = {0};
    error->message[0] = '\0';
    const allin1_status status = allin1_models_fetch(settings, name, on_event, &e, error);
    if (status != expected)
        fail_msg("fetching %s: status %d, \"%s\"; expected %d", name, (int)status, error->message,
                 (int)expected);
    return e;
}

static test_bytes published(int fold)
{
    char name[64];
    snprintf(name, sizeof name, "weights/harmonix/harmonix-fold%d_mlx.npz", fold);
    return test_load(test_golden(name));
}

static void test_fetch_over_https(void **state)
{
    (void)state;
    allin1_error error;
    test_bytes npz = published(2), other = published(5);
    make_place();
    https_start();
    https_serve_file("harmonix-fold2_mlx.npz", npz.data, npz.size);
    /* A whole file of another fold under this name; and a damaged one. */
    https_serve_file("harmonix-fold3_mlx.npz", other.data, other.size);
    npz.data[npz.size / 2] ^= 4;
    https_serve_file("harmonix-fold4_mlx.npz", npz.data, npz.size);
    allin1_models_settings settings;
    allin1_models_settings_default(&settings);
    settings.from = https_url("");
    settings.ca_file = https_ca_file();
    events e = fetch(&settings, "harmonix-fold2", ALLIN1_OK, &error);
    assert_int_equal(e.good, 1);
    assert_string_equal(e.path, sandbox_path("cache/allin1/harmonix-fold2.a1w"));
    expect_list("cache/allin1", "harmonix-fold2.a1w");
    fetch(&settings, "harmonix-fold3", ALLIN1_ERROR_DOWNLOAD, &error);
    fetch(&settings, "harmonix-fold4", ALLIN1_ERROR_DOWNLOAD, &error);
    expect_text(error.message, "harmonix-fold4_mlx.npz");
    fetch(&settings, "harmonix-fold6", ALLIN1_ERROR_DOWNLOAD, &error);
    expect_list("cache/allin1", "harmonix-fold2.a1w");
    /* The address of the file itself, and the certificate from the environment. */
    settings.from = https_url("harmonix-fold2_mlx.npz");
    settings.ca_file = NULL;
    char mine[1024];
    snprintf(mine, sizeof mine, "%s", sandbox_path("mine/deeper"));
    settings.weights_dir = mine;
    setenv("ALLIN1_CA_FILE", https_ca_file(), 1);
    e = fetch(&settings, "harmonix-fold2", ALLIN1_OK, &error);
    assert_string_equal(e.path, sandbox_path("mine/deeper/harmonix-fold2.a1w"));
    expect_list("mine/deeper", "harmonix-fold2.a1w");
    test_bytes a = test_load(sandbox_path("cache/allin1/harmonix-fold2.a1w"));
    test_bytes b = test_load(sandbox_path("mine/deeper/harmonix-fold2.a1w"));
    assert_int_equal(a.size, b.size);
    assert_memory_equal(a.data, b.data, a.size);
    test_bytes_free(&a);
    test_bytes_free(&b);
    unsetenv("ALLIN1_CA_FILE");
    settings.weights_dir = sandbox_path("third");
    fetch(&settings, "harmonix-fold2", ALLIN1_ERROR_DOWNLOAD, &error);
    expect_text(error.message, "certificate");
    expect_list("third", "");
    settings.from = "http://localhost/";
    fetch(&settings, "harmonix-fold2", ALLIN1_ERROR_ARGUMENT, &error);
    expect_text(error.message, "https");
    test_bytes_free(&npz);
    test_bytes_free(&other);
    end_place();
}

/* From files; conversion of what is found; mending; and what is told. */
static void test_fetch_from_files(void **state)
{
    (void)state;
    allin1_error error;
    allin1_models_settings settings;
    allin1_models_settings_default(&settings);
    char source[1024];
    snprintf(source, sizeof source, "%s", test_golden("weights"));
    make_place();
    /* Found in a published form in another place: converted, and only once. */
    setenv("ALLIN1_WEIGHTS", source, 1);
    events e = fetch(&settings, "harmonix-all", ALLIN1_OK, &error);
    assert_int_equal(e.good, 8);
    expect_text(e.message, "converted from");
    e = fetch(&settings, "harmonix-all", ALLIN1_OK, &error);
    assert_int_equal(e.good, 8);
    assert_string_equal(e.message, "already there");
    unsetenv("ALLIN1_WEIGHTS");
    expect_list("cache/allin1",
                "harmonix-fold0.a1w harmonix-fold1.a1w harmonix-fold2.a1w harmonix-fold3.a1w "
                "harmonix-fold4.a1w harmonix-fold5.a1w harmonix-fold6.a1w harmonix-fold7.a1w");
    events v = {0};
    assert_int_equal(allin1_models_verify(NULL, "harmonix-all", on_event, &v, &error), ALLIN1_OK);
    assert_int_equal(v.good, 8);
    assert_int_equal(allin1_models_path(NULL, "harmonix-all", NULL, NULL, &error), ALLIN1_OK);
    /* Damage: seen by verify, mended by fetch. */
    test_bytes bytes = test_load(sandbox_path("cache/allin1/harmonix-fold6.a1w"));
    bytes.data[bytes.size - 1] ^= 1;
    sandbox_write("cache/allin1/harmonix-fold6.a1w", bytes.data, bytes.size);
    v = (events){0};
    assert_int_equal(allin1_models_verify(NULL, "harmonix-all", on_event, &v, &error),
                     ALLIN1_ERROR_WEIGHTS_DAMAGED);
    assert_int_equal(v.good, 7);
    assert_int_equal(v.bad, 1);
    expect_text(error.message, "harmonix-fold6.a1w");
    expect_text(error.message, "models fetch");
    char file[1200];
    snprintf(file, sizeof file, "%s/harmonix/harmonix-fold6_mlx.npz", source);
    settings.from = file;
    fetch(&settings, "harmonix-fold6", ALLIN1_OK, &error);
    assert_int_equal(allin1_models_verify(NULL, "harmonix-fold6", NULL, NULL, &error), ALLIN1_OK);
    /* The wrong file, no file, a folder without it, a kind that we do not read. */
    fetch(&settings, "harmonix-fold5", ALLIN1_ERROR_WEIGHTS_DAMAGED, &error);
    expect_text(error.message, "not those of this model");
    settings.from = sandbox_path("absent.npz");
    fetch(&settings, "harmonix-fold5", ALLIN1_ERROR_IO, &error);
    sandbox_folder("empty");
    settings.from = sandbox_path("empty");
    fetch(&settings, "harmonix-fold5", ALLIN1_ERROR_WEIGHTS_MISSING, &error);
    sandbox_write("notes.txt", "x", 1);
    settings.from = sandbox_path("notes.txt");
    fetch(&settings, "harmonix-fold5", ALLIN1_ERROR_ARGUMENT, &error);
    fetch(&settings, "harmonix-fold9", ALLIN1_ERROR_ARGUMENT, &error);
    expect_text(error.message, "harmonix-all");
    test_bytes_free(&bytes);
    end_place();
}

static void test_list(void **state)
{
    (void)state;
    allin1_error error;
    make_place();
    events v = {0};
    assert_int_equal(allin1_models_verify(NULL, "htdemucs", on_event, &v, &error),
                     ALLIN1_ERROR_WEIGHTS_MISSING);
    assert_int_equal(v.bad, 1);
    assert_int_equal(allin1_models_path(NULL, "htdemucs", on_event, &v, &error),
                     ALLIN1_ERROR_WEIGHTS_MISSING);
    assert_int_equal(allin1_models_path(NULL, NULL, NULL, NULL, &error), ALLIN1_ERROR_ARGUMENT);
    end_place();
}

static void check_entry(void *user, const allin1_model_entry *entry)
{
    size_t *count = user;
    ++*count;
    assert_true(entry->part_count == (strcmp(entry->name, "harmonix-all") == 0 ? 8 : 1));
    for (size_t i = 0; i < entry->part_count; i++) {
        const allin1_model_part *part = &entry->parts[i];
        const int built_in = strcmp(part->name, "student") == 0;
        const int there = built_in ? a1_size_student_a1w > 0
                                   : strcmp(part->name, "harmonix-fold4") == 0;
        assert_int_equal(part->state, there ? ALLIN1_OK : ALLIN1_ERROR_WEIGHTS_MISSING);
        assert_int_equal(*part->path != '\0', there);
        assert_int_equal(*part->message == '\0', there);
        assert_int_equal(part->source_count > 0, !built_in);
        for (size_t s = 0; s < part->source_count; s++)
            assert_true(*part->sources[s].address != '\0');
    }
}

static void test_listing(void **state)
{
    (void)state;
    allin1_error error;
    size_t count = 0;
    test_bytes npz = published(4);
    make_place();
    sandbox_write("harmonix-fold4_mlx.npz", npz.data, npz.size);
    allin1_models_settings settings;
    allin1_models_settings_default(&settings);
    settings.weights_dir = sandbox_path(".");
    assert_int_equal(allin1_models_list(&settings, check_entry, &count, &error), ALLIN1_OK);
    assert_int_equal(count, 11);
    test_bytes_free(&npz);
    end_place();
}

/* What a killed fetch left behind goes with the next one; what a living process works on stays. */
static void test_leftovers(void **state)
{
    (void)state;
    a1_error err = {0};
    char dead[64], living[64], path[A1_PATH_ROOM];
    make_place();
    sandbox_folder("w");
    const pid_t child = fork();
    if (child == 0)
        _exit(0);
    int status;
    waitpid(child, &status, 0);
    snprintf(dead, sizeof dead, "w/.fetch-%ld-abcdef", (long)child);
    snprintf(living, sizeof living, "w/.fetch-%ld-abcdef", (long)getpid());
    sandbox_folder(dead);
    sandbox_folder(living);
    char inside[128];
    snprintf(inside, sizeof inside, "%s/folder", dead);
    sandbox_folder(inside);
    snprintf(inside, sizeof inside, "%s/folder/file", dead);
    sandbox_write(inside, "x", 1);
    /* A link out of it must not be followed. */
    sandbox_folder("precious");
    sandbox_write("precious/file", "x", 1);
    snprintf(inside, sizeof inside, "%s/link", dead);
    assert_int_equal(symlink(sandbox_path("precious"), sandbox_path("%s", inside)), 0);
    assert_int_equal(a1_scratch_create(path, sandbox_path("w"), &err), ALLIN1_OK);
    assert_false(sandbox_has(dead));
    assert_true(sandbox_has(living));
    assert_true(sandbox_has("precious/file"));
    a1_scratch_remove(path);
    sandbox_write("blocked", "x", 1);
    assert_int_equal(a1_scratch_create(path, sandbox_path("blocked/deep"), &err), ALLIN1_ERROR_IO);
    end_place();
}

/* ------------------------------------------------------------------------------------------------
 * The npm client, played by a shell script */

static const a1_source_file member_source = {.form = A1_FORM_ONNX, .name = "m", .size = 5};
static char integrity[128];

static a1_package make_package(const test_bytes *tarball)
{
    unsigned char digest[A1_SHA512_BYTES];
    assert_int_equal(a1_sha512(tarball->data, tarball->size, digest, NULL), ALLIN1_OK);
    a1_base64(digest, sizeof digest, integrity);
    return (a1_package){.name = "thing@1.2.3",
                        .tarball = "thing-1.2.3.tgz",
                        .tarball_size = tarball->size,
                        .integrity = integrity,
                        .member = "package/m",
                        .source = &member_source};
}

static void make_client(const char *script)
{
    if (!sandbox_has("bin"))
        sandbox_folder("bin");
    sandbox_write("bin/npm", script, strlen(script));
    assert_int_equal(chmod(sandbox_path("bin/npm"), 0755), 0);
}

static int cancel_soon(void *user, const char *what, uint64_t done, uint64_t total)
{
    (void)what;
    assert_true(done <= total);
    return ++*(int *)user > 2;
}

static void test_npm_client(void **state)
{
    (void)state;
    a1_error err = {0};
    char tarball[A1_PATH_ROOM], path[2048];
    const char *before = getenv("PATH");
    char *saved = strdup(before ? before : "/usr/bin:/bin");
    make_place();
    sandbox_folder("scratch");
    test_bytes tar = {0};
    test_tar_add(&tar, "package/m", '0', "model", 5);
    test_bytes archive = test_gzip_tar(&tar);
    sandbox_write("published.tgz", archive.data, archive.size);
    const a1_package package = make_package(&archive);
    snprintf(path, sizeof path, "relative:%s:%s", sandbox_path("bin"), saved);
    setenv("PATH", path, 1);
    setenv("PUBLISHED", sandbox_path("published.tgz"), 1);
    char scratch[1024];
    snprintf(scratch, sizeof scratch, "%s", sandbox_path("scratch"));
    make_client("#!/bin/sh\n"
                "test \"$1 $2\" = 'pack thing@1.2.3' && cp \"$PUBLISHED\" thing-1.2.3.tgz\n");
    if (a1_npm_pack(&package, scratch, NULL, NULL, tarball, &err) != ALLIN1_OK)
        fail_msg("%s", err.message);
    assert_string_equal(tarball, sandbox_path("scratch/npm/thing-1.2.3.tgz"));
    remove(tarball);
    /* It fails and says why; it says nothing; it lies; it gives something else. */
    make_client("#!/bin/sh\necho 'npm error network\nis down' >&2\nexit 1\n");
    assert_int_equal(a1_npm_pack(&package, scratch, NULL, NULL, tarball, &err),
                     ALLIN1_ERROR_DOWNLOAD);
    expect_text(err.message, "npm error network is down");
    make_client("#!/bin/sh\nexit 3\n");
    assert_int_equal(a1_npm_pack(&package, scratch, NULL, NULL, tarball, &err),
                     ALLIN1_ERROR_DOWNLOAD);
    make_client("#!/bin/sh\nexit 0\n");
    assert_int_equal(a1_npm_pack(&package, scratch, NULL, NULL, tarball, &err),
                     ALLIN1_ERROR_DOWNLOAD);
    make_client("#!/bin/sh\necho other > thing-1.2.3.tgz\n");
    assert_int_equal(a1_npm_pack(&package, scratch, NULL, NULL, tarball, &err),
                     ALLIN1_ERROR_DOWNLOAD);
    expect_text(err.message, "SHA-512");
    remove(tarball);
    /* It hangs, and has children of its own: all are ended when the user cancels. */
    make_client("#!/bin/sh\necho $$ > pid\nsleep 600 & wait\n");
    int calls = 0;
    const uint64_t start = a1_monotonic_ns();
    assert_int_equal(a1_npm_pack(&package, scratch, cancel_soon, &calls, tarball, &err),
                     ALLIN1_ERROR_CANCELLED);
    assert_true(a1_monotonic_ns() - start < UINT64_C(10000000000));
    /* Relative entries of $PATH do not count. */
    assert_true(a1_npm_available());
    setenv("PATH", "bin:", 1);
    assert_int_equal(chdir(sandbox_path(".")), 0);
    assert_false(a1_npm_available());
    assert_int_equal(a1_npm_pack(&package, scratch, NULL, NULL, tarball, &err),
                     ALLIN1_ERROR_DOWNLOAD);
    expect_text(err.message, "no npm client");
    assert_int_equal(chdir("/"), 0);
    setenv("PATH", saved, 1);
    free(saved);
    test_bytes_free(&archive);
    end_place();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_downloads),
        cmocka_unit_test(test_silent_host),
        cmocka_unit_test(test_fetch_over_https),
        cmocka_unit_test(test_fetch_from_files),
        cmocka_unit_test(test_list),
        cmocka_unit_test(test_listing),
        cmocka_unit_test(test_leftovers),
        cmocka_unit_test(test_npm_client),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
