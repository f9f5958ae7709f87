/* Status codes, CPU levels and log levels shared by the whole public interface. */
#ifndef ALLIN1_STATUS_H
#define ALLIN1_STATUS_H

#ifdef __cplusplus
extern "C" {
#endif

typedef enum allin1_status {
    ALLIN1_OK = 0,
    ALLIN1_ERROR_ARGUMENT,        /* the caller passed something that cannot be used */
    ALLIN1_ERROR_MEMORY,          /* an allocation failed */
    ALLIN1_ERROR_IO,              /* a file could not be opened, read, written or renamed */
    ALLIN1_ERROR_FORMAT,          /* a file's content is not what it must be */
    ALLIN1_ERROR_UNSUPPORTED,     /* well-formed, but not something this build or machine can do */
    ALLIN1_ERROR_AUDIO,           /* no audio in the file, or it cannot be decoded */
    ALLIN1_ERROR_WEIGHTS_MISSING, /* a model file was not found in any of the places */
    ALLIN1_ERROR_WEIGHTS_DAMAGED, /* a model file was found and its digest or content is wrong */
    ALLIN1_ERROR_DOWNLOAD,        /* a download failed */
    ALLIN1_ERROR_CANCELLED,       /* the progress callback asked to stop */
    ALLIN1_ERROR_INTERNAL,        /* a bug in this library */
    ALLIN1_ERROR_REQUIREMENT      /* what was required is not what runs (allin1_settings.require) */
} allin1_status;

/* A short English description of a status. Never NULL; static storage. */
const char *allin1_status_string(allin1_status status);

/* Instruction-set levels in the order in which they are preferred on their architecture. */
typedef enum allin1_cpu_level {
    ALLIN1_CPU_AUTO = 0, /* the best that this machine and its system support */
    ALLIN1_CPU_SCALAR,   /* plain C */
    ALLIN1_CPU_NEON,
    ALLIN1_CPU_AVX2, /* AVX2, FMA and F16C */
    ALLIN1_CPU_AVX512 /* AVX-512 F, BW, DQ and VL */
} allin1_cpu_level;

/* "auto", "scalar", "neon", "avx2", "avx512". Never NULL; static storage. */
const char *allin1_cpu_level_string(allin1_cpu_level level);

typedef enum allin1_log_level {
    ALLIN1_LOG_ERROR = 0,
    ALLIN1_LOG_WARNING,
    ALLIN1_LOG_INFO,
    ALLIN1_LOG_DEBUG
} allin1_log_level;

/* Receives one message without a trailing newline. Called from the thread that called into the
 * library, never from a worker. `message` is valid during the call only. */
typedef void (*allin1_log_fn)(void *user, allin1_log_level level, const char *message);

#ifdef __cplusplus
}
#endif

#endif
