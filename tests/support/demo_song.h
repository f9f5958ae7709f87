/* The bundled song: rendered in the sandbox, with its truth. */
#ifndef TEST_SUPPORT_DEMO_SONG_H
#define TEST_SUPPORT_DEMO_SONG_H

#include <stddef.h>
#include <stdint.h>

#include "support/sandbox.h"

typedef struct demo_section {
    double start, end;
    char label[16];
} demo_section;

#define DEMO_MAX_BEATS 512
#define DEMO_MAX_SECTIONS 16

typedef struct demo_truth {
    double tempo, duration;
    double beats[DEMO_MAX_BEATS], downbeats[DEMO_MAX_BEATS];
    int positions[DEMO_MAX_BEATS];
    size_t beat_count, downbeat_count, position_count;
    demo_section sections[DEMO_MAX_SECTIONS];
    size_t section_count;
} demo_truth;

/* Runs render_demo, which lies beside $ALLIN1_PROGRAM, in the sandbox with these arguments (ended
 * by NULL). Skips the test, saying so, when it was not built. */
program_outcome demo_run(const char *const *arguments);

/* Reads a truth file of the sandbox; fails the test when anything is missing or of the wrong kind.
 */
demo_truth demo_read_truth(const char *name);

/* The samples of a WAV file of the sandbox, interleaved; fails the test unless it is plain 16-bit
 * stereo at 44.1 kHz and its sizes fit. The caller frees them. */
int16_t *demo_read_wav(const char *name, size_t *frames);

#endif
