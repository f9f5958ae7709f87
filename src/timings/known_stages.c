#include "timings/known_stages.h"

#include <string.h>

#include <allin1/allin1.h>

const a1_known_stage a1_known_stages[A1_KNOWN_STAGES] = {
    {ALLIN1_STAGE_START_UP, 0, true, true, true, NULL},
    {ALLIN1_STAGE_OPEN, 0, true, true, true, NULL},
    {ALLIN1_STAGE_INPUT_HASH, 0, true, true, false, NULL},
    {ALLIN1_STAGE_RESULT_CHECK, 0, true, true, true, NULL},
    {ALLIN1_STAGE_MODEL_LOAD, 1, true, true, false, NULL},
    {ALLIN1_STAGE_DEMIX_INIT, 1, true, true, false, NULL},
    {ALLIN1_STAGE_SPEC_INIT, 1, true, true, false, NULL},
    {ALLIN1_STAGE_DECODE, 2, false, false, false, NULL},
    {ALLIN1_STAGE_STEMS_LOAD, 3, false, false, false, NULL},
    {ALLIN1_STAGE_PRECISION_CHECK, 3, false, true, true, NULL},
    {ALLIN1_STAGE_DEMIX, 3, false, false, false, NULL},
    {ALLIN1_STAGE_STEMS_SAVE, 4, false, true, false, NULL},
    {ALLIN1_STAGE_SPEC_LOAD, 4, false, false, false, NULL},
    {ALLIN1_STAGE_SPECTROGRAM, 5, false, false, false, NULL},
    {ALLIN1_STAGE_SPEC_CHECK, 5, false, true, true, NULL},
    {ALLIN1_STAGE_SPEC_SAVE, 6, false, true, false, NULL},
    {ALLIN1_STAGE_NN, 7, false, false, false, NULL},
    {ALLIN1_STAGE_POSTPROCESS, 8, false, false, false, NULL},
    {ALLIN1_STAGE_METRICAL_PREP, 8, false, false, false, ALLIN1_STAGE_POSTPROCESS},
    {ALLIN1_STAGE_METRICAL_DBN, 8, false, false, false, ALLIN1_STAGE_POSTPROCESS},
    {"functional", 8, false, false, false, ALLIN1_STAGE_POSTPROCESS},
    {ALLIN1_STAGE_FUNCTIONAL_PROBS, 8, false, false, false, ALLIN1_STAGE_POSTPROCESS},
    {ALLIN1_STAGE_FUNCTIONAL_LOCAL_MAXIMA, 8, false, false, false, ALLIN1_STAGE_POSTPROCESS},
    {ALLIN1_STAGE_FUNCTIONAL_BOUNDARIES, 8, false, false, false, ALLIN1_STAGE_POSTPROCESS},
    {ALLIN1_STAGE_SAVE, 9, false, true, false, NULL},
    {ALLIN1_STAGE_VISUALIZE, 10, true, true, false, NULL},
    {"visualize_prep", 10, true, true, false, ALLIN1_STAGE_VISUALIZE},
    {ALLIN1_STAGE_SONIFY, 11, true, true, false, NULL},
    {ALLIN1_STAGE_RELEASE, 11, true, true, true, NULL},
    {ALLIN1_STAGE_CLOSE, 11, true, true, true, NULL},
    {ALLIN1_STAGE_REPORT, 11, true, true, true, NULL},
};

unsigned a1_known_stage_index(const char *name)
{
    unsigned i = 0;
    while (i < A1_KNOWN_STAGES && strcmp(a1_known_stages[i].name, name) != 0)
        i++;
    return i;
}
