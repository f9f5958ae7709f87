/* allin1: how well an estimate agrees with a reference annotation.
 *
 * The measures are mir_eval's, to 1e-6 (docs/FORMATS.md has each definition). The conventions are those
 * of allin1.h. All functions but allin1_annotation_load are pure: the same input gives the same
 * numbers, on any thread. */
#ifndef ALLIN1_EVALUATION_H
#define ALLIN1_EVALUATION_H

#include <stddef.h>
#include <stdint.h>

#include <allin1/allin1.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What is compared. Beats and sections may each be missing, which is not the same as empty. */
typedef struct allin1_annotation {
    int has_beats;
    size_t beat_count;
    const double *beats; /* ascending, seconds */
    int has_downbeats;
    size_t downbeat_count;
    const double *downbeats; /* ascending, seconds */
    double tempo;            /* beats a minute, NAN when unknown; no beats: unknown */
    int has_sections;
    size_t section_count;
    const allin1_segment *sections; /* in order of their starts, each longer than 0; may leave gaps */
} allin1_annotation;

/* A view of a result: valid as long as that. Sections without length are left out of it, for which
 * `room` gives memory: section_count segments, or NULL when all have a length. The tempo is the
 * result's `tempo`, else its `bpm`. False (0) when there was no room but a need. */
int allin1_annotation_of_result(const allin1_result *result, allin1_segment *room,
                                allin1_annotation *annotation);

/* Reads a result (JSON), JAMS, sections (lab, Harmonix Set, Audacity) or beats (one to three columns:
 * time, position, bar); which it is, the content tells. Errors name the line. */
allin1_status allin1_annotation_load(const char *path, allin1_annotation **annotation,
                                     allin1_error *error);
void allin1_annotation_free(allin1_annotation **annotation);

/* The measures, in the order of their values. Each is 0 to 1. */
typedef enum allin1_measure {
    ALLIN1_BEAT_F, /* F-measure within 70 ms */
    ALLIN1_BEAT_CMLC,
    ALLIN1_BEAT_CMLT,
    ALLIN1_BEAT_AMLC,
    ALLIN1_BEAT_AMLT,
    ALLIN1_BEAT_GOTO,
    ALLIN1_BEAT_INFORMATION_GAIN,
    ALLIN1_DOWNBEAT_F, /* the same of downbeats */
    ALLIN1_DOWNBEAT_CMLC,
    ALLIN1_DOWNBEAT_CMLT,
    ALLIN1_DOWNBEAT_AMLC,
    ALLIN1_DOWNBEAT_AMLT,
    ALLIN1_DOWNBEAT_GOTO,
    ALLIN1_DOWNBEAT_INFORMATION_GAIN,
    ALLIN1_TEMPO_ACC1, /* within 4 % */
    ALLIN1_TEMPO_ACC2, /* within 4 % of the tempo, its double, half, triple or third */
    ALLIN1_BOUNDARY_P05, /* hit rate within 0.5 s: precision, recall, F */
    ALLIN1_BOUNDARY_R05,
    ALLIN1_BOUNDARY_F05,
    ALLIN1_BOUNDARY_P3, /* within 3 s */
    ALLIN1_BOUNDARY_R3,
    ALLIN1_BOUNDARY_F3,
    ALLIN1_BOUNDARY_TRIMMED_P05, /* without the first and the last boundary */
    ALLIN1_BOUNDARY_TRIMMED_R05,
    ALLIN1_BOUNDARY_TRIMMED_F05,
    ALLIN1_BOUNDARY_TRIMMED_P3,
    ALLIN1_BOUNDARY_TRIMMED_R3,
    ALLIN1_BOUNDARY_TRIMMED_F3,
    ALLIN1_LABEL_PAIRWISE_P, /* frame pairs with equal labels */
    ALLIN1_LABEL_PAIRWISE_R,
    ALLIN1_LABEL_PAIRWISE_F,
    ALLIN1_LABEL_S_OVER, /* normalised conditional entropy */
    ALLIN1_LABEL_S_UNDER,
    ALLIN1_LABEL_S_F,
    ALLIN1_LABEL_V_PRECISION, /* V-measure */
    ALLIN1_LABEL_V_RECALL,
    ALLIN1_LABEL_V_F,
    ALLIN1_LABEL_ACCURACY, /* share of frames with the same of the ten labels (allin1_harmonix_label) */
    ALLIN1_MEASURES
} allin1_measure;

typedef struct allin1_scores {
    double values[ALLIN1_MEASURES]; /* NAN: one of the two does not tell what is needed */
} allin1_scores;

/* "beats" "F"; both NULL from ALLIN1_MEASURES on. Static storage. */
const char *allin1_measure_group(allin1_measure measure);
const char *allin1_measure_name(allin1_measure measure);

typedef struct allin1_evaluation_settings {
    double beats_from; /* seconds; earlier beats do not count; default 5, as mir_eval's */
} allin1_evaluation_settings;

/* `settings` may be NULL: the defaults. The only failure is that memory runs out. */
allin1_status allin1_evaluate(const allin1_annotation *reference, const allin1_annotation *estimate,
                              const allin1_evaluation_settings *settings, allin1_scores *scores,
                              allin1_error *error);

/* A mean with the bounds of its 95 % percentile bootstrap interval: 10,000 resamples of the songs. */
typedef struct allin1_mean {
    size_t count; /* of songs for which the measure is defined */
    double mean, low, high; /* NAN when count is 0 */
} allin1_mean;

/* For each measure. `seed` decides the resamples: the same seed gives the same interval. */
allin1_status allin1_mean_scores(const allin1_scores *songs, size_t count, uint64_t seed,
                                 allin1_mean means[ALLIN1_MEASURES], allin1_error *error);

/* One JSON document, without a newline at its end: "songs", a list of objects with a "name" and for each
 * group an object of its measures; and, unless `means` is NULL, "means", for each group and measure
 * "mean", "low", "high" and "songs". What is not defined is null. The caller frees it with
 * allin1_string_free. NULL when memory ran out. */
char *allin1_evaluation_json(const char *const *names, const allin1_scores *songs, size_t count,
                             const allin1_mean *means);

/* The one of the ten labels that a label of the Harmonix Set, or the like of it, stands for: "verse2"
 * and "prechorus" are verse (docs/FORMATS.md). "silence" is start when `first` is not 0, else end.
 * NULL for what it does not know. Static storage. */
const char *allin1_harmonix_label(const char *label, int first);

#ifdef __cplusplus
}
#endif

#endif
