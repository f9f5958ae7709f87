/* Stems guessed from the mix: medians, what goes where, and that nothing is lost. */
#include "support/golden.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cheap_stems/cheap_stems.h"
#include "cheap_stems/sliding_median.h"

#define BANDS A1_CHEAP_BANDS
#define FRAMES 600 /* more than two of the tasks' blocks of 256 */
#define VIEW (FRAMES * BANDS)

enum { BASS, DRUMS, OTHER, VOCALS };

static int ascending(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static void medians_are_those_of_a_sort(void **state)
{
    (void)state;
    enum { LENGTH = 50, STRIDE = 3 };
    uint64_t seed = 7;
    float in[LENGTH * STRIDE], out[LENGTH * 2], window[2 * A1_MEDIAN_MAX_HALF + 1];
    for (size_t half = 0; half <= A1_MEDIAN_MAX_HALF; half += 4) {
        /* Few different values, so that there are ties. */
        for (size_t i = 0; i < LENGTH * STRIDE; i++)
            in[i] = floorf(fabsf(test_random(&seed)) * 4);
        for (size_t first = 0; first < LENGTH; first += 7) {
            const size_t count = LENGTH - first < 20 ? LENGTH - first : 20;
            a1_sliding_median(in, STRIDE, LENGTH, first, count, half, out, 2);
            for (size_t i = 0; i < count; i++) {
                size_t n = 0;
                for (size_t k = 0; k < LENGTH; k++)
                    if (k + half >= first + i && k <= first + i + half)
                        window[n++] = in[k * STRIDE];
                qsort(window, n, sizeof *window, ascending);
                assert_true(out[2 * i] == window[n / 2]);
            }
        }
    }
}

static float *views_of(float (*value)(size_t frame, size_t band, size_t view))
{
    float *views = malloc(A1_CHEAP_VIEWS * VIEW * sizeof *views);
    assert_non_null(views);
    for (size_t v = 0; v < A1_CHEAP_VIEWS; v++)
        for (size_t t = 0; t < FRAMES; t++)
            for (size_t b = 0; b < BANDS; b++)
                views[v * VIEW + t * BANDS + b] = value(t, b, v);
    return views;
}

static float *split(const float *views, a1_pool *pool)
{
    float *stems = malloc(A1_CHEAP_STEMS * VIEW * sizeof *stems);
    assert_non_null(stems);
    assert_int_equal(a1_cheap_stems(pool, views, FRAMES, stems, NULL), ALLIN1_OK);
    return stems;
}

static double energy(const float *stems, size_t stem)
{
    double sum = 0;
    for (size_t i = 0; i < VIEW; i++)
        sum += pow(10, stems[stem * VIEW + i]) - 1;
    return sum;
}

/* A share of the whole, in the domain of magnitudes. */
static double share(const float *stems, size_t stem)
{
    return energy(stems, stem) /
           (energy(stems, BASS) + energy(stems, DRUMS) + energy(stems, OTHER) + energy(stems, VOCALS));
}

static float clicks(size_t frame, size_t band, size_t view)
{
    (void)band, (void)view;
    return frame % 50 < 2 ? 1.0f : 0.0f;
}

static float low_tone(size_t frame, size_t band, size_t view)
{
    (void)frame, (void)view;
    return band == 3 ? 1.0f : 0.0f;
}

static float middle_tone(size_t frame, size_t band, size_t view)
{
    (void)frame, (void)view;
    return band == 40 ? 1.0f : 0.0f;
}

static float left_tone(size_t frame, size_t band, size_t view)
{
    (void)frame;
    return band == 40 && view != 2 ? 1.0f : 0.0f;
}

static void each_kind_goes_to_its_stem(void **state)
{
    (void)state;
    static const struct {
        float (*value)(size_t, size_t, size_t);
        size_t stem;
        double least;
    } cases[] = {
        /* Nothing else is in these mixes, so all but rounding goes to one stem. */
        {clicks, DRUMS, 0.999},
        {low_tone, BASS, 0.999},
        {left_tone, OTHER, 0.999},
        /* The voice gets its fixed part of what is in the middle. */
        {middle_tone, VOCALS, 0.699},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        float *views = views_of(cases[i].value), *stems = split(views, NULL);
        assert_true(share(stems, cases[i].stem) >= cases[i].least);
        free(stems);
        free(views);
    }
}

static float music(size_t frame, size_t band, size_t view)
{
    static uint64_t seed = 3;
    return (float)(fabsf(test_random(&seed)) * (frame % 40 < 3 ? 2 : 0.5) * (band % 7 == view ? 2 : 1));
}

static void the_stems_add_up_to_the_mix(void **state)
{
    (void)state;
    float *views = views_of(music), *stems = split(views, NULL);
    for (size_t i = 0; i < VIEW; i++) {
        double sum = 0;
        for (size_t s = 0; s < A1_CHEAP_STEMS; s++) {
            assert_true(stems[s * VIEW + i] >= 0);
            sum += pow(10, stems[s * VIEW + i]) - 1;
        }
        /* Some ten float32 roundings of magnitudes up to 10^4. */
        const double mix = pow(10, views[i]) - 1;
        assert_true(fabs(sum - mix) <= 1e-5 * (mix + 1));
    }
    free(stems);
    free(views);
}

static void any_pool_gives_the_same_bits(void **state)
{
    (void)state;
    float *views = views_of(music), *first = split(views, NULL);
    for (unsigned threads = 1; threads <= 5; threads++) {
        a1_pool *pool;
        assert_int_equal(a1_pool_create(&pool, threads, NULL), ALLIN1_OK);
        float *stems = split(views, pool);
        assert_memory_equal(stems, first, A1_CHEAP_STEMS * VIEW * sizeof *stems);
        free(stems);
        a1_pool_destroy(&pool);
    }
    free(first);
    free(views);
}

static void what_is_no_number_is_silence(void **state)
{
    (void)state;
    static const float odd[] = {NAN, INFINITY, -INFINITY};
    float *views = views_of(music);
    for (size_t i = 0; i < A1_CHEAP_VIEWS * VIEW; i += 97)
        views[i] = odd[i % 3];
    float *stems = split(views, NULL);
    for (size_t i = 0; i < A1_CHEAP_STEMS * VIEW; i++)
        assert_true(isfinite(stems[i]));
    assert_true(stems[0] == 0 && stems[VIEW] == 0);
    free(stems);
    free(views);
}

static void few_frames(void **state)
{
    (void)state;
    for (size_t frames = 0; frames <= 3; frames++) {
        float views[A1_CHEAP_VIEWS * 3 * BANDS], stems[A1_CHEAP_STEMS * 3 * BANDS];
        for (size_t i = 0; i < A1_CHEAP_VIEWS * 3 * BANDS; i++)
            views[i] = 1;
        assert_int_equal(a1_cheap_stems(NULL, views, frames, stems, NULL), ALLIN1_OK);
        for (size_t i = 0; i < A1_CHEAP_STEMS * frames * BANDS; i++)
            assert_true(isfinite(stems[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(medians_are_those_of_a_sort),
        cmocka_unit_test(each_kind_goes_to_its_stem),
        cmocka_unit_test(the_stems_add_up_to_the_mix),
        cmocka_unit_test(any_pool_gives_the_same_bits),
        cmocka_unit_test(what_is_no_number_is_silence),
        cmocka_unit_test(few_frames),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
