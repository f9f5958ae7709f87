#include "options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "messages.h"
#include "musical_options.h"

#define MAX_THREADS 1024
#define MAX_SHIFTS 1000
#define HELP_COLUMN 30

typedef enum value_kind { NO_VALUE, VALUE, OPTIONAL_VALUE } value_kind;

typedef bool (*apply_fn)(options *out, const char *value);

/* One option. `help` may hold line breaks. An entry without `apply` is a heading. */
typedef struct option_entry {
    char letter;
    const char *name;
    value_kind kind;
    const char *placeholder;
    apply_fn apply;
    const char *help;
} option_entry;

static bool parse_number(const char *name, const char *text, unsigned long long limit,
                         unsigned long long *number)
{
    char *end;
    errno = 0;
    *number = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end || errno || *number > limit) {
        message_error("--%s takes a whole number from 0 to %llu, not \"%s\"", name, limit, text);
        return false;
    }
    return true;
}

#define STRING_OPTION(function, field)                                                             \
    static bool function(options *out, const char *value)                                         \
    {                                                                                              \
        out->field = value;                                                                        \
        return true;                                                                               \
    }

#define FLAG_OPTION(function, field)                                                               \
    static bool function(options *out, const char *value)                                         \
    {                                                                                              \
        (void)value;                                                                               \
        out->field = true;                                                                         \
        return true;                                                                               \
    }

STRING_OPTION(set_model, settings.model)
STRING_OPTION(set_demix_model, settings.demix_model)
STRING_OPTION(set_refine_model, settings.refine_model)
STRING_OPTION(set_weights_dir, settings.weights_dir)
STRING_OPTION(set_array_dir, array_dir)
STRING_OPTION(set_demix_dir, demix_dir)
STRING_OPTION(set_spec_dir, spec_dir)
STRING_OPTION(set_stems_dir, stems_dir)
STRING_OPTION(set_stems_pattern, stems_pattern)
STRING_OPTION(set_require, settings.require)
STRING_OPTION(set_timings, timings.lines)
STRING_OPTION(set_timings_json, timings.json)
STRING_OPTION(set_timings_trace, timings.trace)
STRING_OPTION(set_viz_dir, viz_dir)
STRING_OPTION(set_sonif_dir, sonif_dir)
STRING_OPTION(set_html_dir, html_dir)
STRING_OPTION(set_device, device)
FLAG_OPTION(set_keep, keep_byproducts)
FLAG_OPTION(set_activations, want_activations)
FLAG_OPTION(set_embeddings, want_embeddings)
FLAG_OPTION(set_json, print_json)

/* Said before the run, not after it. */
static bool set_timings_viz(options *out, const char *value)
{
    const char *dot = strrchr(value, '.');
    out->timings.figure = value;
    if (dot && (strcasecmp(dot, ".pdf") == 0 || strcasecmp(dot, ".svg") == 0 ||
                strcasecmp(dot, ".png") == 0))
        return true;
    message_error("--timings-viz takes a file that ends in .pdf, .svg or .png, not \"%s\"", value);
    return false;
}

FLAG_OPTION(set_spec_check, settings.spec_check)
FLAG_OPTION(set_spec_guard, settings.spec_guard)
FLAG_OPTION(set_precision_check, settings.precision_check)
FLAG_OPTION(set_timings_summary, timings.summary)
FLAG_OPTION(set_quantise, settings.quantise_stems)
FLAG_OPTION(set_sonify, sonify)
FLAG_OPTION(set_html, html)
FLAG_OPTION(set_help, help)
FLAG_OPTION(set_version, version)
FLAG_OPTION(set_no_multiprocess, no_multiprocess)

static bool set_out_dir(options *out, const char *value)
{
    out->out_dir = value;
    out->out_dir_given = true;
    return true;
}

static bool set_formats(options *out, const char *value)
{
    return format_list_parse(&out->formats, value);
}

static bool set_threads(options *out, const char *value)
{
    unsigned long long number;
    if (!parse_number("threads", value, MAX_THREADS, &number))
        return false;
    out->settings.threads = (unsigned)number;
    return true;
}

static bool set_shifts(options *out, const char *value)
{
    unsigned long long number;
    if (!parse_number("demix-shifts", value, MAX_SHIFTS, &number))
        return false;
    out->settings.demix_shifts = (unsigned)number;
    return true;
}

static bool set_seed(options *out, const char *value)
{
    unsigned long long number;
    if (!parse_number("demix-seed", value, UINT64_MAX, &number))
        return false;
    out->settings.demix_seed = number;
    return true;
}

static bool set_spec_backend(options *out, const char *value)
{
    static const allin1_spec_backend all[] = {ALLIN1_SPEC_AUTO, ALLIN1_SPEC_REFERENCE,
                                              ALLIN1_SPEC_FAST};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (strcmp(value, allin1_spec_backend_string(all[i])) == 0) {
            out->settings.spec_backend = all[i];
            return true;
        }
    }
    message_error("--spec-backend takes auto, reference or fast, not \"%s\"", value);
    return false;
}

static bool set_precision(options *out, const char *value)
{
    static const allin1_precision all[] = {ALLIN1_PRECISION_AUTO, ALLIN1_PRECISION_FP32,
                                           ALLIN1_PRECISION_BF16, ALLIN1_PRECISION_MIXED};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (strcmp(value, allin1_precision_string(all[i])) == 0) {
            out->settings.precision = all[i];
            return true;
        }
    }
    message_error("--precision takes auto, fp32, bf16 or mixed, not \"%s\"", value);
    return false;
}

static bool parse_threshold(const char *name, const char *text, double *value)
{
    char *end;
    *value = strtod(text, &end);
    if (((text[0] >= '0' && text[0] <= '9') || text[0] == '.') && !*end && *value <= 1000)
        return true;
    message_error("--%s takes a number from 0 to 1000, not \"%s\"", name, text);
    return false;
}

static bool set_spec_guard_mean(options *out, const char *value)
{
    return parse_threshold("spec-guard-mean", value, &out->settings.spec_guard_mean);
}

static bool set_spec_guard_max(options *out, const char *value)
{
    return parse_threshold("spec-guard-max", value, &out->settings.spec_guard_max);
}

static bool set_precision_check_mean(options *out, const char *value)
{
    return parse_threshold("precision-check-mean", value, &out->settings.precision_check_mean);
}

static bool set_cpu_level(options *out, const char *value)
{
    for (allin1_cpu_level level = ALLIN1_CPU_AUTO; level <= ALLIN1_CPU_AVX512; level++) {
        if (strcmp(value, allin1_cpu_level_string(level)) == 0) {
            out->settings.cpu_level = level;
            return true;
        }
    }
    message_error("--cpu-level takes auto, scalar, neon, avx2 or avx512, not \"%s\"", value);
    return false;
}

static bool set_quiet(options *out, const char *value)
{
    (void)value;
    out->level = QUIET;
    return true;
}

static bool set_verbose(options *out, const char *value)
{
    (void)value;
    out->level = VERBOSE;
    return true;
}

static bool set_visualize(options *out, const char *value)
{
    out->visualize = true;
    return set_verbose(out, value);
}

/* The word among `words` (ended by NULL) that is `value`, or NULL with a message. */
static const char *choose(const char *name, const char *value, const char *const *words)
{
    char list[128] = "";
    for (size_t i = 0, used = 0; words[i]; i++) {
        if (strcmp(words[i], value) == 0)
            return words[i];
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%s",
                                 i == 0 ? "" : words[i + 1] ? ", " : " or ", words[i]);
    }
    message_error("--%s takes %s, not \"%s\"", name, list, value);
    return NULL;
}

static bool set_viz_format(options *out, const char *value)
{
    static const char *const words[] = {"pdf", "svg", "png", NULL};
    out->viz_format = choose("viz-format", value, words);
    return out->viz_format != NULL;
}

static bool set_sonif_format(options *out, const char *value)
{
    static const char *const words[] = {"wav", "flac", "mp3", "opus", NULL};
    out->sonif_format = choose("sonif-format", value, words);
    return out->sonif_format != NULL;
}

static bool set_html_audio(options *out, const char *value)
{
    static const char *const words[] = {"auto", "opus", "original", "link", "none", NULL};
    for (size_t i = 0; words[i]; i++) {
        if (strcmp(words[i], value) == 0) {
            out->html_audio = (allin1_page_audio)i;
            return true;
        }
    }
    return choose("html-audio", value, words) != NULL;
}

/* Marks the stages of a list; false when one of its words is not a stage. */
static bool mark_stages(options *out, const char *list)
{
    while (true) {
        const size_t length = strcspn(list, ",");
        if (length == 3 && strncmp(list, "all", length) == 0)
            out->overwrite_demix = out->overwrite_spec = out->overwrite_json = true;
        else if (length == 5 && strncmp(list, "demix", length) == 0)
            out->overwrite_demix = true;
        else if (length == 4 && strncmp(list, "spec", length) == 0)
            out->overwrite_spec = true;
        else if (length == 4 && strncmp(list, "json", length) == 0)
            out->overwrite_json = true;
        else
            return false;
        if (list[length] == '\0')
            return true;
        list += length + 1;
    }
}

static bool set_overwrite(options *out, const char *value)
{
    if (mark_stages(out, value ? value : "all"))
        return true;
    message_error("--overwrite takes all or a list of demix, spec and json, not \"%s\"", value);
    return false;
}

static const option_entry entries[] = {
    {0, NULL, NO_VALUE, NULL, NULL, "Results"},
    {'o', "out-dir", VALUE, "DIR", set_out_dir, "where NAME.json goes (default: ./struct)"},
    {0, "json", NO_VALUE, NULL, set_json,
     "print the results on standard output, one document\n"
     "after the other; files are then written only when\n"
     "-o is given too"},
    {0, "format", VALUE, "LIST", set_formats,
     "what is written: json (default), or any of json,\n"
     "jams,lab,beats,midi and more: see allin1 convert\n"
     "--help"},
    {'a', "activ", NO_VALUE, NULL, set_activations,
     "also save the frame-wise probabilities,\nNAME.activ.npz"},
    {'e', "embed", NO_VALUE, NULL, set_embeddings, "also save the embeddings, NAME.embed.npy"},
    {0, "array-dir", VALUE, "DIR", set_array_dir,
     "where those two go (default: beside the results)"},
    {0, "overwrite", OPTIONAL_VALUE, "LIST", set_overwrite,
     "do again what is done: all (default), or a list of\n"
     "demix,spec,json; what follows from it is done too"},

    {0, NULL, NO_VALUE, NULL, NULL, "To see and to hear"},
    {'v', "visualize", NO_VALUE, NULL, set_visualize,
     "draw a figure of each song; also says what is\nreally used, as --verbose does"},
    {0, "viz-dir", VALUE, "DIR", set_viz_dir, "where the figures go (default: ./viz)"},
    {0, "viz-format", VALUE, "NAME", set_viz_format, "pdf (default), svg or png"},
    {0, "html", NO_VALUE, NULL, set_html,
     "make a page for the browser of each song, to look\nat and to play; and an index of several"},
    {0, "html-dir", VALUE, "DIR", set_html_dir, "where the pages go (default: ./html)"},
    {0, "html-audio", VALUE, "NAME", set_html_audio,
     "the sound in them: auto (default: opus if FFmpeg\n"
     "has it, else original), opus, original, link (not\n"
     "embedded) or none"},
    {'s', "sonify", NO_VALUE, NULL, set_sonify,
     "write each song with clicks on its beats, and\nrisers and drops where sections start"},
    {0, "sonif-dir", VALUE, "DIR", set_sonif_dir, "where these sounds go (default: ./sonif)"},
    {0, "sonif-format", VALUE, "NAME", set_sonif_format,
     "wav, flac, mp3 or opus (default: the song's own,\nflac where that is none of these)"},

    {0, NULL, NO_VALUE, NULL, NULL, "Models"},
    {'m', "model", VALUE, "NAME", set_model,
     "auto (default): harmonix-all where its weights and\n"
     "the demixer's are there, else student; student:\n"
     "built in, quick, not as good; harmonix-all,\n"
     "harmonix-fold0 to -fold7, or a weight file\n"
     "(FILE.a1w)"},
    {0, "demix", VALUE, "NAME", set_demix_model,
     "htdemucs (default), a weight file, or none: a fast\nguess from the mix, not as good; not for a student"},
    {0, "demix-model", VALUE, "NAME", set_demix_model, "the same"},
    {0, "refine", VALUE, "P", set_refine,
     "the student first; songs of which it is less sure\n"
     "than P, 0 to 1, go through the full pipeline, too"},
    {0, "refine-model", VALUE, "NAME", set_refine_model,
     "the full pipeline's network (default:\nharmonix-all)"},
    {0, "weights-dir", VALUE, "DIR", set_weights_dir,
     "look for weights here first, then in\n$ALLIN1_WEIGHTS and in the user's cache"},

    {0, NULL, NO_VALUE, NULL, NULL, "Tempo, metre and labels"},
    {0, "min-bpm", VALUE, "N", set_min_bpm, "the slowest tempo of the beats (default: 55)"},
    {0, "max-bpm", VALUE, "N", set_max_bpm, "the fastest one (default: 215)"},
    {0, "tempo-hint", VALUE, "N", set_tempo_hint,
     "about this tempo, not its half or its double:\n"
     "beats within half an octave on either side"},
    {0, "beats-per-bar", VALUE, "LIST", set_beats_per_bar,
     "metres of 2 to 12 beats to choose from, weighted\nif you like: 3,4:2,7:0.5 (default: 3,4)"},
    {0, "transition-lambda", VALUE, "N", set_transition_lambda,
     "how steady the tempo is (default: the model's,\nof the full ones 100); less follows freer playing"},
    {0, "unknown", VALUE, "P", set_unknown,
     "label sections \"unknown\" whose label has a lower\nprobability than P (default: never)"},

    {0, NULL, NO_VALUE, NULL, NULL, "Stems and by-products"},
    {0, "stems-dir", VALUE, "DIR", set_stems_dir, "use ready stems instead of demixing"},
    {0, "stems-pattern", VALUE, "PATTERN", set_stems_pattern,
     "names of the stems in it: %n is the song, %s the\nstem, %e the extension (default: the usual ones)"},
    {0, "demix-shifts", VALUE, "N", set_shifts,
     "average N randomly shifted separations\n(default: 0, one without a shift)"},
    {0, "demix-seed", VALUE, "N", set_seed, "of the random shifts (default: 0)"},
    {0, "quantise-stems", NO_VALUE, NULL, set_quantise,
     "round the stems to 16 bits as the reference\nimplementation's files do"},
    {0, "spec-backend", VALUE, "NAME", set_spec_backend,
     "auto (default), reference (double precision), fast"},
    {'k', "keep-byproducts", NO_VALUE, NULL, set_keep, "keep the stems and the spectrograms"},
    {0, "demix-dir", VALUE, "DIR", set_demix_dir,
     "the stems' folder (default: ./demix); stems kept\nthere earlier are used again when they fit"},
    {0, "spec-dir", VALUE, "DIR", set_spec_dir,
     "the same for the spectrograms (default: ./spec)"},

    {0, NULL, NO_VALUE, NULL, NULL, "Machine"},
    {0, "threads", VALUE, "N", set_threads, "0 (default): one for each processor"},
    {0, "cpu-level", VALUE, "NAME", set_cpu_level,
     "auto (default), scalar, neon, avx2 or avx512"},
    {0, "precision", VALUE, "NAME", set_precision,
     "the demixer's arithmetic: fp32, bf16 or mixed; or\n"
     "auto (default), the fastest that keeps the results"},
    {0, "timings", VALUE, "FILE", set_timings,
     "append the time of each stage to FILE, as JSON\nlines"},
    {0, "timings-summary", NO_VALUE, NULL, set_timings_summary,
     "show a table of the stages at the end"},
    {0, "timings-json", VALUE, "FILE", set_timings_json,
     "write the run's timings as one JSON document"},
    {0, "timings-trace", VALUE, "FILE", set_timings_trace,
     "write a trace for Perfetto, speedscope and others\nthat read Chrome's format"},
    {0, "timings-viz", VALUE, "FILE", set_timings_viz,
     "draw what ran when and on which thread: a PDF, SVG\nor PNG file"},

    {0, NULL, NO_VALUE, NULL, NULL, "Guards"},
    {0, "require", VALUE, "LIST", set_require,
     "fail unless this is what runs: a list such as\n"
     "model=harmonix-all,demix=bf16,threads=2,cpu=avx2"},
    {0, "spec-check", NO_VALUE, NULL, set_spec_check,
     "compare the fast spectrogram with the reference\none, once, and tell how they differ"},
    {0, "spec-guard", NO_VALUE, NULL, set_spec_guard,
     "likewise, and use reference when they differ by\nmore than is allowed"},
    {0, "spec-guard-mean", VALUE, "X", set_spec_guard_mean,
     "allowed in the mean (default: 1e-5)"},
    {0, "spec-guard-max", VALUE, "X", set_spec_guard_max, "allowed at most (default: 1e-3)"},
    {0, "precision-check", NO_VALUE, NULL, set_precision_check,
     "separate a part with fp32, too, and use fp32 when\nthe spectrograms differ by more than is allowed"},
    {0, "precision-check-mean", VALUE, "X", set_precision_check_mean,
     "allowed in the mean (default: 0.005)"},

    {0, NULL, NO_VALUE, NULL, NULL, "Messages"},
    {'q', "quiet", NO_VALUE, NULL, set_quiet, "only errors"},
    {0, "verbose", NO_VALUE, NULL, set_verbose, "also what is really used"},
    {'h', "help", NO_VALUE, NULL, set_help, "this text"},
    {0, "version", NO_VALUE, NULL, set_version, "the version"},

    {0, NULL, NO_VALUE, NULL, NULL, "Taken for compatibility, without effect"},
    {'d', "device", VALUE, "NAME", set_device, "everything runs on the processor"},
    {0, "no-multiprocess", NO_VALUE, NULL, set_no_multiprocess, "see --threads"},
};

#define ENTRY_COUNT (sizeof entries / sizeof *entries)

static void print_entry(FILE *stream, const option_entry *entry)
{
    char left[HELP_COLUMN * 2];
    int used = entry->letter ? snprintf(left, sizeof left, "  -%c, --%s", entry->letter, entry->name)
                             : snprintf(left, sizeof left, "      --%s", entry->name);
    if (entry->kind == VALUE)
        used += snprintf(left + used, sizeof left - (size_t)used, " %s", entry->placeholder);
    if (entry->kind == OPTIONAL_VALUE)
        used += snprintf(left + used, sizeof left - (size_t)used, "[=%s]", entry->placeholder);
    const char *help = entry->help;
    fprintf(stream, "%-*s", HELP_COLUMN - 1, left);
    while (true) {
        const size_t length = strcspn(help, "\n");
        fprintf(stream, " %.*s\n", (int)length, help);
        if (help[length] == '\0')
            return;
        help += length + 1;
        fprintf(stream, "%*s", HELP_COLUMN - 1, "");
    }
}

void options_help(FILE *stream)
{
    fputs("Usage: allin1 [options] FILE...\n"
          "       allin1 models list | show | fetch | verify | path\n"
          "       allin1 show RESULT.json...\n"
          "       allin1 convert --format LIST RESULT.json...\n"
          "       allin1 timings show FILE... | compare BEFORE AFTER\n"
          "       allin1 bench FILE...\n"
          "       allin1 eval REF EST\n"
          "\n"
          "Finds the musical structure of songs: tempo, beats, downbeats, beat positions\n"
          "and labelled sections. FILE is any audio file; its result is NAME.json.\n",
          stream);
    for (size_t i = 0; i < ENTRY_COUNT; i++) {
        if (entries[i].name)
            print_entry(stream, &entries[i]);
        else
            fprintf(stream, "\n%s:\n", entries[i].help);
    }
    fputs("\n"
          "  --                          ends the options\n"
          "\n"
          "A file whose result is there already, made from the same content with the same\n"
          "models, version and settings, is skipped. Two files of the same name get\n"
          "NAME.json and NAME-2.json. A song named like a command is written ./models.\n"
          "\n"
          "Exit status: 0 all is well; 1 some files failed; 2 wrong usage; 3 weights are\n"
          "missing or damaged; 4 what is required is not what runs; 130 interrupted.\n",
          stream);
}

/* The option that `name` (of `length` bytes) means: its full name or an unambiguous beginning. */
static const option_entry *find_long(const char *name, size_t length)
{
    const option_entry *found = NULL;
    size_t matches = 0;
    for (size_t i = 0; i < ENTRY_COUNT; i++) {
        if (!entries[i].name || strncmp(entries[i].name, name, length) != 0)
            continue;
        if (entries[i].name[length] == '\0')
            return &entries[i];
        found = &entries[i];
        matches++;
    }
    if (matches == 1)
        return found;
    if (matches == 0)
        message_error("unknown option --%.*s", (int)length, name);
    else
        message_error("--%.*s could mean several options", (int)length, name);
    return NULL;
}

static const option_entry *find_letter(char letter)
{
    for (size_t i = 0; i < ENTRY_COUNT; i++)
        if (entries[i].letter == letter && letter)
            return &entries[i];
    message_error("unknown option -%c", letter);
    return NULL;
}

/* Whether the word after a bare --overwrite is its list. A file of that name is an input. */
static bool is_overwrite_list(const char *word)
{
    options scratch = {0};
    struct stat info;
    return word && mark_stages(&scratch, word) &&
           !(stat(word, &info) == 0 && S_ISREG(info.st_mode));
}

/* The position in argv, and in a cluster of letters. */
typedef struct cursor {
    int argc, next;
    char **argv;
} cursor;

static bool apply(options *out, const option_entry *entry, const char *attached, cursor *at)
{
    const char *value = attached;
    if (entry->kind == NO_VALUE && attached) {
        message_error("--%s takes no value", entry->name);
        return false;
    }
    if (entry->kind == VALUE && !attached) {
        if (at->next >= at->argc) {
            message_error("--%s needs a value: %s", entry->name, entry->placeholder);
            return false;
        }
        value = at->argv[at->next++];
    }
    if (entry->kind == VALUE && !*value) {
        message_error("--%s needs a value: %s", entry->name, entry->placeholder);
        return false;
    }
    if (entry->kind == OPTIONAL_VALUE && !attached && at->next < at->argc &&
        is_overwrite_list(at->argv[at->next]))
        value = at->argv[at->next++];
    return entry->apply(out, value);
}

static bool parse_long(options *out, const char *word, cursor *at)
{
    const size_t length = strcspn(word, "=");
    const option_entry *entry = find_long(word, length);
    return entry && apply(out, entry, word[length] == '=' ? word + length + 1 : NULL, at);
}

static bool parse_letters(options *out, const char *letters, cursor *at)
{
    for (; *letters; letters++) {
        const option_entry *entry = find_letter(*letters);
        if (!entry)
            return false;
        if (entry->kind != NO_VALUE)
            return apply(out, entry, letters[1] ? letters + 1 : NULL, at);
        if (!apply(out, entry, NULL, at))
            return false;
    }
    return true;
}

static bool parse_words(options *out, cursor *at)
{
    bool ended = false;
    while (at->next < at->argc) {
        char *word = at->argv[at->next++];
        if (ended || word[0] != '-' || word[1] == '\0') {
            out->inputs[out->input_count++] = word; /* never ahead of at->next */
        } else if (strcmp(word, "--") == 0) {
            ended = true;
        } else if (word[1] == '-' ? !parse_long(out, word + 2, at)
                                  : !parse_letters(out, word + 1, at)) {
            return false;
        }
    }
    return true;
}

bool options_parse(options *out, int argc, char **argv)
{
    *out = (options){.out_dir = "./struct",
                     .demix_dir = "./demix",
                     .spec_dir = "./spec",
                     .viz_dir = "./viz",
                     .viz_format = "pdf",
                     .sonif_dir = "./sonif",
                     .html_dir = "./html"};
    allin1_settings_default(&out->settings);
    format_list_default(&out->formats);
    out->inputs = argv + 1;
    cursor at = {.argc = argc, .argv = argv, .next = 1};
    bool good = parse_words(out, &at);
    if (good && !out->help && !out->version && out->input_count == 0) {
        message_error("no file was given");
        good = false;
    }
    if (good && out->stems_pattern && !out->stems_dir) {
        message_error("--stems-pattern needs --stems-dir");
        good = false;
    }
    if (good && out->formats.given && out->print_json && !out->out_dir_given) {
        message_error("--format writes files: with --json it needs --out-dir");
        good = false;
    }
    if (!good)
        message_plain("Try: allin1 --help");
    return good;
}
