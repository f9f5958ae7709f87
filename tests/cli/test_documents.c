/* The manual page, the completions and --help speak of the same options. */
#include "support/files.h"
#include "support/golden.h"
#include "support/sandbox.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_OPTIONS 128
#define MAX_NAME 32

/* Options as they are typed, "-o" or "--out-dir", each once. */
typedef struct option_set {
    char names[MAX_OPTIONS][MAX_NAME];
    size_t count;
} option_set;

static bool has(const option_set *set, const char *name)
{
    for (size_t i = 0; i < set->count; i++)
        if (strcmp(set->names[i], name) == 0)
            return true;
    return false;
}

static void put(option_set *set, const char *dashes, const char *name, size_t length)
{
    assert_true(length > 0 && length + 3 < MAX_NAME);
    char full[MAX_NAME];
    snprintf(full, sizeof full, "%s%.*s", dashes, (int)length, name);
    if (has(set, full))
        return;
    assert_true(set->count < MAX_OPTIONS);
    strcpy(set->names[set->count++], full);
}

static size_t name_length(const char *text)
{
    size_t length = 0;
    while (isalnum((unsigned char)text[length]) || text[length] == '-')
        length++;
    while (length > 0 && text[length - 1] == '-')
        length--;
    return length;
}

/* Every -x and --name that stands after a blank, a bracket, a brace, a quote or a comma. */
static void collect(option_set *set, const char *text)
{
    for (const char *at = strchr(text, '-'); at; at = strchr(at, '-')) {
        const bool starts = at == text || strchr(" \n\t[({,'\"|", at[-1]);
        const size_t dashes = strspn(at, "-");
        const size_t length = name_length(at + dashes);
        if (starts && dashes == 2 && length > 1)
            put(set, "--", at + 2, length);
        if (starts && dashes == 1 && length == 1)
            put(set, "-", at + 1, 1);
        at += dashes + length;
    }
}

static option_set of_help(const char *command)
{
    option_set set = {.count = 0};
    program_outcome said = *command ? RUN(command, "--help") : RUN("--help");
    program_expect(&said, 0);
    collect(&set, said.out);
    program_free(&said);
    assert_true(set.count > 3);
    return set;
}

static char *read_source(const char *name)
{
    const char *source = getenv("ALLIN1_SOURCE");
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", source ? source : ".", name);
    return (char *)test_read_bytes(path, NULL);
}

static void expect_same(const option_set *expected, const char *of, const option_set *actual,
                        const char *where)
{
    bool same = true;
    for (size_t i = 0; i < expected->count; i++) {
        if (!has(actual, expected->names[i])) {
            print_error("%s: %s of %s is missing\n", where, expected->names[i], of);
            same = false;
        }
    }
    for (size_t i = 0; i < actual->count; i++) {
        if (!has(expected, actual->names[i])) {
            print_error("%s: %s is not in %s\n", where, actual->names[i], of);
            same = false;
        }
    }
    assert_true(same);
}

/* The part of a document between two markers, in place. */
static const char *part_of(char *text, const char *from, const char *to)
{
    char *start = strstr(text, from);
    if (!start)
        fail_msg("there is no \"%s\"", from);
    start += strlen(from);
    char *end = to ? strstr(start, to) : start + strlen(start);
    if (!end)
        fail_msg("there is no \"%s\"", to);
    *end = '\0';
    return start;
}

/* Options of a part of the manual page: of its .TP entries, or anywhere when the entries say
 * "besides". */
static option_set of_manual(const char *from, const char *to)
{
    char *page = read_source("man/allin1.1");
    char *plain = malloc(strlen(page) + 1);
    assert_non_null(plain);
    const char *part = part_of(page, from, to);
    size_t used = 0;
    bool entry = true;
    for (const char *line = part; *line;) {
        const size_t length = strcspn(line, "\n") + 1;
        /* The line after .TP names an option; other lines count only in the sentence before. */
        const bool kept =
            entry || strncmp(line, ".BR \\-q", 7) == 0 || strncmp(line, ".BR \\-h", 7) == 0;
        for (size_t i = 0; kept && i < length && line[i]; i++) {
            if (line[i] == '\\' && line[i + 1] == '-')
                continue;
            if (line[i] == '\\' && line[i + 1] == 'f') {
                i += 2;
                continue;
            }
            plain[used++] = line[i];
        }
        entry = strncmp(line, ".TP\n", 4) == 0;
        line += line[length - 1] == '\n' ? length : length - 1;
    }
    plain[used] = '\0';
    option_set set = {.count = 0};
    collect(&set, plain);
    free(plain);
    free(page);
    return set;
}

static void manual_has_the_options_of_help(void **state)
{
    (void)state;
    const option_set help = of_help(""), manual = of_manual(".SH OPTIONS", ".SH COMMANDS");
    assert_true(has(&manual, "--out-dir") && has(&manual, "-o"));
    expect_same(&help, "--help", &manual, "man/allin1.1");
}

/* -q, -v and -h stand in one sentence, by their letters. */
static void without_long_twins(option_set *set)
{
    static const char *const twins[] = {"--quiet", "--verbose", "--help"};
    for (size_t k = 0; k < 3; k++)
        for (size_t i = 0; i < set->count; i++)
            if (strcmp(set->names[i], twins[k]) == 0)
                memcpy(set->names[i], set->names[--set->count], MAX_NAME);
}

/* Each has its own --help and its own section of the manual. */
static const char *const commands[] = {"models", "show", "convert", "timings", "bench", "eval"};
#define COMMANDS (sizeof commands / sizeof *commands)

static void manual_has_the_options_of_the_commands(void **state)
{
    (void)state;
    for (size_t i = 0; i < COMMANDS; i++) {
        char heading[64], words[64];
        snprintf(heading, sizeof heading, ".SS allin1 %s\n", commands[i]);
        snprintf(words, sizeof words, "%s --help", commands[i]);
        option_set help = of_help(commands[i]);
        option_set manual = of_manual(heading, "\n.S");
        without_long_twins(&help);
        without_long_twins(&manual);
        expect_same(&help, words, &manual, "man/allin1.1");
    }
}

static void add_all(option_set *set, const option_set *more)
{
    for (size_t i = 0; i < more->count; i++)
        put(set, "", more->names[i], strlen(more->names[i]));
}

/* The options of all commands together. */
static option_set of_all_help(void)
{
    option_set all = of_help("");
    for (size_t i = 0; i < COMMANDS; i++) {
        const option_set more = of_help(commands[i]);
        add_all(&all, &more);
    }
    return all;
}

/* Blanks out the arguments of compgen, test and the like, which are no options of ours. */
static void blank(char *text, const char *word)
{
    for (char *at = strstr(text, word); at; at = strstr(at, word))
        memset(at, ' ', strlen(word));
}

static void bash_completes_all_options(void **state)
{
    (void)state;
    const option_set help = of_all_help();
    char *script = read_source("completions/allin1.bash");
    static const char *const not_ours[] = {
        "compgen -d", "compgen -f -X", "compgen -f", "compgen -W", "compgen -P", "\" -W", "mapfile -t", " -O ",
        "compopt -o", "-gt",           "-eq",        " -f --",     "complete -F"};
    for (size_t i = 0; i < sizeof not_ours / sizeof *not_ours; i++)
        blank(script, not_ours[i]);
    option_set found = {.count = 0};
    collect(&found, script);
    free(script);
    expect_same(&help, "--help", &found, "completions/allin1.bash");
}

static void zsh_completes_all_options(void **state)
{
    (void)state;
    const option_set help = of_all_help();
    char *script = read_source("completions/_allin1");
    static const char *const not_ours[] = {"local -a", "_files -g", "_files -/", "_values -s",
                                           "_arguments -S"};
    for (size_t i = 0; i < sizeof not_ours / sizeof *not_ours; i++)
        blank(script, not_ours[i]);
    option_set found = {.count = 0};
    collect(&found, script);
    free(script);
    expect_same(&help, "--help", &found, "completions/_allin1");
}

/* fish names options without their dashes, after -s and -l. */
static void fish_completes_all_options(void **state)
{
    (void)state;
    const option_set help = of_all_help();
    char *script = read_source("completions/allin1.fish");
    option_set found = {.count = 0};
    for (char *line = strtok(script, "\n"); line; line = strtok(NULL, "\n")) {
        if (strncmp(line, "complete ", 9) != 0)
            continue;
        char *description = strstr(line, " -d \"");
        if (description)
            *description = '\0';
        const char *letter = strstr(line, " -s "), *name = strstr(line, " -l ");
        if (letter)
            put(&found, "-", letter + 4, 1);
        if (name)
            put(&found, "--", name + 4, name_length(name + 4));
    }
    free(script);
    expect_same(&help, "--help", &found, "completions/allin1.fish");
}

static void documents_name_this_version(void **state)
{
    (void)state;
    program_outcome said = RUN("--version");
    program_expect(&said, 0);
    const char *version = strchr(said.out, ' ');
    assert_non_null(version);
    char expected[64];
    const size_t length = strcspn(version + 1, " \n");
    snprintf(expected, sizeof expected, "allin1 %.*s\"", (int)length, version + 1);
    char *page = read_source("man/allin1.1");
    expect_text(page, expected);
    free(page);
    snprintf(expected, sizeof expected, "\n## %.*s", (int)length, version + 1);
    char *changes = read_source("CHANGELOG.md");
    expect_text(changes, expected);
    free(changes);
    program_free(&said);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(manual_has_the_options_of_help),
        cmocka_unit_test(manual_has_the_options_of_the_commands),
        cmocka_unit_test(bash_completes_all_options),
        cmocka_unit_test(zsh_completes_all_options),
        cmocka_unit_test(fish_completes_all_options),
        cmocka_unit_test(documents_name_this_version),
    };
    return cmocka_run_group_tests(tests, sandbox_set_up, sandbox_clean_up);
}
