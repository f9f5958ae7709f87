/* Annotations: lists, JAMS and results. The first byte chooses the name that the document has. What was
 * read is compared with itself, so that the measures meet strange times too. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "evaluation/annotation.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"fuzz.txt", "fuzz.lab", "fuzz.beats", "fuzz.json"};
    a1_annotation *annotation;
    a1_error err;
    if (size == 0 || size > 1 << 16)
        return 0;
    char *text = malloc(size);
    if (!text)
        return 0;
    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0';
    if (a1_annotation_parse(names[data[0] % 4], text, size - 1, &annotation, &err) == ALLIN1_OK) {
        allin1_annotation *shown = &annotation->shown;
        allin1_scores scores;
        /* Frames are sampled for the whole length. */
        double end = 0;
        for (size_t i = 0; i < shown->section_count; i++)
            end = shown->sections[i].end > end ? shown->sections[i].end : end;
        if (end < 1e5)
            (void)allin1_evaluate(shown, shown, NULL, &scores, NULL);
        a1_annotation_destroy(&annotation);
    }
    free(text);
    return 0;
}
