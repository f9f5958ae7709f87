/* The spectrogram against madmom's, with both backends and at every CPU level. */
#include "support/golden.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "spectrogram/spectrogram.h"

/* madmom in float32 is 2.4e-7 away from a float64 evaluation, and so are we; bins of a loud frame
 * where little is heard may add some steps of float32 noise of the whole frame. A wrong bin, window
 * or rounding rule is off by 1e-4 and more. */
#define TOLERANCE 2e-6

typedef struct variant {
    const char *name;
    a1_spectrogram *plan;
} variant;

static variant variants[5];
static size_t variant_count;

static int set_up(void **state)
{
    (void)state;
    allin1_cpu_level levels[4];
    const size_t count = a1_cpu_levels(levels);
    for (size_t i = 0; i <= count; i++) {
        a1_cpu cpu;
        variant *v = &variants[variant_count++];
        const int reference = i == count;
        assert_int_equal(a1_cpu_select(&cpu, levels[reference ? 0 : i], NULL), ALLIN1_OK);
        v->name = reference ? "reference" : allin1_cpu_level_string(levels[i]);
        assert_int_equal(a1_spectrogram_create(
                             &v->plan, reference ? A1_SPEC_REFERENCE : A1_SPEC_FAST, &cpu, NULL),
                         ALLIN1_OK);
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    while (variant_count > 0)
        a1_spectrogram_destroy(&variants[--variant_count].plan);
    return 0;
}

static void window_is_numpys(void **state)
{
    (void)state;
    test_array expected = test_read_array(test_golden("golden/unit/hann_2048_f64.npy"), NULL);
    assert_int_equal(expected.count, A1_SPEC_WINDOW);
    const double *window = a1_spectrogram_window(variants[0].plan);
    for (size_t i = 0; i < A1_SPEC_WINDOW; i++) {
        /* Half of a cosine of the same angle, which libraries round differently in its last bit. */
        if (fabs(window[i] - expected.values[i]) > 2.3e-16)
            fail_msg("window[%zu] is %.17g and should be %.17g", i, window[i], expected.values[i]);
    }
    test_array_free(&expected);
}

static void filterbank_is_madmoms_in_every_bit(void **state)
{
    (void)state;
    const size_t count = A1_SPEC_BINS * A1_SPEC_BANDS;
    float *expected =
        test_read_floats(test_golden("golden/unit/filterbank_1024x81_f32.npy"), NULL, count);
    const float *filterbank = a1_spectrogram_filterbank(variants[0].plan);
    for (size_t i = 0; i < count; i++) {
        if (filterbank[i] != expected[i])
            fail_msg("bin %zu, band %zu is %.9g and should be %.9g", i / A1_SPEC_BANDS,
                     i % A1_SPEC_BANDS, (double)filterbank[i], (double)expected[i]);
    }
    free(expected);
}

/* The file's centers are where madmom finds a band's highest weight when it leaves out the last of
 * several bins, which misplaces three bands of two bins by one. */
static void bands_peak_at_their_centers(void **state)
{
    (void)state;
    test_array hz = test_read_array(test_golden("golden/unit/filterbank_center_hz_f64.npy"), NULL);
    assert_int_equal(hz.count, A1_SPEC_BANDS);
    const float *filterbank = a1_spectrogram_filterbank(variants[0].plan);
    for (size_t band = 0; band < A1_SPEC_BANDS; band++) {
        const float *weights = filterbank + band;
        size_t first = 0, end = A1_SPEC_BINS;
        while (first < A1_SPEC_BINS && weights[first * A1_SPEC_BANDS] == 0.0f)
            first++;
        while (end > first + 1 && weights[(end - 1) * A1_SPEC_BANDS] == 0.0f)
            end--;
        assert_true(first < A1_SPEC_BINS);
        size_t highest = first;
        for (size_t bin = first; bin + 1 < end; bin++) {
            if (weights[bin * A1_SPEC_BANDS] > weights[highest * A1_SPEC_BANDS])
                highest = bin;
        }
        const double center = (double)highest * A1_SPEC_SAMPLE_RATE / A1_SPEC_WINDOW;
        if (fabs(center - hz.values[band]) > 1e-9)
            fail_msg("band %zu peaks at %.6f Hz and should peak at %.6f", band, center,
                     hz.values[band]);
    }
    test_array_free(&hz);
}

static void mono_case(const char *what, const float *in, size_t samples, const test_array *expected)
{
    assert_int_equal(expected->rank, 2);
    assert_int_equal(expected->shape[0], a1_spectrogram_frames(samples));
    assert_int_equal(expected->shape[1], A1_SPEC_BANDS);
    float *out = malloc(expected->count * sizeof *out);
    assert_non_null(out);
    for (size_t v = 0; v < variant_count; v++) {
        char name[128];
        snprintf(name, sizeof name, "%s, %s", what, variants[v].name);
        assert_int_equal(a1_spectrogram_mono(variants[v].plan, NULL, in, samples, out, NULL),
                         ALLIN1_OK);
        test_close(name, out, expected->values, expected->count, TOLERANCE);
    }
    free(out);
}

static void float_excerpt(void **state)
{
    (void)state;
    const char *path = test_golden("golden/unit/spec_in_float_mono_f32.npy");
    test_array in = test_read_array(path, NULL);
    test_array expected = test_read_array(test_golden("golden/unit/spec_out_float_f32.npy"), NULL);
    float *mono = test_read_floats(path, NULL, in.count);
    mono_case("float excerpt", mono, in.count, &expected);
    free(mono);
    test_array_free(&in);
    test_array_free(&expected);
}

static void short_signals(void **state)
{
    (void)state;
    static const size_t lengths[] = {1, 440, 441, 442, 2048};
    float in[2048];
    for (size_t i = 0; i < 2048; i++)
        in[i] = (float)(i % 100) / 200.0f - 0.25f;
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        char file[64];
        snprintf(file, sizeof file, "golden/unit/spec_short_%zu_f32.npy", lengths[i]);
        test_array expected = test_read_array(test_golden(file), NULL);
        mono_case(file, in, lengths[i], &expected);
        test_array_free(&expected);
    }
}

/* Fills all four stems with one stereo signal of 16-bit values and asks for the quantising path. */
static void stereo_excerpt_in_16_bits(void **state)
{
    (void)state;
    test_array in = test_read_array(test_golden("golden/unit/spec_in_pcm16_stereo.npy"), NULL);
    test_array mono = test_read_array(test_golden("golden/unit/spec_in_pcm16_mono.npy"), NULL);
    test_array expected = test_read_array(test_golden("golden/unit/spec_out_pcm16_f32.npy"), NULL);
    assert_int_equal(in.rank, 2);
    const size_t samples = in.shape[1];
    float *channels = malloc(2 * samples * sizeof *channels);
    float *out = malloc(A1_STEMS * expected.count * sizeof *out);
    assert_non_null(channels);
    assert_non_null(out);
    double peak = 0;
    for (size_t i = 0; i < 2 * samples; i++) {
        channels[i] = (float)(in.values[i] / 32768.0);
        peak = fmax(peak, fabs(in.values[i] / 32768.0));
    }
    /* Otherwise the stems' scaling would change the values that the golden file took as they are.
     */
    assert_true(1.01 * peak <= 1.0);
    for (size_t i = 0; i < samples; i++)
        assert_true(trunc((in.values[i] + in.values[samples + i]) / 2) == mono.values[i]);
    const float *stems[A1_STEMS][2];
    for (size_t s = 0; s < A1_STEMS; s++) {
        stems[s][0] = channels;
        stems[s][1] = channels + samples;
    }
    for (size_t v = 0; v < variant_count; v++) {
        assert_int_equal(a1_spectrogram_stems(variants[v].plan, NULL, stems, samples, 1, out, NULL),
                         ALLIN1_OK);
        for (size_t s = 0; s < A1_STEMS; s++) {
            char name[128];
            snprintf(name, sizeof name, "16-bit excerpt as stem %zu, %s", s, variants[v].name);
            test_close(name, out + s * expected.count, expected.values, expected.count, TOLERANCE);
        }
    }
    free(channels);
    free(out);
    test_array_free(&in);
    test_array_free(&mono);
    test_array_free(&expected);
}

/* Stems of a whole song as the reference wrote them to WAV files. */
static void victory(void **state)
{
    (void)state;
    test_array in = test_read_array(test_golden("golden/songs/victory/stems_pcm16.npy"), NULL);
    test_array expected = test_read_array(test_golden("golden/songs/victory/spec.npz"), "spec");
    assert_int_equal(in.rank, 3);
    const size_t samples = in.shape[2];
    assert_int_equal(expected.count, A1_STEMS * a1_spectrogram_frames(samples) * A1_SPEC_BANDS);
    float *floats = malloc(in.count * sizeof *floats);
    float *out = malloc(expected.count * sizeof *out);
    assert_non_null(floats);
    assert_non_null(out);
    for (size_t i = 0; i < in.count; i++)
        floats[i] = (float)(in.values[i] / 32768.0);
    static const size_t order[A1_STEMS] = {1, 0, 2, 3}; /* the file: drums, bass, other, vocals */
    const float *stems[A1_STEMS][2];
    for (size_t s = 0; s < A1_STEMS; s++) {
        for (size_t c = 0; c < 2; c++)
            stems[s][c] = floats + (2 * order[s] + c) * samples;
    }
    for (size_t v = 0; v < variant_count; v++) {
        char name[128];
        snprintf(name, sizeof name, "victory in 16 bits, %s", variants[v].name);
        assert_int_equal(a1_spectrogram_stems(variants[v].plan, NULL, stems, samples, 1, out, NULL),
                         ALLIN1_OK);
        test_close(name, out, expected.values, expected.count, TOLERANCE);
        /* Without the rounding the golden notes measured up to 2e-3; here the input is rounded
         * already, so only the mean's lost half steps and 32767 against 32768 remain. */
        snprintf(name, sizeof name, "victory in float, %s", variants[v].name);
        assert_int_equal(a1_spectrogram_stems(variants[v].plan, NULL, stems, samples, 0, out, NULL),
                         ALLIN1_OK);
        test_close(name, out, expected.values, expected.count, 2e-3);
    }
    free(floats);
    free(out);
    test_array_free(&in);
    test_array_free(&expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(window_is_numpys),
        cmocka_unit_test(filterbank_is_madmoms_in_every_bit),
        cmocka_unit_test(bands_peak_at_their_centers),
        cmocka_unit_test(float_excerpt),
        cmocka_unit_test(short_signals),
        cmocka_unit_test(stereo_excerpt_in_16_bits),
        cmocka_unit_test(victory),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
