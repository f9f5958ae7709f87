#include "timings/known_stages.h"

#include <string.h>

#include <allin1/allin1.h>

#define POSTPROCESS ALLIN1_STAGE_POSTPROCESS

const a1_known_stage a1_known_stages[A1_KNOWN_STAGES] = {
    {ALLIN1_STAGE_INPUT_HASH, 0, true, true, NULL},
    {ALLIN1_STAGE_MODEL_LOAD, 1, true, true, NULL},
    {ALLIN1_STAGE_DEMIX_INIT, 1, true, true, NULL},
    {ALLIN1_STAGE_SPEC_INIT, 1, true, true, NULL},
    {ALLIN1_STAGE_DECODE, 2, false, false, NULL},
    {ALLIN1_STAGE_STEMS_LOAD, 3, false, false, NULL},
    {ALLIN1_STAGE_DEMIX, 3, false, false, NULL},
    {ALLIN1_STAGE_STEMS_SAVE, 4, false, true, NULL},
    {ALLIN1_STAGE_SPEC_LOAD, 4, false, false, NULL},
    {ALLIN1_STAGE_SPECTROGRAM, 5, false, false, NULL},
    {ALLIN1_STAGE_SPEC_SAVE, 6, false, true, NULL},
    {ALLIN1_STAGE_NN, 7, false, false, NULL},
    {ALLIN1_STAGE_POSTPROCESS, 8, false, false, NULL},
    {ALLIN1_STAGE_METRICAL_PREP, 8, false, false, POSTPROCESS},
    {ALLIN1_STAGE_METRICAL_DBN, 8, false, false, POSTPROCESS},
    {"functional", 8, false, false, POSTPROCESS},
    {ALLIN1_STAGE_FUNCTIONAL_PROBS, 8, false, false, POSTPROCESS},
    {ALLIN1_STAGE_FUNCTIONAL_LOCAL_MAXIMA, 8, false, false, POSTPROCESS},
    {ALLIN1_STAGE_FUNCTIONAL_BOUNDARIES, 8, false, false, POSTPROCESS},
    {ALLIN1_STAGE_SAVE, 9, false, true, NULL},
    {"visualize", 10, true, true, NULL},
    {"visualize_prep", 10, true, true, "visualize"},
    {"sonify", 11, true, true, NULL},
};

unsigned a1_known_stage_index(const char *name)
{
    unsigned i = 0;
    while (i < A1_KNOWN_STAGES && strcmp(a1_known_stages[i].name, name) != 0)
        i++;
    return i;
}
