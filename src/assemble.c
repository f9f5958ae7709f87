/* From what the stages left behind to the result that the caller sees. */
#include "analysis.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "nn/logistic.h"
#include "tempo/tempo.h"

#define FRAMES_PER_SECOND ((double)A1_SPEC_SAMPLE_RATE / A1_SPEC_HOP)

const char *allin1_label(size_t index)
{
    return index < A1_NETWORK_LABELS ? a1_network_labels[index] : NULL;
}

static allin1_status fill_tempo(a1_result *result)
{
    allin1_result *shown = &result->shown;
    const size_t count = shown->beat_count;
    shown->bpm = a1_tempo_bpm(shown->beats, count);
    if (shown->bpm <= 0)
        return ALLIN1_OK;
    double *curve = a1_result_alloc(result, count * sizeof *curve);
    if (!curve)
        return ALLIN1_ERROR_MEMORY;
    shown->tempo = a1_tempo_precise(shown->beats, count);
    a1_tempo_curve(shown->beats, count, curve);
    shown->tempo_curve_count = count;
    shown->tempo_curve_times = shown->beats;
    shown->tempo_curve = curve;
    return ALLIN1_OK;
}

/* Half and double, the likelier first. */
static allin1_status fill_alternatives(a1_analysis *analysis)
{
    static const char *const relations[A1_TEMPO_ALTERNATIVES] = {"half", "double"};
    const a1_confidences *from = &analysis->confidences;
    allin1_result *shown = &analysis->result->shown;
    shown->tempo_confidence = from->tempo;
    allin1_tempo_alternative *items =
        a1_result_alloc(analysis->result, A1_TEMPO_ALTERNATIVES * sizeof *items);
    if (!items)
        return ALLIN1_ERROR_MEMORY;
    size_t count = 0;
    for (size_t i = 0; i < A1_TEMPO_ALTERNATIVES; i++) {
        const a1_tempo_alternative *alternative = &from->alternatives[i];
        if (!(alternative->bpm > 0))
            continue;
        size_t at = count++;
        for (; at > 0 && items[at - 1].confidence < alternative->confidence; at--)
            items[at] = items[at - 1];
        items[at] = (allin1_tempo_alternative){alternative->bpm, alternative->confidence,
                                               relations[i]};
    }
    shown->tempo_alternative_count = count;
    shown->tempo_alternatives = count ? items : NULL;
    return ALLIN1_OK;
}

static allin1_status fill_confidences(a1_analysis *analysis)
{
    a1_result *result = analysis->result;
    const a1_confidences *from = &analysis->confidences;
    const size_t count = analysis->beats.count;
    double *beats = a1_result_alloc(result, count * sizeof *beats);
    double *downbeats = a1_result_alloc(result, count * sizeof *downbeats);
    if (!beats || !downbeats)
        return ALLIN1_ERROR_MEMORY;
    size_t downbeat_count = 0;
    for (size_t i = 0; i < count; i++) {
        beats[i] = from->beats[i];
        if (analysis->beats.positions[i] == 1)
            downbeats[downbeat_count++] = from->downbeats[i];
    }
    result->shown.beat_confidences = beats;
    result->shown.downbeat_confidences = downbeat_count ? downbeats : NULL;
    return fill_alternatives(analysis);
}

static allin1_status fill_beats(a1_analysis *analysis)
{
    a1_result *result = analysis->result;
    const a1_beats *beats = &analysis->beats;
    const size_t count = beats->count;
    if (count == 0)
        return ALLIN1_OK;
    double *times = a1_result_alloc(result, count * sizeof *times);
    double *downbeats = a1_result_alloc(result, count * sizeof *downbeats);
    unsigned *positions = a1_result_alloc(result, count * sizeof *positions);
    if (!times || !downbeats || !positions)
        return ALLIN1_ERROR_MEMORY;
    size_t downbeat_count = 0;
    for (size_t i = 0; i < count; i++) {
        times[i] = beats->times[i];
        positions[i] = beats->positions[i];
        if (positions[i] == 1)
            downbeats[downbeat_count++] = times[i];
    }
    allin1_result *shown = &result->shown;
    shown->beats = times;
    shown->beat_positions = positions;
    shown->beat_count = count;
    shown->downbeats = downbeat_count ? downbeats : NULL;
    shown->downbeat_count = downbeat_count;
    shown->beats_per_bar = beats->beats_per_bar;
    A1_TRY(fill_tempo(result));
    return fill_confidences(analysis);
}

static allin1_status fill_segments(a1_analysis *analysis)
{
    a1_result *result = analysis->result;
    const a1_segments *segments = &analysis->segments;
    const double threshold = analysis->context->settings.unknown_threshold;
    if (segments->count == 0)
        return ALLIN1_OK;
    allin1_segment *items = a1_result_alloc(result, segments->count * sizeof *items);
    if (!items)
        return ALLIN1_ERROR_MEMORY;
    for (size_t i = 0; i < segments->count; i++) {
        const a1_segment *segment = &segments->items[i];
        double *probabilities = a1_result_alloc(result, sizeof segment->probabilities);
        if (!probabilities)
            return ALLIN1_ERROR_MEMORY;
        memcpy(probabilities, segment->probabilities, sizeof segment->probabilities);
        const bool sure = segment->label_probability >= threshold;
        items[i] = (allin1_segment){.start = segment->start,
                                    .end = segment->end,
                                    .label = sure ? allin1_label(segment->label)
                                                  : ALLIN1_LABEL_UNKNOWN,
                                    .probability = segment->label_probability,
                                    .probabilities = probabilities};
    }
    result->shown.segments = items;
    result->shown.segment_count = segments->count;
    return ALLIN1_OK;
}

static void fill_soft_max(const float *logits, size_t frames, float *out)
{
    for (size_t t = 0; t < frames; t++) {
        float largest = logits[t], sum = 0;
        for (size_t l = 1; l < A1_NETWORK_LABELS; l++)
            largest = fmaxf(largest, logits[l * frames + t]);
        for (size_t l = 0; l < A1_NETWORK_LABELS; l++)
            sum += out[l * frames + t] = a1_exp_f32(logits[l * frames + t] - largest);
        for (size_t l = 0; l < A1_NETWORK_LABELS; l++)
            out[l * frames + t] /= sum;
    }
}

static allin1_status fill_activations(a1_analysis *analysis)
{
    const size_t frames = analysis->frames;
    a1_result *result = analysis->result;
    float *values = a1_result_alloc(result, (3 + A1_NETWORK_LABELS) * frames * sizeof *values);
    if (!values)
        return ALLIN1_ERROR_MEMORY;
    const float *logits[3] = {analysis->output.beat, analysis->output.downbeat,
                              analysis->output.section};
    for (size_t i = 0; i < 3; i++)
        for (size_t t = 0; t < frames; t++)
            values[i * frames + t] = a1_logistic_f32(logits[i][t]);
    fill_soft_max(analysis->output.function, frames, values + 3 * frames);
    result->activations = (allin1_activations){.frames_per_second = FRAMES_PER_SECOND,
                                               .frames = frames,
                                               .labels = A1_NETWORK_LABELS,
                                               .beat = values,
                                               .downbeat = values + frames,
                                               .segment = values + 2 * frames,
                                               .label = values + 3 * frames};
    result->shown.activations = &result->activations;
    return ALLIN1_OK;
}

static const char *copy(a1_analysis *analysis, const char *text, bool *failed)
{
    const char *string = a1_result_string(analysis->result, text);
    *failed |= !string;
    return string;
}

static const allin1_model_file *copy_files(a1_analysis *analysis, const a1_loaded_model *model,
                                           bool *failed)
{
    allin1_model_file *files = a1_result_alloc(analysis->result, model->count * sizeof *files);
    if (!files) {
        *failed = true;
        return NULL;
    }
    for (size_t i = 0; i < model->count; i++) {
        const a1_weights_info *info = &model->infos[i];
        files[i] = (allin1_model_file){.name = copy(analysis, info->name, failed),
                                       .path = copy(analysis, info->path, failed),
                                       .format = copy(analysis, info->format, failed),
                                       .digest = copy(analysis, info->digest, failed),
                                       .licence = copy(analysis, info->licence, failed)};
    }
    return files;
}

static bool demixer_was_used(const allin1_provenance *from)
{
    return from->stems == ALLIN1_ORIGIN_COMPUTED || from->stems == ALLIN1_ORIGIN_BYPRODUCT ||
           from->spectrogram == ALLIN1_ORIGIN_BYPRODUCT;
}

static void fill_musical(allin1_provenance *from, const allin1_context *context,
                         const a1_listener *listener)
{
    const allin1_settings *settings = &context->settings;
    const a1_metrical_settings *beats = &context->beat_settings;
    from->min_bpm_requested = settings->min_bpm;
    from->max_bpm_requested = settings->max_bpm;
    from->tempo_hint = settings->tempo_hint;
    from->min_bpm = beats->min_bpm;
    from->max_bpm = beats->max_bpm;
    from->transition_lambda = listener->transition_lambda;
    from->metre_count = beats->metre_count;
    for (size_t m = 0; m < beats->metre_count; m++)
        from->metres[m] = (allin1_metre){beats->beats_per_bar[m], beats->weights[m]};
    from->unknown_threshold = settings->unknown_threshold;
}

static allin1_status fill_provenance(a1_analysis *analysis)
{
    const allin1_context *context = analysis->context;
    const allin1_settings *settings = &context->settings;
    const a1_audio_source *source = &analysis->source;
    allin1_provenance *from = &analysis->result->shown.provenance;
    bool failed = false;
    from->version = ALLIN1_VERSION_STRING;
    from->key = copy(analysis, analysis->keys.result, &failed);
    from->input_sha256 = copy(analysis, analysis->keys.input, &failed);

    from->container = copy(analysis, source->container, &failed);
    from->codec = copy(analysis, source->codec, &failed);
    from->channel_layout = copy(analysis, source->channel_layout, &failed);
    from->channels = source->channels;
    from->sample_rate = source->sample_rate;
    from->bits_per_sample = source->bits_per_sample;
    from->skipped_start = source->skipped_start;
    from->skipped_end = source->skipped_end;
    from->damaged_packets = source->damaged_packets;
    from->truncated = source->truncated;

    from->samples = (int64_t)analysis->samples;

    if (!a1_context_demixes(context)) {
        if (from->stems == ALLIN1_ORIGIN_GUESSED || from->spectrogram == ALLIN1_ORIGIN_BYPRODUCT)
            from->demix_model = copy(analysis, settings->demix_model, &failed);
    } else if (demixer_was_used(from)) {
        from->demix_model = copy(analysis, settings->demix_model, &failed);
        from->demix_shifts = settings->demix_shifts;
        from->demix_seed = settings->demix_seed;
        from->demix_precision_requested = allin1_precision_string(settings->precision);
        from->demix_precision = a1_context_precision_used(context);
        from->demix_file_count = context->demix_files.count;
        from->demix_files = copy_files(analysis, &context->demix_files, &failed);
    }
    from->demix_fallback = copy(analysis, demixer_was_used(from) ? context->precision_fallback : "", &failed);
    from->spec_fallback =
        copy(analysis, from->spectrogram != ALLIN1_ORIGIN_GIVEN ? context->spec_fallback : "", &failed);
    from->spec_backend_requested = settings->spec_backend;
    if (from->spectrogram != ALLIN1_ORIGIN_GIVEN && context->spectrogram) {
        from->spec_backend =
            a1_spectrogram_backend_used(context->spectrogram) == A1_SPEC_REFERENCE
                ? ALLIN1_SPEC_REFERENCE
                : ALLIN1_SPEC_FAST;
        from->quantised_stems = settings->quantise_stems != 0;
    }

    const a1_listener *listener = analysis->listener;
    from->model_requested = copy(analysis, settings->model, &failed);
    from->model = copy(analysis, listener->model, &failed);
    from->model_file_count = listener->files.count;
    from->model_files = copy_files(analysis, &listener->files, &failed);
    from->downbeat_threshold = listener->downbeat_threshold;
    fill_musical(from, context, listener);
    from->precision = "fp32";
    from->cpu_level_requested = context->recorder.run.cpu_level_requested;
    from->cpu_level = context->recorder.run.cpu_level;
    from->threads_requested = context->recorder.run.threads_requested;
    from->threads = context->recorder.run.threads;
    return failed ? ALLIN1_ERROR_MEMORY : ALLIN1_OK;
}

static allin1_status fill(a1_analysis *analysis)
{
    analysis->result->shown.path = a1_result_string(analysis->result, analysis->track);
    if (!analysis->result->shown.path)
        return ALLIN1_ERROR_MEMORY;
    A1_TRY(fill_beats(analysis));
    A1_TRY(fill_segments(analysis));
    if (analysis->request.want_activations)
        A1_TRY(fill_activations(analysis));
    return fill_provenance(analysis);
}

allin1_status a1_assemble(a1_analysis *analysis, a1_error *err)
{
    const allin1_status status = fill(analysis);
    return status == ALLIN1_OK ? status : a1_fail_memory(err, "the result");
}
