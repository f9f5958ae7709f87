#include "analyze_command.h"

#include <allin1/allin1.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "format_files.h"
#include "interrupt.h"
#include "messages.h"
#include "options.h"
#include "process_start.h"
#include "progress_bar.h"
#include "render_outputs.h"
#include "result_names.h"
#include "standard_output.h"
#include "timings_output.h"

typedef enum outcome { DONE, SKIPPED, SAME_FILE, FAILED, LEFT } outcome;

typedef struct run {
    options options;
    allin1_context *context;
    allin1_index *index; /* of the pages; NULL: none is made */
    named_input *inputs;
    outcome *outcomes;
    int count;
    timings_output timings;
    bool output_lost, weights_failed, requirement_failed;
    bool kept_nothing; /* of a song that the student heard */
    bool wrong_usage; /* seen only when the files that the options name were read */
} run;

/* Paths of one input's files; all owned. */
typedef struct file_set {
    char *json, *activations, *embeddings; /* absolute where they go into a result */
    char *demix_dir, *spec_file;
    format_files formats; /* all but json */
} file_set;

/* Callbacks -------------------------------------------------------------------------------------- */

static int on_progress(void *user, const allin1_progress *progress)
{
    (void)user;
    progress_bar_update(progress);
    return interrupted() != 0;
}

static void on_log(void *user, allin1_log_level level, const char *message)
{
    (void)user;
    if (level <= ALLIN1_LOG_WARNING)
        message_note("%s", message);
    else
        message_detail("%s", message);
}

/* What a guard found is told unasked; a breach even when only errors are wanted. */
static void say_check(const allin1_span *span)
{
    char snr[48] = "";
    if (span->snr > -1000 && span->snr < 1000)
        snprintf(snr, sizeof snr, ", lowest SNR of a stem %.1f dB", span->snr);
    (span->breach ? message_plain : message_note)(
        "%s: %s differs by %.3g in the mean, %.3g at most%s: %s", span->stage,
        span->precision ? span->precision : span->backend, span->difference_mean,
        span->difference_max, snr, span->breach ? "more than is allowed" : "good");
}

static void on_span(void *user, const allin1_span *span)
{
    run *r = user;
    if (span->checked)
        say_check(span);
    if (r->timings.timings)
        timings_output_span(&r->timings, span);
}

/* Set-up ----------------------------------------------------------------------------------------- */

static bool is_weights_error(allin1_status status)
{
    return status == ALLIN1_ERROR_WEIGHTS_MISSING || status == ALLIN1_ERROR_WEIGHTS_DAMAGED;
}

/* Returns the exit status of a failure, or EXIT_GOOD. */
static int open_context(run *r)
{
    allin1_settings *settings = &r->options.settings;
    allin1_error error;
    settings->log = on_log;
    settings->progress = on_progress;
    settings->started = process_start();
    if (r->timings.timings || settings->spec_check || settings->spec_guard ||
        settings->precision_check) {
        settings->span = on_span;
        settings->span_user = r;
    }
    const allin1_status status = allin1_open(&r->context, settings, &error);
    if (status == ALLIN1_OK)
        return EXIT_GOOD;
    message_error("%s", error.message);
    if (status == ALLIN1_ERROR_REQUIREMENT)
        return EXIT_REQUIREMENT;
    if (status == ALLIN1_ERROR_ARGUMENT || status == ALLIN1_ERROR_UNSUPPORTED) {
        message_plain("Try: allin1 --help");
        return EXIT_USAGE;
    }
    return is_weights_error(status) ? EXIT_WEIGHTS : EXIT_SOME_FAILED;
}

static bool writes_files(const options *o)
{
    return !o->print_json || o->out_dir_given;
}

static bool plan_inputs(run *r)
{
    const options *o = &r->options;
    r->count = o->input_count;
    r->inputs = calloc((size_t)r->count + 1, sizeof *r->inputs);
    r->outcomes = calloc((size_t)r->count + 1, sizeof *r->outcomes);
    if (!r->inputs || !r->outcomes)
        return false;
    for (int i = 0; i < r->count; i++) {
        r->inputs[i].path = o->inputs[i];
        r->outcomes[i] = LEFT;
    }
    return name_results(r->inputs, r->count, writes_files(o) ? o->out_dir : NULL);
}

static void say_set_up(const run *r)
{
    const allin1_run *facts = allin1_context_run(r->context);
    const options *o = &r->options;
    if (o->device)
        message_note("--device %s has no meaning here: everything runs on the processor",
                     o->device);
    if (o->no_multiprocess)
        message_note("--no-multiprocess has no meaning here; see --threads");
    message_detail("allin1 %s, cpu %s (%s), level %s (asked: %s), threads %u (asked: %u)",
                   facts->version, facts->processor, facts->host,
                   allin1_cpu_level_string(facts->cpu_level),
                   allin1_cpu_level_string(facts->cpu_level_requested), facts->threads,
                   facts->threads_requested);
}

/* Files ------------------------------------------------------------------------------------------ */

static char *format_path(const char *format, const char *folder, const char *name, bool *good)
{
    char *path = NULL;
    if (asprintf(&path, format, folder, name) < 0) {
        *good = false;
        return NULL;
    }
    return path;
}

/* An absolute form of a folder that need not exist yet. */
static char *absolute(const char *folder, bool *good)
{
    char *working = NULL, *path = NULL;
    if (folder[0] == '/') {
        path = strdup(folder);
    } else if ((working = getcwd(NULL, 0))) {
        while (folder[0] == '.' && folder[1] == '/')
            folder += 2 + strspn(folder + 2, "/");
        const bool here = strcmp(folder, ".") == 0 || !*folder;
        path = here ? strdup(working) : format_path("%s/%s", working, folder, good);
    }
    free(working);
    *good &= path != NULL;
    return path;
}

static void free_files(file_set *files)
{
    free(files->json);
    free(files->activations);
    free(files->embeddings);
    free(files->demix_dir);
    free(files->spec_file);
    format_files_free(&files->formats);
}

static bool find_files(const run *r, const named_input *input, file_set *files)
{
    const options *o = &r->options;
    bool good = true;
    *files = (file_set){0};
    char *arrays = NULL;
    if (o->want_activations || o->want_embeddings)
        arrays = absolute(o->array_dir ? o->array_dir : o->out_dir, &good);
    if (!good)
        return false;
    if (writes_files(o)) {
        if (format_list_has(&o->formats, "json"))
            files->json = format_path("%s/%s.json", o->out_dir, input->name, &good);
        good &= format_files_name(&files->formats, &o->formats, o->out_dir, input->name);
    }
    if (o->want_activations)
        files->activations = format_path("%s/%s.activ.npz", arrays, input->name, &good);
    if (o->want_embeddings)
        files->embeddings = format_path("%s/%s.embed.npy", arrays, input->name, &good);
    files->demix_dir = format_path("%s/htdemucs/%s", o->demix_dir, input->name, &good);
    files->spec_file = format_path("%s/%s.npy", o->spec_dir, input->name, &good);
    free(arrays);
    return good;
}

static allin1_request make_request(const options *o, const file_set *files)
{
    /* What follows from a stage is made anew with it. */
    return (allin1_request){.stems_dir = o->stems_dir,
                            .stems_pattern = o->stems_pattern,
                            .demix_dir = files->demix_dir,
                            .spec_file = files->spec_file,
                            .keep_byproducts = o->keep_byproducts,
                            .recompute_demix = o->overwrite_demix,
                            .recompute_spec = o->overwrite_spec,
                            .want_activations = o->want_activations || o->html,
                            .want_embeddings = o->want_embeddings,
                            .want_waveform = o->visualize || o->html};
}

/* Skipping --------------------------------------------------------------------------------------- */

static bool same_text(const char *a, const char *b)
{
    return a && b && strcmp(a, b) == 0;
}

/* The result that is there when it holds for this input, with all that is asked for; else NULL. */
static allin1_result *load_held(const char *key, const file_set *files)
{
    allin1_result *old;
    allin1_arrays kept;
    if (!files->json || allin1_load_json(files->json, &old, &kept, NULL) != ALLIN1_OK)
        return NULL;
    bool done = same_text(old->provenance.key, key);
    if (files->activations)
        done = done && same_text(kept.activations, files->activations) &&
               access(files->activations, R_OK) == 0;
    if (files->embeddings)
        done = done && same_text(kept.embeddings, files->embeddings) &&
               access(files->embeddings, R_OK) == 0;
    if (!done)
        allin1_result_free(&old);
    return old;
}

static allin1_result *load_done(allin1_context *context, const char *key, const char *path,
                                const file_set *files)
{
    allin1_span_begin(context, ALLIN1_STAGE_RESULT_CHECK, NULL, path);
    allin1_result *done = load_held(key, files);
    allin1_span_end(context);
    return done;
}

static bool print_file(const char *path)
{
    FILE *file = fopen(path, "r");
    char part[4096];
    size_t got;
    if (!file) {
        message_error("%s: %s", path, strerror(errno));
        return false;
    }
    while ((got = fread(part, 1, sizeof part, file)) > 0)
        fwrite(part, 1, got, stdout);
    const bool good = !ferror(file);
    if (!good)
        message_error("%s: cannot be read to its end: %s", path, strerror(errno));
    fclose(file);
    fputc('\n', stdout);
    return good;
}

/* One input -------------------------------------------------------------------------------------- */

static void say_model_files(const char *what, const allin1_model_file *files, size_t count)
{
    for (size_t i = 0; i < count; i++)
        message_detail("  %s: %s (%s, digest %s; %s)", what, files[i].path, files[i].format,
                       files[i].digest, files[i].licence);
}

static void say_beats_used(const allin1_provenance *from)
{
    char metres[ALLIN1_MAX_METRES * 16] = "", hint[48] = "";
    size_t used = 0;
    for (size_t m = 0; m < from->metre_count; m++)
        used += (size_t)snprintf(metres + used, sizeof metres - used, "%s%u:%g", m > 0 ? "," : "",
                                 from->metres[m].beats, from->metres[m].weight);
    if (from->tempo_hint > 0)
        snprintf(hint, sizeof hint, " (hint: %g)", from->tempo_hint);
    message_detail("  beats: %.4g to %.4g bpm%s, beats a bar %s, transition lambda %g",
                   from->min_bpm, from->max_bpm, hint, metres, from->transition_lambda);
    if (from->unknown_threshold > 0)
        message_detail("  labels: unknown below %g", from->unknown_threshold);
}

static void say_student(const allin1_student *student)
{
    if (!student)
        return;
    char confidence[32] = "unknown", louder[64] = "";
    if (student->confidence >= 0)
        snprintf(confidence, sizeof confidence, "%.2f", student->confidence);
    if (student->gain_db > 0)
        snprintf(louder, sizeof louder, ", heard %.1f dB louder, as the song is quiet", student->gain_db);
    message_detail("  student: confidence %s%s%s (%s, digest %s)", confidence, louder,
                   student->refined      ? ", refined by the full pipeline"
                   : student->refine > 0 ? ", not refined"
                                         : "",
                   student->model, student->digest);
}

static void say_used(const allin1_result *result)
{
    const allin1_provenance *from = &result->provenance;
    message_detail("  input: %s %s, %s, %d Hz, %.2f s; skipped %lld + %lld samples",
                   from->container, from->codec, from->channel_layout, from->sample_rate,
                   result->duration, (long long)from->skipped_start, (long long)from->skipped_end);
    char precision[64] = "";
    if (*from->demix_precision)
        snprintf(precision, sizeof precision, ", precision %s (asked: %s)", from->demix_precision,
                 from->demix_precision_requested);
    if (result->student && !result->student->refined)
        message_detail("  stems: none, the student hears the mix");
    else if (from->stems == ALLIN1_ORIGIN_GUESSED)
        message_detail("  stems: guessed from the mix, without a demixer");
    else
        message_detail("  stems: %s%s%s, shifts %u, seed %llu%s", allin1_origin_string(from->stems),
                       *from->stems_mode ? ", " : "", from->stems_mode, from->demix_shifts,
                       (unsigned long long)from->demix_seed, precision);
    message_detail("  spectrogram: %s, backend %s (asked: %s)",
                   allin1_origin_string(from->spectrogram),
                   allin1_spec_backend_string(from->spec_backend),
                   allin1_spec_backend_string(from->spec_backend_requested));
    message_detail("  network: %s (asked: %s), %s, cpu level %s, threads %u, downbeat threshold %g",
                   from->model, from->model_requested, from->precision,
                   allin1_cpu_level_string(from->cpu_level), from->threads,
                   from->downbeat_threshold);
    say_student(result->student);
    say_beats_used(from);
    if (*from->demix_fallback)
        message_detail("  stems: not as asked: %s", from->demix_fallback);
    if (*from->spec_fallback)
        message_detail("  spectrogram: not as asked: %s", from->spec_fallback);
    say_model_files("demixer", from->demix_files, from->demix_file_count);
    say_model_files("network", from->model_files, from->model_file_count);
}

/* By-products that took part are named also without -v: nothing is used silently. */
static void say_done(const allin1_result *result, const char *path, const file_set *files)
{
    const allin1_provenance *from = &result->provenance;
    const char *reused = from->spectrogram == ALLIN1_ORIGIN_BYPRODUCT ? ", from the kept spectrogram"
                         : from->stems == ALLIN1_ORIGIN_BYPRODUCT     ? ", from the kept stems"
                                                                      : "";
    char tempo[32] = "no beat";
    if (result->bpm > 0)
        snprintf(tempo, sizeof tempo, "%d bpm", result->bpm);
    const char *refined = result->student && result->student->refined ? ", refined" : "";
    const char *file = files->json ? files->json : format_files_first(&files->formats);
    message_note("%s: %s, %zu beat%s, %zu section%s%s%s%s%s", path, tempo, result->beat_count,
                 result->beat_count == 1 ? "" : "s", result->segment_count,
                 result->segment_count == 1 ? "" : "s", refined, reused, file ? " -> " : "",
                 file ? file : "");
    say_used(result);
}

/* The arrays and the other formats first: the result is the sign that all is there. */
static allin1_status save(run *r, const allin1_result *result, const file_set *files,
                          allin1_error *error)
{
    const allin1_arrays kept = {.activations = files->activations,
                                .embeddings = files->embeddings};
    allin1_status status = ALLIN1_OK;
    if (files->activations)
        status = allin1_save_activations(r->context, result, files->activations, error);
    if (status == ALLIN1_OK && files->embeddings)
        status = allin1_save_embeddings(r->context, result, files->embeddings, error);
    if (status == ALLIN1_OK)
        status = format_files_save(&files->formats, r->context, result, error);
    if (status == ALLIN1_OK && files->json)
        status = allin1_save_json(r->context, result, &kept, files->json, error);
    if (status == ALLIN1_OK && r->options.print_json) {
        allin1_span_begin(r->context, ALLIN1_STAGE_SAVE, "standard output", result->path);
        char *text = allin1_result_json(result, &kept);
        if (text)
            puts(text);
        else
            message_error("%s: its result is not printed: out of memory", result->path);
        allin1_string_free(text);
        if (!text || !standard_output_flush())
            r->output_lost = true;
        allin1_span_end(r->context);
    }
    return status;
}

static outcome failed(run *r, const allin1_error *error, const char *path)
{
    if (error->status == ALLIN1_ERROR_CANCELLED)
        return LEFT;
    r->weights_failed |= is_weights_error(error->status);
    r->wrong_usage |= error->status == ALLIN1_ERROR_ARGUMENT;
    r->requirement_failed |= error->status == ALLIN1_ERROR_REQUIREMENT;
    /* Most messages begin with the file's name; those that do not get it. */
    if (is_weights_error(error->status) || strncmp(error->message, path, strlen(path)) == 0)
        message_error("%s", error->message);
    else
        message_error("%s: %s", path, error->message);
    return FAILED;
}

/* What is seen and heard of a result; after an interruption nothing new is begun. */
static outcome render(run *r, const allin1_result *result, const named_input *input, outcome good)
{
    allin1_error error;
    if (!renders_anything(&r->options))
        return good;
    if (interrupted())
        return LEFT;
    const allin1_status status =
        render_outputs(r->context, &r->options, result, input->path, input->name,
                       r->index, &error);
    return status == ALLIN1_OK ? good : failed(r, &error, input->path);
}

/* A song that is done: what is asked for besides its result follows from that. */
static outcome skip(run *r, const allin1_result *result, const named_input *input,
                    const file_set *files)
{
    allin1_error error;
    message_note("%s: skipped, %s holds its result", input->path, files->json);
    if (format_files_refresh(&files->formats, r->context, files->json, input->resolved, &error) !=
        ALLIN1_OK)
        return failed(r, &error, input->path);
    if (r->options.print_json && (!print_file(files->json) || !standard_output_flush()))
        r->output_lost = true;
    return render(r, result, input, SKIPPED);
}

/* Said once: it is the same for all songs. */
static void say_not_kept(run *r, const allin1_result *result)
{
    if (r->options.keep_byproducts && result->student && !result->student->refined && !r->kept_nothing)
        message_note("--keep-byproducts: the student makes no stems, so that none are kept");
    r->kept_nothing |= result->student && !result->student->refined;
}

static outcome analyze(run *r, const named_input *input, const file_set *files)
{
    const options *o = &r->options;
    const allin1_request request = make_request(o, files);
    const bool again = o->overwrite_demix || o->overwrite_spec || o->overwrite_json;
    allin1_result *result = NULL;
    allin1_identity identity;
    allin1_error error;
    if (allin1_identify(r->context, input->path, &request, &identity, &error) != ALLIN1_OK)
        return failed(r, &error, input->path);
    if (!again && (result = load_done(r->context, identity.key, input->resolved, files))) {
        const outcome skipped = skip(r, result, input, files);
        allin1_result_free(&result);
        return skipped;
    }
    if (input->damaged && files->json)
        message_note("%s: is damaged and will be replaced", files->json);
    allin1_status status = allin1_analyze_file(r->context, input->path, &request, &result, &error);
    progress_bar_end();
    if (status == ALLIN1_OK)
        status = save(r, result, files, &error);
    if (status == ALLIN1_OK) {
        say_done(result, input->path, files);
        say_not_kept(r, result);
    }
    const outcome done =
        status == ALLIN1_OK ? render(r, result, input, DONE) : failed(r, &error, input->path);
    allin1_span_begin(r->context, ALLIN1_STAGE_RELEASE, "result", NULL);
    allin1_result_free(&result);
    allin1_span_end(r->context);
    return done;
}

static outcome analyze_input(run *r, int index)
{
    const named_input *input = &r->inputs[index];
    struct stat info;
    file_set files;
    if (input->same_as >= 0) {
        message_note("%s: is the same file as %s", input->path, r->inputs[input->same_as].path);
        return SAME_FILE;
    }
    if (stat(input->path, &info) == 0 && S_ISDIR(info.st_mode)) {
        message_error("%s: is a folder; name the files in it, for example %s%s*", input->path,
                      input->path, input->path[strlen(input->path) - 1] == '/' ? "" : "/");
        return FAILED;
    }
    if (!input->name) {
        message_error("%s: its result can have no name in %s: %s", input->path, r->options.out_dir,
                      strerror(input->nameless));
        return FAILED;
    }
    if (!find_files(r, input, &files)) {
        message_error("%s: the names of its files: %s", input->path, strerror(errno));
        free_files(&files);
        return FAILED;
    }
    progress_bar_input(input->path, index + 1, r->count);
    const outcome result = analyze(r, input, &files);
    progress_bar_end();
    free_files(&files);
    return result;
}

/* All inputs ------------------------------------------------------------------------------------- */

static void analyze_all(run *r)
{
    for (int i = 0; i < r->count && !interrupted() && !r->weights_failed && !r->wrong_usage &&
                    !r->requirement_failed; i++) {
        r->outcomes[i] = analyze_input(r, i);
        /* Nobody reads any more, and nothing is written: there is no point in going on. */
        if (r->output_lost && !r->options.out_dir_given)
            break;
    }
}

/* One page needs no index, and half a list is worse than the last one. */
static bool begin_index(run *r)
{
    allin1_error error;
    if (!r->options.html || r->count < 2)
        return true;
    if (allin1_index_create(&r->index, &error) == ALLIN1_OK)
        return true;
    message_error("%s", error.message);
    return false;
}

static void finish_index(run *r)
{
    allin1_error error;
    if (r->index && !interrupted() &&
        render_index(r->context, &r->options, r->index, &error) != ALLIN1_OK) {
        message_error("%s", error.message);
        r->output_lost = true;
    }
}

static int count_outcomes(const run *r, outcome wanted)
{
    int count = 0;
    for (int i = 0; i < r->count; i++)
        count += r->outcomes[i] == wanted;
    return count;
}

static int conclude(const run *r)
{
    const int failures = count_outcomes(r, FAILED), left = count_outcomes(r, LEFT);
    if (left > 0) {
        message_plain("%s: %d of %d files are done, these are left:",
                      interrupted() ? "Interrupted" : "Stopped", r->count - failures - left,
                      r->count);
        for (int i = 0; i < r->count; i++)
            if (r->outcomes[i] == LEFT)
                message_plain("  %s", r->inputs[i].path);
        const options *o = &r->options;
        const bool again = o->overwrite_demix || o->overwrite_spec || o->overwrite_json;
        if (interrupted() && writes_files(o) && !again)
            message_plain("The same command goes on with them.");
    } else if (r->count > 1) {
        message_note("%d analysed, %d skipped, %d failed",
                     count_outcomes(r, DONE), count_outcomes(r, SKIPPED), failures);
    }
    if (interrupted())
        return EXIT_SIGNAL + interrupted();
    if (r->weights_failed)
        return EXIT_WEIGHTS;
    if (r->wrong_usage)
        return EXIT_USAGE;
    if (r->requirement_failed)
        return EXIT_REQUIREMENT;
    return failures > 0 || left > 0 || r->output_lost || r->timings.lost ? EXIT_SOME_FAILED
                                                                         : EXIT_GOOD;
}

static int perform(run *r)
{
    if (!timings_output_open(&r->timings, &r->options.timings))
        return EXIT_SOME_FAILED;
    const int status = open_context(r);
    if (status != EXIT_GOOD)
        return status;
    say_set_up(r);
    allin1_span_begin(r->context, ALLIN1_STAGE_RESULT_CHECK, "names", NULL);
    const bool planned = plan_inputs(r);
    allin1_span_end(r->context);
    if (!planned) {
        message_error("out of memory");
        return EXIT_SOME_FAILED;
    }
    if (!begin_index(r))
        return EXIT_SOME_FAILED;
    interrupt_watch();
    analyze_all(r);
    finish_index(r);
    return conclude(r);
}

int analyze_command(int argc, char **argv)
{
    run r = {.timings = {.descriptor = -1}};
    if (!options_parse(&r.options, argc, argv))
        return EXIT_USAGE;
    message_set_level(r.options.level);
    if (r.options.help) {
        options_help(stdout);
        return standard_output_flush() ? EXIT_GOOD : EXIT_SOME_FAILED;
    }
    if (r.options.version) {
        printf("allin1 %s\n", allin1_version());
        return standard_output_flush() ? EXIT_GOOD : EXIT_SOME_FAILED;
    }
    progress_bar_start(r.options.level == QUIET);
    int status = perform(&r);
    if (r.inputs)
        free_names(r.inputs, r.count);
    free(r.inputs);
    free(r.outcomes);
    allin1_index_free(&r.index);
    allin1_close(&r.context);
    if (!timings_output_finish(&r.timings) && status == EXIT_GOOD)
        status = EXIT_SOME_FAILED;
    return status;
}
