#include "models_command.h"

#include <allin1/models.h>

#include <getopt.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bad_option.h"
#include "interrupt.h"
#include "messages.h"
#include "options.h"
#include "standard_output.h"

typedef enum command { LIST, SHOW, FETCH, VERIFY, PATH } command;

typedef struct request {
    command what;
    allin1_models_settings settings;
    bool verbose, quiet;
    char **names;
    int name_count;
} request;

static const char help_text[] =
    "Usage: allin1 models list   [options] [NAME...]\n"
    "       allin1 models show   [options] NAME...\n"
    "       allin1 models fetch  [options] [NAME...]\n"
    "       allin1 models verify [options] [NAME...]\n"
    "       allin1 models path   [options] NAME\n"
    "\n"
    "  list      what models there are and whether their weights are on this\n"
    "            machine; with NAME or -v also where from, sizes and digests\n"
    "  show      the same of NAME, and its card where it has one: what it learnt\n"
    "            from, what it is good for and what not\n"
    "  fetch     get the weights that are not there (default: harmonix-all and\n"
    "            htdemucs), or mend damaged ones\n"
    "  verify    check every file of weights down to the last bit\n"
    "  path      print the files that would be used\n"
    "\n"
    "Options:\n"
    "      --weights-dir DIR     look here first, and fetch to here; weights are also\n"
    "                            looked for in $ALLIN1_WEIGHTS and in the cache\n"
    "                            ($XDG_CACHE_HOME/allin1 or ~/.cache/allin1), in\n"
    "                            each place also below harmonix/ and htdemucs/\n"
    "      --from FROM           fetch from this file or folder, or from the https\n"
    "                            address of a file, or of a folder if it ends in /\n"
    "      --ca-file FILE        trust these certificates (PEM) instead of the\n"
    "                            system's; also $ALLIN1_CA_FILE\n"
    "  -q, --quiet               only errors\n"
    "  -v, --verbose             more details\n"
    "  -h, --help                this text\n"
    "\n"
    "Exit status: 0 all is well; 1 a fetch failed; 2 wrong usage; 3 weights are\n"
    "missing or damaged; 130 interrupted.\n";

static int usage_error(const char *format, const char *argument)
{
    message_error(format, argument);
    message_plain("Try 'allin1 models --help'.");
    return EXIT_USAGE;
}

static bool find_command(const char *word, command *what)
{
    static const char *const words[] = {"list", "show", "fetch", "verify", "path"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(word, words[i]) == 0) {
            *what = (command)i;
            return true;
        }
    return false;
}

/* -1 to go on, else the exit status. */
static int parse(request *r, int argc, char **argv)
{
    enum { WEIGHTS_DIR = 256, FROM, CA_FILE };
    static const struct option known[] = {{"weights-dir", required_argument, NULL, WEIGHTS_DIR},
                                          {"from", required_argument, NULL, FROM},
                                          {"ca-file", required_argument, NULL, CA_FILE},
                                          {"quiet", no_argument, NULL, 'q'},
                                          {"verbose", no_argument, NULL, 'v'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    opterr = 0;
    optind = 1;
    for (int option; (option = getopt_long(argc, argv, ":qvh", known, NULL)) != -1;) {
        switch (option) {
        case WEIGHTS_DIR:
            r->settings.weights_dir = optarg;
            break;
        case FROM:
            r->settings.from = optarg;
            break;
        case CA_FILE:
            r->settings.ca_file = optarg;
            break;
        case 'q':
            r->quiet = true;
            break;
        case 'v':
            r->verbose = true;
            break;
        case 'h':
            fputs(help_text, stdout);
            return standard_output_flush() ? EXIT_GOOD : EXIT_SOME_FAILED;
        case ':':
            return usage_error("%s needs a value", argv[optind - 1]);
        default:
            return usage_error("unknown option %s", bad_option(argv));
        }
    }
    if (optind == argc)
        return usage_error("models %s", "needs one of list, show, fetch, verify, path");
    if (!find_command(argv[optind], &r->what))
        return usage_error("there is no command models %s", argv[optind]);
    r->names = argv + optind + 1;
    r->name_count = argc - optind - 1;
    if (r->what == PATH && r->name_count != 1)
        return usage_error("models path %s", "takes the name of one model");
    if (r->what == SHOW && r->name_count == 0)
        return usage_error("models show %s", "takes the names of models");
    if (r->settings.from && r->what != FETCH)
        return usage_error("--from belongs to models %s", "fetch");
    return -1;
}

static int exit_status(allin1_status status)
{
    switch (status) {
    case ALLIN1_OK:
        return EXIT_GOOD;
    case ALLIN1_ERROR_ARGUMENT:
        return EXIT_USAGE;
    case ALLIN1_ERROR_WEIGHTS_MISSING:
    case ALLIN1_ERROR_WEIGHTS_DAMAGED:
        return EXIT_WEIGHTS;
    case ALLIN1_ERROR_CANCELLED:
        return EXIT_SIGNAL + interrupted();
    default:
        return EXIT_SOME_FAILED;
    }
}

/* ------------------------------------------------------------------------------------------------
 * list */

typedef struct listing {
    const request *request;
    bool *seen; /* for each name of the request */
    bool headed;
} listing;

static void format_size(char *out, size_t room, uint64_t bytes)
{
    if (bytes == 0)
        snprintf(out, room, "size unknown");
    else
        snprintf(out, room, "%.1f MB", (double)bytes / 1e6);
}

static bool is_built_in(const allin1_model_part *part)
{
    return strcmp(part->path, "built in") == 0;
}

static void format_state(char *out, size_t room, const allin1_model_entry *entry)
{
    size_t there = 0, wrong = 0;
    for (size_t i = 0; i < entry->part_count; i++) {
        there += entry->parts[i].state == ALLIN1_OK;
        wrong += entry->parts[i].state != ALLIN1_OK &&
                 entry->parts[i].state != ALLIN1_ERROR_WEIGHTS_MISSING;
    }
    if (wrong > 0 && entry->part_count > 1)
        snprintf(out, room, "%zu of %zu damaged", wrong, entry->part_count);
    else if (wrong > 0)
        snprintf(out, room, "damaged");
    else if (there == entry->part_count)
        snprintf(out, room, "%s", is_built_in(entry->parts) ? "built in" : "there");
    else if (there == 0)
        snprintf(out, room, "%s", entry->parts->source_count ? "missing" : "not built in");
    else
        snprintf(out, room, "%zu of %zu there", there, entry->part_count);
}

static void print_part(const allin1_model_part *part)
{
    printf("\n  %s\n", part->name);
    if (part->state == ALLIN1_OK && is_built_in(part))
        printf("    built in\n");
    else if (part->state == ALLIN1_OK)
        printf("    there     %s (%s)\n", part->path, part->format);
    else if (part->state == ALLIN1_ERROR_WEIGHTS_MISSING)
        printf("    %s\n", part->source_count ? "missing" : "not built in");
    else
        printf("    damaged\n");
    if (*part->message && part->state != ALLIN1_ERROR_WEIGHTS_MISSING)
        printf("    problem   %s\n", part->message);
    if (*part->digest)
        printf("    digest    %s\n", part->digest);
    for (size_t i = 0; i < part->source_count; i++) {
        const allin1_model_source *source = &part->sources[i];
        char size[32];
        format_size(size, sizeof size, source->size);
        printf("    source    %s, %s\n", source->file, size);
        printf("              %s\n", source->address);
        if (strlen(source->sha256) == 64)
            printf("              SHA-256 %s\n", source->sha256);
        else if (*source->sha256)
            printf("              SHA-256 begins with %s\n", source->sha256);
    }
}

static void print_entry(void *user, const allin1_model_entry *entry)
{
    listing *l = user;
    const request *r = l->request;
    char state[64];
    bool wanted = r->name_count == 0;
    for (int i = 0; i < r->name_count; i++)
        if (strcmp(r->names[i], entry->name) == 0)
            wanted = l->seen[i] = true;
    if (!wanted)
        return;
    format_state(state, sizeof state, entry);
    if (r->name_count == 0 && !r->verbose) {
        if (!l->headed)
            printf("%-15s  %-9s  %-16s  %s\n", "NAME", "FAMILY", "WEIGHTS", "WHAT IT DOES");
        printf("%-15s  %-9s  %-16s  %s\n", entry->name, entry->family, state, entry->description);
    } else {
        printf("%s%s: %s\n  family    %s\n  licence   %s\n  weights   %s\n", l->headed ? "\n" : "",
               entry->name, entry->description, entry->family, entry->licence, state);
        for (size_t i = 0; i < entry->part_count; i++)
            print_part(&entry->parts[i]);
        const char *card = r->what == SHOW ? allin1_model_card(entry->name) : NULL;
        if (card)
            printf("\n%s", card);
    }
    l->headed = true;
}

static int list(const request *r)
{
    bool seen[64] = {false};
    listing l = {.request = r, .seen = seen};
    allin1_error error;
    if (r->name_count > (int)(sizeof seen / sizeof *seen))
        return usage_error("too many %s", "names");
    if (allin1_models_list(&r->settings, print_entry, &l, &error) != ALLIN1_OK) {
        message_error("%s", error.message);
        return exit_status(error.status);
    }
    if (!standard_output_flush())
        return EXIT_SOME_FAILED;
    for (int i = 0; i < r->name_count; i++)
        if (!seen[i])
            return usage_error("there is no model \"%s\"", r->names[i]);
    return EXIT_GOOD;
}

/* ------------------------------------------------------------------------------------------------
 * fetch, verify, path */

typedef struct display {
    const request *request;
    bool drawn; /* a progress line is on the screen */
    bool told;  /* failures were named one by one */
} display;

static void clear_progress(display *d)
{
    if (d->drawn)
        fputs("\r\033[K", stderr);
    d->drawn = false;
}

static int show_progress(void *user, const char *what, uint64_t done, uint64_t total)
{
    display *d = user;
    if (interrupted())
        return 1;
    if (d->request->quiet || !isatty(STDERR_FILENO))
        return 0;
    char size[32] = "";
    if (total)
        snprintf(size, sizeof size, " of %.1f MB (%.0f %%)", (double)total / 1e6,
                 100.0 * (double)done / (double)total);
    fprintf(stderr, "\r\033[K  %.40s: %.1f%s", what, (double)done / 1e6, total ? size : " MB");
    fflush(stderr);
    d->drawn = true;
    return 0;
}

static void show_log(void *user, allin1_log_level level, const char *message)
{
    display *d = user;
    clear_progress(d);
    if (level <= ALLIN1_LOG_WARNING)
        message_plain("%s", message);
    else
        message_note("%s", message);
}

/* What was done or found goes to standard output, what failed is told with the other errors. */
static void show_event(void *user, const allin1_model_event *event)
{
    display *d = user;
    const request *r = d->request;
    clear_progress(d);
    if (event->status != ALLIN1_OK) {
        /* `verify` names each file; for the others there is the sentence at the end. */
        if (r->what == VERIFY) {
            message_error("%s", event->message);
            d->told = true;
        }
        return;
    }
    if (r->what == PATH) {
        if (*event->path)
            printf("%s\n", event->path);
        if (*event->message)
            message_plain("%s", event->message);
    } else if (!r->quiet) {
        printf("%-14s  %s%s(%s)\n", event->name, event->path, *event->path ? "  " : "",
               event->message);
    }
    fflush(stdout);
}

static allin1_status act(const request *r, const char *name, display *d, allin1_error *error)
{
    switch (r->what) {
    case FETCH:
        return allin1_models_fetch(&r->settings, name, show_event, d, error);
    case VERIFY:
        return allin1_models_verify(&r->settings, name, show_event, d, error);
    default:
        return allin1_models_path(&r->settings, name, show_event, d, error);
    }
}

static int act_on_all(request *r)
{
    static char all[] = "harmonix-all", demixer[] = "htdemucs";
    char *usual[] = {all, demixer};
    display d = {.request = r};
    int result = EXIT_GOOD;
    if (r->name_count == 0) {
        r->names = usual;
        r->name_count = 2;
    }
    r->settings.log = show_log;
    r->settings.log_user = &d;
    r->settings.progress = show_progress;
    r->settings.progress_user = &d;
    if (r->what == FETCH)
        interrupt_watch();
    for (int i = 0; i < r->name_count; i++) {
        allin1_error error;
        d.told = false;
        const allin1_status status = act(r, r->names[i], &d, &error);
        clear_progress(&d);
        if (status == ALLIN1_OK)
            continue;
        if (!d.told)
            message_error("%s", error.message);
        if (result == EXIT_GOOD || status == ALLIN1_ERROR_CANCELLED)
            result = exit_status(status);
        if (status == ALLIN1_ERROR_CANCELLED)
            break;
    }
    if (!standard_output_flush() && result == EXIT_GOOD)
        result = EXIT_SOME_FAILED;
    return result;
}

int models_command(int argc, char **argv)
{
    request r = {0};
    allin1_models_settings_default(&r.settings);
    const int done = parse(&r, argc, argv);
    if (done >= 0)
        return done;
    message_set_level(r.quiet ? -1 : r.verbose ? 1 : 0);
    return r.what == LIST || r.what == SHOW ? list(&r) : act_on_all(&r);
}
