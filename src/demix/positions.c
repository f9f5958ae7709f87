/* The transformer's tables of positions, computed in double. */
#include "demix/model.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"

/* Frame and row, each half of the width, sine and cosine interleaved. */
static void fill_frequency(const a1_htdemucs *model, float *table)
{
    const size_t width = model->width, half = width / 2, rows = model->rows[LEVELS];
    /* The frames' half of row 0 and the rows' half of frame 0; all others are copies. */
    for (size_t i = 0; i < half / 2; i++) {
        const double w = pow(10000.0, -2.0 * (double)i / (double)half);
        for (size_t frame = 0; frame < SPEC_FRAMES; frame++) {
            float *out = table + frame * width + 2 * i;
            out[0] = (float)sin((double)frame * w);
            out[1] = (float)cos((double)frame * w);
        }
        for (size_t row = 0; row < rows; row++) {
            float *out = table + row * SPEC_FRAMES * width + half + 2 * i;
            out[0] = (float)sin((double)row * w);
            out[1] = (float)cos((double)row * w);
        }
    }
    for (size_t row = 0; row < rows; row++)
        for (size_t frame = 0; frame < SPEC_FRAMES; frame++) {
            float *out = table + (row * SPEC_FRAMES + frame) * width;
            if (row > 0)
                memcpy(out, table + frame * width, half * sizeof *out);
            if (frame > 0)
                memcpy(out + half, table + row * SPEC_FRAMES * width + half, half * sizeof *out);
        }
}

/* All cosines, then all sines, with another exponent. */
static void fill_time(const a1_htdemucs *model, float *table)
{
    const size_t width = model->width, half = width / 2;
    for (size_t k = 0; k < half; k++) {
        const double divisor = pow(10000.0, (double)k / (double)(half - 1));
        for (size_t t = 0; t < model->lengths[LEVELS]; t++) {
            const double phase = (double)t / divisor;
            table[t * width + k] = (float)cos(phase);
            table[t * width + half + k] = (float)sin(phase);
        }
    }
}

allin1_status a1_htdemucs_make_positions(a1_htdemucs *model, int branch, a1_error *err)
{
    float *table =
        a1_aligned_alloc(a1_htdemucs_tokens(model, branch) * model->width * sizeof *table);
    if (!table)
        return a1_fail_memory(err, "the position tables");
    model->position[branch] = table;
    if (branch)
        fill_time(model, table);
    else
        fill_frequency(model, table);
    return ALLIN1_OK;
}
