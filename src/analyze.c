/* The pipeline, from top to bottom: decode, demix, spectrogram, network, beats, sections, result. */
#include "analysis.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "cheap_stems/cheap_stems.h"
#include "given_stems.h"
#include "guard.h"
#include "plot/waveform.h"
#include "requirements.h"
#include "tempo/tempo.h"

/* What is done of the whole after each stage, by the time that the stages usually take. */
#define DONE_LOAD 0.01
#define DONE_DECODE 0.02
#define DONE_DEMIX 0.92
#define DONE_SPECTROGRAM 0.93
#define DONE_NETWORK 0.99
#define DONE_ALL 1.0
/* Where a student works alone. */
#define ALONE_DECODE 0.6
#define ALONE_SPECTROGRAM 0.75
#define ALONE_NETWORK 0.9

#define FP32 "fp32"

static allin1_span *begin(a1_analysis *a, const char *stage)
{
    return a1_span_begin(&a->context->recorder, stage);
}

static void end(a1_analysis *a)
{
    a1_span_end(&a->context->recorder);
}

static void set_length(a1_analysis *a, double seconds)
{
    a->result->shown.duration = seconds;
    a->context->recorder.audio_seconds = seconds;
}

static allin1_status report(const a1_analysis *a, const char *stage, double until, double fraction,
                            a1_error *err)
{
    return a1_report(a, stage, until - a->progress_done, fraction, err);
}

/* What is done after a stage. A student whose work may be followed by the full pipeline's does next to
 * nothing of the whole. */
static double done_after(const a1_analysis *a, double usual, double alone)
{
    if (!a->listener->hears_mix)
        return usual;
    return a1_context_refines(a->context) ? a->progress_done : alone;
}

/* Progress of the stages that tell theirs. */
typedef struct stage_progress {
    const a1_analysis *analysis;
    const char *stage;
    double until; /* what is done of the whole after it */
    size_t total; /* parts that there are */
} stage_progress;

static int report_fraction(void *user, double fraction)
{
    const stage_progress *p = user;
    return report(p->analysis, p->stage, p->until, fraction, NULL) != ALLIN1_OK;
}

static int report_segments(void *user, size_t done, size_t total)
{
    stage_progress *p = user;
    p->total = total;
    return report_fraction(user, total ? (double)done / (double)total : 1);
}

/* Decode ---------------------------------------------------------------------------------------- */

static allin1_status decode(a1_analysis *a, a1_error *err)
{
    allin1_span *span = begin(a, ALLIN1_STAGE_DECODE);
    const double until = done_after(a, DONE_DECODE, ALONE_DECODE);
    A1_TRY(report(a, ALLIN1_STAGE_DECODE, until, 0, err));
    A1_TRY(a1_audio_decode(a->path, a->context->pool, &a->decoded, err));
    a->mix[0] = a->decoded.channel[0];
    a->mix[1] = a->decoded.channel[1];
    a->samples = a->decoded.samples;
    a->source = a->decoded.source;
    set_length(a, (double)a->samples / A1_SAMPLE_RATE);
    span->audio_seconds = a->result->shown.duration;
    span->mode = a->source.split ? "split" : NULL;
    end(a);
    if (a->source.damaged_packets > 0 || a->source.truncated)
        a1_log(a->context, ALLIN1_LOG_WARNING, "%s: %s%s; what could be decoded is analysed",
               a->path, a->source.damaged_packets > 0 ? "has damaged parts" : "",
               a->source.truncated ? (a->source.damaged_packets > 0 ? " and is cut off"
                                                                    : "is cut off")
                                   : "");
    a->progress_done = until;
    return ALLIN1_OK;
}

/* The mix is dropped long before the result is put together. */
static allin1_status keep_waveform(a1_analysis *a, a1_error *err)
{
    a1_result *result = a->result;
    const size_t bins = a1_waveform_bins(a->samples, A1_SAMPLE_RATE);
    if (!a->request.want_waveform)
        return ALLIN1_OK;
    float *values = a1_result_alloc(result, 3 * bins * sizeof *values);
    if (!values)
        return a1_fail_memory(err, "the result");
    a1_waveform_measure(a->mix, a->samples, A1_SAMPLE_RATE, values, values + bins,
                        values + 2 * bins);
    result->waveform = (allin1_waveform){.bins_per_second = A1_WAVEFORM_BINS_PER_SECOND,
                                         .bins = bins,
                                         .low = values,
                                         .high = values + bins,
                                         .rms = values + 2 * bins};
    result->shown.waveform = &result->waveform;
    return ALLIN1_OK;
}

/* Demix ------------------------------------------------------------------------------------------ */

static allin1_status demix(a1_analysis *a, a1_error *err)
{
    allin1_context *context = a->context;
    /* The model gives drums, bass, other, vocals. */
    float *const(*to)[2] = (float *const(*)[2])a->stems.channel;
    float *const order[A1_DEMIX_SOURCES][2] = {{to[1][0], to[1][1]},
                                               {to[0][0], to[0][1]},
                                               {to[2][0], to[2][1]},
                                               {to[3][0], to[3][1]}};
    const a1_demix_settings settings = {.shifts = context->settings.demix_shifts,
                                        .seed = context->settings.demix_seed};
    stage_progress progress = {a, ALLIN1_STAGE_DEMIX, DONE_DEMIX, 0};
    allin1_span *span = begin(a, ALLIN1_STAGE_DEMIX);
    A1_TRY(report(a, ALLIN1_STAGE_DEMIX, DONE_DEMIX, 0, err));
    span->precision_requested = allin1_precision_string(context->settings.precision);
    span->precision = a1_context_precision_used(context);
    span->fallback = context->precision_fallback[0] ? ALLIN1_STAGE_PRECISION_CHECK : NULL;
    A1_TRY(a1_demix_track(context->demixer, context->pool, &settings, a->mix, a->samples, order,
                          report_segments, &progress, err));
    span->count = progress.total;
    span->operations = (double)progress.total * a1_htdemucs_operations(context->demixer);
    end(a);
    return ALLIN1_OK;
}

/* Gives memory back as soon as it is not needed any more; for long songs that takes its time. */
static void drop_mix(a1_analysis *a)
{
    if (!a->decoded.channel[0])
        return;
    begin(a, ALLIN1_STAGE_RELEASE)->mode = "mix";
    a1_audio_free(&a->decoded);
    a->mix[0] = a->mix[1] = NULL;
    end(a);
}

static void drop_stems(a1_analysis *a)
{
    if (!a->stems.channel[0][0])
        return;
    begin(a, ALLIN1_STAGE_RELEASE)->mode = "stems";
    a1_stems_free(&a->stems);
    end(a);
}

static allin1_status separate(a1_analysis *a, a1_error *err)
{
    allin1_provenance *from = &a->result->shown.provenance;
    bool found;
    A1_TRY(a1_read_stems(a, &found, err));
    if (found) {
        from->stems = ALLIN1_ORIGIN_BYPRODUCT;
    } else {
        if (!a->context->demixer)
            A1_TRY(report(a, ALLIN1_STAGE_DEMIX_INIT, DONE_DEMIX, 0, err));
        A1_TRY(a1_context_build_demixer(a->context, err));
        A1_TRY(a1_guard_precision(a, err));
        A1_TRY(a1_stems_create(&a->stems, a->samples, err));
        A1_TRY(demix(a, err));
        from->stems = ALLIN1_ORIGIN_COMPUTED;
        if (a->request.keep_byproducts && a->request.demix_dir)
            A1_TRY(a1_write_stems(a, err));
    }
    drop_mix(a);
    a->progress_done = DONE_DEMIX;
    return ALLIN1_OK;
}

/* Spectrogram ------------------------------------------------------------------------------------ */

static float *spectrogram_room(const a1_analysis *a, size_t signals)
{
    if (a->frames > SIZE_MAX / (signals * A1_SPEC_BANDS * sizeof(float)))
        return NULL;
    return a1_aligned_alloc(signals * a->frames * A1_SPEC_BANDS * sizeof(float));
}

static allin1_status begin_spectrogram(a1_analysis *a, size_t samples, size_t signals,
                                       a1_error *err)
{
    allin1_context *context = a->context;
    A1_TRY(a1_context_plan_spectrogram(context, err));
    A1_TRY(a1_guard_spectrogram(a, err));
    allin1_span *span = begin(a, ALLIN1_STAGE_SPECTROGRAM);
    A1_TRY(report(a, ALLIN1_STAGE_SPECTROGRAM,
                  done_after(a, DONE_SPECTROGRAM, ALONE_SPECTROGRAM), 0, err));
    const bool fast = a1_spectrogram_backend_used(context->spectrogram) == A1_SPEC_FAST;
    span->backend_requested = allin1_spec_backend_string(context->settings.spec_backend);
    span->backend = allin1_spec_backend_string(fast ? ALLIN1_SPEC_FAST : ALLIN1_SPEC_REFERENCE);
    span->precision_requested = span->precision = fast ? FP32 : "fp64";
    span->fallback = context->spec_fallback[0] ? ALLIN1_STAGE_SPEC_CHECK : NULL;
    a->frames = a1_spectrogram_frames(samples);
    a->spectrogram = spectrogram_room(a, signals);
    return a->spectrogram ? ALLIN1_OK : a1_fail_memory(err, "the spectrogram");
}

static allin1_status end_spectrogram(a1_analysis *a, a1_error *err)
{
    a->result->shown.provenance.spectrogram = ALLIN1_ORIGIN_COMPUTED;
    return a->request.keep_byproducts && a->request.spec_file ? a1_write_spectrogram(a, err)
                                                              : ALLIN1_OK;
}

static allin1_status compute_spectrogram(a1_analysis *a, a1_error *err)
{
    const a1_stems *stems = &a->stems;
    const float *channels[A1_STEMS][2];
    for (size_t i = 0; i < 2 * A1_STEMS; i++)
        channels[i / 2][i % 2] = stems->channel[i / 2][i % 2];
    A1_TRY(begin_spectrogram(a, stems->samples, A1_STEMS, err));
    A1_TRY(a1_spectrogram_stems(a->context->spectrogram, a->context->pool,
                                (const float *const(*)[2])channels, stems->samples,
                                a->context->settings.quantise_stems, a->spectrogram, err));
    end(a);
    return end_spectrogram(a, err);
}

/* Without a demixer: the mix's spectrogram, and stems guessed in it. */
static allin1_status guess_stems(a1_analysis *a, a1_error *err)
{
    A1_TRY(begin_spectrogram(a, a->samples, A1_STEMS, err));
    float *views = spectrogram_room(a, A1_MIX_VIEWS);
    if (!views)
        return a1_fail_memory(err, "the mix's spectrogram");
    allin1_status status = a1_spectrogram_mix(a->context->spectrogram, a->context->pool, a->mix,
                                              a->samples, A1_MIX_VIEWS, views, err);
    if (status == ALLIN1_OK) {
        end(a);
        begin(a, ALLIN1_STAGE_CHEAP_STEMS);
        status = a1_cheap_stems(a->context->pool, views, a->frames, a->spectrogram, err);
    }
    a1_aligned_free(views);
    A1_TRY(status);
    end(a);
    drop_mix(a);
    a->result->shown.provenance.stems = ALLIN1_ORIGIN_GUESSED;
    return end_spectrogram(a, err);
}

/* What a student hears. */
static allin1_status spectrogram_of_mix(a1_analysis *a, a1_error *err)
{
    A1_TRY(begin_spectrogram(a, a->samples, 1, err));
    A1_TRY(a1_spectrogram_mix(a->context->spectrogram, a->context->pool, a->mix, a->samples, 1,
                              a->spectrogram, err));
    end(a);
    if (!a1_context_refines(a->context))
        drop_mix(a);
    a->result->shown.provenance.spectrogram = ALLIN1_ORIGIN_COMPUTED;
    return ALLIN1_OK;
}

/* From the mix to the spectrogram, over whatever an earlier run left. */
static allin1_status mix_to_spectrogram(a1_analysis *a, a1_error *err)
{
    bool have_spectrogram, have_stems = true;
    const bool demixes = a1_context_demixes(a->context);
    if (a->listener->hears_mix)
        return spectrogram_of_mix(a, err);
    A1_TRY(a1_read_spectrogram(a, &have_spectrogram, err));
    if (have_spectrogram) {
        a->result->shown.provenance.spectrogram = ALLIN1_ORIGIN_BYPRODUCT;
        if (demixes && a->request.keep_byproducts && a->request.demix_dir)
            A1_TRY(a1_check_stems(a, &have_stems, err));
    }
    if (!demixes)
        return have_spectrogram ? ALLIN1_OK : guess_stems(a, err);
    if (!have_spectrogram || !have_stems)
        A1_TRY(separate(a, err));
    if (!have_spectrogram)
        A1_TRY(compute_spectrogram(a, err));
    return ALLIN1_OK;
}

static allin1_status given_stems_to_spectrogram(a1_analysis *a, a1_error *err)
{
    allin1_provenance *from = &a->result->shown.provenance;
    allin1_span *span = begin(a, ALLIN1_STAGE_STEMS_LOAD);
    A1_TRY(report(a, ALLIN1_STAGE_STEMS_LOAD, DONE_DEMIX, 0, err));
    A1_TRY(a1_load_given_stems(a, err));
    set_length(a, (double)a->samples / A1_SAMPLE_RATE);
    span->audio_seconds = a->result->shown.duration;
    span->count = A1_STEMS;
    span->mode = from->stems_mode;
    end(a);
    from->stems = ALLIN1_ORIGIN_GIVEN;
    a->progress_done = DONE_DEMIX;
    bool found = false;
    A1_TRY(a1_read_spectrogram(a, &found, err));
    if (found)
        from->spectrogram = ALLIN1_ORIGIN_BYPRODUCT;
    else
        A1_TRY(compute_spectrogram(a, err));
    return ALLIN1_OK;
}

/* Network ---------------------------------------------------------------------------------------- */

static allin1_status make_room_for_output(a1_analysis *a, a1_error *err)
{
    const size_t frames = a->frames;
    a->logits = a1_aligned_alloc((3 + A1_NETWORK_LABELS) * frames * sizeof(float));
    if (!a->logits)
        return a1_fail_memory(err, "the activations");
    a->output = (a1_network_output){.beat = a->logits,
                                    .downbeat = a->logits + frames,
                                    .section = a->logits + 2 * frames,
                                    .function = a->logits + 3 * frames};
    if (!a->request.want_embeddings)
        return ALLIN1_OK;
    const size_t folds = a1_network_folds(a->listener->network);
    float *values =
        a1_result_alloc(a->result, A1_NETWORK_STEMS * frames * A1_NETWORK_EMBEDDING * folds *
                                       sizeof *values);
    if (!values)
        return a1_fail_memory(err, "the embeddings");
    a->output.embeddings = values;
    a->result->embeddings =
        (allin1_embeddings){.frames_per_second = (double)A1_SPEC_SAMPLE_RATE / A1_SPEC_HOP,
                            .stems = A1_NETWORK_STEMS,
                            .frames = frames,
                            .width = A1_NETWORK_EMBEDDING,
                            .folds = folds,
                            .values = values};
    a->result->shown.embeddings = &a->result->embeddings;
    return ALLIN1_OK;
}

static allin1_status run_student(a1_analysis *a, a1_error *err)
{
    const a1_student *student = a->listener->student;
    const a1_student_output output = {.beat = a->output.beat,
                                      .downbeat = a->output.downbeat,
                                      .section = a->output.section,
                                      .function = a->output.function};
    return a1_student_run(student, a->context->pool, a->spectrogram, a->frames, &output,
                          &a->student_gain, err);
}

static allin1_status run_network(a1_analysis *a, a1_error *err)
{
    allin1_context *context = a->context;
    a1_listener *listener = a->listener;
    a->progress_done = done_after(a, DONE_SPECTROGRAM, ALONE_SPECTROGRAM);
    stage_progress progress = {a, ALLIN1_STAGE_NN, done_after(a, DONE_NETWORK, ALONE_NETWORK), 0};
    A1_TRY(a1_context_build_network(context, listener, err));
    allin1_span *span = begin(a, ALLIN1_STAGE_NN);
    A1_TRY(report(a, ALLIN1_STAGE_NN, progress.until, 0, err));
    span->count = listener->hears_mix ? 1 : a1_network_folds(listener->network);
    span->operations = listener->hears_mix
                           ? a1_student_operations(listener->student, a->frames)
                           : a1_network_operations(listener->network, a->frames);
    span->precision_requested = span->precision = FP32;
    A1_TRY(make_room_for_output(a, err));
    if (a->frames > 0)
        A1_TRY(listener->hears_mix
                   ? run_student(a, err)
                   : a1_network_run(listener->network, context->pool, a->spectrogram, a->frames,
                                    &a->output, report_fraction, &progress, err));
    a1_aligned_free(a->spectrogram);
    a->spectrogram = NULL;
    end(a);
    a->progress_done = progress.until;
    return ALLIN1_OK;
}

/* Beats and sections ------------------------------------------------------------------------------ */

/* How sure the beats are, and the tempo. */
static allin1_status weigh_beats(a1_analysis *a, const float *activations, a1_error *err)
{
    begin(a, ALLIN1_STAGE_METRICAL_CONFIDENCE);
    const double bpm = a1_tempo_precise(a->beats.times, a->beats.count);
    A1_TRY(a1_metrical_confidences(a->listener->metrical, a->context->pool, activations, &a->beats,
                                   bpm, &a->confidences, err));
    end(a);
    return ALLIN1_OK;
}

static allin1_status find_beats(a1_analysis *a, a1_error *err)
{
    float *activations = malloc((a->frames ? 2 * a->frames : 1) * sizeof *activations);
    if (!activations)
        return a1_fail_memory(err, "the beat activations");
    begin(a, ALLIN1_STAGE_METRICAL_PREP);
    a1_metrical_activations(a->output.beat, a->output.downbeat, a->frames, activations);
    end(a);
    begin(a, ALLIN1_STAGE_METRICAL_DBN);
    allin1_status status = a1_metrical_decode(a->listener->metrical, a->context->pool,
                                                    activations, a->frames, &a->beats, err);
    if (status == ALLIN1_OK)
        end(a);
    if (status == ALLIN1_OK)
        status = weigh_beats(a, activations, err);
    free(activations);
    return status;
}

static void begin_functional_step(void *user, a1_functional_step step)
{
    static const char *const stages[] = {
        [A1_FUNCTIONAL_PROBS] = ALLIN1_STAGE_FUNCTIONAL_PROBS,
        [A1_FUNCTIONAL_LOCAL_MAXIMA] = ALLIN1_STAGE_FUNCTIONAL_LOCAL_MAXIMA,
        [A1_FUNCTIONAL_BOUNDARIES] = ALLIN1_STAGE_FUNCTIONAL_BOUNDARIES,
    };
    if (step != A1_FUNCTIONAL_PROBS)
        end(user);
    begin(user, stages[step]);
}

static allin1_status find_sections(a1_analysis *a, a1_error *err)
{
    A1_TRY(a1_functional_segments_in_steps(a->output.section, a->output.function, a->frames,
                                           &a->segments, begin_functional_step, a, err));
    end(a);
    return ALLIN1_OK;
}

/* What the student thinks of its beats, and whether that calls for the full pipeline. */
static allin1_status judge(a1_analysis *a, a1_error *err)
{
    const a1_listener *listener = a->listener;
    allin1_student *student = &a->result->student;
    *student = (allin1_student){.refine = a->context->settings.refine};
    student->model = a1_result_string(a->result, listener->model);
    student->digest = a1_result_string(a->result, listener->files.infos[0].digest);
    if (!student->model || !student->digest)
        return a1_fail_memory(err, "the result");
    if (a->frames > 0)
        a1_evidence_measure(a->output.beat, a->output.downbeat, a->frames, A1_ARRAY_RATE, &a->beats,
                            &a->confidences, student->evidence);
    student->gain_db = a->student_gain > 1 ? 20 * log10((double)a->student_gain) : 0;
    student->confidence = a1_calibration_apply(&listener->calibration, student->evidence);
    student->refined = a->frames > 0 && student->confidence < student->refine;
    a->result->shown.student = student;
    return ALLIN1_OK;
}

/* From logits to the result; a student that is unsure leaves none. */
static allin1_status postprocess(a1_analysis *a, a1_error *err)
{
    begin(a, ALLIN1_STAGE_POSTPROCESS);
    A1_TRY(report(a, ALLIN1_STAGE_POSTPROCESS, done_after(a, DONE_ALL, DONE_ALL), 0, err));
    if (a->frames > 0)
        A1_TRY(find_beats(a, err));
    if (a->listener->hears_mix)
        A1_TRY(judge(a, err));
    if (!a->listener->hears_mix || !a->result->student.refined) {
        if (a->frames > 0)
            A1_TRY(find_sections(a, err));
        A1_TRY(a1_assemble(a, err));
        A1_TRY(report(a, ALLIN1_STAGE_POSTPROCESS, DONE_ALL, 1, err));
    }
    end(a);
    return ALLIN1_OK;
}

static void take_listener(a1_analysis *a, a1_listener *listener)
{
    a->listener = listener;
    a->context->recorder.model = listener->model;
}

static void forget_logits(a1_analysis *a)
{
    a1_aligned_free(a->logits);
    a->logits = NULL;
    a1_beats_free(&a->beats);
    a1_confidences_free(&a->confidences);
}

/* From the mix, or what earlier runs left of it, to the result. */
static allin1_status listen(a1_analysis *a, a1_error *err)
{
    A1_TRY(mix_to_spectrogram(a, err));
    if (!a->listener->hears_mix) {
        drop_mix(a);
        drop_stems(a);
    }
    A1_TRY(run_network(a, err));
    A1_TRY(postprocess(a, err));
    if (!a->listener->hears_mix || !a->result->student.refined)
        return ALLIN1_OK;
    a1_log(a->context, ALLIN1_LOG_DEBUG, "%s: confidence %.4f, below %g: refined", a->track,
           a->result->student.confidence, a->result->student.refine);
    forget_logits(a);
    take_listener(a, &a->context->second);
    return listen(a, err);
}

/* The three ways in ------------------------------------------------------------------------------- */

static allin1_status run_file(a1_analysis *a, a1_error *err)
{
    A1_TRY(a1_requirements_check_input(a->context, a->request.stems_dir != NULL, false, err));
    take_listener(a, a1_context_listener(a->context,
                                         a->request.stems_dir || a->request.want_embeddings));
    if (a->listener->files.count == 0)
        A1_TRY(report(a, ALLIN1_STAGE_MODEL_LOAD, DONE_LOAD, 0, err));
    A1_TRY(a1_keys_of_file(a->context, a->path, &a->request, &a->keys, err));
    a->progress_done = DONE_LOAD;
    if (!a->request.stems_dir) {
        A1_TRY(decode(a, err));
        A1_TRY(keep_waveform(a, err));
        return listen(a, err);
    }
    A1_TRY(given_stems_to_spectrogram(a, err));
    drop_stems(a);
    A1_TRY(run_network(a, err));
    return postprocess(a, err);
}

static allin1_status run_samples(a1_analysis *a, a1_error *err)
{
    take_listener(a, a1_context_listener(a->context, a->request.want_embeddings));
    A1_TRY(a1_requirements_check_input(a->context, false, false, err));
    set_length(a, (double)a->samples / A1_SAMPLE_RATE);
    A1_TRY(a1_keys_of_memory(a->context, a->mix, 2, a->samples, &a->request, false, &a->keys, err));
    a->progress_done = DONE_DECODE;
    A1_TRY(keep_waveform(a, err));
    return listen(a, err);
}

static allin1_status run_spectrogram(a1_analysis *a, const float *given, a1_error *err)
{
    take_listener(a, a1_context_listener(a->context, true));
    A1_TRY(a1_requirements_check_input(a->context, false, true, err));
    const size_t floats = A1_STEMS * a->frames * A1_SPEC_BANDS;
    set_length(a, (double)a->frames * A1_SPEC_HOP / A1_SPEC_SAMPLE_RATE);
    A1_TRY(a1_keys_of_memory(a->context, &given, 1, floats, &a->request, true, &a->keys, err));
    a->spectrogram = a1_aligned_alloc(floats * sizeof(float));
    if (!a->spectrogram)
        return a1_fail_memory(err, "the spectrogram");
    memcpy(a->spectrogram, given, floats * sizeof(float));
    a->result->shown.provenance.spectrogram = ALLIN1_ORIGIN_GIVEN;
    A1_TRY(run_network(a, err));
    return postprocess(a, err);
}

/* Set-up and clean-up ----------------------------------------------------------------------------- */

static allin1_status start(a1_analysis *a, allin1_context *context, const char *path,
                           const allin1_request *request, a1_error *err)
{
    *a = (a1_analysis){.context = context, .listener = &context->first, .path = path, .depth = context->recorder.depth};
    if (request)
        a->request = *request;
    if (a->request.stems_pattern && !a->request.stems_dir)
        return a1_fail(err, ALLIN1_ERROR_ARGUMENT, "a pattern of stems was given without a folder");
    A1_TRY(a1_result_create(&a->result, err));
    if (path)
        a->track = realpath(path, NULL);
    if (!a->track)
        a->track = strdup(path ? path : a->request.name ? a->request.name : "");
    if (!a->track)
        return a1_fail_memory(err, "an analysis");
    a1_recorder_restart(&context->recorder);
    context->recorder.track = a->track;
    context->recorder.audio_seconds = 0;
    return ALLIN1_OK;
}

/* The spans of this analysis, with strings of their own. */
static allin1_status keep_spans(a1_analysis *a, a1_error *err)
{
    const a1_recorder *recorder = &a->context->recorder;
    const char *second = a->context->second.model;
    a1_result *result = a->result;
    allin1_span *spans = a1_result_alloc(result, recorder->ended_count * sizeof *spans);
    const char *model = a1_result_string(result, a->context->first.model);
    const char *other = a1_result_string(result, second);
    const char *requested = a1_result_string(result, recorder->model_requested);
    if (recorder->lost || !spans || !model || !other || !requested)
        return a1_fail_memory(err, "the result");
    result->run = recorder->run;
    for (size_t i = 0; i < recorder->ended_count; i++) {
        spans[i] = recorder->ended[i];
        spans[i].run = &result->run;
        spans[i].model = second && spans[i].model == second ? other : model;
        spans[i].model_requested = requested;
        spans[i].track = spans[i].track ? result->shown.path : NULL;
    }
    result->shown.spans = recorder->ended_count ? spans : NULL;
    result->shown.span_count = recorder->ended_count;
    return ALLIN1_OK;
}

static allin1_status finish(a1_analysis *a, allin1_status status, allin1_result **out,
                            allin1_error *error, a1_error *err)
{
    a1_spans_unwind(&a->context->recorder, a->depth);
    if (status == ALLIN1_OK)
        status = keep_spans(a, err);
    a->context->recorder.keeping = false;
    begin(a, ALLIN1_STAGE_RELEASE)->mode = "all";
    if (status == ALLIN1_OK) {
        *out = &a->result->shown;
        a->result = NULL;
    }
    a1_audio_free(&a->decoded);
    a1_stems_free(&a->stems);
    a1_aligned_free(a->spectrogram);
    a1_aligned_free(a->logits);
    a1_beats_free(&a->beats);
    a1_confidences_free(&a->confidences);
    a1_segments_free(&a->segments);
    a1_result_destroy(&a->result);
    end(a);
    a->context->recorder.track = NULL;
    a->context->recorder.model = a->context->first.model;
    a->context->recorder.audio_seconds = 0;
    free(a->track);
    return a1_public_error(error, err, status);
}

static bool all_finite(const float *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!isfinite(values[i]))
            return false;
    return true;
}

static allin1_status refuse(allin1_error *error, const char *reason)
{
    a1_error err = {0};
    return a1_public_error(error, &err, a1_fail(&err, ALLIN1_ERROR_ARGUMENT, "%s", reason));
}

allin1_status allin1_analyze_file(allin1_context *context, const char *path,
                                  const allin1_request *request, allin1_result **result,
                                  allin1_error *error)
{
    if (!context || !result || !path || !*path)
        return refuse(error, "a context, a path and a place for the result are needed");
    *result = NULL;
    a1_analysis analysis;
    a1_error err = {0};
    allin1_status status = start(&analysis, context, path, request, &err);
    if (status == ALLIN1_OK)
        status = run_file(&analysis, &err);
    return finish(&analysis, status, result, error, &err);
}

allin1_status allin1_analyze_samples(allin1_context *context, const float *const channels[2],
                                     size_t samples, const allin1_request *request,
                                     allin1_result **result, allin1_error *error)
{
    if (!context || !result || !channels || !channels[0] || !channels[1] || samples == 0 ||
        samples > (size_t)A1_AUDIO_MAX_SECONDS * A1_SAMPLE_RATE)
        return refuse(error, "a context, two channels of 1 sample to 6 hours, and a place for the "
                             "result are needed");
    *result = NULL;
    if (request && request->stems_dir)
        return refuse(error, "ready stems go with a file, not with samples");
    if (!all_finite(channels[0], samples) || !all_finite(channels[1], samples))
        return refuse(error, "a sample is not a finite number");
    a1_analysis analysis;
    a1_error err = {0};
    allin1_status status = start(&analysis, context, NULL, request, &err);
    analysis.mix[0] = channels[0];
    analysis.mix[1] = channels[1];
    analysis.samples = samples;
    if (status == ALLIN1_OK)
        status = run_samples(&analysis, &err);
    return finish(&analysis, status, result, error, &err);
}

allin1_status allin1_analyze_spectrogram(allin1_context *context, const float *spectrogram,
                                         size_t frames, const allin1_request *request,
                                         allin1_result **result, allin1_error *error)
{
    if (!context || !result || !spectrogram || frames == 0 ||
        frames > (size_t)A1_AUDIO_MAX_SECONDS * 100)
        return refuse(error, "a context, a spectrogram of 1 frame to 6 hours, and a place for the "
                             "result are needed");
    *result = NULL;
    if (request && request->stems_dir)
        return refuse(error, "ready stems go with a file, not with a spectrogram");
    if (!all_finite(spectrogram, A1_STEMS * frames * A1_SPEC_BANDS))
        return refuse(error, "a value of the spectrogram is not a finite number");
    a1_analysis analysis;
    a1_error err = {0};
    allin1_status status = start(&analysis, context, NULL, request, &err);
    analysis.frames = frames;
    if (status == ALLIN1_OK)
        status = run_spectrogram(&analysis, spectrogram, &err);
    return finish(&analysis, status, result, error, &err);
}

allin1_status allin1_identify(allin1_context *context, const char *path,
                              const allin1_request *request, allin1_identity *identity,
                              allin1_error *error)
{
    if (!context || !identity || !path || !*path)
        return refuse(error, "a context, a path and a place for the identity are needed");
    const allin1_request nothing = {0};
    a1_error err = {0};
    a1_keys keys;
    const unsigned depth = context->recorder.depth;
    char *track = realpath(path, NULL);
    context->recorder.track = track ? track : path;
    const allin1_status status =
        a1_keys_of_file(context, path, request ? request : &nothing, &keys, &err);
    a1_spans_unwind(&context->recorder, depth);
    context->recorder.track = NULL;
    free(track);
    *identity = (allin1_identity){0};
    if (status == ALLIN1_OK) {
        memcpy(identity->key, keys.result, sizeof identity->key);
        memcpy(identity->input_sha256, keys.input, sizeof identity->input_sha256);
    }
    return a1_public_error(error, &err, status);
}
