/* Labels of sections, sampled ten times a second: pairs of frames, conditional entropies and accuracy
 * (mir_eval.segment.pairwise, nce and vmeasure). */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "evaluation/scores.h"

#define FRAME 0.1
/* What mir_eval takes for the label of a frame that no section holds. */
#define NO_LABEL "none"

/* The time of a frame as mir_eval's float32 arithmetic has it: a boundary on a frame falls on the same
 * side. */
static double frame_time(size_t frame)
{
    return (double)((float)frame * (float)FRAME);
}

static size_t first_frame(double at, size_t frames, bool after)
{
    size_t low = 0, high = frames;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const double time = frame_time(middle);
        if (time < at || (after && time == at))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

typedef struct sampling {
    const char **labels; /* distinct ones, whatever their case */
    size_t label_count;
    size_t *frames; /* index of each frame's label */
} sampling;

static size_t index_of(sampling *s, const char *label)
{
    for (size_t i = 0; i < s->label_count; i++)
        if (strcasecmp(s->labels[i], label) == 0)
            return i;
    s->labels[s->label_count] = label;
    return s->label_count++;
}

static void free_sampling(sampling *s)
{
    free(s->labels);
    free(s->frames);
}

/* A frame on the boundary of two sections belongs to the later. */
static bool sample(const a1_section *sections, size_t count, size_t frames, sampling *s)
{
    *s = (sampling){.labels = malloc((count + 1) * sizeof *s->labels),
                    .frames = malloc(frames * sizeof *s->frames)};
    if (!s->labels || !s->frames)
        return false;
    for (size_t i = 0; i < frames; i++)
        s->frames[i] = SIZE_MAX;
    for (size_t i = 0; i < count; i++) {
        const size_t end = first_frame(sections[i].end, frames, true);
        size_t at = first_frame(sections[i].start, frames, false);
        const size_t label = at < end ? index_of(s, sections[i].label) : 0;
        for (; at < end; at++)
            s->frames[at] = label;
    }
    for (size_t i = 0; i < frames; i++)
        if (s->frames[i] == SIZE_MAX)
            s->frames[i] = index_of(s, NO_LABEL);
    return true;
}

/* How often each pair of labels occurs, and each label. */
typedef struct contingency {
    size_t rows, columns, frames;
    double *cells; /* [rows][columns] */
    double *row_sums, *column_sums;
} contingency;

static bool count_pairs(const sampling *reference, const sampling *estimate, size_t frames,
                        contingency *c)
{
    *c = (contingency){.rows = reference->label_count,
                       .columns = estimate->label_count,
                       .frames = frames};
    c->cells = calloc(c->rows * c->columns + c->rows + c->columns, sizeof *c->cells);
    if (!c->cells)
        return false;
    c->row_sums = c->cells + c->rows * c->columns;
    c->column_sums = c->row_sums + c->rows;
    for (size_t i = 0; i < frames; i++) {
        c->cells[reference->frames[i] * c->columns + estimate->frames[i]]++;
        c->row_sums[reference->frames[i]]++;
        c->column_sums[estimate->frames[i]]++;
    }
    return true;
}

static double pairs(const double *counts, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += counts[i] * (counts[i] - 1) / 2;
    return sum;
}

static void put_pairwise(const contingency *c, double values[3])
{
    const double both = pairs(c->cells, c->rows * c->columns);
    values[0] = both / pairs(c->column_sums, c->columns);
    values[1] = both / pairs(c->row_sums, c->rows);
    values[2] = a1_f_measure(values[0], values[1]);
}

/* In bits. */
static double entropy(const double *counts, size_t count, double sum)
{
    double bits = 0;
    for (size_t i = 0; i < count; i++)
        if (counts[i] > 0)
            bits -= counts[i] / sum * log2(counts[i] / sum);
    return bits;
}

/* Labels that have a frame: later sections may cover all of an earlier one. */
static size_t count_present(const double *counts, size_t count)
{
    size_t present = 0;
    for (size_t i = 0; i < count; i++)
        present += counts[i] > 0;
    return present;
}

static void put_entropies(const contingency *c, bool marginal, double values[3])
{
    const double rows = entropy(c->row_sums, c->rows, (double)c->frames);
    const double columns = entropy(c->column_sums, c->columns, (double)c->frames);
    const double joint = entropy(c->cells, c->rows * c->columns, (double)c->frames);
    const size_t row_count = count_present(c->row_sums, c->rows);
    const size_t column_count = count_present(c->column_sums, c->columns);
    const double row_norm = marginal ? rows : log2((double)row_count);
    const double column_norm = marginal ? columns : log2((double)column_count);
    values[0] = column_count > 1 ? 1 - (joint - rows) / column_norm : 0;
    values[1] = row_count > 1 ? 1 - (joint - columns) / row_norm : 0;
    values[2] = a1_f_measure(values[0], values[1]);
}

/* Whether two labels stand for the same of the ten, or are equal where they stand for none. */
static bool same_kind(const char *a, const char *b, bool first)
{
    const char *one = allin1_harmonix_label(a, first), *two = allin1_harmonix_label(b, first);
    return one && two ? strcmp(one, two) == 0 : strcasecmp(a, b) == 0;
}

/* Silence is a start in the first section, an end elsewhere. */
static double accuracy(const sampling *reference, const sampling *estimate, size_t frames,
                       double first_end)
{
    size_t right = 0;
    for (size_t i = 0; i < frames; i++)
        right += same_kind(reference->labels[reference->frames[i]],
                           estimate->labels[estimate->frames[i]], frame_time(i) < first_end);
    return (double)right / (double)frames;
}

allin1_status a1_score_labels(const a1_section *reference, size_t reference_count,
                              const a1_section *estimate, size_t estimate_count, double *values,
                              a1_error *err)
{
    double end = 0;
    for (size_t i = 0; i < A1_LABEL_MEASURES; i++)
        values[i] = NAN;
    for (size_t i = 0; i < reference_count; i++)
        end = fmax(end, reference[i].end);
    const size_t frames = (size_t)floor(end / FRAME);
    if (frames == 0 || estimate_count == 0)
        return ALLIN1_OK;
    sampling samples[2] = {{0}, {0}};
    contingency counts = {0};
    const bool good = sample(reference, reference_count, frames, &samples[0]) &&
                      sample(estimate, estimate_count, frames, &samples[1]) &&
                      count_pairs(&samples[0], &samples[1], frames, &counts);
    if (good) {
        put_pairwise(&counts, values);
        put_entropies(&counts, false, values + 3);
        put_entropies(&counts, true, values + 6);
        values[9] = accuracy(&samples[0], &samples[1], frames, reference[0].end);
    }
    free(counts.cells);
    free_sampling(&samples[0]);
    free_sampling(&samples[1]);
    return good ? ALLIN1_OK : a1_fail_memory(err, "an evaluation");
}
