#include "support/browser.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "support/files.h"
#include "support/golden.h"

#define ANSWER_MS 60000
#define WAIT_SECONDS 10

static struct {
    pid_t process;
    int to, from;
    char *text; /* what was read and not yet looked at */
    size_t used, capacity;
    int last_id;
    char session[128];
    char profile[256];
} browser = {.process = -1, .to = -1, .from = -1};

static const char *find_chromium(void)
{
    static const char *const names[] = {"/usr/bin/chromium", "/usr/bin/chromium-browser",
                                        "/usr/bin/google-chrome"};
    const char *given = getenv("ALLIN1_CHROMIUM");
    if (given && *given)
        return given;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (access(names[i], X_OK) == 0)
            return names[i];
    return NULL;
}

static void run_chromium(const char *program, int in, int out, int width, int height)
{
    char profile[300], size[64];
    snprintf(profile, sizeof profile, "--user-data-dir=%s", browser.profile);
    snprintf(size, sizeof size, "--window-size=%d,%d", width, height);
    /* Away from 3 and 4 first, so that neither overwrites the other. */
    in = fcntl(in, F_DUPFD, 10);
    out = fcntl(out, F_DUPFD, 10);
    dup2(in, 3);
    dup2(out, 4);
    const int null = open("/dev/null", O_RDWR);
    dup2(null, 0);
    dup2(null, 1);
    dup2(null, 2);
    setpgid(0, 0);
    setenv("HOME", browser.profile, 1);
    execl(program, program, "--headless=new", "--remote-debugging-pipe", "--no-sandbox",
          "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-extensions",
          "--disable-background-networking", "--disable-component-update", "--mute-audio",
          "--hide-scrollbars", "--force-color-profile=srgb",
          "--autoplay-policy=no-user-gesture-required", profile, size, "about:blank", (char *)NULL);
    _exit(127);
}

static void send_text(const char *text)
{
    const size_t size = strlen(text) + 1; /* messages end in a zero */
    for (size_t done = 0; done < size;) {
        const ssize_t written = write(browser.to, text + done, size - done);
        if (written <= 0 && errno != EINTR)
            fail_msg("the browser does not read: %s", strerror(errno));
        if (written > 0)
            done += (size_t)written;
    }
}

/* The next message; NULL when none comes in time. */
static json_t *receive(int milliseconds)
{
    char *end;
    while (!browser.used || !(end = memchr(browser.text, '\0', browser.used))) {
        struct pollfd ready = {.fd = browser.from, .events = POLLIN};
        const int got = poll(&ready, 1, milliseconds);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return NULL;
        if (browser.capacity - browser.used < 65536) {
            browser.capacity = browser.capacity * 2 + 262144;
            browser.text = realloc(browser.text, browser.capacity);
            assert_non_null(browser.text);
        }
        const ssize_t count =
            read(browser.from, browser.text + browser.used, browser.capacity - browser.used);
        if (count <= 0)
            return NULL;
        browser.used += (size_t)count;
    }
    json_t *message = json_loads(browser.text, 0, NULL);
    const size_t length = (size_t)(end - browser.text) + 1;
    memmove(browser.text, browser.text + length, browser.used - length);
    browser.used -= length;
    return message;
}

/* Takes `parameters`; the whole answer, a result or an error, is the caller's. */
static json_t *ask(const char *method, json_t *parameters)
{
    const int id = ++browser.last_id;
    json_t *message = json_pack("{s:i, s:s, s:o}", "id", id, "method", method, "params", parameters);
    assert_non_null(message);
    if (*browser.session)
        json_object_set_new(message, "sessionId", json_string(browser.session));
    char *text = json_dumps(message, JSON_COMPACT);
    send_text(text);
    free(text);
    json_decref(message);
    for (;;) {
        json_t *answer = receive(ANSWER_MS);
        if (!answer)
            fail_msg("the browser does not answer %s", method);
        if (json_integer_value(json_object_get(answer, "id")) == id)
            return answer;
        json_decref(answer);
    }
}

/* Takes `answer`; its "result" is the caller's. */
static json_t *result_of(const char *method, json_t *answer)
{
    json_t *result = json_object_get(answer, "result");
    if (!result) {
        char *shown = json_dumps(answer, 0);
        fail_msg("%s: %s", method, shown);
    }
    json_incref(result);
    json_decref(answer);
    return result;
}

static json_t *call(const char *method, json_t *parameters)
{
    return result_of(method, ask(method, parameters));
}

static void do_call(const char *method, json_t *parameters)
{
    json_decref(call(method, parameters));
}

void browser_start(int width, int height)
{
    int to[2], from[2];
    const char *program = find_chromium();
    if (!program) {
        print_message("[ NOTE     ] skipped: there is no Chromium here\n");
        skip();
    }
    const char *base = getenv("TMPDIR");
    snprintf(browser.profile, sizeof browser.profile, "%s/allin1-browser-XXXXXX",
             base && *base ? base : "/tmp");
    assert_non_null(mkdtemp(browser.profile));
    assert_int_equal(pipe2(to, O_CLOEXEC), 0);
    assert_int_equal(pipe2(from, O_CLOEXEC), 0);
    signal(SIGPIPE, SIG_IGN);
    browser.process = fork();
    assert_true(browser.process >= 0);
    if (browser.process == 0)
        run_chromium(program, to[0], from[1], width, height);
    close(to[0]);
    close(from[1]);
    browser.to = to[1];
    browser.from = from[0];
    browser.used = 0;
    browser.session[0] = '\0';
    json_t *target = call("Target.createTarget", json_pack("{s:s}", "url", "about:blank"));
    json_t *session =
        call("Target.attachToTarget",
             json_pack("{s:s, s:b}", "targetId",
                       json_string_value(json_object_get(target, "targetId")), "flatten", 1));
    snprintf(browser.session, sizeof browser.session, "%s",
             json_string_value(json_object_get(session, "sessionId")));
    json_decref(target);
    json_decref(session);
    do_call("Page.enable", json_object());
    browser_resize(width, height, 1);
}

void browser_stop(void)
{
    char command[400];
    if (browser.process <= 0)
        return;
    close(browser.to);
    close(browser.from);
    kill(-browser.process, SIGKILL);
    waitpid(browser.process, NULL, 0);
    browser.process = -1;
    free(browser.text);
    browser.text = NULL;
    browser.used = browser.capacity = 0;
    snprintf(command, sizeof command, "rm -rf '%s'", browser.profile);
    if (system(command) != 0)
        print_message("[ NOTE     ] %s is left behind\n", browser.profile);
}

static json_t *evaluate(const char *expression)
{
    return ask("Runtime.evaluate", json_pack("{s:s, s:b, s:b}", "expression", expression,
                                             "awaitPromise", 1, "returnByValue", 1));
}

/* Takes the answer to `expression`; its value is the caller's. */
static json_t *value_of(const char *expression, json_t *whole)
{
    json_t *answer = result_of("Runtime.evaluate", whole);
    if (json_object_get(answer, "exceptionDetails")) {
        char *shown = json_dumps(answer, 0);
        fail_msg("%s: %s", expression, shown);
    }
    json_t *value = json_object_get(json_object_get(answer, "result"), "value");
    json_incref(value);
    json_decref(answer);
    return value;
}

json_t *browser_value(const char *expression)
{
    return value_of(expression, evaluate(expression));
}

double browser_number(const char *expression)
{
    json_t *value = browser_value(expression);
    if (!json_is_number(value))
        fail_msg("%s is not a number", expression);
    const double number = json_number_value(value);
    json_decref(value);
    return number;
}

/* Takes the value. */
static bool is_true(json_t *value)
{
    const bool yes = json_is_true(value);
    json_decref(value);
    return yes;
}

bool browser_true(const char *expression)
{
    return is_true(browser_value(expression));
}

char *browser_string(const char *expression)
{
    json_t *value = browser_value(expression);
    if (!json_is_string(value))
        fail_msg("%s is not a string", expression);
    char *text = strdup(json_string_value(value));
    json_decref(value);
    return text;
}

static void pause_briefly(void)
{
    const struct timespec time = {.tv_nsec = 20000000};
    nanosleep(&time, NULL);
}

/* Whether the page went away under the question, which is then to be put to the next one. */
static bool page_left(const json_t *answer)
{
    const char *message =
        json_string_value(json_object_get(json_object_get(answer, "error"), "message"));
    return message && (strcmp(message, "Inspected target navigated or closed") == 0 ||
                       strcmp(message, "Execution context was destroyed.") == 0);
}

/* Like browser_true, and false while one page follows another. */
static bool true_by_now(const char *expression)
{
    json_t *answer = evaluate(expression);
    if (page_left(answer)) {
        json_decref(answer);
        return false;
    }
    return is_true(value_of(expression, answer));
}

void browser_wait(const char *expression)
{
    const time_t start = time(NULL);
    while (!true_by_now(expression)) {
        if (time(NULL) - start > WAIT_SECONDS)
            fail_msg("never true: %s", expression);
        pause_briefly();
    }
}

void browser_open(const char *path)
{
    char address[4200];
    snprintf(address, sizeof address, "file://%s", path);
    do_call("Page.navigate", json_pack("{s:s}", "url", address));
    browser_wait("location.protocol === 'file:' && document.readyState === 'complete'");
}

static int key_code(const char *key)
{
    static const struct {
        const char *key;
        int code;
    } codes[] = {{"ArrowLeft", 37}, {"ArrowRight", 39}, {" ", 32},   {"Home", 36}, {"End", 35},
                 {"Tab", 9},        {"Enter", 13},      {"+", 187}, {"-", 189},   {"0", 48}};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (strcmp(codes[i].key, key) == 0)
            return codes[i].code;
    return key[0] >= 'a' && key[0] <= 'z' ? key[0] - 32 : 0;
}

void browser_key(const char *key, bool shift)
{
    static const char *const types[] = {"keyDown", "keyUp"};
    for (int i = 0; i < 2; i++) {
        json_t *event = json_pack("{s:s, s:s, s:i, s:i}", "type", types[i], "key", key, "modifiers",
                                  shift ? 8 : 0, "windowsVirtualKeyCode", key_code(key));
        if (i == 0 && key[1] == '\0')
            json_object_set_new(event, "text", json_string(key));
        do_call("Input.dispatchKeyEvent", event);
    }
}

void browser_mouse(const char *type, double x, double y)
{
    do_call("Input.dispatchMouseEvent",
            json_pack("{s:s, s:f, s:f, s:s, s:i, s:i}", "type", type, "x", x, "y", y, "button",
                      "left", "buttons", strcmp(type, "mouseReleased") != 0, "clickCount", 1));
}

void browser_resize(int width, int height, double scale)
{
    do_call("Emulation.setDeviceMetricsOverride",
            json_pack("{s:i, s:i, s:f, s:b}", "width", width, "height", height, "deviceScaleFactor",
                      scale, "mobile", 0));
}

void browser_dark(bool dark)
{
    do_call("Emulation.setEmulatedMedia",
            json_pack("{s:[{s:s, s:s}]}", "features", "name", "prefers-color-scheme", "value",
                      dark ? "dark" : "light"));
}

void browser_picture(const char *path)
{
    json_decref(browser_value("new Promise(done => requestAnimationFrame(() => "
                              "requestAnimationFrame(() => done(1))))"));
    json_t *answer = call("Page.captureScreenshot",
                          json_pack("{s:s, s:b}", "format", "png", "captureBeyondViewport", 1));
    const char *text = json_string_value(json_object_get(answer, "data"));
    assert_non_null(text);
    const size_t length = strlen(text);
    unsigned char *bytes = malloc(length);
    assert_non_null(bytes);
    int size = EVP_DecodeBlock(bytes, (const unsigned char *)text, (int)length);
    for (size_t i = length; i > 0 && text[i - 1] == '='; i--)
        size--;
    test_write_bytes(path, bytes, (size_t)size);
    free(bytes);
    json_decref(answer);
}
