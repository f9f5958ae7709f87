/* Every allocation of our own fails once while a figure, a page, an index and a sound are made. */
#include "support/golden.h"
#include "support/sandbox.h"
#include "support/small_program.h"

#include <stdio.h>
#include <string.h>

#include <allin1/render.h>
#include <allin1/timings.h>

#include "faults/allocations.h"

static allin1_result *result;
static char target[1024];

static int set_up(void **state)
{
    (void)state;
    char text[2048];
    allin1_error error;
    sandbox_make();
    make_sound("a.wav", MUSIC, 0.4);
    const int size = snprintf(text, sizeof text,
                              "{\"path\": \"%s\", \"bpm\": 120, \"beats\": [0.1,0.3], \"downbeats\": "
                              "[0.1], \"beat_positions\": [1,2], \"segments\": [{\"start\": 0.0, "
                              "\"end\": 0.4, \"label\": \"verse\"}]}",
                              sandbox_path("a.wav"));
    sandbox_write("a.json", text, (size_t)size);
    assert_int_equal(allin1_load_json(sandbox_path("a.json"), &result, NULL, &error), ALLIN1_OK);
    return 0;
}

static int clean_up(void **state)
{
    (void)state;
    allin1_result_free(&result);
    sandbox_remove();
    return 0;
}

static allin1_status take_over(a1_error *err, const allin1_error *error, allin1_status status)
{
    return status == ALLIN1_OK ? status : a1_fail(err, status, "%s", error->message);
}

static allin1_status figure(void *user, a1_error *err)
{
    (void)user;
    allin1_error error;
    return take_over(err, &error, allin1_save_figure(NULL, result, NULL, target, NULL, &error));
}

static allin1_status page(void *user, a1_error *err)
{
    allin1_page_settings settings;
    allin1_error error;
    allin1_page_settings_default(&settings);
    settings.audio = *(const allin1_page_audio *)user;
    return take_over(err, &error, allin1_save_page(NULL, result, &settings, target, NULL, &error));
}

static allin1_status sonification(void *user, a1_error *err)
{
    (void)user;
    allin1_error error;
    const allin1_sonification_settings settings = {.only_when_needed = 0};
    return take_over(err, &error,
                     allin1_save_sonification(NULL, result, &settings, target, NULL, &error));
}

static allin1_status whole_index(void *user, a1_error *err)
{
    (void)user;
    allin1_index *index;
    allin1_error error;
    allin1_status status = allin1_index_create(&index, &error);
    if (status == ALLIN1_OK)
        status = allin1_index_add(index, result, "a.html", &error);
    if (status == ALLIN1_OK)
        status = allin1_save_index(NULL, index, 1, target, NULL, &error);
    allin1_index_free(&index);
    return take_over(err, &error, status);
}

static allin1_status timings_figure(void *user, a1_error *err)
{
    allin1_error error;
    return take_over(err, &error, allin1_timings_save_figure(user, target, &error));
}

/* As allocations_fail_each, but the decoder does without a reservation that it cannot have: a run in
 * which an allocation failed may succeed. */
static void fail_each(const char *what, const char *name, allin1_status (*run)(void *, a1_error *),
                      void *user)
{
    unsigned failures = 0, nth = 1;
    strcpy(target, sandbox_path("%s", name));
    for (bool hit = true; hit; nth++) {
        a1_error err = {0};
        allocations_fail_at(nth);
        const allin1_status status = run(user, &err);
        hit = allocations_failed();
        assert_int_equal(allocations_left(), 0);
        if (status == ALLIN1_OK)
            continue;
        if (!hit || status != ALLIN1_ERROR_MEMORY || !strstr(err.message, "memory"))
            fail_msg("%s, allocation %u: %s", what, nth, err.message);
        failures++;
    }
    print_message("%s: %u allocations\n", what, nth - 2);
    assert_true(failures > 3);
}

static void figures(void **state)
{
    (void)state;
    fail_each("a PDF", "a.pdf", figure, NULL);
    fail_each("an SVG", "a.svg", figure, NULL);
    fail_each("a PNG", "a.png", figure, NULL);
}

static void figures_of_timings(void **state)
{
    (void)state;
    static const allin1_run run = {.version = "1", .threads = 1};
    const allin1_thread_work work = {0, 1, 2, 1};
    const allin1_span span = {.id = 1, .stage = "nn", .track = "a", .start = 1, .end = 2,
                              .run = &run, .work = &work, .work_count = 1};
    allin1_timings *timings;
    assert_int_equal(allin1_timings_create(&timings, NULL), ALLIN1_OK);
    allin1_timings_add(timings, &span);
    fail_each("timings as a PDF", "t.pdf", timings_figure, timings);
    fail_each("timings as an SVG", "t.svg", timings_figure, timings);
    fail_each("timings as a PNG", "t.png", timings_figure, timings);
    allin1_timings_free(&timings);
}

static void pages(void **state)
{
    (void)state;
    allin1_page_audio audio[] = {ALLIN1_PAGE_AUDIO_AUTO, ALLIN1_PAGE_AUDIO_ORIGINAL,
                                 ALLIN1_PAGE_AUDIO_LINK};
    for (size_t i = 0; i < sizeof audio / sizeof *audio; i++)
        fail_each(allin1_page_audio_string(audio[i]), "a.html", page, &audio[i]);
}

static void indexes(void **state)
{
    (void)state;
    fail_each("an index", "index.html", whole_index, NULL);
}

static void sounds(void **state)
{
    (void)state;
    fail_each("a sound", "s.wav", sonification, NULL);
    fail_each("a sound", "s.flac", sonification, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(figures, set_up, clean_up),
        cmocka_unit_test_setup_teardown(figures_of_timings, set_up, clean_up),
        cmocka_unit_test_setup_teardown(pages, set_up, clean_up),
        cmocka_unit_test_setup_teardown(indexes, set_up, clean_up),
        cmocka_unit_test_setup_teardown(sounds, set_up, clean_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
