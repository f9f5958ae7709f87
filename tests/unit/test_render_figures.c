/* Figures: sections where the result says, any name, the same bytes, and no date. */
#include "support/files.h"
#include "support/golden.h"
#include "support/sandbox.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cairo.h>

#include <allin1/render.h>

#include "plot/label_style.h"
#include "plot/waveform.h"

#define BAND_Y 43 /* points from the top: within the sections' band, above its text */
#define LEFT 46.0
#define WIDTH (11 * 72 - 46 - 18.0)

static const char *const labels[] = {"intro", "verse", "chorus", "bridge", "inst",
                                     "solo",  "break", "outro",  "start",  "end"};

/* A result of `seconds` at 120 bpm, with all labels one after the other; of no file. */
typedef struct made_result {
    allin1_result result;
    allin1_waveform waveform;
    allin1_segment segments[10];
    double *beats, *downbeats;
    unsigned *positions;
    float values[3][800];
} made_result;

static made_result *make_result(const char *path, double seconds)
{
    made_result *made = calloc(1, sizeof *made);
    const size_t count = (size_t)(seconds * 2);
    assert_non_null(made);
    made->beats = calloc(count + 1, sizeof(double));
    made->downbeats = calloc(count + 1, sizeof(double));
    made->positions = calloc(count + 1, sizeof(unsigned));
    assert_true(made->beats && made->downbeats && made->positions);
    for (size_t i = 0; i < count; i++) {
        made->beats[i] = (double)i / 2;
        made->positions[i] = (unsigned)(i % 4) + 1;
        if (i % 4 == 0)
            made->downbeats[made->result.downbeat_count++] = made->beats[i];
    }
    for (int i = 0; i < 10; i++) /* of unequal length */
        made->segments[i] = (allin1_segment){.start = seconds * i * (i + 9) / 190,
                                             .end = seconds * (i + 1) * (i + 10) / 190,
                                             .label = labels[i],
                                             .probability = NAN};
    for (size_t i = 0; i < 800; i++) {
        made->values[1][i] = (float)(i % 100) / 100;
        made->values[0][i] = -made->values[1][i];
        made->values[2][i] = made->values[1][i] / 2;
    }
    made->waveform = (allin1_waveform){100, 800, made->values[0], made->values[1], made->values[2]};
    allin1_result *r = &made->result;
    r->path = path;
    r->duration = seconds;
    r->bpm = count > 1 ? 120 : 0;
    r->tempo = count > 1 ? 120 : NAN;
    r->beats_per_bar = 4;
    r->beat_count = count;
    r->beats = made->beats;
    r->beat_positions = made->positions;
    r->downbeats = made->downbeats;
    r->segments = made->segments;
    r->segment_count = 10;
    r->waveform = &made->waveform;
    r->provenance.key = r->provenance.input_sha256 = "";
    return made;
}

static void free_result(made_result *made)
{
    free(made->beats);
    free(made->downbeats);
    free(made->positions);
    free(made);
}

static void save(const allin1_result *result, const char *name)
{
    allin1_error error;
    allin1_rendered rendered;
    if (allin1_save_figure(NULL, result, NULL, sandbox_path("%s", name), &rendered, &error) !=
        ALLIN1_OK)
        fail_msg("%s", error.message);
    assert_int_equal(rendered.made, 1);
}

static uint32_t pixel(cairo_surface_t *image, double x, double y)
{
    const double scale = 160.0 / 72;
    const unsigned char *row =
        cairo_image_surface_get_data(image) +
        (size_t)(y * scale) * (size_t)cairo_image_surface_get_stride(image);
    uint32_t value;
    memcpy(&value, row + 4 * (size_t)(x * scale), 4);
    return value & 0xffffff;
}

static void sections_are_where_the_result_says(void **state)
{
    (void)state;
    made_result *made = make_result("/music/song.mp3", 190);
    save(&made->result, "song.png");
    cairo_surface_t *image = cairo_image_surface_create_from_png(sandbox_path("song.png"));
    assert_int_equal(cairo_surface_status(image), CAIRO_STATUS_SUCCESS);
    assert_int_equal(cairo_image_surface_get_width(image), 11 * 160);
    assert_int_equal(cairo_image_surface_get_height(image), 4 * 160);
    for (int i = 0; i < 10; i++) {
        const uint32_t colour = allin1_label_colour(labels[i]);
        const double start = LEFT + made->segments[i].start / 190 * WIDTH;
        const double end = LEFT + made->segments[i].end / 190 * WIDTH;
        /* A point and a half from the line between two sections. */
        assert_int_equal(pixel(image, start + 1.5, BAND_Y), colour);
        assert_int_equal(pixel(image, end - 1.5, BAND_Y), colour);
    }
    assert_int_equal(pixel(image, LEFT - 4, BAND_Y), 0xffffff);
    assert_int_equal(pixel(image, LEFT + WIDTH + 4, BAND_Y), 0xffffff);
    cairo_surface_destroy(image);
    free_result(made);
}

static bool contains(const uint8_t *bytes, size_t size, const char *text)
{
    return memmem(bytes, size, text, strlen(text)) != NULL;
}

static void the_same_bytes_each_time(void **state)
{
    (void)state;
    static const char *const names[] = {"a.pdf", "a.svg", "a.png"};
    static const char *const starts[] = {"%PDF-", "<?xml ", "\x89PNG\r\n"};
    made_result *made = make_result("/music/song.mp3", 30);
    for (size_t i = 0; i < 3; i++) {
        size_t sizes[2];
        save(&made->result, names[i]);
        uint8_t *first = test_read_bytes(sandbox_path("%s", names[i]), &sizes[0]);
        save(&made->result, names[i]);
        uint8_t *second = test_read_bytes(sandbox_path("%s", names[i]), &sizes[1]);
        assert_int_equal(sizes[0], sizes[1]);
        assert_memory_equal(first, second, sizes[0]);
        assert_memory_equal(first, starts[i], strlen(starts[i]));
        assert_true(contains(first, sizes[0], "allin1-made-from:"));
        assert_false(contains(first, sizes[0], "Date"));
        free(first);
        free(second);
    }
    free_result(made);
}

static void names_of_any_script(void **state)
{
    (void)state;
    static const char *const paths[] = {
        "/music/\xe6\xad\x8c\xe3\x81\xae\xe6\x9c\xac.flac",     /* Japanese */
        "/music/\xd8\xa3\xd8\xba\xd9\x86\xd9\x8a\xd8\xa9.mp3", /* Arabic */
        "/music/\xff\xfe broken \x01\x1b[31m.mp3", "/music/a-->b<c>&\"'.mp3", "", "/"};
    uint8_t *last = NULL;
    size_t last_size = 0;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        made_result *made = make_result(paths[i], 30);
        save(&made->result, "n.png");
        save(&made->result, "n.pdf");
        save(&made->result, "n.svg");
        size_t size;
        uint8_t *bytes = test_read_bytes(sandbox_path("n.png"), &size);
        assert_true(size != last_size || memcmp(bytes, last, size) != 0);
        free(last);
        last = bytes;
        last_size = size;
        free_result(made);
    }
    free(last);
    char *name = malloc(5010);
    assert_non_null(name);
    memset(name, 'x', 5009);
    name[5009] = '\0';
    made_result *made = make_result(name, 30);
    save(&made->result, "n.pdf");
    free_result(made);
    free(name);
}

static void extremes(void **state)
{
    (void)state;
    made_result *made = make_result("/music/long.mp3", 21600);
    save(&made->result, "long.png");
    free_result(made);
    made = make_result("/music/short.mp3", 0.01);
    save(&made->result, "short.png");
    free_result(made);
    made = make_result("/music/none.mp3", 10);
    made->result.beat_count = made->result.downbeat_count = made->result.segment_count = 0;
    made->result.bpm = 0;
    made->result.tempo = NAN;
    memset(made->values, 0, sizeof made->values);
    save(&made->result, "none.png");
    free_result(made);
}

static void what_cannot_be_drawn(void **state)
{
    (void)state;
    allin1_error error;
    allin1_figure_settings settings;
    made_result *made = make_result("/music/song.mp3", 30);
    assert_int_equal(
        allin1_save_figure(NULL, &made->result, NULL, sandbox_path("a.gif"), NULL, &error),
        ALLIN1_ERROR_ARGUMENT);
    assert_non_null(strstr(error.message, "a.gif: a figure ends in .pdf, .svg or .png"));
    allin1_figure_settings_default(&settings);
    settings.width = NAN;
    assert_int_equal(
        allin1_save_figure(NULL, &made->result, &settings, sandbox_path("a.png"), NULL, &error),
        ALLIN1_ERROR_ARGUMENT);
    allin1_figure_settings_default(&settings);
    settings.width = 100;
    settings.resolution = 600;
    assert_int_equal(
        allin1_save_figure(NULL, &made->result, &settings, sandbox_path("a.png"), NULL, &error),
        ALLIN1_ERROR_ARGUMENT);
    made->result.waveform = NULL; /* the song itself is needed, and is not there */
    assert_int_equal(
        allin1_save_figure(NULL, &made->result, NULL, sandbox_path("a.png"), NULL, &error),
        ALLIN1_ERROR_IO);
    assert_non_null(strstr(error.message, "/music/song.mp3"));
    free_result(made);
}

/* WCAG asks for 4.5 of text; and no two kinds of section look the same. */
static void labels_can_be_read(void **state)
{
    (void)state;
    for (int i = 0; i < 10; i++) {
        const uint32_t colour = a1_label_colour(labels[i]);
        assert_true(a1_contrast(colour, a1_text_colour_on(colour)) >= 4.5);
        for (int j = 0; j < i && i < 9; j++)
            assert_int_not_equal(colour, a1_label_colour(labels[j]));
    }
    assert_int_equal(allin1_label_colour(NULL), allin1_label_colour("polka"));
}

static void outline_of_a_sound(void **state)
{
    (void)state;
    enum { SAMPLES = 1000 }; /* 2.27 bins at 44.1 kHz: three */
    float left[SAMPLES], right[SAMPLES] = {0}, low[3], high[3], rms[3];
    const float *const channel[2] = {left, right};
    assert_int_equal(a1_waveform_bins(SAMPLES, 44100), 3);
    assert_int_equal(a1_waveform_bins(441 * 3, 44100), 3);
    assert_int_equal(a1_waveform_bins(0, 44100), 0);
    for (int i = 0; i < SAMPLES; i++)
        left[i] = 0.5f;
    right[500] = -0.25f;
    a1_waveform_measure(channel, SAMPLES, 44100, low, high, rms);
    assert_true(high[0] == 0.5f && high[1] == 0.5f && high[2] == 0.5f);
    assert_true(low[0] == 0 && low[1] == -0.25f && low[2] == 0);
    assert_true(fabsf(rms[0] - 0.5f * sqrtf(0.5f)) < 1e-6f);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, sandbox_set_up, sandbox_clean_up)
    const struct CMUnitTest tests[] = {
        TEST(sections_are_where_the_result_says),
        TEST(the_same_bytes_each_time),
        TEST(names_of_any_script),
        TEST(extremes),
        TEST(what_cannot_be_drawn),
        TEST(labels_can_be_read),
        TEST(outline_of_a_sound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
