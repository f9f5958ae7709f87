/* The figure of a run's spans. */
#include "support/files.h"
#include "support/golden.h"
#include "support/sandbox.h"

#include <allin1/timings.h>

#include <cairo.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NN_COLOUR 0xd55e00
#define SPECTROGRAM_COLOUR 0xe6a532

static const allin1_run facts = {.id = "0123", .host = "h", .processor = "p", .version = "1",
                                 .threads = 2, .started = 1000000000, .clock_started = 100};

static void add(allin1_timings *timings, uint64_t id, uint64_t parent, const char *stage,
                const char *track, double start, double end, const allin1_thread_work *work,
                size_t work_count)
{
    const allin1_span span = {.id = id, .parent = parent, .stage = stage, .track = track,
                              .start = start, .end = end, .own = end - start, .device = "cpu",
                              .model = "m", .run = &facts, .audio_seconds = track ? 40 : 0,
                              .snr = NAN, .work = work, .work_count = work_count};
    allin1_timings_add(timings, &span);
}

/* Two songs of 4 s each after 2 s of start: in each, 2 s of spectrogram by thread 0, 1.5 s of nn by
 * thread 1 half of the time, and something inside the postprocessing. */
static allin1_timings *make_run(const char *first, const char *second)
{
    allin1_timings *timings;
    assert_int_equal(allin1_timings_create(&timings, NULL), ALLIN1_OK);
    add(timings, 1, 0, "start_up", NULL, 100, 102, NULL, 0);
    for (unsigned song = 0; song < 2; song++) {
        const double t = 102 + 4 * song;
        const uint64_t id = 2 + 4 * (uint64_t)song;
        const char *track = song ? second : first;
        const allin1_thread_work spectrogram[] = {{0, t, t + 2, 2}};
        const allin1_thread_work nn[] = {{1, t + 2, t + 3.5, 0.75}};
        add(timings, id, 0, "spectrogram", track, t, t + 2, spectrogram, 1);
        add(timings, id + 1, 0, "nn", track, t + 2, t + 3.5, nn, 1);
        add(timings, id + 3, id + 2, "metrical_dbn", track, t + 3.6, t + 3.8, NULL, 0);
        add(timings, id + 2, 0, "postprocess", track, t + 3.5, t + 4, NULL, 0);
    }
    return timings;
}

static uint8_t *drawn(const allin1_timings *timings, const char *name, size_t *size)
{
    allin1_error error;
    if (allin1_timings_save_figure(timings, sandbox_path("%s", name), &error) != ALLIN1_OK)
        fail_msg("%s", error.message);
    return test_read_bytes(sandbox_path("%s", name), size);
}

static void the_same_bytes_each_time(void **state)
{
    (void)state;
    static const char *const names[] = {"a.pdf", "a.svg", "a.PNG"};
    static const char *const starts[] = {"%PDF-", "<?xml ", "\x89PNG\r\n"};
    allin1_timings *timings = make_run("/m/a.mp3", "/m/b.mp3");
    allin1_timings *renamed = make_run("/m/a.mp3", "/m/other.mp3");
    for (size_t i = 0; i < 3; i++) {
        size_t sizes[3];
        uint8_t *first = drawn(timings, names[i], &sizes[0]);
        uint8_t *second = drawn(timings, names[i], &sizes[1]);
        uint8_t *other = drawn(renamed, names[i], &sizes[2]);
        assert_int_equal(sizes[0], sizes[1]);
        assert_memory_equal(first, second, sizes[0]);
        assert_memory_equal(first, starts[i], strlen(starts[i]));
        assert_false(sizes[2] == sizes[0] && memcmp(first, other, sizes[0]) == 0);
        free(first);
        free(second);
        free(other);
    }
    allin1_timings_free(&timings);
    allin1_timings_free(&renamed);
}

/* How many pixels have a colour, in the part of the picture between two heights (0 to 1). */
static size_t count_pixels(cairo_surface_t *image, uint32_t colour, double from, double to)
{
    const int width = cairo_image_surface_get_width(image);
    const int height = cairo_image_surface_get_height(image);
    const unsigned char *data = cairo_image_surface_get_data(image);
    const size_t stride = (size_t)cairo_image_surface_get_stride(image);
    size_t count = 0;
    for (int y = (int)(from * height); y < (int)(to * height); y++) {
        for (int x = 0; x < width; x++) {
            uint32_t pixel;
            memcpy(&pixel, data + (size_t)y * stride + (size_t)x * 4, 4);
            count += (pixel & 0xffffff) == colour;
        }
    }
    return count;
}

/* In the threads' rows, the first has the spectrogram only and the second nn only; nn has half the
 * height and three quarters of the length. */
static void threads_have_their_stages(void **state)
{
    (void)state;
    size_t size;
    allin1_timings *timings = make_run("/m/a.mp3", "/m/b.mp3");
    free(drawn(timings, "a.png", &size));
    allin1_timings_free(&timings);
    cairo_surface_t *image = cairo_image_surface_create_from_png(sandbox_path("a.png"));
    assert_int_equal(cairo_surface_status(image), CAIRO_STATUS_SUCCESS);
    /* In points: tracks and two rows of stages end at 112, two threads of 24 begin at 120; then 3 to
     * the axis, 26, two rows of legend of 15 each, 8. */
    const double all = 120 + 2 * 24 + 3 + 26 + 15 * 2 + 8;
    const double first = 120 / all, second = 144 / all, end = 168 / all;
    const size_t spectrogram = count_pixels(image, SPECTROGRAM_COLOUR, first, second);
    const size_t nn = count_pixels(image, NN_COLOUR, second, end);
    assert_int_equal(count_pixels(image, NN_COLOUR, first, second), 0);
    assert_int_equal(count_pixels(image, SPECTROGRAM_COLOUR, second, end), 0);
    /* Edges are whole pixels: of about 49 rows and 600 columns each one may be more or less. */
    assert_true(spectrogram > 10000);
    assert_true(fabs((double)nn / (double)spectrogram - 0.75 / 2) < 0.03);
    cairo_surface_destroy(image);
}

static void anything_in_a_name(void **state)
{
    (void)state;
    size_t size;
    allin1_timings *timings = make_run("/m/\"\\\n\x01\xff\xc3.mp3", "");
    add(timings, 99, 0, "\xff\xc3", "\xc3/", 120, 121, NULL, 0);
    add(timings, 100, 0, "nn", NULL, NAN, -INFINITY, NULL, 0);
    free(drawn(timings, "a.png", &size));
    free(drawn(timings, "a.svg", &size));
    allin1_timings_free(&timings);
}

static void what_cannot_be_drawn(void **state)
{
    (void)state;
    allin1_error error;
    allin1_timings *timings;
    assert_int_equal(allin1_timings_create(&timings, NULL), ALLIN1_OK);
    assert_int_equal(allin1_timings_save_figure(timings, sandbox_path("a.png"), &error),
                     ALLIN1_ERROR_ARGUMENT);
    expect_text(error.message, "a.png: there are no timings to draw");
    allin1_timings_free(&timings);

    timings = make_run("a", "b");
    assert_int_equal(allin1_timings_save_figure(timings, sandbox_path("a.gif"), &error),
                     ALLIN1_ERROR_ARGUMENT);
    expect_text(error.message, "a.gif: a figure ends in .pdf, .svg or .png");
    assert_false(sandbox_has("a.gif"));
    sandbox_write("file", "", 0);
    assert_int_equal(allin1_timings_save_figure(timings, sandbox_path("file/a.png"), &error),
                     ALLIN1_ERROR_IO);
    expect_text(error.message, "file");

    const allin1_thread_work far = {UINT32_MAX, 130, 131, 1};
    add(timings, 99, 0, "nn", "b", 130, 131, &far, 1);
    assert_int_equal(allin1_timings_save_figure(timings, sandbox_path("a.png"), &error),
                     ALLIN1_ERROR_UNSUPPORTED);
    expect_text(error.message, "1024 threads");
    allin1_timings_free(&timings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_same_bytes_each_time, sandbox_set_up, sandbox_clean_up),
        cmocka_unit_test_setup_teardown(threads_have_their_stages, sandbox_set_up, sandbox_clean_up),
        cmocka_unit_test_setup_teardown(anything_in_a_name, sandbox_set_up, sandbox_clean_up),
        cmocka_unit_test_setup_teardown(what_cannot_be_drawn, sandbox_set_up, sandbox_clean_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
