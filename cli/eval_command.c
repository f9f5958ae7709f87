#include "eval_command.h"

#include <allin1/evaluation.h>

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "annotation_files.h"
#include "bad_option.h"
#include "messages.h"
#include "options.h"
#include "standard_output.h"
#include "terminal.h"

#define NAME_COLUMNS 28
#define GROUP_COLUMNS 18
#define LINE_COLUMNS 80

typedef struct evaluation {
    allin1_evaluation_settings settings;
    unsigned long long seed;
    bool json, quiet;
    const char *reference, *estimate;

    char **names; /* [count] */
    allin1_scores *scores;
    size_t count;
    size_t failures;
} evaluation;

/* The measures of the table, in which each song has a line. */
static const struct {
    allin1_measure measure;
    const char *heading;
} columns[] = {
    {ALLIN1_BEAT_F, "beats"},         {ALLIN1_DOWNBEAT_F, "downb."},
    {ALLIN1_TEMPO_ACC1, "Acc1"},      {ALLIN1_BOUNDARY_F05, "F@0.5"},
    {ALLIN1_BOUNDARY_F3, "F@3"},      {ALLIN1_LABEL_PAIRWISE_F, "pairw."},
    {ALLIN1_LABEL_ACCURACY, "labels"},
};

#define COLUMN_COUNT (sizeof columns / sizeof *columns)

static void put_help(void)
{
    fputs("Usage: allin1 eval [options] REF EST\n"
          "\n"
          "Tells how well an estimate agrees with a reference: beats, downbeats, tempo,\n"
          "boundaries and labels, by the definitions of mir_eval. REF and EST are files or\n"
          "two folders, whose files are matched by their names without suffix: results,\n"
          "JAMS, lab, beats, and the lists of the Harmonix Set and of Audacity. A song may\n"
          "have several files, one with its beats, one with its sections. For folders also\n"
          "the means with their 95 % bootstrap intervals are given.\n"
          "\n"
          "      --json                 one JSON document instead of tables\n"
          "      --beats-from SECONDS   earlier beats do not count (default: 5)\n"
          "      --seed N               of the bootstrap (default: 0)\n"
          "  -q, --quiet                only errors besides the scores\n"
          "  -h, --help                 this text\n"
          "\n"
          "Exit status: 0 all is well; 1 a file cannot be read, or nothing matches; 2 wrong\n"
          "usage.\n",
          stdout);
}

static int usage(const char *format, const char *argument)
{
    message_error(format, argument);
    message_plain("Try: allin1 eval --help");
    return EXIT_USAGE;
}

static bool parse_seconds(const char *text, double *seconds)
{
    char *end;
    *seconds = strtod(text, &end);
    return end != text && !*end && *seconds >= 0 && *seconds <= 1e9;
}

static bool parse_seed(const char *text, unsigned long long *seed)
{
    char *end;
    errno = 0;
    *seed = strtoull(text, &end, 10);
    return text[0] >= '0' && text[0] <= '9' && !*end && !errno;
}

/* -1 to go on, else the exit status. */
static int parse(evaluation *e, int argc, char **argv)
{
    enum { JSON = 256, BEATS_FROM, SEED };
    static const struct option known[] = {{"json", no_argument, NULL, JSON},
                                          {"beats-from", required_argument, NULL, BEATS_FROM},
                                          {"seed", required_argument, NULL, SEED},
                                          {"quiet", no_argument, NULL, 'q'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    int letter;
    opterr = 0;
    while ((letter = getopt_long(argc, argv, ":qh", known, NULL)) != -1) {
        if (letter == JSON)
            e->json = true;
        if (letter == 'q')
            e->quiet = true;
        if (letter == BEATS_FROM && !parse_seconds(optarg, &e->settings.beats_from))
            return usage("eval: --beats-from takes seconds, not \"%s\"", optarg);
        if (letter == SEED && !parse_seed(optarg, &e->seed))
            return usage("eval: --seed takes a whole number, not \"%s\"", optarg);
        if (letter == 'h') {
            put_help();
            return standard_output_flush() ? EXIT_GOOD : EXIT_SOME_FAILED;
        }
        if (letter == ':')
            return usage("eval: %s needs a value", argv[optind - 1]);
        if (letter == '?')
            return usage("eval: unknown option %s", bad_option(argv));
    }
    if (argc - optind != 2)
        return usage("eval: %s", "a reference and an estimate are needed");
    e->reference = argv[optind];
    e->estimate = argv[optind + 1];
    return -1;
}

/* Annotations -------------------------------------------------------------------------------------- */

/* What a song's files tell together; the files that were read own it. */
typedef struct whole_annotation {
    allin1_annotation shown;
    allin1_annotation **parts;
    size_t count;
} whole_annotation;

static void add_part(allin1_annotation *whole, const allin1_annotation *part)
{
    if (part->has_beats && !whole->has_beats) {
        whole->has_beats = 1;
        whole->beats = part->beats;
        whole->beat_count = part->beat_count;
        whole->has_downbeats = part->has_downbeats;
        whole->downbeats = part->downbeats;
        whole->downbeat_count = part->downbeat_count;
    }
    if (isnan(whole->tempo))
        whole->tempo = part->tempo;
    if (part->has_sections && !whole->has_sections) {
        whole->has_sections = 1;
        whole->sections = part->sections;
        whole->section_count = part->section_count;
    }
}

static void free_whole(whole_annotation *whole)
{
    for (size_t i = 0; i < whole->count; i++)
        allin1_annotation_free(&whole->parts[i]);
    free(whole->parts);
}

/* Reads files until beats and sections are known. */
static bool load(char *const *paths, size_t count, whole_annotation *whole)
{
    allin1_error error;
    *whole = (whole_annotation){.shown = {.tempo = NAN}};
    whole->parts = calloc(count, sizeof *whole->parts);
    if (!whole->parts) {
        message_error("%s: out of memory", paths[0]);
        return false;
    }
    for (size_t i = 0; i < count && !(whole->shown.has_beats && whole->shown.has_sections); i++) {
        if (allin1_annotation_load(paths[i], &whole->parts[i], &error) != ALLIN1_OK) {
            message_error("%s", error.message);
            return false;
        }
        whole->count = i + 1;
        add_part(&whole->shown, whole->parts[i]);
    }
    return true;
}

static bool is_defined(const allin1_scores *scores)
{
    for (size_t m = 0; m < ALLIN1_MEASURES; m++)
        if (!isnan(scores->values[m]))
            return true;
    return false;
}

/* One pair; its scores are appended. */
static void compare(evaluation *e, const char *name, char *const *references,
                    size_t reference_count, char *const *estimates, size_t estimate_count)
{
    whole_annotation reference, estimate = {.parts = NULL};
    allin1_error error;
    allin1_scores *scores = &e->scores[e->count];
    bool good = load(references, reference_count, &reference) &&
                load(estimates, estimate_count, &estimate);
    if (good && allin1_evaluate(&reference.shown, &estimate.shown, &e->settings, scores, &error) !=
                    ALLIN1_OK) {
        message_error("%s: %s", name, error.message);
        good = false;
    }
    if (good && !is_defined(scores)) {
        message_error("%s and %s have nothing in common that could be compared", references[0],
                      estimates[0]);
        good = false;
    }
    if (good && !(e->names[e->count] = strdup(name))) {
        message_error("%s: out of memory", name);
        good = false;
    }
    if (good)
        e->count++;
    else
        e->failures++;
    free_whole(&reference);
    free_whole(&estimate);
}

/* Output ------------------------------------------------------------------------------------------- */

static void put_score(double value)
{
    if (isnan(value))
        fputs("     -", stdout);
    else
        printf(" %5.3f", value);
}

/* All measures of one song, lines for each group. */
static void put_all(const allin1_scores *scores)
{
    const char *group = "";
    int column = 0;
    for (allin1_measure m = 0; m < ALLIN1_MEASURES; m++) {
        char text[64];
        if (isnan(scores->values[m]))
            continue;
        const bool next = strcmp(group, allin1_measure_group(m)) != 0;
        const int length = snprintf(text, sizeof text, "  %s %.4f", allin1_measure_name(m),
                                    scores->values[m]);
        if (column > 0 && (next || column + length > LINE_COLUMNS)) {
            putchar('\n');
            column = 0;
        }
        group = allin1_measure_group(m);
        if (column == 0)
            column = printf("%-*s", GROUP_COLUMNS, next ? group : "");
        fputs(text, stdout);
        column += length;
    }
    putchar('\n');
}

static void put_table(const evaluation *e)
{
    char name[256];
    printf("%-*s", NAME_COLUMNS, "song");
    for (size_t c = 0; c < COLUMN_COUNT; c++)
        printf(" %6s", columns[c].heading);
    putchar('\n');
    for (size_t i = 0; i < e->count; i++) {
        text_fit(name, sizeof name, e->names[i], NAME_COLUMNS);
        fputs(name, stdout);
        printf("%*s", NAME_COLUMNS - text_width(name), "");
        for (size_t c = 0; c < COLUMN_COUNT; c++) {
            putchar(' ');
            put_score(e->scores[i].values[columns[c].measure]);
        }
        putchar('\n');
    }
}

static void put_means(const allin1_mean *means)
{
    printf("\n%-37s %6s  %-15s %5s\n", "", "mean", "95 % interval", "songs");
    for (allin1_measure m = 0; m < ALLIN1_MEASURES; m++)
        if (means[m].count > 0)
            printf("%-20s %-16s %6.4f  %6.4f - %6.4f %5zu\n", allin1_measure_group(m),
                   allin1_measure_name(m), means[m].mean, means[m].low, means[m].high,
                   means[m].count);
}

static bool put_result(const evaluation *e, bool folders)
{
    allin1_mean means[ALLIN1_MEASURES];
    allin1_error error;
    if (folders && allin1_mean_scores(e->scores, e->count, e->seed, means, &error) != ALLIN1_OK) {
        message_error("eval: %s", error.message);
        return false;
    }
    if (e->json) {
        char *text = allin1_evaluation_json((const char *const *)e->names, e->scores, e->count,
                                            folders ? means : NULL);
        if (text)
            puts(text);
        else
            message_error("eval: out of memory");
        allin1_string_free(text);
        return text != NULL;
    }
    if (!folders) {
        put_all(e->scores);
        return true;
    }
    put_table(e);
    put_means(means);
    return true;
}

/* Both kinds --------------------------------------------------------------------------------------- */

static bool make_room(evaluation *e, size_t count)
{
    e->names = calloc(count + 1, sizeof *e->names);
    e->scores = calloc(count + 1, sizeof *e->scores);
    return e->names && e->scores;
}

static void tell_unmatched(const char *path, const annotation_folder *folder,
                           const annotation_folder *other)
{
    for (size_t i = 0; i < folder->count; i++)
        if (!annotation_folder_find(other, folder->songs[i].name))
            message_note("%s: only in %s", folder->songs[i].name, path);
}

static bool compare_folders(evaluation *e)
{
    annotation_folder references, estimates = {.songs = NULL};
    const bool good = annotation_folder_read(&references, e->reference) &&
                      annotation_folder_read(&estimates, e->estimate) &&
                      make_room(e, references.count);
    for (size_t i = 0; good && i < references.count; i++) {
        const annotated_song *song = &references.songs[i];
        const annotated_song *other = annotation_folder_find(&estimates, song->name);
        if (other)
            compare(e, song->name, song->paths, song->path_count, other->paths, other->path_count);
    }
    if (good) {
        tell_unmatched(e->reference, &references, &estimates);
        tell_unmatched(e->estimate, &estimates, &references);
    }
    if (good && e->count + e->failures == 0)
        message_error("no song is in both %s and %s", e->reference, e->estimate);
    annotation_folder_free(&references);
    annotation_folder_free(&estimates);
    return good;
}

static int is_folder(const char *path)
{
    struct stat info;
    if (stat(path, &info) != 0) {
        message_error("%s: %s", path, strerror(errno));
        return -1;
    }
    return S_ISDIR(info.st_mode);
}

static int perform(evaluation *e)
{
    const int reference = is_folder(e->reference), estimate = is_folder(e->estimate);
    if (reference < 0 || estimate < 0)
        return EXIT_SOME_FAILED;
    if (reference != estimate)
        return usage("eval: %s", "two files or two folders are needed, not one of each");
    bool good;
    if (reference) {
        good = compare_folders(e);
    } else {
        char *paths[2] = {strdup(e->reference), strdup(e->estimate)};
        good = make_room(e, 1) && paths[0] && paths[1];
        if (good)
            compare(e, e->estimate, &paths[0], 1, &paths[1], 1);
        free(paths[0]);
        free(paths[1]);
    }
    good = good && e->count > 0 && put_result(e, reference) && e->failures == 0;
    return standard_output_flush() && good ? EXIT_GOOD : EXIT_SOME_FAILED;
}

int eval_command(int argc, char **argv)
{
    evaluation e = {.settings = {.beats_from = 5}};
    int status = parse(&e, argc, argv);
    if (status >= 0)
        return status;
    if (e.quiet)
        message_set_level(QUIET);
    status = perform(&e);
    for (size_t i = 0; e.names && i < e.count; i++)
        free(e.names[i]);
    free(e.names);
    free(e.scores);
    return status;
}
