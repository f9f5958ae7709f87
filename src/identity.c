/* What decides a result, boiled down to digests.
 *
 * The chain is input -> stems -> spectrogram -> result; each link names all that it depends on. Threads
 * are not in it: they do not change a bit. The CPU level is in the by-products' keys only: other
 * instructions round the last bits of the stems differently, and using them again must not change a
 * byte; a result rounds those bits away. */
#include "analysis.h"

#include <stdlib.h>
#include <string.h>

#include "given_stems.h"
#include "output/file_hash.h"
#include "requirements.h"

typedef enum start_point { FROM_MIX, FROM_GIVEN_STEMS, FROM_SPECTROGRAM } start_point;

static bool same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
           a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

static allin1_status hash_input(allin1_context *context, const char *path,
                                char sha256[A1_SHA256_HEX], a1_error *err)
{
    a1_hashed_file *last = &context->hashed;
    struct stat info;
    const bool known = stat(path, &info) == 0;
    if (known && last->sha256[0] && same_file(&info, &last->info)) {
        memcpy(sha256, last->sha256, sizeof last->sha256);
        return ALLIN1_OK;
    }
    last->sha256[0] = '\0';
    a1_span_begin(&context->recorder, ALLIN1_STAGE_INPUT_HASH);
    A1_TRY(a1_file_sha256(path, sha256, err));
    a1_span_end(&context->recorder);
    if (known) {
        last->info = info;
        memcpy(last->sha256, sha256, sizeof last->sha256);
    }
    return ALLIN1_OK;
}

/* Reads whole files, each time. */
static allin1_status hash_stems(allin1_context *context, const char *path,
                                const allin1_request *request, a1_hash *hash, a1_error *err)
{
    a1_span_begin(&context->recorder, ALLIN1_STAGE_INPUT_HASH)->mode = "stems";
    A1_TRY(a1_hash_given_stems(path, request, hash, err));
    a1_span_end(&context->recorder);
    return ALLIN1_OK;
}

/* Where the stems come from: the demixer and its settings, or the files that were given. */
static allin1_status add_stems(allin1_context *context, const a1_listener *listener,
                               start_point start, const char *path, const allin1_request *request,
                               a1_hash *hash, a1_error *err)
{
    const allin1_settings *settings = &context->settings;
    if (start == FROM_GIVEN_STEMS)
        return hash_stems(context, path, request, hash, err);
    if (listener->hears_mix && !a1_context_refines(context)) {
        a1_hash_format(hash, "the mix\n");
        return ALLIN1_OK;
    }
    if (!a1_context_demixes(context)) {
        a1_hash_format(hash, "demixer none\n");
        return ALLIN1_OK;
    }
    a1_hash_format(hash, "demixer %s %s shifts %u\n", context->demix_files.infos[0].digest,
                   a1_context_precision_used(context), settings->demix_shifts);
    if (settings->demix_shifts > 0)
        a1_hash_format(hash, "seed %llu\n", (unsigned long long)settings->demix_seed);
    return ALLIN1_OK;
}

/* Of the post-processing, what no model decides. */
static void add_musical(const allin1_context *context, a1_hash *hash)
{
    const a1_metrical_settings *beats = &context->beat_settings;
    a1_hash_format(hash, "bpm %.17g to %.17g\n", beats->min_bpm, beats->max_bpm);
    for (size_t m = 0; m < beats->metre_count; m++)
        a1_hash_format(hash, "metre %u weight %.17g\n", beats->beats_per_bar[m],
                       beats->weights[m]);
    a1_hash_format(hash, "unknown below %.17g\n", context->settings.unknown_threshold);
}

/* A student's threshold and lambda may change where its tensors do not: they are named. */
static void add_listener(const a1_listener *listener, a1_hash *hash)
{
    for (size_t i = 0; i < listener->files.count; i++)
        a1_hash_format(hash, "network %s\n", listener->files.infos[i].digest);
    a1_hash_format(hash, "lambda %.17g\n", listener->transition_lambda);
    if (listener->hears_mix)
        a1_hash_format(hash, "threshold %.17g\n", listener->downbeat_threshold);
}

/* When a song goes through the second network, and which that is. */
static void add_refining(const allin1_context *context, a1_hash *hash)
{
    const a1_calibration *calibration = &context->first.calibration;
    a1_hash_format(hash, "refined below %.17g by %.17g", context->settings.refine,
                   calibration->constant);
    for (size_t i = 0; i < ALLIN1_EVIDENCE; i++)
        a1_hash_format(hash, " %.17g", calibration->weights[i]);
    a1_hash_format(hash, "\n");
    add_listener(&context->second, hash);
}

static void add_spectrogram(const allin1_context *context, a1_hash *hash)
{
    a1_hash_format(hash, "spectrogram %d quantised %d\n",
                   (int)a1_spectrogram_backend_used(context->spectrogram),
                   context->settings.quantise_stems != 0);
}

/* One link of the chain; `level` is NULL for the result. */
static allin1_status begin_link(const char *what, const char *level, const char *before,
                                a1_hash **hash, a1_error *err)
{
    A1_TRY(a1_hash_begin(hash, err));
    a1_hash_format(*hash, "allin1 %s %s\nlevel %s\nfrom %s\n", ALLIN1_VERSION_STRING, what,
                   level ? level : "any", before);
    return ALLIN1_OK;
}

/* A student hears the mix, and nothing else will do. */
static allin1_status check_start(const a1_listener *listener, start_point start,
                                 const allin1_request *request, a1_error *err)
{
    if (!listener->hears_mix)
        return ALLIN1_OK;
    if (start != FROM_MIX)
        return a1_fail(err, ALLIN1_ERROR_ARGUMENT,
                       "the model %s hears the mix and takes no %s", listener->model,
                       start == FROM_GIVEN_STEMS ? "stems" : "spectrogram of stems");
    if (request && request->want_embeddings)
        return a1_fail(err, ALLIN1_ERROR_ARGUMENT, "the model %s has no embeddings",
                       listener->model);
    return ALLIN1_OK;
}

static allin1_status derive(allin1_context *context, start_point start, const char *path,
                            const allin1_request *request, a1_keys *keys, a1_error *err)
{
    static const char *const start_names[] = {"mix", "stems", "spectrogram"};
    const char *level = allin1_cpu_level_string(context->cpu.level);
    a1_hash *hash = NULL;
    char ignored[A1_SHA256_HEX];
    allin1_status status;
    a1_listener *listener = a1_context_listener(
        context, start != FROM_MIX || (request && request->want_embeddings));
    A1_CHECK(a1_context_find_network(context, listener, err));
    A1_CHECK(check_start(listener, start, request, err));
    a1_context_say_choice(context, listener);
    A1_CHECK(a1_requirements_check(context, err)); /* a file tells only now what it is */
    const bool separates = !listener->hears_mix || a1_context_refines(context);
    if (start == FROM_MIX && separates && a1_context_demixes(context))
        A1_CHECK(a1_context_find_demixer(context, err));
    if (start != FROM_SPECTROGRAM) {
        A1_CHECK(a1_context_plan_spectrogram(context, err));
        A1_CHECK(begin_link("stems", level, keys->input, &hash, err));
        A1_CHECK(add_stems(context, listener, start, path, request, hash, err));
        A1_CHECK(a1_hash_end(&hash, keys->stems, err));
        A1_CHECK(begin_link("spectrogram", level, keys->stems, &hash, err));
        add_spectrogram(context, hash);
        A1_CHECK(a1_hash_end(&hash, keys->spectrogram, err));
    }
    A1_CHECK(begin_link("result", NULL, keys->input, &hash, err));
    a1_hash_format(hash, "start %s\n", start_names[start]);
    if (start != FROM_SPECTROGRAM) {
        A1_CHECK(add_stems(context, listener, start, path, request, hash, err));
        add_spectrogram(context, hash);
    }
    add_listener(listener, hash);
    if (listener->hears_mix && a1_context_refines(context))
        add_refining(context, hash);
    add_musical(context, hash);
    status = a1_hash_end(&hash, keys->result, err);

done:
    if (hash)
        a1_hash_end(&hash, ignored, NULL);
    return status;
}

allin1_status a1_keys_of_file(allin1_context *context, const char *path,
                              const allin1_request *request, a1_keys *keys, a1_error *err)
{
    *keys = (a1_keys){0};
    A1_TRY(hash_input(context, path, keys->input, err));
    return derive(context, request->stems_dir ? FROM_GIVEN_STEMS : FROM_MIX, path, request, keys,
                  err);
}

allin1_status a1_keys_again(allin1_context *context, const char *path,
                            const allin1_request *request, a1_keys *keys, a1_error *err)
{
    return derive(context, request->stems_dir ? FROM_GIVEN_STEMS : FROM_MIX, path, request, keys,
                  err);
}

allin1_status a1_keys_of_memory(allin1_context *context, const float *const *blocks,
                                size_t block_count, size_t floats, const allin1_request *request,
                                bool from_spectrogram, a1_keys *keys, a1_error *err)
{
    *keys = (a1_keys){0};
    a1_hash *hash;
    a1_span_begin(&context->recorder, ALLIN1_STAGE_INPUT_HASH);
    A1_TRY(a1_hash_begin(&hash, err));
    for (size_t i = 0; i < block_count; i++)
        a1_hash_add(hash, blocks[i], floats * sizeof(float));
    A1_TRY(a1_hash_end(&hash, keys->input, err));
    a1_span_end(&context->recorder);
    return derive(context, from_spectrogram ? FROM_SPECTROGRAM : FROM_MIX, NULL, request, keys, err);
}
