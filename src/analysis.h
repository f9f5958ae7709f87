/* One analysis on its way through the pipeline: what analyze.c hands from stage to stage. */
#ifndef A1_ANALYSIS_H
#define A1_ANALYSIS_H

#include "audio/decode.h"
#include "context.h"
#include "functional/functional.h"
#include "metrical/confidence.h"
#include "output/result.h"

/* The digests that decide what may be used again. */
typedef struct a1_keys {
    char input[A1_SHA256_HEX];       /* of the input's content */
    char stems[A1_SHA256_HEX];       /* what the stems follow from */
    char spectrogram[A1_SHA256_HEX]; /* what the spectrogram follows from */
    char result[A1_SHA256_HEX];
} a1_keys;

/* Four stereo stems in the order of the spectrogram: bass, drums, other, vocals. */
typedef struct a1_stems {
    float *channel[A1_STEMS][2]; /* one block, owned by channel[0][0] */
    size_t samples;
} a1_stems;

typedef struct a1_analysis {
    allin1_context *context;
    a1_listener *listener; /* at work; valid with the keys */
    allin1_request request;
    const char *path; /* as it was given; NULL when the input is no file */
    char *track;      /* absolute, links resolved; or the name that the request gave */
    a1_keys keys;
    unsigned depth;       /* of the caller's own spans */
    double progress_done; /* share of the stages that are behind */

    const float *mix[2]; /* the caller's, or decoded */
    a1_audio decoded;
    a1_audio_source source;
    size_t samples; /* of the song; 0 when it started from a spectrogram */
    a1_stems stems;
    float *spectrogram; /* [4][frames][81]; of the mix alone, [frames][81], for a student */
    size_t frames;
    float *logits; /* the block behind `output` */
    a1_network_output output;
    float student_gain; /* how many times as loud the student heard the song; 0 before it did */
    a1_beats beats;
    a1_confidences confidences; /* of the beats */
    a1_segments segments;
    a1_result *result;
} a1_analysis;

/* Space for four stems; contents are undefined. a1_stems_free is safe on a zeroed struct. */
allin1_status a1_stems_create(a1_stems *stems, size_t samples, a1_error *err);
void a1_stems_free(a1_stems *stems);

/* Tells how far `stage` is; `share` is its part of the whole. ALLIN1_ERROR_CANCELLED when the caller
 * wants to stop. */
allin1_status a1_report(const a1_analysis *analysis, const char *stage, double share,
                        double fraction, a1_error *err);

/* The keys of an input that is a file. Finds the models that the request needs. */
allin1_status a1_keys_of_file(allin1_context *context, const char *path,
                              const allin1_request *request, a1_keys *keys, a1_error *err);

/* The keys of an input whose settings have changed under way: all but keys->input are made again. */
allin1_status a1_keys_again(allin1_context *context, const char *path,
                            const allin1_request *request, a1_keys *keys, a1_error *err);

/* The keys of an input in memory: its blocks of floats, one after the other. `from_spectrogram`: they
 * are a spectrogram, else a mix. */
allin1_status a1_keys_of_memory(allin1_context *context, const float *const *blocks,
                                size_t block_count, size_t floats, const allin1_request *request,
                                bool from_spectrogram, a1_keys *keys, a1_error *err);

/* By-products. Reading sets *found; one that is not there, does not fit or is damaged is not found,
 * which is no error. */
allin1_status a1_read_stems(a1_analysis *analysis, bool *found, a1_error *err);
allin1_status a1_check_stems(const a1_analysis *analysis, bool *found, a1_error *err);
allin1_status a1_write_stems(a1_analysis *analysis, a1_error *err);
allin1_status a1_read_spectrogram(a1_analysis *analysis, bool *found, a1_error *err);
allin1_status a1_write_spectrogram(a1_analysis *analysis, a1_error *err);

/* Fills the result from what the stages left behind. */
allin1_status a1_assemble(a1_analysis *analysis, a1_error *err);

#endif
