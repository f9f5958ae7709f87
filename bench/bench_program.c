/* What a user waits for and what a machine must have: the whole program, as a process of its own.
 *
 *     bench_program PROGRAM [seconds]
 *     bench_program PROGRAM --memory SECONDS...
 *
 * Start-up; the time from the start of the process to the first work on the sound; and the peak of
 * the memory of an analysis of `seconds` (300) of synthetic music on two threads. --memory measures
 * the peak alone, in float32 and at --precision auto, for each length. */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "measure/measure.h"

#include "audio/decode.h"
#include "base/arena.h"
#include "base/timer.h"

static char folder[] = "/tmp/bench_program.XXXXXX";

static void stop(const char *what)
{
    fprintf(stderr, "bench_program: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* Runs it to its end without its output. */
static void run_program(char *const *arguments)
{
    const pid_t child = fork();
    if (child < 0)
        stop("fork");
    if (child == 0) {
        const int nothing = open("/dev/null", O_WRONLY);
        dup2(nothing, STDOUT_FILENO);
        execv(arguments[0], arguments);
        _exit(127);
    }
    int status;
    if (waitpid(child, &status, 0) != child)
        stop("waitpid");
    if (status != 0) {
        fprintf(stderr, "bench_program: %s failed\n", arguments[0]);
        exit(1);
    }
}

static char *path_in_folder(const char *name)
{
    char *path = malloc(sizeof folder + strlen(name) + 1);
    if (!path)
        stop("memory");
    sprintf(path, "%s/%s", folder, name);
    return path;
}

static void remove_file(const char *name)
{
    char *path = path_in_folder(name);
    unlink(path);
    free(path);
}

/* A bar of four beats at 120 beats a minute over a chord, not to be silence. */
static void write_song(const char *path, double seconds)
{
    const size_t count = (size_t)(seconds * 44100);
    float *song = measure_random(count);
    for (size_t i = 0; i < count; i++) {
        const double t = (double)i / 44100, since = fmod(t, 0.5);
        song[i] = (float)(0.3 * exp(-60 * since) * (double)song[i] + 0.2 * sin(690 * t) +
                          0.2 * sin(870 * t) + 0.1 * sin(345 * t));
    }
    a1_error err;
    const float *const channels[2] = {song, song};
    if (a1_audio_write_wav(path, channels, count, &err) != ALLIN1_OK)
        measure_fail(&err);
    a1_aligned_free(song);
}

typedef struct spans {
    double decode, demix; /* starts on the monotonic clock */
    double peak_memory;
} spans;

static spans read_spans(const char *path)
{
    spans found = {0};
    FILE *file = fopen(path, "r");
    if (!file)
        stop(path);
    json_t *span;
    while ((span = json_loadf(file, JSON_DISABLE_EOF_CHECK, NULL))) {
        const char *stage = json_string_value(json_object_get(span, "stage"));
        const double start = json_number_value(json_object_get(span, "start"));
        if (stage && strcmp(stage, "decode") == 0)
            found.decode = start;
        if (stage && strcmp(stage, "demix") == 0)
            found.demix = start;
        found.peak_memory =
            fmax(found.peak_memory, json_number_value(json_object_get(span, "peak_memory")));
        json_decref(span);
    }
    fclose(file);
    return found;
}

static spans analyse(char *program, const char *precision, const char *song, double *started)
{
    char *timings = path_in_folder("timings.jsonl"), *results = path_in_folder("struct");
    char *arguments[] = {program,       "-q",        "-m",    "harmonix-all", "--threads",
                         "2",           "--timings", timings, "--precision",  (char *)precision,
                         "--overwrite", "-o",        results, (char *)song,   NULL};
    unlink(timings);
    *started = 1e-9 * (double)a1_monotonic_ns();
    run_program(arguments);
    const spans found = read_spans(timings);
    free(timings);
    free(results);
    return found;
}

/* The form in which the program found its weights: "weights a1w, packed" (network, separator). */
static void read_forms(char *out, size_t room)
{
    char *path = path_in_folder("struct/short.json");
    json_t *result = json_load_file(path, 0, NULL);
    const char *forms[2] = {"?", "?"}, *const parts[2] = {"network", "stems"};
    for (int i = 0; i < 2; i++)
        (void)json_unpack(result, "{s:{s:{s:[{s:s}]}}}", "provenance", parts[i], "files", "format",
                          &forms[i]);
    snprintf(out, room, "weights %s, %s", forms[0], forms[1]);
    json_decref(result);
    free(path);
}

static void run_version(void *argument)
{
    char *arguments[] = {argument, "--version", NULL};
    run_program(arguments);
}

static void remove_folder(void)
{
    remove_file("short.wav");
    remove_file("song.wav");
    remove_file("timings.jsonl");
    remove_file("struct/short.json");
    remove_file("struct/song.json");
    char *results = path_in_folder("struct");
    rmdir(results);
    rmdir(folder);
    free(results);
}

static void bench_memory(char *program, double seconds)
{
    static const char *const precisions[] = {"fp32", "auto"};
    char *song = path_in_folder("song.wav"), name[64];
    write_song(song, seconds);
    for (size_t p = 0; p < 2; p++) {
        double start;
        const spans s = analyse(program, precisions[p], song, &start);
        char how[64];
        snprintf(name, sizeof name, "peak memory, %.0f s", seconds);
        snprintf(how, sizeof how, "%s, 2 threads", precisions[p]);
        figure_report(&(figure){.name = name, .how = how, .bytes = s.peak_memory});
    }
    free(song);
}

int main(int argc, char **argv)
{
    if (argc > 3 && strcmp(argv[2], "--memory") == 0) {
        if (!mkdtemp(folder))
            stop(folder);
        figure_heading("memory of the program");
        for (int i = 3; i < argc; i++)
            bench_memory(argv[1], fmin(fmax(strtod(argv[i], NULL), 1), 20000));
        remove_folder();
        return 0;
    }
    const double seconds = argc > 2 ? strtod(argv[2], NULL) : 300;
    if (argc < 2 || !(seconds >= 1 && seconds < 20000)) {
        fprintf(stderr, "usage: bench_program PROGRAM [seconds]\n");
        return 2;
    }
    if (!mkdtemp(folder))
        stop(folder);
    figure_heading("the program");
    samples times;
    measure(&times, run_version, argv[1], 30);
    figure_samples((figure){.name = "start-up", .how = "--version"}, &times);

    char *shorter = path_in_folder("short.wav"), *song = path_in_folder("song.wav");
    write_song(shorter, 1);
    samples decode = {.count = 7}, demix = {.count = 7};
    double start;
    analyse(argv[1], "auto", shorter, &start);
    for (size_t i = 0; i < decode.count; i++) {
        const spans s = analyse(argv[1], "auto", shorter, &start);
        decode.seconds[i] = s.decode - start;
        demix.seconds[i] = s.demix - start;
    }
    char forms[64];
    read_forms(forms, sizeof forms);
    figure_samples((figure){.name = "start of process to decoding", .how = forms}, &decode);
    figure_samples((figure){.name = "start of process to demixing", .how = "1 s of sound"}, &demix);

    write_song(song, seconds);
    samples whole = {.count = 1};
    const spans s = analyse(argv[1], "auto", song, &start);
    whole.seconds[0] = 1e-9 * (double)a1_monotonic_ns() - start;
    char name[64];
    snprintf(name, sizeof name, "analysis of %.0f s", seconds);
    figure_samples((figure){.name = name, .how = "2 threads"}, &whole);
    const figure memory = {.name = "peak memory of it", .how = "2 threads", .bytes = s.peak_memory};
    figure_report(&memory);

    remove_folder();
    free(shorter);
    free(song);
    return 0;
}
