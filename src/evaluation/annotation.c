#include "evaluation/annotation.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "output/result_read.h"

static int compare_numbers(const void *a, const void *b)
{
    const double one = *(const double *)a, two = *(const double *)b;
    return one < two ? -1 : one > two;
}

/* `room` has space for the intervals. */
static double median_tempo(const double *beats, size_t count, double *room)
{
    if (count < 2)
        return NAN;
    for (size_t i = 0; i + 1 < count; i++)
        room[i] = beats[i + 1] - beats[i];
    const size_t intervals = count - 1;
    qsort(room, intervals, sizeof *room, compare_numbers);
    const double median = (room[(intervals - 1) / 2] + room[intervals / 2]) / 2;
    return median > 0 ? 60 / median : NAN;
}

allin1_status a1_annotation_set_beats(a1_annotation *annotation, const double *beats,
                                      const double *positions, size_t count, a1_error *err)
{
    allin1_annotation *shown = &annotation->shown;
    const size_t size = (count ? count : 1) * sizeof *beats;
    double *kept = a1_result_alloc(annotation->memory, size);
    double *downbeats = a1_result_alloc(annotation->memory, size);
    if (!kept || !downbeats)
        return a1_fail_memory(err, "an annotation");
    if (isnan(shown->tempo))
        shown->tempo = median_tempo(beats, count, downbeats);
    shown->has_beats = 1;
    shown->has_downbeats = positions != NULL;
    shown->beats = kept;
    shown->beat_count = count;
    shown->downbeats = downbeats;
    for (size_t i = 0; i < count; i++) {
        kept[i] = beats[i];
        if (positions && positions[i] == 1)
            downbeats[shown->downbeat_count++] = beats[i];
    }
    return ALLIN1_OK;
}

/* Takes over the result. */
static allin1_status take_result(a1_annotation *annotation, a1_error *err)
{
    const allin1_result *result = &annotation->memory->shown;
    allin1_segment *room =
        a1_result_alloc(annotation->memory, (result->segment_count + 1) * sizeof *room);
    if (!room || !allin1_annotation_of_result(result, room, &annotation->shown))
        return a1_fail_memory(err, "an annotation");
    return ALLIN1_OK;
}

static allin1_status read_json(const char *path, const char *text, size_t size,
                               a1_annotation *annotation, a1_error *err)
{
    json_t *root;
    A1_TRY(a1_parse_document(path, text, size, &root, err));
    allin1_status status;
    if (json_object_get(root, "annotations")) {
        status = a1_result_create(&annotation->memory, err);
        if (status == ALLIN1_OK)
            status = a1_annotation_read_jams(path, root, annotation, err);
    } else {
        status = a1_result_of_document(path, root, NULL, &annotation->memory, err);
        if (status == ALLIN1_OK)
            status = take_result(annotation, err);
    }
    json_decref(root);
    return status;
}

allin1_status a1_annotation_parse(const char *path, const char *text, size_t size,
                                  a1_annotation **out, a1_error *err)
{
    size_t blanks = 0;
    *out = NULL;
    a1_annotation *annotation = calloc(1, sizeof *annotation);
    if (!annotation)
        return a1_fail_memory(err, "an annotation");
    annotation->shown.tempo = NAN;
    while (blanks < size && isspace((unsigned char)text[blanks]))
        blanks++;
    allin1_status status;
    if (blanks < size && text[blanks] == '{') {
        status = read_json(path, text, size, annotation, err);
    } else {
        status = a1_result_create(&annotation->memory, err);
        if (status == ALLIN1_OK)
            status = a1_annotation_read_text(path, text, size, annotation, err);
    }
    if (status == ALLIN1_OK)
        *out = annotation;
    else
        a1_annotation_destroy(&annotation);
    return status;
}

void a1_annotation_destroy(a1_annotation **annotation)
{
    if (!*annotation)
        return;
    a1_result_destroy(&(*annotation)->memory);
    free(*annotation);
    *annotation = NULL;
}

allin1_status allin1_annotation_load(const char *path, allin1_annotation **out,
                                     allin1_error *error)
{
    a1_error err = {0};
    a1_annotation *annotation = NULL;
    char *text = NULL;
    size_t size;
    if (out)
        *out = NULL;
    if (!path || !out)
        return a1_public_error(error, &err,
                               a1_fail(&err, ALLIN1_ERROR_ARGUMENT,
                                       "a path and a place for the annotation are needed"));
    allin1_status status = a1_read_document(path, &text, &size, &err);
    if (status == ALLIN1_OK) {
        text[size] = '\0';
        status = a1_annotation_parse(path, text, size, &annotation, &err);
    }
    free(text);
    if (status == ALLIN1_OK)
        *out = &annotation->shown;
    return a1_public_error(error, &err, status);
}

void allin1_annotation_free(allin1_annotation **annotation)
{
    a1_annotation *owner = (a1_annotation *)*annotation;
    a1_annotation_destroy(&owner);
    *annotation = NULL;
}
