#include "requirements.h"

#include <stdlib.h>
#include <string.h>

static bool is(const char *text, size_t length, const char *word)
{
    return strlen(word) == length && strncmp(text, word, length) == 0;
}

static bool read_spectrogram(a1_requirements *wanted, const char *value, size_t length)
{
    for (allin1_spec_backend b = ALLIN1_SPEC_REFERENCE; b <= ALLIN1_SPEC_FAST; b++)
        if (is(value, length, allin1_spec_backend_string(b)))
            wanted->spectrogram = allin1_spec_backend_string(b);
    return wanted->spectrogram != NULL;
}

static bool read_demix(a1_requirements *wanted, const char *value, size_t length)
{
    for (allin1_precision p = ALLIN1_PRECISION_FP32; p <= ALLIN1_PRECISION_MIXED; p++)
        if (is(value, length, allin1_precision_string(p)))
            wanted->demix = allin1_precision_string(p);
    return wanted->demix != NULL;
}

static bool read_network(a1_requirements *wanted, const char *value, size_t length)
{
    (void)wanted; /* it has no other precision */
    return is(value, length, "fp32");
}

static bool read_model(a1_requirements *wanted, const char *value, size_t length)
{
    wanted->model = value;
    wanted->model_length = length;
    return length > 0;
}

static bool read_threads(a1_requirements *wanted, const char *value, size_t length)
{
    wanted->threads = 0;
    for (size_t i = 0; i < length; i++) {
        if (value[i] < '0' || value[i] > '9' || wanted->threads > 100000)
            return false;
        wanted->threads = wanted->threads * 10 + (unsigned)(value[i] - '0');
    }
    return wanted->threads > 0;
}

static bool read_cpu(a1_requirements *wanted, const char *value, size_t length)
{
    for (allin1_cpu_level l = ALLIN1_CPU_SCALAR; l <= ALLIN1_CPU_AVX512; l++)
        if (is(value, length, allin1_cpu_level_string(l)))
            wanted->cpu = l;
    return wanted->cpu != ALLIN1_CPU_AUTO;
}

allin1_status a1_requirements_parse(a1_requirements *wanted, const char *list, a1_error *err)
{
    static const struct {
        const char *name, *values;
        bool (*read)(a1_requirements *wanted, const char *value, size_t length);
    } known[] = {
        {"spectrogram", "fast or reference", read_spectrogram},
        {"demix", "fp32, bf16 or mixed", read_demix},
        {"network", "fp32", read_network},
        {"model", "a model's name", read_model},
        {"threads", "a whole number", read_threads},
        {"cpu", "scalar, neon, avx2 or avx512", read_cpu},
    };
    enum { KNOWN = sizeof known / sizeof *known };
    *wanted = (a1_requirements){0};
    while (list) {
        const size_t length = strcspn(list, ","), name = strcspn(list, "=,");
        size_t i = 0;
        while (i < KNOWN && !is(list, name, known[i].name))
            i++;
        if (i == KNOWN || name == length)
            return a1_fail(err, ALLIN1_ERROR_ARGUMENT,
                           "\"%.*s\" cannot be required; what can: spectrogram=, demix=, network=, "
                           "model=, threads=, cpu=",
                           (int)(length < 64 ? length : 64), list);
        const char *value = list + name + 1;
        if (!known[i].read(wanted, value, length - name - 1))
            return a1_fail(err, ALLIN1_ERROR_ARGUMENT, "%s= takes %s, not \"%.*s\"", known[i].name,
                           known[i].values, (int)(length - name < 65 ? length - name - 1 : 64),
                           value);
        list = list[length] ? list + length + 1 : NULL;
    }
    return ALLIN1_OK;
}

static const char *spectrogram_used(const allin1_context *context)
{
    const bool reference =
        context->spectrogram
            ? a1_spectrogram_backend_used(context->spectrogram) == A1_SPEC_REFERENCE
            : context->settings.spec_backend == ALLIN1_SPEC_REFERENCE;
    return allin1_spec_backend_string(reference ? ALLIN1_SPEC_REFERENCE : ALLIN1_SPEC_FAST);
}

static allin1_status compare(const char *what, const char *wanted, const char *used,
                             const char *asked, const char *fallback, a1_error *err)
{
    if (!wanted || strcmp(wanted, used) == 0)
        return ALLIN1_OK;
    if (fallback[0])
        return a1_fail(err, ALLIN1_ERROR_REQUIREMENT, "%s=%s was required, but %s runs: %s", what,
                       wanted, used, fallback);
    return a1_fail(err, ALLIN1_ERROR_REQUIREMENT,
                   "%s=%s is required, but %s would run: the settings ask for %s", what, wanted,
                   used, asked);
}

allin1_status a1_requirements_check(const allin1_context *context, a1_error *err)
{
    const a1_requirements *wanted = &context->required;
    const allin1_settings *settings = &context->settings;
    const unsigned threads = a1_pool_threads(context->pool);
    if (wanted->cpu != ALLIN1_CPU_AUTO && wanted->cpu != context->cpu.level)
        return a1_fail(err, ALLIN1_ERROR_REQUIREMENT,
                       "cpu=%s is required, but %s would run: the settings ask for %s, and the "
                       "machine decides the rest",
                       allin1_cpu_level_string(wanted->cpu),
                       allin1_cpu_level_string(context->cpu.level),
                       allin1_cpu_level_string(settings->cpu_level));
    if (wanted->threads > 0 && wanted->threads != threads)
        return a1_fail(err, ALLIN1_ERROR_REQUIREMENT,
                       "threads=%u is required, but %u would run: the settings ask for %u%s",
                       wanted->threads, threads, settings->threads,
                       settings->threads ? "" : ", which means one for each processor");
    const char *model = context->first.model;
    if (wanted->model && !is(wanted->model, wanted->model_length, model))
        return a1_fail(err, ALLIN1_ERROR_REQUIREMENT,
                       "model=%.*s is required, but %s would run: the settings ask for %s",
                       (int)(wanted->model_length < 256 ? wanted->model_length : 256),
                       wanted->model, model, settings->model);
    if (wanted->demix && context->first.hears_mix && !a1_context_refines(context))
        return a1_fail(err, ALLIN1_ERROR_REQUIREMENT,
                       "demix=%s is required, but nothing would be separated: the model %s hears the "
                       "mix",
                       wanted->demix, model);
    if (wanted->demix && !a1_context_demixes(context))
        return a1_fail(err, ALLIN1_ERROR_REQUIREMENT,
                       "demix=%s is required, but nothing would be separated: the settings ask for "
                       "no demixer",
                       wanted->demix);
    A1_TRY(compare("spectrogram", wanted->spectrogram, spectrogram_used(context),
                   allin1_spec_backend_string(settings->spec_backend), context->spec_fallback, err));
    return compare("demix", wanted->demix, a1_context_precision_used(context),
                   allin1_precision_string(settings->precision), context->precision_fallback, err);
}

allin1_status a1_requirements_check_input(const allin1_context *context, bool given_stems,
                                          bool given_spectrogram, a1_error *err)
{
    const a1_requirements *wanted = &context->required;
    if (wanted->demix && (given_stems || given_spectrogram))
        return a1_fail(err, ALLIN1_ERROR_REQUIREMENT,
                       "demix=%s is required, but nothing would be separated: the %s given",
                       wanted->demix, given_stems ? "stems are" : "spectrogram is");
    if (wanted->spectrogram && given_spectrogram)
        return a1_fail(err, ALLIN1_ERROR_REQUIREMENT,
                       "spectrogram=%s is required, but none would be computed: it is given",
                       wanted->spectrogram);
    return a1_requirements_check(context, err);
}
