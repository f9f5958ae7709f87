/* The inside of an allin1_context: settings, threads, models and plans. */
#ifndef A1_CONTEXT_H
#define A1_CONTEXT_H

#include <stdbool.h>
#include <sys/stat.h>

#include <allin1/allin1.h>

#include "base/cpu.h"
#include "base/error.h"
#include "base/threads.h"
#include "demix/htdemucs.h"
#include "evidence.h"
#include "loaded_model.h"
#include "metrical/metrical.h"
#include "network/network.h"
#include "spectrogram/spectrogram.h"
#include "student/student.h"
#include "timings/recorder.h"

/* What listens for beats and sections: a network on stems, or a student on the mix. */
typedef struct a1_listener {
    const char *model; /* its name or path; NULL: there is none */
    a1_loaded_model files;
    bool hears_mix; /* a student; this and the next three are valid once the files are loaded */
    double downbeat_threshold;
    double transition_lambda;
    a1_calibration calibration; /* of a student */
    a1_network *network;        /* one of the two, once it is built */
    a1_student *student;
    a1_metrical *metrical;
} a1_listener;

/* The content of the file that was read last, so that no file is read twice in a row. */
typedef struct a1_hashed_file {
    struct stat info;
    char sha256[A1_SHA256_HEX]; /* "" when there is none */
} a1_hashed_file;

/* What must run; NULL, 0 and AUTO: whatever. Strings have static storage. */
typedef struct a1_requirements {
    const char *spectrogram, *demix;
    const char *model; /* [model_length], not ended by a zero */
    size_t model_length;
    unsigned threads;
    allin1_cpu_level cpu;
} a1_requirements;

struct allin1_context {
    allin1_settings settings; /* its strings are owned */
    char *strings[5];
    bool demixer_named; /* by the settings; else it is the usual one */
    a1_cpu cpu;
    a1_pool *pool;
    a1_recorder recorder;
    bool opened; /* the run has begun */

    a1_demix_precision demix_precision; /* that the demixer is, or will be, built with */
    a1_loaded_model demix_files;
    a1_metrical_settings beat_settings; /* without the threshold; the lambda may be a listener's own */
    a1_listener first;  /* songs go through it */
    a1_listener second; /* the full network, where the first one is a student that is unsure, or was
                           taken for want of this one */
    bool student_taken; /* the model was left to us, and the student is what there is */
    bool choice_told;
    a1_htdemucs *demixer;
    a1_spectrogram *spectrogram;
    a1_hashed_file hashed;

    a1_requirements required;
    bool spec_checked, precision_checked;
    /* Why a guard gave up what was asked for; "" when it did not. */
    char spec_fallback[192], precision_fallback[192];
};

/* Each makes sure that what it names is there, once for the life of the context. */
allin1_status a1_context_find_network(allin1_context *context, a1_listener *listener,
                                      a1_error *err);
allin1_status a1_context_build_network(allin1_context *context, a1_listener *listener,
                                       a1_error *err);
allin1_status a1_context_find_demixer(allin1_context *context, a1_error *err);
allin1_status a1_context_build_demixer(allin1_context *context, a1_error *err);
allin1_status a1_context_plan_spectrogram(allin1_context *context, a1_error *err);

/* Decides what the settings' model means here, before anything is loaded. */
allin1_status a1_context_choose_model(allin1_context *context, a1_error *err);

/* Tells once that the student is what there is, when that is what this listener is. */
void a1_context_say_choice(allin1_context *context, const a1_listener *listener);

/* Loads both listeners' files and the demixer's, when unsure songs are to be refined. */
allin1_status a1_context_check_refining(allin1_context *context, a1_error *err);

/* Who listens to an input: `stems`, it has stems or wants what only they can give. */
a1_listener *a1_context_listener(allin1_context *context, bool stems);

void a1_listener_free(a1_listener *listener);

/* A second demixer, with fp32, and the files that it was made of; the caller destroys it and frees
 * these, or gives them to the context. */
allin1_status a1_context_build_exact_demixer(allin1_context *context, a1_htdemucs **demixer,
                                             a1_loaded_model *files, a1_error *err);
void a1_context_take_demixer(allin1_context *context, a1_htdemucs **demixer, a1_loaded_model *files);

/* Name of the precision that the demixer was built with; before that, of the one it will be. */
const char *a1_context_precision_used(const allin1_context *context);

/* Whether unsure songs are refined. */
bool a1_context_refines(const allin1_context *context);

#define A1_NO_DEMIXER "none" /* as a demixer's name */
/* Whether there is a demixer. */
bool a1_context_demixes(const allin1_context *context);

void a1_log(const allin1_context *context, allin1_log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
