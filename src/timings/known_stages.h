/* The stages that both programs know, and how they follow each other. */
#ifndef A1_TIMINGS_KNOWN_STAGES_H
#define A1_TIMINGS_KNOWN_STAGES_H

#include <stdbool.h>

typedef struct a1_known_stage {
    const char *name;
    unsigned step;      /* of the pipeline; stages of one step have no order */
    bool is_set_up;     /* loading and planning: belongs to a run rather than to a track */
    bool may_repeat;    /* more than once for one track, in one pass */
    bool floats;        /* anywhere: says nothing about where a pass begins */
    const char *inside; /* the stage that contains it where a file does not say so; or NULL */
} a1_known_stage;

#define A1_KNOWN_STAGES 31

extern const a1_known_stage a1_known_stages[A1_KNOWN_STAGES]; /* in the order of reports */

/* Its index, or A1_KNOWN_STAGES. */
unsigned a1_known_stage_index(const char *name);

#endif
