/* The inside of the student: its weights as the products take them. */
#ifndef A1_STUDENT_MODEL_H
#define A1_STUDENT_MODEL_H

#include <stdbool.h>

#include "kernels/gemm.h"
#include "kernels/layers.h"
#include "student/student.h"

#define STUDENT_FRONT 12    /* channels of the first layer */
#define STUDENT_PLACES 27   /* of the first layer along the bands: every third */
#define STUDENT_PITCH 84    /* bands with zeros at both ends, a multiple of the step of three */
#define STUDENT_SLOTS 28    /* places in a row of that pitch; the last one is never used */
#define STUDENT_PER_STEP 2  /* frames */
#define STUDENT_MIDDLE_POOL 4 /* steps of a middle step */
#define STUDENT_POOL 16       /* steps of a coarse one */
#define STUDENT_CYCLE 8       /* dilations of the middle and the coarse blocks, over and over */
#define STUDENT_MAX_BLOCKS 16
#define STUDENT_MAX_VIEWS 16
#define STUDENT_SLOWEST 0.5 /* of a view's tempo */
#define STUDENT_FASTEST 2.0
#define STUDENT_MAX_WIDTH 512

typedef struct student_norm {
    float *mul, *add;
} student_norm;

typedef struct student_block {
    student_norm norm;
    a1_gemm_weights conv; /* three taps, `dilation` steps apart */
    a1_gemm_weights mix;
    size_t dilation;
} student_block;

/* Blocks and the norm after them. */
typedef struct student_tower {
    size_t count;
    size_t reach; /* the largest dilation */
    student_block blocks[STUDENT_MAX_BLOCKS];
    student_norm norm;
} student_tower;

/* How a song is heard once more. */
typedef struct student_view {
    int shift;    /* bands by which it is moved up */
    double tempo; /* how many times as fast it is played */
    bool form;    /* it also tells sections and functions */
} student_view;

struct a1_student {
    a1_gemm_kernels gemm;
    const a1_layer_kernels *layers;
    size_t width;
    a1_gemm_weights front;   /* 3 frames of 5 bands to STUDENT_FRONT */
    a1_gemm_weights reduce;  /* 4 frames of STUDENT_SLOTS * STUDENT_FRONT to width */
    student_tower fine, middle;
    a1_gemm_weights up; /* what the middle found, added to each of its steps */
    student_tower late, coarse;
    a1_gemm_weights beats;   /* width to 6: beat, downbeat, section of two frames */
    a1_gemm_weights context; /* width to 11: section, function */
    student_view views[STUDENT_MAX_VIEWS];
    size_t view_count;
    size_t form_count; /* of the views, those that tell sections and functions */
};

#endif
