/* Finding, fetching and verifying model weights.
 *
 * Weights are not part of this library, but for those of the small model "student", which are built in.
 * They are looked for in the folder given in the settings, in
 * $ALLIN1_WEIGHTS, and in the user's cache ($XDG_CACHE_HOME/allin1, else ~/.cache/allin1), in each
 * directly and in a subfolder named after the family ("harmonix", "htdemucs"). Every file proves
 * itself by its digest before it is used. Fetched weights are kept in our own format, one .a1w file
 * for each set of tensors (docs/FORMATS.md).
 *
 * All functions may be called from any thread, and several at once; of two that fetch the same file
 * at once, the one that ends last wins, and both leave a whole file. With a libcurl older
 * than 7.84, a program of several threads calls curl_global_init before the first fetch. */
#ifndef ALLIN1_MODELS_H
#define ALLIN1_MODELS_H

#include <stddef.h>
#include <stdint.h>

#include <allin1/allin1.h>

#ifdef __cplusplus
extern "C" {
#endif

/* `what` names the file that is being downloaded. `total` is 0 while it is unknown; both count
 * bytes. Called from the calling thread, a few times a second. A return other than 0 cancels. */
typedef int (*allin1_fetch_progress_fn)(void *user, const char *what, uint64_t done,
                                        uint64_t total);

typedef struct allin1_models_settings {
    /* Searched first, and where fetched weights go. NULL (default): they go into the user's cache.
     */
    const char *weights_dir;
    /* Fetch from here and from nowhere else: a file; or a folder, or an https address that ends in
     * "/", in which the published file names are looked for; or the https address of a file. NULL
     * (default): the published sources. */
    const char *from;
    /* Certificates (PEM) to trust instead of the system's. NULL (default): $ALLIN1_CA_FILE, else
     * the system's. */
    const char *ca_file;
    allin1_log_fn log; /* what is being done; default NULL */
    void *log_user;
    allin1_fetch_progress_fn progress; /* default NULL */
    void *progress_user;
} allin1_models_settings;

void allin1_models_settings_default(allin1_models_settings *settings);

/* A published file from which a set of tensors can be made. */
typedef struct allin1_model_source {
    const char *file;    /* its name */
    const char *format;  /* "npz", "torch", "onnx" */
    const char *address; /* https address, or "npm package NAME@VERSION" */
    uint64_t size;       /* bytes, 0 when it was never published */
    const char
        *sha256; /* hexadecimal; only leading digits, or "", when that is all that is known */
} allin1_model_source;

/* One set of tensors of a model, and what was found of it on this machine. */
typedef struct allin1_model_part {
    const char *name;   /* "harmonix-fold0" */
    const char *digest; /* SHA-256 of the tensors, the same whichever format holds them; "" when none
                           is built in */
    const allin1_model_source *sources;
    size_t source_count;
    allin1_status state; /* ALLIN1_OK: there; ALLIN1_ERROR_WEIGHTS_MISSING or _DAMAGED; or another
                            error that kept the file from being read */
    const char *path;    /* of the verified file, or "built in"; "" when state is not ALLIN1_OK */
    const char *format;  /* "a1w", "npz", "torch", "onnx"; "" likewise */
    const char *message; /* what is wrong; "" when nothing is */
} allin1_model_part;

typedef struct allin1_model_entry {
    const char *name; /* what settings.model and settings.demix_model take */
    const char *family;
    const char *description;
    const char *licence;
    const allin1_model_part *parts;
    size_t part_count;
} allin1_model_entry;

/* Receives one model; valid during the call. */
typedef void (*allin1_model_fn)(void *user, const allin1_model_entry *entry);

/* Calls `fn` for every known model. Whatever is found is verified, which takes about a twentieth of
 * a second. Missing and damaged files are entries, not failures. `settings` may be NULL here and
 * below. */
allin1_status allin1_models_list(const allin1_models_settings *settings, allin1_model_fn fn,
                                 void *user, allin1_error *error);

/* What there is to know of a model beyond its entry: its data, what it is good for and what not, as
 * Markdown. NULL when nothing is. Static storage. */
const char *allin1_model_card(const char *name);

/* What became of one file. */
typedef struct allin1_model_event {
    const char *name; /* "harmonix-fold0" */
    const char *path; /* "" when there is none; of what is built in, "" or "built in" */
    allin1_status status;
    const char *message; /* one line for a person; on failure the reason */
} allin1_model_event;

/* Receives one outcome; valid during the call. */
typedef void (*allin1_model_event_fn)(void *user, const allin1_model_event *event);

/* The three functions below work on the model `name`, part by part; a part that fails does not keep
 * the others from being tried. They return the status of the first failure, with one sentence that
 * covers all. `fn` may be NULL. An unknown name is an ALLIN1_ERROR_ARGUMENT that lists the known
 * ones. */

/* Makes sure that the model is there. What is found in our own format is left alone, what is found
 * in a published format is converted, and what is missing or damaged is fetched. A file appears
 * under its final name only when it is whole and verified; an interrupted fetch leaves nothing
 * half. Where the separator runs in less than fp32 here, its weights are also left packed for that, in a
 * file beside it, which saves time at every start; when that cannot be done, the message says so and why. A
 * program maps these files for as long as its context lives: they may be deleted and replaced then, but
 * not written in place. */
allin1_status allin1_models_fetch(const allin1_models_settings *settings, const char *name,
                                  allin1_model_event_fn fn, void *user, allin1_error *error);

/* Checks every file of the model in every place down to the last bit, packed ones by their checksum; one
 * event for each file, and one for each part that has none. */
allin1_status allin1_models_verify(const allin1_models_settings *settings, const char *name,
                                   allin1_model_event_fn fn, void *user, allin1_error *error);

/* Finds the files that would be used. */
allin1_status allin1_models_path(const allin1_models_settings *settings, const char *name,
                                 allin1_model_event_fn fn, void *user, allin1_error *error);

#ifdef __cplusplus
}
#endif

#endif
