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
#include "metrical/metrical.h"
#include "network/network.h"
#include "spectrogram/spectrogram.h"
#include "student/student.h"
#include "timings/recorder.h"
#include "weights/weights.h"

/* A model between being found and being built: the digests are needed long before the weights. */
typedef struct a1_loaded_model {
    a1_tensor_set *sets[A1_WEIGHTS_MAX_FILES]; /* until the model is built */
    a1_weights_info *infos;                    /* [count] */
    size_t count;                              /* 0: not loaded yet */
} a1_loaded_model;

/* The content of the file that was read last, so that no file is read twice in a row. */
typedef struct a1_hashed_file {
    struct stat info;
    char sha256[A1_SHA256_HEX]; /* "" when there is none */
} a1_hashed_file;

/* What must run; NULL, 0 and AUTO: whatever. Strings have static storage. */
typedef struct a1_requirements {
    const char *spectrogram, *demix;
    unsigned threads;
    allin1_cpu_level cpu;
} a1_requirements;

struct allin1_context {
    allin1_settings settings; /* its strings are owned */
    char *strings[4];
    a1_cpu cpu;
    a1_pool *pool;
    a1_recorder recorder;
    bool opened; /* the run has begun */

    a1_demix_precision demix_precision; /* that the demixer is, or will be, built with */
    a1_loaded_model network_files, demix_files;
    a1_metrical_settings beat_settings; /* without the threshold */
    double downbeat_threshold; /* of the network, valid once its files are loaded */
    bool hears_mix; /* the network is a student; valid with the threshold */
    a1_network *network;
    a1_student *student;
    a1_metrical *metrical;
    a1_htdemucs *demixer;
    a1_spectrogram *spectrogram;
    a1_hashed_file hashed;

    a1_requirements required;
    bool spec_checked, precision_checked;
    /* Why a guard gave up what was asked for; "" when it did not. */
    char spec_fallback[192], precision_fallback[192];
};

/* Each makes sure that what it names is there, once for the life of the context. */
allin1_status a1_context_find_network(allin1_context *context, a1_error *err);
allin1_status a1_context_build_network(allin1_context *context, a1_error *err);
allin1_status a1_context_find_demixer(allin1_context *context, a1_error *err);
allin1_status a1_context_build_demixer(allin1_context *context, a1_error *err);
allin1_status a1_context_plan_spectrogram(allin1_context *context, a1_error *err);

/* A second demixer, with fp32, which the caller destroys. */
allin1_status a1_context_build_exact_demixer(allin1_context *context, a1_htdemucs **demixer,
                                             a1_error *err);

/* Name of the precision that the demixer was built with; before that, of the one it will be. */
const char *a1_context_precision_used(const allin1_context *context);

/* False for the demixer "none". */
bool a1_context_demixes(const allin1_context *context);

void a1_log(const allin1_context *context, allin1_log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
