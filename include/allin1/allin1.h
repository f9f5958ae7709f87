/* allin1: the musical structure of a song: tempo, beats, downbeats and labelled sections.
 *
 *     allin1_settings settings;
 *     allin1_settings_default(&settings);
 *     allin1_context *context = NULL;
 *     allin1_result *result = NULL;
 *     allin1_error error;
 *     if (allin1_open(&context, &settings, &error) == ALLIN1_OK &&
 *         allin1_analyze_file(context, "song.mp3", NULL, &result, &error) == ALLIN1_OK)
 *         printf("%d bpm, %zu beats\n", result->bpm, result->beat_count);
 *     else
 *         fprintf(stderr, "%s\n", error.message);
 *     allin1_result_free(&result);
 *     allin1_close(&context);
 *
 * Conventions of the whole header:
 * - Times are seconds from the start of the input, frequencies Hz, sizes bytes.
 * - A function that can fail returns an allin1_status and fills `error`, which may be NULL. What it
 *   would have given back is then NULL; there is nothing to free.
 * - A function that frees takes the address of the caller's pointer, accepts NULL in it, and sets it
 *   to NULL.
 * - Strings are UTF-8 where they are text, and the system's bytes where they are paths. A string
 *   that is passed in is copied when it is needed beyond the call.
 * - One context is used by one thread at a time; several contexts may live and work at once. Results
 *   belong to the caller, are independent of their context, and are read-only after creation, so
 *   they may be shared by threads.
 * - The library never prints, exits or aborts on input, and has no process-wide state. */
#ifndef ALLIN1_ALLIN1_H
#define ALLIN1_ALLIN1_H

#include <stddef.h>
#include <stdint.h>

#include <allin1/status.h>
#include <allin1/version.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ------------------------------------------------------------------------------------------------
 * Errors */

/* What failed, and one English sentence for a person that names the file and the reason. */
typedef struct allin1_error {
    allin1_status status;
    char message[1024];
} allin1_error;

/* The version of the library that is linked, "0.1.0". Static storage. */
const char *allin1_version(void);

/* ------------------------------------------------------------------------------------------------
 * Stages and spans: what is running, and what it cost */

/* Names of the stages, as progress and spans use them. Those of the reference implementation keep
 * its names. */
#define ALLIN1_STAGE_INPUT_HASH "input_hash"
#define ALLIN1_STAGE_MODEL_LOAD "model_load"
#define ALLIN1_STAGE_DEMIX_INIT "demix_init"
#define ALLIN1_STAGE_DECODE "decode"
#define ALLIN1_STAGE_DEMIX "demix"
#define ALLIN1_STAGE_CHEAP_STEMS "cheap_stems"
#define ALLIN1_STAGE_STEMS_LOAD "stems_load"
#define ALLIN1_STAGE_STEMS_SAVE "stems_save"
#define ALLIN1_STAGE_SPEC_INIT "spec_init"
#define ALLIN1_STAGE_SPECTROGRAM "spectrogram"
#define ALLIN1_STAGE_SPEC_LOAD "spec_load"
#define ALLIN1_STAGE_SPEC_SAVE "spec_save"
#define ALLIN1_STAGE_NN "nn"
#define ALLIN1_STAGE_POSTPROCESS "postprocess"
#define ALLIN1_STAGE_METRICAL_PREP "metrical_prep"
#define ALLIN1_STAGE_METRICAL_DBN "metrical_dbn"
#define ALLIN1_STAGE_METRICAL_CONFIDENCE "metrical_confidence"
#define ALLIN1_STAGE_FUNCTIONAL_PROBS "functional_probs"
#define ALLIN1_STAGE_FUNCTIONAL_LOCAL_MAXIMA "functional_local_maxima"
#define ALLIN1_STAGE_FUNCTIONAL_BOUNDARIES "functional_boundaries"
#define ALLIN1_STAGE_SAVE "save"
#define ALLIN1_STAGE_VISUALIZE "visualize"
#define ALLIN1_STAGE_SONIFY "sonify"
/* Guards: what is compared with the straightforward way of computing it. */
#define ALLIN1_STAGE_SPEC_CHECK "spec_check"
#define ALLIN1_STAGE_PRECISION_CHECK "precision_check"
/* What a run does besides its stages, so that all of its time has a name. */
#define ALLIN1_STAGE_START_UP "start_up"         /* the caller's, before allin1_open */
#define ALLIN1_STAGE_OPEN "open"                 /* allin1_open */
#define ALLIN1_STAGE_RESULT_CHECK "result_check" /* whether a result that is there still holds */
#define ALLIN1_STAGE_RELEASE "release"           /* memory given back between stages */
#define ALLIN1_STAGE_CLOSE "close"               /* allin1_close */
#define ALLIN1_STAGE_REPORT "report"             /* writing about the timings themselves */
#define ALLIN1_STAGE_RUN "run" /* the whole, from allin1/timings.h: its own time is what nothing explains */

typedef struct allin1_progress {
    const char *stage; /* one of the names above */
    const char *path;  /* the input being analysed, as it was given; NULL while a model is loaded */
    double fraction;   /* of this stage, 0 to 1 */
    double overall;    /* of this input, 0 to 1, by the time that the stages usually take */
} allin1_progress;

/* Called from the thread that called into the library, a few times a second while it works. A return
 * other than 0 cancels: the call in progress gives ALLIN1_ERROR_CANCELLED soon after. `progress` is
 * valid during the call only. */
typedef int (*allin1_progress_fn)(void *user, const allin1_progress *progress);

/* What is the same for all spans of one context. */
typedef struct allin1_run {
    char id[33];         /* random, hexadecimal */
    char host[65];       /* name of the machine */
    char processor[65];  /* "" when unknown */
    const char *version; /* of this library */
    allin1_cpu_level cpu_level_requested, cpu_level;
    unsigned threads_requested, threads;
    double started; /* wall clock, seconds since 1970-01-01 UTC */
    double clock_started; /* the same moment on the spans' clock, seconds */
} allin1_run;

/* A stretch of time in which one thread worked for a span. */
typedef struct allin1_thread_work {
    unsigned thread;   /* 0: the one that called into the library, which counts as working unless it
                          waits for the others; from 1 on: the others, which work on tasks */
    double start, end; /* seconds on the span's clock */
    double busy;       /* seconds of it, without the pauses that are too short to be told apart */
} allin1_thread_work;

/* One measured piece of work. Clocks are monotonic with an arbitrary start that is the same for all
 * contexts of a process. A span that contains others is its children's `parent`, and ends after
 * them. */
typedef struct allin1_span {
    uint64_t id;               /* 1, 2, ... within the context, in order of starting */
    uint64_t parent;           /* the enclosing span, 0 at the top */
    const char *stage;         /* one of the names above */
    double start, end;         /* seconds on the monotonic clock */
    double wall_start;         /* seconds since 1970-01-01 UTC */
    double own;                /* end - start without the children's time */
    double cpu_seconds;        /* processor time of all threads of the process meanwhile */
    uint64_t peak_memory;      /* largest resident size of the process so far, bytes; 0: unknown */
    const char *device;        /* "cpu" */
    const char *model;         /* that listens: the one that was asked for or chosen */
    const char *track;         /* the input, NULL when it belongs to none */
    size_t count;              /* items worked on, 0 when that has no meaning */
    const char *mode;          /* how, where a stage has several ways; else NULL */
    const char *backend_requested, *backend;     /* NULL where a stage has one backend */
    const char *precision_requested, *precision; /* NULL where that has no meaning */
    double audio_seconds;      /* length of the input, 0 when unknown or without meaning */
    const allin1_run *run;
    uint64_t instructions; /* executed by the context's threads meanwhile; 0 when the system does not
                              tell, or nobody listens to the spans */
    double operations;     /* floating-point multiplications and additions that the stage's shapes
                              ask for; 0 when they are not counted */
    const char *fallback;  /* the guard that made it run otherwise than requested, one of the stages'
                              names; NULL when none did */
    int checked; /* not 0 in the spans of guards, where the next four hold */
    int breach;  /* not 0: a threshold was passed */
    double difference_mean, difference_max; /* of the spectrograms' values, absolute */
    double snr; /* dB, the lowest of the four stems', against fp32; NAN when no stems were compared */
    /* Who worked when, ordered by thread and time, at most a few thousand entries however long the
     * span; without what its children did. Only in the callback; else NULL and 0. */
    const allin1_thread_work *work;
    size_t work_count;
    const char *model_requested; /* as the settings named it, "auto" perhaps */
} allin1_span;

/* Called at the end of each span, from the thread that called into the library. `span` is valid
 * during the call only. */
typedef void (*allin1_span_fn)(void *user, const allin1_span *span);

/* One JSON object on one line, without a newline: the reference implementation's keys in its order
 * (stage, start, end, duration, device, model, track, count, mode), then ours (docs/FORMATS.md). The
 * caller frees it with allin1_string_free. NULL when memory ran out. */
char *allin1_span_json(const allin1_span *span);

/* ------------------------------------------------------------------------------------------------
 * The context */

typedef enum allin1_spec_backend {
    ALLIN1_SPEC_AUTO = 0,  /* fast */
    ALLIN1_SPEC_REFERENCE, /* straightforward, in double precision */
    ALLIN1_SPEC_FAST       /* float32 vectors */
} allin1_spec_backend;

/* "auto", "reference", "fast". Never NULL; static storage. */
const char *allin1_spec_backend_string(allin1_spec_backend backend);

/* Of the demixer's arithmetic. The last two need instructions that not every machine has
 * (ALLIN1_ERROR_UNSUPPORTED). Sums, norms and soft-max are float32 in any case. */
typedef enum allin1_precision {
    ALLIN1_PRECISION_AUTO = 0, /* the fastest on this machine that is known to give equal results:
                                * mixed, else bf16, with AVX-512; fp32 everywhere else */
    ALLIN1_PRECISION_FP32,
    ALLIN1_PRECISION_BF16, /* bfloat16 products */
    ALLIN1_PRECISION_MIXED /* and 8-bit integers in the transformer's linear layers */
} allin1_precision;

/* "auto", "fp32", "bf16", "mixed". Never NULL; static storage. */
const char *allin1_precision_string(allin1_precision precision);

#define ALLIN1_MIN_BEATS_PER_BAR 2
#define ALLIN1_MAX_BEATS_PER_BAR 12
#define ALLIN1_MAX_METRES 11

/* A metre that songs may be in. */
typedef struct allin1_metre {
    unsigned beats; /* a bar, ALLIN1_MIN_BEATS_PER_BAR to ALLIN1_MAX_BEATS_PER_BAR */
    double weight;  /* how likely it is beforehand against the others, 0.001 to 1000; only ratios
                       count. Its logarithm is added to the log-probability of the metre's best
                       path, which tells metres of a clear song apart by tens or hundreds: weights
                       decide close cases. */
} allin1_metre;

typedef struct allin1_settings {
    /* "auto" (default), "student", "harmonix-all", "harmonix-fold0" to "harmonix-fold7", or the path of
     * a .a1w file of one of these families. The student is built in, hears the mix without separation,
     * and is many times faster and not as good (docs/STUDENT.md). "auto" is harmonix-all where its
     * weights and the demixer's are there, and when a demixer is named; else the student, which the log
     * and every result tell; what only stems can give (a request with stems or embeddings, a
     * spectrogram) goes to harmonix-all all the same. */
    const char *model;
    /* NULL (default): "htdemucs" where the model needs stems. "htdemucs", or the path of a .a1w file;
     * "none": no separation; stems are guessed from the mix's spectrogram, many times faster and not as
     * good (docs/TRAINING.md). There are then no stems to keep: a request's demix_dir is not used. To
     * name one for a student that is not to be refined is an ALLIN1_ERROR_ARGUMENT. */
    const char *demix_model;
    /* Looked into before $ALLIN1_WEIGHTS and the user's cache. NULL (default): none. */
    const char *weights_dir;
    unsigned threads;           /* counting the caller's; 0 (default): one per processor; at most 1024 */
    allin1_cpu_level cpu_level; /* default ALLIN1_CPU_AUTO */
    allin1_spec_backend spec_backend; /* default ALLIN1_SPEC_AUTO */
    unsigned demix_shifts; /* passes with random shifts that are averaged; 0 (default): one, unshifted;
                              at most 1000 */
    uint64_t demix_seed;   /* of the shifts, default 0 */
    allin1_precision precision; /* of the demixer; default ALLIN1_PRECISION_AUTO */
    int quantise_stems;    /* not 0: round the stems to 16 bits as the reference's WAV files do; for
                              parity work; default 0 */
    allin1_log_fn log;     /* default NULL */
    void *log_user;
    allin1_progress_fn progress; /* default NULL */
    void *progress_user;
    allin1_span_fn span; /* default NULL */
    void *span_user;
    /* When the caller's run began, in seconds on CLOCK_MONOTONIC: its first span, start_up, then
     * reaches from there to allin1_open. 0 (default): the run begins with allin1_open. */
    double started;
    /* The tempi that beats may have, 10 to 600 beats a minute, to the nearest whole number of frames
     * of 10 ms. 0 (default): 55 and 215; with a hint, the hint divided and multiplied by the root of
     * two, so that of a tempo, its half and its double one is left. A bound that is given holds
     * besides a hint, which must lie within. */
    double min_bpm, max_bpm;
    double tempo_hint; /* beats a minute, 10 to 600; 0 (default): none */
    /* Which metres to choose from, each once, in any order. metre_count 0 (default): 3 and 4 with
     * equal weights. */
    allin1_metre metres[ALLIN1_MAX_METRES];
    size_t metre_count;
    /* How steady the tempo is, 0 to 1e6. From one beat to the next a tempo whose beat lasts r times as
     * long is exp(-transition_lambda |r - 1|) as likely as the same tempo. NAN (default): the
     * model's, 100 unless its weights say otherwise. */
    double transition_lambda;
    /* A section whose label has a lower mean probability is labelled "unknown"; 0 to 1. 0 (default):
     * never, since readers of the reference's labels do not know it. */
    double unknown_threshold;
    /* Guards; each compares once for a context, before the first song that it concerns, which costs a
     * stage of its own (spec_check, precision_check). A breach of a guard is a warning, and the
     * straightforward way is used from there on, which spans, provenance and keys tell. */
    int spec_check; /* not 0: compare the fast spectrogram with the reference one, on ten seconds of
                       the song, and tell the figures in span and log; default 0 */
    int spec_guard; /* not 0: likewise, and fall back to reference when either threshold is passed;
                       default 0 */
    double spec_guard_mean; /* of the absolute differences of the values; >= 0, default 1e-5 */
    double spec_guard_max;  /* of the largest; >= 0, default 1e-3 */
    int precision_check; /* not 0: separate the loudest segment of the song with fp32, too, and fall
                            back to it when the threshold is passed; default 0 */
    double precision_check_mean; /* of the absolute differences of the two spectrograms' values; >= 0,
                                    default 0.005 */
    /* What must really run: a list such as "spectrogram=fast,demix=bf16,threads=2,cpu=avx512";
     * network=fp32 besides. What is asked for and what runs are two things; when they differ, the call
     * that sees it, allin1_open first of all, gives ALLIN1_ERROR_REQUIREMENT and no result. NULL
     * (default): nothing. model=NAME besides: the model that songs go through, the first one of a
     * cascade. */
    const char *require;
    /* A cascade: a song on which the student's confidence (allin1_student) is below this goes through the
     * full pipeline, too, and gets its result. 0 to 1; 0 (default): none does. Only with a student; the
     * models are then loaded by allin1_open, and what is missing is its error. */
    double refine;
    const char *refine_model; /* the network of the full pipeline; NULL (default): "harmonix-all" */
} allin1_settings;

void allin1_settings_default(allin1_settings *settings);

typedef struct allin1_context allin1_context;

/* Checks the settings and starts the threads. Models are found, verified and loaded when they are
 * first needed, and kept. A model's name that is not known is an ALLIN1_ERROR_ARGUMENT, a CPU level
 * that this machine lacks an ALLIN1_ERROR_UNSUPPORTED. */
allin1_status allin1_open(allin1_context **context, const allin1_settings *settings,
                          allin1_error *error);
void allin1_close(allin1_context **context);

/* What this context runs on; valid until it is closed. */
const allin1_run *allin1_context_run(const allin1_context *context);

/* A stage of the caller's own, among the library's: what it calls meanwhile becomes its children.
 * Spans end in the reverse order of their beginning. `stage` and `mode` (may be NULL) are borrowed
 * until the context is closed, `track` (may be NULL) until the span ends. `context` may be NULL. */
void allin1_span_begin(allin1_context *context, const char *stage, const char *mode,
                       const char *track);
void allin1_span_end(allin1_context *context);

/* ------------------------------------------------------------------------------------------------
 * Requests and results */

/* What is wanted of one input. A zeroed struct asks for the structure alone. */
typedef struct allin1_request {
    /* What the result calls an input that is not a file. NULL: "". */
    const char *name;
    /* Ready stems of this song, instead of demixing: a folder, and the pattern of the files in it
     * (NULL: the usual patterns; docs/FORMATS.md). */
    const char *stems_dir;
    const char *stems_pattern;
    /* By-products of this very input: the folder of its four stems (bass.wav, drums.wav, other.wav,
     * vocals.wav) and the file of its spectrogram (.npy, float32 [4][frames][81]). Each has a key
     * file beside it that tells what it was made from. One whose key fits and whose content is whole
     * is used instead of computing it again; the result says so. NULL: none. */
    const char *demix_dir;
    const char *spec_file;
    int keep_byproducts; /* not 0: write the by-products; folders are made as needed */
    int recompute_demix; /* not 0: do not use existing stems, nor an existing spectrogram */
    int recompute_spec;  /* not 0: do not use an existing spectrogram */
    int want_activations;
    int want_embeddings;
    int want_waveform; /* as pictures of the song need it */
} allin1_request;

/* The label of a section whose likeliest label is less likely than
 * allin1_settings.unknown_threshold. */
#define ALLIN1_LABEL_UNKNOWN "unknown"

typedef struct allin1_segment {
    double start, end;
    const char *label;  /* one of the ten labels, allin1_label; or ALLIN1_LABEL_UNKNOWN */
    double probability; /* mean probability over the segment of its likeliest label, which is `label`
                           unless that is unknown; NAN when the file that was read does not tell */
    const double *probabilities; /* [10] mean probability of each label, in the order of
                                    allin1_label; NULL when the file that was read does not tell */
} allin1_segment;

/* Frame-wise probabilities: sigmoids of the first three heads, soft-max of the last. */
typedef struct allin1_activations {
    double frames_per_second; /* 100 */
    size_t frames;
    size_t labels;         /* 10 */
    const float *beat;     /* [frames] */
    const float *downbeat; /* [frames] */
    const float *segment;  /* [frames] */
    const float *label;    /* [labels][frames], in the order of allin1_label */
} allin1_activations;

/* The last layer's values: [stems][frames][width][folds], stems bass, drums, other, vocals. */
typedef struct allin1_embeddings {
    double frames_per_second; /* 100 */
    size_t stems, frames, width, folds;
    const float *values;
} allin1_embeddings;

/* The song's outline, bin by bin: over both channels, the lowest and the highest sample (0 between
 * them) and the root of the mean square. */
typedef struct allin1_waveform {
    double bins_per_second; /* 100 */
    size_t bins;
    const float *low, *high, *rms; /* [bins] */
} allin1_waveform;

typedef struct allin1_model_file {
    const char *name;    /* "harmonix-fold0" */
    const char *path;    /* where it was found */
    const char *format;  /* "a1w", "packed" (from .a1w, for the kernels), "npz", "torch", "onnx" */
    const char *digest;  /* SHA-256 of its tensors, the same whichever format holds them */
    const char *licence; /* "" when unknown */
} allin1_model_file;

/* How the stems, or the spectrogram, came about. */
typedef enum allin1_origin {
    ALLIN1_ORIGIN_NONE = 0,  /* not needed: a later stage's data was there */
    ALLIN1_ORIGIN_COMPUTED,
    ALLIN1_ORIGIN_GIVEN,     /* by the caller */
    ALLIN1_ORIGIN_BYPRODUCT, /* read from an earlier run's by-products */
    ALLIN1_ORIGIN_GUESSED    /* stems only, with the demixer "none": from the mix's spectrogram */
} allin1_origin;

/* "none", "computed", "given", "byproduct", "guessed". Never NULL; static storage. */
const char *allin1_origin_string(allin1_origin origin);

/* What was asked for, and what was really used. Strings are never NULL ("" when unknown). */
typedef struct allin1_provenance {
    const char *version; /* of the library that made the result */
    /* Of everything that decides the result: the input's content, the models' digests, the version
     * and the settings that matter. Hexadecimal SHA-256; "" in results of other programs. */
    const char *key;
    const char *input_sha256;    /* of the file's bytes, or of the samples or spectrogram given */
    /* Facts about the decoded file; "" and 0 when the input was not a file. */
    const char *container, *codec, *channel_layout;
    int channels, sample_rate, bits_per_sample;
    int64_t skipped_start, skipped_end; /* encoder delay and padding, samples at the file's rate */
    int64_t damaged_packets;
    int truncated;
    int64_t samples; /* at 44,100 Hz, after decoding; 0 when it started from a spectrogram */

    allin1_origin stems, spectrogram;
    const char *stems_mode; /* "4 stems" or "6 stems" when they were given, else "" */
    const char *demix_model; /* "" when no demixer's output was used */
    unsigned demix_shifts;
    uint64_t demix_seed;
    const char *demix_precision_requested, *demix_precision; /* "" when no demixer's output was used */
    const allin1_model_file *demix_files;
    size_t demix_file_count;

    allin1_spec_backend spec_backend_requested, spec_backend; /* AUTO in the latter: none was used */
    int quantised_stems;

    const char *model;
    const allin1_model_file *model_files;
    size_t model_file_count;
    double downbeat_threshold;

    const char *precision; /* of the network: "fp32" */
    allin1_cpu_level cpu_level_requested, cpu_level;
    unsigned threads_requested, threads;
    /* Beats: what was asked for (0: nothing), and the range, metres and lambda that were used. */
    double min_bpm_requested, max_bpm_requested, tempo_hint;
    double min_bpm, max_bpm;
    allin1_metre metres[ALLIN1_MAX_METRES]; /* in ascending order, the largest weight 1 */
    size_t metre_count;
    double transition_lambda;
    double unknown_threshold; /* of the sections' labels; 0: none */
    /* Why a guard gave up what was asked for, with figures; "" when none did. */
    const char *spec_fallback, *demix_fallback;
    const char *model_requested; /* as the settings named it, "auto" perhaps; `model` is what was used */
} allin1_provenance;

#define ALLIN1_EVIDENCE 8

/* Names of allin1_student.evidence, in order; NULL from index ALLIN1_EVIDENCE on. */
const char *allin1_evidence_name(size_t index);

/* What a student thought of its own result. */
typedef struct allin1_student {
    const char *model, *digest; /* of the student */
    double confidence; /* 0 to 1: the F-measure of its beats (70 ms) against those of the full pipeline
                          that is to be expected; NAN when its weights do not tell how to know */
    /* What that follows from, 0 to 1 each, all 0 with fewer than two beats. Means over the beats: of the
     * beat activation on them ("beat") and between them ("between"), of the downbeat activation
     * on downbeats ("downbeat"), of the confidences ("beat_confidence", "downbeat_confidence");
     * "tempo": tempo_confidence; "steady": 1 when all intervals are equal; "covered": the part of
     * the song that has beats. */
    double evidence[ALLIN1_EVIDENCE];
    double gain_db; /* how much louder than it is the student heard the song: 0, but for quiet songs */
    double refine; /* allin1_settings.refine */
    int refined;   /* not 0: the result is the full pipeline's */
} allin1_student;

/* A tempo that a listener might tap instead of the result's. */
typedef struct allin1_tempo_alternative {
    double bpm;           /* beats a minute */
    double confidence;    /* 0 to 1 */
    const char *relation; /* "half" or "double" */
} allin1_tempo_alternative;

/* Arrays are NULL when their count is 0. Everything is owned by the result. */
typedef struct allin1_result {
    const char *path;  /* absolute, symbolic links resolved; or the name that the request gave */
    double duration;   /* of the input */
    int bpm;           /* the reference's integer; 0 when there are fewer than two beats */
    double tempo;      /* beats a minute from a fit over all beats; NAN when bpm is 0 */
    unsigned beats_per_bar; /* of the metre that won; 0 without beats, or when unknown */
    size_t beat_count;
    const double *beats;           /* ascending */
    const unsigned *beat_positions; /* of each beat in its bar, 1 = downbeat */
    size_t downbeat_count;
    const double *downbeats; /* the beats whose position is 1 */
    size_t segment_count;
    const allin1_segment *segments; /* in order, without gaps */
    const allin1_activations *activations; /* NULL unless asked for */
    const allin1_embeddings *embeddings;   /* NULL unless asked for */
    allin1_provenance provenance;
    const allin1_span *spans; /* of this analysis, in the order in which they ended */
    size_t span_count;
    /* The tempo through the song, one point at each beat: beats a minute from lines through up to
     * 40 s of beats, so that a steady song gives a flat line. Empty with fewer than two beats, and
     * when the file that was read does not tell. */
    size_t tempo_curve_count;
    const double *tempo_curve_times; /* ascending */
    const double *tempo_curve;       /* beats a minute, above 0 */
    /* NULL unless asked for, and when the song was not decoded: stems or a spectrogram were given. */
    const allin1_waveform *waveform;
    /* How sure the tempo is against its half and its double, 0 to 1; the three add up to 1. NAN
     * without a tempo, and when the file that was read does not tell. */
    double tempo_confidence;
    size_t tempo_alternative_count;
    const allin1_tempo_alternative *tempo_alternatives; /* the likelier first */
    /* How sure it is that a beat, or a downbeat, is within 70 ms, 0 to 1: over all metres and all
     * paths through the model, not only the best. NULL when the file that was read does not tell. */
    const double *beat_confidences;     /* [beat_count] */
    const double *downbeat_confidences; /* [downbeat_count] */
    const allin1_student *student; /* NULL when no student heard the song */
} allin1_result;

void allin1_result_free(allin1_result **result);

/* The ten labels in the order of allin1_activations.label; NULL from index 10 on. */
const char *allin1_label(size_t index);

/* ------------------------------------------------------------------------------------------------
 * Analysis. `request` may be NULL. */

/* Any file that FFmpeg's libraries decode. Silence and very short files give valid results with empty
 * lists; what is not audio is an error. */
allin1_status allin1_analyze_file(allin1_context *context, const char *path,
                                  const allin1_request *request, allin1_result **result,
                                  allin1_error *error);

/* Stereo samples at 44,100 Hz, nominally -1 to 1, one array per channel (pass mono twice). Borrowed
 * during the call. `samples` >= 1. Values must be finite. */
allin1_status allin1_analyze_samples(allin1_context *context, const float *const channels[2],
                                     size_t samples, const allin1_request *request,
                                     allin1_result **result, allin1_error *error);

/* A spectrogram, [4][frames][81], stems bass, drums, other, vocals, 100 frames a second. Borrowed
 * during the call. `frames` >= 1. Values must be finite. */
allin1_status allin1_analyze_spectrogram(allin1_context *context, const float *spectrogram,
                                         size_t frames, const allin1_request *request,
                                         allin1_result **result, allin1_error *error);

/* What decides a result, so that a caller can tell whether an existing one still holds. */
typedef struct allin1_identity {
    char key[65];          /* allin1_provenance.key of the result that this request would give */
    char input_sha256[65]; /* of the file */
} allin1_identity;

/* Reads the file, finds and verifies the models, and computes nothing else. */
allin1_status allin1_identify(allin1_context *context, const char *path,
                              const allin1_request *request, allin1_identity *identity,
                              allin1_error *error);

/* ------------------------------------------------------------------------------------------------
 * Results as files. All are written under a temporary name in the same folder, flushed to the disk
 * and renamed; a failure leaves what was there before. `context` may be NULL; else the time is
 * recorded as its "save" span. */

/* Where the arrays of a result are kept, to be named in its JSON. NULL members: not kept. */
typedef struct allin1_arrays {
    const char *activations; /* absolute path of the .npz */
    const char *embeddings;  /* absolute path of the .npy */
} allin1_arrays;

/* The document as text, without a newline at its end: first the reference implementation's keys in its
 * order and layout, then ours (docs/FORMATS.md). `arrays` may be NULL. The caller frees the text with
 * allin1_string_free. NULL when memory ran out. */
char *allin1_result_json(const allin1_result *result, const allin1_arrays *arrays);

allin1_status allin1_save_json(allin1_context *context, const allin1_result *result,
                               const allin1_arrays *arrays, const char *path, allin1_error *error);

/* numpy's .npz with the arrays beat, downbeat, segment [frames] and label [10][frames], float32. The
 * result must hold activations. */
allin1_status allin1_save_activations(allin1_context *context, const allin1_result *result,
                                      const char *path, allin1_error *error);

/* numpy's .npy, float32 [4][frames][24][folds], or [4][frames][24] for a single fold. The result must
 * hold embeddings. */
allin1_status allin1_save_embeddings(allin1_context *context, const allin1_result *result,
                                     const char *path, allin1_error *error);

/* Reads a result's JSON, ours or the reference implementation's. The content is checked: times that
 * are not finite or negative, lists of different length, segments out of order are errors that name
 * the place. What the file does not tell is 0, NAN or "". `arrays_kept` may be NULL; else it receives
 * the paths the file names, owned by the result. */
allin1_status allin1_load_json(const char *path, allin1_result **result,
                               allin1_arrays *arrays_kept, allin1_error *error);

/* Frees a string that this library returned. */
void allin1_string_free(char *string);

#ifdef __cplusplus
}
#endif

#endif
