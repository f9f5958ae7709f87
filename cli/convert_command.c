#include "convert_command.h"

#include <allin1/allin1.h>
#include <allin1/formats.h>

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bad_option.h"
#include "format_files.h"
#include "format_list.h"
#include "messages.h"
#include "options.h"
#include "standard_output.h"

typedef struct conversion {
    format_list formats;
    const char *out_dir; /* NULL: beside the result */
    bool print, quiet;
    char **results;
    int count;
} conversion;

static void put_help(void)
{
    fputs("Usage: allin1 convert --format LIST [options] RESULT.json...\n"
          "\n"
          "Writes results in the formats of other programs. Reads the results of this\n"
          "program and of the reference implementation.\n"
          "\n"
          "      --format LIST   one or more of the formats below, with commas between\n"
          "  -o, --out-dir DIR   where the files go (default: beside the result)\n"
          "      --stdout        print instead: one result in one format\n"
          "  -q, --quiet         only errors\n"
          "  -h, --help          this text\n"
          "\n"
          "Formats, and their files for NAME.json:\n",
          stdout);
    format_list_help(stdout);
    fputs("\n"
          "json is what an analysis writes; a result is that already.\n"
          "\n"
          "Exit status: 0 all is well; 1 a result cannot be read or a file not be written;\n"
          "2 wrong usage.\n",
          stdout);
}

static int usage(const char *format, const char *argument)
{
    message_error(format, argument);
    message_plain("Try: allin1 convert --help");
    return EXIT_USAGE;
}

/* -1 to go on, else the exit status. */
static int parse(conversion *c, int argc, char **argv)
{
    enum { FORMAT = 256, STDOUT };
    static const struct option known[] = {{"format", required_argument, NULL, FORMAT},
                                          {"out-dir", required_argument, NULL, 'o'},
                                          {"stdout", no_argument, NULL, STDOUT},
                                          {"quiet", no_argument, NULL, 'q'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    int letter;
    opterr = 0;
    while ((letter = getopt_long(argc, argv, ":o:qh", known, NULL)) != -1) {
        if (letter == FORMAT && !format_list_parse(&c->formats, optarg)) {
            message_plain("Try: allin1 convert --help");
            return EXIT_USAGE;
        }
        if (letter == 'o')
            c->out_dir = optarg;
        if (letter == STDOUT)
            c->print = true;
        if (letter == 'q')
            c->quiet = true;
        if (letter == 'h') {
            put_help();
            return standard_output_flush() ? EXIT_GOOD : EXIT_SOME_FAILED;
        }
        if (letter == ':')
            return usage("convert: %s needs a value", argv[optind - 1]);
        if (letter == '?')
            return usage("convert: unknown option %s", bad_option(argv));
    }
    c->results = argv + optind;
    c->count = argc - optind;
    if (c->count == 0)
        return usage("convert: %s", "no result was given");
    if (!c->formats.given)
        return usage("convert: %s", "--format is needed");
    if (format_list_has(&c->formats, "json"))
        return usage("convert: %s", "a result is json already");
    if (c->print && (c->count > 1 || c->formats.count > 1))
        return usage("convert: %s", "--stdout takes one result and one format");
    if (c->out_dir && !*c->out_dir)
        return usage("convert: %s", "--out-dir needs a value");
    return -1;
}

/* Messages about files begin with their names; others get the result's. */
static void tell(const char *path, const allin1_error *error)
{
    if (error->status == ALLIN1_ERROR_IO || strncmp(error->message, path, strlen(path)) == 0)
        message_error("%s", error->message);
    else
        message_error("%s: %s", path, error->message);
}

static int print(const conversion *c)
{
    allin1_result *result;
    allin1_error error;
    char *content = NULL;
    size_t size = 0;
    allin1_status status = allin1_load_json(c->results[0], &result, NULL, &error);
    if (status == ALLIN1_OK)
        status = allin1_result_format(result, c->formats.items[0]->name, &content, &size, &error);
    if (status == ALLIN1_OK)
        fwrite(content, 1, size, stdout);
    else
        tell(c->results[0], &error);
    allin1_string_free(content);
    allin1_result_free(&result);
    return status == ALLIN1_OK && standard_output_flush() ? EXIT_GOOD : EXIT_SOME_FAILED;
}

/* The name of a result without folder and ".json". */
static char *stem_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    const size_t length = strlen(name);
    const bool suffix = length > 5 && strcmp(name + length - 5, ".json") == 0;
    return strndup(name, suffix ? length - 5 : length);
}

static char *folder_of(const conversion *c, const char *path)
{
    const char *slash = strrchr(path, '/');
    if (c->out_dir)
        return strdup(c->out_dir);
    if (!slash)
        return strdup(".");
    return slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
}

static bool is_taken(char *const *names, int count, const char *name)
{
    for (int i = 0; i < count; i++)
        if (names[i] && strcmp(names[i], name) == 0)
            return true;
    return false;
}

/* The file names of the results: that of a second result of the same name that goes to the same folder
 * gets a number. False when memory ran out. */
static bool name_all(const conversion *c, char **names)
{
    for (int i = 0; i < c->count; i++) {
        char *stem = stem_of(c->results[i]), *name = stem ? strdup(stem) : NULL;
        for (int n = 2; c->out_dir && name && is_taken(names, i, name); n++) {
            free(name);
            if (asprintf(&name, "%s-%d", stem, n) < 0)
                name = NULL;
        }
        free(stem);
        names[i] = name;
        if (!name)
            return false;
    }
    return true;
}

static bool convert(const conversion *c, const char *path, const char *name)
{
    char *folder = folder_of(c, path);
    format_files files = {.count = 0};
    allin1_result *result = NULL;
    allin1_error error = {.message = "out of memory"};
    bool good = folder && format_files_name(&files, &c->formats, folder, name);
    good = good && allin1_load_json(path, &result, NULL, &error) == ALLIN1_OK &&
           format_files_save(&files, NULL, result, &error) == ALLIN1_OK;
    if (!good)
        tell(path, &error);
    if (good && files.count == 1)
        message_note("%s -> %s", path, files.paths[0]);
    else if (good)
        message_note("%s -> %s and %zu more", path, files.paths[0], files.count - 1);
    allin1_result_free(&result);
    format_files_free(&files);
    free(folder);
    return good;
}

int convert_command(int argc, char **argv)
{
    conversion c = {.out_dir = NULL};
    const int status = parse(&c, argc, argv);
    if (status >= 0)
        return status;
    if (c.quiet)
        message_set_level(QUIET);
    if (c.print)
        return print(&c);
    char **names = calloc((size_t)c.count, sizeof *names);
    bool good = names && name_all(&c, names);
    if (!good)
        message_error("out of memory");
    bool all = good;
    for (int i = 0; good && i < c.count; i++)
        all &= convert(&c, c.results[i], names[i]);
    for (int i = 0; names && i < c.count; i++)
        free(names[i]);
    free(names);
    return all ? EXIT_GOOD : EXIT_SOME_FAILED;
}
