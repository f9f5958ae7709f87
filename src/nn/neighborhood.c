#include "nn/neighborhood.h"

ptrdiff_t a1_window_shift(size_t t, size_t length, size_t dilation)
{
    const size_t at = t / dilation, residue = t % dilation;
    const size_t count = (length - residue + dilation - 1) / dilation;
    if (at < 2)
        return -(ptrdiff_t)at;
    if (at + 2 >= count)
        return (ptrdiff_t)count - A1_LANE_WINDOW - (ptrdiff_t)at;
    return -2;
}

a1_block_shifts a1_block_shifts_find(size_t start, size_t frames, size_t length, size_t dilation)
{
    a1_block_shifts shifts = {.uniform = true, .lowest = -2, .highest = -2};
    if (start >= 2 * dilation && start + A1_LANES + 2 * dilation <= length)
        return shifts;
    for (size_t lane = 0; lane < A1_LANES; lane++) {
        /* Lanes without a frame follow the last one that has. */
        const size_t t = start + lane < frames ? start + lane : frames - 1;
        const ptrdiff_t shift = a1_window_shift(t, length, dilation);
        shifts.lane[lane] = (signed char)shift;
        if (lane == 0 || shift < shifts.lowest)
            shifts.lowest = shift;
        if (lane == 0 || shift > shifts.highest)
            shifts.highest = shift;
    }
    shifts.uniform = shifts.lowest == shifts.highest;
    return shifts;
}

bool a1_block_shifts_select(const a1_block_shifts *shifts, ptrdiff_t shift, float *keep)
{
    bool any = false;
    for (size_t lane = 0; lane < A1_LANES; lane++) {
        const bool same = shifts->lane[lane] == shift;
        keep[lane] = same ? 1.0f : 0.0f;
        any = any || same;
    }
    return any;
}
