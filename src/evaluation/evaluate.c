#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "evaluation/scores.h"
#include "output/result.h"

#define DEFAULT_BEATS_FROM 5
#define TEMPO_TOLERANCE 0.04 /* Gouyon and others 2006 */

static const char *const names[ALLIN1_MEASURES][2] = {
    {"beats", "F"},
    {"beats", "CMLc"},
    {"beats", "CMLt"},
    {"beats", "AMLc"},
    {"beats", "AMLt"},
    {"beats", "Goto"},
    {"beats", "information gain"},
    {"downbeats", "F"},
    {"downbeats", "CMLc"},
    {"downbeats", "CMLt"},
    {"downbeats", "AMLc"},
    {"downbeats", "AMLt"},
    {"downbeats", "Goto"},
    {"downbeats", "information gain"},
    {"tempo", "Acc1"},
    {"tempo", "Acc2"},
    {"boundaries", "P@0.5"},
    {"boundaries", "R@0.5"},
    {"boundaries", "F@0.5"},
    {"boundaries", "P@3"},
    {"boundaries", "R@3"},
    {"boundaries", "F@3"},
    {"trimmed boundaries", "P@0.5"},
    {"trimmed boundaries", "R@0.5"},
    {"trimmed boundaries", "F@0.5"},
    {"trimmed boundaries", "P@3"},
    {"trimmed boundaries", "R@3"},
    {"trimmed boundaries", "F@3"},
    {"labels", "pairwise P"},
    {"labels", "pairwise R"},
    {"labels", "pairwise F"},
    {"labels", "S_o"},
    {"labels", "S_u"},
    {"labels", "S_f"},
    {"labels", "V P"},
    {"labels", "V R"},
    {"labels", "V F"},
    {"labels", "accuracy"},
};

const char *allin1_measure_group(allin1_measure measure)
{
    return (unsigned)measure < ALLIN1_MEASURES ? names[measure][0] : NULL;
}

const char *allin1_measure_name(allin1_measure measure)
{
    return (unsigned)measure < ALLIN1_MEASURES ? names[measure][1] : NULL;
}

int allin1_annotation_of_result(const allin1_result *result, allin1_segment *room,
                                allin1_annotation *annotation)
{
    *annotation = (allin1_annotation){
        .has_beats = 1,
        .beat_count = result->beat_count,
        .beats = result->beats,
        .has_downbeats = 1,
        .downbeat_count = result->downbeat_count,
        .downbeats = result->downbeats,
        .tempo = result->tempo > 0 ? result->tempo : result->bpm > 0 ? (double)result->bpm : (double)NAN,
        .has_sections = 1,
        .section_count = result->segment_count,
        .sections = result->segments};
    size_t kept = 0;
    for (size_t i = 0; i < result->segment_count; i++)
        kept += result->segments[i].end > result->segments[i].start;
    if (kept == result->segment_count)
        return 1;
    if (!room)
        return 0;
    annotation->section_count = 0;
    annotation->sections = room;
    for (size_t i = 0; i < result->segment_count; i++)
        if (result->segments[i].end > result->segments[i].start)
            room[annotation->section_count++] = result->segments[i];
    return 1;
}

static a1_times from(const double *times, size_t count, double seconds)
{
    while (count > 0 && *times < seconds) {
        times++;
        count--;
    }
    return (a1_times){times, count};
}

static bool is_near(double estimate, double tempo)
{
    return fabs(estimate - tempo) <= TEMPO_TOLERANCE * tempo;
}

static void score_tempo(double reference, double estimate, double *values)
{
    static const double factors[] = {1, 2, 0.5, 3, 1.0 / 3};
    if (!(reference > 0))
        return;
    values[0] = is_near(estimate, reference);
    values[1] = 0;
    for (size_t i = 0; i < sizeof factors / sizeof *factors; i++)
        if (is_near(estimate, reference * factors[i]))
            values[1] = 1;
}

static allin1_status score_sections(const allin1_annotation *reference,
                                    const allin1_annotation *estimate, double *values,
                                    a1_error *err)
{
    if (reference->section_count == 0)
        return ALLIN1_OK;
    a1_section *room =
        malloc((reference->section_count + estimate->section_count + 4) * sizeof *room);
    if (!room)
        return a1_fail_memory(err, "an evaluation");
    const size_t count =
        a1_adjust_sections(reference->sections, reference->section_count, NAN, room);
    double end = 0;
    for (size_t i = 0; i < count; i++)
        end = fmax(end, room[i].end);
    a1_section *other = room + count;
    const size_t other_count =
        a1_adjust_sections(estimate->sections, estimate->section_count, end, other);
    allin1_status status = a1_score_boundaries(room, count, other, other_count,
                                               values + ALLIN1_BOUNDARY_P05, err);
    if (status == ALLIN1_OK)
        status = a1_score_labels(room, count, other, other_count,
                                 values + ALLIN1_LABEL_PAIRWISE_P, err);
    free(room);
    return status;
}

static allin1_status evaluate(const allin1_annotation *reference,
                              const allin1_annotation *estimate, double beats_from,
                              double *values, a1_error *err)
{
    for (size_t i = 0; i < ALLIN1_MEASURES; i++)
        values[i] = NAN;
    if (reference->has_beats && estimate->has_beats)
        A1_TRY(a1_score_beats(from(reference->beats, reference->beat_count, beats_from),
                              from(estimate->beats, estimate->beat_count, beats_from),
                              values + ALLIN1_BEAT_F, err));
    if (reference->has_downbeats && estimate->has_downbeats)
        A1_TRY(a1_score_beats(from(reference->downbeats, reference->downbeat_count, beats_from),
                              from(estimate->downbeats, estimate->downbeat_count, beats_from),
                              values + ALLIN1_DOWNBEAT_F, err));
    /* An estimate without beats has missed the tempo; one of sections alone says nothing about it. */
    if (estimate->tempo > 0 || estimate->has_beats)
        score_tempo(reference->tempo, estimate->tempo, values + ALLIN1_TEMPO_ACC1);
    if (reference->has_sections && estimate->has_sections)
        A1_TRY(score_sections(reference, estimate, values, err));
    return ALLIN1_OK;
}

allin1_status allin1_evaluate(const allin1_annotation *reference, const allin1_annotation *estimate,
                              const allin1_evaluation_settings *settings, allin1_scores *scores,
                              allin1_error *error)
{
    a1_error err = {0};
    if (!reference || !estimate || !scores)
        return a1_public_error(error, &err,
                               a1_fail(&err, ALLIN1_ERROR_ARGUMENT,
                                       "two annotations and a place for the scores are needed"));
    return a1_public_error(error, &err,
                           evaluate(reference, estimate,
                                    settings ? settings->beats_from : DEFAULT_BEATS_FROM,
                                    scores->values, &err));
}
