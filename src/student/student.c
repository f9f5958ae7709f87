/* The student's run, once for each of its views. All is rows of steps, channels last. A block reads rows
 * in front of and behind its own, so that each one has a pass of its own over the whole song; its tasks
 * leave the next block's input normalised. */
#include "student/student.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "student/level.h"
#include "student/student_model.h"

#define TASK 96         /* steps of a task */
#define MARGIN 1        /* frames that the front reads on both sides */
#define HEADS 6
#define CONTEXT (1 + A1_STUDENT_LABELS)
#define LOGITS (3 + A1_STUDENT_LABELS) /* of a frame */
#define SLOT_FLOATS (STUDENT_SLOTS * STUDENT_FRONT) /* of a frame behind the front */
#define TASK_FRAMES (STUDENT_PER_STEP * TASK + 2)   /* with those the reduction reads beside its own */
#define FRAMES_PER_COARSE (STUDENT_PER_STEP * STUDENT_POOL)

typedef struct scratch {
    float bands[(TASK_FRAMES + 2 * MARGIN) * STUDENT_PITCH + 16];
    float front[TASK_FRAMES * SLOT_FLOATS];
    float hidden[TASK * STUDENT_MAX_WIDTH];
} scratch;

/* A tower at work: its state, and what its next block reads, with zeros around it. */
typedef struct state {
    const student_tower *tower;
    size_t rows, margin;
    float *x;         /* [rows][width] */
    float *normed[2]; /* [margin + rows + margin][width], by turns */
    size_t block;     /* the one at work */
} state;

typedef struct job {
    const a1_student *student;
    const float *spectrogram;
    size_t frames;
    scratch *workers;
    state fine, middle, late, coarse;
    state *now;     /* the tower at work */
    float *heads;   /* [fine rows][HEADS] */
    float *context; /* [coarse rows][CONTEXT] */
    size_t view;             /* the one at work */
    const student_view *how; /* it hears the song */
    size_t view_frames;      /* that it has */
    size_t form_views;       /* done before, of those that tell sections and functions */
    const a1_student_output *output;
} job;

/* A place between two frames: `share` of the way from `low` to `high`. */
typedef struct place {
    size_t low, high;
    float share;
} place;

static size_t tasks_of(size_t rows)
{
    return (rows + TASK - 1) / TASK;
}

static size_t rows_of_task(size_t rows, size_t index)
{
    return rows - index * TASK < TASK ? rows - index * TASK : TASK;
}

static size_t frames_of_view(size_t frames, double tempo)
{
    const size_t count = (size_t)((double)frames / tempo);
    return count > 0 || frames == 0 ? count : 1;
}

/* The place `at` frames from the start of `frames` frames; the last one goes on without end. */
static place place_at(double at, size_t frames)
{
    const size_t low = (size_t)at;
    if (low + 1 >= frames)
        return (place){frames - 1, frames - 1, 0};
    return (place){low, low + 1, (float)(at - (double)low)};
}

static float between(float low, float high, float share)
{
    return low * (1 - share) + high * share;
}

/* The norm that comes after block `next - 1`: the next block's, or the tower's own. */
static void normalise(const job *j, const state *s, size_t next, size_t first, size_t count)
{
    const size_t width = j->student->width;
    const student_norm *norm =
        next < s->tower->count ? &s->tower->blocks[next].norm : &s->tower->norm;
    j->student->layers->layer_norm(s->x + first * width, count, width, norm->mul, norm->add, NULL,
                                   s->normed[next % 2] + (s->margin + first) * width);
}

static void multiply(const a1_student *student, const a1_gemm_weights *weights,
                     a1_activation activation, const float *a, size_t lda, size_t rows, float *c,
                     size_t ldc)
{
    const a1_gemm_chunk chunk = {a, weights->k};
    const a1_gemm_call call = {.weights = weights,
                               .chunks = &chunk,
                               .chunk_count = 1,
                               .lda = lda,
                               .rows = rows,
                               .c = c,
                               .ldc = ldc,
                               .activation = activation};
    a1_gemm_run(&student->gemm, &call);
}

/* Front -------------------------------------------------------------------------------------------- */

/* The bands of one of the view's frames, without those that its shift moves out. */
static void copy_frame(const job *j, size_t frame, size_t from, size_t count, float *to)
{
    if (j->how->tempo == 1) {
        memcpy(to, j->spectrogram + frame * A1_STUDENT_BANDS + from, count * sizeof *to);
        return;
    }
    const place p = place_at((double)frame * j->how->tempo, j->frames);
    const float *low = j->spectrogram + p.low * A1_STUDENT_BANDS + from;
    const float *high = j->spectrogram + p.high * A1_STUDENT_BANDS + from;
    for (size_t i = 0; i < count; i++)
        to[i] = between(low[i], high[i], p.share);
}

/* The view's frames from `first` (which may be -1) on into rows with room for the front's neighbours,
 * moved up by its bands; zeros where it has none. */
static void copy_bands(const job *j, ptrdiff_t first, size_t count, float *bands)
{
    const int shift = j->how->shift;
    const size_t up = shift > 0 ? (size_t)shift : 0, down = shift < 0 ? (size_t)-shift : 0;
    memset(bands, 0, (count * STUDENT_PITCH + 16) * sizeof *bands);
    for (size_t i = 0; i < count; i++) {
        const ptrdiff_t frame = first + (ptrdiff_t)i;
        if (frame >= 0 && (size_t)frame < j->view_frames)
            copy_frame(j, (size_t)frame, down, A1_STUDENT_BANDS - up - down,
                       bands + i * STUDENT_PITCH + 1 + up);
    }
}

static void run_front(void *argument, size_t index, unsigned worker)
{
    job *j = argument;
    const a1_student *student = j->student;
    scratch *s = &j->workers[worker];
    const size_t first = index * TASK, count = rows_of_task(j->fine.rows, index);
    /* The reduction's taps lie at frames 2t - 1 to 2t + 2. */
    const ptrdiff_t frame = (ptrdiff_t)(STUDENT_PER_STEP * first) - 1;
    const size_t frames = STUDENT_PER_STEP * count + 2;
    copy_bands(j, frame - MARGIN, frames + 2 * MARGIN, s->bands);
    const a1_gemm_chunk taps[3] = {{s->bands, 5},
                                   {s->bands + STUDENT_PITCH, 5},
                                   {s->bands + 2 * STUDENT_PITCH, 5}};
    const a1_gemm_call call = {.weights = &student->front,
                               .chunks = taps,
                               .chunk_count = 3,
                               .lda = 3, /* every third band is a row, across the frames' ends */
                               .rows = frames * STUDENT_SLOTS,
                               .c = s->front,
                               .ldc = STUDENT_FRONT,
                               .activation = A1_ACT_RELU};
    a1_gemm_run(&student->gemm, &call);
    /* Outside the song the reduction sees zeros, not what the front makes of silence. */
    if (first == 0)
        memset(s->front, 0, SLOT_FLOATS * sizeof *s->front);
    if (first + count == j->fine.rows)
        memset(s->front + (frames - 1) * SLOT_FLOATS, 0, SLOT_FLOATS * sizeof *s->front);
    float *x = j->fine.x + first * student->width;
    multiply(student, &student->reduce, A1_ACT_RELU, s->front, STUDENT_PER_STEP * SLOT_FLOATS, count,
             x, student->width);
    normalise(j, &j->fine, 0, first, count);
}

/* Blocks ------------------------------------------------------------------------------------------- */

static void run_block(void *argument, size_t index, unsigned worker)
{
    const job *j = argument;
    const state *s = j->now;
    scratch *work = &j->workers[worker];
    const a1_student *student = j->student;
    const student_block *block = &s->tower->blocks[s->block];
    const size_t width = student->width, first = index * TASK, reach = block->dilation * width;
    const size_t count = rows_of_task(s->rows, index);
    const float *middle = s->normed[s->block % 2] + (s->margin + first) * width;
    const a1_gemm_chunk taps[3] = {{middle - reach, width}, {middle, width}, {middle + reach, width}};
    const a1_gemm_call call = {.weights = &block->conv,
                               .chunks = taps,
                               .chunk_count = 3,
                               .lda = width,
                               .rows = count,
                               .c = work->hidden,
                               .ldc = width,
                               .activation = A1_ACT_RELU};
    a1_gemm_run(&student->gemm, &call);
    float *x = s->x + first * width;
    const a1_gemm_chunk hidden = {work->hidden, width};
    const a1_gemm_call mix = {.weights = &block->mix,
                              .chunks = &hidden,
                              .chunk_count = 1,
                              .lda = width,
                              .rows = count,
                              .c = x,
                              .ldc = width,
                              .residual = x,
                              .ldr = width};
    a1_gemm_run(&student->gemm, &mix);
    normalise(j, s, s->block + 1, first, count);
}

static const float *last_norm(const job *j, const state *s)
{
    return s->normed[s->tower->count % 2] + s->margin * j->student->width;
}

/* A row of `to` is the mean of `steps` rows of what `from` leaves. */
static void pool_rows(const job *j, const state *from, const state *to, size_t steps, size_t index)
{
    const size_t width = j->student->width, first = index * TASK;
    const size_t count = rows_of_task(to->rows, index);
    for (size_t row = first; row < first + count; row++) {
        const float *in = last_norm(j, from) + row * steps * width;
        float *out = to->x + row * width;
        memset(out, 0, width * sizeof *out);
        for (size_t i = 0; i < steps; i++)
            for (size_t c = 0; c < width; c++)
                out[c] += in[i * width + c];
        for (size_t c = 0; c < width; c++)
            out[c] *= 1.0f / (float)steps;
    }
    normalise(j, to, 0, first, count);
}

static void pool_middle(void *argument, size_t index, unsigned worker)
{
    (void)worker;
    const job *j = argument;
    pool_rows(j, &j->fine, &j->middle, STUDENT_MIDDLE_POOL, index);
}

static void pool_coarse(void *argument, size_t index, unsigned worker)
{
    (void)worker;
    const job *j = argument;
    pool_rows(j, &j->late, &j->coarse, STUDENT_POOL, index);
}

/* What the middle found, added to the fine steps that the late blocks go on with. */
static void add_middle(void *argument, size_t index, unsigned worker)
{
    const job *j = argument;
    float *found = j->workers[worker].hidden;
    const size_t width = j->student->width, first = index * TASK;
    const size_t count = rows_of_task(j->late.rows, index);
    multiply(j->student, &j->student->up, A1_ACT_NONE,
             last_norm(j, &j->middle) + first / STUDENT_MIDDLE_POOL * width, width,
             count / STUDENT_MIDDLE_POOL, found, width);
    for (size_t i = 0; i < count; i++) {
        const float *add = found + i / STUDENT_MIDDLE_POOL * width;
        float *x = j->late.x + (first + i) * width;
        for (size_t c = 0; c < width; c++)
            x[c] += add[c];
    }
    normalise(j, &j->late, 0, first, count);
}

/* Heads -------------------------------------------------------------------------------------------- */

/* A linear head on a task's rows of what a tower leaves. */
static void run_head(const job *j, const state *s, const a1_gemm_weights *head, size_t outputs,
                     float *out, size_t index)
{
    const size_t width = j->student->width, first = index * TASK;
    multiply(j->student, head, A1_ACT_NONE, last_norm(j, s) + first * width, width,
             rows_of_task(s->rows, index), out + first * outputs, outputs);
}

static void run_context(void *argument, size_t index, unsigned worker)
{
    (void)worker;
    const job *j = argument;
    run_head(j, &j->coarse, &j->student->context, CONTEXT, j->context, index);
}

static void run_heads(void *argument, size_t index, unsigned worker)
{
    (void)worker;
    const job *j = argument;
    run_head(j, &j->late, &j->student->beats, HEADS, j->heads, index);
}

/* Beat and downbeat at one of the view's frames, then section and the functions if it tells the form. */
static void logits_of(const job *j, size_t frame, float logits[LOGITS])
{
    const float *step =
        j->heads + frame / STUDENT_PER_STEP * HEADS + frame % STUDENT_PER_STEP;
    logits[0] = step[0];
    logits[1] = step[STUDENT_PER_STEP];
    if (!j->how->form)
        return;
    const float *context = j->context + frame / FRAMES_PER_COARSE * CONTEXT;
    logits[2] = step[2 * STUDENT_PER_STEP] + context[0];
    memcpy(logits + 3, context + 1, A1_STUDENT_LABELS * sizeof *logits);
}

/* The logits of `count` views, one after the other, become their mean; `done` were there before. */
static void take(float *logit, float value, size_t done, size_t count)
{
    const float sum = done == 0 ? value : *logit + value;
    *logit = done + 1 == count ? sum / (float)count : sum;
}

/* What the view says at frames of the song. */
static void take_frames(void *argument, size_t index, unsigned worker)
{
    (void)worker;
    const job *j = argument;
    const a1_student *student = j->student;
    const a1_student_output *out = j->output;
    const size_t first = index * TASK, count = rows_of_task(j->frames, index);
    const size_t told = j->how->form ? LOGITS : 2;
    for (size_t frame = first; frame < first + count; frame++) {
        float said[LOGITS], next[LOGITS];
        if (j->how->tempo == 1) {
            logits_of(j, frame, said);
        } else {
            const place p = place_at((double)frame / j->how->tempo, j->view_frames);
            logits_of(j, p.low, said);
            logits_of(j, p.high, next);
            for (size_t i = 0; i < told; i++)
                said[i] = between(said[i], next[i], p.share);
        }
        take(&out->beat[frame], said[0], j->view, student->view_count);
        take(&out->downbeat[frame], said[1], j->view, student->view_count);
        if (!j->how->form)
            continue;
        take(&out->section[frame], said[2], j->form_views, student->form_count);
        for (size_t l = 0; l < A1_STUDENT_LABELS; l++)
            take(&out->function[l * j->frames + frame], said[3 + l], j->form_views,
                 student->form_count);
    }
}

/* The run ------------------------------------------------------------------------------------------ */

static size_t floats_of_state(const state *s, size_t width)
{
    return (s->rows + 2 * (s->rows + 2 * s->margin)) * width;
}

/* Lays a state out, with the zeros around what its blocks read. */
static float *place_state(state *s, size_t width, float *memory)
{
    s->x = memory;
    memory += s->rows * width;
    for (size_t i = 0; i < 2; i++, memory += (s->rows + 2 * s->margin) * width) {
        s->normed[i] = memory;
        memset(memory, 0, s->margin * width * sizeof *memory);
        memset(memory + (s->margin + s->rows) * width, 0, s->margin * width * sizeof *memory);
    }
    return memory;
}

/* The towers' sizes for so many frames. */
static void size_states(job *j, size_t frames)
{
    const a1_student *student = j->student;
    const size_t coarse = (frames + FRAMES_PER_COARSE - 1) / FRAMES_PER_COARSE;
    const size_t fine = coarse * STUDENT_POOL, middle = fine / STUDENT_MIDDLE_POOL;
    const size_t margin =
        student->fine.reach > student->late.reach ? student->fine.reach : student->late.reach;
    j->fine = (state){.tower = &student->fine, .rows = fine, .margin = margin};
    j->middle = (state){.tower = &student->middle, .rows = middle, .margin = student->middle.reach};
    j->coarse = (state){.tower = &student->coarse, .rows = coarse, .margin = student->coarse.reach};
}

static size_t floats_of_states(const job *j)
{
    const size_t width = j->student->width;
    return floats_of_state(&j->fine, width) + floats_of_state(&j->middle, width) +
           floats_of_state(&j->coarse, width) + j->fine.rows * HEADS + j->coarse.rows * CONTEXT;
}

static void begin_view(job *j, float *memory)
{
    const size_t width = j->student->width;
    j->how = &j->student->views[j->view];
    j->view_frames = frames_of_view(j->frames, j->how->tempo);
    size_states(j, j->view_frames);
    memory = place_state(&j->fine, width, memory);
    memory = place_state(&j->middle, width, memory);
    memory = place_state(&j->coarse, width, memory);
    j->late = j->fine; /* they go on where the fine ones end, in the same memory */
    j->late.tower = &j->student->late;
    j->heads = memory;
    j->context = memory + j->fine.rows * HEADS;
}

static void run_tower(job *j, a1_pool *pool, state *s)
{
    j->now = s;
    for (s->block = 0; s->block < s->tower->count; s->block++)
        a1_pool_run(pool, tasks_of(s->rows), run_block, j);
}

static void run_view(job *j, a1_pool *pool)
{
    a1_pool_run(pool, tasks_of(j->fine.rows), run_front, j);
    run_tower(j, pool, &j->fine);
    a1_pool_run(pool, tasks_of(j->middle.rows), pool_middle, j);
    run_tower(j, pool, &j->middle);
    a1_pool_run(pool, tasks_of(j->late.rows), add_middle, j);
    run_tower(j, pool, &j->late);
    if (j->how->form) {
        a1_pool_run(pool, tasks_of(j->coarse.rows), pool_coarse, j);
        run_tower(j, pool, &j->coarse);
        a1_pool_run(pool, tasks_of(j->coarse.rows), run_context, j);
    }
    a1_pool_run(pool, tasks_of(j->fine.rows), run_heads, j);
    a1_pool_run(pool, tasks_of(j->frames), take_frames, j);
}

allin1_status a1_student_run(const a1_student *student, a1_pool *pool, const float *spectrogram,
                             size_t frames, const a1_student_output *output, float *gain, a1_error *err)
{
    float times;
    if (frames == 0 || frames > A1_STUDENT_MAX_FRAMES)
        return a1_fail(err, ALLIN1_ERROR_ARGUMENT, "%zu frames are not 1 to %d", frames,
                       A1_STUDENT_MAX_FRAMES);
    job j = {.student = student, .spectrogram = spectrogram, .frames = frames, .output = output};
    double slowest = student->views[0].tempo;
    for (size_t i = 1; i < student->view_count; i++)
        slowest = fmin(slowest, student->views[i].tempo);
    A1_TRY(a1_student_gain(spectrogram, frames, &times, err));
    if (gain)
        *gain = times;
    size_states(&j, frames_of_view(frames, slowest));
    const size_t floats = floats_of_states(&j);
    const size_t raised = times > 1 ? frames * A1_STUDENT_BANDS : 0;
    a1_arena arena;
    A1_TRY(a1_arena_create(&arena, a1_arena_cost(floats * sizeof(float)) +
                                       a1_arena_cost(raised * sizeof(float)) +
                                       a1_arena_cost(a1_pool_threads(pool) * sizeof(scratch)),
                           "the student", err));
    float *memory = a1_arena_floats(&arena, floats);
    j.workers = a1_arena_alloc(&arena, a1_pool_threads(pool) * sizeof(scratch));
    if (raised > 0) {
        float *louder = a1_arena_floats(&arena, raised);
        a1_student_raise(pool, spectrogram, frames, times, louder);
        j.spectrogram = louder;
    }
    for (j.view = 0; j.view < student->view_count; j.view++) {
        begin_view(&j, memory);
        run_view(&j, pool);
        j.form_views += j.how->form;
    }
    a1_arena_destroy(&arena);
    return ALLIN1_OK;
}

static double operations_of_view(const a1_student *student, size_t frames, bool form)
{
    const size_t coarse = (frames + FRAMES_PER_COARSE - 1) / FRAMES_PER_COARSE;
    const double width = (double)student->width, fine = (double)(coarse * STUDENT_POOL);
    const double block = 4 * width * width; /* three taps and the mix */
    const double front = (double)STUDENT_PER_STEP * STUDENT_PLACES * STUDENT_FRONT * 15 +
                         4.0 * STUDENT_PLACES * STUDENT_FRONT * width;
    const double blocks = (double)(student->fine.count + student->late.count);
    const double middle = block * (double)student->middle.count + width * width;
    return 2 * (fine * (front + block * blocks + HEADS * width) +
                fine / STUDENT_MIDDLE_POOL * middle +
                (form ? (double)coarse * (block * (double)student->coarse.count + CONTEXT * width)
                      : 0));
}

double a1_student_operations(const a1_student *student, size_t frames)
{
    double sum = 0;
    for (size_t i = 0; i < student->view_count; i++)
        sum += operations_of_view(student, frames_of_view(frames, student->views[i].tempo),
                                  student->views[i].form);
    return sum;
}
