/* The public interface, with the small models of random numbers. */
#include "support/golden.h"
#include "support/sandbox.h"
#include "support/small_program.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audio/decode.h"
#include "base/cpu.h"
#include "demix/htdemucs.h"

static char model_path[1024], demix_model_path[1024];

static int set_up(void **state)
{
    (void)state;
    small_sandbox();
    strcpy(model_path, sandbox_path("models/tiny-harmonix.a1w"));
    strcpy(demix_model_path, sandbox_path("models/tiny-htdemucs.a1w"));
    make_sound("a.wav", MUSIC, 3);
    return 0;
}

static allin1_settings small_settings(void)
{
    allin1_settings settings;
    allin1_settings_default(&settings);
    settings.model = model_path;
    settings.demix_model = demix_model_path;
    settings.threads = 2;
    return settings;
}

static allin1_context *open_small(const allin1_settings *settings)
{
    allin1_context *context;
    allin1_error error;
    if (allin1_open(&context, settings, &error) != ALLIN1_OK)
        fail_msg("%s", error.message);
    return context;
}

static allin1_result *analyze(allin1_context *context, const char *path,
                              const allin1_request *request)
{
    allin1_result *result;
    allin1_error error;
    if (allin1_analyze_file(context, path, request, &result, &error) != ALLIN1_OK)
        fail_msg("%s", error.message);
    return result;
}

static void expect_open_fails(const allin1_settings *settings, allin1_status status,
                              const char *reason)
{
    allin1_context *context = (allin1_context *)settings;
    allin1_error error;
    assert_int_equal(allin1_open(&context, settings, &error), status);
    assert_null(context);
    assert_int_equal(error.status, status);
    expect_text(error.message, reason);
    assert_int_equal(allin1_open(&context, settings, NULL), status);
}

static void opening_and_closing(void **state)
{
    (void)state;
    allin1_context *none = NULL;
    allin1_close(&none);
    allin1_close(NULL);
    allin1_result *nothing = NULL;
    allin1_result_free(&nothing);
    allin1_string_free(NULL);

    allin1_settings settings = small_settings();
    settings.model = NULL;
    expect_open_fails(&settings, ALLIN1_ERROR_ARGUMENT, "no model");
    settings = small_settings();
    settings.model = "nonsense";
    expect_open_fails(&settings, ALLIN1_ERROR_ARGUMENT, "nonsense");
    settings = small_settings();
    settings.threads = 5000;
    expect_open_fails(&settings, ALLIN1_ERROR_ARGUMENT, "5000");
    settings = small_settings();
    settings.demix_shifts = 5000;
    expect_open_fails(&settings, ALLIN1_ERROR_ARGUMENT, "5000");
    settings = small_settings();
    settings.spec_backend = (allin1_spec_backend)9;
    expect_open_fails(&settings, ALLIN1_ERROR_ARGUMENT, "9");
    settings = small_settings();
    settings.precision = (allin1_precision)9;
    expect_open_fails(&settings, ALLIN1_ERROR_ARGUMENT, "9");
#if defined(__x86_64__)
    settings = small_settings();
    settings.cpu_level = ALLIN1_CPU_NEON;
    expect_open_fails(&settings, ALLIN1_ERROR_UNSUPPORTED, "neon");
#endif

    /* The settings' strings are copied. */
    char name[1024];
    strcpy(name, model_path);
    settings = small_settings();
    settings.model = name;
    allin1_context *context = open_small(&settings);
    memset(name, 'x', sizeof name - 1);
    allin1_result *result = analyze(context, sandbox_path("a.wav"), NULL);
    assert_string_equal(result->provenance.model, model_path);
    const allin1_run *run = allin1_context_run(context);
    assert_int_equal(run->threads, 2);
    assert_int_equal(strlen(run->id), 32);
    allin1_close(&context);
    assert_null(context);
    /* A result outlives its context. */
    assert_int_equal(result->spans[0].run->threads, 2);
    allin1_result_free(&result);
    assert_null(result);
}

static void wrong_arguments(void **state)
{
    (void)state;
    const allin1_settings settings = small_settings();
    allin1_context *context = open_small(&settings);
    allin1_result *result = NULL;
    allin1_error error;
    float values[2 * 324] = {0};
    const float *channels[2] = {values, values};
    assert_int_equal(allin1_analyze_file(NULL, "x", NULL, &result, &error), ALLIN1_ERROR_ARGUMENT);
    assert_int_equal(allin1_analyze_file(context, NULL, NULL, &result, &error),
                     ALLIN1_ERROR_ARGUMENT);
    assert_int_equal(allin1_analyze_file(context, "", NULL, &result, &error),
                     ALLIN1_ERROR_ARGUMENT);
    assert_int_equal(allin1_analyze_file(context, "x", NULL, NULL, &error), ALLIN1_ERROR_ARGUMENT);
    assert_int_equal(allin1_analyze_samples(context, channels, 0, NULL, &result, &error),
                     ALLIN1_ERROR_ARGUMENT);
    assert_int_equal(allin1_analyze_samples(context, NULL, 5, NULL, &result, &error),
                     ALLIN1_ERROR_ARGUMENT);
    assert_int_equal(allin1_analyze_spectrogram(context, values, 0, NULL, &result, &error),
                     ALLIN1_ERROR_ARGUMENT);
    assert_int_equal(
        allin1_analyze_spectrogram(context, values, (size_t)1 << 60, NULL, &result, &error),
        ALLIN1_ERROR_ARGUMENT);
    const allin1_request stems = {.stems_dir = "."}, pattern = {.stems_pattern = "%s"};
    assert_int_equal(allin1_analyze_samples(context, channels, 5, &stems, &result, &error),
                     ALLIN1_ERROR_ARGUMENT);
    assert_int_equal(allin1_analyze_file(context, "x", &pattern, &result, &error),
                     ALLIN1_ERROR_ARGUMENT);
    values[3] = NAN;
    assert_int_equal(allin1_analyze_samples(context, channels, 5, NULL, &result, &error),
                     ALLIN1_ERROR_ARGUMENT);
    expect_text(error.message, "finite");
    values[3] = INFINITY;
    assert_int_equal(allin1_analyze_spectrogram(context, values, 2, NULL, &result, &error),
                     ALLIN1_ERROR_ARGUMENT);
    assert_null(result);

    /* None of this has harmed the context. */
    result = analyze(context, sandbox_path("a.wav"), NULL);
    assert_int_equal(allin1_save_activations(context, result, sandbox_path("x.npz"), &error),
                     ALLIN1_ERROR_ARGUMENT);
    assert_int_equal(allin1_save_embeddings(NULL, result, sandbox_path("x.npy"), &error),
                     ALLIN1_ERROR_ARGUMENT);
    assert_int_equal(allin1_save_json(context, NULL, NULL, "x", &error), ALLIN1_ERROR_ARGUMENT);
    allin1_result_free(&result);
    allin1_close(&context);
}

static void expect_same_structure(const allin1_result *a, const allin1_result *b)
{
    assert_int_equal(a->bpm, b->bpm);
    assert_int_equal(a->beat_count, b->beat_count);
    for (size_t i = 0; i < a->beat_count; i++) {
        assert_true(a->beats[i] == b->beats[i]);
        assert_int_equal(a->beat_positions[i], b->beat_positions[i]);
    }
    assert_int_equal(a->segment_count, b->segment_count);
    for (size_t i = 0; i < a->segment_count; i++) {
        assert_true(a->segments[i].start == b->segments[i].start);
        assert_true(a->segments[i].end == b->segments[i].end);
        assert_string_equal(a->segments[i].label, b->segments[i].label);
    }
    const allin1_activations *x = a->activations, *y = b->activations;
    assert_int_equal(x->frames, y->frames);
    assert_memory_equal(x->beat, y->beat, x->frames * sizeof(float));
    assert_memory_equal(x->downbeat, y->downbeat, x->frames * sizeof(float));
    assert_memory_equal(x->segment, y->segment, x->frames * sizeof(float));
    assert_memory_equal(x->label, y->label, x->labels * x->frames * sizeof(float));
}

/* A file, its samples, and its spectrogram lead to the same bits. */
static void three_ways_in(void **state)
{
    (void)state;
    const allin1_settings settings = small_settings();
    allin1_context *context = open_small(&settings);
    const char *path = sandbox_path("a.wav"), *spec = sandbox_path("a.npy");
    const allin1_request keep = {.want_activations = 1,
                                 .want_embeddings = 1,
                                 .keep_byproducts = 1,
                                 .spec_file = spec,
                                 .name = "memory"};
    allin1_result *file = analyze(context, path, &keep), *samples, *spectrogram;
    allin1_error error;
    assert_string_equal(file->provenance.codec, "pcm_s16le");
    assert_int_equal(file->provenance.samples, 3 * 44100);
    assert_int_equal(file->embeddings->frames, 300);
    assert_int_equal(file->embeddings->folds, 1);

    a1_audio audio;
    assert_int_equal(a1_audio_decode(path, NULL, &audio, NULL), ALLIN1_OK);
    const allin1_request want = {.want_activations = 1, .name = "memory"};
    assert_int_equal(allin1_analyze_samples(context, (const float *const *)audio.channel,
                                            audio.samples, &want, &samples, &error),
                     ALLIN1_OK);
    a1_audio_free(&audio);
    expect_same_structure(file, samples);
    assert_string_equal(samples->path, "memory");
    assert_string_equal(samples->provenance.codec, "");
    assert_null(samples->embeddings);

    float *values = test_read_floats(spec, NULL, 4 * 300 * 81);
    assert_int_equal(allin1_analyze_spectrogram(context, values, 300, &want, &spectrogram, &error),
                     ALLIN1_OK);
    free(values);
    expect_same_structure(file, spectrogram);
    assert_int_equal(spectrogram->provenance.spectrogram, ALLIN1_ORIGIN_GIVEN);
    assert_int_equal(spectrogram->provenance.spec_backend, ALLIN1_SPEC_AUTO); /* none was used */
    assert_string_equal(spectrogram->provenance.demix_model, "");
    assert_true(strcmp(file->provenance.key, samples->provenance.key) != 0);
    assert_true(strcmp(file->provenance.key, spectrogram->provenance.key) != 0);
    allin1_result_free(&file);
    allin1_result_free(&samples);
    allin1_result_free(&spectrogram);
    allin1_close(&context);
}

static void the_key_tells_in_advance(void **state)
{
    (void)state;
    const allin1_settings settings = small_settings();
    allin1_context *context = open_small(&settings);
    const char *path = sandbox_path("a.wav");
    allin1_identity identity;
    allin1_error error;
    assert_int_equal(allin1_identify(context, path, NULL, &identity, &error), ALLIN1_OK);
    allin1_result *result = analyze(context, path, NULL);
    assert_string_equal(identity.key, result->provenance.key);
    assert_string_equal(identity.input_sha256, result->provenance.input_sha256);
    allin1_result_free(&result);

    /* The content that was read last is known by more than its name. */
    make_sound("a.wav", NOISE, 3);
    allin1_identity other;
    assert_int_equal(allin1_identify(context, path, NULL, &other, &error), ALLIN1_OK);
    assert_string_not_equal(identity.key, other.key);
    assert_int_equal(allin1_identify(context, sandbox_path("none.wav"), NULL, &other, &error),
                     ALLIN1_ERROR_IO);
    assert_string_equal(other.key, "");
    expect_text(error.message, "none.wav");
    allin1_close(&context);
}

/* Progress and cancelling ------------------------------------------------------------------------ */

typedef struct watched {
    double overall;
    int calls, cancel_at;
    char stages[32][32];
    int stage_count;
    const char *path;
} watched;

static int watch(void *user, const allin1_progress *progress)
{
    watched *w = user;
    w->calls++;
    assert_true(progress->fraction >= 0 && progress->fraction <= 1);
    assert_true(progress->overall >= w->overall && progress->overall <= 1);
    w->overall = progress->overall;
    if (w->stage_count == 0 || strcmp(w->stages[w->stage_count - 1], progress->stage) != 0)
        strncpy(w->stages[w->stage_count++], progress->stage, 31);
    assert_ptr_equal(progress->path, w->path);
    return w->calls == w->cancel_at;
}

static void progress_goes_from_0_to_1(void **state)
{
    (void)state;
    watched w = {.path = sandbox_path("a.wav")};
    allin1_settings settings = small_settings();
    settings.progress = watch;
    settings.progress_user = &w;
    allin1_context *context = open_small(&settings);
    allin1_result *result = analyze(context, w.path, NULL);
    assert_true(w.overall > 0.999);
    static const char *const stages[] = {"model_load", "decode", "demix_init", "demix",
                                         "spectrogram", "nn", "postprocess"};
    assert_int_equal(w.stage_count, sizeof stages / sizeof *stages);
    for (int i = 0; i < w.stage_count; i++)
        assert_string_equal(w.stages[i], stages[i]);
    allin1_result_free(&result);
    allin1_close(&context);
}

/* Wherever it is cancelled, the call ends at once, and the context still works. */
static void cancelled_at_every_place(void **state)
{
    (void)state;
    watched w = {.path = sandbox_path("a.wav")};
    allin1_settings settings = small_settings();
    settings.progress = watch;
    settings.progress_user = &w;
    allin1_context *context = open_small(&settings);
    int calls = 1000;
    for (int at = 1; at <= calls; at++) {
        allin1_result *result;
        allin1_error error;
        w = (watched){.path = w.path, .cancel_at = at};
        const allin1_status status = allin1_analyze_file(context, w.path, NULL, &result, &error);
        if (status == ALLIN1_OK) {
            assert_true(at > w.calls);
            allin1_result_free(&result);
            break;
        }
        assert_int_equal(status, ALLIN1_ERROR_CANCELLED);
        assert_int_equal(w.calls, at);
        assert_null(result);
        assert_true(at < calls);
    }
    allin1_close(&context);
}

/* Spans ------------------------------------------------------------------------------------------- */

typedef struct spans {
    int count;
    uint64_t last_id;
    char text[4096];
} spans;

static void count_span(void *user, const allin1_span *span)
{
    spans *s = user;
    s->count++;
    strcat(s->text, span->stage);
    strcat(s->text, " ");
    assert_true(span->end >= span->start);
    assert_true(span->own >= 0 && span->own <= span->end - span->start + 1e-6);
}

static void models_are_loaded_once(void **state)
{
    (void)state;
    spans s = {0};
    allin1_settings settings = small_settings();
    settings.span = count_span;
    settings.span_user = &s;
    allin1_context *context = open_small(&settings);
    assert_string_equal(s.text, "open ");
    s = (spans){0};
    const char *path = sandbox_path("a.wav");
    allin1_result *first = analyze(context, path, NULL);
    expect_text(s.text, "input_hash model_load demix_init spec_init decode demix_init demix "
                        "release spectrogram release model_load nn metrical_prep metrical_dbn "
                        "metrical_confidence functional_probs functional_local_maxima "
                        "functional_boundaries postprocess release ");
    assert_int_equal(first->span_count, s.count - 1); /* the last release is after the result */
    s = (spans){0};
    allin1_result *second = analyze(context, path, NULL);
    assert_string_equal(s.text, "decode demix release spectrogram release nn metrical_prep "
                                "metrical_dbn metrical_confidence functional_probs "
                                "functional_local_maxima "
                                "functional_boundaries postprocess release ");
    assert_int_equal(second->span_count, s.count - 1);
    assert_string_equal(second->spans[0].stage, "decode");
    assert_true(second->spans[0].audio_seconds == 3.0);
    assert_string_equal(second->spans[3].backend, "fast");
    assert_string_equal(second->spans[3].backend_requested, "auto");
    char *a = allin1_result_json(first, NULL), *b = allin1_result_json(second, NULL);
    assert_string_equal(a, b);
    allin1_string_free(a);
    allin1_string_free(b);
    allin1_result_free(&first);
    allin1_result_free(&second);
    s = (spans){0};
    allin1_close(&context);
    assert_string_equal(s.text, "close ");
}

/* Several contexts -------------------------------------------------------------------------------- */

typedef struct job {
    const char *path;
    char *text;
} job;

static void *run_job(void *argument)
{
    job *j = argument;
    const allin1_settings settings = small_settings();
    allin1_context *context = open_small(&settings);
    allin1_result *result = analyze(context, j->path, NULL);
    j->text = allin1_result_json(result, NULL);
    allin1_result_free(&result);
    allin1_close(&context);
    return NULL;
}

static void several_contexts_at_once(void **state)
{
    (void)state;
    enum { JOBS = 3 };
    pthread_t threads[JOBS];
    job jobs[JOBS + 1];
    for (int i = 0; i <= JOBS; i++)
        jobs[i] = (job){.path = sandbox_path("a.wav")};
    for (int i = 0; i < JOBS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run_job, &jobs[i]), 0);
    for (int i = 0; i < JOBS; i++)
        pthread_join(threads[i], NULL);
    run_job(&jobs[JOBS]);
    for (int i = 0; i < JOBS; i++) {
        assert_string_equal(jobs[i].text, jobs[JOBS].text);
        allin1_string_free(jobs[i].text);
    }
    allin1_string_free(jobs[JOBS].text);
}

/* Levels and backends ----------------------------------------------------------------------------- */

/* Plain C and the widest vectors find the same structure; only the last bits may differ. */
static void every_cpu_level(void **state)
{
    (void)state;
    const char *path = sandbox_path("a.wav");
    const allin1_request want = {.want_activations = 1};
    allin1_settings settings = small_settings();
    settings.precision = ALLIN1_PRECISION_FP32; /* which all levels have */
    settings.cpu_level = ALLIN1_CPU_SCALAR;
    allin1_context *context = open_small(&settings);
    allin1_result *plain = analyze(context, path, &want);
    assert_int_equal(plain->provenance.cpu_level, ALLIN1_CPU_SCALAR);
    allin1_close(&context);
    for (allin1_cpu_level level = ALLIN1_CPU_NEON; level <= ALLIN1_CPU_AVX512; level++) {
        settings.cpu_level = level;
        if (allin1_open(&context, &settings, NULL) != ALLIN1_OK)
            continue;
        allin1_result *wide = analyze(context, path, &want);
        assert_int_equal(wide->provenance.cpu_level, level);
        assert_string_equal(wide->provenance.key, plain->provenance.key);
        double largest = 0;
        for (size_t t = 0; t < wide->activations->frames; t++)
            largest = fmax(largest, fabs((double)wide->activations->beat[t] -
                                         (double)plain->activations->beat[t]));
        /* Differences of 1e-4 in the logits are allowed from one order of operations to another
         * (golden/songs/README.md); random weights are no worse, and stems add their own 80 dB. */
        print_message("%s: beat probabilities differ by %.2g\n", allin1_cpu_level_string(level),
                      largest);
        assert_true(largest < 1e-3);
        allin1_result_free(&wide);
        allin1_close(&context);
    }
    allin1_result_free(&plain);
}

/* Precisions -------------------------------------------------------------------------------------- */

static void expect_precision(const allin1_result *result, const char *asked, const char *used)
{
    assert_string_equal(result->provenance.demix_precision_requested, asked);
    assert_string_equal(result->provenance.demix_precision, used);
    int found = 0;
    for (size_t i = 0; i < result->span_count; i++) {
        const allin1_span *span = &result->spans[i];
        const bool builds = strcmp(span->stage, ALLIN1_STAGE_DEMIX_INIT) == 0 && span->mode &&
                            strcmp(span->mode, "build") == 0;
        if (!builds && strcmp(span->stage, ALLIN1_STAGE_DEMIX) != 0)
            continue;
        assert_string_equal(span->precision_requested, asked);
        assert_string_equal(span->precision, used);
        found++;
    }
    assert_int_equal(found, 2);
}

/* The largest difference of two kept stems, both channels. */
static double stem_difference(const char *a, const char *b)
{
    a1_audio x, y;
    assert_int_equal(a1_audio_decode(a, NULL, &x, NULL), ALLIN1_OK);
    assert_int_equal(a1_audio_decode(b, NULL, &y, NULL), ALLIN1_OK);
    assert_int_equal(x.samples, y.samples);
    double largest = 0;
    for (size_t c = 0; c < 2; c++)
        for (size_t i = 0; i < x.samples; i++)
            largest = fmax(largest, fabs((double)x.channel[c][i] - (double)y.channel[c][i]));
    a1_audio_free(&x);
    a1_audio_free(&y);
    return largest;
}

/* What a precision claims to have done, it has done: other arithmetic leaves other last bits. */
static void every_precision(void **state)
{
    (void)state;
    const char *path = sandbox_path("a.wav");
    static const char *const names[] = {"auto", "fp32", "bf16", "mixed"};
    a1_cpu cpu;
    assert_int_equal(a1_cpu_select(&cpu, ALLIN1_CPU_AUTO, NULL), ALLIN1_OK);
    static const allin1_precision chosen[] = {[A1_DEMIX_FP32] = ALLIN1_PRECISION_FP32,
                                              [A1_DEMIX_BF16] = ALLIN1_PRECISION_BF16,
                                              [A1_DEMIX_MIXED] = ALLIN1_PRECISION_MIXED};
    const allin1_precision automatic = chosen[a1_demix_precision_auto(&cpu)];
    char folder[4][1024], stem[4][1024], keys[4][65];
    bool ran[4] = {false};
    for (allin1_precision p = ALLIN1_PRECISION_AUTO; p <= ALLIN1_PRECISION_MIXED; p++) {
        strcpy(folder[p], sandbox_path("%s", names[p]));
        snprintf(stem[p], sizeof stem[p], "%.1000s/drums.wav", folder[p]);
        const allin1_request keep = {.keep_byproducts = 1, .demix_dir = folder[p]};
        allin1_settings settings = small_settings();
        settings.precision = p;
        allin1_context *context;
        const allin1_status status = allin1_open(&context, &settings, NULL);
        if (status == ALLIN1_ERROR_UNSUPPORTED) {
            assert_true(p >= ALLIN1_PRECISION_BF16);
            print_message("this machine has no %s\n", names[p]);
            continue;
        }
        assert_int_equal(status, ALLIN1_OK);
        ran[p] = true;
        const char *used = names[p == ALLIN1_PRECISION_AUTO ? automatic : p];
        allin1_result *result = analyze(context, path, &keep);
        expect_precision(result, names[p], used);
        strcpy(keys[p], result->provenance.key);
        allin1_result_free(&result);
        /* Read back, they are still what they were made with. */
        result = analyze(context, path, &keep);
        assert_int_equal(result->provenance.stems, ALLIN1_ORIGIN_BYPRODUCT);
        assert_string_equal(result->provenance.demix_precision, used);
        allin1_result_free(&result);
        allin1_close(&context);
    }
    for (allin1_precision p = ALLIN1_PRECISION_FP32; p <= ALLIN1_PRECISION_MIXED; p++) {
        for (allin1_precision q = ALLIN1_PRECISION_AUTO; ran[p] && q < p; q++) {
            if (!ran[q])
                continue;
            const bool same = q == ALLIN1_PRECISION_AUTO && p == automatic;
            const double difference = stem_difference(stem[p], stem[q]);
            print_message("%s and %s: drums differ by %.2g\n", names[q], names[p], difference);
            assert_int_equal(difference == 0, same);
            assert_int_equal(strcmp(keys[p], keys[q]) == 0, same);
        }
    }
}

/* What was not used is not claimed. */
static void a_given_spectrogram_is_not_quantised(void **state)
{
    (void)state;
    allin1_settings settings = small_settings();
    settings.quantise_stems = 1;
    allin1_context *context = open_small(&settings);
    static const float values[4 * 2 * 81];
    allin1_result *result;
    assert_int_equal(allin1_analyze_spectrogram(context, values, 2, NULL, &result, NULL), ALLIN1_OK);
    assert_int_equal(result->provenance.quantised_stems, 0);
    assert_string_equal(result->provenance.demix_precision, "");
    assert_string_equal(result->provenance.demix_precision_requested, "");
    allin1_result_free(&result);
    result = analyze(context, sandbox_path("a.wav"), NULL);
    assert_int_equal(result->provenance.quantised_stems, 1);
    allin1_result_free(&result);
    allin1_close(&context);
}

/* No demixer's weights are needed, and the result says how its stems came about. */
static void without_a_demixer(void **state)
{
    (void)state;
    allin1_settings settings = small_settings();
    char key[65];
    allin1_context *context = open_small(&settings);
    allin1_result *result = analyze(context, sandbox_path("a.wav"), NULL);
    strcpy(key, result->provenance.key);
    allin1_result_free(&result);
    allin1_close(&context);

    settings.demix_model = "none";
    settings.demix_shifts = 2; /* of no meaning here, and so not claimed */
    context = open_small(&settings);
    const allin1_request keep = {.keep_byproducts = 1,
                                 .demix_dir = sandbox_path("stems"),
                                 .spec_file = sandbox_path("none.npy")};
    for (int again = 0; again < 2; again++) {
        result = analyze(context, sandbox_path("a.wav"), &keep);
        const allin1_provenance *from = &result->provenance;
        assert_int_equal(from->stems, again ? ALLIN1_ORIGIN_NONE : ALLIN1_ORIGIN_GUESSED);
        assert_int_equal(from->spectrogram,
                         again ? ALLIN1_ORIGIN_BYPRODUCT : ALLIN1_ORIGIN_COMPUTED);
        assert_string_equal(from->demix_model, "none");
        assert_int_equal(from->demix_file_count, 0);
        assert_int_equal(from->demix_shifts, 0);
        assert_string_equal(from->demix_precision, "");
        assert_string_not_equal(from->key, key);
        allin1_result_free(&result);
    }
    assert_false(sandbox_has("stems"));
    allin1_close(&context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(opening_and_closing, set_up, sandbox_clean_up),
        cmocka_unit_test_setup_teardown(wrong_arguments, set_up, sandbox_clean_up),
        cmocka_unit_test_setup_teardown(three_ways_in, set_up, sandbox_clean_up),
        cmocka_unit_test_setup_teardown(the_key_tells_in_advance, set_up, sandbox_clean_up),
        cmocka_unit_test_setup_teardown(progress_goes_from_0_to_1, set_up, sandbox_clean_up),
        cmocka_unit_test_setup_teardown(cancelled_at_every_place, set_up, sandbox_clean_up),
        cmocka_unit_test_setup_teardown(models_are_loaded_once, set_up, sandbox_clean_up),
        cmocka_unit_test_setup_teardown(several_contexts_at_once, set_up, sandbox_clean_up),
        cmocka_unit_test_setup_teardown(every_cpu_level, set_up, sandbox_clean_up),
        cmocka_unit_test_setup_teardown(every_precision, set_up, sandbox_clean_up),
        cmocka_unit_test_setup_teardown(without_a_demixer, set_up, sandbox_clean_up),
        cmocka_unit_test_setup_teardown(a_given_spectrogram_is_not_quantised, set_up, sandbox_clean_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
