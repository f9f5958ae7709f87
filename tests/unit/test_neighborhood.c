/* Windows of dilated neighbourhood attention: against their definition and the recorded indices. */
#include "support/golden.h"

#include <stdio.h>
#include <string.h>

#include "nn/neighborhood.h"
#include "support/plain_network.h"

static void test_shifts(void **state)
{
    (void)state;
    for (size_t dilation = 1; dilation <= 12; dilation++) {
        for (size_t length = 5 * dilation; length < 13 * dilation + 3; length++) {
            for (size_t t = 0; t < length; t++) {
                const ptrdiff_t shift = a1_window_shift(t, length, dilation);
                assert_int_equal(shift, plain_window_shift(t, length, dilation));
                /* The window lies inside, and only the ends move it. */
                const ptrdiff_t first = (ptrdiff_t)t + shift * (ptrdiff_t)dilation;
                assert_true(first >= 0 && first + 4 * (ptrdiff_t)dilation < (ptrdiff_t)length);
                assert_true(shift >= -4 && shift <= 0);
                if (t >= 2 * dilation && t + 2 * dilation < length)
                    assert_int_equal(shift, -2);
            }
        }
    }
}

static void recorded_case(const char *name, size_t dilation)
{
    char relative[64];
    snprintf(relative, sizeof relative, "golden/unit/%s.npz", name);
    test_array index = test_read_array(test_golden(relative), "neighbor_index");
    const size_t length = index.shape[0];
    for (size_t t = 0; t < length; t++) {
        const ptrdiff_t shift = a1_window_shift(t, length, dilation);
        for (ptrdiff_t j = 0; j < 5; j++)
            assert_int_equal((ptrdiff_t)t + (shift + j) * (ptrdiff_t)dilation,
                             (ptrdiff_t)index.values[t * 5 + (size_t)j]);
    }
    test_array_free(&index);
}

static void test_recorded(void **state)
{
    (void)state;
    recorded_case("na1d_T37_d1", 1);
    recorded_case("na1d_T97_d16", 16);
    recorded_case("na1d_T103_d20", 20);
    recorded_case("na1d_T643_d128", 128);
}

static void test_blocks(void **state)
{
    (void)state;
    static const size_t dilations[] = {1, 2, 8, 20, 32, 64, 96, 512};
    for (size_t i = 0; i < sizeof dilations / sizeof *dilations; i++) {
        const size_t dilation = dilations[i];
        for (size_t frames = 1; frames < 13 * dilation + 70; frames += 1 + frames / 9) {
            const size_t length = frames < 10 * dilation ? 10 * dilation : frames;
            for (size_t start = 0; start < frames; start += A1_LANES) {
                const a1_block_shifts s = a1_block_shifts_find(start, frames, length, dilation);
                float keep[A1_LANES];
                int covered[A1_LANES] = {0};
                for (ptrdiff_t shift = -4; shift <= 0 && !s.uniform; shift++) {
                    const bool any = a1_block_shifts_select(&s, shift, keep);
                    bool found = false;
                    for (size_t lane = 0; lane < A1_LANES; lane++) {
                        covered[lane] += keep[lane] == 1.0f;
                        found = found || keep[lane] == 1.0f;
                    }
                    assert_int_equal(any, found);
                    assert_true(!any || (shift >= s.lowest && shift <= s.highest));
                }
                for (size_t lane = 0; lane < A1_LANES && start + lane < frames; lane++) {
                    const ptrdiff_t shift = a1_window_shift(start + lane, length, dilation);
                    if (s.uniform)
                        assert_int_equal(s.lowest, shift);
                    else
                        assert_int_equal(s.lane[lane], shift);
                }
                for (size_t lane = 0; lane < A1_LANES && !s.uniform; lane++)
                    assert_int_equal(covered[lane], 1);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shifts),
        cmocka_unit_test(test_recorded),
        cmocka_unit_test(test_blocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
