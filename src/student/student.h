/* The student: a small network of this project's own that hears the mix directly. The mix's log
 * spectrogram in, the same four activations as the All-In-One network out.
 *
 * Dilated convolutions along time: at 50 steps a second for beats and boundaries, at 12.5 for which of
 * the pulses these are, at 3.125 for what needs a wide view. How it was trained, and how good it is:
 * docs/TRAINING.md; what it computes, exactly: tools/train/model.py. It may hear a song in several views,
 * moved up or down by some bands and played faster or slower; its logits are the views' means then, but
 * sections and functions are told only by the views at the song's own tempo, where there are any. A quiet
 * song it hears louder (level.h). */
#ifndef A1_STUDENT_H
#define A1_STUDENT_H

#include <stddef.h>

#include "base/cpu.h"
#include "base/error.h"
#include "base/threads.h"
#include "tensor/tensor.h"

#define A1_STUDENT_BANDS 81
#define A1_STUDENT_LABELS 10
#define A1_STUDENT_MAX_FRAMES (100 * 3600 * 24) /* a day */

typedef struct a1_student a1_student; /* read-only after creation */

/* Builds it from its tensors, under PyTorch's names; they are not needed afterwards. Depth and width are
 * read off the shapes, which are checked. */
allin1_status a1_student_create(a1_student **student, const a1_tensor_set *weights, const a1_cpu *cpu,
                                a1_error *err);
void a1_student_destroy(a1_student **student);

/* Caller-owned arrays for `frames` frames; `function` is [10][frames]. Logits, not probabilities. */
typedef struct a1_student_output {
    float *beat;
    float *downbeat;
    float *section;
    float *function;
} a1_student_output;

/* Multiplications and additions of a run, for the timings. */
double a1_student_operations(const a1_student *student, size_t frames);

/* `spectrogram`: [frames][81], 1 to A1_STUDENT_MAX_FRAMES frames. `gain` (may be NULL): how many times as
 * loud the student heard it, 1 but for quiet songs. Same input, same bits for any pool, which may be NULL.
 * Takes about 8 bytes of memory a frame of the longest view for each channel of its width. */
allin1_status a1_student_run(const a1_student *student, a1_pool *pool, const float *spectrogram,
                             size_t frames, const a1_student_output *output, float *gain, a1_error *err);

#endif
