/* What `cmake --install` puts in place: everything, and a library that a program can be built with.
 */
#include "support/golden.h"
#include "support/sandbox.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

/* Runs a shell command in the sandbox; its output is shown when it fails. */
static int shell(const char *command)
{
    char line[8192];
    snprintf(line, sizeof line, "cd '%s' && { %s; } >log 2>&1 </dev/null", sandbox_path("."),
             command);
    const int status = system(line);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

static void expect_shell(const char *command)
{
    const int status = shell(command);
    if (status != 0) {
        size_t size;
        char *log = sandbox_read("log", &size);
        print_error("%s\n", log);
        free(log);
        fail_msg("%s: status %d", command, status);
    }
}

static void install(void)
{
    if (sandbox_has("prefix"))
        return;
    char build[4096], command[8192];
    const char *program = getenv("ALLIN1_PROGRAM");
    const char *slash = program ? strrchr(program, '/') : NULL;
    assert_non_null(slash);
    snprintf(build, sizeof build, "%.*s", (int)(slash - program), program);
    snprintf(command, sizeof command, "cmake --install '%s' --prefix '%s'", build,
             sandbox_path("prefix"));
    expect_shell(command);
}

static void everything_is_in_place(void **state)
{
    (void)state;
    install();
    static const char *const files[] = {
        "bin/allin1",
        "include/allin1/allin1.h",
        "include/allin1/version.h",
        "share/man/man1/allin1.1",
        "share/bash-completion/completions/allin1",
        "share/zsh/site-functions/_allin1",
        "share/fish/vendor_completions.d/allin1.fish",
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char name[256];
        snprintf(name, sizeof name, "prefix/%s", files[i]);
        if (!sandbox_has(name))
            fail_msg("%s was not installed", files[i]);
    }
    expect_shell("prefix/bin/allin1 --version | grep -q '^allin1 '");
}

static void a_program_can_be_built_with_it(void **state)
{
    (void)state;
    install();
    const char *source =
        "#include <allin1/allin1.h>\n"
        "#include <stdio.h>\n"
        "#include <string.h>\n"
        "int main(void)\n"
        "{\n"
        "    allin1_settings settings;\n"
        "    allin1_settings_default(&settings);\n"
        "    allin1_context *context = NULL;\n"
        "    allin1_error error;\n"
        "    settings.model = \"no-such-model\";\n"
        "    if (allin1_open(&context, &settings, &error) != ALLIN1_ERROR_ARGUMENT)\n"
        "        return 1;\n"
        "    puts(allin1_version());\n"
        "    return strcmp(allin1_version(), ALLIN1_VERSION_STRING) != 0;\n"
        "}\n";
    sandbox_write("user.c", source, strlen(source));
    expect_shell("export PKG_CONFIG_PATH=$(dirname \"$(find prefix -name allin1.pc)\") && "
                 "cc -std=c11 -Wall -Werror user.c $(pkg-config --cflags --libs allin1) -o user && "
                 "test \"$(./user)\" = \"$(pkg-config --modversion allin1)\"");
}

/* The headers are C++, too, and each one stands alone. */
static void headers_stand_alone(void **state)
{
    (void)state;
    install();
    expect_shell("for header in prefix/include/allin1/*.h; do "
                 "echo \"#include <allin1/$(basename $header)>\" >alone.c && "
                 "echo 'int nothing;' >>alone.c && "
                 "cc -std=c99 -pedantic -Wall -Wextra -Werror -fsyntax-only -Iprefix/include alone.c "
                 "|| exit 1; done");
    if (shell("command -v c++") != 0) {
        print_message("[ NOTE     ] skipped: there is no C++ compiler\n");
        skip();
    }
    expect_shell(
        "for header in prefix/include/allin1/*.h; do "
        "c++ -x c++ -Wall -Wextra -Werror -fsyntax-only -Iprefix/include $header || exit 1; "
        "done");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_is_in_place),
        cmocka_unit_test(a_program_can_be_built_with_it),
        cmocka_unit_test(headers_stand_alone),
    };
    return cmocka_run_group_tests(tests, sandbox_set_up, sandbox_clean_up);
}
